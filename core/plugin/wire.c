/* wire.c -- see wire.h.
 *
 * What is on the wire is the description as its author wrote it; the reader rebuilds that and has
 * it checked by plugin_describe() like any other, so that a process that has been taken over cannot
 * tell us what a file could not.
 */
#include "core/plugin/wire.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/plugin.h"

#include <string.h>

/* -- Out --------------------------------------------------------------------------------------- */

static void put_text(struct doc_writer *w, const char *name, const char *text)
{
    if (text != NULL)
        doc_put_string(w, name, text);
}

static void put_texts(struct doc_writer *w, const char *name, const char *const *texts)
{
    doc_open_array(w, name);
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
        doc_put_string(w, "", texts[i]);
    doc_close(w);
}

static void put_field(struct doc_writer *w, const struct kith_field *field)
{
    put_text(w, "name", field->name);
    put_text(w, "type", field->type);
    put_text(w, "standard", field->standard);
    put_text(w, "about", field->about);
    doc_put_int(w, "flags", field->flags);
}

static void put_fields(struct doc_writer *w, const struct plugin *plugin)
{
    doc_open_array(w, "config");
    for (size_t i = 0; i < plugin->field_count; i++) {
        doc_open(w, "");
        put_field(w, &plugin->fields[i]);
        doc_open_array(w, "fields");
        for (size_t j = 0; j < plugin->tables[i].count; j++) {
            doc_open(w, "");
            put_field(w, &plugin->tables[i].items[j]);
            doc_close(w);
        }
        doc_close(w);
        doc_close(w);
    }
    doc_close(w);
}

static void put_handlers(struct doc_writer *w, const struct plugin *plugin)
{
    doc_open_array(w, "handlers");
    for (size_t i = 0; i < plugin->handler_count; i++) {
        doc_open(w, "");
        put_text(w, "name", plugin->handlers[i].name);
        put_texts(w, "types", plugin->handlers[i].types);
        put_texts(w, "reads", plugin->handlers[i].reads);
        doc_close(w);
    }
    doc_close(w);
    doc_open_array(w, "functions");
    for (size_t i = 0; i < plugin->function_count; i++) {
        doc_open(w, "");
        put_text(w, "name", plugin->functions[i].name);
        put_text(w, "usage", plugin->functions[i].usage);
        put_text(w, "about", plugin->functions[i].about);
        put_texts(w, "reads", plugin->functions[i].reads);
        if (plugin->functions[i].takes != NULL)
            put_texts(w, "takes", plugin->functions[i].takes);
        doc_close(w);
    }
    doc_close(w);
}

static void put_states(struct doc_writer *w, const struct plugin *plugin)
{
    doc_open_array(w, "states");
    for (size_t i = 0; i < plugin->state_count; i++) {
        const struct kith_state *state = &plugin->states[i];
        doc_open(w, "");
        put_text(w, "key", state->key);
        doc_put_int(w, "version", state->version);
        doc_put_bool(w, "merge", state->merge != NULL);
        doc_put_bool(w, "unmerge", state->unmerge != NULL);
        doc_put_bool(w, "migrate", state->migrate != NULL);
        doc_put_bool(w, "give", state->give != NULL);
        doc_close(w);
    }
    doc_close(w);
    doc_open_array(w, "traits");
    for (size_t i = 0; i < plugin->trait_count; i++) {
        doc_open(w, "");
        put_text(w, "name", plugin->traits[i].name);
        put_text(w, "type", plugin->traits[i].type);
        put_text(w, "about", plugin->traits[i].about);
        doc_put_int(w, "flags", plugin->traits[i].flags);
        doc_close(w);
    }
    doc_close(w);
    doc_open_array(w, "kinds");
    for (size_t i = 0; i < plugin->kind_count; i++) {
        doc_open(w, "");
        put_text(w, "name", plugin->kinds[i].name);
        put_text(w, "json", plugin->kinds[i].json);
        doc_close(w);
    }
    doc_close(w);
}

static void put_outside(struct doc_writer *w, const struct plugin *plugin)
{
    doc_open_array(w, "channels");
    for (size_t i = 0; i < plugin->channel_count; i++) {
        doc_open(w, "");
        put_text(w, "name", plugin->channels[i].name);
        doc_put_int(w, "flags", plugin->channels[i].flags);
        doc_put_bool(w, "status", plugin->channels[i].status != NULL);
        doc_close(w);
    }
    doc_close(w);
    doc_open_array(w, "routes");
    for (size_t i = 0; i < plugin->route_count; i++) {
        const struct kith_route *route = &plugin->routes[i];
        doc_open(w, "");
        put_text(w, "method", route->method);
        put_text(w, "path", route->path);
        put_text(w, "summary", route->summary);
        put_text(w, "openapi", route->openapi);
        doc_put_int(w, "auth", route->auth);
        doc_put_int(w, "body_max", (int64_t)route->body_max);
        doc_close(w);
    }
    doc_close(w);
    doc_open_array(w, "jobs");
    for (size_t i = 0; i < plugin->job_count; i++) {
        doc_open(w, "");
        put_text(w, "name", plugin->jobs[i].name);
        doc_put_int(w, "every_ms", plugin->jobs[i].every_ms);
        doc_close(w);
    }
    doc_close(w);
    doc_put_bool(w, "start", plugin->start != NULL);
    doc_put_bool(w, "erased", plugin->erased != NULL);
}

void wire_put_plugin(struct doc_writer *w, const struct plugin *plugin)
{
    put_text(w, "name", plugin->name);
    put_text(w, "version", plugin->version);
    put_text(w, "about", plugin->about);
    doc_open_array(w, "needs");
    for (size_t i = 0; i < plugin->need_count; i++)
        doc_put_string(w, "", plugin->needs[i]);
    doc_close(w);
    put_fields(w, plugin);
    put_handlers(w, plugin);
    put_states(w, plugin);
    put_outside(w, plugin);
    doc_put_binary(w, "hash", plugin->hash, sizeof plugin->hash);
}

/* -- In ---------------------------------------------------------------------------------------- */

/* What stands where a function is that lies in another process. */
static int32_t far_fn(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    ASSERT(false && "a function of another process is called here");
    return KITH_FAILED;
}

static void far_send(void *self, const struct kith_message *message)
{
    (void)self;
    (void)message;
    ASSERT(false && "a channel of another process is called here");
}

static void far_status(void *self, struct kith_channel_status *status)
{
    (void)self;
    (void)status;
    ASSERT(false && "a channel of another process is called here");
}

static void far_handle(void *self, const struct kith_request *request)
{
    (void)self;
    (void)request;
    ASSERT(false && "a route of another process is called here");
}

static void far_run(void *self)
{
    (void)self;
    ASSERT(false && "a job of another process is called here");
}

static int32_t far_start(const struct kith_host *host, struct kith *kith, void **out_self,
                         /* NOLINTNEXTLINE(readability-non-const-parameter): the contract */
                         char *reason)
{
    (void)host;
    (void)kith;
    (void)out_self;
    (void)reason;
    ASSERT(false && "a plugin of another process is started here");
    return KITH_FAILED;
}

static int32_t far_erased(void *self, uint64_t customer)
{
    (void)self;
    (void)customer;
    ASSERT(false && "a plugin of another process is told here");
    return KITH_FAILED;
}

static const char *text_in(struct doc doc, const char *name)
{
    struct text text = doc_text(doc, name);
    return text.data; /* documents have texts terminated; NULL: there is none */
}

static const char *const *texts_in(struct plugin *plugin, struct doc doc, const char *name)
{
    struct doc list = doc_child(doc, name);
    const char **texts = arena_zero(&plugin->arena, (doc_count(list) + 1) * sizeof *texts);
    size_t count = 0;
    for (struct doc_iter it = doc_iter(list); doc_next(&it);)
        if (it.value.type == DOC_TEXT)
            texts[count++] = it.value.text.data;
    return texts;
}

/* One item after another: `read` fills in what `doc` says. */
static void *list_in(struct plugin *plugin, struct doc doc, const char *name, size_t size,
                     void (*read)(struct plugin *plugin, struct doc doc, void *out))
{
    struct doc list = doc_child(doc, name);
    void **items = arena_zero(&plugin->arena, (doc_count(list) + 1) * sizeof *items);
    size_t count = 0;
    for (struct doc_iter it = doc_iter(list); doc_next(&it);) {
        if (it.value.type != DOC_DOC)
            continue;
        items[count] = arena_zero(&plugin->arena, size);
        memcpy(items[count], &size, sizeof size);
        read(plugin, it.value.doc, items[count++]);
    }
    return items;
}

static void field_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_field *field = out;
    (void)plugin;
    field->name = text_in(doc, "name");
    field->type = text_in(doc, "type");
    field->standard = text_in(doc, "standard");
    field->about = text_in(doc, "about");
    field->flags = (uint32_t)doc_int(doc, "flags", 0);
}

static void outer_field_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_field *field = out;
    field_in(plugin, doc, out);
    field->fields = list_in(plugin, doc, "fields", sizeof(struct kith_field), field_in);
}

static void handler_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_handler *handler = out;
    handler->name = text_in(doc, "name");
    handler->types = texts_in(plugin, doc, "types");
    handler->reads = texts_in(plugin, doc, "reads");
    handler->run = far_fn;
}

static void function_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_function *function = out;
    function->name = text_in(doc, "name");
    function->usage = text_in(doc, "usage");
    function->about = text_in(doc, "about");
    function->reads = texts_in(plugin, doc, "reads");
    if (doc_get(doc, "takes").type != DOC_NONE)
        function->takes = texts_in(plugin, doc, "takes");
    function->run = far_fn;
}

static void state_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_state *state = out;
    (void)plugin;
    state->key = text_in(doc, "key");
    state->version = (uint32_t)doc_int(doc, "version", 0);
    state->merge = doc_bool(doc, "merge", false) ? far_fn : NULL;
    state->unmerge = doc_bool(doc, "unmerge", false) ? far_fn : NULL;
    state->migrate = doc_bool(doc, "migrate", false) ? far_fn : NULL;
    state->give = doc_bool(doc, "give", false) ? far_fn : NULL;
}

static void trait_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_trait *trait = out;
    (void)plugin;
    trait->name = text_in(doc, "name");
    trait->type = text_in(doc, "type");
    trait->about = text_in(doc, "about");
    trait->flags = (uint32_t)doc_int(doc, "flags", 0);
}

static void kind_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_kind *kind = out;
    (void)plugin;
    kind->name = text_in(doc, "name");
    kind->json = text_in(doc, "json");
}

static void channel_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_channel *channel = out;
    (void)plugin;
    channel->name = text_in(doc, "name");
    channel->flags = (uint32_t)doc_int(doc, "flags", 0);
    channel->send = far_send;
    channel->status = doc_bool(doc, "status", false) ? far_status : NULL;
}

static void route_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_route *route = out;
    (void)plugin;
    route->method = text_in(doc, "method");
    route->path = text_in(doc, "path");
    route->summary = text_in(doc, "summary");
    route->openapi = text_in(doc, "openapi");
    route->auth = (uint32_t)doc_int(doc, "auth", 0);
    route->body_max = (size_t)doc_int(doc, "body_max", 0);
    route->handle = far_handle;
}

static void job_in(struct plugin *plugin, struct doc doc, void *out)
{
    struct kith_job *job = out;
    (void)plugin;
    job->name = text_in(doc, "name");
    job->every_ms = doc_int(doc, "every_ms", 0);
    job->run = far_run;
}

static void far_stop(void *self)
{
    (void)self;
    ASSERT(false && "a plugin of another process is stopped here");
}

int wire_get_plugin(struct doc doc, struct plugin *plugin, struct err *err)
{
    struct kith_plugin said = { .size = sizeof said, .abi = KITH_ABI };
    doc = arena_doc(&plugin->arena, doc);
    struct doc_value hash = doc_get(doc, "hash");
    bool has_start = doc_bool(doc, "start", false);
    said.name = text_in(doc, "name");
    said.version = text_in(doc, "version");
    said.about = text_in(doc, "about");
    said.needs = texts_in(plugin, doc, "needs");
    said.config = list_in(plugin, doc, "config", sizeof(struct kith_field), outer_field_in);
    said.handlers = list_in(plugin, doc, "handlers", sizeof(struct kith_handler), handler_in);
    said.functions = list_in(plugin, doc, "functions", sizeof(struct kith_function), function_in);
    said.states = list_in(plugin, doc, "states", sizeof(struct kith_state), state_in);
    said.traits = list_in(plugin, doc, "traits", sizeof(struct kith_trait), trait_in);
    said.kinds = list_in(plugin, doc, "kinds", sizeof(struct kith_kind), kind_in);
    said.channels = list_in(plugin, doc, "channels", sizeof(struct kith_channel), channel_in);
    said.routes = list_in(plugin, doc, "routes", sizeof(struct kith_route), route_in);
    said.jobs = list_in(plugin, doc, "jobs", sizeof(struct kith_job), job_in);
    said.start = has_start ? far_start : NULL;
    said.stop = has_start ? far_stop : NULL;
    said.erased = doc_bool(doc, "erased", false) ? far_erased : NULL;
    if (hash.type != DOC_BINARY || hash.binary.size != sizeof plugin->hash)
        return err_set(err, E_INVALID, "a process of its own sent no description of the plugin");
    memcpy(plugin->hash, hash.binary.data, sizeof plugin->hash);
    return plugin_describe(plugin, &said, err);
}

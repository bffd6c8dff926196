/* set.c -- see set.h: the step of the engine as a source of values, and calls on it. */
#include "core/plugin/set.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/event.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"
#include "core/plugin/call.h"
#include "core/plugin/writes.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct place { /* where a handler or function counted over all plugins stands */
    size_t plugin, index;
};

struct plugin_set {
    struct plugins engine; /* first */
    struct plugin *plugins[PLUGINS_MAX];
    size_t count;
    struct text names[PLUGINS_MAX];
    struct rule *handlers;
    size_t *owners;
    struct place *handler_places, *function_places;
    struct plugin_function *functions;
    bool is_view;
    struct buf writes, answer; /* of the call in progress */
    struct arena arena;        /* names */
};

/* -- The step as a source ------------------------------------------------------------------------- */

struct step_source {
    struct step *step;
    const struct plugin *plugin;
};

static struct doc_value read_step(void *arg, const struct plugin_read *read)
{
    const struct step_source *source = arg;
    const struct event *event = step_event(source->step);
    switch (read->kind) {
    case PLUGIN_READ_EVENT:
        return (struct doc_value){ .type = event->data.data != NULL ? DOC_DOC : DOC_NONE,
                                   .doc = event->data };
    case PLUGIN_READ_FIELD:
        return event_field(event, read->name,
                           text_is(read->name, "id")
                               ? arena_alloc(step_arena(source->step), EVENT_ID_TEXT_MAX)
                               : NULL);
    case PLUGIN_READ_CUSTOMER:
        return step_customer_field(source->step, read->name);
    case PLUGIN_READ_STATE:
        break;
    }
    return (struct doc_value){ .type = DOC_NONE };
}

static struct doc read_state(void *arg, size_t index, int64_t *out_version)
{
    const struct step_source *source = arg;
    struct doc doc;
    step_document(source->step, text_of(source->plugin->name),
                  text_of(source->plugin->states[index].key), &doc, out_version);
    return doc;
}

/* -- Calls ---------------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Numbers for metrics: nothing that is computed depends on them. */
static int count_call(struct plugin *plugin, struct kith_call *call, kith_fn *fn, struct err *err)
{
    int64_t before = now_ns();
    int rc = plugin_call(call, fn, err);
    atomic_fetch_add_explicit(&plugin->nanoseconds, (uint64_t)(now_ns() - before),
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&plugin->calls, 1, memory_order_relaxed);
    if (rc != 0)
        atomic_fetch_add_explicit(&plugin->failures, 1, memory_order_relaxed);
    return rc;
}

static enum plugin_outcome call_on_step(struct plugin_set *set, struct plugin *plugin,
                                        const struct plugin_reads *reads, kith_fn *fn,
                                        struct step *step, struct doc arguments, struct err *err)
{
    struct step_source step_source = { step, plugin };
    struct plugin_source source = { &step_source, read_step, read_state };
    struct kith_call call;
    call.plugin = plugin;
    call.reads = reads;
    call.source = &source;
    call.arguments = arguments;
    call.now = step_now(step);
    call.writes = &set->writes;
    call.answer = &set->answer;
    int rc = count_call(plugin, &call, fn, err);
    if (rc == 0)
        rc = plugin_do(plugin, &set->writes, step, err);
    return rc == 0 ? PLUGIN_OK : PLUGIN_FAILED;
}

static enum plugin_outcome run(struct plugins *plugins, size_t index, struct step *step,
                               struct err *err)
{
    struct plugin_set *set = (struct plugin_set *)plugins;
    struct place place = set->handler_places[index];
    struct plugin *plugin = set->plugins[place.plugin];
    return call_on_step(set, plugin, &plugin->handler_reads[place.index],
                        plugin->handlers[place.index].run, step, (struct doc){ NULL, 0 }, err);
}

static enum plugin_outcome call(struct plugins *plugins, size_t function, struct step *step,
                                struct doc arguments, struct doc_value *out_answer, struct err *err)
{
    struct plugin_set *set = (struct plugin_set *)plugins;
    struct place place = set->function_places[function];
    struct plugin *plugin = set->plugins[place.plugin];
    enum plugin_outcome outcome =
        call_on_step(set, plugin, &plugin->function_reads[place.index],
                     plugin->functions[place.index].run, step, arguments, err);
    *out_answer = (struct doc_value){ .type = DOC_NONE };
    if (outcome == PLUGIN_OK && set->answer.size != 0) {
        struct doc answer = { set->answer.data, (uint32_t)set->answer.size };
        *out_answer = doc_get(arena_doc(step_arena(step), answer), "answer");
    }
    return outcome;
}

static kith_fn *hook_of(const struct kith_state *state, enum plugin_fold what)
{
    switch (what) {
    case PLUGIN_MERGE:
        return state->merge;
    case PLUGIN_UNMERGE:
        return state->unmerge;
    case PLUGIN_MIGRATE:
        return state->migrate;
    case PLUGIN_GIVE:
        return state->give;
    }
    return NULL;
}

static struct doc_value read_nothing(void *arg, const struct plugin_read *read)
{
    (void)arg;
    (void)read;
    return (struct doc_value){ .type = DOC_NONE };
}

static struct doc no_state(void *arg, size_t index, int64_t *out_version)
{
    (void)arg;
    (void)index;
    *out_version = 0;
    return (struct doc){ NULL, 0 };
}

/* A hook sees its arguments and nothing else, and what it wants besides answering is dropped. */
static enum plugin_outcome fold(struct plugins *plugins, size_t index, enum plugin_fold what,
                                struct text key, struct doc arguments, struct arena *arena,
                                struct doc *out, struct err *err)
{
    static const struct plugin_reads nothing = { NULL, 0 };
    static const struct plugin_source source = { NULL, read_nothing, no_state };
    struct plugin_set *set = (struct plugin_set *)plugins;
    struct plugin *plugin = set->plugins[index];
    size_t state = plugin_state_find(plugin, key);
    kith_fn *fn = state != SIZE_MAX ? hook_of(&plugin->states[state], what) : NULL;
    struct kith_call call;
    *out = (struct doc){ NULL, 0 };
    if (fn == NULL)
        return PLUGIN_OK;
    call.plugin = plugin;
    call.reads = &nothing;
    call.source = &source;
    call.arguments = arguments;
    call.now = 0;
    call.writes = &set->writes;
    call.answer = &set->answer;
    if (count_call(plugin, &call, fn, err) != 0)
        return PLUGIN_FAILED;
    struct doc_value answer = plugin_answer(&call);
    if (answer.type == DOC_DOC)
        *out = arena_doc(arena, answer.doc);
    return PLUGIN_OK;
}

/* -- Making a set --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct plugin *const *first = a, *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

static size_t count_types(const struct kith_handler *handler)
{
    size_t count = 0;
    while (handler->types[count] != NULL)
        count++;
    return strcmp(handler->types[0], "*") == 0 ? 0 : count;
}

static void fill_rule(struct plugin_set *set, const struct plugin *plugin,
                      const struct kith_handler *handler, struct rule *rule)
{
    size_t count = count_types(handler);
    struct text *types = arena_alloc(&set->arena, (count + 1) * sizeof *types);
    for (size_t i = 0; i < count; i++)
        types[i] = text_of(handler->types[i]);
    *rule = (struct rule){
        .name = arena_printf(&set->arena, "%s.%s", plugin->name, handler->name),
        .trigger = RULE_ON_TYPES,
        .types = types,
        .type_count = count,
        .at_minute = -1,
    };
}

static void fill(struct plugin_set *set)
{
    size_t handlers = 0, functions = 0;
    for (size_t i = 0; i < set->count; i++) {
        handlers += set->plugins[i]->handler_count;
        functions += set->plugins[i]->function_count;
    }
    set->handlers = arena_zero(&set->arena, (handlers + 1) * sizeof *set->handlers);
    set->owners = arena_zero(&set->arena, (handlers + 1) * sizeof *set->owners);
    set->handler_places = arena_zero(&set->arena, (handlers + 1) * sizeof *set->handler_places);
    set->function_places = arena_zero(&set->arena, (functions + 1) * sizeof *set->function_places);
    set->functions = arena_zero(&set->arena, (functions + 1) * sizeof *set->functions);
    handlers = functions = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct plugin *plugin = set->plugins[i];
        set->names[i] = text_of(plugin->name);
        for (size_t j = 0; j < plugin->handler_count; j++, handlers++) {
            fill_rule(set, plugin, &plugin->handlers[j], &set->handlers[handlers]);
            set->owners[handlers] = i;
            set->handler_places[handlers] = (struct place){ i, j };
        }
        for (size_t j = 0; j < plugin->function_count; j++, functions++) {
            set->functions[functions].name = text_of(plugin->functions[j].name);
            set->functions[functions].plugin = i;
            set->function_places[functions] = (struct place){ i, j };
        }
    }
    set->engine = (struct plugins){
        .names = set->names,
        .count = set->count,
        .handlers = set->handlers,
        .owners = set->owners,
        .handler_count = handlers,
        .functions = set->functions,
        .function_count = functions,
        .run = run,
        .call = call,
        .fold = fold,
    };
}

int plugin_set_new(struct plugin *const *plugins, size_t count, struct plugin_set **out_set,
                   struct err *err)
{
    if (count > PLUGINS_MAX)
        return err_set(err, E_LIMIT, "more than %d plugins", PLUGINS_MAX);
    struct plugin_set *set = mem_zero(sizeof *set);
    set->count = count;
    if (count != 0)
        memcpy(set->plugins, plugins, count * sizeof *plugins);
    qsort(set->plugins, count, sizeof *set->plugins, compare);
    for (size_t i = 1; i < count; i++)
        if (compare(&set->plugins[i - 1], &set->plugins[i]) == 0) {
            err_set(err, E_INVALID, "two plugins are called %s", set->plugins[i]->name);
            free(set);
            return E_INVALID;
        }
    fill(set);
    *out_set = set;
    return 0;
}

struct plugin_set *plugin_set_view(struct plugin_set *set)
{
    if (set == NULL)
        return NULL;
    struct plugin_set *view = mem_zero(sizeof *view);
    view->count = set->count;
    memcpy(view->plugins, set->plugins, sizeof view->plugins);
    view->is_view = true;
    fill(view);
    return view;
}

void plugin_set_free(struct plugin_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count && !set->is_view; i++)
        plugin_free(set->plugins[i]);
    buf_deinit(&set->writes);
    buf_deinit(&set->answer);
    arena_deinit(&set->arena);
    free(set);
}

struct plugins *plugin_set_engine(struct plugin_set *set)
{
    return set != NULL ? &set->engine : NULL;
}

size_t plugin_set_count(const struct plugin_set *set)
{
    return set != NULL ? set->count : 0;
}

const struct plugin *plugin_set_at(const struct plugin_set *set, size_t index)
{
    return set->plugins[index];
}

/* -- The world ------------------------------------------------------------------------------------ */

void plugin_set_put_config(const struct plugin_set *set, struct doc_writer *w)
{
    if (plugin_set_count(set) == 0)
        return;
    doc_open(w, "plugins");
    for (size_t i = 0; i < set->count; i++) {
        doc_open(w, set->plugins[i]->name);
        doc_put_string(w, "version", set->plugins[i]->version);
        doc_put_doc(w, "config", set->plugins[i]->config);
        doc_close(w);
    }
    doc_close(w);
}

void plugin_set_put_code(const struct plugin_set *set, struct doc_writer *w)
{
    if (plugin_set_count(set) == 0)
        return;
    doc_open(w, "plugins");
    for (size_t i = 0; i < set->count; i++)
        doc_put_binary(w, set->plugins[i]->name, set->plugins[i]->hash,
                       sizeof set->plugins[i]->hash);
    doc_close(w);
}

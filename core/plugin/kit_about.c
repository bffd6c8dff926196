/* kit_about.c -- what a plugin says of itself, for the verdict; see kit.h.
 *
 * Each list of the description is a number, which is what a person looks at first, and a list of
 * texts, which is what two versions are compared by: whatever of an item others may rely on stands
 * in its text, and nothing else.
 */
#include "core/plugin/kit_inside.h"

#include <stdio.h>

/* Append the text of item `index` of a list. */
typedef void put_fn(const struct plugin *plugin, size_t index, struct buf *out);

static void put_handler(const struct plugin *plugin, size_t index, struct buf *out)
{
    const struct kith_handler *handler = &plugin->handlers[index];
    buf_printf(out, "%s (", handler->name);
    for (const char *const *type = handler->types; *type != NULL; type++)
        buf_printf(out, "%s%s", type != handler->types ? ", " : "", *type);
    buf_byte(out, ')');
}

static void put_function(const struct plugin *plugin, size_t index, struct buf *out)
{
    buf_text(out, plugin->functions[index].name);
}

static void put_kind(const struct plugin *plugin, size_t index, struct buf *out)
{
    buf_text(out, plugin->kinds[index].name);
}

static void put_state(const struct plugin *plugin, size_t index, struct buf *out)
{
    const struct kith_state *state = &plugin->states[index];
    buf_printf(out, "%s, version %lld", state->key, (long long)state->version);
}

static void put_trait(const struct plugin *plugin, size_t index, struct buf *out)
{
    buf_printf(out, "%s, %s", plugin->traits[index].name, plugin->traits[index].type);
}

static void put_channel(const struct plugin *plugin, size_t index, struct buf *out)
{
    buf_text(out, plugin->channels[index].name);
}

static void put_route(const struct plugin *plugin, size_t index, struct buf *out)
{
    buf_printf(out, "%s %s", plugin->routes[index].method, plugin->routes[index].path);
}

static void put_job(const struct plugin *plugin, size_t index, struct buf *out)
{
    buf_printf(out, "%s, every %lld s", plugin->jobs[index].name,
               (long long)plugin->jobs[index].every_ms / 1000);
}

static void put_setting(const struct plugin *plugin, size_t index, struct buf *out)
{
    const struct kith_field *field = &plugin->fields[index];
    buf_printf(out, "%s, %s%s", field->name, field->type,
               (field->flags & KITH_REQUIRED) != 0 ? ", required" : "");
}

static void put_need(const struct plugin *plugin, size_t index, struct buf *out)
{
    buf_text(out, plugin->needs[index]);
}

/* Hooks and reads are no list of the description; they are declared all the same. */
static void put_hooks(struct doc_writer *w, const struct plugin *plugin)
{
    char text[100];
    doc_open_array(w, "hooks");
    for (size_t i = 0; i < plugin->state_count; i++) {
        const struct kith_state *state = &plugin->states[i];
        const struct {
            const char *name;
            kith_fn *run;
        } hooks[] = { { "merge", state->merge },
                      { "unmerge", state->unmerge },
                      { "migrate", state->migrate },
                      { "give", state->give } };
        for (size_t j = 0; j < sizeof hooks / sizeof *hooks; j++) {
            snprintf(text, sizeof text, "%s of %s", hooks[j].name, state->key);
            if (hooks[j].run != NULL)
                doc_put_string(w, NULL, text);
        }
    }
    doc_close(w);
}

/* Of handlers, what the event and the plugin's own documents do not say. */
static void put_reads(struct doc_writer *w, const struct plugin *plugin)
{
    static const char *const before[] = { [PLUGIN_READ_CUSTOMER] = "customer.",
                                          [PLUGIN_READ_RECORD] = "record.",
                                          [PLUGIN_READ_RECORDS] = "records." };
    char text[100];
    doc_open_array(w, "reads");
    for (size_t i = 0; i < plugin->handler_count; i++)
        for (size_t j = 0; j < plugin->handler_reads[i].count; j++) {
            const struct plugin_read *read = &plugin->handler_reads[i].items[j];
            if (read->kind >= sizeof before / sizeof *before || before[read->kind] == NULL)
                continue;
            snprintf(text, sizeof text, "%s%.*s", before[read->kind],
                     (int)(read->name.size < 60 ? read->name.size : 60), read->name.data);
            doc_put_string(w, NULL, text);
        }
    doc_close(w);
}

struct list {
    const char *name;
    put_fn *put;
    size_t count;
};

void kit_say_about(struct probe *probe)
{
    const struct plugin *plugin = &probe->plugin;
    const struct list lists[] = {
        { "handlers", put_handler, plugin->handler_count },
        { "functions", put_function, plugin->function_count },
        { "kinds", put_kind, plugin->kind_count },
        { "states", put_state, plugin->state_count },
        { "traits", put_trait, plugin->trait_count },
        { "channels", put_channel, plugin->channel_count },
        { "routes", put_route, plugin->route_count },
        { "jobs", put_job, plugin->job_count },
        { "settings", put_setting, plugin->field_count },
        { "needs", put_need, plugin->need_count },
    };
    size_t list_count = sizeof lists / sizeof *lists;
    struct doc_writer w;
    struct buf text = BUF_INIT;
    doc_open(kit_message(probe, &w), "about");
    doc_put_string(&w, "name", plugin->name);
    doc_put_string(&w, "version", plugin->version != NULL ? plugin->version : "");
    doc_put_string(&w, "about", plugin->about != NULL ? plugin->about : "");
    for (size_t i = 0; i + 1 < list_count; i++) /* the needs are in full below, as ever */
        doc_put_int(&w, lists[i].name, (int64_t)lists[i].count);
    doc_put_bool(&w, "outside", plugin->start != NULL);
    doc_open_array(&w, "needs");
    for (size_t i = 0; i < plugin->need_count; i++)
        doc_put_string(&w, NULL, plugin->needs[i]);
    doc_close(&w);
    doc_open(&w, "declares");
    for (size_t i = 0; i < list_count; i++) {
        doc_open_array(&w, lists[i].name);
        for (size_t j = 0; j < lists[i].count; j++) {
            buf_clear(&text);
            lists[i].put(plugin, j, &text);
            doc_put_string(&w, NULL, buf_string(&text));
        }
        doc_close(&w);
    }
    put_hooks(&w, plugin);
    put_reads(&w, plugin);
    doc_close(&w);
    doc_close(&w);
    kit_say(probe, &w);
    buf_deinit(&text);
}

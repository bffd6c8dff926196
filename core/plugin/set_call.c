/* set_call.c -- calls of the engine on the plugins of a set, the step as their source of values. */
#include "core/plugin/breadcrumb.h"
#include "core/plugin/lane.h"
#include "core/plugin/records.h"
#include "core/plugin/set_inside.h"
#include "core/plugin/writes.h"

#include <time.h>

/* -- The step as a source ---------------------------------------------------------------------- */

struct doc_value step_source_read(void *arg, const struct plugin_read *read)
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
    case PLUGIN_READ_RECORD:
        return plugin_read_record(source->step, read->name);
    case PLUGIN_READ_RECORDS:
        return plugin_read_records(source->step, read);
    case PLUGIN_READ_STATE:
        break;
    }
    return (struct doc_value){ .type = DOC_NONE };
}

struct doc step_source_state(void *arg, size_t index, int64_t *out_version)
{
    const struct step_source *source = arg;
    struct doc doc;
    step_document(source->step, text_of(source->plugin->name),
                  text_of(source->plugin->states[index].key), &doc, out_version);
    return doc;
}

/* -- Calls in this process --------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Numbers for metrics: nothing that is computed depends on them. */
static void count(struct plugin *plugin, int64_t nanoseconds, enum plugin_outcome outcome)
{
    atomic_fetch_add_explicit(&plugin->nanoseconds, (uint64_t)nanoseconds, memory_order_relaxed);
    atomic_fetch_add_explicit(&plugin->calls, 1, memory_order_relaxed);
    if (outcome != PLUGIN_OK)
        atomic_fetch_add_explicit(&plugin->failures, 1, memory_order_relaxed);
}

void set_count_hooks(struct plugin *plugin, int64_t failed)
{
    if (failed > 0 && failed <= PLUGIN_STATES_MAX)
        atomic_fetch_add_explicit(&plugin->hook_failures, (uint64_t)failed, memory_order_relaxed);
}

/* Whoever looks after us knows where we were if this ends us. */
static enum plugin_outcome call_marked(struct kith_call *call, kith_fn *fn, const char *name,
                                       uint64_t seq, enum breadcrumb_call mark, struct err *err)
{
    unsigned slot = breadcrumb_slot();
    breadcrumb_enter(slot, call->plugin->number, seq, mark);
    breadcrumb_say(slot, name);
    int rc = plugin_call(call, fn, err);
    breadcrumb_leave(slot);
    return rc == 0 ? PLUGIN_OK : PLUGIN_FAILED;
}

static enum plugin_outcome call_here(struct plugin_set *set, struct plugin *plugin,
                                     const struct plugin_reads *reads, kith_fn *fn,
                                     const char *name, enum breadcrumb_call mark, struct step *step,
                                     struct doc arguments, struct err *err)
{
    struct step_source step_source = { step, plugin };
    struct plugin_source source = { &step_source, step_source_read, step_source_state };
    struct kith_call call;
    call.plugin = plugin;
    call.reads = reads;
    call.source = &source;
    call.arguments = arguments;
    call.now = step_now(step);
    call.writes = &set->writes;
    call.answer = &set->answer;
    enum plugin_outcome outcome = call_marked(&call, fn, name, step_event(step)->seq, mark, err);
    set_count_hooks(plugin, call.hooks_failed);
    return outcome;
}

/* -- What the engine calls --------------------------------------------------------------------- */

static enum plugin_outcome call_on_step(struct plugin_set *set, size_t place, int kind,
                                        size_t index, struct step *step, struct doc arguments,
                                        struct err *err)
{
    struct plugin *plugin = set->plugins[place];
    bool is_handler = kind == ITEM_HANDLER;
    const struct plugin_reads *reads =
        is_handler ? &plugin->handler_reads[index] : &plugin->function_reads[index];
    kith_fn *fn = is_handler ? plugin->handlers[index].run : plugin->functions[index].run;
    const char *name = is_handler ? plugin->handlers[index].name : plugin->functions[index].name;
    int64_t before = now_ns();
    enum plugin_outcome outcome =
        set->remotes[place] != NULL
            ? far_call(set, place, kind, index, step, arguments, err)
            : call_here(set, plugin, reads, fn, name,
                        is_handler ? BREADCRUMB_EVENT : BREADCRUMB_FUNCTION, step, arguments, err);
    int64_t took = now_ns() - before; /* what follows is not the plugin's time, but its failure */
    if (outcome == PLUGIN_OK && plugin_do(plugin, &set->writes, step, err) != 0)
        outcome = PLUGIN_FAILED;
    count(plugin, took, outcome);
    return outcome;
}

enum plugin_outcome set_run(struct plugins *plugins, size_t index, struct step *step,
                            struct err *err)
{
    struct plugin_set *set = (struct plugin_set *)plugins;
    struct place place = set->handler_places[index];
    return call_on_step(set, place.plugin, ITEM_HANDLER, place.index, step, (struct doc){ NULL, 0 },
                        err);
}

enum plugin_outcome set_call(struct plugins *plugins, size_t function, struct step *step,
                             struct doc arguments, struct doc_value *out_answer, struct err *err)
{
    struct plugin_set *set = (struct plugin_set *)plugins;
    struct place place = set->function_places[function];
    enum plugin_outcome outcome =
        call_on_step(set, place.plugin, ITEM_FUNCTION, place.index, step, arguments, err);
    *out_answer = (struct doc_value){ .type = DOC_NONE };
    if (outcome == PLUGIN_OK && set->answer.size != 0) {
        struct doc answer = { set->answer.data, (uint32_t)set->answer.size };
        *out_answer = doc_get(arena_doc(step_arena(step), answer), "answer");
    }
    return outcome;
}

bool set_pass_over(struct plugins *plugins, size_t index, enum plugin_fold what, struct text key)
{
    struct plugin *plugin = ((struct plugin_set *)plugins)->plugins[index];
    size_t state = plugin_state_find(plugin, key);
    if (state == SIZE_MAX || plugin_state_hook(&plugin->states[state], what) == NULL)
        return false;
    atomic_fetch_add_explicit(&plugin->hook_failures, 1, memory_order_relaxed);
    return true;
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

static enum plugin_outcome fold_here(struct plugin_set *set, struct plugin *plugin, kith_fn *fn,
                                     const char *key, struct doc arguments, struct err *err)
{
    static const struct plugin_reads nothing = { NULL, 0 };
    static const struct plugin_source source = { NULL, read_nothing, no_state };
    struct kith_call call;
    call.plugin = plugin;
    call.reads = &nothing;
    call.source = &source;
    call.arguments = arguments;
    call.now = 0;
    call.writes = &set->writes;
    call.answer = &set->answer;
    return call_marked(&call, fn, key, 0, BREADCRUMB_STATE, err);
}

int64_t set_version(struct plugins *plugins, size_t index, struct text key)
{
    const struct plugin *plugin = ((struct plugin_set *)plugins)->plugins[index];
    size_t state = plugin_state_find(plugin, key);
    return state != SIZE_MAX ? (int64_t)plugin->states[state].version : 0;
}

/* A hook sees its arguments and nothing else, and what it wants besides answering is dropped. */
enum plugin_outcome set_fold(struct plugins *plugins, size_t index, enum plugin_fold what,
                             struct text key, struct doc arguments, struct arena *arena,
                             struct doc *out, struct err *err)
{
    struct plugin_set *set = (struct plugin_set *)plugins;
    struct plugin *plugin = set->plugins[index];
    size_t state = plugin_state_find(plugin, key);
    kith_fn *fn = state != SIZE_MAX ? plugin_state_hook(&plugin->states[state], what) : NULL;
    *out = (struct doc){ NULL, 0 };
    if (fn == NULL)
        return PLUGIN_OK;
    int64_t before = now_ns();
    enum plugin_outcome outcome =
        set->remotes[index] != NULL
            ? far_fold(set, index, state, what, arguments, err)
            : fold_here(set, plugin, fn, plugin->states[state].key, arguments, err);
    count(plugin, now_ns() - before, outcome);
    if (outcome != PLUGIN_OK)
        atomic_fetch_add_explicit(&plugin->hook_failures, 1, memory_order_relaxed);
    if (outcome != PLUGIN_OK || set->answer.size == 0)
        return outcome;
    struct doc answer = { set->answer.data, (uint32_t)set->answer.size };
    if (doc_child(answer, "answer").data != NULL)
        *out = arena_doc(arena, doc_child(answer, "answer"));
    return PLUGIN_OK;
}

/* plugin_back.c -- how a plugin that took no part comes back, and what is shown of who does not.
 *
 * plugin_run.c has the table of what happens when.  While it was away its events were parked; it
 * hears of them in their order, a slice with every tick, each as a step of the customer's own, and
 * of nothing new before the last of them.
 */
#include "core/base/mem.h"
#include "core/engine/engine_inside.h"
#include "core/engine/plugin_standing.h"

#include <string.h>

/* -- Back again ----------------------------------------------------------- */

/* The first event that is parked for the plugin, of the entry `about` unless that is 0; false:
 * there is none. */
static bool first_parked(struct engine *engine, struct text plugin, uint64_t about,
                         struct key *out_place, uint64_t *out_seq, uint64_t *out_n,
                         uint64_t *out_customer)
{
    struct key queue, prefix;
    struct cursor cursor;
    plugin_key_queue(&queue, plugin);
    prefix = queue;
    if (about != 0)
        key_number(&prefix, about);
    cursor_open(&cursor, engine->state, &prefix);
    bool is_there = cursor_next(&cursor);
    if (is_there) {
        struct key_reader id = { cursor.key.data + queue.size, cursor.key.data + cursor.key.size };
        struct key_reader row = { cursor.value.data,
                                  (const uint8_t *)cursor.value.data + cursor.value.size };
        bool is_read = key_read_number(&id, out_seq) && key_read_number(&id, out_n) &&
                       key_read_number(&row, out_customer);
        ASSERT(is_read);
        out_place->size = (uint16_t)cursor.key.size;
        out_place->is_full = false;
        memcpy(out_place->data, cursor.key.data, cursor.key.size);
    }
    cursor_close(&cursor);
    return is_there;
}

/* Take the first one out of the queue.  NULL: she was erased. */
static struct event *unpark(struct engine *engine, struct text plugin)
{
    struct standing standing = plugin_standing(engine, plugin);
    struct key place, key;
    struct bytes row;
    uint64_t seq, n, customer;
    struct event *event = NULL;
    bool is_there = first_parked(engine, plugin, 0, &place, &seq, &n, &customer);
    ASSERT(is_there);
    state_delete(engine->state, &place);
    plugin_key_parked(&key, customer, plugin, seq, n);
    if (state_get(engine->state, &key, &row)) {
        event = plugin_read_parked(engine, seq, n, (struct doc){ row.data, (uint32_t)row.size });
        event->customer = customer;
        state_delete(engine->state, &key);
    }
    standing.parked--;
    plugin_set_standing(engine, plugin, &standing);
    return event;
}

/* It hears of the event now, as a step of the customer's own. */
static void hear_again(struct engine *engine, size_t plugin, const struct event *parked)
{
    char id[EVENT_ID_TEXT_MAX];
    struct doc_writer w;
    engine_begin_cause(engine);
    engine_draft(engine, &w);
    doc_put_text(&w, "plugin", engine->plugins->names[plugin]);
    doc_put_text(&w, "event", event_id_text(parked->seq, parked->n, id));
    doc_put_text(&w, "type", parked->type);
    struct event event = {
        .class = LOG_SYSTEM,
        .type = text_of("plugin.caught_up"),
        .by = engine->plugins->names[plugin],
        .customer = parked->customer,
        .data = engine_doc(engine, &w),
        .context = parked->context,
        .depth = parked->depth,
        .parked = parked,
        .parked_for = plugin,
    };
    engine_derive(engine, &event);
    engine_drain(engine);
}

void plugins_sweep(struct engine *engine)
{
    int64_t left = engine->config.limits.parked_per_tick;
    for (size_t i = 0; engine->plugins != NULL && i < engine->plugins->count; i++)
        while (left > 0 && engine->standings[i].presence == PLUGIN_BEHIND) {
            struct event *event = unpark(engine, engine->plugins->names[i]);
            left--;
            if (event == NULL || erase_is_open(engine, event->customer))
                continue;
            /* While it hears of the last one nothing else can come in between. */
            engine->standings[i].presence = PLUGIN_BEHIND;
            hear_again(engine, i, event);
            if (engine->standings[i].presence == PLUGIN_BEHIND)
                plugins_note_away(engine);
        }
}

/* -- Entries -------------------------------------------------------------- */

/* The row of an event that was applied before, with one line more at the end of its trace. */
static void add_line(struct engine *engine, const struct event *event, struct text line)
{
    struct doc_writer w;
    struct key key;
    struct bytes bytes;
    key_customer(&key, event->customer, 't');
    key_number_down(&key, event->seq);
    key_number_down(&key, event->n);
    if (!state_get(engine->state, &key, &bytes))
        return;
    struct doc row = { bytes.data, (uint32_t)bytes.size };
    engine_draft(engine, &w);
    for (struct doc_iter it = doc_iter(row); doc_next(&it);)
        if (!text_is(it.name, "log"))
            doc_put_value_text(&w, it.name, &it.value);
    doc_open_array(&w, "log");
    for (struct doc_iter it = doc_iter(doc_child(row, "log")); doc_next(&it);)
        doc_put_value(&w, "", &it.value);
    doc_put_text(&w, "", line);
    doc_close(&w);
    struct doc longer = engine_doc(engine, &w);
    if (longer.size <= STATE_VALUE_MAX)
        state_put(engine->state, &key, longer.data, longer.size);
}

/* It will never hear of this event: the event says so, and so does the timeline at this entry. */
static void pass_over(struct step *step, struct text plugin, const struct event *event)
{
    struct engine *engine = step->engine;
    char id[EVENT_ID_TEXT_MAX];
    struct doc_writer w;
    add_line(engine, event,
             arena_printf(&engine->arena, "plugin %.*s: passed over, at entry %llu",
                          (int)plugin.size, plugin.data, (unsigned long long)engine->seq));
    engine_draft(engine, &w);
    doc_put_text(&w, "plugin", plugin);
    doc_put_text(&w, "event", event_id_text(event->seq, event->n, id));
    doc_put_text(&w, "type", event->type);
    step_derive(step, "plugin.passed_over", event->customer, engine_doc(engine, &w));
}

/* What it was lost at: all of that entry, or the first that is parked.  How many. */
static int64_t drop_parked(struct step *step, struct text plugin, uint64_t about)
{
    struct engine *engine = step->engine;
    struct key place, key;
    struct bytes row;
    uint64_t seq, n, customer;
    int64_t count = 0;
    while ((about != 0 || count == 0) &&
           first_parked(engine, plugin, about, &place, &seq, &n, &customer)) {
        struct event event = { .seq = seq, .n = n, .customer = customer };
        plugin_key_parked(&key, customer, plugin, seq, n);
        bool is_there = state_get(engine->state, &key, &row);
        if (is_there)
            event.type = arena_text(&engine->arena,
                                    doc_text((struct doc){ row.data, (uint32_t)row.size }, "type"));
        state_delete(engine->state, &place);
        state_delete(engine->state, &key);
        if (is_there && !erase_is_open(engine, customer))
            pass_over(step, plugin, &event);
        count++;
    }
    return count;
}

/* By itself (`again`: its process has been begun anew) nobody is let in whom a person took out. */
void plugin_enabled(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct text name = doc_text(data, "plugin");
    struct standing standing = plugin_standing(engine, name);
    size_t place = plugin_place(engine, name);
    bool is_kept_out = doc_bool(data, "again", false) && text_is(standing.kind, "staff");
    if (standing.kind.size == 0) {
        engine_refuse(engine, E_CONFLICT, "plugin %.*s is not quarantined", (int)name.size,
                      name.data);
        return;
    }
    if (is_kept_out) {
        engine_refuse(engine, E_CONFLICT, "plugin %.*s is disabled by a person", (int)name.size,
                      name.data);
        return;
    }
    if (doc_bool(data, "skip", false))
        standing.parked -= drop_parked(step, name, (uint64_t)standing.about);
    standing.kind = (struct text){ "", 0 };
    standing.about = 0;
    plugin_set_standing(engine, name, &standing);
    if (!engine_is_live(engine) && place != SIZE_MAX)
        plugin_renew(engine, place); /* as it had another one then */
}

/* The first reason is kept, but that of a person comes before any other. */
void plugin_disabled(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name = doc_text(step->event->data, "plugin");
    bool is_crash = text_is(doc_text(step->event->data, "kind"), "crash");
    struct standing standing = plugin_standing(engine, name);
    if (standing.kind.size == 0 || (!is_crash && !text_is(standing.kind, "staff")))
        plugin_quarantine(engine, name, is_crash ? "crash" : "staff",
                          doc_text(step->event->data, "reason"), 0);
}

/* -- Showing -------------------------------------------------------------- */

size_t plugins_quarantined(struct engine *engine)
{
    size_t count = 0;
    for (struct doc_iter it = doc_iter(meta_get(engine, "plugins")); doc_next(&it);)
        count += doc_text(it.value.doc, "kind").size != 0;
    return count;
}

/* Of one that was lost it may not be known how, and the operator looks for it there. */
static void put_reason(struct engine *engine, const struct standing *standing, struct doc_writer *w)
{
    bool is_hang = text_is(standing->kind, "hang");
    struct text how = standing->reason;
    if (!is_hang && !text_is(standing->kind, "crash")) {
        doc_put_present(w, "reason", how);
        return;
    }
    if (how.size == 0)
        how = text_of(is_hang ? "it did not answer in time" : "it crashed");
    doc_put_text(w, "reason",
                 arena_printf(&engine->arena, "%.*s, and takes no part from entry %lld on",
                              (int)how.size, how.data, (long long)standing->seq));
}

void plugins_show(struct engine *engine, struct doc_writer *w)
{
    doc_open_array(w, "plugins");
    for (struct doc_iter it = doc_iter(meta_get(engine, "plugins")); doc_next(&it);) {
        struct standing standing = plugin_standing(engine, it.name);
        doc_open(w, "");
        doc_put_text(w, "name", it.name);
        if (standing.kind.size != 0) {
            doc_open(w, "quarantined");
            doc_put_text(w, "kind", standing.kind);
            doc_put_int(w, "seq", standing.seq);
            put_reason(engine, &standing, w);
            doc_put_datetime(w, "since", standing.since);
            doc_close(w);
        }
        doc_put_int(w, "parked", standing.parked);
        doc_put_int(w, "missed", standing.missed);
        doc_close(w);
    }
    doc_close(w);
}

/* engine.c -- folding entries one after another; see engine.h for the contract.
 *
 * An entry is applied in one call: handlers by class and type, then the events they
 * derived, first in first out, then the reports.  What an event allocates on the way
 * lives in the arena, which is emptied behind it; what must wait for its turn lives in
 * `lasting`, which the next entry empties.
 */
#include "core/engine/engine.h"

#include "core/base/utf8.h"
#include "core/base/workday.h"
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void engine_refuse(struct engine *engine, int code, const char *format, ...)
{
    struct engine_result *result = engine->result;
    va_list args;
    va_start(args, format);
    vsnprintf(result->reason, sizeof result->reason, format, args);
    va_end(args);
    /* Cut to fit, it may end inside a character. */
    result->reason[utf8_valid_prefix(result->reason, strlen(result->reason))] = '\0';
    result->status = ENGINE_REFUSED;
    result->code = code;
}

void engine_draft(struct engine *engine, struct doc_writer *w)
{
    buf_clear(&engine->draft);
    doc_begin(w, &engine->draft);
}

struct doc engine_doc(struct engine *engine, struct doc_writer *w)
{
    return arena_doc(&engine->arena, doc_end(w));
}

uint64_t engine_next_number(struct engine *engine, const struct key *prefix, uint64_t last)
{
    struct key first = *prefix;
    struct cursor cursor;
    uint64_t number = 0;
    key_number(&first, last + 1);
    cursor_open_at(&cursor, engine->state, prefix, &first);
    if (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix->size,
                                     cursor.key.data + cursor.key.size };
        number = key_take_number(&reader);
    }
    cursor_close(&cursor);
    return number;
}

struct doc meta_get(struct engine *engine, const char *name)
{
    struct key key;
    struct bytes row;
    key_meta(&key, name);
    if (!state_get(engine->state, &key, &row))
        return (struct doc){ NULL, 0 };
    return arena_doc(&engine->arena, (struct doc){ row.data, (uint32_t)row.size });
}

void meta_put(struct engine *engine, const char *name, struct doc doc)
{
    struct key key;
    key_meta(&key, name);
    if (doc.data != NULL)
        state_put(engine->state, &key, doc.data, doc.size);
    else
        state_delete(engine->state, &key);
}

/* -- Counters ------------------------------------------------------------- */

static void load_counters(struct engine *engine)
{
    struct doc doc = meta_get(engine, "counters");
    engine->counters.customer = (uint64_t)doc_int(doc, "customer", 0);
    engine->counters.task = (uint64_t)doc_int(doc, "task", 0);
    engine->counters_stored = engine->counters;
}

static void store_counters(struct engine *engine)
{
    if (engine->counters.customer == engine->counters_stored.customer &&
        engine->counters.task == engine->counters_stored.task)
        return;
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_int(&w, "customer", (int64_t)engine->counters.customer);
    doc_put_int(&w, "task", (int64_t)engine->counters.task);
    meta_put(engine, "counters", engine_doc(engine, &w));
    engine->counters_stored = engine->counters;
}

/* -- Opening -------------------------------------------------------------- */

int engine_open(const struct engine_options *options, struct engine **out_engine, struct err *err)
{
    struct engine *engine = mem_zero(sizeof *engine);
    engine->state = options->state;
    engine->hooks = options->hooks;
    engine->arg = options->arg;
    state_applied(engine->state, &engine->seq, &engine->now);
    load_counters(engine);
    engine->run = (uint64_t)doc_int(meta_get(engine, "run"), "seq", 0);
    engine->replay_until = doc_int(meta_get(engine, "replay"), "until", 0);
    engine->sweep_is_open = meta_get(engine, "sweep").data != NULL;
    engine->records_are_swept = meta_get(engine, "records").data != NULL;
    engine->resume_is_open = meta_get(engine, "resumed").data != NULL;
    erase_open(engine);

    struct doc world = meta_get(engine, "world");
    engine->world_seq = (uint64_t)doc_int(world, "seq", 0);
    int rc = config_read(&engine->config, doc_child(world, "config"), err);
    engine_set_plugins(engine, options->plugins);
    if (rc == 0)
        rc = engine_load_active(engine, err);
    if (rc != 0) {
        engine_close(engine);
        return rc;
    }
    *out_engine = engine;
    return 0;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    engine_use_rules(engine, NULL);
    engine_set_plugins(engine, NULL);
    workday_free(engine->usual_week);
    arena_deinit(&engine->arena);
    arena_deinit(&engine->lasting);
    arena_deinit(&engine->spare);
    buf_deinit(&engine->verdict_bytes);
    buf_deinit(&engine->scratch);
    buf_deinit(&engine->draft);
    buf_deinit(&engine->events);
    free(engine->queue.items);
    free(engine);
}

int engine_set_world(struct engine *engine, uint64_t seq, struct doc world, struct err *err)
{
    struct config config;
    int rc = config_read(&config, doc_child(world, "config"), err);
    if (rc != 0)
        return rc;
    engine->config = config;
    engine->world_seq = seq;
    workday_free(engine->usual_week); /* its zone may be another */
    engine->usual_week = NULL;
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_int(&w, "seq", (int64_t)seq);
    doc_put_doc(&w, "code", doc_child(world, "code"));
    doc_put_doc(&w, "config", doc_child(world, "config"));
    meta_put(engine, "world", engine_doc(engine, &w));
    return engine_load_active(engine, err);
}

/* -- Applying ------------------------------------------------------------- */

void engine_note_ready(struct engine *engine, struct text channel)
{
    for (size_t i = 0; i < engine->config.channel_count; i++)
        if (text_is(channel, engine->config.channels[i].name))
            engine->is_ready[i] = true;
}

void engine_keep_verdict(struct engine *engine, struct doc verdict)
{
    buf_clear(&engine->verdict_bytes);
    buf_append(&engine->verdict_bytes, verdict.data, verdict.size);
    verdict.data = engine->verdict_bytes.data;
    engine->verdict = doc_child(verdict, "rules");
    engine->plugin_verdict = doc_child(verdict, "plugins");
}

static struct doc whole_verdict(const struct engine *engine)
{
    return (struct doc){ engine->verdict_bytes.data, (uint32_t)engine->verdict_bytes.size };
}

/* An array of the verdict, with one more at its end if it is the one that `name` means. */
static void put_verdicts(struct doc_writer *w, const char *name, struct doc known,
                         const char *new_name, struct doc new_item)
{
    doc_open_array(w, name);
    for (struct doc_iter it = doc_iter(known); doc_next(&it);)
        doc_put_value(w, "", &it.value);
    if (strcmp(name, new_name) == 0)
        doc_put_doc(w, "", new_item);
    doc_close(w);
}

void engine_add_verdict(struct engine *engine, const char *name, struct doc item)
{
    struct doc_writer w;
    item = arena_doc(&engine->arena, item);
    engine_draft(engine, &w);
    put_verdicts(&w, "rules", engine->verdict, name, item);
    put_verdicts(&w, "plugins", engine->plugin_verdict, name, item);
    engine_keep_verdict(engine, doc_end(&w));
    engine->has_new_verdict = true;
}

/* What recorded verdicts say of rules and plugins at this entry: each names all that came before
 * it. */
static void look_up_verdict(struct engine *engine)
{
    struct buf bytes = BUF_INIT;
    engine->verdict = engine->plugin_verdict = (struct doc){ NULL, 0 };
    if (engine->hooks->verdict(engine->arg, engine->seq, &bytes) == 0) {
        struct doc last = { NULL, 0 };
        for (size_t at = 0; at < bytes.size; at += last.size) {
            last.data = bytes.data + at;
            memcpy(&last.size, last.data, sizeof last.size); /* how a document begins */
        }
        engine_keep_verdict(engine, last);
    }
    buf_deinit(&bytes);
}

static void report_outgoing(struct engine *engine, const struct key *prefix)
{
    struct cursor cursor;
    cursor_open(&cursor, engine->state, prefix);
    while (cursor_next(&cursor)) {
        char id[EVENT_ID_TEXT_MAX];
        struct doc envelope = { cursor.value.data, (uint32_t)cursor.value.size };
        engine->hooks->outgoing(engine->arg, event_id_of_key(cursor.key, 1, id), envelope);
    }
    cursor_close(&cursor);
}

/* What was through before this run began is told when it begins. */
static void report_erased(struct engine *engine)
{
    bool is_told = engine_is_live(engine) || engine->seq == engine->live_from;
    if (!engine->has_erased || !is_told)
        return;
    engine->has_erased = false;
    if (engine->hooks->erased != NULL)
        engine->hooks->erased(engine->arg);
}

static void report(struct engine *engine)
{
    if (engine->has_new_verdict)
        engine->hooks->verdict_made(engine->arg, engine->seq, whole_verdict(engine));
    engine->has_new_verdict = false;
    plugins_report_lost(engine);
    struct key prefix;
    key_start(&prefix, 'g');
    if (engine->seq == engine->live_from) { /* what earlier runs did not come to append */
        report_outgoing(engine, &prefix);
    } else if (engine_is_live(engine) && engine->has_outgoing) {
        key_number(&prefix, engine->seq);
        report_outgoing(engine, &prefix);
    }
    for (size_t i = 0; i < engine->config.channel_count; i++)
        if (engine->is_ready[i] && engine_is_live(engine))
            engine->hooks->ready(engine->arg, text_of(engine->config.channels[i].name));
    memset(engine->is_ready, 0, sizeof engine->is_ready);
    report_erased(engine);
    engine->has_outgoing = false;
}

static void dispatch(struct engine *engine, struct event *event)
{
    switch (event->class) {
    case LOG_SYSTEM:
        system_apply(engine, event);
        return;
    case LOG_STAFF:
        if (command_apply(engine, event))
            return;
        break;
    case LOG_PLUGIN: /* speaks of records as staff does, and of what became of messages */
        if ((event_type_is_of_records(event->type) && command_apply(engine, event)) ||
            feedback_apply(engine, event))
            return;
        break;
    case LOG_CLIENT:
        break;
    }
    calls_apply(engine, event);
}

void engine_apply(struct engine *engine, const struct log_entry *entry,
                  struct engine_result *out_result)
{
    ASSERT(entry->seq == engine->seq + 1);
    struct event event;
    struct err err;
    arena_clear(&engine->arena);
    arena_clear(&engine->lasting);
    *out_result = (struct engine_result){ .status = ENGINE_DONE };
    engine->result = out_result;
    engine->seq = entry->seq;
    engine->now = entry->logged;
    engine->derived_n = 0;
    engine->moves_left = engine->config.limits.moves_per_tick;
    plugins_begin_entry(engine);
    if (entry->is_tombstone)
        return;
    engine_begin_cause(engine);
    look_up_verdict(engine);
    if (engine->plugin_verdict.data != NULL)
        plugins_obey_verdict(engine);
    if (engine->seq == engine->live_from && engine->rules != NULL)
        engine->rules->repeat(engine->rules, false);
    if (event_read(&event, entry, &err) != 0) {
        engine_refuse(engine, err.code, "%s", err.text);
    } else {
        dispatch(engine, &event);
        arena_clear(&engine->arena);
        engine_drain(engine);
    }
    if (engine->rules_coming != NULL) {
        engine_use_rules(engine, engine->rules_coming);
        engine->rules_coming = NULL;
        schedule_start_sweep(engine);
        record_start_sweep(engine);
    }
    plugins_note_lost(engine);
    store_counters(engine);
    events_store(engine);
    if (engine->is_stuck)
        plugins_note_stuck(engine);
    else
        report(engine);
}

/* -- Questions ------------------------------------------------------------ */

uint64_t engine_seq(const struct engine *engine)
{
    return engine->seq;
}

uint64_t engine_failures(const struct engine *engine)
{
    return engine->failures;
}

int64_t engine_now(const struct engine *engine)
{
    return engine->now;
}

uint64_t engine_world(const struct engine *engine)
{
    return engine->world_seq;
}

int64_t engine_next_due(struct engine *engine)
{
    bool is_busy = engine->sweep_is_open || engine->records_are_swept || engine->resume_is_open ||
                   engine->erase_is_wanted || engine->parked_is_open;
    return is_busy ? engine->now : timer_first_due(engine);
}

void engine_set_live(struct engine *engine, uint64_t seq)
{
    engine->live_from = seq;
}

size_t engine_ready(struct engine *engine, struct text channel, struct ready_effect *out_effects,
                    size_t count_max)
{
    struct key prefix;
    size_t count = 0;
    struct cursor cursor;
    if (engine_is_paused(engine, channel))
        return 0;
    key_start(&prefix, 'x');
    key_text(&prefix, channel);
    cursor_open(&cursor, engine->state, &prefix);
    while (count < count_max && cursor_next(&cursor)) {
        struct ready_effect *out = &out_effects[count++];
        struct effect effect;
        struct text id = event_id_of_key(cursor.key, prefix.size, out->id);
        bool is_there = effect_load(&effect, engine, id);
        ASSERT(is_there);
        out->attempt = effect.attempt + 1;
        out->print = effect_print(&effect);
    }
    cursor_close(&cursor);
    return count;
}

bool engine_effect_print(struct engine *engine, struct text id, int64_t *out_print)
{
    struct effect effect;
    bool is_there = effect_load(&effect, engine, id);
    if (is_there)
        *out_print = effect_print(&effect);
    return is_there;
}

const struct ruleset *engine_rules(const struct engine *engine)
{
    return engine->rules;
}

const struct config *engine_config(const struct engine *engine)
{
    return &engine->config;
}

struct state *engine_state(struct engine *engine)
{
    return engine->state;
}

/* system.c -- entries that Kith itself writes: time, worlds, bundles, runs, effects. */
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"
#include "core/engine/subject.h"

#include <string.h>

/* -- Bundles -------------------------------------------------------------- */

bool kinds_lack_calendar(const struct plugins *plugins, const struct ruleset *rules,
                         const struct kind **out_kind, const struct kind_deadline **out_deadline)
{
    for (size_t i = 0; plugins != NULL && i < plugins->kind_count; i++)
        for (size_t d = 0; d < plugins->kinds[i].deadline_count; d++) {
            const struct kind_deadline *deadline = &plugins->kinds[i].deadlines[d];
            if (deadline->calendar.size == 0 ||
                (rules != NULL && rules->calendar(rules, deadline->calendar) != NULL))
                continue;
            *out_kind = &plugins->kinds[i];
            *out_deadline = deadline;
            return true;
        }
    return false;
}

/* The configuration of plugins and the bundle must agree: what is counted by no calendar would be
 * counted by another one in silence. */
static int check_calendars(const struct engine *engine, const struct ruleset *rules,
                           struct err *err)
{
    const struct kind *kind;
    const struct kind_deadline *deadline;
    if (!kinds_lack_calendar(engine->plugins, rules, &kind, &deadline))
        return 0;
    return err_set(err, E_INVALID,
                   "the kind \"%s\" of a plugin counts \"%s\" by the calendar \"%s\", and the "
                   "bundle declares none that is called so",
                   kind->name.data, deadline->name.data, deadline->calendar.data);
}

static int load_bundle(struct engine *engine, const uint8_t hash[LOG_HASH_BYTES],
                       struct ruleset **out_rules, struct err *err)
{
    struct buf bytes = BUF_INIT;
    int rc = engine->hooks->blob(engine->arg, hash, &bytes, err);
    if (rc == 0) {
        struct doc bundle = { bytes.data, (uint32_t)bytes.size };
        rc = engine->hooks->load_rules(engine->arg, bundle, &engine->config, out_rules, err);
    }
    buf_deinit(&bytes);
    return rc;
}

void engine_use_rules(struct engine *engine, struct ruleset *rules)
{
    if (engine->rules != NULL)
        engine->rules->free(engine->rules);
    rule_index_free(engine->index);
    engine->rules = rules;
    kinds_in_force(engine->plugins, rules, &engine->kinds,
                   NULL); /* asked before they were activated */
    engine->index = rules != NULL ? rule_index_new(rules->rules, rules->count) : NULL;
    rules_note_paused(engine);
    if (rules != NULL)
        rules->repeat(rules, !engine_is_live(engine));
}

void engine_note_kinds(struct engine *engine)
{
    kinds_in_force(engine->plugins, engine->rules, &engine->kinds, NULL);
}

int engine_load_active(struct engine *engine, struct err *err)
{
    struct doc_value hash = doc_get(meta_get(engine, "bundle"), "hash");
    struct ruleset *rules = NULL;
    struct err reason = { 0 };
    if (hash.type != DOC_BINARY || hash.binary.size != LOG_HASH_BYTES)
        return 0;
    struct kinds kinds;
    int rc = load_bundle(engine, hash.binary.data, &rules, &reason);
    if (rc == 0) {
        rc = kinds_in_force(engine->plugins, rules, &kinds, &reason);
        if (rc != 0)
            rules->free(rules);
    }
    if (rc != 0)
        return err_set(err, rc,
                       "the rules in force cannot be loaded by this version: %s; start the version "
                       "that ran before, deploy corrected rules there, then upgrade",
                       reason.text);
    engine_use_rules(engine, rules);
    return 0;
}

#define BUNDLES_KEPT 50

/* What was active last comes in front of those before it, as `name`. */
static void put_before(struct doc_writer *w, const char *name, struct doc_value last,
                       struct doc before)
{
    size_t count = 0;
    doc_open_array(w, name);
    if (last.type != DOC_NONE) {
        doc_put_value(w, "", &last);
        count++;
    }
    for (struct doc_iter it = doc_iter(before); count < BUNDLES_KEPT && doc_next(&it); count++)
        doc_put_value(w, "", &it.value);
    doc_close(w);
}

/* Going back leaves behind what was active since, so that going back again goes further: how many
 * of those that will stand before `hash` are left behind. */
static int64_t left_behind(struct doc bundle, struct doc_value hash)
{
    int64_t place = 0, back = doc_int(bundle, "back", 0);
    for (struct doc_iter it = doc_iter(doc_child(bundle, "before")); doc_next(&it); place++)
        if (place >= back && doc_value_equal(&it.value, &hash))
            return place + 2;
    return 0;
}

static void put_bundle(struct engine *engine, struct doc_value hash, bool is_back)
{
    struct doc bundle = meta_get(engine, "bundle");
    int64_t back = is_back ? left_behind(bundle, hash) : 0;
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_value(&w, "hash", &hash);
    doc_put_int(&w, "seq", (int64_t)engine->seq);
    put_before(&w, "before", doc_get(bundle, "hash"), doc_child(bundle, "before"));
    put_before(&w, "seqs", doc_get(bundle, "seq"), doc_child(bundle, "seqs"));
    if (back != 0)
        doc_put_int(&w, "back", back);
    meta_put(engine, "bundle", engine_doc(engine, &w));
}

static void bundle_activated(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc_value hash = doc_get(step->event->data, "hash");
    struct ruleset *rules = NULL;
    struct err err;
    if (hash.type != DOC_BINARY || hash.binary.size != LOG_HASH_BYTES) {
        engine_refuse(engine, E_INVALID, "bundle.activated names no bundle");
        return;
    }
    int rc = load_bundle(engine, hash.binary.data, &rules, &err);
    struct kinds kinds;
    if (rc == 0)
        rc = kinds_in_force(engine->plugins, rules, &kinds, &err);
    if (rc == 0)
        rc = check_calendars(engine, rules, &err);
    if (rc != 0 && rules != NULL)
        rules->free(rules);
    if (rc != 0) {
        engine_refuse(engine, rc, "the bundle cannot be activated: %s", err.text);
        return;
    }
    put_bundle(engine, hash, doc_bool(step->event->data, "back", false));
    engine->rules_coming = rules;
}

/* -- Time and runs -------------------------------------------------------- */

static void tick(struct engine *engine)
{
    timer_fire_due(engine);
    schedule_sweep(engine);
    record_sweep(engine);
    pause_sweep(engine);
    plugins_sweep(engine);
    erase_sweep(engine);
}

static void daemon_started(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_int(&w, "seq", (int64_t)engine->seq);
    doc_put_text(&w, "boot", doc_text(step->event->data, "boot"));
    meta_put(engine, "run", engine_doc(engine, &w));
    engine->run = engine->seq;
    effect_close_run(step);
}

/* The company's zone may be another. */
static void world_set(struct step *step)
{
    record_start_sweep(step->engine);
}

/* What follows until then is the past: it is told, and not acted upon. */
static void replay_started(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc_writer w;
    engine->replay_until = doc_int(step->event->data, "until", 0);
    engine_draft(engine, &w);
    doc_put_int(&w, "until", engine->replay_until);
    meta_put(engine, "replay", engine_doc(engine, &w));
}

/* -- The table ------------------------------------------------------------ */

static const struct {
    const char *type;
    void (*handle)(struct step *step); /* NULL: on the stream only */
    bool is_unheard;                   /* no rule runs for it */
} handlers[] = {
    { "bundle.activated", bundle_activated, false },
    { "channel.paused", channel_paused, false },
    { "daemon.started", daemon_started, false },
    { "effect.claim", effect_claim, true }, /* rules hear of effect.sent and the others */
    { "effect.outcome", effect_outcome, true },
    { "erase.done", erase_done, true },
    { "plugin.disabled", plugin_disabled, false },
    { "plugin.enabled", plugin_enabled, false },
    { "replay.started", replay_started, true },
    { "verdict", NULL, true }, /* one that died at an event would die at its verdict */
    { "world", world_set,
      false }, /* it has been set before the entry is applied: engine_set_world */
};

/* What a rule sent: all but the number that it got. */
static bool is_sent(struct doc envelope, const struct event *event)
{
    struct doc data = doc_child(envelope, "data");
    return text_equal(doc_text(envelope, "type"), event->type) &&
           text_equal(doc_text(envelope, "ref"), event->ref) &&
           text_equal(doc_text(envelope, "by"), event->by) && data.size == event->data.size &&
           memcmp(data.data, event->data.data, data.size) == 0;
}

/* The same in the cluster of the customer whose event it came of. */
static void forget_sent(struct engine *engine, uint64_t from, const struct key *outgoing)
{
    struct key_reader reader = { outgoing->data + 1, outgoing->data + outgoing->size };
    struct key key;
    uint64_t seq, n;
    bool is_id = key_read_number(&reader, &seq) && key_read_number(&reader, &n);
    ASSERT(is_id);
    if (from == 0)
        return;
    key_customer(&key, from, 'g');
    key_id(&key, seq, n);
    state_delete(engine->state, &key);
    erase_wake(engine, from);
}

/* An event that a rule sent to another customer has arrived, whatever its type is.  Another build
 * may have numbered what the entry makes differently: then it is known by what it says, and the
 * row that now has its number is somebody else's. */
static void forget_outgoing(struct engine *engine, const struct event *event)
{
    uint64_t seq, n;
    struct key prefix, found = { .size = 0 };
    struct cursor cursor;
    if (!event_id_parse(event->id, &seq, &n))
        return;
    key_start(&prefix, 'g');
    key_number(&prefix, seq);
    struct key own = prefix;
    key_number(&own, n);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct doc envelope = { cursor.value.data, (uint32_t)cursor.value.size };
        bool is_own =
            cursor.key.size == own.size && memcmp(cursor.key.data, own.data, own.size) == 0;
        if (!is_sent(envelope, event) || (found.size != 0 && !is_own))
            continue;
        found.size = (uint16_t)cursor.key.size;
        memcpy(found.data, cursor.key.data, found.size);
        if (is_own)
            break;
    }
    cursor_close(&cursor);
    if (found.size == 0)
        return;
    state_delete(engine->state, &found);
    forget_sent(engine, event->from, &found);
}

void system_apply(struct engine *engine, struct event *event)
{
    forget_outgoing(engine, event);
    if (text_is(event->type, "tick")) {
        tick(engine);
        return;
    }
    if (subject_is_address(event->ref)) {
        subject_apply(engine, event);
        return;
    }
    size_t count = sizeof handlers / sizeof *handlers, i = 0;
    while (i < count && !text_is(event->type, handlers[i].type))
        i++;
    if (i == count) {
        calls_apply(engine, event);
        return;
    }
    struct step step;
    struct effect effect;
    if (effect_find(&effect, engine, event->data)) {
        event->customer = effect.customer;
        event->depth = effect.depth;
        effect_begin_cause(engine, &effect);
    }
    step_begin(&step, engine, event);
    engine->result->customer = step.customer.number;
    if (handlers[i].handle != NULL)
        handlers[i].handle(&step);
    if (handlers[i].is_unheard)
        step_finish_unheard(&step);
    else
        step_finish(&step);
}

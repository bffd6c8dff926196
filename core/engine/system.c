/* system.c -- entries that Kith itself writes: time, worlds, bundles, runs, effects. */
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"

#include <string.h>

/* -- Bundles -------------------------------------------------------------- */

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
    engine->index = rules != NULL ? rule_index_new(rules) : NULL;
    if (rules != NULL)
        rules->repeat(rules, !engine_is_live(engine));
}

int engine_load_active(struct engine *engine, struct err *err)
{
    struct doc_value hash = doc_get(meta_get(engine, "bundle"), "hash");
    struct ruleset *rules = NULL;
    if (hash.type != DOC_BINARY || hash.binary.size != LOG_HASH_BYTES)
        return 0;
    int rc = load_bundle(engine, hash.binary.data, &rules, err);
    if (rc == 0)
        engine_use_rules(engine, rules);
    return rc;
}

#define BUNDLES_KEPT 50

static void put_bundle(struct engine *engine, struct doc_value hash)
{
    struct doc before = meta_get(engine, "bundle");
    struct doc_value last = doc_get(before, "hash");
    struct doc_writer w;
    size_t count = 0;
    engine_draft(engine, &w);
    doc_put_value(&w, "hash", &hash);
    doc_put_int(&w, "seq", (int64_t)engine->seq);
    doc_open_array(&w, "before");
    if (last.type == DOC_BINARY) {
        doc_put_value(&w, "", &last);
        count++;
    }
    for (struct doc_iter it = doc_iter(doc_child(before, "before"));
         count < BUNDLES_KEPT && doc_next(&it); count++)
        doc_put_value(&w, "", &it.value);
    doc_close(&w);
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
    if (rc != 0) {
        engine_refuse(engine, rc, "the bundle cannot be activated: %s", err.text);
        return;
    }
    put_bundle(engine, hash);
    engine->rules_coming = rules;
}

/* -- Time and runs -------------------------------------------------------- */

static void tick(struct engine *engine)
{
    timer_fire_due(engine);
    schedule_sweep(engine);
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

/* -- The table ------------------------------------------------------------ */

static const struct {
    const char *type;
    void (*handle)(struct step *step); /* NULL: on the stream only */
} handlers[] = {
    { "bundle.activated", bundle_activated },
    { "daemon.started", daemon_started },
    { "effect.claim", effect_claim },
    { "effect.outcome", effect_outcome },
    { "verdict", NULL },
    { "world", NULL }, /* it has been set before the entry is applied: engine_set_world */
};

/* An event that a rule sent to another customer. */
static void sent_event(struct engine *engine, struct event *event)
{
    uint64_t seq, n;
    struct key key;
    if (event_id_parse(event->id, &seq, &n)) {
        key_start(&key, 'g');
        key_id(&key, seq, n);
        state_delete(engine->state, &key);
    }
    calls_apply(engine, event);
}

void system_apply(struct engine *engine, struct event *event)
{
    if (text_is(event->type, "tick")) {
        tick(engine);
        return;
    }
    size_t count = sizeof handlers / sizeof *handlers, i = 0;
    while (i < count && !text_is(event->type, handlers[i].type))
        i++;
    if (i == count) {
        sent_event(engine, event);
        return;
    }
    struct step step;
    struct effect effect;
    if (effect_find(&effect, engine, event->data))
        event->customer = effect.customer;
    step_begin(&step, engine, event);
    engine->result->customer = step.customer.number;
    if (handlers[i].handle != NULL)
        handlers[i].handle(&step);
    step_finish(&step);
}

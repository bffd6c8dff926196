/* pause_rule.c -- rules that do not run for a while.
 *
 * A pause is an entry, is kept under the rule's name, and outlives the process and the bundle: who
 * deploys a corrected rule resumes it when she is ready.  What happens meanwhile passes the rule
 * by, and so does what of its schedule comes due; it is not made up for, since nobody who pauses a
 * rule of greetings wants a month's of them at once.  The timeline says that it passed by.
 *
 * What the rule had made before stands: reminders, timers, traits.  Of its messages none goes out:
 * at its claim the arbiter's yes becomes a wait.  It leaves its line, or what other rules have for
 * the same customer would wait behind it, and a row under the rule's name finds it again.  When the
 * rule is resumed, ticks put these messages back, so many at a time, and each is decided on anew;
 * those whose time is up have expired.
 *
 *     `m` paused_rules   {NAME: {seq, since, reason, by}, ...}
 *     `m` resumed        {NAME: true, ...}    whose messages are still to be put back
 */
#include "core/engine/engine_inside.h"

#include <stdlib.h>

void key_parked_prefix(struct key *prefix, struct text rule)
{
    key_start(prefix, 'y');
    key_text(prefix, text_of("paused"));
    key_text(prefix, rule);
}

void key_parked(struct key *key, struct text rule, uint64_t seq, uint64_t n)
{
    key_parked_prefix(key, rule);
    key_id(key, seq, n);
}

/* -- Which ---------------------------------------------------------------- */

void rules_note_paused(struct engine *engine)
{
    free(engine->paused_rules);
    engine->paused_rules = NULL;
    if (engine->rules == NULL) /* and nothing was ever made by one, or the engine is being closed */
        return;
    struct doc paused = meta_get(engine, "paused_rules");
    engine->has_paused_rules = paused.data != NULL;
    if (!engine->has_paused_rules || engine->rules->count == 0)
        return;
    engine->paused_rules = mem_zero(engine->rules->count * sizeof *engine->paused_rules);
    for (size_t i = 0; i < engine->rules->count; i++)
        engine->paused_rules[i] =
            doc_get_text(paused, engine->rules->rules[i].name).type == DOC_DOC;
}

bool rule_is_paused(struct engine *engine, struct text name)
{
    return engine->has_paused_rules && name.size != 0 &&
           doc_get_text(meta_get(engine, "paused_rules"), name).type == DOC_DOC;
}

static bool is_in_force(const struct engine *engine, struct text name)
{
    for (size_t i = 0; engine->rules != NULL && i < engine->rules->count; i++)
        if (text_equal(engine->rules->rules[i].name, name))
            return true;
    return false;
}

/* Without the rule, and with no row when none is left. */
static void put_without(struct engine *engine, const char *meta, struct doc doc, struct text name)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    pause_put_others(&w, doc, name);
    struct doc rest = engine_doc(engine, &w);
    meta_put(engine, meta, doc_count(rest) != 0 ? rest : (struct doc){ NULL, 0 });
}

/* -- Commands ------------------------------------------------------------- */

void command_rule_paused(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name = doc_text(step->event->data, "rule");
    struct doc paused = meta_get(engine, "paused_rules"), resumed = meta_get(engine, "resumed");
    struct doc_writer w;
    if (doc_get_text(paused, name).type == DOC_DOC)
        return; /* the first reason is kept */
    if (!is_in_force(engine, name)) {
        engine_refuse(engine, E_NOTFOUND, "no rule is called \"%.*s\"", (int)name.size, name.data);
        return;
    }
    if (doc_count(paused) >= PAUSED_RULES_MAX) {
        engine_refuse(engine, E_LIMIT, "%d rules are paused: resume one before another is",
                      PAUSED_RULES_MAX);
        return;
    }
    engine_draft(engine, &w);
    pause_put_others(&w, paused, name);
    pause_put(&w, step->event, name);
    meta_put(engine, "paused_rules", engine_doc(engine, &w));
    if (doc_get_text(resumed, name).type != DOC_NONE)
        put_without(engine, "resumed", resumed, name);
    engine->resume_is_open = meta_get(engine, "resumed").data != NULL;
    rules_note_paused(engine);
}

static bool has_parked(struct engine *engine, struct text name)
{
    struct key prefix;
    struct cursor cursor;
    key_parked_prefix(&prefix, name);
    cursor_open(&cursor, engine->state, &prefix);
    bool is_there = cursor_next(&cursor);
    cursor_close(&cursor);
    return is_there;
}

void command_rule_resumed(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name = doc_text(step->event->data, "rule");
    struct doc paused = meta_get(engine, "paused_rules"), resumed = meta_get(engine, "resumed");
    struct doc_writer w;
    if (doc_get_text(paused, name).type != DOC_DOC) {
        if (!is_in_force(engine, name))
            engine_refuse(engine, E_NOTFOUND, "no rule is called \"%.*s\"", (int)name.size,
                          name.data);
        return;
    }
    put_without(engine, "paused_rules", paused, name);
    if (has_parked(engine, name)) {
        engine_draft(engine, &w);
        pause_put_others(&w, resumed, name);
        doc_put_value_text(&w, name, &(struct doc_value){ .type = DOC_BOOL, .boolean = true });
        meta_put(engine, "resumed", engine_doc(engine, &w));
        engine->resume_is_open = true;
    }
    rules_note_paused(engine);
}

/* -- Afterwards ----------------------------------------------------------- */

/* The first `count_max` of the rule's messages go back; false: there may be more. */
static bool unpark(struct engine *engine, struct text rule, int64_t count_max)
{
    struct key prefix;
    struct cursor cursor;
    bool is_there = true;
    key_parked_prefix(&prefix, rule);
    cursor_open(&cursor, engine->state, &prefix);
    for (int64_t count = 0; count < count_max && (is_there = cursor_next(&cursor)); count++) {
        struct arena_mark mark = arena_mark(&engine->arena);
        char id[EVENT_ID_TEXT_MAX];
        effect_unpark(engine, event_id_of_key(cursor.key, prefix.size, id));
        arena_release(&engine->arena, mark);
    }
    cursor_close(&cursor);
    return !is_there;
}

void pause_sweep(struct engine *engine)
{
    if (!engine->resume_is_open)
        return;
    struct doc resumed = meta_get(engine, "resumed");
    struct doc_iter it = doc_iter(resumed);
    if (doc_next(&it) && unpark(engine, it.name, engine->config.limits.sweep_per_tick))
        put_without(engine, "resumed", resumed, it.name);
    engine->resume_is_open = meta_get(engine, "resumed").data != NULL;
}

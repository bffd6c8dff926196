/* cascade.c -- how far what causes something goes: events, messages, timers.
 *
 * A rule answers an event, and what it does is an event for other rules, or for itself.  Each
 * stands one deeper than what it answers, wherever that takes it: through the queue of the entry,
 * to another customer by way of the log, through a message and what became of it, through a timer.
 * Beyond limits.cascade_depth nothing is made any more, and the rule that tried has failed.
 *
 * Time is what ends a cascade otherwise.  A timer that lies limits.cascade_rest_ms ahead begins a
 * new one: a rule that looks again every day may do so for ever, one that never rests may not.
 *
 * Depth alone would let two answers to each become 2^16.  What one entry derives has a limit of
 * its own; the messages of a cause share among them, evenly, what they leave of the same limit. So
 * however it branches, no more than limits.derived messages come of one event.
 */
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"

#define TIMER_SOON_MS 1000

/* -- Events --------------------------------------------------------------- */

void engine_begin_cause(struct engine *engine)
{
    engine->cause = arena_zero(&engine->lasting, sizeof *engine->cause);
    engine->cause->first = engine->derived_n + 1;
    engine->cause->effects_most = -1;
    engine->depth = 0;
}

int step_check_depth(const struct step *step, const char *word, struct err *err)
{
    int64_t most = step->engine->config.limits.cascade_depth;
    if (step->event->depth < most)
        return 0;
    return err_set(err, E_LIMIT,
                   "%s: events cause events more than %lld deep (limit cascade_depth)", word,
                   (long long)most);
}

int step_check_derived(const struct step *step, const char *word, struct err *err)
{
    int64_t most = step->engine->config.limits.derived;
    if (step->engine->cause->derived < (size_t)most)
        return 0;
    return err_set(err, E_LIMIT, "%s: more than %lld events from one cause (limit derived)", word,
                   (long long)most);
}

/* -- Messages ------------------------------------------------------------- */

void effect_begin_cause(struct engine *engine, const struct effect *effect)
{
    engine_begin_cause(engine);
    engine->cause->after = arena_copy(&engine->lasting, effect, sizeof *effect);
    engine->depth = effect->depth;
}

/* How many effects the cause of this one has made. */
static int64_t count_siblings(struct engine *engine, const struct effect *effect)
{
    struct key prefix;
    struct cursor cursor;
    int64_t count = 0;
    key_start(&prefix, 'e');
    key_number(&prefix, effect->seq);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct doc row = { cursor.value.data, (uint32_t)cursor.value.size };
        count += (uint64_t)doc_int(row, "origin", 0) == effect->origin ? 1 : 0;
    }
    cursor_close(&cursor);
    return count;
}

/* How many effects the present cause may make; worked out only for rules that answer a message. */
static int64_t effects_most(struct engine *engine)
{
    struct cause *cause = engine->cause;
    if (cause->effects_most >= 0)
        return cause->effects_most;
    int64_t most = engine->config.limits.derived;
    if (cause->after != NULL) {
        int64_t count = count_siblings(engine, cause->after);
        most = cause->after->most != 0 ? cause->after->most : most;
        most = count != 0 && most > count ? (most - count) / count : 0;
    }
    cause->effects_most = most;
    return most;
}

int effect_check_cascade(struct step *step, struct err *err)
{
    struct engine *engine = step->engine;
    int64_t most = effects_most(engine), all = engine->config.limits.derived;
    int rc = step_check_depth(step, "send", err);
    if (rc != 0 || engine->cause->effects < (size_t)most)
        return rc;
    if (engine->cause->after == NULL)
        return err_set(err, E_LIMIT, "send: more than %lld messages from one cause (limit derived)",
                       (long long)all);
    return err_set(err, E_LIMIT,
                   "send: what becomes of this message may lead to %lld others, its share of the "
                   "%lld of one cause (limit derived)",
                   (long long)most, (long long)all);
}

/* -- Timers --------------------------------------------------------------- */

static unsigned timer_depth(const struct engine *engine, int64_t at)
{
    return at - engine->now < engine->config.limits.cascade_rest_ms ? engine->depth + 1 : 1;
}

void timer_put_depth(struct doc_writer *w, const struct engine *engine, int64_t at)
{
    int64_t depth = timer_depth(engine, at), most = engine->config.limits.cascade_depth;
    depth = depth < most ? depth : most;
    if (depth > 1)
        doc_put_int(w, "depth", depth);
}

unsigned timer_depth_of(struct doc payload)
{
    return (unsigned)doc_int(payload, "depth", 1);
}

int64_t timer_allowed(const struct engine *engine, int64_t due)
{
    const struct limits *limits = &engine->config.limits;
    bool is_too_deep = timer_depth(engine, due) > limits->cascade_depth;
    return is_too_deep ? engine->now + limits->cascade_rest_ms - 1 : due;
}

int64_t timer_soonest(const struct engine *engine, int64_t due)
{
    int64_t soon = engine->now + TIMER_SOON_MS;
    return timer_allowed(engine, due > soon ? due : soon);
}

int timer_check_depth(const struct step *step, int64_t due, const char *word, struct err *err)
{
    const struct limits *limits = &step->engine->config.limits;
    if (timer_depth(step->engine, due) <= limits->cascade_depth)
        return 0;
    return err_set(err, E_LIMIT,
                   "%s: events cause events more than %lld deep (limit cascade_depth); a time at "
                   "least %lld s ahead begins anew",
                   word, (long long)limits->cascade_depth,
                   (long long)limits->cascade_rest_ms / 1000);
}

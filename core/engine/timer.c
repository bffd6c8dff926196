/* timer.c -- what must happen at a time: a row per timer, in order of due.
 *
 * Timers are rows of the state, so a million pending ones cost nothing and a crash
 * loses none: firing deletes the row in the same step as what it causes.  A second
 * row, in the owner's cluster, finds a timer by its key, to move or cancel it.
 *
 * Only a tick fires timers.  One tick fires a bounded number; while more are due,
 * engine_next_due() keeps asking for ticks.
 *
 * The first timer is looked for again and again, and in front of it lie the deletions of
 * all that have fired since the last checkpoint.  So the engine remembers from where on
 * there can be any: a bound that only has to be low enough, and so is right whatever a
 * savepoint undoes.
 */
#include "core/engine/engine_inside.h"
#include "core/engine/staff.h"
#include "core/engine/subject.h"

#include <string.h>

static void key_timer(struct key *key, int64_t due, uint64_t owner, struct text name)
{
    key_start(key, 'T');
    key_time(key, due);
    key_number(key, owner);
    key_tail(key, name);
}

static void key_of_owner(struct key *key, uint64_t owner, struct text name)
{
    key_customer(key, owner, 'w');
    key_tail(key, name);
}

static bool find(struct engine *engine, uint64_t owner, struct text name, int64_t *out_due)
{
    struct key key;
    struct bytes value;
    key_of_owner(&key, owner, name);
    if (!state_get(engine->state, &key, &value))
        return false;
    struct key_reader reader = { value.data, value.data + value.size };
    bool is_time = key_read_time(&reader, out_due);
    ASSERT(is_time);
    return true;
}

/* Stand before the first timer. */
static void open_timers(struct engine *engine, struct cursor *cursor)
{
    struct key prefix;
    key_start(&prefix, 'T');
    cursor_open_at(cursor, engine->state, &prefix,
                   engine->timers_from.size != 0 ? &engine->timers_from : &prefix);
}

/* The first one; false: there is none. */
static bool first_timer(struct engine *engine, struct cursor *cursor)
{
    if (!cursor_next(cursor)) {
        key_start(&engine->timers_from, 'T' + 1); /* behind all that could be set */
        return false;
    }
    engine->timers_from.size = (uint16_t)cursor->key.size;
    memcpy(engine->timers_from.data, cursor->key.data, cursor->key.size);
    return true;
}

/* A timer is set: it may be the first. */
static void timers_begin_at_most(struct engine *engine, const struct key *key)
{
    struct key *from = &engine->timers_from;
    size_t both = key->size < from->size ? key->size : from->size;
    int order = memcmp(key->data, from->data, both);
    if (order < 0 || (order == 0 && key->size < from->size))
        *from = *key;
}

/* Those that rules ask for count against limits.timers; of schedules, effects and moves there are
 * as many as Kith needs. */
static bool is_counted(struct text name)
{
    static const char *const kinds[] = { "after:", "task:", "escalate:" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (name.size > strlen(kinds[i]) && memcmp(name.data, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

static void count(struct profile *profile, struct text name, int64_t change)
{
    if (profile == NULL || !is_counted(name))
        return;
    profile->timers += change;
    profile->is_dirty = true;
}

bool timer_cancel(struct engine *engine, struct profile *profile, uint64_t owner, struct text name)
{
    struct key key;
    int64_t due;
    if (!find(engine, owner, name, &due))
        return false;
    key_timer(&key, due, owner, name);
    state_delete(engine->state, &key);
    key_of_owner(&key, owner, name);
    state_delete(engine->state, &key);
    count(profile, name, -1);
    return true;
}

struct doc timer_payload_of(struct engine *engine, uint64_t owner, struct text name)
{
    struct doc none = { NULL, 0 };
    struct key key;
    struct bytes row;
    int64_t due;
    if (!find(engine, owner, name, &due))
        return none;
    key_timer(&key, due, owner, name);
    if (!state_get(engine->state, &key, &row))
        return none;
    return arena_doc(&engine->arena, (struct doc){ row.data, (uint32_t)row.size });
}

bool timer_set(struct engine *engine, struct profile *profile, uint64_t owner, struct text name,
               int64_t due, struct doc payload)
{
    bool is_moved = timer_cancel(engine, profile, owner, name);
    if (!is_moved && profile != NULL && is_counted(name) &&
        profile->timers >= engine->config.limits.timers)
        return false;
    struct key key, value = { .size = 0 };
    key_timer(&key, due, owner, name);
    state_put(engine->state, &key, payload.data, payload.size);
    timers_begin_at_most(engine, &key);
    key_of_owner(&key, owner, name);
    key_time(&value, due);
    state_put(engine->state, &key, value.data, value.size);
    count(profile, name, 1);
    return true;
}

int64_t timer_first_due(struct engine *engine)
{
    struct cursor cursor;
    int64_t due = INT64_MAX;
    open_timers(engine, &cursor);
    if (first_timer(engine, &cursor)) {
        struct key_reader reader = { cursor.key.data + 1, cursor.key.data + cursor.key.size };
        bool is_time = key_read_time(&reader, &due);
        ASSERT(is_time);
    }
    cursor_close(&cursor);
    return due;
}

/* -- Firing --------------------------------------------------------------- */

struct due_timer {
    int64_t due;
    uint64_t owner;
    struct text name;
    struct doc payload;
};

/* Copy the next due timer into the arena. */
static bool next_due(struct engine *engine, struct due_timer *out)
{
    struct cursor cursor;
    bool is_due = false;
    open_timers(engine, &cursor);
    if (first_timer(engine, &cursor)) {
        struct key_reader reader = { cursor.key.data + 1, cursor.key.data + cursor.key.size };
        bool is_read = key_read_time(&reader, &out->due) && key_read_number(&reader, &out->owner);
        ASSERT(is_read);
        is_due = out->due <= engine->now;
        if (is_due) {
            struct text name = { (const char *)reader.at, (uint32_t)(reader.end - reader.at) };
            out->name = arena_text(&engine->arena, name);
            out->payload = arena_doc(
                &engine->arena, (struct doc){ cursor.value.data, (uint32_t)cursor.value.size });
        }
    }
    cursor_close(&cursor);
    return is_due;
}

static void fire(struct engine *engine, const struct due_timer *timer)
{
    struct text kind = doc_text(timer->payload, "kind");
    struct profile profile;
    bool has_profile = is_counted(timer->name) &&
                       profile_load(&profile, engine->state, &engine->arena, timer->owner);
    timer_cancel(engine, has_profile ? &profile : NULL, timer->owner, timer->name);
    if (has_profile)
        profile_store(&profile, engine->state, &engine->scratch);
    if (erase_is_open(engine, timer->owner))
        return;

    if (engine_is_live(engine) && engine->hooks->reminded != NULL && text_is(kind, "task"))
        engine->hooks->reminded(engine->arg, timer->due, engine->now);
    engine_begin_cause(engine);
    if (text_is(kind, "after"))
        after_fire(engine, timer->owner, timer->payload);
    else if (text_is(kind, "task") || text_is(kind, "escalate"))
        reminder_fire(engine, timer->owner, timer->payload);
    else if (text_is(kind, "deadline"))
        record_fire(engine, timer->owner, timer->payload);
    else if (text_is(kind, "zone"))
        moving_fire(engine, timer->owner, timer->payload, timer->due);
    else if (text_is(kind, "absence"))
        absence_fire(engine, timer->payload);
    else if (text_is(kind, "subject"))
        subject_fire(engine, timer->payload);
    else if (text_is(kind, "effect"))
        effect_fire_retry(engine, doc_text(timer->payload, "id"));
    else {
        ASSERT(text_is(kind, "schedule"));
        schedule_fire(engine, timer->owner, timer->payload);
    }
}

/* With all that comes of it, and no memory of it is left behind.  False: none is due. */
static bool fire_next(struct engine *engine)
{
    struct arena_mark arena = arena_mark(&engine->arena);
    struct arena_mark lasting = arena_mark(&engine->lasting);
    struct due_timer timer;
    bool is_due = next_due(engine, &timer);
    if (is_due) {
        fire(engine, &timer);
        engine_drain(engine);
    }
    arena_release(&engine->arena, arena);
    arena_release(&engine->lasting, lasting);
    return is_due;
}

void timer_fire_due(struct engine *engine)
{
    struct cause *own = engine->cause;
    int64_t left = engine->config.limits.timers_per_tick;
    /* Who has moved and is not done with comes first, and before all that is due later. */
    while (left > 0 && engine->moves_left > 0 && fire_next(engine))
        left--;
    engine->cause = own;
}

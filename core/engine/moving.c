/* moving.c -- a customer's clock on the wall is another one: what is due by it moves with her.
 *
 * Her zone is a trait, and so it changes when the trait does, or when a merge or its undoing makes
 * another member's the one that counts.  Then her open reminders and timers are worked out anew
 * from the words that they were set by (intent.h).  What is due already stays due; what would have
 * been due by now in the new zone is due at once, and no sooner than a cascade allows.
 *
 * A customer may have thousands of timers and no entry may cost without bound.  So an entry looks
 * at limits.moves_per_tick of them; where more are left a timer of its own, due now, goes on at the
 * ticks that follow.  Timers fire in order of due: nothing that is due later fires before the rest
 * has been worked out.
 *
 * The schedules of rules are armed anew by their own rules (schedule.c).
 */
#include "core/base/zone.h"
#include "core/engine/engine_inside.h"

#include <string.h>

static const struct text own_timer = { "zone", 4 };

static bool has_prefix(struct text name, const char *prefix)
{
    size_t size = strlen(prefix);
    return name.size > size && memcmp(name.data, prefix, size) == 0;
}

struct move {
    const struct zone *zone; /* she is there ... */
    int64_t since;           /* ... since then: what was due stays due */
    struct text next;        /* the first timer to look at */
};

static void move_timer(struct engine *engine, struct customer *customer, struct profile *profile,
                       struct text name, int64_t due, const struct zone *zone)
{
    if (has_prefix(name, "after:"))
        after_move(engine, profile, name, due, zone);
    else if (has_prefix(name, "task:"))
        reminder_move(engine, customer, reminder_of_timer(name), zone);
}

/* Work out the timers of a member.  False: not all of them, move->next is where to go on. */
static bool move_member(struct engine *engine, struct customer *customer, struct profile *profile,
                        struct move *move)
{
    struct key prefix, first;
    struct cursor cursor;
    bool is_done = true;
    key_customer(&prefix, profile->number, 'w');
    first = prefix;
    key_tail(&first, move->next);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while (is_done && cursor_next(&cursor)) {
        struct key_reader reader = { cursor.value.data, cursor.value.data + cursor.value.size };
        struct text name = { (const char *)cursor.key.data + prefix.size,
                             (uint32_t)(cursor.key.size - prefix.size) };
        int64_t due;
        bool is_time = key_read_time(&reader, &due);
        ASSERT(is_time);
        name = arena_text(&engine->arena, name);
        if (engine->moves_left == 0) {
            move->next = name;
            is_done = false;
        } else {
            engine->moves_left--;
            if (due > move->since)
                move_timer(engine, customer, profile, name, due, move->zone);
        }
    }
    cursor_close(&cursor);
    return is_done;
}

/* Where the work has come to, as a timer that is due since the move. */
static void go_on_later(struct engine *engine, uint64_t owner, const struct move *move)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "zone");
    doc_put_string(&w, "zone", zone_name(move->zone));
    doc_put_text(&w, "next", move->next);
    doc_put_int(&w, "depth", (int64_t)engine->depth);
    timer_set(engine, NULL, owner, own_timer, move->since, engine_doc(engine, &w));
}

void moving_begin(struct engine *engine, struct customer *customer, struct doc context)
{
    const struct zone *zone = customer_zone(customer, engine, context);
    for (size_t i = 0; i < customer->count; i++) {
        struct profile *profile = &customer->members[i];
        struct move move = { .zone = zone, .since = engine->now, .next = { "", 0 } };
        timer_cancel(engine, NULL, profile->number, own_timer); /* of a move before this one */
        if (profile->timers != 0 && !move_member(engine, customer, profile, &move))
            go_on_later(engine, profile->number, &move);
    }
}

void moving_fire(struct engine *engine, uint64_t owner, struct doc timer, int64_t due)
{
    struct move move = { .since = due, .next = doc_text(timer, "next") };
    struct customer customer;
    bool is_there = customer_load(&customer, engine, owner);
    ASSERT(is_there);
    if (zone_open(doc_text(timer, "zone").data, &move.zone, NULL) != 0) /* gone from the data */
        move.zone = customer_zone(&customer, engine, (struct doc){ NULL, 0 });
    engine->depth = (unsigned)doc_int(timer, "depth", 0);
    if (!move_member(engine, &customer, &customer.members[customer.own], &move))
        go_on_later(engine, owner, &move);
    customer_store(&customer, engine);
}

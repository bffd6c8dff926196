/* known.c -- see known.h. */
#include "known.h"

#define CLOSED_MAX 20 /* that are remembered */
#define COUNT_MAX INT32_MAX
#define ROOM 2048
#define DAY_MS 86400000LL

/* -- Reading ----------------------------------------------------------------------------------- */

/* The state may be what another version has kept. */
static int64_t read_count(struct kith_doc state, const char *name)
{
    int64_t count = kith_get_int(state, name, 0);
    return count < 0 ? 0 : count < COUNT_MAX ? count : COUNT_MAX;
}

int64_t known_count(struct kith_doc list)
{
    int64_t count = 0;
    for (struct kith_iter it = kith_iter(list); kith_next(&it);)
        count++;
    return count;
}

int64_t known_total(struct kith_doc state)
{
    return read_count(state, "total");
}

int64_t known_last(struct kith_doc state)
{
    return kith_get_int(state, "last", 0);
}

struct today {
    int64_t day, acknowledged, crowded;
};

static struct today read_today(struct kith_doc state)
{
    return (struct today){ kith_get_int(state, "day", 0), read_count(state, "acknowledged"),
                           read_count(state, "crowded") };
}

static struct today today_of(struct kith_doc state, int64_t now)
{
    struct today today = read_today(state);
    return today.day == now / DAY_MS ? today : (struct today){ now / DAY_MS, 0, 0 };
}

int64_t known_acknowledged(struct kith_doc state, int64_t now)
{
    return today_of(state, now).acknowledged;
}

int64_t known_crowded(struct kith_doc state, int64_t now)
{
    return today_of(state, now).crowded;
}

static int64_t number_of(const struct kith_value *closed)
{
    return kith_get_int(kith_as_doc(closed), "number", 0);
}

int64_t known_closed_at(struct kith_doc state, int64_t number)
{
    for (struct kith_iter it = kith_iter(kith_get_doc(state, "closed")); kith_next(&it);)
        if (number != 0 && number_of(&it.value) == number)
            return kith_get_int(kith_as_doc(&it.value), "at", 0);
    return 0;
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void put_last(struct kith_writer *w, int64_t last)
{
    if (last != 0)
        kith_put_time(w, "last", last);
}

static void put_today(struct kith_writer *w, struct today today)
{
    if (today.acknowledged == 0 && today.crowded == 0)
        return;
    kith_put_int(w, "day", today.day);
    kith_put_int(w, "acknowledged", today.acknowledged);
    kith_put_int(w, "crowded", today.crowded);
}

/* The list without `number`, and with it at the end if it was closed at `at`. */
static void put_closed(struct kith_writer *w, struct kith_doc closed, int64_t number, int64_t at)
{
    int64_t over = known_count(closed) + (at != 0) - CLOSED_MAX;
    for (struct kith_iter it = kith_iter(closed); kith_next(&it);)
        over -= number_of(&it.value) == number;
    kith_open_array(w, "closed");
    for (struct kith_iter it = kith_iter(closed); kith_next(&it);)
        if (number_of(&it.value) != number && over-- <= 0)
            kith_put(w, NULL, &it.value);
    if (at != 0) {
        kith_open(w, NULL);
        kith_put_int(w, "number", number);
        kith_put_time(w, "at", at);
        kith_close(w);
    }
    kith_close(w);
}

int32_t known_keep(const struct kith_engine *engine, struct kith_call *call,
                   const struct known_change *change)
{
    char room[ROOM];
    struct kith_writer w;
    struct kith_doc state;
    int32_t rc = engine->state(call, "complaints", &state);
    if (rc != KITH_OK)
        return rc;
    struct kith_value total = kith_int(known_total(state) + change->came);
    struct kith_value last = kith_time(change->came ? engine->now(call) : known_last(state));
    struct today today = today_of(state, engine->now(call));
    today.acknowledged += change->acknowledged;
    today.crowded += change->crowded;
    kith_begin(&w, room, sizeof room);
    kith_put(&w, "total", &total);
    put_last(&w, last.as.integer);
    put_today(&w, today);
    put_closed(&w, kith_get_doc(state, "closed"), change->number, change->closed_at);
    rc = engine->keep(call, "complaints", kith_end(&w));
    if (rc == KITH_OK && change->came)
        rc = engine->publish(call, "total", &total);
    return rc == KITH_OK && change->came ? engine->publish(call, "last", &last) : rc;
}

/* -- Two become one, and two again ------------------------------------------------------------- */

static struct today add_today(struct today a, struct today b)
{
    if (a.day != b.day)
        return a.day > b.day ? a : b;
    return (struct today){ a.day, a.acknowledged + b.acknowledged, a.crowded + b.crowded };
}

static struct today take_today(struct today a, struct today b)
{
    if (a.day != b.day)
        return a;
    int64_t acknowledged = a.acknowledged - b.acknowledged, crowded = a.crowded - b.crowded;
    return (struct today){ a.day, acknowledged > 0 ? acknowledged : 0, crowded > 0 ? crowded : 0 };
}

/* They complained as often as both. */
static int32_t merge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM * 2];
    struct kith_writer w;
    struct kith_doc both;
    int32_t rc = engine->arguments(call, &both);
    if (rc != KITH_OK)
        return rc;
    struct kith_doc a = kith_get_doc(both, "survivor"), b = kith_get_doc(both, "absorbed");
    struct kith_doc closed[] = { kith_get_doc(b, "closed"), kith_get_doc(a, "closed") };
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "total", known_total(a) + known_total(b));
    put_last(&w, known_last(a) > known_last(b) ? known_last(a) : known_last(b));
    put_today(&w, add_today(read_today(a), read_today(b)));
    kith_open_array(&w, "closed");
    for (size_t i = 0; i < 2; i++)
        for (struct kith_iter it = kith_iter(closed[i]); kith_next(&it);)
            if (w.size < ROOM)
                kith_put(&w, NULL, &it.value);
    kith_close(&w);
    struct kith_value answer = kith_value_of_doc(kith_end(&w));
    return engine->answer(call, &answer);
}

static int is_closed_in(struct kith_doc closed, int64_t number)
{
    for (struct kith_iter it = kith_iter(closed); kith_next(&it);)
        if (number_of(&it.value) == number)
            return 1;
    return 0;
}

struct part {
    int64_t total, last;
    struct today today;
    struct kith_doc closed, others;
};

static void put_part(struct kith_writer *w, const struct part *part)
{
    size_t most = w->size + ROOM;
    kith_put_int(w, "total", part->total);
    put_last(w, part->last);
    put_today(w, part->today);
    kith_open_array(w, "closed");
    for (struct kith_iter it = kith_iter(part->closed); w->size < most && kith_next(&it);) {
        if (is_closed_in(part->others, number_of(&it.value)))
            continue;
        kith_open(w, NULL);
        kith_put_int(w, "number", number_of(&it.value));
        kith_put_time(w, "at", kith_get_int(kith_as_doc(&it.value), "at", 0));
        kith_close(w);
    }
    kith_close(w);
}

/* What has come since they were one is the survivor's. */
static int32_t unmerge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM * 4];
    struct kith_writer w;
    struct kith_doc all;
    int32_t rc = engine->arguments(call, &all);
    if (rc != KITH_OK)
        return rc;
    struct kith_doc now = kith_get_doc(all, "now"), absorbed = kith_get_doc(all, "absorbed");
    int64_t total = known_total(now) - known_total(absorbed);
    struct part hers = {
        .total = known_total(absorbed),
        .last = known_last(absorbed),
        .today = read_today(absorbed),
        .closed = kith_get_doc(absorbed, "closed"),
    };
    struct part survivors = {
        .total = total > 0 ? total : 0,
        .last = known_last(now),
        .today = take_today(read_today(now), hers.today),
        .closed = kith_get_doc(now, "closed"),
        .others = hers.closed,
    };
    if (survivors.last == hers.last)
        survivors.last = known_last(kith_get_doc(all, "survivor"));
    kith_begin(&w, room, sizeof room);
    kith_open(&w, "survivor");
    put_part(&w, &survivors);
    kith_close(&w);
    if (absorbed.size != 0) {
        kith_open(&w, "absorbed");
        put_part(&w, &hers);
        kith_close(&w);
    }
    struct kith_value answer = kith_value_of_doc(kith_end(&w));
    return engine->answer(call, &answer);
}

const struct kith_state known_state = {
    .size = sizeof known_state,
    .key = "complaints",
    .version = 1,
    .merge = merge,
    .unmerge = unmerge,
};

/* good_state.c -- a document about each customer with everything that can become of one: it is
 * merged, taken apart again, brought to a new shape, and told to who asks for it. */
#include "shelf.h"

#define ROOM 128

static struct kith_doc orders(char *room, int64_t count)
{
    struct kith_writer w;
    kith_begin(&w, room, ROOM);
    kith_put_int(&w, "orders", count);
    return kith_end(&w);
}

static int32_t answer(const struct kith_engine *engine, struct kith_call *call, struct kith_doc doc)
{
    struct kith_value value = kith_value_of_doc(doc);
    return engine->answer(call, &value);
}

/* Sums stay within what a number can hold, whatever was kept. */
static int64_t sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc kept;
    int32_t rc = engine->state(call, "orders", &kept);
    if (rc != KITH_OK)
        return rc;
    struct kith_value count = kith_int(sum(kith_get_int(kept, "orders", 0), 1));
    rc = engine->keep(call, "orders", orders(room, count.as.integer));
    return rc == KITH_OK ? engine->publish(call, "orders", &count) : rc;
}

static int32_t merge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc both;
    int32_t rc = engine->arguments(call, &both);
    if (rc != KITH_OK)
        return rc;
    int64_t survivor = kith_get_int(kith_get_doc(both, "survivor"), "orders", 0);
    int64_t absorbed = kith_get_int(kith_get_doc(both, "absorbed"), "orders", 0);
    return answer(engine, call, orders(room, sum(survivor, absorbed)));
}

/* What has come since is the survivor's. */
static int32_t unmerge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM], whole[2 * ROOM + 64];
    struct kith_doc all, absorbed;
    struct kith_writer w;
    int32_t rc = engine->arguments(call, &all);
    if (rc != KITH_OK)
        return rc;
    absorbed = kith_get_doc(all, "absorbed");
    int64_t now = kith_get_int(kith_get_doc(all, "now"), "orders", 0);
    int64_t hers = kith_get_int(absorbed, "orders", 0);
    kith_begin(&w, whole, sizeof whole);
    kith_put_doc(&w, "survivor", orders(room, (int64_t)((uint64_t)now - (uint64_t)hers)));
    kith_put_doc(&w, "absorbed", orders(room, hers));
    return answer(engine, call, kith_end(&w));
}

/* Version 1 kept {count}. */
static int32_t migrate(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc old;
    int32_t rc = engine->arguments(call, &old);
    if (rc != KITH_OK)
        return rc;
    return answer(engine, call, orders(room, kith_get_int(kith_get_doc(old, "state"), "count", 0)));
}

static int32_t give(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_writer w;
    struct kith_doc old;
    int32_t rc = engine->arguments(call, &old);
    if (rc != KITH_OK)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "how_often_you_ordered",
                 kith_get_int(kith_get_doc(old, "state"), "orders", 0));
    return answer(engine, call, kith_end(&w));
}

static const struct kith_state state = { .size = sizeof state,
                                         .key = "orders",
                                         .version = 2,
                                         .merge = merge,
                                         .unmerge = unmerge,
                                         .migrate = migrate,
                                         .give = give };
static const struct kith_state *const states[] = { &state, NULL };
static const char *const reads[] = { "state.orders", NULL };

SHELF_TRAIT(traits, "whole", "orders");

SHELF_PLUGIN("good_state", on_order, reads, .states = states, .traits = traits)

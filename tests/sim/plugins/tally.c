/* tally.c -- the simulator's plugin; tests/sim/model_tally.py says the same in Python.
 *
 * It counts the orders of each customer, and keeps a number in which their order shows, so that one
 * heard of twice, too late or not at all is another number ever after.  It is built twice: as
 * version 2 of itself it keeps what it counts under another name, and tells of every second order
 * and not of every third.
 *
 * Unlike any plugin that is good it may be told to be bad, by KITH_SIM_TALLY in the environment,
 * "CALL DEADLY HANG": in the call of that number, counted from when it was loaded, or at the order
 * of that number, it writes to where nothing is; or it never comes back from that call.  0: never.
 * No log knows of this, as it knows of no other machine's fault: a replay has the verdict alone.
 */
#include "kith.h"

#include <stdlib.h>

#ifndef TALLY_VERSION
#define TALLY_VERSION 1
#endif

#define ROOM 128
#define MODULUS 1000003

#if TALLY_VERSION == 1
#define COUNT "count"
#define MILESTONE 3
#else
#define COUNT "orders"
#define MILESTONE 2
#endif

static long deadly_call, deadly_order, hanging_call, calls;
static volatile uintptr_t nowhere = 8;

static void die(void)
{
    *(volatile char *)nowhere = 1;
}

/* First in every function. */
static void enter(void)
{
    calls++;
    if (calls == deadly_call)
        die();
    while (calls == hanging_call && nowhere != 0)
        continue;
}

static struct kith_doc write_tally(char *room, int64_t count, int64_t chain)
{
    struct kith_writer w;
    kith_begin(&w, room, ROOM);
    kith_put_int(&w, COUNT, count);
    kith_put_int(&w, "chain", chain % MODULUS);
    return kith_end(&w);
}

static int32_t answer(const struct kith_engine *engine, struct kith_call *call, struct kith_doc doc)
{
    struct kith_value value = kith_value_of_doc(doc);
    return engine->answer(call, &value);
}

/* -- Handlers ---------------------------------------------------------------------------------- */

/* What was set before goes: the timer runs out when there was no order for so long. */
static int32_t wait_for_quiet(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "due", "50s");
    kith_put_string(&w, "key", "quiet");
    kith_put_string(&w, "emit", "tally.quiet");
    return engine->act(call, "after", kith_end(&w));
}

static int32_t tell(const struct kith_engine *engine, struct kith_call *call, int64_t count)
{
    char room[ROOM];
    struct kith_text same_customer = { NULL, 0 };
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "count", count);
    return engine->emit(call, "milestone", kith_end(&w), same_customer);
}

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc kept;
    struct kith_value number;
    enter();
    int32_t rc = engine->state(call, "tally", &kept);
    if (rc == KITH_OK)
        rc = engine->read(call, 1, &number);
    if (rc != KITH_OK)
        return rc;
    int64_t order = kith_as_int(&number, -1);
    if (deadly_order != 0 && order == deadly_order)
        die();
    struct kith_value count = kith_int(kith_get_int(kept, COUNT, 0) + 1);
    int64_t chain = kith_get_int(kept, "chain", 0) * 31 + order;
    rc = engine->keep(call, "tally", write_tally(room, count.as.integer, chain));
    if (rc == KITH_OK)
        rc = engine->publish(call, "count", &count);
    if (rc == KITH_OK && count.as.integer % MILESTONE == 0)
        rc = tell(engine, call, count.as.integer);
    return rc == KITH_OK ? wait_for_quiet(engine, call) : rc;
}

static int32_t on_anything(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_value number;
    struct kith_writer w;
    enter();
    int32_t rc = engine->read(call, 0, &number);
    if (rc != KITH_OK)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "number", kith_as_int(&number, -1));
    return engine->keep(call, "last", kith_end(&w));
}

static int32_t on_quiet(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc kept;
    enter();
    int32_t rc = engine->state(call, "tally", &kept);
    if (rc != KITH_OK)
        return rc;
    int64_t chain = kith_get_int(kept, "chain", 0) * 31 + 77;
    return engine->keep(call, "tally", write_tally(room, kith_get_int(kept, COUNT, 0), chain));
}

/* -- What becomes of a document ---------------------------------------------------------------- */

static int32_t merge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc both;
    enter();
    int32_t rc = engine->arguments(call, &both);
    if (rc != KITH_OK)
        return rc;
    struct kith_doc one = kith_get_doc(both, "survivor"), two = kith_get_doc(both, "absorbed");
    return answer(engine, call,
                  write_tally(room, kith_get_int(one, COUNT, 0) + kith_get_int(two, COUNT, 0),
                              kith_get_int(one, "chain", 0) * 7 + kith_get_int(two, "chain", 0)));
}

/* Each has her own orders; in both chains it shows that they were one. */
static int32_t unmerge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM], whole[4 * ROOM];
    struct kith_doc all;
    struct kith_writer w;
    enter();
    int32_t rc = engine->arguments(call, &all);
    if (rc != KITH_OK)
        return rc;
    struct kith_doc now = kith_get_doc(all, "now"), hers = kith_get_doc(all, "absorbed");
    int64_t count = kith_get_int(hers, COUNT, 0), chain = kith_get_int(now, "chain", 0);
    kith_begin(&w, whole, sizeof whole);
    kith_put_doc(&w, "survivor",
                 write_tally(room, kith_get_int(now, COUNT, 0) - count, chain * 11 + 1));
    kith_put_doc(&w, "absorbed",
                 write_tally(room, count, chain * 13 + kith_get_int(hers, "chain", 0)));
    return answer(engine, call, kith_end(&w));
}

#if TALLY_VERSION > 1
static int32_t migrate(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc old;
    enter();
    int32_t rc = engine->arguments(call, &old);
    if (rc != KITH_OK)
        return rc;
    struct kith_doc kept = kith_get_doc(old, "state");
    return answer(
        engine, call,
        write_tally(room, kith_get_int(kept, "count", 0), kith_get_int(kept, "chain", 0)));
}
#endif

static int32_t give(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc kept;
    struct kith_writer w;
    enter();
    int32_t rc = engine->arguments(call, &kept);
    if (rc != KITH_OK)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "given", kith_get_int(kith_get_doc(kept, "state"), COUNT, 0));
    return answer(engine, call, kith_end(&w));
}

/* -- Who it is --------------------------------------------------------------------------------- */

static const struct kith_state tally = {
    .size = sizeof tally,
    .key = "tally",
    .version = TALLY_VERSION,
    .merge = merge,
    .unmerge = unmerge,
#if TALLY_VERSION > 1
    .migrate = migrate,
#endif
    .give = give,
};
/* All of this is left to the host. */
static const struct kith_state last = { .size = sizeof last, .key = "last", .version = 1 };
static const struct kith_state *const states[] = { &tally, &last, NULL };

static const char *const order_types[] = { "order", NULL };
static const char *const order_reads[] = { "state.tally", "event.number", NULL };
static const struct kith_handler order = {
    .size = sizeof order,
    .name = "order",
    .types = order_types,
    .reads = order_reads,
    .run = on_order,
};
static const char *const last_types[] = { "order", "visit", NULL };
static const char *const last_reads[] = { "event.number", NULL };
static const struct kith_handler anything = {
    .size = sizeof anything,
    .name = "anything",
    .types = last_types,
    .reads = last_reads,
    .run = on_anything,
};
static const char *const quiet_types[] = { "tally.quiet", NULL };
static const char *const quiet_reads[] = { "state.tally", NULL };
static const struct kith_handler quiet = {
    .size = sizeof quiet,
    .name = "quiet",
    .types = quiet_types,
    .reads = quiet_reads,
    .run = on_quiet,
};
static const struct kith_handler *const handlers[] = { &order, &anything, &quiet, NULL };

static const struct kith_trait count = {
    .size = sizeof count, .name = "count", .type = "whole", .about = "How many orders there were"
};
static const struct kith_trait *const traits[] = { &count, NULL };
static const char *const needs[] = { "act:after", NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "tally",
    .version = TALLY_VERSION == 1 ? "1" : "2",
    .about = "Counts the orders of each customer",
    .needs = needs,
    .handlers = handlers,
    .states = states,
    .traits = traits,
};

const struct kith_plugin *kith_describe(void)
{
    const char *fate = getenv("KITH_SIM_TALLY");
    char *end = NULL;
    if (fate != NULL) {
        deadly_call = strtol(fate, &end, 10);
        deadly_order = strtol(end, &end, 10);
        hanging_call = strtol(end, NULL, 10);
    }
    return &description;
}

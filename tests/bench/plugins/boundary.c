/* boundary.c -- a plugin to measure calls with: what an order's handler costs, and one value.
 *
 * `counts` does what handlers do: it reads the event and its own document of the customer, keeps
 * the document anew and publishes a trait.  `reads` reads one value so many times as the event
 * says, and nothing else.
 */
#include "kith.h"

#define ROOM 64
#define READS_MAX 1000

static int32_t counts(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_writer w;
    struct kith_value total;
    struct kith_doc kept;
    int32_t rc = engine->read(call, 0, &total);
    if (rc == KITH_OK)
        rc = engine->state(call, "orders", &kept);
    if (rc != KITH_OK)
        return rc;
    struct kith_value sum = kith_int(kith_get_int(kept, "sum", 0) + kith_as_int(&total, 0));
    kith_begin(&w, room, sizeof room);
    kith_put(&w, "sum", &sum);
    rc = engine->keep(call, "orders", kith_end(&w));
    return rc == KITH_OK ? engine->publish(call, "sum", &sum) : rc;
}

static int32_t reads(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value value;
    int32_t rc = engine->read(call, 0, &value);
    for (int64_t left = kith_as_int(&value, 0) % (READS_MAX + 1); rc == KITH_OK && left > 0; left--)
        rc = engine->read(call, 0, &value);
    return rc;
}

static const char *const types[] = { "Order Completed", NULL };
static const char *const counts_reads[] = { "event.total", "state.orders", NULL };
static const char *const reads_reads[] = { "event.total", NULL };
static const struct kith_handler counts_handler = {
    .size = sizeof counts_handler,
    .name = "counts",
    .types = types,
    .reads = counts_reads,
    .run = counts,
};
static const struct kith_handler reads_handler = {
    .size = sizeof reads_handler,
    .name = "reads",
    .types = types,
    .reads = reads_reads,
    .run = reads,
};
static const struct kith_handler *const handlers[] = { &counts_handler, &reads_handler, NULL };
static const struct kith_state state = { .size = sizeof state, .key = "orders", .version = 1 };
static const struct kith_state *const states[] = { &state, NULL };
static const struct kith_trait trait = {
    .size = sizeof trait, .name = "sum", .type = "whole", .about = "Of all orders"
};
static const struct kith_trait *const traits[] = { &trait, NULL };

KITH_EXPORT const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = {
        .size = sizeof plugin,
        .abi = KITH_ABI,
        .name = "boundary",
        .version = "1",
        .about = "To measure calls with",
        .handlers = handlers,
        .states = states,
        .traits = traits,
    };
    return &plugin;
}

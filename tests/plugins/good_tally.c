/* good_tally.c -- counts orders, in one version or another: what is loaded anew while it counts.
 *
 * Which of them it is TALLY says when it is compiled: 1 has a function that 2 has not; 2 counts
 * what it has heard itself besides.
 */
#include "kith.h"

#ifndef TALLY
#define TALLY 1
#endif
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define ROOM 128

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc kept, config;
    struct kith_writer w;
    int32_t rc = engine->state(call, "tally", &kept);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    if (rc != KITH_OK)
        return rc;
    struct kith_value orders = kith_int(kith_get_int(kept, "orders", 0) + 1);
    struct kith_value second = kith_int(kith_get_int(kept, "second", 0) + (TALLY == 2));
    struct kith_value weight =
        kith_int(kith_get_int(kept, "weight", 0) + kith_get_int(config, "weight", 0));
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "orders", orders.as.integer);
    kith_put_int(&w, "second", second.as.integer);
    kith_put_int(&w, "weight", weight.as.integer);
    rc = engine->keep(call, "tally", kith_end(&w));
    if (rc == KITH_OK)
        rc = engine->publish(call, "orders", &orders);
    if (rc == KITH_OK)
        rc = engine->publish(call, "second", &second);
    return rc == KITH_OK ? engine->publish(call, "weight", &weight) : rc;
}

static int32_t answer_version(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value version = kith_int(TALLY);
    return engine->answer(call, &version);
}

static const char *const types[] = { "Order Completed", NULL };
static const char *const reads[] = { "state.tally", NULL };
static const struct kith_handler handler = {
    .size = sizeof handler, .name = "order", .types = types, .reads = reads, .run = on_order
};
static const struct kith_handler *const handlers[] = { &handler, NULL };

static const struct kith_function version_function = { .size = sizeof version_function,
                                                       .name = "version",
                                                       .usage = "good_tally.version {}",
                                                       .about = "Which one answers",
                                                       .run = answer_version };
#if TALLY == 1
static const struct kith_function first_function = { .size = sizeof first_function,
                                                     .name = "first",
                                                     .usage = "good_tally.first {}",
                                                     .about = "What only the first one has",
                                                     .run = answer_version };
static const struct kith_function *const functions[] = { &first_function, &version_function, NULL };
#else
static const struct kith_function *const functions[] = { &version_function, NULL };
#endif

static const struct kith_state state = { .size = sizeof state, .key = "tally", .version = 1 };
static const struct kith_state *const states[] = { &state, NULL };

#define TRAIT(symbol)                                                                        \
    static const struct kith_trait symbol = {                                                \
        .size = sizeof symbol, .name = #symbol, .type = "whole", .about = "what was counted" \
    }
TRAIT(orders);
TRAIT(second);
TRAIT(weight);
static const struct kith_trait *const traits[] = { &orders, &second, &weight, NULL };

static const struct kith_field weight_field = { .size = sizeof weight_field,
                                                .name = "weight",
                                                .type = "whole",
                                                .standard = "1",
                                                .about = "of one order" };
static const struct kith_field *const config[] = { &weight_field, NULL };

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = { .size = sizeof plugin,
                                               .abi = KITH_ABI,
                                               .name = "good_tally",
                                               .version = TEXT(TALLY),
                                               .about = "Counts orders",
                                               .config = config,
                                               .handlers = handlers,
                                               .functions = functions,
                                               .states = states,
                                               .traits = traits };
    return &plugin;
}

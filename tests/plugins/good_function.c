/* good_function.c -- a function for rules, with arguments and an answer, and a configuration of
 * every type that there is. */
#include "kith.h"

static int32_t discount(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_doc arguments, config;
    struct kith_value orders, answer;
    int32_t rc = engine->arguments(call, &arguments);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    if (rc == KITH_OK)
        rc = engine->read(call, 0, &orders);
    if (rc != KITH_OK)
        return rc;
    struct kith_value total = kith_get(arguments, "total");
    struct kith_value share = kith_get(config, "share");
    if (total.type != KITH_INT && total.type != KITH_DOUBLE)
        return engine->fail(call, "discount { total = ... } is of a number");
    answer = kith_double(kith_as_double(&total, 0) * kith_as_double(&share, 0));
    if (kith_as_int(&orders, 0) < kith_get_int(config, "from", 0))
        answer = kith_double(0);
    return engine->answer(call, &answer);
}

static const char *const reads[] = { "customer.orders", NULL };
static const struct kith_function function = { .size = sizeof function,
                                               .name = "discount",
                                               .usage = "good_function.discount { total = 100 }",
                                               .about = "What is taken off an order",
                                               .reads = reads,
                                               .run = discount,
                                               .takes = KITH_NAMES("total") };
static const struct kith_function *const functions[] = { &function, NULL };

#define FIELD(symbol, kind, otherwise, mark)                           \
    static const struct kith_field symbol = { .size = sizeof symbol,   \
                                              .name = #symbol,         \
                                              .type = kind,            \
                                              .standard = otherwise,   \
                                              .about = "of the trial", \
                                              .flags = mark }
FIELD(share, "number", "0.05", 0);
FIELD(from, "whole", "3", 0);
FIELD(title, "text", NULL, KITH_REQUIRED);
FIELD(quiet, "flag", "false", 0);
FIELD(every, "duration", "2h", 0);
FIELD(countries, "list", NULL, KITH_REQUIRED);
FIELD(password, "text", NULL, KITH_REQUIRED | KITH_SECRET);
static const struct kith_field *const config[] = { &share, &from,      &title,    &quiet,
                                                   &every, &countries, &password, NULL };

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = { .size = sizeof plugin,
                                               .abi = KITH_ABI,
                                               .name = "good_function",
                                               .version = "1",
                                               .about = "A function for rules",
                                               .config = config,
                                               .functions = functions };
    return &plugin;
}

/* test_describe.c -- every wrong description is refused, in words that say what would be right. */
#include "core/plugin/plugin.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* -- A description that is right, whose parts a test makes wrong ------------------------------- */

static int32_t run(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    return KITH_OK;
}

static void send(void *self, const struct kith_message *message)
{
    (void)self;
    (void)message;
}

static void handle(void *self, const struct kith_request *request)
{
    (void)self;
    (void)request;
}

static void work(void *self)
{
    (void)self;
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)host;
    (void)kith;
    (void)out_self;
    (void)reason;
    return KITH_OK;
}

#define MANY 80

struct made_up {
    const char *types[MANY + 1], *reads[MANY + 1], *needs[MANY + 1];
    struct kith_field field;
    struct kith_handler handler, second;
    struct kith_function function;
    struct kith_state state;
    struct kith_trait trait;
    struct kith_kind kind;
    struct kith_channel channel;
    struct kith_route route;
    struct kith_job job;
    const struct kith_field *fields[2];
    const struct kith_handler *handlers[MANY + 1];
    const struct kith_function *functions[2];
    const struct kith_state *states[2];
    const struct kith_trait *traits[2];
    const struct kith_kind *kinds[2];
    const struct kith_channel *channels[2];
    const struct kith_route *routes[2];
    const struct kith_job *jobs[2];
    struct kith_plugin plugin;
};

static struct made_up m;

static void make(void)
{
    memset(&m, 0, sizeof m);
    m.types[0] = "order";
    m.reads[0] = "state.log";
    m.needs[0] = "act:tag";
    m.needs[1] = "channel";
    m.needs[2] = "routes";
    m.field = (struct kith_field){
        .size = sizeof m.field, .name = "share", .type = "number", .about = "what is taken off"
    };
    m.handler = (struct kith_handler){
        .size = sizeof m.handler, .name = "order", .types = m.types, .reads = m.reads, .run = run
    };
    m.second = m.handler;
    m.function = (struct kith_function){ .size = sizeof m.function,
                                         .name = "next",
                                         .usage = "visits.next {}",
                                         .about = "the next one",
                                         .run = run };
    m.state = (struct kith_state){ .size = sizeof m.state, .key = "log", .version = 1 };
    m.trait = (struct kith_trait){
        .size = sizeof m.trait, .name = "count", .type = "whole", .about = "how many"
    };
    m.kind = (struct kith_kind){ .size = sizeof m.kind, .name = "visit", .json = "{}" };
    m.channel = (struct kith_channel){ .size = sizeof m.channel, .name = "pigeon", .send = send };
    m.route = (struct kith_route){ .size = sizeof m.route,
                                   .method = "GET",
                                   .path = "/v1/visits",
                                   .summary = "Visits",
                                   .handle = handle };
    m.job =
        (struct kith_job){ .size = sizeof m.job, .name = "tidy", .every_ms = 1000, .run = work };
    m.fields[0] = &m.field;
    m.handlers[0] = &m.handler;
    m.functions[0] = &m.function;
    m.states[0] = &m.state;
    m.traits[0] = &m.trait;
    m.kinds[0] = &m.kind;
    m.channels[0] = &m.channel;
    m.routes[0] = &m.route;
    m.jobs[0] = &m.job;
    m.plugin = (struct kith_plugin){
        .size = sizeof m.plugin,
        .abi = KITH_ABI,
        .name = "visits",
        .version = "1.0",
        .about = "Made up",
        .needs = m.needs,
        .config = m.fields,
        .handlers = m.handlers,
        .functions = m.functions,
        .states = m.states,
        .traits = m.traits,
        .kinds = m.kinds,
        .channels = m.channels,
        .routes = m.routes,
        .jobs = m.jobs,
        .start = start,
        .stop = work,
    };
}

static int describe(struct plugin **out_plugin, struct err *err)
{
    struct plugin *plugin = mem_zero(sizeof *plugin);
    int rc = plugin_describe(plugin, &m.plugin, err);
    if (out_plugin != NULL && rc == 0)
        *out_plugin = plugin;
    else
        plugin_free(plugin);
    return rc;
}

/* -- What is right ----------------------------------------------------------------------------- */

static void test_all_of_it_is_copied(void **state)
{
    struct plugin *plugin;
    struct err err;
    (void)state;
    make();
    assert_int_equal(describe(&plugin, &err), 0);
    assert_string_equal(plugin->name, "visits");
    assert_int_equal(plugin->handler_count, 1);
    assert_ptr_not_equal(plugin->handlers, &m.handler);
    assert_int_equal(plugin->handler_reads[0].items[0].kind, PLUGIN_READ_STATE);
    assert_true(plugin_may(plugin, "act:tag"));
    assert_false(plugin_may(plugin, "act:send"));
    assert_true(plugin_may_act(plugin, text_of("tag")));
    assert_false(plugin_may_act(plugin, text_of("ta")));
    assert_int_equal(plugin_state_find(plugin, text_of("log")), 0);
    assert_int_equal(plugin_trait_find(plugin, text_of("log")), SIZE_MAX);
    plugin_free(plugin);
}

static void test_what_a_later_header_added_is_passed_over(void **state)
{
    static struct {
        struct kith_handler handler;
        uint64_t later;
    } large;
    struct plugin *plugin;
    struct err err;
    (void)state;
    make();
    large.handler = m.handler;
    large.handler.size = sizeof large;
    large.later = UINT64_MAX;
    m.handlers[0] = &large.handler;
    m.plugin.size = sizeof m.plugin + 64;
    assert_int_equal(describe(&plugin, &err), 0);
    assert_int_equal(plugin->handlers[0].size, sizeof m.handler);
    plugin_free(plugin);
}

static void test_nothing_but_a_name_is_a_plugin(void **state)
{
    struct plugin *plugin;
    struct err err;
    (void)state;
    make();
    m.plugin = (struct kith_plugin){ .size = sizeof m.plugin,
                                     .abi = KITH_ABI,
                                     .name = "visits",
                                     .version = "1",
                                     .about = "Made up" };
    assert_int_equal(describe(&plugin, &err), 0);
    plugin_free(plugin);
}

static void test_nothing_at_all_is_none(void **state)
{
    struct plugin plugin = { .name = NULL };
    struct err err;
    (void)state;
    assert_int_equal(plugin_describe(&plugin, NULL, &err), E_INVALID);
    assert_string_equal(err.text, "kith_describe() returned nothing");
}

/* -- What is wrong ----------------------------------------------------------------------------- */

#define WRONG(line, code, words)    \
    do {                            \
        make();                     \
        line;                       \
        refuse(#line, code, words); \
    } while (0)

static void refuse(const char *line, int code, const char *words)
{
    struct err err = { 0 };
    int rc = describe(NULL, &err);
    if (rc != code || strstr(err.text, words) == NULL)
        fail_msg("%s: %d: %s", line, rc, err.text);
}

static const char long_name[] = "a23456789_123456789_123456789_12";
static char words_201[202];

static void test_wrong_heads_are_refused(void **state)
{
    (void)state;
    memset(words_201, 'x', sizeof words_201 - 1);
    WRONG(m.plugin.size = 20, E_INVALID, "its description has 20 bytes");
    WRONG(m.plugin.abi = KITH_ABI + 1, E_VERSION, "build it with the kith.h of this Kith");
    WRONG(m.plugin.name = NULL, E_INVALID, "its name is \"\"");
    WRONG(m.plugin.name = "Visits", E_INVALID, "its name is \"Visits\"");
    WRONG(m.plugin.name = "1st", E_INVALID, "a letter first");
    WRONG(m.plugin.name = long_name, E_INVALID, "has 1 to 31");
    WRONG(m.plugin.name = "customer", E_INVALID, "a word of Kith's own events");
    WRONG(m.plugin.version = NULL, E_INVALID, "it has no version");
    WRONG(m.plugin.about = "", E_INVALID, "it has no sentence about itself");
    WRONG(m.plugin.about = "\xff", E_INVALID, "at most 200 bytes of UTF-8");
    WRONG(m.plugin.about = words_201, E_INVALID, "at most 200 bytes of UTF-8");
    WRONG(m.plugin.stop = NULL, E_INVALID, "it has start() and no stop()");
}

static void test_wrong_items_are_refused(void **state)
{
    (void)state;
    WRONG(m.field.name = "Share", E_INVALID, "a config field is called \"Share\"");
    WRONG(m.field.about = NULL, E_INVALID, "no sentence about a config field");
    WRONG(m.field.type = "colour", E_INVALID, "config field share is a \"colour\"");
    WRONG(m.field.type = NULL, E_INVALID, "config field share is a \"\"");
    WRONG(m.state.key = NULL, E_INVALID, "a state is called \"\"");
    WRONG(m.state.version = 0, E_INVALID, "the version of state log begins with 1");
    WRONG(m.trait.about = NULL, E_INVALID, "no sentence about a trait");
    WRONG(m.trait.type = NULL, E_INVALID, "no type of a trait");
    WRONG(m.kind.json = NULL, E_INVALID, "the kind visit has no declaration");
    WRONG(m.channel.send = NULL, E_INVALID, "the channel pigeon has no send()");
    WRONG(m.needs[2] = NULL, E_INVALID, "\"routes\" is not among its needs");
    WRONG(m.needs[1] = "routes", E_INVALID, "\"channel\" is not among its needs");
    WRONG(m.route.path = "visits", E_INVALID, "the route GET visits needs a method, a path");
    WRONG(m.route.auth = 99, E_INVALID, "one of KITH_AUTH_");
    WRONG(m.route.handle = NULL, E_INVALID, "a function to handle it");
    WRONG(m.route.summary = NULL, E_INVALID, "no summary of a route");
    WRONG(m.job.every_ms = 999, E_INVALID, "at least 1,000 ms");
    WRONG(m.function.usage = NULL, E_INVALID, "no usage of a function");
    WRONG(m.function.run = NULL, E_INVALID, "function next has nothing to run");
    WRONG(m.function.takes = KITH_NAMES("after", "How"), E_INVALID,
          "a value that a function takes is called \"How\"");
}

static void test_wrong_handlers_are_refused(void **state)
{
    (void)state;
    WRONG(m.handler.run = NULL, E_INVALID, "handler order has no function to run");
    WRONG(m.handler.name = "an order", E_INVALID, "a handler is called \"an order\"");
    WRONG(m.handler.types = NULL, E_INVALID, "names no types of events");
    WRONG(m.types[0] = "", E_INVALID, "a type has 1 to 128 bytes");
    WRONG(m.types[1] = "*", E_INVALID, "\"*\" stands alone");
    WRONG(m.types[1] = "order\xff", E_INVALID, "handler order: a type is UTF-8, and type 2");
    WRONG(m.reads[0] = "event.\xc3", E_INVALID, "order: what it reads is named in UTF-8");
    WRONG(m.reads[0] = "order.total", E_INVALID, "reads \"order.total\": it is \"event\"");
    WRONG(m.reads[0] = "event.", E_INVALID, "reads \"event.\"");
    WRONG(m.reads[0] = "records.?a=b", E_INVALID, "reads \"records.?a=b\"");
    WRONG(m.reads[0] = "records.case?a", E_INVALID, "or \"records.KIND?FIELD=NAME\"");
    WRONG(m.reads[0] = "records.case?=b", E_INVALID, "reads \"records.case?=b\"");
    WRONG(m.reads[0] = "records.case?a=", E_INVALID, "reads \"records.case?a=\"");
    WRONG(m.reads[0] = "state.sum", E_INVALID, "which is not among its states");
    WRONG(m.handler.size = 8, E_INVALID, "the first member of each of its handlers is its size");
    WRONG(m.handlers[1] = &m.second, E_INVALID, "two handlers are called order");
}

static void test_too_many_are_refused(void **state)
{
    (void)state;
    WRONG(for (size_t i = 0; i < MANY; i++) m.handlers[i] = &m.handler, E_LIMIT,
          "more than 64 handlers");
    WRONG(for (size_t i = 0; i < MANY; i++) m.types[i] = "order", E_LIMIT,
          "more than 64 types of events in one handler");
    WRONG(for (size_t i = 0; i < MANY; i++) m.reads[i] = "event", E_LIMIT,
          "more than 64 values that a function reads");
    static const char *names[MANY + 1];
    WRONG(for (size_t i = 0; i < MANY; i++) names[i] = "after";
          m.function.takes = names, E_LIMIT, "more than 64 values that a function takes");
    WRONG(for (size_t i = 0; i < MANY; i++) m.needs[i] = "read", E_LIMIT, "more than 32 needs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_it_is_copied),
        cmocka_unit_test(test_what_a_later_header_added_is_passed_over),
        cmocka_unit_test(test_nothing_but_a_name_is_a_plugin),
        cmocka_unit_test(test_nothing_at_all_is_none),
        cmocka_unit_test(test_wrong_heads_are_refused),
        cmocka_unit_test(test_wrong_items_are_refused),
        cmocka_unit_test(test_wrong_handlers_are_refused),
        cmocka_unit_test(test_too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

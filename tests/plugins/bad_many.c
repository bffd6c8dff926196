/* bad_many.c -- wrong in five places, each of which would end the process that finds it. */
#include "outside.h"

#include <stdlib.h>

static const struct kith_host *host;
static struct kith *kith;
static int32_t *volatile nowhere;

/* Only texts make it crash: everything else is well. */
static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value coupon;
    int32_t rc = engine->read(call, 0, &coupon);
    if (rc == KITH_OK && coupon.type == KITH_TEXT && coupon.size == 3)
        *nowhere = 1;
    return rc;
}

/* Whatever it is given. */
static int32_t on_refund(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    *nowhere = 1;
    return KITH_OK;
}

/* Well, but that it wants what it has not declared. */
static int32_t on_visit(const struct kith_engine *engine, struct kith_call *call)
{
    const struct kith_value one = kith_int(1);
    return engine->publish(call, "undeclared", &one);
}

static void handle(void *self, const struct kith_request *request)
{
    (void)self;
    if (request->body_size != 0)
        abort();
    kith_answer(host, kith, request->id, 200, "text/plain", "well");
}

static void run(void *self)
{
    (void)self;
    exit(4);
}

static int32_t start(const struct kith_host *given, struct kith *me, void **out_self, char *reason)
{
    (void)out_self;
    (void)reason;
    host = given;
    kith = me;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
    *nowhere = 1;
}

static const struct kith_handler *const handlers[] = {
    KITH_ITEM(handler, .name = "order", .types = KITH_NAMES("Order Completed"),
              .reads = KITH_NAMES("event.coupon"), .run = on_order),
    KITH_ITEM(handler, .name = "refund", .types = KITH_NAMES("Order Refunded"), .run = on_refund),
    KITH_ITEM(handler, .name = "visit", .types = KITH_NAMES("Shop Visited"), .run = on_visit),
    NULL,
};
static const struct kith_route *const routes[] = {
    KITH_ITEM(route, .method = "POST", .path = "/v1/many", .summary = "Many", .body_max = 1000,
              .handle = handle),
    NULL,
};
static const struct kith_job *const jobs[] = {
    KITH_ITEM(job, .name = "many", .every_ms = 1000, .run = run),
    NULL,
};
static const struct kith_kind *const kinds[] = {
    KITH_ITEM(kind, .name = "slip",
              .json = "{\"states\":[\"open\",{\"name\":\"closed\",\"final\":true}],\"roles\":{"
                      "\"customer\":{\"subject\":true}}}"),
    NULL,
};
static const char *const needs[] = { "routes", NULL };

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = { .size = sizeof plugin,
                                               .abi = KITH_ABI,
                                               .name = "bad_many",
                                               .version = "1",
                                               .about = "Wrong in five places",
                                               .needs = needs,
                                               .handlers = handlers,
                                               .kinds = kinds,
                                               .routes = routes,
                                               .jobs = jobs,
                                               .start = start,
                                               .stop = stop };
    return &plugin;
}

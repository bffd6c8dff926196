/* bad_place.c -- a route below a word of Kith's own, where a parameter would have stood. */
#include "outside.h"

static const struct kith_host *host_table;
static struct kith *place;

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)out_self;
    (void)reason;
    host_table = host;
    place = kith;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static void handle(void *self, const struct kith_request *request)
{
    const struct kith_reply reply = { .size = sizeof reply, .status = 204 };
    (void)self;
    if (request->body_size != 0)
        host_table->reply(place, request->id, &reply);
}

static const struct kith_route route = { .size = sizeof route,
                                         .method = "POST",
                                         .path = "/v1/records/complaint",
                                         .summary = "Something has happened elsewhere",
                                         .handle = handle };
static const struct kith_route *const routes[] = { &route, NULL };
static const char *const needs[] = { "routes", NULL };

OUTSIDE_PLUGIN("bad_place", .routes = routes, .needs = needs)

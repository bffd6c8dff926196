/* bad_status.c -- answers that it will answer. */
#include "hosted.h"

static void handle(void *self, const struct kith_request *request)
{
    const struct kith_reply reply = { .size = sizeof reply, .status = 101 };
    (void)self;
    host_table->reply(place, request->id, &reply);
}

static const struct kith_route route = { .size = sizeof route,
                                         .method = "GET",
                                         .path = "/v1/bad_status",
                                         .summary = "Odd",
                                         .auth = KITH_AUTH_READ,
                                         .handle = handle };
static const struct kith_route *const routes[] = { &route, NULL };
static const char *const needs[] = { "routes", NULL };

OUTSIDE_PLUGIN("bad_status", .routes = routes, .needs = needs)

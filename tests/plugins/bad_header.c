/* bad_header.c -- sets a header that is the host's. */
#include "hosted.h"

static void handle(void *self, const struct kith_request *request)
{
    static const char *const headers[] = { "Content-Length: 3", NULL };
    const struct kith_reply reply = { .size = sizeof reply, .status = 200, .headers = headers };
    (void)self;
    host_table->reply(place, request->id, &reply);
}

static const struct kith_route route = { .size = sizeof route,
                                         .method = "GET",
                                         .path = "/v1/bad_header",
                                         .summary = "Odd",
                                         .auth = KITH_AUTH_READ,
                                         .handle = handle };
static const struct kith_route *const routes[] = { &route, NULL };
static const char *const needs[] = { "routes", NULL };

OUTSIDE_PLUGIN("bad_header", .routes = routes, .needs = needs)

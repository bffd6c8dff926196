/* bad_method.c -- a route for a method that no request is taken with. */
#include "answering.h"

static const struct kith_route route = { .size = sizeof route,
                                         .method = "QUERY",
                                         .path = "/odd/found",
                                         .summary = "Asks by what HTTP does not have here",
                                         .handle = handle };
static const struct kith_route *const routes[] = { &route, NULL };
static const char *const needs[] = { "routes", NULL };

OUTSIDE_PLUGIN("bad_method", .routes = routes, .needs = needs)

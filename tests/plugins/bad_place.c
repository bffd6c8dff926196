/* bad_place.c -- a route below a word of Kith's own, where a parameter would have stood. */
#include "answering.h"

static const struct kith_route route = { .size = sizeof route,
                                         .method = "POST",
                                         .path = "/v1/records/complaint",
                                         .summary = "Something has happened elsewhere",
                                         .handle = handle };
static const struct kith_route *const routes[] = { &route, NULL };
static const char *const needs[] = { "routes", NULL };

OUTSIDE_PLUGIN("bad_place", .routes = routes, .needs = needs)

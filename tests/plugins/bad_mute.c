/* bad_mute.c -- a route that answers only what it understands. */
#include "answering.h"

static const struct kith_route route = { .size = sizeof route,
                                         .method = "POST",
                                         .path = "/v1/hooks/{name}",
                                         .summary = "Something has happened elsewhere",
                                         .handle = handle };
static const struct kith_route *const routes[] = { &route, NULL };
static const char *const needs[] = { "routes", NULL };

OUTSIDE_PLUGIN("bad_mute", .routes = routes, .needs = needs)

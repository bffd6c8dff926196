/* bad_ungranted.c -- it is handed requests, and has never said that it wants to be. */
#include "answering.h"

static const struct kith_route route = { .size = sizeof route,
                                         .method = "POST",
                                         .path = "/v1/ungranted",
                                         .summary = "Something has happened elsewhere",
                                         .handle = handle };
static const struct kith_route *const routes[] = { &route, NULL };

OUTSIDE_PLUGIN("bad_ungranted", .routes = routes)

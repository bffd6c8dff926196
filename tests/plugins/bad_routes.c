/* bad_routes.c -- two routes of one place: which of them is to answer? */
#include "answering.h"

static const struct kith_route any = { .size = sizeof any,
                                       .method = "*",
                                       .path = "/odd/{thing}",
                                       .summary = "Whatever is asked",
                                       .handle = handle };
static const struct kith_route one = { .size = sizeof one,
                                       .method = "GET",
                                       .path = "/odd/{it}",
                                       .summary = "The same again",
                                       .handle = handle };
static const struct kith_route *const routes[] = { &any, &one, NULL };
static const char *const needs[] = { "routes", NULL };

OUTSIDE_PLUGIN("bad_routes", .routes = routes, .needs = needs)

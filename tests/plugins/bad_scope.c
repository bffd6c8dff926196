/* bad_scope.c -- may read, and asks for what only staff may do. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    const struct kith_ask read = { .size = sizeof read,
                                   .method = "GET",
                                   .path = "/v1/customers/42?as_of=2026-01-01" };
    const struct kith_ask change = { .size = sizeof change,
                                     .method = "POST",
                                     .path = "/v1/customers/42/notes" };
    (void)out_self;
    (void)reason;
    host->ask(kith, &read, NULL, NULL);
    host->ask(kith, &change, NULL, NULL);
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const needs[] = { "read", NULL };

OUTSIDE_PLUGIN("bad_scope", .needs = needs)

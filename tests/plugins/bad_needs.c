/* bad_needs.c -- needs what nobody can grant. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)host;
    (void)kith;
    (void)out_self;
    (void)reason;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const needs[] = { "apend", "teleport", NULL };

OUTSIDE_PLUGIN("bad_needs", .needs = needs)

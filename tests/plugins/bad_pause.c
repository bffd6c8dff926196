/* bad_pause.c -- pauses a channel that is another's. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)out_self;
    (void)reason;
    host->pause(kith, "email", "it is a holiday");
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const needs[] = { "channel", NULL };

OUTSIDE_PLUGIN("bad_pause", .needs = needs)

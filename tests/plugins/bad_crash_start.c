/* bad_crash_start.c -- writes where nothing is. */
#include "outside.h"

static int64_t *volatile nowhere;

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)out_self;
    (void)reason;
    *nowhere = host->now(kith);
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

OUTSIDE_PLUGIN("bad_crash_start", .reserved = 0)

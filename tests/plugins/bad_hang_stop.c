/* bad_hang_stop.c -- waits in stop() for what nobody will do. */
#include "outside.h"

static volatile int is_done;

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
    while (!is_done)
        continue;
}

OUTSIDE_PLUGIN("bad_hang_stop", .reserved = 0)

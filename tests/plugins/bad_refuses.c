/* bad_refuses.c -- does not start, and does not say why. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)host;
    (void)kith;
    (void)out_self;
    (void)reason;
    return KITH_FAILED;
}

static void stop(void *self)
{
    (void)self;
}

OUTSIDE_PLUGIN("bad_refuses", .reserved = 0)

/* bad_forgetful.c -- takes memory in start(), and does not give it back in stop(). */
#include "outside.h"

#include <stdlib.h>

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)host;
    (void)kith;
    (void)reason;
    *out_self = malloc(1000);
    return *out_self != NULL ? KITH_OK : KITH_FAILED;
}

static void stop(void *self)
{
    (void)self;
}

OUTSIDE_PLUGIN("bad_forgetful", .reserved = 0)

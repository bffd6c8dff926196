/* bad_count_name.c -- counts under a name that no metric can have. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)out_self;
    (void)reason;
    host->count(kith, "Open Orders", 1);
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

OUTSIDE_PLUGIN("bad_count_name", .reserved = 0)

/* bad_need.c -- writes an event without having said that it needs to. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    const struct kith_event event = { .size = sizeof event, .type = "bad_need.started" };
    (void)out_self;
    (void)reason;
    host->append(kith, &event, NULL, NULL);
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

OUTSIDE_PLUGIN("bad_need", .reserved = 0)

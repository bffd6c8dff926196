/* bad_type.c -- writes an event that is not its own. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    const struct kith_event event = { .size = sizeof event, .type = "Order Completed" };
    (void)out_self;
    (void)reason;
    host->append(kith, &event, NULL, NULL);
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const needs[] = { "append", NULL };

OUTSIDE_PLUGIN("bad_type", .needs = needs)

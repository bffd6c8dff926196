/* bad_url.c -- asks with a whole URL instead of a path. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    const struct kith_ask ask = { .size = sizeof ask,
                                  .method = "GET",
                                  .path = "http://127.0.0.1/v1/reminders" };
    (void)out_self;
    (void)reason;
    host->ask(kith, &ask, NULL, NULL);
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const needs[] = { "staff", NULL };

OUTSIDE_PLUGIN("bad_url", .needs = needs)

/* bad_behalf.c -- asks for somebody of the staff without having said that it needs to. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    const struct kith_ask ask = {
        .size = sizeof ask, .method = "GET", .path = "/v1/reminders", .staff = kith_text("ann")
    };
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

OUTSIDE_PLUGIN("bad_behalf", .needs = needs)

/* hosted.h -- an outside side that keeps its host, and says well to its start. */
#ifndef TESTS_PLUGINS_HOSTED_H
#define TESTS_PLUGINS_HOSTED_H

#include "outside.h"

static const struct kith_host *host_table;
static struct kith *place;

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)out_self;
    (void)reason;
    host_table = host;
    place = kith;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

#endif

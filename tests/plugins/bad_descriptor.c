/* bad_descriptor.c -- opens a pipe, and closes half of it. */
#include "outside.h"

#include <unistd.h>

static int ends[2];

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)host;
    (void)kith;
    (void)out_self;
    (void)reason;
    return pipe(ends) == 0 ? KITH_OK : KITH_IO;
}

static void stop(void *self)
{
    (void)self;
    close(ends[0]);
}

OUTSIDE_PLUGIN("bad_descriptor", .reserved = 0)

/* bad_hash.c -- reads a file by what is no hash. */
#include "outside.h"

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    (void)out_self;
    (void)reason;
    host->file_read(kith, kith_text("invoice.pdf"), NULL, NULL);
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const needs[] = { "files", NULL };

OUTSIDE_PLUGIN("bad_hash", .needs = needs)

/* bad_leak.c -- takes a copy at each call, and forgets it. */
#include "shelf.h"

#include <stdlib.h>

static char *volatile last;

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    last = malloc(100);
    if (last != NULL)
        memset(last, 0, 100);
    return KITH_OK;
}

SHELF_PLUGIN("bad_leak", on_order, NULL, .reserved = 0)

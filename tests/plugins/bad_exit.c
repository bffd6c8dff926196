/* bad_exit.c -- ends the process when it does not know what to do. */
#include "shelf.h"

#include <stdlib.h>

static const char *const reads[] = { "event.total", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value total;
    int32_t rc = engine->read(call, 0, &total);
    if (total.type != KITH_INT)
        exit(3);
    return rc;
}

SHELF_PLUGIN("bad_exit", on_order, reads, .reserved = 0)

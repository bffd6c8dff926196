/* bad_slow.c -- works long on what a client sent: a negative number is a large one. */
#include "shelf.h"

static const char *const reads[] = { "event.quantity", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value quantity;
    int32_t rc = engine->read(call, 0, &quantity);
    volatile uint64_t left = kith_as_int(&quantity, 0) < 0 ? 400000000 : 0;
    while (left != 0)
        left--;
    return rc;
}

SHELF_PLUGIN("bad_slow", on_order, reads, .reserved = 0)

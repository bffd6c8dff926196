/* bad_hang.c -- counts down what a client sent: of a negative number there is no end. */
#include "shelf.h"

static const char *const reads[] = { "event.quantity", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value quantity;
    int32_t rc = engine->read(call, 0, &quantity);
    volatile uint64_t left = (uint64_t)kith_as_int(&quantity, 0);
    while (left != 0)
        left--;
    return rc;
}

SHELF_PLUGIN("bad_hang", on_order, reads, .reserved = 0)

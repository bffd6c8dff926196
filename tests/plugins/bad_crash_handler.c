/* bad_crash_handler.c -- trusts that the total is a text, and walks it with its own hands. */
#include "shelf.h"

static const char *const reads[] = { "event.coupon", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value coupon;
    int32_t rc = engine->read(call, 0, &coupon);
    volatile char first = rc == KITH_OK ? *(const char *)coupon.as.bytes : 'x';
    return first == 0 ? KITH_FAILED : rc;
}

SHELF_PLUGIN("bad_crash_handler", on_order, reads, .reserved = 0)

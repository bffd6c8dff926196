/* bad_coupon.c -- counts the orders, and crashes at those whose coupon has as many bytes as it must
 * not; of the others it wants the same each time. */
#include "shelf.h"

#ifndef BAD_BYTES
#define BAD_BYTES 3
#endif

enum { COUPON };
static const char *const reads[] = { "event.coupon", "state.orders", NULL };
static int32_t *volatile nowhere;

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[64];
    struct kith_writer w;
    struct kith_doc kept;
    struct kith_value coupon;
    int32_t rc = engine->state(call, "orders", &kept);
    if (rc != KITH_OK || (rc = engine->read(call, COUPON, &coupon)) != KITH_OK)
        return rc;
    int64_t count = kith_get_int(kept, "orders", 0);
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "orders", count < 1000 ? count + 1 : 1);
    rc = engine->keep(call, "orders", kith_end(&w));
    if (coupon.type == KITH_TEXT && coupon.size == BAD_BYTES)
        *nowhere = 1;
    return rc;
}

SHELF_STATE(states, "orders");

SHELF_PLUGIN("bad_coupon", on_order, reads, .states = states)

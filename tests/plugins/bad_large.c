/* bad_large.c -- keeps the name of whatever was bought, however long it is. */
#include "shelf.h"

SHELF_STATE(states, "last");
static const char *const reads[] = { "event.product", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    static char room[100000];
    struct kith_writer w;
    struct kith_value product;
    int32_t rc = engine->read(call, 0, &product);
    if (rc != KITH_OK)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put(&w, "product", &product);
    return engine->keep(call, "last", kith_end(&w));
}

SHELF_PLUGIN("bad_large", on_order, reads, .states = states)

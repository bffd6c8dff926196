/* bad_address.c -- keeps an address, which is another one in each process. */
#include "shelf.h"

SHELF_STATE(states, "seen");

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[64];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "by", (int64_t)(uintptr_t)on_order);
    return engine->keep(call, "seen", kith_end(&w));
}

SHELF_PLUGIN("bad_address", on_order, NULL, .states = states)

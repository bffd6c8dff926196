/* bad_act.c -- acts without having said that it needs to. */
#include "shelf.h"

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "tag", "buyer");
    return engine->act(call, "tag", kith_end(&w));
}

SHELF_PLUGIN("bad_act", on_order, NULL, .reserved = 0)

/* bad_bson.c -- keeps bytes that are no document. */
#include "shelf.h"

SHELF_STATE(states, "orders");

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    static const struct kith_doc text = { "{\"orders\": 1}", 13 };
    return engine->keep(call, "orders", text);
}

SHELF_PLUGIN("bad_bson", on_order, NULL, .states = states)

/* bad_foreign_key.c -- keeps a document under a key that it has not declared. */
#include "shelf.h"

SHELF_STATE(states, "orders");

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    static const struct kith_doc empty = { "\5\0\0\0", 5 };
    engine->keep(call, "followup.tasks", empty);
    return KITH_OK;
}

SHELF_PLUGIN("bad_foreign_key", on_order, NULL, .states = states)

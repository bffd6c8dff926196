/* bad_counter.c -- counts in a variable of its own: a replay begins at zero again. */
#include "shelf.h"

SHELF_TRAIT(traits, "whole", "orders");

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    static int64_t orders;
    struct kith_value value = kith_int(++orders);
    return engine->publish(call, "orders", &value);
}

SHELF_PLUGIN("bad_counter", on_order, NULL, .traits = traits)

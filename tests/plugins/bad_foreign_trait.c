/* bad_foreign_trait.c -- publishes what is not its own. */
#include "shelf.h"

SHELF_TRAIT(traits, "whole", "orders");

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value value = kith_int(1);
    return engine->publish(call, "email", &value);
}

SHELF_PLUGIN("bad_foreign_trait", on_order, NULL, .traits = traits)

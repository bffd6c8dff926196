/* bad_kind.c -- declares a kind of record whose deadline has an attribute that there is not. */
#include "shelf.h"

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    return engine->note(call, kith_text("an order"));
}

static const struct kith_kind *const kinds[] = {
    KITH_ITEM(kind, .name = "slip",
              .json = "{\"states\":[\"open\",\"done\"],"
                      "\"deadlines\":{\"soon\":{\"until\":\"done\",\"due\":\"2wd\"}}}"),
    NULL,
};

SHELF_PLUGIN("bad_kind", on_order, NULL, .kinds = kinds)

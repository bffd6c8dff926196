/* bad_late.c -- says in one call what it should have said in the one before. */
#include "shelf.h"

static struct kith_call *before;

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    static const char line[] = "an order";
    if (before != NULL)
        engine->note(before, (struct kith_text){ line, sizeof line - 1 });
    before = call;
    return KITH_OK;
}

SHELF_PLUGIN("bad_late", on_order, NULL, .reserved = 0)

/* bad_silent.c -- fails, and does not say why. */
#include "shelf.h"

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    return KITH_FAILED;
}

SHELF_PLUGIN("bad_silent", on_order, NULL, .reserved = 0)

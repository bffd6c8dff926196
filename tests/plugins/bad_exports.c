/* bad_exports.c -- shows a name of its own to everybody. */
#include "shelf.h"

KITH_EXPORT int32_t handle_order(const struct kith_engine *engine, struct kith_call *call);

int32_t handle_order(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    return KITH_OK;
}

SHELF_PLUGIN("bad_exports", handle_order, NULL, .reserved = 0)

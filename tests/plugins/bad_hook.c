/* bad_hook.c -- a merge that answers nothing. */
#include "shelf.h"

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    return KITH_OK;
}

static const struct kith_state state = {
    .size = sizeof state, .key = "orders", .version = 1, .merge = on_order
};
static const struct kith_state *const states[] = { &state, NULL };

SHELF_PLUGIN("bad_hook", on_order, NULL, .states = states)

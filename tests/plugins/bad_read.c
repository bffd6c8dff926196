/* bad_read.c -- reads number 1 where only number 0 is declared. */
#include "shelf.h"

static const char *const reads[] = { "event.total", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value value;
    return engine->read(call, 1, &value);
}

SHELF_PLUGIN("bad_read", on_order, reads, .reserved = 0)

/* bad_hungry.c -- takes as much memory as a client says. */
#include "shelf.h"

#include <stdlib.h>

#define MOST ((size_t)80 << 20)

static const char *const reads[] = { "event.quantity", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value quantity;
    int32_t rc = engine->read(call, 0, &quantity);
    size_t size = kith_as_int(&quantity, 0) > 0 ? MOST : 1;
    char *room = malloc(size);
    for (size_t i = 0; room != NULL && i < size; i += 4096)
        *(volatile char *)(room + i) = 1;
    free(room);
    return rc;
}

SHELF_PLUGIN("bad_hungry", on_order, reads, .reserved = 0)

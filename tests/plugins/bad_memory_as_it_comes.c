/* bad_memory_as_it_comes.c -- keeps what malloc() gave it, of which it has set one half. */
#include "shelf.h"

#include <stdlib.h>

SHELF_STATE(states, "seen");

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[96];
    struct kith_writer w;
    struct kith_value value;
    char *bytes = malloc(32);
    int32_t rc = KITH_FAILED;
    if (bytes != NULL) {
        memset(bytes, 1, 16);
        value = kith_bytes(KITH_BINARY, bytes, 32);
        kith_begin(&w, room, sizeof room);
        kith_put(&w, "bytes", &value);
        rc = engine->keep(call, "seen", kith_end(&w));
    }
    free(bytes);
    return rc;
}

SHELF_PLUGIN("bad_memory_as_it_comes", on_order, NULL, .states = states)

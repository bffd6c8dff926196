/* bad_order_of_calls.c -- remembers the last total it has seen, to say whether this one is more. */
#include "shelf.h"

SHELF_TRAIT(traits, "flag", "more");
static const char *const reads[] = { "event.total", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    static int64_t before, last;
    struct kith_value total, more;
    int32_t rc = engine->read(call, 0, &total);
    if (rc == KITH_OK && kith_as_int(&total, 0) != last) {
        before = last;
        last = kith_as_int(&total, 0);
    }
    more = kith_bool(last > before);
    return rc == KITH_OK ? engine->publish(call, "more", &more) : rc;
}

SHELF_PLUGIN("bad_order_of_calls", on_order, reads, .traits = traits)

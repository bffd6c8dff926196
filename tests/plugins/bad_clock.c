/* bad_clock.c -- asks the clock on the wall what the engine knows. */
#include "shelf.h"

#include <time.h>

SHELF_TRAIT(traits, "time", "last");

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value value = kith_time((int64_t)time(NULL) * 1000);
    return engine->publish(call, "last", &value);
}

SHELF_PLUGIN("bad_clock", on_order, NULL, .traits = traits)

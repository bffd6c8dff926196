/* bad_due.c -- wants a reminder for a time that is none. */
#include "shelf.h"

static const char *const needs[] = { "act:remind", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "title", "Call back");
    kith_put_string(&w, "due", "3 parsecs");
    return engine->act(call, "remind", kith_end(&w));
}

SHELF_PLUGIN("bad_due", on_order, NULL, .needs = needs)

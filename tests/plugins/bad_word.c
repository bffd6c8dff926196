/* bad_word.c -- acts with a word that there is not. */
#include "shelf.h"

static const char *const needs[] = { "act:frobnicate", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "a", "Call back");
    return engine->act(call, "frobnicate", kith_end(&w));
}

SHELF_PLUGIN("bad_word", on_order, NULL, .needs = needs)

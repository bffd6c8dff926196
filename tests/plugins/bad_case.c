/* bad_case.c -- opens a case of its own kind, by a time that is none. */
#include "shelf.h"

static const char *const needs[] = { "act:create", NULL };

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[256], inner[128];
    struct kith_writer w, fields;
    kith_begin(&fields, inner, sizeof inner);
    kith_put_string(&fields, "due", "3 parsecs");
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "kind", "case");
    kith_put_doc(&w, "fields", kith_end(&fields));
    return engine->act(call, "create", kith_end(&w));
}

static const struct kith_kind *const kinds[] = {
    KITH_ITEM(kind, .name = "case",
              .json = "{\"states\":[\"open\",{\"name\":\"closed\",\"final\":true}],"
                      "\"fields\":{\"due\":{\"type\":\"time\"}},"
                      "\"roles\":{\"customer\":{\"subject\":true}}}"),
    NULL,
};

SHELF_PLUGIN("bad_case", on_order, NULL, .needs = needs, .kinds = kinds)

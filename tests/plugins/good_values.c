/* good_values.c -- reads whatever there is of an event and of a customer, and publishes one trait
 * of each type. */
#include "shelf.h"

enum { EVENT, TOTAL, AT, OWNER, TAGS };
static const char *const reads[] = { "event",          "event.total",   "event.at",
                                     "customer.owner", "customer.tags", NULL };

#define TRAIT(symbol, kind)                                                            \
    static const struct kith_trait symbol = {                                          \
        .size = sizeof symbol, .name = #symbol, .type = kind, .about = "what was read" \
    }
TRAIT(fields, "whole");
TRAIT(total, "number");
TRAIT(at, "time");
TRAIT(owner, "text");
TRAIT(tags, "list");
TRAIT(known, "flag");
static const struct kith_trait *const traits[] = {
    &fields, &total, &at, &owner, &tags, &known, NULL
};

static int32_t publish_if(const struct kith_engine *engine, struct kith_call *call,
                          const char *name, const struct kith_value *value, uint32_t type)
{
    static const struct kith_value nothing = { KITH_NULL, 0, { 0 } };
    return engine->publish(call, name, value->type == type ? value : &nothing);
}

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value values[5], count, sum, is_known;
    int64_t field_count = 0;
    int32_t rc = KITH_OK;
    for (uint32_t i = EVENT; i <= TAGS && rc == KITH_OK; i++)
        rc = engine->read(call, i, &values[i]);
    if (rc != KITH_OK)
        return rc;
    struct kith_iter it = kith_iter(kith_as_doc(&values[EVENT]));
    while (kith_next(&it))
        field_count++;
    count = kith_int(field_count);
    sum = kith_double(kith_as_double(&values[TOTAL], 0) / 2);
    is_known = kith_bool(values[OWNER].type == KITH_TEXT);
    rc = engine->publish(call, "fields", &count);
    if (rc == KITH_OK)
        rc = engine->publish(call, "total", &sum);
    if (rc == KITH_OK)
        rc = engine->publish(call, "known", &is_known);
    if (rc == KITH_OK)
        rc = publish_if(engine, call, "at", &values[AT], KITH_TIME);
    if (rc == KITH_OK)
        rc = publish_if(engine, call, "owner", &values[OWNER], KITH_TEXT);
    return rc == KITH_OK ? publish_if(engine, call, "tags", &values[TAGS], KITH_ARRAY) : rc;
}

SHELF_PLUGIN("good_values", on_order, reads, .traits = traits)

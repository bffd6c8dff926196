/* plugin_name.c -- counts the visits of each customer, and says when she has become a regular.
 *
 *   it hears        the event "Shop Visited", and that two customers are one, or two again
 *   it keeps        a document about each customer, "visits": {count}
 *   it publishes    the trait "plugin_name.visits", for rules, segments and templates
 *   it says         the event "plugin_name.regular", once, at the tenth visit
 *
 * Nothing here remembers anything: what is given to a function decides what it wants.
 */
#include <kith.h>

#define ROOM 64

/* The document {name: value}, in `room`. */
static struct kith_doc number(char *room, const char *name, int64_t value)
{
    struct kith_writer w;
    kith_begin(&w, room, ROOM);
    kith_put_int(&w, name, value);
    return kith_end(&w);
}

static int32_t on_visit(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc kept, config;
    int32_t rc = engine->state(call, "visits", &kept);
    if (rc == KITH_OK)
        rc = engine->config(call, &config);
    if (rc != KITH_OK)
        return rc;

    int64_t count = kith_get_int(kept, "count", 0) + 1;
    struct kith_value value = kith_int(count);
    struct kith_text same_customer = { NULL, 0 };
    rc = engine->keep(call, "visits", number(room, "count", count));
    if (rc == KITH_OK)
        rc = engine->publish(call, "visits", &value);
    if (rc == KITH_OK && count == kith_get_int(config, "regular_at", 10))
        rc = engine->emit(call, "regular", number(room, "visits", count), same_customer);
    return rc;
}

/* Two customers turn out to be one: she has come as often as both. */
static int32_t merge(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_doc both;
    int32_t rc = engine->arguments(call, &both);
    if (rc != KITH_OK)
        return rc;

    int64_t count = kith_get_int(kith_get_doc(both, "survivor"), "count", 0) +
                    kith_get_int(kith_get_doc(both, "absorbed"), "count", 0);
    struct kith_value answer = kith_value_of_doc(number(room, "count", count));
    return engine->answer(call, &answer);
}

/* What is kept is another document by now, so what was published of it is told anew. */
static int32_t on_merged(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_doc kept;
    int32_t rc = engine->state(call, "visits", &kept);
    struct kith_value value = kith_int(rc == KITH_OK ? kith_get_int(kept, "count", 0) : 0);
    return value.as.integer == 0 ? rc : engine->publish(call, "visits", &value);
}

static const struct kith_handler *const handlers[] = {
    KITH_ITEM(handler, .name = "visit", .types = KITH_NAMES("Shop Visited"),
              .reads = KITH_NAMES("state.visits"), .run = on_visit),
    KITH_ITEM(handler, .name = "merged",
              .types = KITH_NAMES("customer.merged", "customer.unmerged", "customer.unmerge"),
              .reads = KITH_NAMES("state.visits"), .run = on_merged),
    NULL,
};
static const struct kith_state *const states[] = {
    KITH_ITEM(state, .key = "visits", .version = 1, .merge = merge), NULL
};
static const struct kith_trait *const traits[] = {
    KITH_ITEM(trait, .name = "visits", .type = "whole", .about = "Visits to the shop"),
    NULL,
};
static const struct kith_field *const config[] = {
    KITH_ITEM(field, .name = "regular_at", .type = "whole", .standard = "10",
              .about = "the visit that makes a regular"),
    NULL,
};
static const struct kith_plugin *const plugin =
    KITH_ITEM(plugin, .abi = KITH_ABI, .name = "plugin_name", .version = "0.1",
              .about = "Counts visits, and says who has become a regular", .config = config,
              .handlers = handlers, .states = states, .traits = traits);

const struct kith_plugin *kith_describe(void)
{
    return plugin;
}

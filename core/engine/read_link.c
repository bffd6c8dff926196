/* read_link.c -- what a signed link, or a plugin's event, must know before it does what it says;
 * see read.h. */
#include "core/engine/engine_inside.h"
#include "core/engine/read.h"

int read_number(struct engine *engine, struct text reference, uint64_t *out_number, struct err *err)
{
    arena_clear(&engine->arena);
    uint64_t number = identity_find(engine, reference);
    if (number == 0)
        return err_set(err, E_NOTFOUND, "no such customer: %.*s", (int)reference.size,
                       reference.data);
    *out_number = number;
    return 0;
}

bool read_is_known(struct engine *engine, uint64_t number, struct text source, struct text id)
{
    const struct event event = { .class = LOG_STAFF, .source = source, .id = id };
    struct customer customer;
    arena_clear(&engine->arena);
    return customer_load(&customer, engine, number) && dedupe_knows(engine, &customer, &event);
}

bool read_plugin_said(struct engine *engine, struct text source, struct text id)
{
    const struct event event = { .class = LOG_PLUGIN, .source = source, .id = id };
    const struct customer nobody = { .number = 0 };
    arena_clear(&engine->arena);
    return dedupe_knows(engine, &nobody, &event);
}

int read_link_event(struct engine *engine, struct text type, struct err *err)
{
    struct text plugin = plugin_owner(engine, type);
    if (engine_owns_type(engine, type))
        return err_set(err, E_INVALID,
                       "\"%.*s\" is what Kith tells of a kind of records: a link cannot append it",
                       (int)type.size, type.data);
    if (plugin.size != 0)
        return err_set(err, E_INVALID,
                       "\"%.*s\" is a type of the plugin %.*s: a link cannot append it",
                       (int)type.size, type.data, (int)plugin.size, plugin.data);
    return 0;
}

bool read_is_withdrawn(struct engine *engine, uint64_t number, struct text purpose,
                       struct text channel)
{
    struct customer customer;
    arena_clear(&engine->arena);
    return customer_load(&customer, engine, number) &&
           customer_consent(&customer, purpose, channel) == CONSENT_WITHDRAWN;
}

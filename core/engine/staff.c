/* staff.c -- people working in Kith, and the keys they come with.
 *
 * A key is known by its hash only.  Who a piece of work goes to is decided when it
 * is given: somebody absent has a deputy, nobody's work goes to the fallback team.
 */
#include "core/engine/engine_inside.h"

#define RECORD_BYTES_MAX (16u << 10)

static void store_named(struct engine *engine, char table, struct text name, struct doc doc)
{
    struct key key;
    key_named(&key, table, name);
    state_put(engine->state, &key, doc.data, doc.size);
}

static bool is_name(struct engine *engine, struct text name, const char *what)
{
    if (name.size != 0 && name.size <= NAME_BYTES_MAX)
        return true;
    engine_refuse(engine, E_INVALID, "%s needs a name of 1 to %d bytes", what, NAME_BYTES_MAX);
    return false;
}

static bool fits(struct engine *engine, struct doc data)
{
    if (data.size <= RECORD_BYTES_MAX)
        return true;
    engine_refuse(engine, E_LIMIT, "it has %u bytes, more than %u", data.size, RECORD_BYTES_MAX);
    return false;
}

void command_staff_set(struct step *step)
{
    struct doc data = step->event->data;
    struct text name = doc_text(data, "name");
    if (is_name(step->engine, name, "a member of staff") && fits(step->engine, data))
        store_named(step->engine, 's', name, data);
}

static struct doc stored(struct engine *engine, char table, struct text name)
{
    struct key key;
    struct bytes row;
    key_named(&key, table, name);
    if (name.size > NAME_BYTES_MAX || !state_get(engine->state, &key, &row))
        return (struct doc){ NULL, 0 };
    return (struct doc){ arena_copy(&engine->arena, row.data, row.size), (uint32_t)row.size };
}

static void forget_hash(struct engine *engine, struct text name)
{
    struct key key;
    struct text hash = doc_text(stored(engine, 'K', name), "hash");
    key_named(&key, 'h', hash);
    if (hash.size != 0)
        state_delete(engine->state, &key);
}

void command_key_set(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name = doc_text(step->event->data, "name");
    struct text hash = doc_text(step->event->data, "hash");
    struct key key;
    if (!is_name(engine, name, "a key") || !fits(engine, step->event->data))
        return;
    if (hash.size == 0 || hash.size > NAME_BYTES_MAX) {
        engine_refuse(engine, E_INVALID, "a key needs the hash of its secret");
        return;
    }
    key_named(&key, 'h', hash);
    struct bytes other;
    if (state_get(engine->state, &key, &other) &&
        !text_equal(name, (struct text){ (const char *)other.data, (uint32_t)other.size })) {
        engine_refuse(engine, E_CONFLICT, "another key has this hash");
        return;
    }
    forget_hash(engine, name);
    store_named(engine, 'K', name, step->event->data);
    state_put(engine->state, &key, name.data, name.size);
}

void command_key_removed(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name = doc_text(step->event->data, "name");
    struct key key;
    if (stored(engine, 'K', name).data == NULL) {
        engine_refuse(engine, E_NOTFOUND, "no key is called %.*s", (int)name.size, name.data);
        return;
    }
    forget_hash(engine, name);
    key_named(&key, 'K', name);
    state_delete(engine->state, &key);
}

struct text step_calendar(struct step *step, struct text to)
{
    struct text assignee = staff_assignee(step->engine, to, &step->customer);
    return doc_text(stored(step->engine, 's', assignee), "calendar");
}

/* Absences are {from, until} in ms; the deputy's own absence is not followed further: two
 * absent people who stand in for each other would go round for ever. */
static struct text deputy_if_absent(struct engine *engine, struct text name, struct doc staff)
{
    for (struct doc_iter it = doc_iter(doc_child(staff, "absences")); doc_next(&it);) {
        int64_t from = doc_int(it.value.doc, "from", INT64_MAX);
        int64_t until = doc_int(it.value.doc, "until", INT64_MIN);
        struct text deputy = doc_text(it.value.doc, "deputy");
        if (deputy.size == 0)
            deputy = doc_text(staff, "deputy");
        if (engine->now >= from && engine->now < until && deputy.size != 0 &&
            deputy.size <= NAME_BYTES_MAX)
            return deputy;
    }
    return name;
}

struct text staff_assignee(struct engine *engine, struct text to, const struct customer *customer)
{
    if (text_is(to, "owner"))
        to = customer_owner(customer);
    if (to.size == 0)
        to = text_of(engine->config.fallback);
    struct doc staff = stored(engine, 's', to);
    return staff.data != NULL ? deputy_if_absent(engine, to, staff) : to;
}

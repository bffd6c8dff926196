/* act.c -- what a running rule does to its customer: traits, tags, events.
 *
 * These are the functions of step.h that need no table of their own.  Each checks
 * first and changes last, so that an error leaves nothing half done.
 */
#include "core/base/near.h"
#include "core/engine/engine_inside.h"

#include <string.h>

#define REFERENCE_BYTES_MAX 512 /* of a CUSTOMER: name space and value */

struct arena *step_arena(struct step *step)
{
    return &step->engine->arena;
}

const struct event *step_event(const struct step *step)
{
    return step->event->parked != NULL ? step->event->parked : step->event;
}

struct customer *step_customer(struct step *step)
{
    return step->customer.number != 0 ? &step->customer : NULL;
}

int64_t step_now(const struct step *step)
{
    return step->engine->now;
}

const struct zone *step_zone(struct step *step)
{
    return customer_zone(&step->customer, step->engine, step->event->context);
}

struct text step_assignee(struct step *step, struct text to)
{
    return staff_assignee(step->engine, to, &step->customer);
}

void step_log(struct step *step, struct text line)
{
    step->trace.acts++;
    step_note_line(step, line);
}

static int need_customer(const struct step *step, const char *word, struct err *err)
{
    if (step->customer.number != 0)
        return 0;
    return err_set(err, E_INVALID, "%s: this event has no customer", word);
}

/* -- Traits --------------------------------------------------------------- */

int step_assign(struct step *step, struct text name, const struct doc_value *value, int64_t at,
                struct text source, struct err *err)
{
    struct engine *engine = step->engine;
    struct doc_value before = customer_trait(&step->customer, name);
    bool is_changed;
    int rc = customer_set(&step->customer, engine, name, value, at, source, &is_changed, err);
    if (rc != 0 || !is_changed)
        return rc;
    step->trace.acts++;
    struct doc_value now = customer_trait(&step->customer, name);
    if (now.type == before.type && (now.type == DOC_NONE || doc_value_equal(&now, &before)))
        return 0;
    if (now.type == DOC_NONE)
        now.type = DOC_NULL;
    name = arena_text(&engine->arena, name);
    step_note_change(step, name, &now);
    step->has_moved = step->has_moved || text_is(name, "timezone");
    if (schedule_arm(engine, &step->customer, step->event->context, &name))
        schedule_check_date(step, name);
    if (text_is(name, "timezone"))
        schedule_check_zone(step);
    return 0;
}

int step_set_check(struct text name, struct err *err)
{
    if (!trait_is_system(name))
        return 0;
    return err_set(err, E_DENIED, "set: \"%.*s\" belongs to the system", (int)name.size, name.data);
}

int step_set(struct step *step, struct text name, const struct doc_value *value, struct err *err)
{
    int rc = need_customer(step, "set", err);
    if (rc == 0)
        rc = step_set_check(name, err);
    if (rc == 0)
        rc = step_check_owner(step, name, "set", err);
    if (rc == 0)
        rc = step_assign(step, name, value,
                         customer_moment(&step->customer, name, step->engine->now),
                         text_of("rules"), err);
    return rc;
}

static bool list_has(struct doc list, const struct doc_value *item)
{
    for (struct doc_iter it = doc_iter(list); doc_next(&it);)
        if (doc_value_equal(&it.value, item))
            return true;
    return false;
}

/* The list with the item at its end, or without it. */
static struct doc changed_list(struct engine *engine, struct doc list, const struct doc_value *item,
                               bool is_added)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_open_array(&w, "");
    for (struct doc_iter it = doc_iter(list); doc_next(&it);)
        if (is_added || !doc_value_equal(&it.value, item))
            doc_put_value(&w, "", &it.value);
    if (is_added)
        doc_put_value(&w, "", item);
    doc_close(&w);
    return doc_child(engine_doc(engine, &w), "");
}

static int change_list(struct step *step, struct text name, const struct doc_value *item,
                       bool is_added, struct err *err)
{
    int rc = need_customer(step, is_added ? "add" : "remove", err);
    if (rc != 0)
        return rc;
    struct doc_value trait = customer_trait(&step->customer, name);
    if (trait.type != DOC_NONE && trait.type != DOC_ARRAY)
        return err_set(err, E_INVALID, "trait \"%.*s\" is no list", (int)name.size, name.data);
    struct doc list = trait.type == DOC_ARRAY ? trait.doc : (struct doc){ NULL, 0 };
    if (!trait_is_system(name) && list_has(list, item) == is_added)
        return 0;
    struct doc_value value = { .type = DOC_ARRAY,
                               .doc = changed_list(step->engine, list, item, is_added) };
    return step_set(step, name, &value, err);
}

int step_add(struct step *step, struct text name, const struct doc_value *item, struct err *err)
{
    return change_list(step, name, item, true, err);
}

int step_remove(struct step *step, struct text name, const struct doc_value *item, struct err *err)
{
    return change_list(step, name, item, false, err);
}

/* -- Tags ----------------------------------------------------------------- */

static bool text_has_nul(struct text text)
{
    return memchr(text.data, '\0', text.size) != NULL;
}

int step_tag_check(struct text tag, struct err *err)
{
    if (tag.size != 0 && tag.size <= NAME_BYTES_MAX && !text_has_nul(tag))
        return 0;
    return err_set(err, E_INVALID, "a tag has 1 to %d bytes, none of them NUL", NAME_BYTES_MAX);
}

static int check_tag(const struct step *step, struct text tag, struct err *err)
{
    int rc = need_customer(step, "tag", err);
    return rc == 0 ? step_tag_check(tag, err) : rc;
}

static void note_tag(struct step *step, struct text tag, bool is_on)
{
    struct text name = arena_printf(&step->engine->arena, "tag:%.*s", (int)tag.size, tag.data);
    step->trace.acts++;
    step_note_change(step, name, &(struct doc_value){ .type = DOC_BOOL, .boolean = is_on });
}

int step_tag(struct step *step, struct text tag, struct err *err)
{
    bool is_changed = false;
    int rc = check_tag(step, tag, err);
    if (rc == 0)
        rc = customer_tag(&step->customer, step->engine, tag, &is_changed, err);
    if (is_changed)
        note_tag(step, tag, true);
    return rc;
}

int step_untag(struct step *step, struct text tag, struct err *err)
{
    int rc = check_tag(step, tag, err);
    if (rc == 0 && customer_untag(&step->customer, step->engine, tag))
        note_tag(step, tag, false);
    return rc;
}

/* -- Events --------------------------------------------------------------- */

int step_check_owner(const struct step *step, struct text name, const char *word, struct err *err)
{
    struct text owner = plugin_owner(step->engine, name);
    if (owner.size == 0 || text_equal(owner, step->plugin))
        return 0;
    return err_set(err, E_DENIED, "%s: \"%.*s\" belongs to the plugin %.*s", word, (int)name.size,
                   name.data, (int)owner.size, owner.data);
}

int event_check_size(struct text type, struct doc data, const char *word, struct err *err)
{
    if (type.size == 0 || type.size > TYPE_BYTES_MAX)
        return err_set(err, E_INVALID, "%s: an event's type has 1 to %d bytes", word,
                       TYPE_BYTES_MAX);
    if (data.size > DERIVED_BYTES_MAX)
        return err_set(err, E_LIMIT, "%s: the data have %u bytes, more than %u", word, data.size,
                       DERIVED_BYTES_MAX);
    return 0;
}

int step_check_event(const struct step *step, struct text type, struct doc data, const char *word,
                     struct err *err)
{
    int rc = event_check_size(type, data, word, err);
    if (rc != 0)
        return rc;
    if (engine_owns_type(step->engine, type))
        return err_set(err, E_DENIED, "%s: \"%.*s\" is a type of the system", word, (int)type.size,
                       type.data);
    return step_check_owner(step, type, word, err);
}

/* How a CUSTOMER is written: a number, or a name space and a value in it. */
static bool is_reference(struct engine *engine, struct text to)
{
    uint64_t number, n;
    const char *colon = memchr(to.data, ':', to.size);
    if (colon == NULL)
        return event_id_parse(to, &number, &n) && n == 0 && number != 0 &&
               memchr(to.data, '.', to.size) == NULL;
    struct text space = { to.data, (uint32_t)(colon - to.data) };
    struct text value = { colon + 1, (uint32_t)(to.data + to.size - colon - 1) };
    if (text_is(space, "external")) { /* external:<system>:<value> */
        colon = memchr(value.data, ':', value.size);
        return colon != NULL && colon != value.data && colon + 1 != value.data + value.size;
    }
    return (text_is(space, "user_id") || text_is(space, "anonymous_id") ||
            text_is(space, "email") || text_is(space, "phone")) &&
           identity_normal(engine, space, value).size != 0;
}

static int check_receiver(struct step *step, struct text to, struct err *err)
{
    struct near_quote quote;
    if (to.size == 0 || (to.size <= REFERENCE_BYTES_MAX && is_reference(step->engine, to)))
        return 0;
    return err_set(err, E_INVALID,
                   "emit: to = \"%s\" is no customer: one is written 42, \"user_id:u-17\", "
                   "\"anonymous_id:a-3\", \"email:ann@example.com\", \"phone:+49301234567\" or "
                   "\"external:erp:4711\"",
                   near_quote(to.data, to.size, &quote));
}

/* She may be known by the time that the event reaches its place in the log. */
static void note_unknown(struct step *step, struct text type, struct text to)
{
    struct near_quote quote;
    if (identity_find(step->engine, to) == 0)
        step_note_line(step, arena_printf(&step->engine->arena,
                                          "emit \"%.*s\": not one customer is known as %s",
                                          (int)type.size, type.data,
                                          near_quote(to.data, to.size, &quote)));
}

void event_send(struct engine *engine, const struct event_sent *sent)
{
    char text[EVENT_ID_TEXT_MAX];
    uint64_t n = ++engine->derived_n;
    struct text id = event_id_text(engine->seq, n, text);
    struct doc_writer w;
    struct key key;
    engine->cause->derived++;
    engine_draft(engine, &w);
    doc_put_text(&w, "id", id);
    doc_put_text(&w, "type", sent->type);
    doc_put_text(&w, "ref", sent->to);
    doc_put_string(&w, "source", "kith");
    doc_put_present(&w, "by", sent->by);
    doc_put_present(&w, "about", sent->about);
    doc_put_int(&w, "depth", sent->depth);
    if (sent->from != 0)
        doc_put_int(&w, "from", (int64_t)sent->from);
    doc_put_doc(&w, "data", sent->data);
    struct doc envelope = engine_doc(engine, &w);
    key_start(&key, 'g');
    key_id(&key, engine->seq, n);
    state_put(engine->state, &key, envelope.data, envelope.size);
    if (sent->from != 0) { /* it is not to be forgotten while it is on its way */
        key_customer(&key, sent->from, 'g');
        key_id(&key, engine->seq, n);
        state_put(engine->state, &key, "", 0);
    }
    engine->has_outgoing = true;
}

int step_check_send(struct step *step, const char *word, struct err *err)
{
    int rc = step_check_depth(step, word, err);
    return rc != 0 ? rc : step_check_derived(step, word, err);
}

void step_send_event(struct step *step, struct text type, struct doc data, struct text to)
{
    struct event_sent sent = {
        .type = type,
        .to = to,
        .by = step->rule != NULL ? step->rule->name : (struct text){ "", 0 },
        .data = data,
        .from = step->event->customer,
        .depth = step->event->depth + 1,
    };
    event_send(step->engine, &sent);
}

int step_emit(struct step *step, struct text type, struct doc data, struct text to, struct err *err)
{
    struct engine *engine = step->engine;
    int rc = step_check_event(step, type, data, "emit", err);
    if (rc == 0)
        rc = check_receiver(step, to, err);
    if (rc == 0)
        rc = step_check_send(step, "emit", err);
    if (rc != 0)
        return rc;
    if (to.size != 0) {
        step_send_event(step, type, data, to);
        note_unknown(step, type, to);
        return 0;
    }
    struct event event = {
        .class = LOG_SYSTEM,
        .type = type,
        .by = step->rule != NULL ? step->rule->name : (struct text){ "", 0 },
        .data = data,
        .customer = step->event->customer,
        .depth = step->event->depth + 1,
    };
    engine_derive(engine, &event);
    return 0;
}

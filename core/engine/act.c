/* act.c -- what a running rule does to its customer: traits, tags, events, timers.
 *
 * These are the functions of step.h that need no table of their own.  Each checks
 * first and changes last, so that an error leaves nothing half done.
 */
#include "core/engine/engine_inside.h"

#include <string.h>

#define REFERENCE_BYTES_MAX 512 /* of a CUSTOMER: name space and value */

struct arena *step_arena(struct step *step)
{
    return &step->engine->arena;
}

const struct event *step_event(const struct step *step)
{
    return step->event;
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
    schedule_arm(engine, &step->customer, step->event->context, &name);
    return 0;
}

int step_set(struct step *step, struct text name, const struct doc_value *value, struct err *err)
{
    int rc = need_customer(step, "set", err);
    if (rc == 0 && trait_is_system(name))
        rc = err_set(err, E_DENIED, "set: \"%.*s\" belongs to the system", (int)name.size,
                     name.data);
    if (rc == 0)
        rc = step_assign(step, name, value, step->engine->now, text_of("rules"), err);
    return rc;
}

/* The trait's list with the item at its end, or without it. */
static struct doc changed_list(struct engine *engine, struct doc_value list,
                               const struct doc_value *item, bool is_added)
{
    struct doc_writer w;
    bool is_there = false;
    engine_draft(engine, &w);
    doc_open_array(&w, "");
    for (struct doc_iter it = doc_iter(list.type == DOC_ARRAY ? list.doc : (struct doc){ NULL, 0 });
         doc_next(&it);) {
        bool is_same = doc_value_equal(&it.value, item);
        is_there = is_there || is_same;
        if (!is_same || is_added)
            doc_put_value(&w, "", &it.value);
    }
    if (is_added && !is_there)
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
    struct doc_value list = customer_trait(&step->customer, name);
    if (list.type != DOC_NONE && list.type != DOC_ARRAY)
        return err_set(err, E_INVALID, "trait \"%.*s\" is no list", (int)name.size, name.data);
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

static int check_tag(const struct step *step, struct text tag, struct err *err)
{
    int rc = need_customer(step, "tag", err);
    if (rc == 0 && (tag.size == 0 || tag.size > NAME_BYTES_MAX || text_has_nul(tag)))
        rc = err_set(err, E_INVALID, "a tag has 1 to %d bytes, none of them NUL", NAME_BYTES_MAX);
    return rc;
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

static int check_type(struct text type, const char *word, struct err *err)
{
    if (type.size == 0 || type.size > TYPE_BYTES_MAX)
        return err_set(err, E_INVALID, "%s: an event's type has 1 to %d bytes", word,
                       TYPE_BYTES_MAX);
    if (event_type_is_system(type))
        return err_set(err, E_DENIED, "%s: \"%.*s\" is a type of the system", word, (int)type.size,
                       type.data);
    return 0;
}

/* It lies in a row of its own until it is its turn, and on the timeline. */
static int check_data(struct doc data, const char *word, struct err *err)
{
    if (data.size <= DERIVED_BYTES_MAX)
        return 0;
    return err_set(err, E_LIMIT, "%s: the data have %u bytes, more than %u", word, data.size,
                   DERIVED_BYTES_MAX);
}

/* To somebody else, by way of the log: a row in `outgoing` until its entry is applied. */
static void send_away(struct step *step, struct text type, struct doc data, struct text to)
{
    struct engine *engine = step->engine;
    char text[EVENT_ID_TEXT_MAX];
    uint64_t n = ++engine->derived_n;
    struct text id = event_id_text(engine->seq, n, text);
    struct doc_writer w;
    struct key key;
    engine_draft(engine, &w);
    doc_put_text(&w, "id", id);
    doc_put_text(&w, "type", type);
    doc_put_text(&w, "ref", to);
    doc_put_string(&w, "source", "kith");
    if (step->rule != NULL)
        doc_put_text(&w, "by", step->rule->name);
    doc_put_int(&w, "depth", step->event->depth + 1);
    if (step->event->customer != 0)
        doc_put_int(&w, "from", (int64_t)step->event->customer);
    doc_put_doc(&w, "data", data);
    struct doc envelope = engine_doc(engine, &w);
    key_start(&key, 'g');
    key_id(&key, engine->seq, n);
    state_put(engine->state, &key, envelope.data, envelope.size);
    engine->has_outgoing = true;
}

int step_emit(struct step *step, struct text type, struct doc data, struct text to, struct err *err)
{
    struct engine *engine = step->engine;
    int rc = check_type(type, "emit", err);
    if (rc == 0)
        rc = check_data(data, "emit", err);
    if (rc == 0 && to.size > REFERENCE_BYTES_MAX)
        rc = err_set(err, E_INVALID, "emit: to is no customer: it has more than %d bytes",
                     REFERENCE_BYTES_MAX);
    if (rc != 0)
        return rc;
    if (step->event->depth + 1 > engine->config.limits.cascade_depth)
        return err_set(err, E_LIMIT, "emit: events that cause events, more than %lld deep",
                       (long long)engine->config.limits.cascade_depth);
    if (engine->cause_derived >= (size_t)engine->config.limits.derived)
        return err_set(err, E_LIMIT, "emit: more than %lld events from one cause",
                       (long long)engine->config.limits.derived);
    if (to.size != 0) {
        engine->cause_derived++;
        send_away(step, type, data, to);
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

/* -- Timers --------------------------------------------------------------- */

static struct text after_name(struct step *step, struct text key)
{
    return arena_printf(&step->engine->arena, "after:%.*s", (int)key.size, key.data);
}

int step_after(struct step *step, struct text key, int64_t due, struct text type, struct doc data,
               struct err *err)
{
    struct engine *engine = step->engine;
    int rc = need_customer(step, "after", err);
    if (rc == 0)
        rc = check_type(type, "after", err);
    if (rc == 0 && (key.size == 0 || key.size > NAME_BYTES_MAX))
        rc =
            err_set(err, E_INVALID, "after: a key of 1 to %d bytes is needed, to move or cancel it",
                    NAME_BYTES_MAX);
    if (rc == 0)
        rc = check_data(data, "after", err);
    struct profile *profile = &step->customer.members[step->customer.own];
    if (rc == 0 && profile->timers >= engine->config.limits.timers &&
        timer_payload_of(engine, profile->number, after_name(step, key)).data == NULL)
        rc = err_set(err, E_LIMIT, "after: the customer has %lld timers: no more",
                     (long long)engine->config.limits.timers);
    if (rc != 0)
        return rc;
    step_cancel(step, key); /* it may stand under another member of the group */
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "after");
    doc_put_text(&w, "type", type);
    doc_put_text(&w, "by", step->rule->name);
    doc_put_doc(&w, "data", data);
    bool is_set = timer_set(engine, profile, profile->number, after_name(step, key), due,
                            engine_doc(engine, &w));
    ASSERT(is_set);
    step->trace.acts++;
    return 0;
}

/* The timer may have been set by an event that came to another member of the group. */
bool step_cancel(struct step *step, struct text key)
{
    bool is_found = false;
    for (size_t i = 0; i < step->customer.count && key.size <= NAME_BYTES_MAX; i++) {
        struct profile *profile = &step->customer.members[i];
        is_found =
            timer_cancel(step->engine, profile, profile->number, after_name(step, key)) || is_found;
    }
    step->trace.acts += is_found ? 1 : 0;
    return is_found;
}

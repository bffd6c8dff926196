/* calls.c -- events from outside: Segment's calls, and everything else clients send.
 *
 * Who was it, have we seen it, what does it say of them, what do the rules make of
 * it: in this order.  A second copy of an event stops at the second question and
 * leaves nothing, not even a timeline row.
 */
#include "core/engine/engine_inside.h"

/* -- identify ------------------------------------------------------------- */

static void set_trait(struct step *step, struct text name, const struct doc_value *value)
{
    struct engine *engine = step->engine;
    struct err err;
    if (trait_is_system(name)) {
        step_note_line(step, arena_printf(&engine->arena,
                                          "identify tried to set %.*s, which belongs to the system",
                                          (int)name.size, name.data));
        return;
    }
    if (step_assign(step, name, value, step->event->at, step->event->source, &err) != 0)
        step_note_line(step, text_of(err.text));
}

/* An e-mail address or phone number is also where to write to.  What is known of it stays:
 * saying it again does not make it reachable. */
static void set_address(struct step *step, const char *channel, struct text name_space,
                        struct text value)
{
    struct text normal = identity_normal(step->engine, name_space, value);
    struct address address = { .channel = text_of(channel), .value = normal };
    struct err err;
    if (normal.size != 0 && !customer_has_address(&step->customer, address.channel, normal) &&
        customer_set_address(&step->customer, step->engine, &address, &err) != 0)
        step_note_line(step, text_of(err.text));
}

static void identify(struct step *step)
{
    struct doc traits = step->event->data;
    struct text email = doc_text(traits, "email"), phone = doc_text(traits, "phone");
    identity_link(step, text_of("email"), email);
    identity_link(step, text_of("phone"), phone);
    set_address(step, "email", text_of("email"), email);
    set_address(step, "sms", text_of("phone"), phone);
    for (struct doc_iter it = doc_iter(traits); doc_next(&it);)
        set_trait(step, it.name, &it.value);
}

/* -- group: works at ------------------------------------------------------ */

static uint64_t organisation(struct step *step, struct text group)
{
    struct engine *engine = step->engine;
    struct text reference =
        arena_printf(&engine->arena, "external:group:%.*s", (int)group.size, group.data);
    uint64_t number = identity_find(engine, reference);
    if (number != 0)
        return number;
    struct customer customer;
    number = customer_create(&customer, engine);
    customer.members[0].kind = PROFILE_ORGANISATION;
    struct event event = *step->event;
    struct step theirs = *step;
    theirs.customer = customer;
    theirs.event = &event;
    event.customer = number;
    calls_note_created(step, number);
    identity_link(&theirs, text_of("external:group"), group);
    customer_store(&theirs.customer, engine);
    return number;
}

static void group(struct step *step)
{
    struct engine *engine = step->engine;
    struct text id = doc_text(step->event->data, "groupId");
    if (id.size == 0 || id.size > IDENTITY_BYTES_MAX - 16)
        return;
    customer_store(&step->customer, engine);
    uint64_t number = organisation(step, id);
    relation_set(step, text_of("works at"), number, step->event->at, 0);

    /* The traits of a group call are the organisation's. */
    struct customer customer;
    struct doc traits = doc_child(step->event->data, "traits");
    uint64_t own = step->customer.members[step->customer.own].number;
    customer_store(&step->customer, engine);
    if (!customer_load(&customer, engine, number))
        return;
    for (struct doc_iter it = doc_iter(traits); doc_next(&it);) {
        bool is_changed = false;
        if (!trait_is_system(it.name) &&
            customer_set(&customer, engine, it.name, &it.value, step->event->at,
                         step->event->source, &is_changed, NULL) == 0 &&
            is_changed)
            schedule_arm(engine, &customer, (struct doc){ NULL, 0 }, &it.name);
    }
    customer_store(&customer, engine);
    customer_load(&step->customer, engine, own); /* it may be one with the organisation */
}

/* -- Any event ------------------------------------------------------------ */

void calls_note_created(struct step *step, uint64_t number)
{
    step_derive(step, "customer.created", number, (struct doc){ NULL, 0 });
}

/* What the event says of identity, as far as its call may say it. */
static void link_identities(struct step *step, bool is_new)
{
    const struct event *event = step->event;
    bool is_alias = text_is(event->call, "alias");
    bool says_anon = is_alias || text_is(event->call, "identify") || event->user.size == 0;
    if (is_new || text_is(event->call, "identify") || is_alias)
        identity_link(step, text_of("user_id"), event->user);
    if (says_anon)
        identity_link(step, text_of("anonymous_id"), event->anon);
    /* alias: the previous id, anonymous or not, is the same person. */
    struct text previous = doc_text(event->data, "previousId");
    if (is_alias &&
        identity_find(step->engine, arena_printf(&step->engine->arena, "user_id:%.*s",
                                                 (int)previous.size, previous.data)) != 0)
        identity_link(step, text_of("user_id"), previous);
    else if (is_alias)
        identity_link(step, text_of("anonymous_id"), previous);
}

static bool names_somebody(struct engine *engine, const struct event *event)
{
    struct text name = event->user.size != 0 ? event->user : event->anon;
    return event->ref.size == 0 && identity_normal(engine, text_of("user_id"), name).size != 0 &&
           !config_is_blocked(&engine->config, name);
}

/* Why an event that names somebody concerns nobody. */
static void note_nobody(struct step *step)
{
    const struct event *event = step->event;
    if (event->ref.size != 0)
        step_note_line(step, text_of("the customer it names is not known"));
    else if (event->user.size != 0 || event->anon.size != 0)
        step_note_line(step, text_of("what it is called by is blocked or is no valid identity"));
}

void calls_apply(struct engine *engine, struct event *event)
{
    struct step step;
    bool is_new = false;
    event->customer = identity_of_event(engine, event);
    step_begin(&step, engine, event);
    if (event->customer == 0 && names_somebody(engine, event)) {
        event->customer = customer_create(&step.customer, engine);
        is_new = true;
    }
    if (dedupe_seen(engine, &step.customer, event)) {
        engine->result->status = ENGINE_DUPLICATE;
        engine->result->customer = step.customer.number;
        customer_store(&step.customer, engine);
        return;
    }
    if (event->customer == 0)
        note_nobody(&step);
    if (is_new)
        calls_note_created(&step, event->customer);
    if (event->customer != 0 && event->ref.size == 0)
        link_identities(&step, is_new);
    if (event->customer != 0 && text_is(event->call, "identify"))
        identify(&step);
    else if (event->customer != 0 && text_is(event->call, "group"))
        group(&step);
    engine->result->customer = step.customer.number;
    step_finish(&step);
}

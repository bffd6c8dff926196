/* calls.c -- events from outside: Segment's calls, and everything else clients send.
 *
 * Who was it, have we seen it, what does it say of them, what do the rules make of
 * it: in this order.  A second copy of an event stops at the second question and
 * leaves nothing, not even a timeline row.
 */
#include "core/engine/engine_inside.h"

/* -- identify ------------------------------------------------------------- */

static void set_trait(struct step *step, const char *call, struct text name,
                      const struct doc_value *value)
{
    struct engine *engine = step->engine;
    struct err err;
    if (trait_is_system(name)) {
        step_note_line(step, arena_printf(&engine->arena,
                                          "%s tried to set %.*s, which belongs to the system", call,
                                          (int)name.size, name.data));
        return;
    }
    if (step_check_owner(step, name, call, &err) != 0 ||
        step_assign(step, name, value, step->event->at, step->event->source, &err) != 0)
        step_note_line(step, arena_text(&engine->arena, text_of(err.text)));
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
        address_set(step, &address, &err) != 0)
        step_note_line(step, text_of(err.text));
}

static void identify(struct step *step, const char *call, struct doc traits)
{
    struct text email = doc_text(traits, "email"), phone = doc_text(traits, "phone");
    identity_link(step, text_of("email"), email);
    identity_link(step, text_of("phone"), phone);
    set_address(step, "email", text_of("email"), email);
    set_address(step, "sms", text_of("phone"), phone);
    for (struct doc_iter it = doc_iter(traits); doc_next(&it);)
        set_trait(step, call, it.name, &it.value);
}

/* -- group: works at ------------------------------------------------------ */

#define GROUP_SPACE "external:group" /* of identities: how senders call organisations */

/* The organisation is another customer, with a timeline and rules of its own: what the call says
 * of it is an event there, applied behind this one. */
static void tell_organisation(struct step *step, uint64_t number, struct text group)
{
    struct engine *engine = step->engine;
    struct doc_value traits = doc_get(step->event->data, "traits");
    struct doc_writer w;
    struct err err;
    engine_draft(engine, &w);
    doc_put_text(&w, "groupId", group);
    doc_put_int(&w, "member", (int64_t)step->customer.members[step->customer.own].number);
    struct event event = {
        .class = LOG_SYSTEM,
        .type = text_of("member.group"),
        .at = step->event->at,
        .source = step->event->source,
        .by = step->event->by,
        .data = engine_doc(engine, &w),
        .traits = traits.type == DOC_DOC ? traits.doc : (struct doc){ NULL, 0 },
        .customer = number,
        .depth = step->event->depth + 1,
        .historic = step->event->historic,
    };
    if (step_check_depth(step, "member.group", &err) == 0 &&
        step_check_derived(step, "member.group", &err) == 0)
        engine_derive(engine, &event);
    else
        step_note_line(step, arena_printf(&engine->arena, "not derived: %s", err.text));
}

static void link_organisation(struct step *step, struct customer *customer, struct text group)
{
    struct event event = *step->event;
    struct step theirs = *step;
    event.customer = customer->number;
    theirs.customer = *customer;
    theirs.event = &event;
    calls_note_created(step, customer->number);
    identity_link(&theirs, text_of(GROUP_SPACE), group);
    customer_store(&theirs.customer, step->engine);
}

static void group(struct step *step)
{
    struct engine *engine = step->engine;
    struct text id = doc_text(step->event->data, "groupId");
    if (id.size == 0)
        return;
    if (identity_normal(engine, text_of(GROUP_SPACE), id).size == 0 ||
        config_is_blocked(&engine->config, id)) {
        step_note_line(step, text_of("its groupId is blocked or is no valid identity"));
        return;
    }
    struct customer made = { .number = 0 };
    uint64_t number = identity_find(
        engine, arena_printf(&engine->arena, GROUP_SPACE ":%.*s", (int)id.size, id.data));
    if (number == 0) {
        number = customer_create(&made, engine);
        made.members[0].kind = PROFILE_ORGANISATION;
    }
    tell_organisation(step, number, id);
    if (made.number != 0)
        link_organisation(step, &made, id);
    relation_set(step, text_of("works at"), number, step->event->at, 0);
}

void calls_derived(struct step *step)
{
    if (text_is(step->event->type, "member.group") && step->event->customer != 0)
        identify(step, "group", step->event->traits);
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

/* Who a plugin wants to be known is called by something that somebody can have. */
static bool can_introduce(struct engine *engine, const struct event *event)
{
    struct text name_space, value;
    if (!event->creates || !identity_split(event->ref, &name_space, &value) ||
        !(text_is(name_space, "email") || text_is(name_space, "phone") ||
          text_is(name_space, "user_id")))
        return false;
    value = identity_normal(engine, name_space, value);
    return value.size != 0 && !config_is_blocked(&engine->config, value);
}

/* She has what she is called by, and what else the plugin knows of her, as if she had said so. */
static void introduce(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name_space, value;
    struct doc_writer w;
    bool is_split = identity_split(step->event->ref, &name_space, &value);
    ASSERT(is_split);
    if (text_is(name_space, "user_id"))
        identity_link(step, name_space, value);
    engine_draft(engine, &w);
    if (!text_is(name_space, "user_id"))
        doc_put_text(&w, text_is(name_space, "email") ? "email" : "phone", value);
    for (struct doc_iter it = doc_iter(step->event->traits); doc_next(&it);)
        if (!text_equal(it.name, name_space))
            doc_put_value_text(&w, it.name, &it.value);
    identify(step, "append", engine_doc(engine, &w));
}

static bool names_somebody(struct engine *engine, const struct event *event)
{
    if (can_introduce(engine, event))
        return true;
    struct text name = event->user.size != 0 ? event->user : event->anon;
    return event->ref.size == 0 && identity_normal(engine, text_of("user_id"), name).size != 0 &&
           !config_is_blocked(&engine->config, name);
}

/* Why an event that names somebody concerns nobody. */
static void note_nobody(struct step *step)
{
    const struct event *event = step->event;
    if (event->ref.size != 0) {
        step_note_line(step, text_of("the customer it names is not known"));
        erase_note_reference(step->engine, event->ref, 0);
    } else if (event->user.size != 0 || event->anon.size != 0)
        step_note_line(step, text_of("what it is called by is blocked or is no valid identity"));
}

/* What a rule sent to somebody else is to be erased with the customer whose event it answered; and
 * when she is being erased already, it does not arrive. */
static bool is_of_erased(struct step *step)
{
    struct engine *engine = step->engine;
    const struct event *event = step->event;
    erase_note_sender(engine, event);
    if (!erase_is_open(engine, event->from))
        return false;
    engine_refuse(engine, E_CONFLICT, "customer %llu, whose event led to this, is being erased",
                  (unsigned long long)event->from);
    step_finish_unheard(step);
    return true;
}

void calls_apply(struct engine *engine, struct event *event)
{
    struct step step;
    bool is_new = false;
    event->customer =
        event->creates ? identity_first(engine, event->ref) : identity_of_event(engine, event);
    if (erase_refuse_late(engine, event))
        return;
    step_begin(&step, engine, event);
    /* What a plugin has said before brings nobody back who has been erased since. */
    if (event->customer == 0 && names_somebody(engine, event) &&
        !dedupe_knows(engine, &step.customer, event)) {
        event->customer = customer_create(&step.customer, engine);
        is_new = true;
    }
    if (dedupe_seen(engine, &step.customer, event)) {
        engine->result->status = ENGINE_DUPLICATE;
        engine->result->customer = step.customer.number;
        customer_store(&step.customer, engine);
        erase_note_entry(engine, event->customer, event->customer);
        if (event->customer == 0)
            erase_note_reference(engine, event->ref, 0);
        erase_note_sender(engine, event);
        return;
    }
    if (event->from != 0 && is_of_erased(&step))
        return;
    if (event->customer == 0)
        note_nobody(&step);
    if (is_new)
        calls_note_created(&step, event->customer);
    if (event->customer != 0 && event->ref.size == 0)
        link_identities(&step, is_new);
    else if (is_new)
        introduce(&step);
    file_note(&step);
    if (event->customer != 0 && text_is(event->call, "identify"))
        identify(&step, "identify", event->data);
    else if (event->customer != 0 && text_is(event->call, "group"))
        group(&step);
    engine->result->customer = step.customer.number;
    step_finish(&step);
}

/* commands.c -- what staff tells Kith to change, one handler a type.
 *
 * A command that makes no sense, or that a limit forbids, is refused: it stays in the
 * log and on the timeline without effect, and whoever sent it is told why.
 */
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"
#include "core/engine/staff.h"
#include "core/engine/subject.h"

#include <string.h>

#define PROOF_BYTES_MAX 1000 /* of a consent: where to find it, not the thing itself */

/* Part of a name in the trace. */
static bool is_word(struct text text)
{
    return text.size != 0 && text.size <= NAME_BYTES_MAX &&
           memchr(text.data, '\0', text.size) == NULL;
}

static void note_text(struct step *step, struct text name, struct text value)
{
    struct doc_value change = { .type = value.size != 0 ? DOC_TEXT : DOC_NULL, .text = value };
    step_note_change(step, name, &change);
}

static void note_consent(struct step *step, const struct consent *consent, struct text state)
{
    struct text name =
        arena_printf(&step->engine->arena, "consent:%.*s/%.*s", (int)consent->purpose.size,
                     consent->purpose.data, (int)consent->channel.size, consent->channel.data);
    note_text(step, name, state);
}

static void consent_changed(struct step *step)
{
    struct doc data = step->event->data;
    struct text state = doc_text(data, "state");
    struct consent consent = {
        .purpose = doc_text(data, "purpose"),
        .channel = doc_text(data, "channel"),
        .proof = doc_text(data, "proof"),
        .source = step->event->source,
        .at = step->event->at,
        .state = text_is(state, "granted")     ? CONSENT_GRANTED
                 : text_is(state, "withdrawn") ? CONSENT_WITHDRAWN
                 : text_is(state, "pending")   ? CONSENT_PENDING
                                               : CONSENT_NONE,
    };
    struct err err;
    int rc = 0;
    if (consent.state == CONSENT_NONE || consent.purpose.size == 0 || consent.channel.size == 0)
        rc = err_set(&err, E_INVALID,
                     "a consent needs purpose, channel and state (granted, withdrawn or pending)");
    else if (!is_word(consent.purpose) || !is_word(consent.channel) ||
             consent.proof.size > PROOF_BYTES_MAX)
        rc = err_set(&err, E_LIMIT,
                     "purpose and channel of a consent have at most %d bytes, none of them NUL, "
                     "its proof %d",
                     NAME_BYTES_MAX, PROOF_BYTES_MAX);
    else
        rc = customer_set_consent(&step->customer, step->engine, &consent, &err);
    if (rc == 0)
        note_consent(step, &consent, state);
    else
        engine_refuse(step->engine, rc, "%s", err.text);
}

int address_set(struct step *step, const struct address *address, struct err *err)
{
    bool is_changed = false;
    int rc = customer_set_address(&step->customer, step->engine, address, &is_changed, err);
    if (is_changed)
        note_text(step,
                  arena_printf(&step->engine->arena, "address:%.*s", (int)address->channel.size,
                               address->channel.data),
                  address->value);
    return rc;
}

static bool is_address_state(struct text state)
{
    return state.size == 0 || text_is(state, "ok") || text_is(state, "bounced") ||
           text_is(state, "complained");
}

/* As it is compared; empty when it can be none on that channel. */
struct text address_normal(struct engine *engine, struct text channel, struct text value)
{
    bool is_email = text_is(channel, "email"), is_phone = text_is(channel, "sms");
    if (is_email || is_phone)
        value = identity_normal(engine, text_of(is_email ? "email" : "phone"), value);
    return value.size <= IDENTITY_BYTES_MAX ? value : (struct text){ "", 0 };
}

static void address_changed(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct address address = {
        .channel = doc_text(data, "channel"),
        .value = doc_text(data, "value"),
        .label = doc_text(data, "label"),
        .state = doc_text(data, "state"),
        .verified = doc_bool(data, "verified", false),
        .preferred = doc_bool(data, "preferred", false),
    };
    address.value = address_normal(engine, address.channel, address.value);
    struct err err;
    int rc;
    if (address.channel.size == 0 || address.value.size == 0)
        rc = err_set(&err, E_INVALID, "an address needs a channel and a value that is valid there");
    else if (!is_address_state(address.state))
        rc = err_set(&err, E_INVALID, "an address is ok, bounced or complained, not %.*s",
                     (int)address.state.size, address.state.data);
    else if (!is_word(address.channel) || address.label.size > NAME_BYTES_MAX)
        rc = err_set(&err, E_LIMIT,
                     "channel and label of an address have at most %d bytes, the channel no NUL",
                     NAME_BYTES_MAX);
    else
        rc = address_set(step, &address, &err);
    if (rc != 0)
        engine_refuse(engine, rc, "%s", err.text);
}

static void suppression_changed(struct step *step)
{
    struct doc data = step->event->data;
    struct text channel = doc_text(data, "channel");
    struct text value = address_normal(step->engine, channel, doc_text(data, "value"));
    struct key key;
    key_suppression(&key, channel, value);
    if (channel.size == 0 || value.size == 0 || !key_ok(&key) || data.size > STATE_VALUE_MAX) {
        engine_refuse(step->engine, E_INVALID,
                      "a suppression needs a channel and a value that is valid there");
        return;
    }
    erase_note_address(step->engine, channel, value);
    if (text_is(doc_text(data, "state"), "removed")) {
        state_delete(step->engine->state, &key);
        key_suppression_hidden(&key, channel, value);
        state_delete(step->engine->state, &key);
    } else
        state_put(step->engine->state, &key, data.data, data.size);
}

static void relation_changed(struct step *step)
{
    struct doc data = step->event->data;
    struct text type = doc_text(data, "type");
    uint64_t other = identity_find(step->engine, doc_text(data, "other"));
    if (!is_word(type) || other == 0)
        engine_refuse(step->engine, E_INVALID,
                      "a relation needs a type of 1 to %d bytes, none of them NUL, and another "
                      "customer that is known",
                      NAME_BYTES_MAX);
    else {
        erase_note_entry(step->engine, other, step->event->customer);
        relation_set(step, type, other, step->event->at, doc_int(data, "until", 0));
    }
}

static void tag_changed(struct step *step)
{
    struct text tag = doc_text(step->event->data, "tag");
    struct err err;
    int rc = doc_bool(step->event->data, "on", true) ? step_tag(step, tag, &err)
                                                     : step_untag(step, tag, &err);
    if (rc != 0)
        engine_refuse(step->engine, rc, "%s", err.text);
}

static void owner_changed(struct step *step)
{
    struct text owner;
    struct err err;
    if (step_own(step, doc_text(step->event->data, "owner"), &owner, &err) != 0)
        engine_refuse(step->engine, err.code, "%s", err.text);
}

static void set_role(struct step *step, struct text role, bool is_member)
{
    struct engine *engine = step->engine;
    struct doc_value change = { .type = DOC_BOOL, .boolean = is_member };
    bool is_changed = false;
    struct err err;
    int rc = customer_set_role(&step->customer, engine, role, is_member, step->event->at,
                               &is_changed, &err);
    if (rc != 0)
        engine_refuse(engine, rc, "%s", err.text);
    else if (is_changed)
        step_note_change(step, arena_printf(&engine->arena, "role:%.*s", (int)role.size, role.data),
                         &change);
}

static void role_changed(struct step *step)
{
    struct doc data = step->event->data;
    struct text role = doc_text(data, "role");
    static const char *const roles[] = { "customer", "lead", "dealer", "supplier", "employee" };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (text_is(role, roles[i])) {
            set_role(step, role, doc_bool(data, "on", true));
            return;
        }
    engine_refuse(step->engine, E_INVALID,
                  "a role is customer, lead, dealer, supplier or employee, not %.*s",
                  (int)role.size, role.data);
}

/* true, or when it ends */
static void note_relation(struct step *step, struct text type, uint64_t other, int64_t until)
{
    struct text name = arena_printf(&step->engine->arena, "relation:%.*s:%llu", (int)type.size,
                                    type.data, (unsigned long long)other);
    struct doc_value change = { .type = DOC_BOOL, .boolean = true };
    if (until != 0)
        change = (struct doc_value){ .type = DOC_DATETIME, .integer = until };
    step_note_change(step, name, &change);
}

void relation_set(struct step *step, struct text type, uint64_t other, int64_t since, int64_t until)
{
    struct engine *engine = step->engine;
    struct key key;
    struct bytes row;
    struct doc_writer w;
    key_customer(&key, step->customer.members[step->customer.own].number, 'l');
    key_text(&key, type);
    key_number(&key, other);
    if (state_get(engine->state, &key, &row)) {
        struct doc old = { row.data, (uint32_t)row.size };
        since = doc_int(old, "since", since);
        if (doc_int(old, "until", 0) == until)
            return;
    }
    engine_draft(engine, &w);
    doc_put_int(&w, "since", since);
    if (until != 0)
        doc_put_int(&w, "until", until);
    doc_put_text(&w, "by", step->event->source);
    struct doc doc = doc_end(&w);
    state_put(engine->state, &key, doc.data, doc.size);
    key_customer(&key, other, 'b'); /* the way back, for who must forget her */
    key_text(&key, type);
    key_number(&key, step->customer.members[step->customer.own].number);
    state_put(engine->state, &key, "", 0);
    note_relation(step, type, other, until);
}

/* -- The table ------------------------------------------------------------ */

enum needs {
    NEEDS_NOTHING,
    NEEDS_CUSTOMER,
    NEEDS_TASK,
    NEEDS_EFFECT,
    NEEDS_RECORD,
    NEEDS_SUBJECT, /* of a record to come: a customer, if it is to be about one */
};

static const struct command {
    const char *type;
    enum needs needs; /* whose customer the command's step is */
    void (*handle)(struct step *step);
    bool is_unheard; /* no rule runs for it */
} commands[] = {
    { "address.changed", NEEDS_CUSTOMER, address_changed, false },
    { "channel.paused", NEEDS_NOTHING, channel_paused, false },
    { "channel.resumed", NEEDS_NOTHING, channel_resumed, false },
    { "clock.accepted", NEEDS_NOTHING, NULL, false },
    { "consent.changed", NEEDS_CUSTOMER, consent_changed, false },
    { "customer.merge", NEEDS_CUSTOMER, command_merge, false },
    { "customer.unmerge", NEEDS_CUSTOMER, command_unmerge, false },
    { "effect.drop", NEEDS_EFFECT, effect_drop, false },
    { "effect.release", NEEDS_EFFECT, effect_release, false },
    { "effect.test", NEEDS_CUSTOMER, effect_test, true },
    { "erase.requested", NEEDS_CUSTOMER, command_erase, true },
    { "key.removed", NEEDS_NOTHING, command_key_removed, false },
    { "key.set", NEEDS_NOTHING, command_key_set, false },
    { "owner.changed", NEEDS_CUSTOMER, owner_changed, false },
    { "plugin.disabled", NEEDS_NOTHING, plugin_disabled, false },
    { "plugin.enabled", NEEDS_NOTHING, plugin_enabled, false },
    { "pool.load", NEEDS_NOTHING, command_subject, false },
    { "record.assign", NEEDS_RECORD, command_record_assign, false },
    { "record.change", NEEDS_RECORD, command_record_change, false },
    { "record.create", NEEDS_SUBJECT, command_record_create, false },
    { "record.link", NEEDS_RECORD, command_record_link, false },
    { "record.move", NEEDS_RECORD, command_record_move, false },
    { "record.put", NEEDS_SUBJECT, command_record_put, false },
    { "relation.changed", NEEDS_CUSTOMER, relation_changed, false },
    { "reminder.change", NEEDS_TASK, command_reminder_change, false },
    { "reminder.done", NEEDS_TASK, command_reminder_done, false },
    { "reminder.set", NEEDS_CUSTOMER, command_reminder_set, false },
    { "reminder.snooze", NEEDS_TASK, command_reminder_snooze, false },
    { "role.changed", NEEDS_CUSTOMER, role_changed, false },
    { "rule.paused", NEEDS_NOTHING, command_rule_paused, false },
    { "rule.resumed", NEEDS_NOTHING, command_rule_resumed, false },
    { "staff.absent", NEEDS_NOTHING, command_staff_absent, false },
    { "staff.back", NEEDS_NOTHING, command_staff_back, false },
    { "staff.removed", NEEDS_NOTHING, command_staff_removed, false },
    { "staff.set", NEEDS_NOTHING, command_staff_set, false },
    { "suppression.changed", NEEDS_NOTHING, suppression_changed, false },
    { "tag.changed", NEEDS_CUSTOMER, tag_changed, false },
};

static const struct command *find_command(struct text type)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (text_is(type, commands[i].type))
            return &commands[i];
    return NULL;
}

bool event_type_is_command(struct text type)
{
    return find_command(type) != NULL;
}

static uint64_t customer_of_command(struct engine *engine, const struct event *event,
                                    enum needs needs)
{
    struct effect effect;
    if (needs == NEEDS_TASK)
        return reminder_customer(engine, (uint64_t)doc_int(event->data, "task", 0));
    if (needs == NEEDS_EFFECT)
        return effect_load(&effect, engine, doc_text(event->data, "id")) ? effect.customer : 0;
    if (needs == NEEDS_RECORD || (needs == NEEDS_SUBJECT && event->ref.size == 0))
        return record_customer_of_command(engine, event->data);
    return identity_of_event(engine, event);
}

/* Somebody whom it named may become known, and be erased: then this goes too. */
static void note_in_vain(struct step *step)
{
    static const char *const fields[] = { "absorbed", "other" };
    const struct event *event = step->event;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        erase_note_reference(step->engine, doc_text(event->data, fields[i]), event->customer);
}

/* A command that is refused has changed nothing, however far it came. */
static void handle(struct step *step, const struct command *command)
{
    struct savepoint point;
    step_save(step, &point);
    command->handle(step);
    if (step->engine->result->status == ENGINE_REFUSED) {
        step_undo(step, &point);
        note_in_vain(step);
    } else {
        step_keep(step);
    }
}

bool command_apply(struct engine *engine, struct event *event)
{
    const struct command *command = find_command(event->type);
    if (command == NULL)
        return false;

    struct step step;
    event->is_command = true;
    event->customer = customer_of_command(engine, event, command->needs);
    bool names_customer = command->needs == NEEDS_CUSTOMER ||
                          (command->needs == NEEDS_SUBJECT && event->ref.size != 0);
    if (names_customer && erase_refuse_late(engine, event))
        return true;
    if (command->needs == NEEDS_RECORD && erase_is_open(engine, event->customer)) {
        erase_note_entry(engine, event->customer, 0); /* said too late of what is about her */
        erase_wake(engine, event->customer);
    }
    step_begin(&step, engine, event);
    engine->result->customer = step.customer.number;
    if (dedupe_seen(engine, &step.customer, event)) {
        engine->result->status = ENGINE_DUPLICATE;
        customer_store(&step.customer, engine);
        erase_note_entry(engine, event->customer, event->customer);
        return true;
    }
    if (names_customer && event->customer == 0) {
        engine_refuse(engine, E_NOTFOUND, "no such customer: %.*s", (int)event->ref.size,
                      event->ref.data);
        erase_note_reference(engine, event->ref, 0);
    } else if (command->handle != NULL)
        handle(&step, command);
    if (command->is_unheard)
        step_finish_unheard(&step);
    else
        step_finish(&step);
    return true;
}

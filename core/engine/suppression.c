/* suppression.c -- addresses that nobody writes to, and those who say so themselves.
 *
 * Who answers STOP to a channel speaks of her address there, and of everything that is sent to it;
 * START takes that back.  The plugin of the channel, which has seen to it that the answer is hers,
 * says it as
 *
 *     message.unsubscribed {channel, address}    the address is put on the suppression list
 *     message.resubscribed {channel, address}    it is taken off, whoever had put it there
 *
 * without an effect.  It counts whoever the address belongs to, and also if that is nobody,
 * several, or somebody who is being erased.
 */
#include "core/engine/engine_inside.h"

static void note(struct step *step, struct text channel, bool is_on)
{
    struct doc_value change = { .type = DOC_BOOL, .boolean = is_on };
    step_note_change(
        step,
        arena_printf(&step->engine->arena, "suppression:%.*s", (int)channel.size, channel.data),
        &change);
}

void suppression_put(struct step *step, struct text channel, struct text address,
                     struct text reason)
{
    struct engine *engine = step->engine;
    struct doc_writer w;
    struct key key;
    key_suppression(&key, channel, address);
    if (!key_ok(&key))
        return;
    engine_draft(engine, &w);
    doc_put_text(&w, "channel", channel);
    doc_put_text(&w, "value", address);
    doc_put_text(&w, "reason", reason);
    struct doc row = doc_end(&w);
    state_put(engine->state, &key, row.data, row.size);
    note(step, channel, true);
}

/* Of somebody who was forgotten, and had it before: nothing more is kept of her. */
static bool is_hidden(struct engine *engine, struct text channel, struct text address)
{
    struct bytes row;
    struct key key;
    key_suppression_hidden(&key, channel, address);
    return state_get(engine->state, &key, &row);
}

static void take_off(struct step *step, struct text channel, struct text address)
{
    struct key key;
    key_suppression(&key, channel, address);
    state_delete(step->engine->state, &key);
    key_suppression_hidden(&key, channel, address);
    state_delete(step->engine->state, &key);
    note(step, channel, false);
}

bool suppression_has(struct engine *engine, struct text channel, struct text address)
{
    struct key key;
    struct bytes row;
    key_suppression(&key, channel, address);
    if (key_ok(&key) && state_get(engine->state, &key, &row))
        return true;
    key_suppression_hidden(&key, channel, address);
    return key_ok(&key) && state_get(engine->state, &key, &row);
}

static bool is_address(struct text channel, struct text address)
{
    struct key key;
    key_suppression(&key, channel, address);
    return channel.size != 0 && address.size != 0 && key_ok(&key);
}

void suppression_apply(struct engine *engine, struct event *event, bool is_on)
{
    struct step step;
    struct text channel = doc_text(event->data, "channel");
    struct text address = address_normal(engine, channel, doc_text(event->data, "address"));
    event->customer = identity_of_event(engine, event);
    if (erase_is_open(engine, event->customer)) {
        erase_note_entry(engine, event->customer, 0);
        event->customer = 0;
    } else if (event->customer == 0) {
        erase_note_reference(engine, event->ref, 0);
    }
    step_begin(&step, engine, event);
    engine->result->customer = step.customer.number;
    if (!is_address(channel, address)) {
        engine_refuse(engine, E_INVALID,
                      "a subscription needs a channel and an address that is valid there");
        step_finish_unheard(&step);
        return;
    }
    if (dedupe_seen(engine, &step.customer, event)) {
        engine->result->status = ENGINE_DUPLICATE;
        customer_store(&step.customer, engine);
        erase_note_entry(engine, event->customer, event->customer);
        return;
    }
    erase_note_address(engine, channel, address);
    if (!is_on)
        take_off(&step, channel, address);
    else if (!is_hidden(engine, channel, address))
        suppression_put(&step, channel, address, text_of("unsubscribed"));
    step_finish(&step);
}

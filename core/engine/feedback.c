/* feedback.c -- what a plugin says became of a message after it had gone out.
 *
 * All channels speak one language here: delivered, opened, clicked, replied, bounced, complained,
 * unsubscribed.  Such an event names the effect, and that says whose it is, so that nobody can be
 * suppressed by a name alone: what names no message that ever left, or one that went to another
 * address, is refused and leaves no more than its entry.
 *
 *     any of them                  the effect knows when it came first; one that was uncertain is
 *                                  known to have gone out
 *     message.bounced, hard        the address has bounced
 *     message.complained           the address has complained, and stands on the suppression list
 *     message.unsubscribed         the consent to the effect's purpose is withdrawn
 *
 * Who answers STOP to a channel names no message, and means all of them: that is told of in
 * suppression.c.
 *
 * The host adds the effect's print when it writes the entry, so that a replay by another build
 * finds the same message (effect.h: effect_find).
 *
 * Messages to staff and tests change nothing of the customer: the address is not hers.
 *
 * Feedback that comes at once goes on with the cascade of its message: a rule that answers a bounce
 * may bounce for ever.  After limits.cascade_rest_ms it begins a new one, as a timer does.
 */
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"

#define PREFIX "message."

enum word {
    WORD_DELIVERED,
    WORD_OPENED,
    WORD_CLICKED,
    WORD_REPLIED,
    WORD_BOUNCED,
    WORD_COMPLAINED,
    WORD_UNSUBSCRIBED,
    WORD_RESUBSCRIBED,
    WORD_NONE,
};

static const char *const types[] = {
    PREFIX "delivered", PREFIX "opened",     PREFIX "clicked",      PREFIX "replied",
    PREFIX "bounced",   PREFIX "complained", PREFIX "unsubscribed", PREFIX "resubscribed",
};

static enum word kind_of(struct text type)
{
    for (size_t i = 0; i < WORD_NONE; i++)
        if (text_is(type, types[i]))
            return (enum word)i;
    return WORD_NONE;
}

bool event_type_is_feedback(struct text type)
{
    return kind_of(type) != WORD_NONE;
}

bool feedback_is_of_address(struct text type, struct doc data)
{
    enum word kind = kind_of(type);
    return kind == WORD_RESUBSCRIBED ||
           (kind == WORD_UNSUBSCRIBED && doc_get(data, "effect").type == DOC_NONE);
}

/* -- What follows --------------------------------------------------------- */

static void mark_address(struct step *step, const struct effect *effect, const char *state)
{
    struct engine *engine = step->engine;
    struct text address = doc_text(effect->message, "address");
    struct doc_value change = { .type = DOC_TEXT, .text = text_of(state) };
    bool is_changed = false;
    struct err err;
    int rc = customer_lose_address(&step->customer, engine, effect->channel, address,
                                   text_of(state), &is_changed, &err);
    if (rc != 0)
        step_note_line(step, arena_text(&engine->arena, text_of(err.text)));
    else if (is_changed)
        step_note_change(step,
                         arena_printf(&engine->arena, "address:%.*s:%.*s",
                                      (int)effect->channel.size, effect->channel.data,
                                      (int)address.size, address.data),
                         &change);
}

static void suppress(struct step *step, const struct effect *effect)
{
    char id[EVENT_ID_TEXT_MAX];
    struct text name = event_id_text(effect->seq, effect->n, id);
    suppression_put(step, effect->channel, doc_text(effect->message, "address"),
                    arena_printf(&step->engine->arena, "complained of message %.*s", (int)name.size,
                                 name.data));
}

static void withdraw(struct step *step, const struct effect *effect)
{
    struct engine *engine = step->engine;
    char id[EVENT_ID_TEXT_MAX];
    struct text name = event_id_text(effect->seq, effect->n, id);
    struct consent consent = {
        .purpose = effect->purpose,
        .channel = effect->channel,
        .source = step->event->source,
        .proof = arena_printf(&engine->arena, "unsubscribed from message %.*s", (int)name.size,
                              name.data),
        .state = CONSENT_WITHDRAWN,
        .at = step->event->at,
    };
    struct doc_value change = { .type = DOC_TEXT, .text = text_of("withdrawn") };
    struct err err;
    if (customer_set_consent(&step->customer, engine, &consent, &err) != 0)
        step_note_line(step, arena_text(&engine->arena, text_of(err.text)));
    else
        step_note_change(step,
                         arena_printf(&engine->arena, "consent:%.*s/%.*s",
                                      (int)consent.purpose.size, consent.purpose.data,
                                      (int)consent.channel.size, consent.channel.data),
                         &change);
}

static void follow(struct step *step, const struct effect *effect, enum word kind)
{
    bool is_hers = !effect->is_test && !effect->is_notification && step->customer.number != 0;
    bool has_address = doc_text(effect->message, "address").size != 0;
    if (!is_hers)
        return;
    if (kind == WORD_UNSUBSCRIBED && effect->purpose.size != 0)
        withdraw(step, effect);
    if (kind == WORD_BOUNCED && has_address && doc_bool(step->event->data, "hard", false))
        mark_address(step, effect, "bounced");
    if (kind == WORD_COMPLAINED && has_address) {
        mark_address(step, effect, "complained");
        suppress(step, effect);
    }
}

/* -- Whether it is true --------------------------------------------------- */

/* An address that is not where the message went to is somebody's all the same. */
static void note_stranger(struct step *step)
{
    struct engine *engine = step->engine;
    static const char *const spaces[] = { "email", "phone" };
    struct text address = doc_text(step->event->data, "address");
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        struct text normal = identity_normal(engine, text_of(spaces[i]), address);
        if (normal.size != 0)
            erase_note_name(engine, text_of(spaces[i]), normal, step->event->customer);
    }
}

static bool went_there(struct engine *engine, const struct effect *effect, struct text address)
{
    struct text known = doc_text(effect->message, "address");
    struct text normal = address_normal(engine, effect->channel, address);
    return address.size == 0 || text_equal(address, known) ||
           (normal.size != 0 && text_equal(normal, known));
}

static bool has_left(const struct effect *effect)
{
    return effect->message.data != NULL &&
           (text_is(effect->state, "claimed") || text_is(effect->state, "sent") ||
            text_is(effect->state, "uncertain"));
}

/* 0, or why nothing follows from it. */
static int check(struct step *step, const struct effect *effect)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct text id = doc_text(data, "effect");
    int shown = (int)(id.size < EVENT_ID_TEXT_MAX ? id.size : EVENT_ID_TEXT_MAX);
    if (effect == NULL)
        engine_refuse(engine, E_NOTFOUND, "no effect has the id %.*s", shown, id.data);
    else if (erase_is_open(engine, effect->customer))
        engine_refuse(engine, E_NOTFOUND, "customer %llu is being erased",
                      (unsigned long long)effect->customer);
    else if (!has_left(effect))
        engine_refuse(engine, E_CONFLICT, "effect %.*s is %.*s: it has not gone out", shown,
                      id.data, (int)effect->state.size, effect->state.data);
    else if (!went_there(engine, effect, doc_text(data, "address")))
        engine_refuse(engine, E_CONFLICT, "effect %.*s did not go to that address", shown, id.data);
    else
        return 0;
    return engine->result->code;
}

/* -- One event ------------------------------------------------------------ */

static void go_on_with_cascade(struct engine *engine, struct event *event,
                               const struct effect *effect)
{
    int64_t since = effect->released != 0 ? effect->released : effect->created;
    if (engine->now - since >= engine->config.limits.cascade_rest_ms)
        return;
    event->depth = effect->depth + 1;
    effect_begin_cause(engine, effect);
}

static void refused(struct step *step, const struct effect *effect)
{
    if (effect != NULL && erase_is_open(step->engine, effect->customer))
        erase_note_entry(step->engine, effect->customer, 0);
    note_stranger(step);
    step_finish_unheard(step);
}

bool feedback_apply(struct engine *engine, struct event *event)
{
    enum word kind = kind_of(event->type);
    struct effect found, *effect = NULL;
    struct step step;
    if (kind == WORD_NONE)
        return false;
    if (feedback_is_of_address(event->type, event->data)) {
        suppression_apply(engine, event, kind == WORD_UNSUBSCRIBED);
        return true;
    }
    if (effect_find_by(&found, engine, doc_text(event->data, "effect"),
                       doc_int(event->data, "print", 0)))
        effect = &found;
    if (effect != NULL && !erase_is_open(engine, effect->customer)) {
        event->customer = effect->customer;
        go_on_with_cascade(engine, event, effect);
    }
    step_begin(&step, engine, event);
    engine->result->customer = step.customer.number;
    if (check(&step, effect) != 0) {
        refused(&step, effect);
        return true;
    }
    ASSERT(effect != NULL);
    if (dedupe_seen(engine, &step.customer, event)) {
        engine->result->status = ENGINE_DUPLICATE;
        customer_store(&step.customer, engine);
        erase_note_entry(engine, event->customer, event->customer);
        return true;
    }
    effect_note_feedback(&step, effect, types[kind] + sizeof PREFIX - 1);
    follow(&step, effect, kind);
    step_finish(&step);
    return true;
}

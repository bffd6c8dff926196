/* effect.c -- intended acts on the outside world, from intent to outcome.
 *
 *     state       event             becomes
 *     ---------   ---------------   ---------------------------------------------
 *     (none)      send, notify      pending; held when replayed under a later world
 *     pending     claim             claimed (go) | suppressed | rejected | expired
 *     held        claim             as pending: the log proves that it went out
 *     pending     claim, and its    pending and parked: in no line, and nobody may claim it, until
 *                 rule is paused    the rule is resumed; then at the end of its line
 *     claimed     outcome           sent | rejected | failed -> pending at its next
 *                                   attempt's time, or failed for good | uncertain
 *     claimed     daemon.started    uncertain | pending, on an idempotent channel
 *     uncertain   outcome           sent | rejected: late, but certain
 *     uncertain   feedback          sent: whoever speaks of it has it
 *     uncertain   release, drop     pending | dropped
 *     held        release, drop     pending | dropped
 *     parked      drop              dropped
 *     final       anything          unchanged
 *     claimed     erasure           claimed, without its words; gone with what comes next
 *     any other   erasure           gone
 *
 * The effects of one customer on one channel form a line: only the first that is
 * still open may be claimed, so order holds; `x` lists these heads.  One that waits
 * for its next attempt holds up its line and no other.  Uncertain and held ones have
 * left the line: they wait for a person.
 */
#include "core/engine/effect.h"

#include "core/base/hash.h"
#include "core/base/utf8.h"
#include "core/engine/engine_inside.h"

#include <string.h>

#define REASON_BYTES_MAX 500
#define RETRY_MS_MAX (6ll * 3600 * 1000)

/* -- Rows ----------------------------------------------------------------- */

static void key_effect(struct key *key, uint64_t seq, uint64_t n)
{
    key_start(key, 'e');
    key_id(key, seq, n);
}

static void key_line(struct key *key, const struct effect *effect)
{
    key_customer(key, effect->customer, 'q');
    key_text(key, effect->channel);
    key_number(key, effect->place != 0 ? effect->place : effect->seq);
    key_id(key, effect->seq, effect->n);
}

static void key_ready(struct key *key, const struct effect *effect)
{
    key_start(key, 'x');
    key_text(key, effect->channel);
    key_id(key, effect->seq, effect->n);
}

static void key_waiting(struct key *key, const struct effect *effect)
{
    key_start(key, 'y');
    key_text(key, effect->state);
    key_id(key, effect->seq, effect->n);
}

static void key_claimed(struct key *key, const struct effect *effect)
{
    key_start(key, 'y');
    key_text(key, text_of("claimed"));
    key_id(key, effect->seq, effect->n);
}

static void put_number(struct engine *engine, const struct key *key, uint64_t number)
{
    struct key value = { .size = 0 };
    key_number(&value, number);
    state_put(engine->state, key, value.data, value.size);
}

bool effect_load(struct effect *effect, struct engine *engine, struct text id)
{
    uint64_t seq, n;
    struct key key;
    struct bytes row;
    if (!event_id_parse(id, &seq, &n))
        return false;
    key_effect(&key, seq, n);
    if (!state_get(engine->state, &key, &row))
        return false;
    struct doc doc = { arena_copy(&engine->arena, row.data, row.size), (uint32_t)row.size };
    effect_read(effect, seq, n, doc);
    return true;
}

void effect_read(struct effect *effect, uint64_t seq, uint64_t n, struct doc doc)
{
    *effect = (struct effect){
        .seq = seq,
        .n = n,
        .customer = (uint64_t)doc_int(doc, "customer", 0),
        .channel = doc_text(doc, "channel"),
        .purpose = doc_text(doc, "purpose"),
        .state = doc_text(doc, "state"),
        .reason = doc_text(doc, "reason"),
        .to = doc_text(doc, "to"),
        .key = doc_text(doc, "key"),
        .rule = doc_text(doc, "rule"),
        .cause = (uint64_t)doc_int(doc, "cause", 0),
        .content = doc_child(doc, "content"),
        .message = doc_child(doc, "message"),
        .feedback = doc_child(doc, "feedback"),
        .created = doc_int(doc, "created", 0),
        .expires = doc_int(doc, "expires", 0),
        .attempt = doc_int(doc, "attempt", 0),
        .run = (uint64_t)doc_int(doc, "run", 0),
        .print = doc_int(doc, "print", 0),
        .origin = (uint64_t)doc_int(doc, "origin", 0),
        .most = doc_int(doc, "most", 0),
        .depth = (unsigned)doc_int(doc, "depth", 0),
        .place = (uint64_t)doc_int(doc, "place", 0),
        .released = doc_int(doc, "released", 0),
        .is_notification = doc_bool(doc, "notification", false),
        .is_test = doc_bool(doc, "test", false),
        .is_historic = doc_bool(doc, "historic", false),
        .is_parked = doc_bool(doc, "parked", false),
    };
    if (effect->content.data == NULL)
        effect->content = effect->message;
}

int64_t effect_print(const struct effect *effect)
{
    const struct text parts[] = { effect->channel, effect->purpose, effect->to, effect->rule,
                                  effect->key };
    struct hash128 hash;
    uint8_t bytes[HASH128_BYTES];
    int64_t print;
    if (effect->print != 0)
        return effect->print;
    hash128_init(&hash);
    hash128_update(&hash, &effect->customer, sizeof effect->customer);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        hash128_update(&hash, &parts[i].size, sizeof parts[i].size);
        hash128_update(&hash, parts[i].data, parts[i].size);
    }
    hash128_update(&hash, effect->content.data, effect->content.size);
    hash128_final(&hash, bytes);
    memcpy(&print, bytes, sizeof print);
    return print;
}

static bool find_by_print(struct effect *effect, struct engine *engine, uint64_t seq, int64_t print)
{
    struct key prefix;
    struct cursor cursor;
    bool is_found = false;
    key_start(&prefix, 'e');
    key_number(&prefix, seq);
    cursor_open(&cursor, engine->state, &prefix);
    while (!is_found && cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        struct doc row = { cursor.value.data, (uint32_t)cursor.value.size };
        uint64_t n = key_take_number(&reader);
        effect_read(effect, seq, n, arena_doc(&engine->arena, row));
        is_found = effect_print(effect) == print;
    }
    cursor_close(&cursor);
    return is_found;
}

bool effect_find(struct effect *effect, struct engine *engine, struct doc data)
{
    return effect_find_by(effect, engine, doc_text(data, "id"), doc_int(data, "print", 0));
}

bool effect_find_by(struct effect *effect, struct engine *engine, struct text id, int64_t print)
{
    uint64_t seq, n;
    if (effect_load(effect, engine, id) && (print == 0 || effect_print(effect) == print))
        return true;
    return print != 0 && event_id_parse(id, &seq, &n) && find_by_print(effect, engine, seq, print);
}

static void put_number_present(struct doc_writer *w, const char *name, int64_t value)
{
    if (value != 0)
        doc_put_int(w, name, value);
}

static void effect_store(const struct effect *effect, struct engine *engine)
{
    struct doc_writer w;
    struct key key;
    engine_draft(engine, &w);
    doc_put_int(&w, "customer", (int64_t)effect->customer);
    doc_put_text(&w, "channel", effect->channel);
    doc_put_present(&w, "purpose", effect->purpose);
    doc_put_text(&w, "state", effect->state);
    doc_put_present(&w, "reason", effect->reason);
    doc_put_present(&w, "to", effect->to);
    doc_put_present(&w, "key", effect->key);
    doc_put_present(&w, "rule", effect->rule);
    put_number_present(&w, "cause", (int64_t)effect->cause);
    put_number_present(&w, "origin", (int64_t)effect->origin);
    put_number_present(&w, "most", effect->most);
    put_number_present(&w, "depth", effect->depth);
    doc_put_int(&w, "created", effect->created);
    doc_put_int(&w, "expires", effect->expires);
    put_number_present(&w, "attempt", effect->attempt);
    put_number_present(&w, "run", (int64_t)effect->run);
    if (effect->is_notification)
        doc_put_bool(&w, "notification", true);
    if (effect->is_test)
        doc_put_bool(&w, "test", true);
    if (effect->is_historic)
        doc_put_bool(&w, "historic", true);
    if (effect->is_parked)
        doc_put_bool(&w, "parked", true);
    put_number_present(&w, "print", effect->print);
    put_number_present(&w, "place", (int64_t)effect->place);
    put_number_present(&w, "released", effect->released);
    if (effect->feedback.data != NULL)
        doc_put_doc(&w, "feedback", effect->feedback);
    if (effect->message.data != NULL)
        doc_put_doc(&w, "message", effect->message);
    else
        doc_put_doc(&w, "content", effect->content);
    struct doc row = doc_end(&w);
    key_effect(&key, effect->seq, effect->n);
    state_put(engine->state, &key, row.data, row.size);
}

/* -- The line of a customer and channel ----------------------------------- */

static void make_ready(struct engine *engine, const struct effect *effect)
{
    struct key key;
    key_ready(&key, effect);
    put_number(engine, &key, effect->customer);
    engine_note_ready(engine, effect->channel);
}

static bool is_first_in_line(struct engine *engine, const struct effect *effect, bool *out_is_empty,
                             struct effect *out_first)
{
    struct key prefix;
    struct cursor cursor;
    key_customer(&prefix, effect->customer, 'q');
    key_text(&prefix, effect->channel);
    cursor_open(&cursor, engine->state, &prefix);
    *out_is_empty = !cursor_next(&cursor);
    if (!*out_is_empty) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        uint64_t place;
        *out_first = *effect;
        bool is_id = key_read_number(&reader, &place) &&
                     key_read_number(&reader, &out_first->seq) &&
                     key_read_number(&reader, &out_first->n);
        ASSERT(is_id);
    }
    cursor_close(&cursor);
    return !*out_is_empty && out_first->seq == effect->seq && out_first->n == effect->n;
}

static void enter_line(struct engine *engine, const struct effect *effect)
{
    struct key key;
    struct effect first;
    bool is_empty;
    key_line(&key, effect);
    state_put(engine->state, &key, "", 0);
    if (is_first_in_line(engine, effect, &is_empty, &first))
        make_ready(engine, effect);
}

/* Leave the line; the next one may go, unless it waits for its own next attempt. */
static void leave_line(struct engine *engine, const struct effect *effect)
{
    struct key key;
    struct effect first;
    bool is_empty;
    key_ready(&key, effect);
    state_delete(engine->state, &key);
    key_line(&key, effect);
    struct bytes value;
    if (!state_get(engine->state, &key, &value))
        return;
    state_delete(engine->state, &key);
    is_first_in_line(engine, effect, &is_empty, &first);
    if (is_empty)
        return;
    char id[EVENT_ID_TEXT_MAX];
    struct effect next;
    bool is_there = effect_load(&next, engine, event_id_text(first.seq, first.n, id));
    ASSERT(is_there);
    struct text timer = arena_printf(&engine->arena, "effect:%s", id);
    if (text_is(next.state, "pending") &&
        timer_payload_of(engine, next.customer, timer).data == NULL)
        make_ready(engine, &next);
}

/* -- Intent --------------------------------------------------------------- */

int step_send(struct step *step, const struct send_request *request, struct err *err)
{
    struct engine *engine = step->engine;
    const struct limits *limits = &engine->config.limits;
    uint64_t own =
        step->customer.number != 0 ? step->customer.members[step->customer.own].number : 0;
    const struct channel_config *channel = config_channel(&engine->config, request->channel);
    bool is_machine = channel != NULL && channel->is_machine;
    if (own == 0 && !request->is_notification && !is_machine)
        return err_set(err, E_INVALID, "send: this event has no customer to write to");
    if (request->purpose.size > NAME_BYTES_MAX || request->key.size > NAME_BYTES_MAX ||
        request->to.size > NAME_BYTES_MAX)
        return err_set(err, E_LIMIT, "send: purpose, key and to have at most %d bytes",
                       NAME_BYTES_MAX);
    if (channel == NULL)
        return err_set(err, E_NOTFOUND, "send: no channel is called \"%.*s\"",
                       (int)request->channel.size, request->channel.data);
    if (!request->is_notification && !effect_knows_purpose(engine, request->purpose))
        return err_set(err, E_NOTFOUND, "send: no purpose is called \"%.*s\"",
                       (int)request->purpose.size, request->purpose.data);
    if (request->content.size > (uint32_t)limits->effect_bytes)
        return err_set(err, E_LIMIT,
                       "send: the message has %u bytes, more than %lld (limit effect_bytes)",
                       request->content.size, (long long)limits->effect_bytes);
    if (step->trace.effect_count == sizeof step->trace.effects / sizeof *step->trace.effects)
        return err_set(err, E_LIMIT, "send: one event makes at most %zu messages",
                       sizeof step->trace.effects / sizeof *step->trace.effects);
    int rc = effect_check_cascade(step, err);
    if (rc != 0)
        return rc;
    struct cause *cause = engine->cause;
    struct effect effect = {
        .seq = engine->seq,
        .n = ++engine->derived_n,
        .origin = cause->first != 1 ? cause->first : 0,
        .most = cause->after != NULL ? cause->effects_most : 0,
        .depth = step->event->depth,
        .customer = own,
        .channel = request->channel,
        .purpose = request->purpose,
        .to = request->to,
        .key = request->key,
        .rule = step->rule != NULL ? step->rule->name : (struct text){ "", 0 },
        .cause = step->event->n,
        .content = request->content,
        .created = engine->now,
        .expires = engine->now +
                   (request->expires_ms != 0 ? request->expires_ms : limits->effect_expires_ms),
        .is_notification = request->is_notification,
        .is_test = request->is_test,
        .is_historic = engine->replay_until - engine->now > EFFECT_HISTORIC_MS,
        .state = text_of(engine_holds(engine) ? "held" : "pending"),
    };
    effect_store(&effect, engine);
    if (engine_holds(engine)) {
        struct key key;
        key_waiting(&key, &effect);
        put_number(engine, &key, own);
    } else {
        enter_line(engine, &effect);
    }
    cause->effects++;
    step->trace.effects[step->trace.effect_count++] = effect.n;
    step->trace.acts++;
    return 0;
}

/* -- Final states --------------------------------------------------------- */

static void note_effect(struct step *step, const struct effect *effect)
{
    struct engine *engine = step->engine;
    char id[EVENT_ID_TEXT_MAX];
    if (effect->is_test)
        return;
    struct text type =
        arena_printf(&engine->arena, "effect.%.*s", (int)effect->state.size, effect->state.data);
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "id", event_id_text(effect->seq, effect->n, id));
    doc_put_text(&w, "channel", effect->channel);
    doc_put_present(&w, "purpose", effect->purpose);
    doc_put_present(&w, "key", effect->key);
    doc_put_present(&w, "reason", effect->reason);
    doc_put_int(&w, "attempt", effect->attempt);
    step_derive(step, type.data, effect->customer, engine_doc(engine, &w));
}

static void stop_waiting(struct engine *engine, struct effect *effect)
{
    struct key key;
    key_waiting(&key, effect);
    state_delete(engine->state, &key);
    key_claimed(&key, effect);
    state_delete(engine->state, &key);
    if (effect->is_parked) {
        key_parked(&key, effect->rule, effect->seq, effect->n);
        state_delete(engine->state, &key);
        effect->is_parked = false;
    }
}

/* What a channel or a person says of it is kept up to a length. */
static struct text short_reason(struct text reason)
{
    if (reason.size > REASON_BYTES_MAX)
        reason.size = (uint32_t)utf8_cut(reason.data, reason.size, REASON_BYTES_MAX);
    return reason;
}

static void forget(struct engine *engine, struct effect *effect)
{
    struct key key;
    stop_waiting(engine, effect);
    leave_line(engine, effect);
    key_effect(&key, effect->seq, effect->n);
    state_delete(engine->state, &key);
    erase_wake(engine, effect->customer);
}

bool effect_erase(struct engine *engine, struct text id, uint64_t customer)
{
    struct effect effect;
    struct text none = { "", 0 };
    if (!effect_load(&effect, engine, id) || effect.customer != customer)
        return true;
    if (!text_is(effect.state, "claimed")) {
        forget(engine, &effect);
        return true;
    }
    effect.reason = effect.to = effect.key = none;
    effect.feedback = (struct doc){ NULL, 0 };
    effect.content = effect.message = (struct doc){ NULL, 0 };
    effect_store(&effect, engine);
    return false;
}

/* What an entry says of an effect whose customer is being erased is erased with her. */
static bool is_of_erased(struct engine *engine, const struct effect *effect)
{
    if (!erase_is_open(engine, effect->customer))
        return false;
    erase_note_entry(engine, effect->customer, 0);
    return true;
}

static void finish(struct step *step, struct effect *effect, const char *state, struct text reason)
{
    struct engine *engine = step->engine;
    stop_waiting(engine, effect);
    effect->state = text_of(state);
    effect->reason = reason;
    leave_line(engine, effect);
    if (text_is(effect->state, "uncertain")) {
        struct key key;
        key_waiting(&key, effect);
        put_number(engine, &key, effect->customer);
    }
    effect_store(effect, engine);
    note_effect(step, effect);
}

/* By the schedule, but not before the receiver wants to hear of it again: `asked` ms. */
static int64_t wait_before_next_attempt(const struct engine *engine, const struct effect *effect,
                                        int64_t asked)
{
    int64_t wait = engine->config.limits.effect_retry_ms;
    for (int64_t i = 1; i < effect->attempt && wait < RETRY_MS_MAX; i++)
        wait *= 2;
    /* Up to a quarter more, by the id: those that failed together do not come back together. */
    wait += (int64_t)((effect->seq * 7919 + effect->n * 104729) % (uint64_t)(wait / 4 + 1));
    if (asked > EFFECT_WAIT_MS_MAX)
        asked = EFFECT_WAIT_MS_MAX;
    return asked > wait ? asked : wait;
}

static void wait_for_next_attempt(struct step *step, struct effect *effect, struct text reason,
                                  int64_t asked)
{
    struct engine *engine = step->engine;
    char id[EVENT_ID_TEXT_MAX];
    struct text text = event_id_text(effect->seq, effect->n, id);
    int64_t wait = wait_before_next_attempt(engine, effect, asked);
    stop_waiting(engine, effect);
    effect->state = text_of("pending");
    effect->reason = reason;
    struct key key;
    key_ready(&key, effect);
    state_delete(engine->state, &key);
    effect_store(effect, engine);

    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "effect");
    doc_put_text(&w, "id", text);
    timer_set(engine, NULL, effect->customer, arena_printf(&engine->arena, "effect:%s", id),
              engine->now + wait, engine_doc(engine, &w));
}

void effect_fire_retry(struct engine *engine, struct text id)
{
    struct effect effect;
    bool is_there = effect_load(&effect, engine, id);
    ASSERT(is_there);
    if (text_is(effect.state, "pending"))
        make_ready(engine, &effect);
}

/* -- Claims --------------------------------------------------------------- */

/* Its rule is paused: the next in the line may go. */
static void park(struct engine *engine, struct effect *effect)
{
    struct key key;
    stop_waiting(engine, effect);
    effect->state = text_of("pending");
    effect->reason = arena_printf(&engine->arena, "rule \"%.*s\" is paused", (int)effect->rule.size,
                                  effect->rule.data);
    effect->is_parked = true;
    leave_line(engine, effect);
    effect_store(effect, engine);
    key_parked(&key, effect->rule, effect->seq, effect->n);
    put_number(engine, &key, effect->customer);
}

void effect_unpark(struct engine *engine, struct text id)
{
    struct effect effect;
    bool is_there = effect_load(&effect, engine, id);
    ASSERT(is_there);
    stop_waiting(engine, &effect);
    effect.reason = (struct text){ "", 0 };
    effect.place = engine->seq;
    effect_store(&effect, engine);
    enter_line(engine, &effect);
}

static void report_go(struct engine *engine, const struct effect *effect, bool is_go)
{
    char id[EVENT_ID_TEXT_MAX];
    struct text text = event_id_text(effect->seq, effect->n, id);
    if (!engine_is_live(engine))
        return;
    if (is_go)
        engine->hooks->go(engine->arg, text, effect->attempt, effect->channel, effect->message);
    else
        engine->hooks->no_go(engine->arg, text, effect->channel);
}

/* The bytes of all attempts.  What cannot be made a message is rejected. */
static struct verdict render(struct engine *engine, struct effect *effect,
                             const struct customer *customer, struct verdict verdict)
{
    struct err err;
    int64_t print = effect_print(effect);
    if (effect_render(engine, effect, customer, verdict.address, &effect->message, &err) == 0) {
        effect->print = print;
        return verdict;
    }
    return (struct verdict){ .state = "rejected",
                             .reason = arena_text(&engine->arena, text_of(err.text)) };
}

void effect_claim(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct effect effect;
    if (!effect_find(&effect, engine, data)) {
        /* Made under another world and never again: it was sent, and that stays known. */
        step_note_line(step, text_of("a claim of an effect that this replay did not make"));
        return;
    }
    if (is_of_erased(engine, &effect)) {
        char id[EVENT_ID_TEXT_MAX];
        effect_erase(engine, event_id_text(effect.seq, effect.n, id), effect.customer);
        report_go(engine, &effect, false);
        return;
    }
    bool is_open =
        (text_is(effect.state, "pending") && !effect.is_parked) || text_is(effect.state, "held");
    if (!is_open || doc_int(data, "attempt", 0) != effect.attempt + 1 ||
        (uint64_t)doc_int(data, "run", 0) != engine->run) {
        report_go(engine, &effect, false);
        return;
    }
    struct verdict verdict = effect_decide(engine, &effect, &step->customer);
    bool has_to_wait = verdict.state == NULL && rule_is_paused(engine, effect.rule);
    if (verdict.state == NULL && !has_to_wait && effect.message.data == NULL)
        verdict = render(engine, &effect, &step->customer, verdict);
    if (verdict.state != NULL || has_to_wait) {
        if (has_to_wait)
            park(engine, &effect);
        else
            finish(step, &effect, verdict.state, verdict.reason);
        report_go(engine, &effect, false);
        return;
    }
    stop_waiting(engine, &effect);
    effect.attempt++;
    effect.run = engine->run;
    effect.state = text_of("claimed");
    effect_store(&effect, engine);
    struct key key;
    key_claimed(&key, &effect);
    put_number(engine, &key, effect.customer);
    key_ready(&key, &effect);
    state_delete(engine->state, &key);
    key_line(&key, &effect); /* a held one was not in the line: from here on it holds it up */
    state_put(engine->state, &key, "", 0);
    report_go(engine, &effect, true);
}

/* -- Outcomes ------------------------------------------------------------- */

void effect_outcome(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct text outcome = doc_text(data, "outcome");
    struct text detail = short_reason(doc_text(data, "detail"));
    struct effect effect;
    if (!effect_find(&effect, engine, data))
        return;
    bool is_erased = is_of_erased(engine, &effect);
    if (doc_int(data, "attempt", 0) != effect.attempt)
        return;
    bool is_claimed = text_is(effect.state, "claimed");
    bool is_certain = text_is(outcome, "sent") || text_is(outcome, "rejected");
    if (!is_claimed && !(text_is(effect.state, "uncertain") && is_certain))
        return;
    if (is_erased)
        forget(engine, &effect);
    else if (text_is(outcome, "sent"))
        finish(step, &effect, "sent", detail);
    else if (text_is(outcome, "rejected"))
        finish(step, &effect, "rejected", detail);
    else if (text_is(outcome, "uncertain"))
        finish(step, &effect, "uncertain", detail);
    else if (effect.attempt < engine->config.limits.effect_attempts)
        wait_for_next_attempt(step, &effect, detail, doc_int(data, "wait_ms", 0));
    else
        finish(step, &effect, "failed", detail);
}

void effect_note_feedback(struct step *step, struct effect *effect, const char *word)
{
    struct engine *engine = step->engine;
    struct doc_writer w;
    engine_draft(engine, &w);
    for (struct doc_iter it = doc_iter(effect->feedback); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    if (doc_get(effect->feedback, word).type == DOC_NONE)
        doc_put_datetime(&w, word, step->event->at);
    effect->feedback = engine_doc(engine, &w);
    if (text_is(effect->state, "uncertain"))
        finish(step, effect, "sent", arena_printf(&engine->arena, "it arrived: message.%s", word));
    else
        effect_store(effect, engine);
}

/* Between two runs: a claim without an outcome may or may not have gone out. */
static void close_claim(struct step *step, struct text id)
{
    struct engine *engine = step->engine;
    struct effect effect;
    bool is_there = effect_load(&effect, engine, id);
    ASSERT(is_there);
    effect_begin_cause(engine, &effect);
    step->event->depth = effect.depth;
    if (erase_is_open(engine, effect.customer)) {
        forget(engine, &effect);
        return;
    }
    const struct channel_config *channel = config_channel(&engine->config, effect.channel);
    if (channel != NULL && channel->is_idempotent) {
        stop_waiting(engine, &effect);
        effect.state = text_of("pending");
        effect_store(&effect, engine);
        make_ready(engine, &effect);
        return;
    }
    finish(step, &effect, "uncertain",
           text_of("the daemon stopped before the channel had answered"));
}

void effect_close_run(struct step *step)
{
    struct engine *engine = step->engine;
    struct cause *own = engine->cause;
    struct key prefix;
    struct cursor cursor;
    key_start(&prefix, 'y');
    key_text(&prefix, text_of("claimed"));
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        char text[EVENT_ID_TEXT_MAX];
        struct text id = event_id_of_key(cursor.key, prefix.size, text);
        close_claim(step, arena_text(&engine->arena, id));
    }
    cursor_close(&cursor);
    engine->cause = own;
    engine->depth = step->event->depth = 0;
}

/* -- Decisions of people -------------------------------------------------- */

static bool load_waiting(struct step *step, struct effect *effect, bool is_parked_too)
{
    struct text id = doc_text(step->event->data, "id");
    if (!effect_load(effect, step->engine, id)) {
        engine_refuse(step->engine, E_NOTFOUND, "no effect has the id %.*s", (int)id.size, id.data);
        return false;
    }
    if (text_is(effect->state, "held") || text_is(effect->state, "uncertain") ||
        (is_parked_too && effect->is_parked))
        return true;
    engine_refuse(step->engine, E_CONFLICT,
                  "effect %.*s is %.*s: only held and uncertain ones wait for a decision",
                  (int)id.size, id.data, (int)effect->state.size, effect->state.data);
    return false;
}

/* Sent anew from now: at the end of the line, and its time to expire starts again.  A person has
 * looked at it: what becomes of it is no longer the doing of what made it. */
void effect_release(struct step *step)
{
    struct effect effect;
    if (!load_waiting(step, &effect, false))
        return;
    stop_waiting(step->engine, &effect);
    int64_t since = effect.released != 0 ? effect.released : effect.created;
    effect.expires = step->engine->now + (effect.expires - since);
    effect.released = step->engine->now;
    effect.place = step->engine->seq;
    effect.depth = 0;
    effect.state = text_of("pending");
    effect.reason = (struct text){ "", 0 };
    effect_store(&effect, step->engine);
    enter_line(step->engine, &effect);
}

void effect_drop(struct step *step)
{
    struct effect effect;
    if (load_waiting(step, &effect, true))
        finish(step, &effect, "dropped", short_reason(doc_text(step->event->data, "reason")));
}

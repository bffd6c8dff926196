/* subject.c -- what all shared subjects have in common; see subject.h.
 *
 * An entry for a subject stands on nobody's timeline, for it is no customer's, and in the subject's
 * own timeline there is a row that points to it.  So the stream, explanations and erasures find it
 * where they find every event without a customer.
 *
 * Two things of a subject lie elsewhere.  Timers are the company's (owner 0) and carry the address.
 * And whoever has something of a subject has a row in her own cluster that says so, so that it is
 * forgotten with her without a look at every subject there is.
 */
#include "core/engine/subject.h"

#include "core/base/near.h"
#include "core/engine/engine_inside.h"

#include <string.h>

static const struct subject_kind *const kinds[] = { &pool_kind, &budget_kind };

/* -- Addresses ------------------------------------------------------------ */

static const struct subject_kind *kind_of(struct text name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_is(name, kinds[i]->name))
            return kinds[i];
    return NULL;
}

/* NULL: it is none. */
static const struct subject_kind *split(struct text address, struct text *out_name)
{
    const char *colon = address.size != 0 ? memchr(address.data, ':', address.size) : NULL;
    if (colon == NULL)
        return NULL;
    struct text kind = { address.data, (uint32_t)(colon - address.data) };
    *out_name = (struct text){ colon + 1, address.size - kind.size - 1 };
    if (out_name->size == 0 || out_name->size > NAME_BYTES_MAX)
        return NULL;
    return kind_of(kind);
}

bool subject_is_address(struct text text)
{
    struct text name;
    return split(text, &name) != NULL;
}

static const struct subject_plan *plan_of(const struct engine *engine, const char *kind,
                                          struct text name)
{
    const struct ruleset *rules = engine->rules;
    for (size_t i = 0; rules != NULL && i < rules->subject_count; i++)
        if (text_is(rules->subjects[i].kind, kind) && text_equal(rules->subjects[i].name, name))
            return &rules->subjects[i];
    return NULL;
}

bool subject_open(struct subject *subject, struct engine *engine, struct text address)
{
    struct key key;
    *subject = (struct subject){ .engine = engine, .address = address };
    subject->kind = split(address, &subject->name);
    if (subject->kind == NULL)
        return false;
    const struct subject_plan *plan = plan_of(engine, subject->kind->name, subject->name);
    if (plan != NULL)
        subject->terms = plan->terms;
    subject_key(&key, subject, 'p');
    subject->row = subject_get(subject, &key);
    return true;
}

/* -- Rows ----------------------------------------------------------------- */

void subject_key(struct key *key, const struct subject *subject, char table)
{
    key_start(key, 'S');
    key_text(key, subject->address);
    key_byte(key, (uint8_t)table);
}

void subject_key_of(struct key *key, const struct subject *subject, char table, uint64_t customer,
                    struct text name)
{
    subject_key(key, subject, table);
    key_number(key, customer);
    key_tail(key, name);
}

struct doc subject_get(const struct subject *subject, const struct key *key)
{
    struct bytes row;
    if (!key_ok(key) || !state_get(subject->engine->state, key, &row))
        return (struct doc){ NULL, 0 };
    return arena_doc(&subject->engine->arena, (struct doc){ row.data, (uint32_t)row.size });
}

void subject_put(struct subject *subject, const struct key *key, struct doc row)
{
    state_put(subject->engine->state, key, row.data, row.size);
}

void subject_store(struct subject *subject, struct doc row)
{
    struct key key;
    subject_key(&key, subject, 'p');
    subject_put(subject, &key, row);
    subject->row = row;
}

bool subject_find_of(const struct subject *subject, const struct ask *ask, char table,
                     uint64_t *out_member, struct doc *out_row)
{
    for (size_t i = 0; i < ask->member_count; i++) {
        struct key key;
        subject_key_of(&key, subject, table, ask->members[i], ask->key);
        struct doc row = subject_get(subject, &key);
        if (row.data == NULL)
            continue;
        *out_member = ask->members[i];
        *out_row = row;
        return true;
    }
    return false;
}

/* Event `n` of this entry is on the subject's timeline. */
static void note_event(const struct subject *subject, uint64_t n)
{
    struct key key;
    subject_key(&key, subject, 't');
    key_number_down(&key, subject->engine->seq);
    key_number_down(&key, n);
    state_put(subject->engine->state, &key, "", 0);
}

static void key_hold(struct key *key, const struct subject *subject, uint64_t customer,
                     struct text name)
{
    key_customer(key, customer, 'h');
    key_text(key, subject->address);
    key_tail(key, name);
}

void subject_hold(struct subject *subject, uint64_t customer, struct text name)
{
    struct key key;
    key_hold(&key, subject, customer, name);
    state_put(subject->engine->state, &key, "", 0);
}

void subject_release(struct subject *subject, uint64_t customer, struct text name)
{
    struct key key;
    key_hold(&key, subject, customer, name);
    state_delete(subject->engine->state, &key);
}

/* -- Saying --------------------------------------------------------------- */

void subject_draft(const struct subject *subject, struct doc_writer *w)
{
    engine_draft(subject->engine, w);
    doc_put_text(w, subject->kind->name, subject->name);
}

static struct text type_of(const struct subject *subject, const char *word)
{
    return arena_printf(&subject->engine->arena, "%s.%s", subject->kind->name, word);
}

/* An answer stands as deep as the ask: together they are one act of the rule. */
void subject_answer(struct subject *subject, uint64_t customer, const char *word, struct doc data)
{
    struct engine *engine = subject->engine;
    if (erase_is_open(engine, customer))
        return;
    struct event_sent sent = {
        .type = type_of(subject, word),
        .to = arena_printf(&engine->arena, "%llu", (unsigned long long)customer),
        .about = subject->address,
        .data = data,
        .from = customer,
        .depth = subject->depth,
    };
    event_send(engine, &sent);
}

void subject_tell(struct subject *subject, const char *word, struct doc data)
{
    struct engine *engine = subject->engine;
    struct event event = {
        .class = LOG_SYSTEM,
        .type = type_of(subject, word),
        .about = subject->address,
        .data = data,
        .depth = subject->depth + 1,
    };
    if (event.depth <= engine->config.limits.cascade_depth && engine_derive(engine, &event))
        note_event(subject, engine->derived_n);
}

/* -- Asking --------------------------------------------------------------- */

static struct text address_of_plan(struct engine *engine, const struct subject_plan *plan)
{
    return arena_printf(&engine->arena, "%.*s:%.*s", (int)plan->kind.size, plan->kind.data,
                        (int)plan->name.size, plan->name.data);
}

static int refuse_unknown(struct step *step, struct text address, struct err *err)
{
    const struct ruleset *rules = step->engine->rules;
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    struct near_quote quote;
    near_quote(address.data, address.size, &quote);
    for (size_t i = 0; i < rules->subject_count; i++) {
        struct text other = address_of_plan(step->engine, &rules->subjects[i]);
        size_t distance = near_distance(quote.text, other.data);
        if (near_is_likely(distance, quote.text) && distance < least) {
            least = distance;
            nearest = other.data;
        }
    }
    if (nearest == NULL)
        return err_set(err, E_NOTFOUND, "ask: the bundle declares no \"%s\"", quote.text);
    return err_set(err, E_NOTFOUND, "ask: the bundle declares no \"%s\": did you mean \"%s\"?",
                   quote.text, nearest);
}

static int check_word(const struct subject *subject, struct text word, struct err *err)
{
    struct near_quote quote;
    struct text words = { "", 0 };
    for (size_t i = 0; subject->kind->words[i] != NULL; i++) {
        if (text_is(word, subject->kind->words[i]))
            return 0;
        words = arena_printf(&subject->engine->arena, "%.*s%s%s", (int)words.size, words.data,
                             i != 0 ? ", " : "", subject->kind->words[i]);
    }
    return err_set(err, E_INVALID, "ask: a %s knows no \"%s\": it knows %.*s", subject->kind->name,
                   near_quote(word.data, word.size, &quote), (int)words.size, words.data);
}

/* All who are she, the one by whom the event came first. */
static void put_members(struct doc_writer *w, const struct customer *customer)
{
    if (customer->count < 2)
        return;
    doc_open_array(w, "members");
    doc_put_int(w, "", (int64_t)customer->members[customer->own].number);
    for (size_t i = 0; i < customer->count; i++)
        if (i != customer->own)
            doc_put_int(w, "", (int64_t)customer->members[i].number);
    doc_close(w);
}

int step_ask(struct step *step, struct text address, struct text word, struct doc given,
             struct err *err)
{
    struct engine *engine = step->engine;
    struct subject subject;
    struct doc_writer w;
    if (step->customer.number == 0)
        return err_set(err, E_INVALID, "%s: this event has no customer", "ask");
    if (!subject_open(&subject, engine, address) || subject.terms.data == NULL)
        return refuse_unknown(step, address, err);
    int rc = check_word(&subject, word, err);
    if (rc == 0)
        rc = step_check_send(step, "ask", err);
    if (rc != 0)
        return rc;
    if (doc_text(given, "key").size > NAME_BYTES_MAX)
        return err_set(err, E_LIMIT, "ask: a key has at most %d bytes", NAME_BYTES_MAX);
    subject_draft(&subject, &w);
    doc_put_present(&w, "key", doc_text(given, "key"));
    rc = subject.kind->check(word, given, &w, err);
    if (rc != 0)
        return rc;
    put_members(&w, &step->customer);
    struct doc data = engine_doc(engine, &w);
    step_send_event(step, type_of(&subject, arena_text(&engine->arena, word).data), data, address);
    return 0;
}

/* -- Answering ------------------------------------------------------------ */

static void read_ask(struct ask *ask, const struct subject *subject, const struct event *event)
{
    struct doc members = doc_child(event->data, "members");
    size_t head = strlen(subject->kind->name) + 1;
    *ask = (struct ask){
        .word = { event->type.data + head, event->type.size - (uint32_t)head },
        .key = doc_text(event->data, "key"),
        .data = event->data,
        .customer = event->from,
    };
    ask->members =
        arena_alloc(&subject->engine->arena, (doc_count(members) + 1) * sizeof *ask->members);
    for (struct doc_iter it = doc_iter(members); doc_next(&it);)
        ask->members[ask->member_count++] = (uint64_t)it.value.integer;
    if (ask->member_count == 0)
        ask->members[ask->member_count++] = event->from;
}

static void answer(struct step *step, struct subject *subject)
{
    struct ask ask;
    struct doc_writer w;
    read_ask(&ask, subject, step->event);
    note_event(subject, 0);
    if (subject->terms.data != NULL) {
        subject->kind->answer(subject, &ask);
        return;
    }
    subject_draft(subject, &w);
    doc_put_present(&w, "key", ask.key);
    doc_put_string(&w, "reason", "not declared");
    subject_answer(subject, ask.customer, "refused", engine_doc(subject->engine, &w));
}

/* Only what a rule sent comes here: its class and its address say so. */
void subject_apply(struct engine *engine, struct event *event)
{
    struct step step;
    struct subject subject;
    event->customer = 0;
    step_begin(&step, engine, event);
    erase_note_sender(engine, event);
    if (dedupe_seen(engine, &step.customer, event)) {
        engine->result->status = ENGINE_DUPLICATE;
        return;
    }
    bool is_known = subject_open(&subject, engine, event->ref);
    ASSERT(is_known);
    subject.depth = event->depth;
    if (erase_is_open(engine, event->from))
        engine_refuse(engine, E_CONFLICT, "customer %llu, whose event led to this, is being erased",
                      (unsigned long long)event->from);
    else
        answer(&step, &subject);
    step_finish_unheard(&step);
}

/* -- Staff ---------------------------------------------------------------- */

void command_subject(struct step *step)
{
    struct engine *engine = step->engine;
    const struct event *event = step->event;
    const char *dot = memchr(event->type.data, '.', event->type.size);
    ASSERT(dot != NULL);
    struct text kind = { event->type.data, (uint32_t)(dot - event->type.data) };
    struct text word = { dot + 1, event->type.size - kind.size - 1 };
    struct text name = doc_text(event->data, kind_of(kind)->name);
    struct subject subject;
    if (!subject_open(&subject, engine,
                      arena_printf(&engine->arena, "%.*s:%.*s", (int)kind.size, kind.data,
                                   (int)name.size, name.data)) ||
        subject.terms.data == NULL) {
        engine_refuse(engine, E_NOTFOUND, "the bundle in force declares no %.*s \"%.*s\"",
                      (int)kind.size, kind.data, (int)name.size, name.data);
        return;
    }
    ASSERT(subject.kind->command != NULL); /* the table of commands names it */
    note_event(&subject, 0);
    subject.kind->command(&subject, word, event->data);
}

/* -- Timers --------------------------------------------------------------- */

static struct text timer_name(const struct subject *subject, struct text name)
{
    return arena_printf(&subject->engine->arena, "subject:%.*s:%.*s", (int)subject->address.size,
                        subject->address.data, (int)name.size, name.data);
}

void subject_timer(struct subject *subject, struct text name, int64_t due, struct text value)
{
    struct engine *engine = subject->engine;
    struct text timer = timer_name(subject, name);
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "subject");
    doc_put_text(&w, "subject", subject->address);
    doc_put_present(&w, "value", value);
    timer_set(engine, NULL, 0, timer, due, engine_doc(engine, &w));
}

void subject_timer_cancel(struct subject *subject, struct text name)
{
    timer_cancel(subject->engine, NULL, 0, timer_name(subject, name));
}

void subject_fire(struct engine *engine, struct doc timer)
{
    struct subject subject;
    bool is_known = subject_open(&subject, engine, doc_text(timer, "subject"));
    ASSERT(is_known);
    subject.kind->timer(&subject, timer);
}

/* -- Forgetting ----------------------------------------------------------- */

void subject_forget(struct engine *engine, uint64_t customer, struct key_reader at)
{
    struct subject subject;
    struct buf address = BUF_INIT;
    bool is_hold = key_read_text(&at, &address);
    ASSERT(is_hold);
    struct text name = { (const char *)address.data, (uint32_t)address.size };
    struct text key = { (const char *)at.at, (uint32_t)(at.end - at.at) };
    if (subject_open(&subject, engine, arena_text(&engine->arena, name)))
        subject.kind->forget(&subject, customer, key);
    buf_deinit(&address);
}

/* read_explain.c -- why: from an effect or an event back to what came from outside.
 *
 * Nothing is stored for this.  An effect names the event that made it; each timeline row
 * names the range of numbers that its step gave out, so the row whose range has an event's
 * number is the event's maker; ranges of one entry do not overlap, and a maker's number is
 * lower than what it made, so the way up is short and ends.  An event that no step made
 * came out of a timer, and its `by` says whose.  One that a rule sent to somebody else has
 * an entry of its own, whose id names the event it was, under an earlier entry: the way
 * goes on there.
 *
 * Rows lie under the customer they are about, so the groups of all customers that the
 * question and the entries name are searched.  That may miss one whose identity has moved
 * since; then the chain is shorter, never wrong.
 */
#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/moment.h"
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "storage/log.h"

#include <string.h>

#define ENTRIES_MAX 64 /* on the way from event to event sent by rules */

/* -- What the log has ------------------------------------------------------------------ */

struct fetch {
    struct doc_writer *w;
    uint64_t seq, cause; /* cause: the entry in which it was sent; 0: it came from outside */
    bool is_found;
};

/* The event under which an entry was sent by a rule.  False: it was not. */
static bool sent_as(const struct event *event, uint64_t *out_seq, uint64_t *out_n)
{
    return event->class == LOG_SYSTEM && text_is(event->source, "kith") &&
           event_id_parse(event->id, out_seq, out_n) && *out_n != 0 && *out_seq < event->seq;
}

static int fetch_entry(void *arg, const struct log_entry *entry)
{
    struct fetch *fetch = arg;
    struct event event;
    uint64_t n;
    if (entry->seq != fetch->seq)
        return 0;
    fetch->is_found = true;
    doc_open(fetch->w, "");
    doc_put_int(fetch->w, "seq", (int64_t)entry->seq);
    doc_put_int(fetch->w, "logged", entry->logged);
    doc_put_int(fetch->w, "class", entry->class);
    if (entry->is_tombstone)
        doc_put_int(fetch->w, "customer", (int64_t)entry->customer);
    else
        doc_put_binary(fetch->w, "body", entry->body, entry->size);
    doc_close(fetch->w);
    if (entry->is_tombstone || event_read(&event, entry, NULL) != 0 ||
        !sent_as(&event, &fetch->cause, &n))
        fetch->cause = 0;
    return 0;
}

int read_explain_entries(struct log *log, struct text id, struct buf *out_entries, struct err *err)
{
    uint64_t seq, n, end;
    int64_t logged;
    struct doc_writer w;
    struct fetch fetch = { .w = &w };
    size_t start = out_entries->size;
    log_end(log, &end, &logged);
    if (!event_id_parse(id, &seq, &n) || seq == 0 || seq > end)
        return err_set(err, E_NOTFOUND, "there is no entry, event or effect %.*s", (int)id.size,
                       id.data);
    int rc = 0;
    doc_begin(&w, out_entries);
    doc_open_array(&w, "entries");
    for (unsigned i = 0; rc == 0 && seq != 0 && i < ENTRIES_MAX; i++) {
        fetch.seq = seq;
        fetch.cause = 0;
        rc = log_read(log, seq, 1, fetch_entry, &fetch, NULL, err);
        seq = fetch.cause;
    }
    if (rc != 0) {
        out_entries->size = start;
        return rc;
    }
    doc_close(&w);
    doc_end(&w);
    return 0;
}

/* -- The search ------------------------------------------------------------------------ */

#define MEMBERS_MAX 512

struct chain {
    struct engine *engine;
    struct doc entries; /* array */
    struct doc_writer *w;
    struct buf text;
    uint64_t members[MEMBERS_MAX]; /* whose timelines are searched */
    size_t member_count;
    struct doc_value bundle; /* of the first rule met on the way */
};

/* One event on the way up. */
struct link {
    uint64_t seq, n, customer;
    struct doc row; /* data NULL: its row was not found */
};

static void add_member(struct chain *chain, uint64_t member)
{
    for (size_t i = 0; i < chain->member_count; i++)
        if (chain->members[i] == member)
            return;
    if (chain->member_count < MEMBERS_MAX)
        chain->members[chain->member_count++] = member;
}

static void add_group(struct chain *chain, uint64_t number)
{
    struct customer customer;
    if (number == 0 || !customer_load(&customer, chain->engine, number))
        return;
    for (size_t i = 0; i < customer.count; i++)
        add_member(chain, customer.members[i].number);
}

static struct doc entry_of(const struct chain *chain, uint64_t seq)
{
    for (struct doc_iter it = doc_iter(chain->entries); doc_next(&it);)
        if ((uint64_t)doc_int(it.value.doc, "seq", 0) == seq)
            return it.value.doc;
    return (struct doc){ NULL, 0 };
}

/* The entry as an event; false: the log does not have it any more. */
static bool entry_event(const struct chain *chain, uint64_t seq, struct event *out_event)
{
    struct doc doc = entry_of(chain, seq);
    struct doc_value body = doc_get(doc, "body");
    if (body.type != DOC_BINARY)
        return false;
    struct log_entry entry = {
        .seq = seq,
        .logged = doc_int(doc, "logged", 0),
        .class = (enum log_class)doc_int(doc, "class", 0),
        .body = body.binary.data,
        .size = body.binary.size,
    };
    return event_read(out_event, &entry, NULL) == 0;
}

/* Whoever the entry was about. */
static void add_customer_of(struct chain *chain, uint64_t seq)
{
    struct engine *engine = chain->engine;
    struct event event;
    struct effect effect;
    add_group(chain, (uint64_t)doc_int(entry_of(chain, seq), "customer", 0)); /* of a tombstone */
    if (!entry_event(chain, seq, &event))
        return;
    if (effect_load(&effect, engine, doc_text(event.data, "id")))
        add_group(chain, effect.customer);
    add_group(chain, reminder_customer(engine, (uint64_t)doc_int(event.data, "task", 0)));
    add_group(chain, identity_of_event(engine, &event));
}

static bool makes(struct doc row, uint64_t n)
{
    uint64_t first = (uint64_t)doc_int(row, "made", 0);
    return first != 0 && n >= first && n <= (uint64_t)doc_int(row, "made_last", 0);
}

/* Look through one member's rows of the entry for event `n`, or for the one that made it. */
static bool find_in(struct chain *chain, struct link *link, uint64_t member, bool wants_maker)
{
    struct key prefix;
    struct cursor cursor;
    bool is_found = false;
    key_customer(&prefix, member, 't');
    key_number_down(&prefix, link->seq);
    cursor_open(&cursor, chain->engine->state, &prefix);
    while (!is_found && cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        uint64_t n;
        bool is_number = key_read_number_down(&reader, &n);
        ASSERT(is_number);
        is_found = wants_maker ? makes(doc_of(cursor.value), link->n) : n == link->n;
        if (is_found) {
            link->n = n;
            link->customer = member;
            link->row = arena_doc(&chain->engine->arena, doc_of(cursor.value));
        }
    }
    cursor_close(&cursor);
    return is_found;
}

/* What happened to nobody comes last: its rows are all those of the entry without a customer. */
static bool find(struct chain *chain, struct link *link, bool wants_maker)
{
    link->row = (struct doc){ NULL, 0 };
    link->customer = 0;
    for (size_t i = 0; i < chain->member_count; i++)
        if (find_in(chain, link, chain->members[i], wants_maker))
            return true;
    return find_in(chain, link, 0, wants_maker);
}

/* -- In words -------------------------------------------------------------------------- */

/* Before the first entry from outside there is no time: it is 0. */
static void say_time(struct buf *text, int64_t ms)
{
    char moment[MOMENT_TEXT_SIZE];
    if (ms == 0 || ms < CIVIL_MS_MIN || ms > CIVIL_MS_MAX)
        return;
    moment_format(ms, moment);
    buf_printf(text, " at %s", moment);
}

static void say_quoted(struct buf *text, const char *before, struct text name)
{
    buf_printf(text, "%s\"%.*s\"", before, (int)name.size, name.data);
}

static void say_reason(struct buf *text, const struct effect *effect)
{
    if (effect->reason.size != 0)
        buf_printf(text, " (%.*s)", (int)effect->reason.size, effect->reason.data);
}

static void say_state(struct buf *text, const struct effect *effect)
{
    static const struct {
        const char *state, *words;
    } states[] = {
        { "claimed", "is being sent" },
        { "sent", "was sent" },
        { "suppressed", "was suppressed and not sent" },
        { "rejected", "was rejected" },
        { "expired", "expired before it was sent" },
        { "failed", "failed for good" },
        { "uncertain", "may or may not have gone out and waits for a decision" },
        { "held", "is held: it was made while the past was repeated, and waits for a decision" },
        { "dropped", "was dropped" },
    };
    const char *words = effect->attempt == 0 ? "waits to be sent" : "waits for its next attempt";
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (text_is(effect->state, states[i].state))
            words = states[i].words;
    buf_text(text, words);
    say_reason(text, effect);
    if (effect->attempt > 1)
        buf_printf(text, ", after %lld attempts", (long long)effect->attempt);
}

static void say_effect(struct buf *text, const struct effect *effect)
{
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(effect->seq, effect->n, id);
    buf_printf(text, "%s %s on channel %.*s", effect->is_notification ? "Notification" : "Message",
               id, (int)effect->channel.size, effect->channel.data);
    if (effect->purpose.size != 0)
        say_quoted(text, " for the purpose ", effect->purpose);
    if (effect->to.size != 0)
        say_quoted(text, " to ", effect->to);
    else if (effect->customer != 0)
        buf_printf(text, " to customer %llu", (unsigned long long)effect->customer);
    buf_byte(text, ' ');
    say_state(text, effect);
    buf_text(text, ". ");
}

static void say_made_by(struct buf *text, const struct effect *effect, const struct link *cause)
{
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(cause->seq, cause->n, id);
    if (effect->rule.size != 0)
        say_quoted(text, "The rule ", effect->rule);
    else
        buf_text(text, "Kith");
    buf_text(text, " made it");
    say_time(text, effect->created);
    buf_text(text, ", when it ran on ");
    if (cause->row.data != NULL)
        say_quoted(text, "", doc_text(cause->row, "type"));
    else
        buf_text(text, "event");
    buf_printf(text, " (%s). ", id);
}

static bool is_rule_of(struct doc row, struct text name)
{
    for (struct doc_iter it = doc_iter(doc_child(row, "rules")); doc_next(&it);)
        if (text_equal(it.value.text, name))
            return true;
    return false;
}

static void say_subject(struct buf *text, const struct link *link, struct text type)
{
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(link->seq, link->n, id);
    if (type.size != 0)
        say_quoted(text, "", type);
    else
        buf_text(text, "The event");
    buf_printf(text, " (%s)", id);
}

static void say_derived(struct chain *chain, const struct link *link, const struct link *maker)
{
    struct buf *text = &chain->text;
    struct text by = doc_text(link->row, "by");
    char id[EVENT_ID_TEXT_MAX];
    event_id_text(maker->seq, maker->n, id);
    say_subject(text, link, doc_text(link->row, "type"));
    buf_text(text, " followed from ");
    say_quoted(text, "", doc_text(maker->row, "type"));
    buf_printf(text, " (%s)", id);
    if (by.size != 0)
        say_quoted(text, is_rule_of(maker->row, by) ? ", by the rule " : ", by ", by);
    buf_text(text, ". ");
}

static void say_timer(struct chain *chain, const struct link *link)
{
    struct buf *text = &chain->text;
    struct text by = doc_text(link->row, "by");
    say_subject(text, link, doc_text(link->row, "type"));
    if (text_is(doc_text(link->row, "type"), "schedule.due"))
        say_quoted(text, " came by the schedule of the rule ", by);
    else
        buf_text(text, " came from a timer");
    if (by.size != 0 && !text_is(doc_text(link->row, "type"), "schedule.due"))
        say_quoted(text, ", set by ", by);
    buf_text(text, ", which was due");
    say_time(text, doc_int(link->row, "at", 0));
    buf_printf(text, " (entry %llu of the log). ", (unsigned long long)link->seq);
}

static const char *door(enum log_class class)
{
    switch (class) {
    case LOG_CLIENT:
        return "a client";
    case LOG_STAFF:
        return "staff";
    case LOG_PLUGIN:
        return "a plugin";
    case LOG_SYSTEM:
        break;
    }
    return "Kith itself";
}

static void say_entry(struct chain *chain, const struct event *event)
{
    struct buf *text = &chain->text;
    say_quoted(text, "", event->type);
    buf_printf(text, " is entry %llu of the log", (unsigned long long)event->seq);
    if (event->call.size != 0)
        buf_printf(text, ", the call %.*s", (int)event->call.size, event->call.data);
    buf_printf(text, " from %s", door(event->class));
    if (event->source.size != 0 && event->class != LOG_SYSTEM)
        say_quoted(text, " with the key ", event->source);
    if (event->by.size != 0)
        say_quoted(text, ", by ", event->by);
    if (event->id.size != 0)
        say_quoted(text, ", with the id ", event->id);
    if (event->at != event->logged) {
        buf_text(text, "; it happened");
        say_time(text, event->at);
        buf_text(text, " and was logged");
    } else if (event->logged != 0) {
        buf_text(text, ", logged");
    }
    say_time(text, event->logged);
    buf_text(text, ". ");
}

static void say_consequences(struct chain *chain, const struct link *link)
{
    struct buf *text = &chain->text;
    struct doc effects = doc_child(link->row, "effects");
    const char *before = "The rules that acted on it: ";
    for (struct doc_iter it = doc_iter(doc_child(link->row, "rules")); doc_next(&it);) {
        say_quoted(text, before, it.value.text);
        before = ", ";
    }
    if (before[0] == ',')
        buf_text(text, ". ");
    before = "It made the effects ";
    for (struct doc_iter it = doc_iter(effects); doc_next(&it);) {
        char id[EVENT_ID_TEXT_MAX];
        event_id_text(link->seq, (uint64_t)it.value.integer, id);
        buf_printf(text, "%s%s", before, id);
        before = ", ";
    }
    if (before[0] == ',')
        buf_text(text, ". ");
}

/* -- One link of the chain ------------------------------------------------------------- */

static void show_link(struct chain *chain, const struct link *link, const struct event *event)
{
    struct doc_writer *w = chain->w;
    doc_open(w, "");
    show_event_id(w, "id", link->seq, link->n);
    show_text(w, "type", event != NULL ? event->type : doc_text(link->row, "type"));
    show_time(w, "at", event != NULL ? event->at : doc_int(link->row, "at", 0));
    if (event != NULL) {
        show_time(w, "logged", event->logged);
        show_text(w, "call", event->call);
        show_text(w, "messageId", event->id);
        show_text(w, "source", event->source);
    }
    show_text(w, "by", event != NULL ? event->by : doc_text(link->row, "by"));
    if (link->customer != 0)
        doc_put_int(w, "customer", (int64_t)link->customer);
    show_rules(w, link->row);
    if (link->n == 0 && event == NULL)
        doc_put_bool(w, "erased", true);
    doc_close(w);
    struct doc_value bundle = doc_get(link->row, "bundle");
    if (chain->bundle.type == DOC_NONE)
        chain->bundle = bundle;
}

/* Whose event the entry was before a rule sent it. */
static void add_sender(struct chain *chain, uint64_t seq)
{
    struct doc_value body = doc_get(entry_of(chain, seq), "body");
    if (body.type == DOC_BINARY)
        add_group(chain,
                  (uint64_t)doc_int((struct doc){ body.binary.data, body.binary.size }, "from", 0));
}

/* The entry itself.  True: a rule had sent it, and the way goes on from `link`. */
static bool climb_entry(struct chain *chain, struct link *link)
{
    struct event event;
    bool is_there = entry_event(chain, link->seq, &event);
    show_link(chain, link, is_there ? &event : NULL);
    if (!is_there) {
        say_subject(&chain->text, link, doc_text(link->row, "type"));
        buf_text(&chain->text, " has been erased from the log. ");
        return false;
    }
    say_entry(chain, &event);
    add_sender(chain, link->seq);
    if (!sent_as(&event, &link->seq, &link->n))
        return false;
    add_customer_of(chain, link->seq);
    if (find(chain, link, true)) {
        say_quoted(&chain->text, "A rule sent it while ", doc_text(link->row, "type"));
        buf_text(&chain->text, " was applied. ");
        return true;
    }
    link->n = 0;
    return true;
}

/* From `link` to what made it.  False: that was the last. */
static bool climb(struct chain *chain, struct link *link)
{
    if (link->n == 0)
        return climb_entry(chain, link);
    struct link maker = *link;
    show_link(chain, link, NULL);
    if (find(chain, &maker, true)) {
        say_derived(chain, link, &maker);
        *link = maker;
        return true;
    }
    say_timer(chain, link);
    struct event event;
    struct link entry = { .seq = link->seq };
    bool is_there = entry_event(chain, link->seq, &event);
    find(chain, &entry, false);
    show_link(chain, &entry, is_there ? &event : NULL);
    return false;
}

/* -- The answer ------------------------------------------------------------------------ */

/* The whole hash of the bundle whose first bytes are known, if it is among the last ones. */
static void show_bundle(struct doc_writer *w, struct chain *chain)
{
    struct doc_value bundle = chain->bundle;
    uint8_t hash[LOG_HASH_BYTES];
    char text[HEX_SIZE(LOG_HASH_BYTES)];
    if (bundle.type != DOC_BINARY || bundle.binary.size != 8) {
        doc_put_null(w, "bundle");
        return;
    }
    hex_encode(bundle.binary.data, 8, text);
    struct doc meta = meta_get(chain->engine, "bundle");
    struct doc_value known = doc_get(meta, "hash");
    struct doc_iter it = doc_iter(doc_child(meta, "before"));
    for (bool is_known = known.type == DOC_BINARY; is_known; is_known = doc_next(&it)) {
        known = it.name.data != NULL ? it.value : known;
        if (known.binary.size != sizeof hash ||
            memcmp(known.binary.data, bundle.binary.data, 8) != 0)
            continue;
        hex_encode(known.binary.data, sizeof hash, text);
        break;
    }
    doc_put_string(w, "bundle", text);
}

static void explain(struct chain *chain, struct link link, bool says_consequences)
{
    struct link first = link;
    doc_open_array(chain->w, "chain");
    while (climb(chain, &link))
        ;
    doc_close(chain->w);
    if (says_consequences)
        say_consequences(chain, &first);
    show_bundle(chain->w, chain);
    while (chain->text.size > 0 && chain->text.data[chain->text.size - 1] == ' ')
        chain->text.size--;
    doc_put_text(chain->w, "text",
                 (struct text){ (const char *)chain->text.data, (uint32_t)chain->text.size });
    doc_end(chain->w);
    buf_deinit(&chain->text);
}

static void chain_begin(struct chain *chain, struct engine *engine, struct doc_writer *w,
                        struct doc entries, uint64_t seq)
{
    *chain = (struct chain){ .engine = engine, .entries = doc_child(entries, "entries"), .w = w };
    add_customer_of(chain, seq);
}

int read_explain_effect(struct engine *engine, struct text id, struct doc entries, struct buf *out,
                        struct err *err)
{
    struct effect effect;
    struct doc_writer w;
    struct chain chain;
    arena_clear(&engine->arena);
    if (!effect_load(&effect, engine, id))
        return err_set(err, E_NOTFOUND, "no effect has the id %.*s", (int)id.size, id.data);
    struct link cause = { .seq = effect.seq, .n = effect.cause };
    chain_begin(&chain, engine, &w, entries, effect.seq);
    add_group(&chain, effect.customer);
    find(&chain, &cause, false);
    doc_begin(&w, out);
    doc_open(&w, "effect");
    struct key key;
    struct bytes row;
    key_start(&key, 'e');
    key_id(&key, effect.seq, effect.n);
    if (state_get(engine->state, &key, &row))
        show_effect(&w, effect.seq, effect.n, doc_of(row));
    doc_close(&w);
    say_effect(&chain.text, &effect);
    say_made_by(&chain.text, &effect, &cause);
    explain(&chain, cause, false);
    return 0;
}

int read_explain_event(struct engine *engine, struct text id, struct doc entries, struct buf *out,
                       struct err *err)
{
    struct effect effect;
    struct link link = { .seq = 0 };
    struct doc_writer w;
    struct chain chain;
    arena_clear(&engine->arena);
    if (effect_load(&effect, engine, id))
        return read_explain_effect(engine, id, entries, out, err);
    bool is_id = event_id_parse(id, &link.seq, &link.n);
    chain_begin(&chain, engine, &w, entries, link.seq);
    bool is_there = is_id && link.seq <= engine->seq;
    if (!is_there || (!find(&chain, &link, false) && link.n != 0))
        return err_set(err, E_NOTFOUND,
                       "there is no event %.*s, or it is of a customer that "
                       "cannot be found from its entry",
                       (int)id.size, id.data);
    doc_begin(&w, out);
    doc_put_null(&w, "effect");
    explain(&chain, link, true);
    return 0;
}

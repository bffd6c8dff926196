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
#include "core/engine/read_explain.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "storage/log.h"

#include <string.h>

#define ENTRIES_MAX 64 /* on the way from event to event sent by rules */
#define MADE_LOOKED_AT 100

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
    if (event_type_is_of_records(event.type))
        add_group(chain, record_customer_of_command(engine, event.data));
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
        uint64_t n = key_take_number_down(&reader);
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

/* -- One link of the chain ------------------------------------------------------------- */

static void show_link(struct chain *chain, const struct link *link, const struct event *event)
{
    struct doc_writer *w = chain->w;
    doc_open(w, "");
    show_event_id(w, "id", link->seq, link->n);
    doc_put_present(w, "type", event != NULL ? event->type : doc_text(link->row, "type"));
    show_time(w, "at", event != NULL ? event->at : doc_int(link->row, "at", 0));
    if (event != NULL) {
        show_time(w, "logged", event->logged);
        doc_put_present(w, "call", event->call);
        doc_put_present(w, "messageId", event->id);
        doc_put_present(w, "source", event->source);
    }
    doc_put_present(w, "by", event != NULL ? event->by : doc_text(link->row, "by"));
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
        tell_erased(&chain->text, link);
        return false;
    }
    tell_entry(&chain->text, &event);
    add_sender(chain, link->seq);
    if (!sent_as(&event, &link->seq, &link->n))
        return false;
    add_customer_of(chain, link->seq);
    if (find(chain, link, true)) {
        tell_sender(&chain->text, link);
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
        tell_derived(&chain->text, link, &maker);
        *link = maker;
        return true;
    }
    tell_timer(&chain->text, link);
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

/* The rules that failed at `link`: events that it made. */
static void tell_failures(struct chain *chain, const struct link *link)
{
    uint64_t first = (uint64_t)doc_int(link->row, "made", 0),
             last = (uint64_t)doc_int(link->row, "made_last", 0);
    for (uint64_t n = first; first != 0 && n <= last && n - first < MADE_LOOKED_AT; n++) {
        struct link made = { .seq = link->seq, .n = n };
        if (find_in(chain, &made, link->customer, false))
            tell_failed(&chain->text, &made);
    }
}

static void explain(struct chain *chain, struct link link, bool says_consequences)
{
    struct link first = link;
    doc_open_array(chain->w, "chain");
    while (climb(chain, &link))
        ;
    doc_close(chain->w);
    if (says_consequences) {
        tell_refused(&chain->text, &first);
        tell_failed(&chain->text, &first);
        tell_consequences(&chain->text, &first);
        tell_parked(&chain->text, &first);
        tell_failures(chain, &first);
    }
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
    tell_effect(&chain.text, &effect);
    tell_cause(&chain.text, &effect, &cause);
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

/* rehearsal.c -- see rehearsal.h.
 *
 * What happened is not counted on the way but read off the rows that were written: the timeline
 * has every derived event and every rule that ran, reminders and messages have rows of their own.
 * So nothing here knows how the engine comes to its results, and a change there cannot be
 * forgotten here.
 */
#include "core/engine/rehearsal.h"

#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "core/engine/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where an entry stands among those that are kept. */
struct kept_entry {
    uint64_t seq;
    int64_t logged;
    enum log_class class;
    size_t at, size;
};

struct rehearsal {
    struct rehearsal_options options;
    struct state *state;
    struct engine *engine;
    struct buf outgoing; /* what events sent to other customers, to be folded next */
    struct buf entries;  /* their bodies, if they are kept */
    struct kept_entry *kept;
    size_t kept_count, kept_room;
};

/* -- What the engine asks of its surroundings ------------------------------------------ */

static int hook_verdict(void *arg, uint64_t at_seq, struct buf *out)
{
    (void)arg;
    (void)at_seq;
    (void)out;
    return E_NOTFOUND; /* verdicts are about entries of the log */
}

static int hook_blob(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                     struct err *err)
{
    const struct rehearsal_options *options = &((struct rehearsal *)arg)->options;
    return options->blob(options->arg, hash, out, err);
}

static int hook_load_rules(void *arg, struct doc bundle, const struct config *config,
                           struct ruleset **out_rules, struct err *err)
{
    const struct rehearsal_options *options = &((struct rehearsal *)arg)->options;
    return options->load_rules(options->arg, bundle, config, out_rules, err);
}

static void hook_outgoing(void *arg, struct text id, struct doc envelope)
{
    struct rehearsal *rehearsal = arg;
    (void)id;
    buf_append(&rehearsal->outgoing, &envelope.size, sizeof envelope.size);
    buf_append(&rehearsal->outgoing, envelope.data, envelope.size);
}

static void hook_ready(void *arg, struct text channel)
{
    (void)arg;
    (void)channel;
}

static void hook_go(void *arg, struct text id, int64_t attempt, struct text channel,
                    struct doc message)
{
    (void)arg;
    (void)id;
    (void)attempt;
    (void)channel;
    (void)message;
}

static void hook_no_go(void *arg, struct text id, struct text channel)
{
    (void)arg;
    (void)id;
    (void)channel;
}

static void hook_verdict_made(void *arg, uint64_t at_seq, struct doc verdict)
{
    (void)arg;
    (void)at_seq;
    (void)verdict;
}

static const struct engine_hooks hooks = {
    .verdict = hook_verdict,
    .blob = hook_blob,
    .load_rules = hook_load_rules,
    .ready = hook_ready,
    .go = hook_go,
    .no_go = hook_no_go,
    .outgoing = hook_outgoing,
    .verdict_made = hook_verdict_made,
};

/* -- Opening --------------------------------------------------------------------------- */

int rehearsal_open(const struct rehearsal_options *options, struct rehearsal **out_rehearsal,
                   struct err *err)
{
    struct rehearsal *rehearsal = mem_zero(sizeof *rehearsal);
    rehearsal->options = *options;
    int rc = state_open_over(options->base, options->bytes_max, &rehearsal->state, err);
    if (rc == 0) {
        struct engine_options engine_options = { .state = rehearsal->state,
                                                 .plugins = options->plugins,
                                                 .hooks = &hooks,
                                                 .arg = rehearsal };
        rc = engine_open(&engine_options, &rehearsal->engine, err);
    }
    if (rc != 0) {
        rehearsal_close(rehearsal);
        return rc;
    }
    engine_set_live(rehearsal->engine, engine_seq(rehearsal->engine));
    *out_rehearsal = rehearsal;
    return 0;
}

void rehearsal_close(struct rehearsal *rehearsal)
{
    if (rehearsal == NULL)
        return;
    engine_close(rehearsal->engine);
    state_close(rehearsal->state);
    buf_deinit(&rehearsal->outgoing);
    buf_deinit(&rehearsal->entries);
    free(rehearsal->kept);
    free(rehearsal);
}

struct engine *rehearsal_engine(struct rehearsal *rehearsal)
{
    return rehearsal->engine;
}

bool rehearsal_is_full(const struct rehearsal *rehearsal)
{
    return state_wants_freeze(rehearsal->state) ||
           rehearsal->entries.size > rehearsal->options.bytes_max;
}

/* -- Folding --------------------------------------------------------------------------- */

static void keep(struct rehearsal *rehearsal, const struct log_entry *entry)
{
    if (rehearsal->kept_count == rehearsal->kept_room) {
        rehearsal->kept_room = rehearsal->kept_room * 2 + 64;
        rehearsal->kept =
            mem_resize(rehearsal->kept, rehearsal->kept_room * sizeof *rehearsal->kept);
    }
    rehearsal->kept[rehearsal->kept_count++] =
        (struct kept_entry){ entry->seq, entry->logged, entry->class, rehearsal->entries.size,
                             entry->size };
    buf_append(&rehearsal->entries, entry->body, entry->size);
}

static int fold_one(struct rehearsal *rehearsal, enum log_class class, struct doc body,
                    int64_t logged, struct engine_result *out_result, struct err *err)
{
    struct engine *engine = rehearsal->engine;
    struct log_entry entry = {
        .seq = engine->seq + 1,
        .logged = logged > engine->now ? logged : engine->now,
        .class = class,
        .body = body.data,
        .size = body.size,
    };
    if (class == LOG_SYSTEM && text_is(doc_text(body, "type"), "world")) {
        int rc = engine_set_world(engine, entry.seq, doc_child(body, "data"), err);
        if (rc != 0)
            return rc;
    }
    if (rehearsal->options.keeps_entries)
        keep(rehearsal, &entry);
    engine_apply(engine, &entry, out_result);
    return 0;
}

/* Those of Kith's own. */
static void fold_own(struct rehearsal *rehearsal, struct doc body, int64_t logged)
{
    struct engine_result result;
    int rc = fold_one(rehearsal, LOG_SYSTEM, body, logged, &result, NULL);
    ASSERT(rc == 0);
}

/* What goes to other customers may cause more of the same; the engine bounds the depth, but not
 * how many there are then: what has no room is not folded. */
static void fold_outgoing(struct rehearsal *rehearsal, int64_t logged)
{
    while (rehearsal->outgoing.size != 0) {
        struct buf now = rehearsal->outgoing;
        rehearsal->outgoing = (struct buf)BUF_INIT;
        for (size_t at = 0; at < now.size && !rehearsal_is_full(rehearsal);) {
            struct doc body;
            memcpy(&body.size, now.data + at, sizeof body.size);
            body.data = now.data + at + sizeof body.size;
            at += sizeof body.size + body.size;
            fold_own(rehearsal, body, logged);
        }
        buf_deinit(&now);
    }
}

int rehearsal_fold(struct rehearsal *rehearsal, enum log_class class, struct doc body,
                   int64_t logged, struct engine_result *out_result, struct err *err)
{
    int rc = fold_one(rehearsal, class, body, logged, out_result, err);
    if (rc == 0)
        fold_outgoing(rehearsal, logged);
    return rc;
}

bool rehearsal_tick(struct rehearsal *rehearsal, int64_t until)
{
    int64_t due = engine_next_due(rehearsal->engine);
    struct buf body = BUF_INIT;
    struct doc_writer w;
    if (due > until)
        return false;
    doc_begin(&w, &body);
    doc_put_string(&w, "type", "tick");
    fold_own(rehearsal, doc_end(&w), due);
    fold_outgoing(rehearsal, due);
    buf_deinit(&body);
    return true;
}

static void fold_about(struct rehearsal *rehearsal, const char *type,
                       const struct ready_effect *effect, int64_t logged)
{
    struct buf body = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &body);
    doc_put_string(&w, "type", type);
    doc_open(&w, "data");
    doc_put_string(&w, "id", effect->id);
    doc_put_int(&w, "attempt", effect->attempt);
    doc_put_int(&w, "print", effect->print);
    doc_put_int(&w, "run", (int64_t)rehearsal->engine->run);
    doc_put_string(&w, "outcome", "sent");
    doc_close(&w);
    fold_own(rehearsal, doc_end(&w), logged);
    buf_deinit(&body);
}

bool rehearsal_send(struct rehearsal *rehearsal, struct text channel, int64_t logged)
{
    struct ready_effect effects[REHEARSAL_CLAIMS];
    size_t count = engine_ready(rehearsal->engine, channel, effects, REHEARSAL_CLAIMS);
    for (size_t i = 0; i < count; i++) {
        fold_about(rehearsal, "effect.claim", &effects[i], logged);
        fold_about(rehearsal, "effect.outcome", &effects[i], logged);
    }
    fold_outgoing(rehearsal, logged);
    return count != 0;
}

/* -- What came of it ------------------------------------------------------------------- */

static struct text reference_of(uint64_t number, char text[24])
{
    int size = snprintf(text, 24, "%" PRIu64, number);
    return (struct text){ text, (uint32_t)size };
}

/* Binary search: numbers are dense from the first that was kept on. */
static int read_kept(void *arg, uint64_t seq, log_visit_fn *visit, void *visit_arg, struct err *err)
{
    const struct rehearsal *rehearsal = arg;
    (void)err;
    if (rehearsal->kept_count == 0 || seq < rehearsal->kept[0].seq ||
        seq - rehearsal->kept[0].seq >= rehearsal->kept_count)
        return 0;
    const struct kept_entry *kept = &rehearsal->kept[seq - rehearsal->kept[0].seq];
    struct log_entry entry = {
        .seq = seq,
        .logged = kept->logged,
        .class = kept->class,
        .body = rehearsal->entries.data + kept->at,
        .size = kept->size,
    };
    return visit(visit_arg, &entry);
}

int rehearsal_timeline(struct rehearsal *rehearsal, uint64_t number, size_t limit, struct buf *out,
                       struct err *err)
{
    struct read_page page = { .limit = limit };
    struct buf rows = BUF_INIT;
    char text[24];
    int rc = read_timeline(rehearsal->engine, reference_of(number, text), &page, &rows, err);
    if (rc == 0)
        rc = read_timeline_kept(read_kept, rehearsal,
                                (struct doc){ rows.data, (uint32_t)rows.size }, out, err);
    buf_deinit(&rows);
    return rc;
}

/* The rows of one table that are about some of the customers. */
struct listing {
    struct engine *engine;
    struct doc_writer w;
    uint8_t table;
    const uint64_t *numbers;
    size_t number_count;
};

static bool is_listed(const struct listing *listing, uint64_t number)
{
    for (size_t i = 0; i < listing->number_count; i++)
        if (listing->numbers[i] == number)
            return true;
    return false;
}

static void list_record(struct listing *listing, struct bytes key)
{
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct buf kind = BUF_INIT;
    struct record record;
    uint64_t number;
    bool is_row = key_read_text(&reader, &kind) && key_read_number(&reader, &number);
    ASSERT(is_row);
    struct text name = { (const char *)kind.data, (uint32_t)kind.size };
    bool is_there = record_load(&record, listing->engine, name, number);
    buf_deinit(&kind);
    if (!is_there || !is_listed(listing, record.customer))
        return;
    doc_open(&listing->w, "");
    show_record(&listing->w, listing->engine, &record);
    doc_close(&listing->w);
}

static void list_row(void *arg, struct bytes key, struct bytes value)
{
    struct listing *listing = arg;
    if (listing->table == 'R' && key.data[0] == 'R') {
        list_record(listing, key);
        return;
    }
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct doc row = doc_of(value);
    uint64_t seq = 0, n = 0;
    if (key.data[0] != listing->table || !key_read_number(&reader, &seq))
        return;
    struct effect effect = { .customer = (uint64_t)doc_int(row, "customer", 0) };
    bool is_effect = listing->table == 'e' && key_read_number(&reader, &n);
    if (is_effect)
        effect_read(&effect, seq, n, row);
    if (!is_listed(listing, effect.customer))
        return;
    doc_open(&listing->w, "");
    if (is_effect)
        show_effect(&listing->w, seq, n, row);
    else
        show_reminder(&listing->w, seq, row);
    doc_close(&listing->w);
}

static void list_rows(struct rehearsal *rehearsal, uint8_t table, uint64_t number, struct buf *out)
{
    struct listing listing = {
        .engine = rehearsal->engine,
        .table = table,
        .numbers = &number,
        .number_count = 1,
    };
    struct buf members = BUF_INIT;
    char text[24];
    if (read_members(rehearsal->engine, reference_of(number, text), &members, NULL) == 0) {
        listing.numbers = (const uint64_t *)(const void *)members.data;
        listing.number_count = members.size / sizeof number;
    }
    doc_begin(&listing.w, out);
    doc_open_array(&listing.w, "items");
    state_changes(rehearsal->state, list_row, &listing);
    doc_close(&listing.w);
    doc_end(&listing.w);
    buf_deinit(&members);
}

void rehearsal_effects(struct rehearsal *rehearsal, uint64_t number, struct buf *out)
{
    list_rows(rehearsal, 'e', number, out);
}

void rehearsal_records(struct rehearsal *rehearsal, uint64_t number, struct buf *out)
{
    list_rows(rehearsal, 'R', number, out);
}

void rehearsal_reminders(struct rehearsal *rehearsal, uint64_t number, struct buf *out)
{
    list_rows(rehearsal, 'k', number, out);
}

struct failed {
    uint64_t seq, n; /* of the first so far; 0: none */
    struct buf *out;
    size_t start;
};

static void find_failed(void *arg, struct bytes key, struct bytes value)
{
    struct failed *failed = arg;
    struct key_reader reader = { key.data + 1, key.data + key.size };
    uint64_t number, seq, n;
    uint8_t table;
    if (key.data[0] != 'c' || !key_read_number(&reader, &number) ||
        !key_read_byte(&reader, &table) || table != 't' || !key_read_number_down(&reader, &seq) ||
        !key_read_number_down(&reader, &n))
        return;
    struct text type = doc_text(doc_of(value), "type");
    if (!text_is(type, "rule.failed") && !text_is(type, "plugin.failed"))
        return;
    if (failed->seq != 0 && (seq > failed->seq || (seq == failed->seq && n > failed->n)))
        return;
    struct doc data = doc_child(doc_of(value), "data");
    failed->seq = seq;
    failed->n = n;
    failed->out->size = failed->start;
    buf_append(failed->out, data.data, data.size);
}

bool rehearsal_failure(struct rehearsal *rehearsal, struct buf *out)
{
    struct failed failed = { .out = out, .start = out->size };
    state_changes(rehearsal->state, find_failed, &failed);
    return failed.seq != 0;
}

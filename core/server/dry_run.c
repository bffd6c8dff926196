/* dry_run.c -- see dry_run.h.
 *
 * What happened is not counted on the way but read off the rows that were written: the timeline
 * has every derived event and every rule that ran, reminders and messages have rows of their own.
 * So nothing here knows how the engine comes to its results, and a change there cannot be
 * forgotten here.
 */
#include "core/server/dry_run.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/config.h"
#include "core/engine/keys.h"
#include "core/server/submission.h"
#include "storage/state.h"

#include <stdlib.h>
#include <string.h>

#define CLAIMS_AT_ONCE 64

struct dry_run {
    struct dry_run_options options;
    struct state *state;
    struct engine *engine;
    struct submission *outgoing; /* what events sent to other customers, to be folded next */
    uint64_t seq;                /* of the checkpoint */
    uint64_t customers, tasks;   /* the last numbers given then */
    int64_t run;
    uint64_t entries, duplicates, refused;
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
    return log_get_blob(((struct dry_run *)arg)->options.log, hash, out, err);
}

static int hook_load_rules(void *arg, struct doc bundle, const struct config *config,
                           struct ruleset **out_rules, struct err *err)
{
    const struct dry_run_options *options = &((struct dry_run *)arg)->options;
    return options->load_rules(options->load_arg, bundle, config, out_rules, err);
}

static void hook_outgoing(void *arg, struct text id, struct doc envelope)
{
    struct dry_run *dry_run = arg;
    struct doc_writer w;
    (void)id;
    submission_begin(dry_run->outgoing, &w);
    for (struct doc_iter it = doc_iter(envelope); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    submission_end(dry_run->outgoing, &w);
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

static void hook_verdict_made(void *arg, uint64_t at_seq, struct doc rules)
{
    (void)arg;
    (void)at_seq;
    (void)rules;
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

static struct doc meta(struct state *state, const char *name)
{
    struct key key;
    struct bytes row;
    key_meta(&key, name);
    if (!state_get(state, &key, &row))
        return (struct doc){ NULL, 0 };
    return (struct doc){ row.data, (uint32_t)row.size };
}

int dry_run_open(const struct dry_run_options *options, struct dry_run **out_dry_run,
                 struct err *err)
{
    struct dry_run *dry_run = mem_zero(sizeof *dry_run);
    dry_run->options = *options;
    dry_run->outgoing = submission_new(LOG_SYSTEM);
    int rc = state_open_over(options->state, DRY_RUN_BYTES_MAX, &dry_run->state, err);
    if (rc == 0) {
        struct engine_options engine_options = { dry_run->state, &hooks, dry_run };
        rc = engine_open(&engine_options, &dry_run->engine, err);
    }
    if (rc != 0) {
        dry_run_close(dry_run);
        return rc;
    }
    dry_run->seq = engine_seq(dry_run->engine);
    dry_run->run = doc_int(meta(dry_run->state, "run"), "seq", 0);
    dry_run->customers = (uint64_t)doc_int(meta(dry_run->state, "counters"), "customer", 0);
    dry_run->tasks = (uint64_t)doc_int(meta(dry_run->state, "counters"), "task", 0);
    engine_set_live(dry_run->engine, dry_run->seq);
    *out_dry_run = dry_run;
    return 0;
}

void dry_run_close(struct dry_run *dry_run)
{
    if (dry_run == NULL)
        return;
    engine_close(dry_run->engine);
    state_close(dry_run->state);
    submission_unref(dry_run->outgoing);
    free(dry_run);
}

/* -- Folding --------------------------------------------------------------------------- */

static void fold(struct dry_run *dry_run, enum log_class class, struct doc body, int64_t logged,
                 struct engine_result *result)
{
    int64_t now = engine_now(dry_run->engine);
    struct log_entry entry = {
        .seq = engine_seq(dry_run->engine) + 1,
        .logged = logged > now ? logged : now,
        .class = class,
        .body = body.data,
        .size = body.size,
    };
    engine_apply(dry_run->engine, &entry, result);
}

/* What goes to other customers may cause more of the same; the engine bounds the depth. */
static void fold_outgoing(struct dry_run *dry_run, int64_t logged)
{
    struct engine_result result;
    struct doc body;
    while (dry_run->outgoing->count != 0) {
        struct submission *now = dry_run->outgoing;
        dry_run->outgoing = submission_new(LOG_SYSTEM);
        for (size_t at = 0; submission_next(now, &at, &body);)
            fold(dry_run, LOG_SYSTEM, body, logged, &result);
        submission_unref(now);
    }
}

static void fold_about(struct dry_run *dry_run, const char *type, const struct ready_effect *effect,
                       int64_t logged)
{
    struct engine_result result;
    struct buf body = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &body);
    doc_put_string(&w, "type", type);
    doc_open(&w, "data");
    doc_put_string(&w, "id", effect->id);
    doc_put_int(&w, "attempt", effect->attempt);
    doc_put_int(&w, "print", effect->print);
    doc_put_int(&w, "run", dry_run->run);
    doc_put_string(&w, "outcome", "sent");
    doc_close(&w);
    fold(dry_run, LOG_SYSTEM, doc_end(&w), logged, &result);
    buf_deinit(&body);
}

/* Claim what may be claimed and take for sent what may be sent; false: there was nothing.  An
 * outcome of what the arbiter has refused changes nothing. */
static bool send_some(struct dry_run *dry_run, const char *channel, int64_t logged)
{
    struct ready_effect effects[CLAIMS_AT_ONCE];
    size_t count = engine_ready(dry_run->engine, text_of(channel), effects, CLAIMS_AT_ONCE);
    for (size_t i = 0; i < count; i++) {
        fold_about(dry_run, "effect.claim", &effects[i], logged);
        fold_about(dry_run, "effect.outcome", &effects[i], logged);
    }
    fold_outgoing(dry_run, logged);
    return count != 0;
}

/* Rules that answer what they send would go on for as long as they are let. */
static void send_all(struct dry_run *dry_run, int64_t logged)
{
    const struct config *config = engine_config(dry_run->engine);
    for (size_t i = 0; i < config->channel_count; i++)
        for (size_t round = 0; round < DRY_RUN_SENT_MAX / CLAIMS_AT_ONCE; round++)
            if (state_wants_freeze(dry_run->state) ||
                !send_some(dry_run, config->channels[i].name, logged))
                break;
}

int dry_run_apply(struct dry_run *dry_run, struct submission *submission, int64_t logged,
                  struct err *err)
{
    struct engine_result result;
    struct doc body;
    size_t index = 0;
    if (state_wants_freeze(dry_run->state))
        return err_set(err, E_LIMIT, "a dry run has room for changes of %u MiB, and that is full",
                       DRY_RUN_BYTES_MAX >> 20);
    for (size_t at = 0; submission_next(submission, &at, &body); index++) {
        fold(dry_run, submission->class, body, logged, &result);
        dry_run->entries++;
        dry_run->duplicates += result.status == ENGINE_DUPLICATE;
        dry_run->refused += result.status == ENGINE_REFUSED;
        if (result.status == ENGINE_REFUSED)
            submission_note_refusal(submission, index, &result);
        fold_outgoing(dry_run, logged);
    }
    send_all(dry_run, logged);
    return 0;
}

/* -- Counting -------------------------------------------------------------------------- */

#define NAMES_MAX 4
#define SEPARATOR 0x1f

/* How often each combination of texts was met, in order. */
struct groups {
    struct group {
        char *key;
        uint64_t count;
    } items[DRY_RUN_GROUPS_MAX];
    size_t count;
};

static void groups_add(struct groups *groups, const struct text *parts, size_t part_count)
{
    struct buf key = BUF_INIT;
    size_t low = 0, high = groups->count;
    for (size_t i = 0; i < part_count; i++) {
        buf_append(&key, parts[i].data, parts[i].size);
        buf_byte(&key, SEPARATOR);
    }
    const char *text = buf_string(&key);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(groups->items[middle].key, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_known = low < groups->count && strcmp(groups->items[low].key, text) == 0;
    bool has_room = is_known || groups->count < DRY_RUN_GROUPS_MAX;
    if (!is_known && has_room) {
        memmove(&groups->items[low + 1], &groups->items[low],
                (groups->count++ - low) * sizeof *groups->items);
        groups->items[low] = (struct group){ mem_string(text), 0 };
    }
    if (has_room)
        groups->items[low].count++;
    buf_deinit(&key);
}

static void groups_put(struct groups *groups, struct doc_writer *w, const char *list,
                       const char *const names[], size_t name_count, const char *count)
{
    doc_open_array(w, list);
    for (size_t i = 0; i < groups->count; i++) {
        const char *at = groups->items[i].key;
        doc_open(w, "");
        for (size_t k = 0; k < name_count; k++) {
            size_t size = strcspn(at, "\x1f");
            doc_put_present(w, names[k], (struct text){ at, (uint32_t)size });
            at += size + 1;
        }
        doc_put_int(w, count, (int64_t)groups->items[i].count);
        doc_close(w);
        free(groups->items[i].key);
    }
    doc_close(w);
}

struct tally {
    const struct dry_run *dry_run;
    uint64_t created, existing, merged, suspected, timers;
    struct groups rules, reminders, messages;
};

static void tally_happened(struct tally *tally, struct doc row)
{
    struct text type = doc_text(row, "type");
    if (doc_bool(row, "foreign", false))
        return;
    tally->created += text_is(type, "customer.created");
    tally->merged += text_is(type, "customer.merged");
    tally->suspected += text_is(type, "duplicate.suspected");
    for (struct doc_iter it = doc_iter(doc_child(row, "rules")); doc_next(&it);)
        groups_add(&tally->rules, &it.value.text, 1);
}

static void tally_customer(struct tally *tally, struct key_reader *reader, struct doc row)
{
    uint64_t number = 0, seq = 0;
    bool is_number = key_read_number(reader, &number) && reader->at < reader->end;
    if (!is_number || number == 0)
        return;
    uint8_t table = *reader->at++;
    if (table == 'p' && number <= tally->dry_run->customers)
        tally->existing++;
    else if (table == 't' && key_read_number_down(reader, &seq) && seq > tally->dry_run->seq)
        tally_happened(tally, row);
}

static void tally_reminder(struct tally *tally, struct key_reader *reader, struct doc row)
{
    uint64_t task = 0;
    const struct text parts[] = { doc_text(row, "rule"), doc_text(row, "assignee") };
    if (key_read_number(reader, &task) && task > tally->dry_run->tasks)
        groups_add(&tally->reminders, parts, 2);
}

static void tally_message(struct tally *tally, struct key_reader *reader, struct doc row)
{
    uint64_t seq = 0;
    const struct text parts[NAMES_MAX] = { doc_text(row, "rule"), doc_text(row, "channel"),
                                           doc_text(row, "state"), doc_text(row, "reason") };
    if (key_read_number(reader, &seq) && seq > tally->dry_run->seq)
        groups_add(&tally->messages, parts, NAMES_MAX);
}

static void tally_row(void *arg, struct bytes key, struct bytes value)
{
    struct tally *tally = arg;
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct doc row = { value.data, (uint32_t)value.size };
    switch (key.data[0]) {
    case 'c':
        tally_customer(tally, &reader, row);
        break;
    case 'k':
        tally_reminder(tally, &reader, row);
        break;
    case 'e':
        tally_message(tally, &reader, row);
        break;
    case 'T':
        tally->timers += text_is(doc_text(row, "kind"), "after");
        break;
    default:
        break;
    }
}

void dry_run_report(const struct dry_run *dry_run, struct buf *out)
{
    static const char *const rules[] = { "name" }, *const reminders[] = { "rule", "assignee" },
                             *const messages[] = { "rule", "channel", "state", "reason" };
    struct tally *tally = mem_zero(sizeof *tally);
    struct doc_writer w;
    tally->dry_run = dry_run;
    state_changes(dry_run->state, tally_row, tally);
    doc_begin(&w, out);
    doc_put_int(&w, "seq", (int64_t)dry_run->seq);
    doc_put_int(&w, "entries", (int64_t)dry_run->entries);
    doc_put_int(&w, "duplicates", (int64_t)dry_run->duplicates);
    doc_put_int(&w, "refused", (int64_t)dry_run->refused);
    doc_open(&w, "customers");
    doc_put_int(&w, "created", (int64_t)tally->created);
    doc_put_int(&w, "existing", (int64_t)tally->existing);
    doc_put_int(&w, "merged", (int64_t)tally->merged);
    doc_put_int(&w, "suspected", (int64_t)tally->suspected);
    doc_close(&w);
    groups_put(&tally->rules, &w, "rules", rules, 1, "runs");
    groups_put(&tally->reminders, &w, "reminders", reminders, 2, "count");
    groups_put(&tally->messages, &w, "messages", messages, NAMES_MAX, "count");
    doc_put_int(&w, "failures", (int64_t)engine_failures(dry_run->engine));
    doc_put_int(&w, "timers", (int64_t)tally->timers);
    doc_end(&w);
    free(tally);
}

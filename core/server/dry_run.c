/* dry_run.c -- see dry_run.h.
 *
 * The work is the rehearsal's (core/engine/rehearsal.h); this file counts, in the rows that were
 * written and not on the way.
 */
#include "core/server/dry_run.h"

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/config.h"
#include "core/engine/keys.h"
#include "core/engine/rehearsal.h"
#include "core/server/submission.h"
#include "storage/state.h"

#include <stdlib.h>
#include <string.h>

struct dry_run {
    struct dry_run_options options;
    struct rehearsal *rehearsal;
    uint64_t seq;              /* of the checkpoint */
    uint64_t customers, tasks; /* the last numbers given then */
    uint64_t entries, duplicates, refused;
};

/* -- Opening --------------------------------------------------------------------------- */

static int find_blob(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                     struct err *err)
{
    return log_get_blob(((struct dry_run *)arg)->options.log, hash, out, err);
}

static int load_rules(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err)
{
    const struct dry_run_options *options = &((struct dry_run *)arg)->options;
    return options->load_rules(options->load_arg, bundle, config, out_rules, err);
}

static struct state *state_of(const struct dry_run *dry_run)
{
    return engine_state(rehearsal_engine(dry_run->rehearsal));
}

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
    struct rehearsal_options rehearsal = {
        .base = options->state,
        .plugins = options->plugins,
        .bytes_max = DRY_RUN_BYTES_MAX,
        .blob = find_blob,
        .load_rules = load_rules,
        .arg = dry_run,
    };
    dry_run->options = *options;
    int rc = rehearsal_open(&rehearsal, &dry_run->rehearsal, err);
    if (rc != 0) {
        dry_run_close(dry_run);
        return rc;
    }
    dry_run->seq = engine_seq(rehearsal_engine(dry_run->rehearsal));
    struct doc counters = meta(state_of(dry_run), "counters");
    dry_run->customers = (uint64_t)doc_int(counters, "customer", 0);
    dry_run->tasks = (uint64_t)doc_int(counters, "task", 0);
    *out_dry_run = dry_run;
    return 0;
}

void dry_run_close(struct dry_run *dry_run)
{
    if (dry_run == NULL)
        return;
    rehearsal_close(dry_run->rehearsal);
    free(dry_run);
}

/* -- Folding --------------------------------------------------------------------------- */

/* Rules that answer what they send would go on for as long as they are let. */
static void send_all(struct dry_run *dry_run, int64_t logged)
{
    const struct config *config = engine_config(rehearsal_engine(dry_run->rehearsal));
    for (size_t i = 0; i < config->channel_count; i++)
        for (size_t round = 0; round < DRY_RUN_SENT_MAX / REHEARSAL_CLAIMS; round++)
            if (rehearsal_is_full(dry_run->rehearsal) ||
                !rehearsal_send(dry_run->rehearsal, text_of(config->channels[i].name), logged))
                break;
}

int dry_run_apply(struct dry_run *dry_run, struct submission *submission, int64_t logged,
                  struct err *err)
{
    struct engine_result result;
    struct doc body;
    size_t index = 0;
    int rc = 0;
    if (rehearsal_is_full(dry_run->rehearsal))
        return err_set(err, E_LIMIT, "a dry run has room for changes of %u MiB, and that is full",
                       DRY_RUN_BYTES_MAX >> 20);
    for (size_t at = 0; submission_next(submission, &at, &body); index++) {
        rc = rehearsal_fold(dry_run->rehearsal, submission->class, body, logged, &result, err);
        if (rc != 0)
            break;
        dry_run->entries++;
        dry_run->duplicates += result.status == ENGINE_DUPLICATE;
        dry_run->refused += result.status == ENGINE_REFUSED;
        if (result.status == ENGINE_REFUSED)
            submission_note_refusal(submission, index, &result);
    }
    send_all(dry_run, logged);
    return rc;
}

/* -- Counting -------------------------------------------------------------------------- */

#define NAMES_MAX 4

/* How often each combination of texts was met, in order. */
struct groups {
    struct arena *arena;
    struct group {
        struct text names[NAMES_MAX]; /* in the arena; a copy, for rows may go */
        uint64_t count;
    } items[DRY_RUN_GROUPS_MAX];
    size_t count;
};

static int compare_names(const struct group *group, const struct text *names, size_t name_count)
{
    int order = 0;
    for (size_t i = 0; order == 0 && i < name_count; i++)
        order = text_compare(group->names[i], names[i]);
    return order;
}

static void groups_add(struct groups *groups, const struct text *names, size_t name_count)
{
    size_t low = 0, high = groups->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_names(&groups->items[middle], names, name_count) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct group *group = &groups->items[low];
    if (low == groups->count || compare_names(group, names, name_count) != 0) {
        if (groups->count == DRY_RUN_GROUPS_MAX)
            return;
        memmove(group + 1, group, (groups->count++ - low) * sizeof *group);
        *group = (struct group){ .count = 0 };
        for (size_t i = 0; i < name_count; i++)
            group->names[i] = arena_text(groups->arena, names[i]);
    }
    group->count++;
}

static void groups_put(const struct groups *groups, struct doc_writer *w, const char *list,
                       const char *const names[], size_t name_count, const char *count)
{
    doc_open_array(w, list);
    for (size_t i = 0; i < groups->count; i++) {
        doc_open(w, "");
        for (size_t k = 0; k < name_count; k++)
            doc_put_present(w, names[k], groups->items[i].names[k]);
        doc_put_int(w, count, (int64_t)groups->items[i].count);
        doc_close(w);
    }
    doc_close(w);
}

struct tally {
    const struct dry_run *dry_run;
    uint64_t created, existing, merged, suspected, timers;
    struct groups rules, reminders, messages;
    struct arena arena; /* of their names */
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
    tally->rules.arena = tally->reminders.arena = tally->messages.arena = &tally->arena;
    state_changes(state_of(dry_run), tally_row, tally);
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
    doc_put_int(&w, "failures", (int64_t)engine_failures(rehearsal_engine(dry_run->rehearsal)));
    doc_put_int(&w, "timers", (int64_t)tally->timers);
    doc_end(&w);
    arena_deinit(&tally->arena);
    free(tally);
}

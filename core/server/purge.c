/* purge.c -- see purge.h for the phases. */
#include "core/server/purge.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/server/base.h"
#include "core/server/chore.h"
#include "core/server/fold.h"
#include "core/server/say.h"
#include "core/server/sequencer.h"
#include "core/server/world_log.h"
#include "storage/log.h"
#include "storage/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 60000
#define ASK_MS 100          /* between two questions whether what is kept besides is forgotten */
#define ASKED_MAX 100       /* of them; then it is tried anew */
#define GATHER_MS 250       /* between two looks whether all are through */
#define GATHER_MS_MAX 90000 /* a message that a channel has is waited for a minute */
#define SWAP_PAUSE_MS 50    /* until the readers of the state's file have gone */
#define SWAPS_MAX 600
#define REWRITE_ENTRIES \
    32 /* between two commits of others: of as many blocks at worst, 2 MiB raw */

enum phase {
    PHASE_IDLE,
    PHASE_WAIT,
    PHASE_KEEP,
    PHASE_NOTE,
    PHASE_REWRITE,
    PHASE_COMPACT,
    PHASE_SWEEP,
    PHASE_PREPARE,
    PHASE_SWAP,
    PHASE_DONE
};

struct erased { /* a customer, and her entries in ascending order */
    uint64_t customer;
    int64_t gone; /* the entry that took her last row */
    uint64_t *seqs;
    size_t count, done;
};

struct purge {
    struct chore chore; /* first */
    struct purge_options options;
    enum phase phase;
    bool is_wanted, is_started, is_winding_down;
    unsigned holds;
    bool is_held_alone;
    int64_t begin_at; /* boot ms: no purge before */
    int64_t late_at;  /* the same: from then on it waits for nobody else; 0: none is wanted yet */
    int64_t swap_at;  /* the same of the next attempt to swap; -1: one is under way */
    int64_t ask_at;   /* the same of the next question whether she is forgotten; 0: none is open */
    unsigned swaps, asked;
    struct job job;

    struct base base;
    struct erased *erased;
    size_t count;
    bool waits_for_others; /* who are losing their rows */
    bool is_compacted;     /* the log's file, to the end */

    int code; /* of what was done last */
    struct err err;
    struct err told;
    struct purge_held held;
};

static void next(struct purge *purge);

static int64_t now_ms(const struct purge *purge)
{
    return purge->options.clock.boot_ms(purge->options.clock.arg);
}

struct purge *purge_new(const struct purge_options *options)
{
    struct purge *purge = mem_zero(sizeof *purge);
    purge->options = *options;
    return purge;
}

static void forget(struct purge *purge)
{
    for (size_t i = 0; i < purge->count; i++)
        free(purge->erased[i].seqs);
    free(purge->erased);
    purge->erased = NULL;
    purge->count = 0;
}

void purge_free(struct purge *purge)
{
    if (purge == NULL)
        return;
    forget(purge);
    free(purge);
}

/* -- From phase to phase ----------------------------------------------------- */

static void come_to_rest(struct purge *purge, int64_t pause_ms)
{
    atomic_store(&purge->options.fold->is_compacting, false);
    mailbox_nudge(&purge->options.fold->inbox);
    forget(purge);
    purge->phase = PHASE_IDLE;
    purge->ask_at = 0;
    purge->begin_at = now_ms(purge) + pause_ms;
}

/* Once for each reason. */
static void fail(struct purge *purge)
{
    if (strcmp(purge->told.text, purge->err.text) != 0)
        say("customers who were erased are still in the files, which is tried again every minute: "
            "%s",
            purge->err.text);
    purge->told = purge->err;
    purge->held = (struct purge_held){ purge->err, true };
    purge->is_wanted = true;
    come_to_rest(purge, RETRY_MS);
}

static struct erased *next_erased(struct purge *purge)
{
    for (size_t i = 0; i < purge->count; i++)
        if (purge->erased[i].done < purge->erased[i].count)
            return &purge->erased[i];
    return NULL;
}

/* A slice of the log was rewritten or copied: the next one when others have had their turn. */
static bool has_more(struct purge *purge)
{
    if (purge->phase == PHASE_REWRITE)
        return next_erased(purge) != NULL;
    return purge->phase == PHASE_COMPACT && !purge->is_compacted;
}

static void advance(struct purge *purge)
{
    if (purge->is_winding_down)
        return;
    if (purge->code != 0) {
        fail(purge);
        return;
    }
    if (!has_more(purge))
        purge->phase++;
    next(purge);
}

static void on_chore(struct mail *mail, void *reader)
{
    (void)reader;
    advance((struct purge *)mail);
}

/* Have `run` called on the log's thread, or on that of the checkpoints, and go on. */
static void give(struct purge *purge, struct chore_slot *slot, struct mailbox *sleeper,
                 void (*run)(struct chore *chore))
{
    purge->chore = (struct chore){ .mail = { .handle = on_chore }, .run = run };
    chore_give(slot, &purge->chore);
    mailbox_nudge(sleeper);
}

static void give_to_log(struct purge *purge, void (*run)(struct chore *chore))
{
    struct sequencer *sequencer = purge->options.sequencer;
    give(purge, &sequencer->chore, &sequencer->inbox, run);
}

static void give_to_checkpoints(struct purge *purge, void (*run)(struct chore *chore))
{
    struct fold *fold = purge->options.fold;
    give(purge, &fold->chore, &fold->checkpoint, run);
}

static void on_written(void *arg, const struct submission *submission)
{
    struct purge *purge = arg;
    purge->code = submission->code;
    purge->err = submission->err;
    advance(purge);
}

static void post(struct purge *purge, struct submission *submission)
{
    submission->wants_applied = true;
    submission->done = on_written;
    submission->arg = purge;
    sequencer_post_own(purge->options.sequencer, submission);
}

/* -- Wait -------------------------------------------------------------------- */

static void on_awaited(struct mail *mail, void *reader)
{
    struct job *job = (struct job *)mail;
    struct purge *purge = job->arg;
    (void)reader;
    free(job);
    purge->code = 0;
    advance(purge);
}

static void await(struct purge *purge)
{
    struct job *job = mem_zero(sizeof *job);
    purge->is_wanted = false; /* whoever is through from here on may be too late for this one */
    job->mail.handle = on_awaited;
    job->arg = purge;
    fold_await(purge->options.fold, job);
}

/* -- Keep -------------------------------------------------------------------- */

static struct erased *last_erased(struct purge *purge)
{
    return purge->count != 0 ? &purge->erased[purge->count - 1] : NULL;
}

static void add_customer(struct purge *purge, uint64_t customer, int64_t gone)
{
    purge->erased = mem_resize(purge->erased, (purge->count + 1) * sizeof *purge->erased);
    purge->erased[purge->count++] = (struct erased){ .customer = customer, .gone = gone };
}

static void add_entries(struct erased *erased, struct bytes numbers)
{
    struct key_reader reader = { numbers.data, numbers.data + numbers.size };
    uint64_t seq;
    erased->seqs = mem_resize(erased->seqs, (erased->count + numbers.size) * sizeof *erased->seqs);
    while (key_read_number(&reader, &seq))
        erased->seqs[erased->count++] = seq;
}

/* Rows of table `z`: one of the customer, and behind it those that list her entries. */
static int add_row(void *arg, struct bytes key, struct bytes value)
{
    struct purge *purge = arg;
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct doc row = { value.data, (uint32_t)value.size };
    struct erased *last = last_erased(purge);
    uint64_t customer = key_take_number(&reader);
    int64_t gone = reader.at == reader.end ? doc_int(row, "done", 0) : 0;
    if (reader.at == reader.end && gone == 0)
        purge->waits_for_others = true;
    if (gone != 0)
        add_customer(purge, customer, gone);
    else if (reader.at != reader.end && last != NULL && last->customer == customer)
        add_entries(last, value);
    return 0;
}

static int compare_seqs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sort_entries(struct erased *erased)
{
    size_t kept = 0;
    if (erased->count == 0)
        return;
    qsort(erased->seqs, erased->count, sizeof *erased->seqs, compare_seqs);
    for (size_t i = 1; i < erased->count; i++)
        if (erased->seqs[i] != erased->seqs[kept])
            erased->seqs[++kept] = erased->seqs[i];
    erased->count = kept + 1;
}

static int read_erased(struct purge *purge)
{
    struct snapshot *snapshot = NULL;
    struct key prefix;
    int code = snapshot_open(purge->options.state, &snapshot, &purge->err);
    if (code != 0)
        return code;
    key_start(&prefix, 'z');
    snapshot_visit(snapshot, &prefix, NULL, add_row, purge);
    snapshot_close(snapshot);
    for (size_t i = 0; i < purge->count; i++)
        sort_entries(&purge->erased[i]);
    return 0;
}

/* Both of one checkpoint: it is this thread that makes the next. */
static void keep(struct chore *chore)
{
    struct purge *purge = (struct purge *)chore;
    purge->waits_for_others = false;
    purge->code = read_erased(purge);
    if (now_ms(purge) >= purge->late_at)
        purge->waits_for_others = false;
    if (purge->code == 0 && purge->count != 0 && !purge->waits_for_others)
        purge->code =
            base_write(purge->options.dir, purge->options.state, &purge->base, &purge->err);
}

/* -- Note -------------------------------------------------------------------- */

static void note(struct purge *purge)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    world_put(&w, purge->options.code, purge->options.config, &purge->base, &purge->base);
    submission_end(submission, &w);
    submission->index = INDEX_WORLD;
    post(purge, submission);
}

/* -- Rewrite, compact, sweep -------------------------------------------------- */

static void rewrite(struct chore *chore)
{
    struct purge *purge = (struct purge *)chore;
    struct erased *erased = next_erased(purge);
    purge->code = 0;
    if (erased == NULL) /* nobody had any */
        return;
    size_t left = erased->count - erased->done;
    size_t count = left < REWRITE_ENTRIES ? left : REWRITE_ENTRIES;
    purge->code = log_erase(purge->options.log, erased->seqs + erased->done, count,
                            erased->customer, &purge->err);
    erased->done += count;
}

/* A step of it, as there groups are waiting. */
static void compact(struct chore *chore)
{
    struct purge *purge = (struct purge *)chore;
    purge->code = log_compact(purge->options.log, &purge->is_compacted, &purge->err);
}

static void sweep(struct chore *chore)
{
    struct purge *purge = (struct purge *)chore;
    const struct purge_options *options = &purge->options;
    purge->code = base_sweep(options->dir, &purge->base, &purge->base, &purge->err);
    if (purge->code == 0 && options->sweep != NULL)
        purge->code = options->sweep(options->forget_arg, &purge->err);
}

/* -- The state's file ---------------------------------------------------------- */

static void prepare(struct chore *chore)
{
    struct purge *purge = (struct purge *)chore;
    purge->code = 0;
    if (!fold_checkpoint(purge->options.fold, &purge->err)) /* one that was cut before */
        purge->code = purge->err.code;
    if (purge->code == 0)
        purge->code = state_compact_prepare(purge->options.state, &purge->err);
}

static void swap(struct engine *engine, void *arg)
{
    struct purge *purge = arg;
    (void)engine;
    purge->code = state_compact_swap(purge->options.state, &purge->err);
}

static void on_swapped(struct mail *mail, void *reader)
{
    struct purge *purge = ((struct job *)mail)->arg;
    (void)reader;
    if (purge->code == E_BUSY && purge->swaps < SWAPS_MAX) {
        purge->swap_at = now_ms(purge) + SWAP_PAUSE_MS;
        return;
    }
    atomic_store(&purge->options.fold->is_compacting, false);
    if (purge->code == E_CONFLICT) { /* a checkpoint came in between */
        purge->code = 0;
        purge->phase = PHASE_PREPARE - 1;
    }
    advance(purge);
}

static void ask_swap(struct purge *purge)
{
    purge->swap_at = -1;
    purge->swaps++;
    purge->job = (struct job){ .mail = { .handle = on_swapped }, .run = swap, .arg = purge };
    fold_ask(purge->options.fold, &purge->job);
}

/* -- Done ---------------------------------------------------------------------- */

/* What the engine's word began may have been kept again since: an answer that was under way. */
static int forget_besides(struct purge *purge)
{
    const struct purge_options *options = &purge->options;
    if (options->forget == NULL)
        return 0;
    uint64_t *customers = mem_alloc((purge->count + 1) * sizeof *customers);
    for (size_t i = 0; i < purge->count; i++)
        customers[i] = purge->erased[i].customer;
    int rc = options->forget(options->forget_arg, customers, purge->count, &purge->err);
    free(customers);
    return rc;
}

/* A plugin in a process of its own says later that it has. */
static void forget_before(struct purge *purge, void (*then)(struct purge *purge))
{
    int rc = forget_besides(purge);
    bool is_soon = rc == E_BUSY && ++purge->asked < ASKED_MAX;
    if (rc != 0)
        purge->held.reason = purge->err;
    purge->ask_at = is_soon ? now_ms(purge) + ASK_MS : 0;
    if (is_soon)
        return;
    purge->asked = 0;
    if (rc == 0)
        then(purge);
    else
        fail(purge);
}

static void tell_done(struct purge *purge)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    for (size_t i = 0; i < purge->count; i++) {
        submission_begin(submission, &w);
        doc_put_string(&w, "type", "erase.done");
        doc_open(&w, "data");
        doc_put_int(&w, "customer", (int64_t)purge->erased[i].customer);
        doc_put_int(&w, "entries", (int64_t)purge->erased[i].count);
        doc_put_int(&w, "done", purge->erased[i].gone);
        doc_close(&w);
        submission_end(submission, &w);
    }
    post(purge, submission);
}

static void end(struct purge *purge)
{
    say("%zu %s erased: nothing of %s is in the files any more", purge->count,
        purge->count == 1 ? "customer is" : "customers are", purge->count == 1 ? "it" : "them");
    purge->told = (struct err){ 0 };
    purge->held = (struct purge_held){ 0 };
    purge->late_at = 0;
    come_to_rest(purge, PURGE_PAUSE_MS);
}

/* Whoever loses her rows at this moment goes along, or she would wait for the next purge: of a
 * customer who had been merged several are erased, and they are not through at the same tick. */
static void gather(struct purge *purge)
{
    purge->is_wanted = true;
    come_to_rest(purge, GATHER_MS);
}

static void end_early(struct purge *purge)
{
    purge->held = (struct purge_held){ 0 };
    purge->late_at = 0;
    come_to_rest(purge, 0);
}

static void next(struct purge *purge)
{
    purge->code = 0;
    switch (purge->phase) {
    case PHASE_IDLE:
        break;
    case PHASE_WAIT:
        await(purge);
        break;
    case PHASE_KEEP:
        forget(purge);
        give_to_checkpoints(purge, keep);
        break;
    case PHASE_NOTE:
        if (purge->waits_for_others)
            gather(purge);
        else if (purge->count == 0) /* they were in the purge before */
            end_early(purge);
        else /* before much is done that would be done again */
            forget_before(purge, note);
        break;
    case PHASE_REWRITE:
        purge->is_compacted = false;
        give_to_log(purge, rewrite);
        break;
    case PHASE_COMPACT:
        give_to_log(purge, compact);
        break;
    case PHASE_SWEEP:
        give_to_checkpoints(purge, sweep);
        break;
    case PHASE_PREPARE:
        purge->swaps = 0;
        atomic_store(&purge->options.fold->is_compacting, true);
        give_to_checkpoints(purge, prepare);
        break;
    case PHASE_SWAP:
        ask_swap(purge);
        break;
    case PHASE_DONE:
        forget_before(purge, tell_done);
        break;
    default:
        end(purge);
    }
}

/* -- From outside ---------------------------------------------------------------- */

void purge_start(struct purge *purge)
{
    purge->is_started = true;
    purge_tick(purge);
}

void purge_wanted(struct purge *purge)
{
    forget_besides(purge); /* already now, as she is nobody; what fails is tried again at the end */
    purge->is_wanted = true;
    purge_tick(purge);
}

int64_t purge_tick(struct purge *purge)
{
    int64_t now = now_ms(purge);
    bool waits_for_readers = purge->phase == PHASE_SWAP && purge->swap_at >= 0;
    bool may_begin =
        purge->phase == PHASE_IDLE && purge->is_wanted && purge->is_started && purge->holds == 0;
    bool waits_for_answer = purge->ask_at != 0;
    if (purge->is_winding_down || (!waits_for_readers && !waits_for_answer && !may_begin))
        return -1;
    int64_t at = waits_for_readers  ? purge->swap_at
                 : waits_for_answer ? purge->ask_at
                                    : purge->begin_at;
    if (now < at)
        return at - now;
    if (waits_for_readers) {
        ask_swap(purge);
    } else if (waits_for_answer) {
        purge->ask_at = 0;
        next(purge);
    } else {
        if (purge->late_at == 0)
            purge->late_at = now + GATHER_MS_MAX;
        purge->phase = PHASE_WAIT;
        next(purge);
    }
    return purge->ask_at != 0 ? ASK_MS : -1;
}

bool purge_hold(struct purge *purge)
{
    if (purge->phase != PHASE_IDLE || purge->is_held_alone)
        return false;
    purge->holds++;
    return true;
}

bool purge_hold_alone(struct purge *purge)
{
    if (purge->holds != 0 || !purge_hold(purge))
        return false;
    purge->is_held_alone = true;
    return true;
}

void purge_release(struct purge *purge)
{
    ASSERT(purge->holds > 0);
    purge->holds--;
    purge->is_held_alone = false;
    purge->options.wake(purge->options.wake_arg); /* somebody asks when to call again */
}

bool purge_held(const struct purge *purge, struct purge_held *out_held)
{
    *out_held = purge->held;
    return purge->held.reason.text[0] != '\0';
}

void purge_set_world(struct purge *purge, struct doc code, struct doc config)
{
    purge->options.code = code;
    purge->options.config = config;
}

void purge_wind_down(struct purge *purge)
{
    purge->is_winding_down = true;
    chore_take(&purge->options.sequencer->chore);
    chore_take(&purge->options.fold->chore);
}

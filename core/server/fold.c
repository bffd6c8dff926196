/* fold.c -- driving the engine; see fold.h. */
#include "core/server/fold.h"

#include "core/base/mem.h"
#include "core/engine/plugins.h"
#include "core/engine/read.h"
#include "core/plugin/breadcrumb.h"
#include "core/server/say.h"
#include "core/server/sequencer.h"
#include "storage/log.h"
#include "storage/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECKPOINT_AGE_MS 2000
#define CHECKPOINT_IDLE_MS 50
#define FORCED_PAUSE_MS 200  /* between two checkpoints that lists wait for, at most */
#define FORCED_PAUSE_TIMES 4 /* of what the last one took */
#define RETRY_MS 1000
#define PACE_MS 500                /* over which the engine's speed is measured */
#define QUEUE_BYTES_MIN (2u << 20) /* while it stands: it is to find something when it goes on */
#define CATCH_UP_ENTRIES 1000      /* between two looks at the buffers */

/* -- One entry ------------------------------------- */

static void drop_mail(struct mailbox *box)
{
    while (!mailbox_is_empty(box))
        free(mailbox_take_one(box));
    mailbox_deinit(box);
}

void fold_deinit(struct fold *fold)
{
    while (fold->waiting != NULL) {
        struct mail *mail = fold->waiting;
        fold->waiting = mail->next;
        free(mail);
    }
    drop_mail(&fold->inbox);
    drop_mail(&fold->checkpoint);
}

struct reading {
    struct fold *fold;
    struct err *err;
};

static int use_world(void *arg, const struct log_entry *entry)
{
    struct reading *reading = arg;
    struct fold *fold = reading->fold;
    struct doc world = doc_child((struct doc){ entry->body, (uint32_t)entry->size }, "data");
    if (fold->meet_world != NULL)
        fold->meet_world(fold->meet_arg, fold->engine, world);
    return engine_set_world(fold->engine, entry->seq, world, reading->err);
}

/* Fails before anything is changed; but if the engine is stuck, it is so for good. */
static int apply(struct fold *fold, const struct log_entry *entry, struct engine_result *result,
                 struct err *err)
{
    uint64_t world = log_world_of(fold->log, entry->seq);
    struct reading reading = { fold, err };
    if (world == entry->seq && !entry->is_tombstone) {
        int rc = use_world(&reading, entry);
        if (rc != 0)
            return rc;
    } else if (world != engine_world(fold->engine)) {
        int rc = log_read(fold->log, world, 1, use_world, &reading, NULL, err);
        if (rc != 0)
            return rc;
    }
    bool is_kept = fold->sequencer != NULL; /* a fold beside it has no slot */
    if (is_kept)
        breadcrumb_applying(entry->seq);
    engine_apply(fold->engine, entry, result);
    if (is_kept)
        breadcrumb_applying(0);
    atomic_fetch_add_explicit(&fold->turns, 1, memory_order_relaxed);
    if (result->status == ENGINE_STUCK)
        return err_set(err, result->code, "%s", result->reason);
    return 0;
}

static void post_to_loop(struct fold *fold, struct mail *mail)
{
    if (mailbox_post(fold->loop, mail))
        fold->wake_loop(fold->arg);
}

static void tell_follower(struct fold *fold)
{
    if (atomic_exchange(&fold->is_followed, false))
        post_to_loop(fold, fold->follower);
}

/* Armed first and looked afterwards, as publish() stores first: one of the two sees the other. */
void fold_follow(struct fold *fold, struct mail *mail, uint64_t seq)
{
    fold->follower = mail;
    atomic_store(&fold->is_followed, true);
    if (atomic_load(&fold->sequencer->applied) > seq)
        tell_follower(fold);
}

static void publish_erasures(struct fold *fold)
{
    struct read_erasure_counts counts;
    read_erasure_counts(fold->engine, &counts);
    atomic_store(&fold->erasures_open, counts.open);
    atomic_store(&fold->erasures_done, counts.done);
    atomic_store(&fold->erasure_oldest_ms, counts.oldest_ms);
}

static void publish_pauses(struct fold *fold)
{
    struct read_pauses rules;
    read_paused_rules(fold->engine, &rules);
    atomic_store(&fold->rules_paused, rules.count);
    atomic_store(&fold->plugins_quarantined, plugins_quarantined(fold->engine));
}

static void publish(struct fold *fold)
{
    int64_t due = engine_next_due(fold->engine);
    struct sequencer *sequencer = fold->sequencer;
    int64_t before = atomic_exchange(&sequencer->next_due, due);
    atomic_store(&sequencer->applied, engine_seq(fold->engine));
    atomic_store(&fold->failures, engine_failures(fold->engine));
    publish_erasures(fold);
    publish_pauses(fold);
    tell_follower(fold);
    if (due != before || atomic_load(&sequencer->waits_for_fold) || due <= engine_now(fold->engine))
        mailbox_nudge(&sequencer->inbox);
}

/* -- Checkpoints ------------------------------------- */

/* A rule killed for memory is in the buffer as such, but a repetition knows of it only by its
 * verdict: until that is durable, nothing that holds its consequences may be. */
static bool verdicts_are_durable(const struct fold *fold)
{
    return fold->sequencer == NULL || atomic_load(&fold->sequencer->verdicts_open) == 0;
}

/* The file is to stay as it is. */
static bool stands_still(const struct fold *fold)
{
    return atomic_load(&fold->is_compacting) || atomic_load(&fold->keeps_base);
}

bool fold_freeze(struct fold *fold)
{
    if (!verdicts_are_durable(fold) || stands_still(fold))
        return false;
    if (!state_freeze(fold->state, engine_seq(fold->engine), engine_now(fold->engine)))
        return false;
    fold->dirty_since = -1;
    mailbox_nudge(&fold->checkpoint);
    return true;
}

/* The number of the last entry whose consequences a snapshot would show: of those that change
 * nothing there is no checkpoint. */
static uint64_t shown_seq(const struct fold *fold)
{
    struct state_stats stats;
    uint64_t seq;
    int64_t logged;
    state_stats(fold->state, &stats);
    if (!state_is_dirty(fold->state) && stats.frozen_rows == 0)
        return engine_seq(fold->engine);
    state_applied(fold->state, &seq, &logged);
    return seq;
}

/* `seq`: what checkpoints hold by now. */
static void answer_waiting(struct fold *fold, uint64_t seq)
{
    struct mail **at = &fold->waiting, *mail;
    while ((mail = *at) != NULL) {
        if (((struct job *)mail)->wanted > seq) {
            at = &mail->next;
            continue;
        }
        *at = mail->next;
        post_to_loop(fold, mail);
    }
}

/* How long until one may be made for those who wait: 0 now. */
static int64_t forced_in_ms(const struct fold *fold, int64_t now)
{
    struct state_stats stats;
    state_stats(fold->state, &stats);
    int64_t passed = now - fold->forced_at;
    int64_t pause = FORCED_PAUSE_TIMES * stats.checkpoint_ns_last / 1000000;
    if (pause > FORCED_PAUSE_MS)
        pause = FORCED_PAUSE_MS;
    return fold->forced_at < 0 || passed >= pause ? 0 : pause - passed;
}

void fold_freeze_if_wanted(struct fold *fold, bool is_idle)
{
    state_settle(fold->state);
    atomic_store(&fold->shown, shown_seq(fold));
    if (fold->waiting != NULL)
        answer_waiting(fold, atomic_load(&fold->shown));
    if (!state_is_dirty(fold->state))
        return;
    int64_t now = fold->clock.boot_ms(fold->clock.arg);
    if (fold->dirty_since < 0)
        fold->dirty_since = now;
    bool is_forced = fold->waiting != NULL && forced_in_ms(fold, now) == 0;
    bool is_wanted = is_forced || is_idle || state_wants_freeze(fold->state) ||
                     now - fold->dirty_since >= CHECKPOINT_AGE_MS;
    if (is_wanted && fold_freeze(fold) && is_forced)
        fold->forced_at = now;
}

bool fold_checkpoint(struct fold *fold, struct err *err)
{
    struct state_stats before, after;
    state_stats(fold->state, &before);
    int rc = state_checkpoint(fold->state, err);
    state_stats(fold->state, &after);
    if (after.checkpoints != before.checkpoints)
        histogram_add(&fold->cut, after.checkpoint_ns_last);
    atomic_store(&fold->is_failing, rc != 0);
    if (state_is_lost(fold->state))
        atomic_store(&fold->is_lost, true);
    mailbox_nudge(&fold->inbox);
    return rc == 0;
}

bool fold_do_chore(struct fold *fold)
{
    struct chore *chore = chore_take(&fold->chore);
    if (chore == NULL)
        return false;
    chore->run(chore);
    post_to_loop(fold, &chore->mail);
    return true;
}

void fold_run_checkpoints(struct fold *fold)
{
    struct err err = { 0 };
    bool is_good = true;
    while (!mailbox_is_closed(&fold->checkpoint)) {
        mailbox_wait(&fold->checkpoint, is_good ? -1 : RETRY_MS);
        bool was_good = is_good;
        is_good = fold_checkpoint(fold, &err);
        if (!is_good && was_good)
            say("a checkpoint failed, and is tried again every second: %s", err.text);
        if (is_good && !was_good)
            say("checkpoints are written again");
        fold_do_chore(fold);
    }
}

/* Once for each checkpoint that asks for it, and so at most once a second. */
static void reopen_if_lost(struct fold *fold)
{
    struct err err = { 0 };
    if (!atomic_exchange(&fold->is_lost, false))
        return;
    if (state_reopen(fold->state, &err) == 0) {
        say("the state's file was opened again");
        fold->told = (struct err){ 0 };
        mailbox_nudge(&fold->checkpoint);
    } else if (strcmp(err.text, fold->told.text) != 0) {
        say("the state's file cannot be opened again, which is tried every second: %s", err.text);
        fold->told = err;
    }
}

/* Both buffers full, or nothing to read from: the engine stands until that is over.  On the
 * engine's own thread only. */
static bool has_room(struct fold *fold)
{
    reopen_if_lost(fold);
    state_settle(fold->state);
    bool is_full = state_is_full(fold->state) || !state_is_readable(fold->state) ||
                   (stands_still(fold) && state_wants_freeze(fold->state));
    atomic_store(&fold->is_full, is_full);
    return !is_full;
}

/* -- Catching up from the log ------------------------------------- */

static int apply_read(void *arg, const struct log_entry *entry)
{
    struct reading *reading = arg;
    struct engine_result result = { .status = ENGINE_DONE };
    int rc = apply(reading->fold, entry, &result, reading->err);
    reading->fold->is_stuck = rc != 0 && result.status == ENGINE_STUCK;
    return rc;
}

int fold_catch_up(struct fold *fold, uint64_t seq, struct err *err)
{
    while (engine_seq(fold->engine) < seq) {
        uint64_t left = seq - engine_seq(fold->engine);
        size_t count = left < CATCH_UP_ENTRIES ? (size_t)left : CATCH_UP_ENTRIES;
        struct reading reading = { fold, err };
        int rc = log_read(fold->log, engine_seq(fold->engine) + 1, count, apply_read, &reading,
                          NULL, err);
        if (rc != 0)
            return rc;
        fold_freeze_if_wanted(fold, false);
        while (!has_room(fold))
            if (!fold_checkpoint(fold, err))
                return err->code;
    }
    return 0;
}

/* -- Groups and jobs ------------------------------------- */

/* An entry of a group: the world in force was read when the run began. */
static void apply_next(struct fold *fold, const struct log_entry *entry,
                       struct engine_result *result)
{
    int rc = apply(fold, entry, result, NULL);
    ASSERT(rc == 0);
}

/* Plugins that live elsewhere may begin with what comes next. */
static void foresee(struct fold *fold, struct submission *submission, size_t at, uint64_t seq,
                    int64_t logged)
{
    struct log_entry entries[ENGINE_FORESEEN_MAX];
    size_t count = 0;
    struct doc body;
    for (; count < ENGINE_FORESEEN_MAX && submission_next(submission, &at, &body); count++)
        entries[count] = (struct log_entry){
            .seq = seq + count,
            .logged = logged,
            .class = submission->class,
            .body = body.data,
            .size = body.size,
        };
    engine_foresee(fold->engine, entries, count);
}

static void apply_submission(struct fold *fold, struct submission *submission, uint64_t *seq,
                             int64_t logged)
{
    struct doc body;
    struct engine_result result = { 0 };
    bool is_foreseen = submission->count > 1 && engine_foresees(fold->engine);
    size_t index = 0;
    for (size_t at = 0, next = 0; next = at, submission_next(submission, &at, &body);) {
        if (is_foreseen && index % ENGINE_FORESEEN_MAX == 0)
            foresee(fold, submission, next, *seq, logged);
        struct log_entry entry = {
            .seq = (*seq)++,
            .logged = logged,
            .class = submission->class,
            .body = body.data,
            .size = body.size,
        };
        if (entry.seq > engine_seq(fold->engine))
            apply_next(fold, &entry, &result);
        if (submission->wants_applied && result.status == ENGINE_REFUSED)
            submission_note_refusal(submission, index, &result);
        index++;
    }
    if (submission->wants_applied) {
        submission->result = result;
        submission_answer(fold->loop, submission, fold->wake_loop, fold->arg);
    } else {
        submission_unref(submission);
    }
}

static void apply_tick(struct fold *fold, uint64_t seq, int64_t logged)
{
    struct engine_result result;
    struct log_entry entry = {
        .seq = seq,
        .logged = logged,
        .class = LOG_SYSTEM,
        .body = sequencer_tick.data,
        .size = sequencer_tick.size,
    };
    if (seq > engine_seq(fold->engine))
        apply_next(fold, &entry, &result);
}

/* What the log has and nobody handed over: after a start, and after a commit that failed (a
 * group without a number), where what is there is the truth. */
static bool has_caught_up(struct fold *fold, const struct group *group)
{
    uint64_t seq = group->first_seq - 1;
    int64_t logged;
    struct err err = { 0 };
    if (group->first_seq == 0)
        log_end(fold->log, &seq, &logged);
    if (fold->refused_seq != 0 && seq >= fold->refused_seq)
        seq = fold->refused_seq - 1;
    bool is_good = fold_catch_up(fold, seq, &err) == 0;
    if (fold->is_stuck) {
        say("%s: nothing was changed; start kithd again, and if this comes again, give it the "
            "memory it needs, or put back the file of the plugin that was in force",
            err.text);
        breadcrumb_note_returned(); /* it is no crash, and nobody begins it again */
        _exit(EXIT_FAILURE);        /* without a checkpoint */
    }
    if (!is_good && !atomic_load(&fold->is_behind))
        say("the log cannot be applied, which is tried again every second: %s%s", err.text,
            err.code == E_CORRUPT ? "; " FOLD_PUT_BACK : "");
    atomic_store(&fold->is_behind, !is_good);
    return is_good;
}

static void apply_group(struct fold *fold, struct group *group)
{
    uint64_t seq = group->first_seq;
    if (group->first_seq == 0)
        return;
    if (fold->refused_seq != 0) { /* verdicts, behind what is not applied */
        for (size_t i = 0; i < group->count; i++)
            submission_unref(group->submissions[i]);
        return;
    }
    if (group->has_tick)
        apply_tick(fold, seq++, group->logged);
    for (size_t i = 0; i < group->count; i++)
        apply_submission(fold, group->submissions[i], &seq, group->logged);
}

/* How fast what waits is worked off, the waits for checkpoints included, says how much may wait.
 * With nothing waiting there is no telling, and no need. */
static void pace(struct fold *fold, size_t bytes)
{
    if (mailbox_is_empty(&fold->inbox)) {
        if (fold->paced_at >= 0)
            mailbox_limit(&fold->inbox, FOLD_QUEUE_BYTES);
        fold->paced_at = -1;
        return;
    }
    int64_t now = fold->clock.boot_ms(fold->clock.arg);
    if (fold->paced_at >= 0) {
        fold->paced_bytes += bytes;
        if (now - fold->paced_at < PACE_MS)
            return;
        uint64_t may_wait =
            (uint64_t)fold->paced_bytes * FOLD_QUEUE_MS / (uint64_t)(now - fold->paced_at);
        if (may_wait < QUEUE_BYTES_MIN)
            may_wait = QUEUE_BYTES_MIN;
        mailbox_limit(&fold->inbox, may_wait < FOLD_QUEUE_BYTES ? may_wait : FOLD_QUEUE_BYTES);
    }
    fold->paced_at = now;
    fold->paced_bytes = 0;
}

/* False: it cannot be handled yet and must stay first. */
static bool handle(struct fold *fold, struct mail *mail)
{
    if (mail->handle == NULL) {
        int64_t before = clock_ns();
        if (!has_caught_up(fold, (struct group *)mail))
            return false;
        apply_group(fold, (struct group *)mail);
        histogram_add(&fold->apply, clock_ns() - before);
        if (((struct group *)mail)->first_seq != 0)
            pace(fold, mail->bytes);
        free(mail);
        publish(fold);
        return true;
    }
    struct job *job = (struct job *)mail;
    if (job->run != NULL) {
        job->run(fold->engine, job->arg);
        post_to_loop(fold, mail);
        return true;
    }
    job->wanted = engine_seq(fold->engine);
    mail->next = fold->waiting;
    fold->waiting = mail;
    return true; /* whoever called looks after those who wait */
}

void fold_ask(struct fold *fold, struct job *job)
{
    ASSERT(job->mail.handle != NULL);
    mailbox_post(&fold->inbox, &job->mail);
}

void fold_await(struct fold *fold, struct job *job)
{
    ASSERT(job->mail.handle != NULL && job->run == NULL);
    mailbox_post(&fold->inbox, &job->mail);
}

bool fold_step(struct fold *fold)
{
    if (!has_room(fold)) {
        fold_freeze_if_wanted(fold, false);
        return false;
    }
    struct mail *mail = mailbox_take_one(&fold->inbox);
    if (mail == NULL)
        return false;
    if (!handle(fold, mail)) {
        mail->next = NULL;
        mailbox_return(&fold->inbox, mail);
        return false;
    }
    fold_freeze_if_wanted(fold, false);
    return true;
}

/* How long nothing is to be done without mail or a nudge: a checkpoint that was written nudges. */
static int64_t rest_ms(struct fold *fold)
{
    if (!state_is_dirty(fold->state))
        return -1;
    if (fold->waiting == NULL)
        return CHECKPOINT_IDLE_MS;
    int64_t forced = forced_in_ms(fold, fold->clock.boot_ms(fold->clock.arg));
    return forced > 0 && forced < CHECKPOINT_IDLE_MS ? forced : CHECKPOINT_IDLE_MS;
}

void fold_run(struct fold *fold)
{
    for (;;) {
        bool is_closed = mailbox_is_closed(&fold->inbox);
        atomic_fetch_add_explicit(&fold->turns, 1, memory_order_relaxed);
        if (fold_step(fold))
            continue;
        bool is_stuck = atomic_load(&fold->is_full) || atomic_load(&fold->is_behind);
        if (is_closed)
            break;
        if (is_stuck) {
            mailbox_wait_nudge(&fold->inbox, RETRY_MS);
            continue;
        }
        mailbox_wait(&fold->inbox, rest_ms(fold));
        fold_freeze_if_wanted(fold, mailbox_is_empty(&fold->inbox));
    }
    answer_waiting(fold, UINT64_MAX);
}

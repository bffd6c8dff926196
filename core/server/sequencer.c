/* sequencer.c -- groups into the log; see sequencer.h.
 *
 * One group has one time.  A failed commit answers everybody with the failure and then
 * believes only what the log says: if the group landed in spite of the error, the fold
 * finds it there, its senders repeat, and dedupe recognises it.
 *
 * While commits fail nothing is let in (node_health), so nobody's entries would ever show that
 * the disk is back: each further step asks the log itself.
 */
#include "core/server/sequencer.h"

#include "core/base/clock.h"
#include "core/base/doc.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/server/say.h"
#include "core/server/world_log.h"

#include <stdlib.h>
#include <string.h>

#define FAILING_PAUSE_MS 100 /* between two attempts while the disk refuses */
#define TELL_PAUSE_NS (60 * (int64_t)1000000000)
#define HELD_POLL_MS 10       /* while only some things are let through */
#define STANDING_POLL_MS 1000 /* how often to look whether the wall clock has come back */

int sequencer_post(struct sequencer *sequencer, struct submission *submission, struct err *err)
{
    if (mailbox_is_full(&sequencer->inbox))
        return err_set(err, E_BUSY,
                       "more than %u MiB wait to be written: try again after Retry-After",
                       QUEUE_BYTES_MAX >> 20);
    /* The disk is faster than rules are: without this bound what is durable and not applied yet
     * would grow with the length of a burst. */
    if (mailbox_is_full(sequencer->fold))
        return err_set(err, E_BUSY,
                       "the rules are behind what is written: try again after Retry-After");
    sequencer_post_own(sequencer, submission);
    return 0;
}

void sequencer_post_own(struct sequencer *sequencer, struct submission *submission)
{
    mailbox_post(&sequencer->inbox, &submission->mail);
}

/* -- Building a group ------------------------------------- */

/* {type: "tick"} */
static const uint8_t tick_bytes[] = "\x14\0\0\0\x02type\0\x05\0\0\0tick\0";
const struct doc sequencer_tick = { tick_bytes, sizeof tick_bytes };

static bool tick_is_wanted(struct sequencer *sequencer, int64_t now)
{
    return !atomic_load(&sequencer->is_winding_down) && !atomic_load(&sequencer->is_held) &&
           atomic_load(&sequencer->applied) >= atomic_load(&sequencer->tick_seq) &&
           atomic_load(&sequencer->next_due) <= now;
}

static bool can_join(const struct group *group, size_t bytes, size_t entries,
                     const struct submission *submission)
{
    if (group->count == 0)
        return true;
    const struct submission *first = group->submissions[0];
    return submission->replay_at == first->replay_at && !first->accepts_clock &&
           bytes + submission->entries.size <= GROUP_BYTES_MAX &&
           entries + submission->count <= GROUP_ENTRIES_MAX;
}

/* What may be written while all else is held; the rest goes back. */
static struct mail *take_urgent(struct sequencer *sequencer)
{
    struct mail *mail = mailbox_take(&sequencer->inbox), *urgent = NULL, *rest = NULL;
    struct mail **last_urgent = &urgent, **last_rest = &rest;
    for (; mail != NULL; mail = mail->next) {
        struct mail ***last =
            ((struct submission *)mail)->index != INDEX_NONE ? &last_urgent : &last_rest;
        **last = mail;
        *last = &mail->next;
    }
    *last_urgent = *last_rest = NULL;
    mailbox_return(&sequencer->inbox, rest);
    return urgent;
}

/* Take what may go together; the rest goes back. */
static struct group *take_group(struct sequencer *sequencer)
{
    bool is_held = atomic_load(&sequencer->is_held);
    struct mail *mail = is_held ? take_urgent(sequencer) : mailbox_take(&sequencer->inbox);
    size_t count = 0, bytes = 0, entries = 0;
    for (struct mail *m = mail; m != NULL; m = m->next)
        count++;
    struct group *group = mem_zero(sizeof *group + count * sizeof *group->submissions);
    while (mail != NULL) {
        struct submission *submission = (struct submission *)mail;
        if (!can_join(group, bytes, entries, submission))
            break;
        mail = mail->next;
        bytes += submission->entries.size;
        entries += submission->count;
        group->submissions[group->count++] = submission;
    }
    mailbox_return(&sequencer->inbox, mail);
    group->mail.bytes = sizeof *group + bytes;
    return group;
}

static void publish_clock(struct sequencer *sequencer)
{
    atomic_store(&sequencer->is_standing, sequencer->keeper.is_standing);
    atomic_store(&sequencer->is_set_back, sequencer->keeper.is_set_back);
}

/* Log time begins with the first group that has something from outside. */
static int64_t group_time(struct sequencer *sequencer, const struct group *group)
{
    struct timekeeper *keeper = &sequencer->keeper;
    bool has_outside = keeper->last != 0;
    for (size_t i = 0; i < group->count; i++) {
        has_outside = has_outside || group->submissions[i]->starts_clock;
        if (group->submissions[i]->accepts_clock)
            timekeeper_accept(keeper);
    }
    if (group->count != 0 && group->submissions[0]->replay_at != REPLAY_NONE) {
        int64_t at = group->submissions[0]->replay_at;
        keeper->is_standing = keeper->is_set_back = false;
        publish_clock(sequencer);
        return at > keeper->last ? at : keeper->last;
    }
    int64_t now = has_outside ? timekeeper_now(keeper) : 0;
    publish_clock(sequencer);
    return now;
}

static void use_world(struct sequencer *sequencer, uint64_t seq, struct doc body)
{
    struct doc data = doc_child(body, "data");
    log_index_world(sequencer->log, seq, seq);
    sequencer->world = world_mark(doc_child(data, "code"), doc_child(data, "config"));
}

static void add_submission(struct sequencer *sequencer, struct submission *submission,
                           int64_t logged)
{
    struct doc body;
    submission->first_seq = 0;
    if (submission->blob.size != 0)
        log_put_blob(sequencer->log, submission->blob_hash, submission->blob.data,
                     submission->blob.size);
    for (size_t at = 0; submission_next(submission, &at, &body);) {
        uint64_t seq = log_add(sequencer->log, submission->class, logged, body.data, body.size);
        if (submission->first_seq == 0)
            submission->first_seq = seq;
        if (submission->index == INDEX_VERDICT)
            log_index_verdict(sequencer->log, submission->index_seq, body.data, body.size);
        else if (submission->index == INDEX_WORLD)
            use_world(sequencer, seq, body);
    }
}

/* -- After the commit ------------------------------------- */

static void hand_on(struct sequencer *sequencer, struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct submission *submission = group->submissions[i];
        atomic_fetch_add(&submission->references, 1); /* the engine's */
        if (submission->index == INDEX_VERDICT)
            atomic_fetch_sub(&sequencer->verdicts_open, 1);
    }
    /* The engine's copy first: whoever hears that an entry is durable and asks at once finds his
     * question behind it.  It is woken last: nobody waits for it as they do for the answers. */
    struct submission **answers = mem_copy(group->submissions, group->count * sizeof *answers);
    size_t count = group->count;
    bool must_wake = mailbox_put(sequencer->fold, &group->mail);
    for (size_t i = 0; i < count; i++) {
        if (answers[i]->wants_applied)
            submission_unref(answers[i]); /* the fold answers, with its own reference */
        else
            submission_answer(sequencer->loop, answers[i], sequencer->wake_loop, sequencer->arg);
    }
    if (must_wake)
        mailbox_wake(sequencer->fold);
    free(answers);
}

/* What is in the log all the same is found by the fold: an empty group makes it look. */
static void look_at_end(struct sequencer *sequencer, struct group *group)
{
    uint64_t seq;
    group->count = 0;
    group->has_tick = false;
    group->first_seq = 0;
    group->mail.bytes = sizeof *group;
    mailbox_post(sequencer->fold, &group->mail);
    log_end(sequencer->log, &seq, &sequencer->keeper.last);
}

/* Once for each reason, also when it comes and goes: a disk may be full for large groups only. */
static void tell_failure(struct sequencer *sequencer, const struct err *err)
{
    bool is_known = strcmp(sequencer->told.text, err->text) == 0;
    if (is_known && (sequencer->told.code != 0 || clock_ns() - sequencer->told_ns < TELL_PAUSE_NS))
        return;
    say("the log cannot be written, and is tried again: %s", err->text);
    sequencer->told = *err;
    sequencer->told_ns = clock_ns();
}

static void tell_success(struct sequencer *sequencer)
{
    if (sequencer->told.code != 0)
        say("the log is written again");
    sequencer->told.code = 0;
}

static void keep(struct sequencer *sequencer, struct submission *submission)
{
    submission->mail.next = NULL;
    mailbox_return(&sequencer->inbox, &submission->mail);
}

static void fail_all(struct sequencer *sequencer, struct group *group, const struct err *err)
{
    for (size_t i = group->count; i > 0; i--) /* backwards: what is kept comes in front again */
        if (group->submissions[i - 1]->must_not_fail)
            keep(sequencer, group->submissions[i - 1]);
    for (size_t i = 0; i < group->count; i++) {
        struct submission *submission = group->submissions[i];
        if (submission->must_not_fail)
            continue;
        submission->code = err->code;
        submission->err = *err;
        submission_answer(sequencer->loop, submission, sequencer->wake_loop, sequencer->arg);
    }
    look_at_end(sequencer, group);
}

static void commit(struct sequencer *sequencer, struct group *group)
{
    struct err err = { 0 };
    int64_t before = clock_ns();
    int rc = log_commit(sequencer->log, sequencer->world, &err);
    histogram_add(&sequencer->commit, clock_ns() - before);
    atomic_store(&sequencer->is_failing, rc != 0);
    if (rc != 0) {
        err.code = rc;
        tell_failure(sequencer, &err);
        fail_all(sequencer, group, &err);
        return;
    }
    tell_success(sequencer);
    timekeeper_wrote(&sequencer->keeper, group->logged);
    if (group->has_tick)
        atomic_store(&sequencer->tick_seq, group->first_seq);
    hand_on(sequencer, group);
}

/* Nothing waits and the last commit failed: is the log back? */
static void ask_log(struct sequencer *sequencer, struct group *group)
{
    struct err err = { 0 };
    int rc = log_commit(sequencer->log, sequencer->world, &err);
    bool is_back = rc == 0 || rc == E_CONFLICT; /* with a group that did land */
    atomic_store(&sequencer->is_failing, !is_back);
    if (is_back) {
        look_at_end(sequencer, group);
        return;
    }
    err.code = rc;
    tell_failure(sequencer, &err);
    free(group);
}

/* An import of the past goes in step with the engine: its timers fire between the entries,
 * each at its own time.  The wish to be nudged comes before the look: an engine that gets
 * there in between has seen it. */
static bool must_wait(struct sequencer *sequencer, const struct group *group)
{
    uint64_t end;
    int64_t logged;
    log_end(sequencer->log, &end, &logged);
    bool is_replay = group->count != 0 && group->submissions[0]->replay_at != REPLAY_NONE;
    atomic_store(&sequencer->waits_for_fold, is_replay);
    bool waits = is_replay && atomic_load(&sequencer->applied) < end;
    if (is_replay && !waits)
        atomic_store(&sequencer->waits_for_fold, false);
    return waits;
}

/* A past that is replayed needs the timers between its entries, and those no longer fire. */
static bool must_refuse(struct sequencer *sequencer, const struct group *group)
{
    return atomic_load(&sequencer->is_winding_down) && group->count != 0 &&
           group->submissions[0]->replay_at != REPLAY_NONE &&
           atomic_load(&sequencer->next_due) <= group->logged;
}

static void give_back(struct sequencer *sequencer, struct group *group)
{
    struct mail *first = NULL, **last = &first;
    for (size_t i = 0; i < group->count; i++) {
        *last = &group->submissions[i]->mail;
        last = &group->submissions[i]->mail.next;
    }
    *last = NULL;
    mailbox_return(&sequencer->inbox, first);
    group->count = 0;
}

/* Not while the log cannot be written: what it holds then has to be looked at first. */
static bool do_chore(struct sequencer *sequencer)
{
    if (atomic_load(&sequencer->is_failing))
        return false;
    struct chore *chore = chore_take(&sequencer->chore);
    if (chore == NULL)
        return false;
    chore->run(chore);
    if (mailbox_post(sequencer->loop, &chore->mail))
        sequencer->wake_loop(sequencer->arg);
    return true;
}

bool sequencer_step(struct sequencer *sequencer)
{
    if (do_chore(sequencer))
        return true;
    struct group *group = take_group(sequencer);
    if (must_wait(sequencer, group)) {
        give_back(sequencer, group);
        free(group);
        return false;
    }
    group->logged = group_time(sequencer, group);
    if (must_refuse(sequencer, group)) {
        struct err err;
        err_set(&err, E_BUSY, "the daemon is stopping: go on after its next start");
        for (size_t i = 0; i < group->count; i++) /* what it announces is refused as well */
            group->submissions[i]->must_not_fail = false;
        fail_all(sequencer, group, &err);
        return true;
    }
    group->has_tick = group->logged != 0 && tick_is_wanted(sequencer, group->logged);
    if (group->has_tick && group->count != 0 && group->submissions[0]->replay_at != REPLAY_NONE) {
        int64_t due = atomic_load(&sequencer->next_due);
        group->logged = due > sequencer->keeper.last ? due : sequencer->keeper.last;
        give_back(sequencer, group);
    }
    if (!group->has_tick && group->count == 0) {
        if (atomic_load(&sequencer->is_failing))
            ask_log(sequencer, group);
        else
            free(group);
        return false;
    }
    uint64_t end;
    int64_t logged;
    log_end(sequencer->log, &end, &logged);
    group->first_seq = end + 1;
    if (group->has_tick)
        log_add(sequencer->log, LOG_SYSTEM, group->logged, sequencer_tick.data,
                sequencer_tick.size);
    for (size_t i = 0; i < group->count; i++)
        add_submission(sequencer, group->submissions[i], group->logged);
    commit(sequencer, group);
    return true;
}

int64_t sequencer_idle_ms(struct sequencer *sequencer)
{
    struct timekeeper *keeper = &sequencer->keeper;
    int64_t due = atomic_load(&sequencer->next_due), now = timekeeper_now(keeper);
    bool has_timer = due != INT64_MAX && keeper->last != 0 &&
                     !atomic_load(&sequencer->is_winding_down) &&
                     atomic_load(&sequencer->applied) >= atomic_load(&sequencer->tick_seq);
    if (has_timer && due <= now)
        return 0;
    if (keeper->is_standing || keeper->is_set_back)
        return STANDING_POLL_MS;
    return has_timer ? due - now : -1;
}

static void tell_clock(struct sequencer *sequencer)
{
    const char *reason = timekeeper_reason(atomic_load(&sequencer->is_standing),
                                           atomic_load(&sequencer->is_set_back));
    if (reason != sequencer->told_clock)
        say("%s", reason != NULL ? reason : "log time goes on");
    sequencer->told_clock = reason;
}

void sequencer_run(struct sequencer *sequencer)
{
    for (;;) {
        bool is_closed = mailbox_is_closed(&sequencer->inbox);
        bool has_worked = sequencer_step(sequencer);
        atomic_fetch_add(&sequencer->turns, 1);
        bool is_failing = atomic_load(&sequencer->is_failing);
        tell_clock(sequencer);
        if (is_closed && (!has_worked || is_failing))
            return;
        if (is_failing)
            mailbox_wait_nudge(&sequencer->inbox, FAILING_PAUSE_MS);
        else if (has_worked)
            continue;
        else if (atomic_load(&sequencer->is_held))
            mailbox_wait_nudge(&sequencer->inbox, HELD_POLL_MS);
        else if (atomic_load(&sequencer->waits_for_fold))
            mailbox_wait_nudge(&sequencer->inbox, -1);
        else
            mailbox_wait(&sequencer->inbox, sequencer_idle_ms(sequencer));
    }
}

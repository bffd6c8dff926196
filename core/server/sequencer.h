/* sequencer.h -- the only writer of the log: order, time, durability.
 *
 * Takes what waits, gives log time and sequence numbers, puts a tick in front when a
 * timer is due, commits all of it as one group, and hands the group on: to the fold,
 * and to those who wait for durability.  It never looks into entries.
 *
 * sequencer_step() runs on one thread (the simulator's, or that of sequencer_run());
 * posting and the two atomics below may be used from any.
 */
#ifndef CORE_SERVER_SEQUENCER_H
#define CORE_SERVER_SEQUENCER_H

#include "core/base/histogram.h"
#include "core/base/mailbox.h"
#include "core/server/chore.h"
#include "core/server/submission.h"
#include "core/server/timekeeper.h"

#include <stdatomic.h>

struct log;

extern const struct doc sequencer_tick; /* the body of every tick */

/* A committed group on its way to the engine. */
struct group {
    struct mail mail; /* first */
    uint64_t first_seq;
    int64_t logged;
    bool has_tick; /* its first entry */
    size_t count;  /* of submissions */
    struct submission *submissions[];
};

struct sequencer {
    struct log *log;
    struct timekeeper keeper;
    uint64_t world;              /* mark for the blocks; a `world` that is written brings its own */
    struct err told;             /* the operator, why the log cannot be written; code 0: it can */
    int64_t told_ns;             /* when */
    const char *told_clock;      /* timekeeper_reason() */
    struct mailbox inbox;        /* submissions */
    struct chore_slot chore;     /* on the log, between two groups */
    struct mailbox *fold, *loop; /* where groups and answers go */
    void (*wake_loop)(void *arg);
    void *arg;
    /* Set by the fold: when the engine's next timer is due, which entry it has applied. */
    _Atomic int64_t next_due;
    _Atomic uint64_t applied;
    /* The daemon ends: no tick begins anything any more. */
    _Atomic bool is_winding_down;
    /* Nothing is written but verdicts and worlds, no tick either; all else waits in the inbox.  Set
     * by a chore, so that no group is being written when it is known; taken back from any thread,
     * with a nudge of the inbox. */
    _Atomic bool is_held;
    /* Verdicts reported and not durable yet: no checkpoint may hold their consequences before. */
    _Atomic int verdicts_open;
    /* Told to others. */
    _Atomic uint64_t tick_seq;   /* the last tick written; no other before it is applied */
    _Atomic bool is_standing;    /* log time stands still: the wall clock leapt ahead ... */
    _Atomic bool is_set_back;    /* ... or is behind */
    _Atomic bool waits_for_fold; /* what lies in the inbox goes on when the fold has caught up */
    _Atomic bool is_failing;     /* the last commit failed; further steps try on */
    struct histogram commit;     /* for metrics */
    _Atomic uint64_t turns;      /* of sequencer_run(), for the watchdog */
};

/* Post a submission (any thread).  E_BUSY when QUEUE_BYTES_MAX wait already, to be written or to
 * be applied: nothing was posted and the submission is still the caller's.  Kith's own (the
 * deliverer's outcomes, the engine's verdicts) are never refused. */
int sequencer_post(struct sequencer *sequencer, struct submission *submission, struct err *err);
void sequencer_post_own(struct sequencer *sequencer, struct submission *submission);

/* Commit what waits; after a failure, when nothing waits, ask whether the log can be written
 * again.  Returns whether there was anything to do. */
bool sequencer_step(struct sequencer *sequencer);

/* How long there is nothing to do unless something is posted; -1: for ever. */
int64_t sequencer_idle_ms(struct sequencer *sequencer);

/* Step until the inbox is closed and empty; the body of the log writer's thread. */
void sequencer_run(struct sequencer *sequencer);

#endif

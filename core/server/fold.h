/* fold.h -- the engine's thread: entries in, state and reports out.
 *
 * Whatever the log holds beyond what the engine has applied is applied, in order: from
 * the groups that the sequencer hands on, or, after a start or a commit that failed and
 * landed all the same, by reading the log.  Between entries it answers questions (jobs),
 * changes worlds, and cuts checkpoints.
 *
 * When the disk refuses the very page that makes a checkpoint valid, LMDB gives its file up.  It is
 * opened again here, between two entries: what the file lacks is still in memory.
 *
 * Threads: catching up, stepping, freezing and fold_run() belong to the engine's; writing
 * checkpoints to another, or to the same in the simulator; posting to the inbox to any.  The
 * atomics are for any thread to read.  Times are of the boot clock, in milliseconds, unless
 * the name says otherwise.
 */
#ifndef CORE_SERVER_FOLD_H
#define CORE_SERVER_FOLD_H

#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/histogram.h"
#include "core/base/mailbox.h"
#include "core/engine/engine.h"
#include "core/server/chore.h"

#include <stdatomic.h>

struct log;
struct sequencer;
struct state;

/* What to do about a log that cannot be read. */
#define FOLD_PUT_BACK "put back a copy of the whole data directory, made while kithd was stopped"

/* What may be durable and not applied yet: as much as the engine has lately done in FOLD_QUEUE_MS,
 * as after a kill all of it has to be done before anything else; and never more than this. */
#define FOLD_QUEUE_BYTES (64u << 20)
#define FOLD_QUEUE_MS 2000

/* A question to the engine.  `run` is called on the engine's thread between two entries,
 * `mail.handle` then on the loop with the job.  From the post until then the job is the fold's,
 * then the caller's again.  It cannot fail: `run` notes in `arg` what came of it. */
struct job {
    struct mail mail; /* first */
    void (*run)(struct engine *engine, void *arg);
    void *arg;
    uint64_t wanted; /* private: the entry whose checkpoint it waits for */
};

struct fold {
    struct engine *engine;
    struct state *state;
    struct log *log;
    struct sequencer *sequencer;
    struct mailbox inbox;      /* groups and jobs */
    struct mailbox checkpoint; /* nudged when something is frozen */
    struct chore_slot chore;   /* on the state, between two checkpoints */
    struct mailbox *loop;
    void (*wake_loop)(void *arg);
    void *arg;
    struct clock clock;
    bool is_stuck;          /* the engine: neither it nor what it changed may be used any more */
    uint64_t refused_seq;   /* this entry and all behind it are not applied; 0: there is none */
    int64_t dirty_since;    /* boot ms; -1: nothing to checkpoint */
    struct mail *waiting;   /* jobs that wait for a checkpoint, the last come first */
    int64_t forced_at;      /* boot ms of the last freeze that they caused; -1: none yet */
    _Atomic uint64_t shown; /* the last entry that a snapshot shows, if opened now */
    int64_t paced_at;       /* boot ms since when `paced_bytes` were applied; -1: no queue */
    size_t paced_bytes;
    struct err told; /* why the state's file could not be opened again */
    /* The engine is about to use this world, {code, config, ...}; NULL: nobody asks. */
    void (*meet_world)(void *arg, struct engine *engine, struct doc world);
    void *meet_arg;
    struct mail *follower; /* whom to tell, if is_followed */
    _Atomic bool is_followed;
    _Atomic bool is_full;    /* both buffers: waiting for a checkpoint; or the file is not open */
    _Atomic bool is_failing; /* the last checkpoint failed */
    _Atomic bool is_lost;    /* a checkpoint found that the file must be opened again */
    _Atomic bool is_compacting; /* the file is being copied: no checkpoint until it is replaced */
    _Atomic bool keeps_base; /* a dump of the last checkpoint is owed: no other until it is made */
    _Atomic bool is_behind;  /* what the log has cannot be applied at the moment */
    struct histogram apply, cut, lateness; /* groups, checkpoints, reminders; for metrics */
    _Atomic uint64_t failures;             /* of rules, in this run; for metrics */
    _Atomic size_t rules_paused, plugins_quarantined;
    _Atomic int64_t erasures_open, erasures_done, erasure_oldest_ms; /* read.h; for metrics */
    _Atomic uint64_t turns; /* of fold_run() and entries applied, for the watchdog */
};

void fold_deinit(struct fold *fold); /* its mailboxes */

/* Read from the log and apply up to `seq`; E_CORRUPT when the log cannot be read. At start. */
int fold_catch_up(struct fold *fold, uint64_t seq, struct err *err);

/* Handle one group or job.  Returns whether there was one; false also while both buffers
 * are full. */
bool fold_step(struct fold *fold);

/* Ask for a checkpoint if one is wanted now; `is_idle`: no input since CHECKPOINT_IDLE_MS. */
void fold_freeze_if_wanted(struct fold *fold, bool is_idle);

/* Cut a checkpoint now, also of entries that changed nothing; false: not while another one is being
 * written, or a verdict. */
bool fold_freeze(struct fold *fold);

void fold_run(struct fold *fold); /* the body of the engine's thread */
/* Write one checkpoint of what is frozen; false: it failed, and can be tried again. */
bool fold_checkpoint(struct fold *fold, struct err *err);
void fold_run_checkpoints(struct fold *fold); /* the body of the checkpoint thread */
bool fold_do_chore(struct fold *fold);        /* its chore; false: there was none */

/* Post a job (any thread). */
void fold_ask(struct fold *fold, struct job *job);

/* Have `mail.handle` called when a checkpoint holds everything that had been handed to the fold
 * before (any thread; the job has no `run` and came from malloc).  A checkpoint is made for it, at
 * most one in FORCED_PAUSE_MS for all who wait.  While none can be written it is not called; at the
 * end of fold_run() at the latest. */
void fold_await(struct fold *fold, struct job *job);

/* Have `mail->handle` called once, when an entry behind `seq` has been applied.  One may wait at a
 * time, on the loop's thread; the mail is the caller's, and posted no more often than asked for. */
void fold_follow(struct fold *fold, struct mail *mail, uint64_t seq);

#endif

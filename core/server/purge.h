/* purge.h -- what the engine has forgotten leaves the log and all files.
 *
 * The engine takes the rows of a customer who is erased (core/engine/erase.c) and tells of it.
 * From there on it is work on files, and this is its order:
 *
 *     phase     thread       what
 *     -------   ----------   -------------------------------------------------------------
 *     wait      engine       until a checkpoint holds that her rows are gone, and those of whoever
 *                            else is losing hers
 *     keep      checkpoint   that checkpoint is dumped to base/<seq>; her entries are read
 *     note      log          `world` names the dump: from here on a fold begins behind them
 *     rewrite   log          her entries become tombstones
 *     compact   log          the log's file is replaced by a copy of its rows, made in steps
 *     sweep     checkpoint   dumps that no world names are removed, and her files
 *     prepare   checkpoint   the same for the state's file: the copy ...
 *     swap      engine       ... and the replacement
 *     done      loop, log    what is kept besides, such as answers, is removed; erase.done:
 *                            nothing of her is in any file
 *
 * Rewriting and compacting are done in slices, between which groups are written: nobody who sends
 * events waits for more than one of them.
 *
 * Nothing of it is remembered outside of the log and the state.  After a crash, or a failure of
 * the disk, all begins again; what has been done already is found done.  Nothing that would be
 * folded again is ever touched: the order of keep, note and rewrite is what that rests on.
 *
 * All customers who wait go in one purge, and there is a pause of PURGE_PAUSE_MS between two: each
 * writes both files anew.  It belongs to the loop's thread; the work is done on the threads that
 * own the files (chore.h).
 */
#ifndef CORE_SERVER_PURGE_H
#define CORE_SERVER_PURGE_H

#include "core/base/clock.h"
#include "core/base/doc.h"
#include "core/base/err.h"

struct fold;
struct log;
struct purge;
struct sequencer;
struct state;

struct purge_held {
    struct err reason;
    bool is_failure; /* an attempt has ended with it; else it may pass in a moment */
};

struct purge_options {
    const char *dir; /* of the data */
    struct sequencer *sequencer;
    struct fold *fold;
    struct log *log;
    struct state *state;
    struct clock clock;
    struct doc code, config; /* of the world of this run */
    void (*wake)(void *arg); /* purge_tick() is to be called */
    void *wake_arg;
    /* node.h; NULL: nothing is kept besides */
    int (*forget)(void *arg, const uint64_t *customers, size_t count, struct err *err);
    int (*sweep)(void *arg, struct err *err); /* the same */
    void *forget_arg;
};

struct purge *purge_new(const struct purge_options *options);
void purge_free(struct purge *purge); /* NULL is allowed; nothing of it may be under way */

/* The run has begun, or somebody's rows are gone. */
void purge_start(struct purge *purge);
void purge_wanted(struct purge *purge);

/* Begin what is due.  Returns in how many ms to call again; -1: not before something happens. */
int64_t purge_tick(struct purge *purge);

/* No purge begins until it is released, as often as it was held; false: one is under way. */
bool purge_hold(struct purge *purge);
void purge_release(struct purge *purge);
/* The same for one who can bear nobody else that holds: false if anybody does, and until it is
 * released nobody can. */
bool purge_hold_alone(struct purge *purge);

/* The world is another from now on; borrowed. */
void purge_set_world(struct purge *purge, struct doc code, struct doc config);

/* Why those who were erased are in the files still: what held up the last attempt, or holds up this
 * one.  False: nothing does. */
bool purge_held(const struct purge *purge, struct purge_held *out_held);

/* Begin nothing more.  What a thread has taken already comes to its end. */
void purge_wind_down(struct purge *purge);

#endif

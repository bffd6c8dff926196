/* deliver.h -- effects out: claimed, decided, sent, their outcome recorded.
 *
 *     asked for --> claim posted --> claim applied --> channel --> outcome posted --> free
 *                        |                |no go
 *                        +-- not written -+--> free
 *
 * Nothing leaves before the claim has come back from the engine as a go, and the place
 * of an effect is kept until its outcome is in the log: an outcome that cannot be
 * written is written again until it can.  Each channel has its own window, so a dead
 * one delays no other.  All on the loop's thread.
 */
#ifndef CORE_SERVER_DELIVER_H
#define CORE_SERVER_DELIVER_H

#include "core/base/clock.h"
#include "core/server/channel.h"

struct err;
struct fold;
struct sequencer;
struct deliverer;

struct deliverer *deliver_new(struct sequencer *sequencer, struct fold *fold, struct clock clock);
void deliver_free(struct deliverer *deliverer); /* NULL is allowed */
void deliver_add_channel(struct deliverer *deliverer, const struct channel *channel);

/* This run's daemon.started, once applied: claims carry it.  Starts asking. */
void deliver_start(struct deliverer *deliverer, uint64_t run);

/* Claim nothing more; what is under way goes on to its outcome. */
void deliver_wind_down(struct deliverer *deliverer);

/* Reports of the engine, brought to the loop. */
void deliver_ready(struct deliverer *deliverer, struct text channel);
void deliver_go(struct deliverer *deliverer, struct text id, int64_t attempt, struct text channel,
                struct doc message);
void deliver_no_go(struct deliverer *deliverer, struct text id, struct text channel);

/* Time-outs and repetitions. Returns in how many ms it wants to be called again; -1: not. */
int64_t deliver_tick(struct deliverer *deliverer);

/* Channel number `i`, in the order in which they were added, and how long it took to answer;
 * NULL: there are not so many.  Any thread. */
struct histogram;
const struct histogram *deliver_channel(const struct deliverer *deliverer, size_t i,
                                        const char **out_name);

/* How many effects are under way. */
size_t deliver_pending(const struct deliverer *deliverer);

#endif

/* deliver.h -- effects out: claimed, decided, sent, their outcome recorded.
 *
 *     asked for --> claim posted --> claim applied --> channel --> outcome posted --> free
 *                        |                |no go
 *                        +-- not written -+--> free
 *
 * Nothing leaves before the claim has come back from the engine as a go, and the place
 * of an effect is kept until its outcome is in the log: an outcome that cannot be
 * written is written again until it can.  Each channel has its own window, so a dead
 * one delays no other; one that takes nothing, or is paused, is not claimed for.
 *
 * An attempt without an answer for CHANNEL_TIMEOUT_MS is uncertain.  Nothing here fails: what
 * cannot be written now is tried again by deliver_tick().  Texts and documents are borrowed for
 * a call.  All on the loop's thread.
 */
#ifndef CORE_SERVER_DELIVER_H
#define CORE_SERVER_DELIVER_H

#include "core/base/clock.h"
#include "core/outside/channel.h"

struct err;
struct fold;
struct sequencer;
struct deliverer;

/* Both must outlive the deliverer; deadlines go by the boot clock. */
struct deliverer *deliver_new(struct sequencer *sequencer, struct fold *fold, struct clock clock);
/* What is under way is forgotten, and nothing of it may come back any more. NULL is allowed. */
void deliver_free(struct deliverer *deliverer);
/* Before the start, at most 32, each name once.  It is copied; what it points to must live on. */
void deliver_add_channel(struct deliverer *deliverer, const struct channel *channel);

/* Before the start: who makes addresses of the `links` of a message that has some, just before its
 * channel gets it.  Copies the message into `out`; a failure is one of the attempt. */
typedef int deliver_link_fn(void *arg, struct text id, struct doc message, struct buf *out,
                            struct err *err);
void deliver_set_links(struct deliverer *deliverer, deliver_link_fn *make, void *arg);

/* `run` is the entry of this run's daemon.started, once applied: claims carry it.  Begin to ask. */
void deliver_start(struct deliverer *deliverer, uint64_t run);

/* Claim nothing more; what is under way goes on to its outcome. */
void deliver_wind_down(struct deliverer *deliverer);

/* Reports of the engine, brought to the loop: a channel has effects to claim; a claim was let
 * through, and the channel gets the message; it was not.  One that was not asked for is dropped. */
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

/* How the channels do, for metrics and lists; `index` counts from 0, false: there are no more. */
struct deliver_report {
    const char *name;
    struct channel_status status;
    bool is_paused;       /* as far as is known here */
    size_t under_way;     /* claimed and not yet answered */
    size_t waiting;       /* lines whose first message might be claimed, when last looked at */
    uint64_t outcomes[4]; /* attempts by enum outcome, since the start */
};
bool deliver_report(const struct deliverer *deliverer, size_t index,
                    struct deliver_report *out_report);

#endif

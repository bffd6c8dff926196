/* node.h -- the daemon without its edges: log, state, engine, sequencer, deliverer.
 *
 * A node is what the simulator drives in one thread and what kithd runs in four.  It
 * starts from whatever the last run left (docs/log.md, "Where it may die"), and from then
 * on takes submissions, answers questions, and has channels deliver.
 *
 * Except node_start_threads() and node_stop(), everything here that is not said to be
 * for any thread belongs to the loop's thread.  Words in an err are for the operator.
 */
#ifndef CORE_SERVER_NODE_H
#define CORE_SERVER_NODE_H

#include "core/base/clock.h"
#include "core/outside/channel.h"
#include "core/server/deliver.h"
#include "core/server/fold.h"
#include "core/server/sequencer.h"
#include "storage/log.h"
#include "storage/state.h"

struct breadcrumb_crash;
struct change;
struct err;
struct node;
struct plugins;
struct purge;

/* Texts and documents are borrowed for the node's life, channels are copied. */
struct node_options {
    const char *dir;                           /* DATA; log/ and state/ are made in it */
    size_t map_bytes;                          /* of each environment; 0 = 256 GiB */
    size_t log_quota_bytes, state_quota_bytes; /* 0: none */
    struct clock clock;
    log_random_fn *random;
    void *random_arg;
    struct doc code;   /* of the world: what this build computes with */
    struct doc config; /* of the world: what the operator configured */
    const char *boot;  /* names this run */
    bool rebuild;      /* fold the whole log anew */
    /* Plugins that ended the run before: each gets a verdict, before anything is replayed. */
    const struct breadcrumb_crash *blames;
    size_t blame_count;
    uint64_t refused_seq;    /* read-only: apply nothing from this entry on; 0: everything */
    struct plugins *plugins; /* NULL: none */
    bool takes_older; /* plugins too that cannot read what later versions of them have kept */
    const struct channel *channels;
    size_t channel_count;
    /* Makes rules of a bundle: engine_hooks.load_rules. */
    int (*load_rules)(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err);
    void *load_arg;
    void (*wake)(void *arg); /* any thread: the loop has something to do (node_step_loop) */
    void *wake_arg;
    /* Somebody is erased: remove what is kept besides log and state, in memory, in files, by
     * plugins. On the loop; when her rows are gone, before the files are written anew, where it is
     * known who they are, and again before erase.done.  An error is told and tried again.  NULL:
     * nothing is kept. */
    int (*forget)(void *arg, const uint64_t *customers, size_t count, struct err *err);
    /* The same where it takes the disk's time, when a checkpoint has her rows gone; on the thread
     * of the checkpoints.  NULL: there is nothing. */
    int (*sweep)(void *arg, struct err *err);
    void *forget_arg;
    /* A plugin was lost in the deterministic side, and is quarantined.  On the loop; NULL: nobody
     * looks after them. */
    void (*plugin_lost)(void *arg, struct text name, const char *why);
    void *plugin_arg;
};

/* Open or begin the data, write `world` (if it changed) and `daemon.started`.  What the log has
 * beyond the state is not applied yet: node_is_ready() tells when it is.
 * E_BUSY: another daemon has the data; E_VERSION; E_CORRUPT; E_CONFLICT: the state is ahead
 * of its log, or a plugin could not read what is in it; E_IO, E_FULL; E_INVALID: rules or
 * configuration that are in force do not load.
 * After a failure nothing is open. */
int node_open(const struct node_options *options, struct node **out_node, struct err *err);

/* The end is near: begin nothing new.  No effect is claimed, no timer fires, nothing is appended
 * for other customers, or rules that answer what they cause would keep the daemon for ever; all of
 * it is in the state and goes on at the next start.  What is under way comes to its end. */
void node_wind_down(struct node *node);

/* Wind down, stop the threads, apply what is in the log, write a checkpoint and close.  What still
 * waits for an answer gets none.  NULL is allowed. */
void node_close(struct node *node);

/* Threads of log writer, engine and checkpoints. */
void node_start_threads(struct node *node);
clockid_t node_engine_cpu(
    const struct node *node);              /* what the engine's, which runs, has computed */
void node_stop_threads(struct node *node); /* what was posted is finished first */

/* Deliver what other threads have for the loop.  Returns whether there was anything. */
bool node_step_loop(struct node *node);

/* Begin what is due: deliveries, purges.  Returns in how many ms to call again; -1: not before
 * something happens. */
int64_t node_tick(struct node *node);

/* Whether this run's daemon.started has been applied. Any thread. */
bool node_is_ready(struct node *node);

/* The entry that ends whoever applies it, and which is therefore not applied; 0: there is none.
 * From such a start on nothing is written but verdicts on entries before it: nothing is let in, no
 * timer fires, no run is opened, so that nothing goes out and node_is_ready() stays false.  What
 * the engine knows up to there can be read.  Any thread. */
uint64_t node_refused_seq(const struct node *node);

/* 0, or why nothing can be taken in now: E_FULL, E_IO, E_CORRUPT with words for /readyz and the
 * 503. Any thread. */
int node_health(struct node *node, struct err *err);

/* Parts, for those who drive or ask them; they live as long as the node. */
struct sequencer *node_sequencer(struct node *node);
struct fold *node_fold(struct node *node);
struct deliverer *node_deliverer(struct node *node);
struct purge *node_purge(struct node *node);
struct change *node_change(struct node *node);
struct log *node_log(struct node *node);
struct state *node_state(struct node *node);

#endif

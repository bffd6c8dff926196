/* engine.h -- the deterministic function from the log to the state.
 *
 * engine_apply() folds one entry into the state and reports what the world outside
 * must now do.  Same entries, same worlds: same state, byte for byte, in any
 * process, whatever was restarted in between.  So nothing below this header has a
 * clock, randomness, I/O, threads, or an order that depends on addresses; what a
 * result depends on is the state, the entry, the world and the bundle.
 *
 * One thread owns the engine and its state.
 */
#ifndef CORE_ENGINE_ENGINE_H
#define CORE_ENGINE_ENGINE_H

#include "core/base/doc.h"
#include "core/engine/event.h"
#include "storage/log.h"

struct engine;
struct err;
struct plugins;
struct ruleset;
struct state;
struct config;

#define ENGINE_LEVEL 11 /* raised whenever this code would compute something different */

/* What the engine asks of its surroundings.  All are called inside engine_apply(),
 * on its thread.  `arg` is the engine_options' own. */
struct engine_hooks {
    /* Look-ups in the log environment; E_NOTFOUND when absent. */
    int (*verdict)(void *arg, uint64_t at_seq, struct buf *out);
    int (*blob)(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out, struct err *err);
    /* Make rules of a bundle.  The ruleset is the engine's until ruleset_free. */
    int (*load_rules)(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err);

    /* Reports.  They come for entries of this run only (after its daemon.started),
     * never for a replay.  Documents are borrowed for the call. */
    void (*ready)(void *arg, struct text channel); /* an effect may be claimed */
    void (*go)(void *arg, struct text id, int64_t attempt, struct text channel, struct doc message);
    void (*no_go)(void *arg, struct text id, struct text channel);    /* the claim was refused */
    void (*outgoing)(void *arg, struct text id, struct doc envelope); /* to be appended */
    /* A reminder that was due at `due` is told of at log time `now`; NULL: nobody measures. */
    void (*reminded)(void *arg, int64_t due, int64_t now);
    /* Nothing of a customer who was erased is left in the state: the log and the files are next.
     * Until her erase.done is applied this comes again at the start of each run.  NULL: nobody
     * listens. */
    void (*erased)(void *arg);
    /* A plugin was lost at this entry, and is quarantined: how, for people.  NULL: nobody listens.
     */
    void (*plugin_lost)(void *arg, struct text name, const char *why);
    /* In a replay a plugin was lost at this entry, in every process that was tried, and no verdict
     * says so.  Whether the entry was applied before, so that one would.  NULL: it was not. */
    bool (*was_applied)(void *arg, uint64_t seq);
    /* Also of a replay: {rules, plugins}, all that is known of this entry.  It must be in the log
     * before a claim of any effect reported from now on. */
    void (*verdict_made)(void *arg, uint64_t at_seq, struct doc verdict);
};

struct engine_options {
    struct state *state;
    struct plugins *plugins; /* NULL: none */
    const struct engine_hooks *hooks;
    void *arg;
};

/* Read where the state stands.  Loads the active bundle. */
int engine_open(const struct engine_options *options, struct engine **out_engine, struct err *err);
void engine_close(struct engine *engine); /* NULL is allowed */

/* The world under which the next entries are folded: `seq` of its entry (0: none yet), its
 * code and config.  The caller looks it up before each entry (docs/log.md, "The world") and
 * calls this when it changes.  E_INVALID: the config cannot be read. */
int engine_set_world(struct engine *engine, uint64_t seq, struct doc world, struct err *err);
uint64_t engine_world(const struct engine *engine);

/* What an entry led to, for whoever sent it. */
enum engine_status {
    ENGINE_DONE = 0,      /* applied */
    ENGINE_DUPLICATE = 1, /* its id was known: no effect */
    ENGINE_REFUSED = 2,   /* kept in the log, no effect: `reason` says why */
    ENGINE_STUCK = 3,     /* a replay cannot go on (was_applied()): `reason` says why */
};
struct engine_result {
    enum engine_status status;
    int code; /* of a refusal: E_* */
    char reason[200];
    uint64_t customer; /* the subject; 0: none */
    uint64_t task;     /* the reminder made or changed; 0: none */
    uint64_t record;   /* the number of the record made or changed; 0: none */
    bool is_made;      /* that record was not there before */
    uint64_t next;     /* the reminder that follows the one that is done; 0: none */
};

/* Apply the entry engine_seq() + 1.  Always succeeds: an entry that makes no sense is kept
 * without effect.  But if a replay is stuck (ENGINE_STUCK) neither the engine nor what its state
 * has in memory may be used any more: whoever wants to go on opens them again. */
void engine_apply(struct engine *engine, const struct log_entry *entry,
                  struct engine_result *out_result);

uint64_t engine_seq(const struct engine *engine); /* last applied */
/* How many times a rule has failed since engine_open(). */
uint64_t engine_failures(const struct engine *engine);
int64_t engine_now(const struct engine *engine); /* its `logged` */

/* When the next tick is wanted: INT64_MAX never; not after now: at once. */
int64_t engine_next_due(struct engine *engine);

/* This run's daemon.started is entry `seq`: reports begin behind it, and what still lies in
 * `outgoing` is reported at it.  0: no reports. */
void engine_set_live(struct engine *engine, uint64_t seq);

/* Up to `count_max` effects of `channel` that may be claimed, the oldest first, with the number
 * that their next attempt has.  None while the channel is paused. */
struct ready_effect {
    char id[EVENT_ID_TEXT_MAX];
    int64_t attempt;
    int64_t print; /* of what it is; claims and outcomes carry it */
};
size_t engine_ready(struct engine *engine, struct text channel, struct ready_effect *out_effects,
                    size_t count_max);

/* The print of an effect, for an entry that names it; false: no effect has the id. */
bool engine_effect_print(struct engine *engine, struct text id, int64_t *out_print);

/* How many effects of `channel` are the first of their line and not under way, counted up to
 * `count_max`: as many lines wait for the channel, or for their own next attempt no longer. */
size_t engine_waiting(struct engine *engine, struct text channel, size_t count_max);
#define CHANNEL_ALL "*" /* where a channel is named: all of them */
bool engine_is_paused(struct engine *engine, struct text channel); /* itself, or all */

const struct ruleset *engine_rules(const struct engine *engine);
const struct config *engine_config(const struct engine *engine);
struct state *engine_state(struct engine *engine);

#endif

/* rehearsal.h -- the engine without a log: what entries would lead to, in memory.
 *
 * A second engine folds entries over the last checkpoint of a state, and whatever it writes is gone
 * at the end (state_open_over()).  What the daemon's other parts would add to the log is added
 * here: events that rules send to other customers, ticks, claims, and outcomes of a channel that
 * sends everything at once.  A dry run of an import and the tests of scripts are rehearsals, so
 * that neither has an idea of its own of what the daemon does.
 *
 * Memory: what the entries change; whoever has one looks at rehearsal_is_full() between two.  The
 * pages of the checkpoint cannot be used again meanwhile: bound its life.
 *
 * Threads: any, one after the other; the rehearsal is then its engine's.
 */
#ifndef CORE_ENGINE_REHEARSAL_H
#define CORE_ENGINE_REHEARSAL_H

#include "core/engine/engine.h"

struct rehearsal;

struct rehearsal_options { /* all borrowed for the life of the rehearsal */
    struct state *base;
    struct plugins *plugins; /* NULL: none */
    size_t bytes_max;
    /* As in engine_hooks. */
    int (*blob)(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out, struct err *err);
    int (*load_rules)(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err);
    void *arg;
    bool keeps_entries; /* for rehearsal_timeline() */
};

/* E_IO: the state is not readable at the moment; else why the rules in force do not load. */
int rehearsal_open(const struct rehearsal_options *options, struct rehearsal **out_rehearsal,
                   struct err *err);
void rehearsal_close(struct rehearsal *rehearsal); /* before the base is closed; NULL is allowed */

struct engine *rehearsal_engine(struct rehearsal *rehearsal); /* which is the rehearsal's */
bool rehearsal_is_full(const struct rehearsal *rehearsal);

/* Fold an entry with the next number, at `logged` or at the log's time if that is later; then what
 * it sends to other customers, and what that sends, while there is room.  A `world` is put in force
 * first: E_INVALID. */
int rehearsal_fold(struct rehearsal *rehearsal, enum log_class class, struct doc body,
                   int64_t logged, struct engine_result *out_result, struct err *err);

/* If something falls due by `until`, go there and fold the tick; false: nothing does. */
bool rehearsal_tick(struct rehearsal *rehearsal, int64_t until);

/* Claim what waits for `channel`, up to REHEARSAL_CLAIMS, and report it as sent; false: nothing
 * waits.  An outcome of what the arbiter has refused changes nothing. */
#define REHEARSAL_CLAIMS 64
bool rehearsal_send(struct rehearsal *rehearsal, struct text channel, int64_t logged);

/* -- What came of it: of the customer `number` and all merged into her, or, number 0, of nobody's
 *    events, in order.  Fields as in read.h. */

/* {items: [...]}.  With keeps_entries; the oldest first.  E_NOTFOUND. */
int rehearsal_timeline(struct rehearsal *rehearsal, uint64_t number, size_t limit, struct buf *out,
                       struct err *err);
void rehearsal_effects(struct rehearsal *rehearsal, uint64_t number, struct buf *out);
void rehearsal_reminders(struct rehearsal *rehearsal, uint64_t number, struct buf *out);
void rehearsal_records(struct rehearsal *rehearsal, uint64_t number, struct buf *out);

/* The data of the first rule.failed or plugin.failed since the base: {rule, message, traceback} or
 * {plugin, handler, message}; false: there is none. */
bool rehearsal_failure(struct rehearsal *rehearsal, struct buf *out);

#endif

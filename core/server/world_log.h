/* world_log.h -- the worlds that the log knows: which one was last, and a new one.
 *
 * docs/log.md, "The world", is the rule this follows.  One thread, between two commits.
 */
#ifndef CORE_SERVER_WORLD_LOG_H
#define CORE_SERVER_WORLD_LOG_H

#include "core/server/base.h"

struct world_wanted {
    const char *dir;         /* of the data: where a base is kept */
    struct state *state;     /* as its last checkpoint stands */
    struct doc code, config; /* of this run */
    bool rebuild;            /* the state has been emptied, to be folded anew by this code */
};

/* Add what `wanted` needs to the group of `log`: nothing, or one or two `world` entries with
 * the time `logged`; before one for new code the state is kept as a base.  The caller
 * commits.  E_IO, E_FULL, E_CORRUPT. */
int world_note(struct log *log, const struct world_wanted *wanted, int64_t logged, struct err *err);

/* Whether the last world in the log is of this code.  E_IO, E_CORRUPT. */
int world_is_of(struct log *log, struct doc code, bool *out_is_same, struct err *err);

/* The bases that the last world names.  `base`: where a fold by the present code begins.  `floor`:
 * where any fold begins, because entries before it were erased; empty when none were. */
int world_base(struct log *log, struct base *out_base, struct base *out_floor, struct err *err);

/* Type and data of a `world` entry, into an open document. */
void world_put(struct doc_writer *w, struct doc code, struct doc config, const struct base *base,
               const struct base *floor);

/* By which the blocks of the log tell under which world they were written. */
uint64_t world_mark(struct doc code, struct doc config);

#endif

/* refold.h -- folding a log anew beside the state, to see whether they agree.
 *
 * What `kith verify` and the simulator rely on: the same entries under the same
 * worlds give the same bytes.
 *
 * Takes as long as the log is, and needs the log for reading only: any thread, which then has
 * `state` to itself.
 */
#ifndef CORE_SERVER_REFOLD_H
#define CORE_SERVER_REFOLD_H

#include "core/engine/engine.h"

struct log;
struct state;

struct refold_options {
    struct log *log;
    struct state *state;     /* where to fold to: goes on behind what it has applied */
    uint64_t seq;            /* up to and with this entry */
    struct plugins *plugins; /* NULL: none */
    int (*load_rules)(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err);
    void *load_arg;
};

/* Ends with a checkpoint.  Nothing is dispatched and nothing appended.  E_CORRUPT: the log cannot
 * be read; E_IO, E_FULL: `state` cannot be written; E_BUSY: a plugin was lost again and again,
 * where its daemon did not lose it; else why rules of the log do not load. */
int refold(const struct refold_options *options, struct err *err);

#endif

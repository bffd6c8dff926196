/* chore.h -- a piece of work that has to be done on the thread that owns what it touches.
 *
 * The log is rewritten where it is written, the state is copied where its checkpoints are made.
 * Each of these threads takes one chore at a time, between two of its own steps.  `run` is called
 * there; then `mail.handle` on the loop, with the chore.  Until then it belongs to that thread.
 */
#ifndef CORE_SERVER_CHORE_H
#define CORE_SERVER_CHORE_H

#include "core/base/mailbox.h"

#include <stdatomic.h>

struct chore {
    struct mail mail; /* first */
    void (*run)(struct chore *chore);
};

/* Where a thread looks for its chore. */
struct chore_slot {
    struct chore *_Atomic chore;
};

/* Any thread; the caller wakes the one that is to do it. */
static inline void chore_give(struct chore_slot *slot, struct chore *chore)
{
    atomic_store(&slot->chore, chore);
}

/* NULL: there is none, or somebody has taken it. */
static inline struct chore *chore_take(struct chore_slot *slot)
{
    return atomic_exchange(&slot->chore, NULL);
}

#endif

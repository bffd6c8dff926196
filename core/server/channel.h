/* channel.h -- what delivers: a line in a file, an e-mail, a call.
 *
 * A channel gets a message that the arbiter has let through and says, now or later,
 * what became of it.  It runs on the loop and must not block it.
 */
#ifndef CORE_SERVER_CHANNEL_H
#define CORE_SERVER_CHANNEL_H

#include "core/base/doc.h"

enum outcome {
    OUTCOME_SENT,      /* the provider has it */
    OUTCOME_REJECTED,  /* it will never take it */
    OUTCOME_FAILED,    /* not this time: try again later */
    OUTCOME_UNCERTAIN, /* nobody knows */
};

/* Answer an attempt; any number of times: the first counts. `detail` may be empty. */
struct deliverer;
void deliver_answer(struct deliverer *deliverer, struct text id, int64_t attempt,
                    enum outcome outcome, struct text detail);

struct channel {
    const char *name;
    bool needs_address;
    bool is_idempotent;
    void *self;
    /* Begin one attempt; `message` is borrowed for the call.  The answer may come from inside. */
    void (*send)(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                 struct doc message);
};

#endif

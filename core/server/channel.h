/* channel.h -- what delivers: a line in a file, an e-mail, a call.
 *
 * A channel gets a message that the arbiter has let through and says, now or later,
 * what became of it.  It runs on the loop and must not block it.  One that never answers is
 * not waited for longer than CHANNEL_TIMEOUT_MS: the attempt is then uncertain.
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

/* Answer an attempt; any number of times: the first counts, and a certain answer that comes too
 * late is recorded all the same.  `detail` is for people, may be empty and is borrowed for the
 * call.  On the loop. */
struct deliverer;
void deliver_answer(struct deliverer *deliverer, struct text id, int64_t attempt,
                    enum outcome outcome, struct text detail);

struct channel {
    const char *name;   /* lives as long as the channel */
    bool needs_address; /* without one the arbiter rejects the message */
    bool is_idempotent; /* the receiver drops a repeated id: doubt is resolved by sending again */
    void *self;
    /* Begin one attempt; `message` is borrowed for the call.  The answer may come from inside. */
    void (*send)(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                 struct doc message);
};

#endif

/* channel.h -- what delivers: a line in a file, an e-mail, a call.
 *
 * A channel gets a message that the arbiter has let through and says, now or later,
 * what became of it.  It runs on the loop and must not block it.  One that never answers is
 * not waited for longer than CHANNEL_TIMEOUT_MS: the attempt is then uncertain.
 *
 * It also says how much it takes: nothing while its receiver is known not to answer.  What
 * is not claimed costs no attempt, and waits in the state.  Each channel has a window and a
 * queue of its own, so that whatever one of them does delays no other.
 */
#ifndef CORE_OUTSIDE_CHANNEL_H
#define CORE_OUTSIDE_CHANNEL_H

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
/* The same with OUTCOME_FAILED, and the next attempt not before `wait_ms` have passed. */
void deliver_answer_later(struct deliverer *deliverer, struct text id, int64_t attempt,
                          struct text detail, int64_t wait_ms);

/* Claim nothing more for the channel until a person resumes it, in this run or a later one:
 * written into the log with `reason`.  What is under way goes on. */
void deliver_pause(struct deliverer *deliverer, const char *channel, struct text reason);

enum channel_circuit {
    CIRCUIT_CLOSED,    /* all is well */
    CIRCUIT_OPEN,      /* the receiver fails: it is left alone for a while ... */
    CIRCUIT_HALF_OPEN, /* ... and then tried with one message */
};

const char *channel_circuit_name(enum channel_circuit circuit);

struct channel_status {
    size_t window;   /* how many messages may be under way at once, now */
    int64_t wait_ms; /* window 0: ask again in so long */
    enum channel_circuit circuit;
    size_t failures;    /* in a row */
    const char *target; /* for people, without secrets; NULL: nothing to say */
};

struct channel {
    const char *name;   /* lives as long as the channel */
    bool needs_address; /* without one the arbiter rejects the message */
    bool is_idempotent; /* the receiver drops a repeated id: doubt is resolved by sending again */
    int64_t timeout_ms; /* an answer later than this is not waited for; 0: CHANNEL_TIMEOUT_MS */
    void *self;
    /* Begin one attempt; `message` is borrowed for the call.  The answer may come from inside. */
    void (*send)(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                 struct doc message);
    /* How it does.  NULL: it always takes CHANNEL_WINDOW. */
    void (*status)(void *self, struct channel_status *out_status);
};

#endif

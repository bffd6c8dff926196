/* breaker.h -- leaving a receiver alone that does not answer.
 *
 *                  FAILURES in a row                 the rest is over
 *     closed ---------------------------> open ------------------------> half-open
 *       ^                                  ^                                 |
 *       |                                  +----- fails: rests twice as long +
 *       +-------------------------------------------------------- answers ---+
 *
 * A receiver may also say itself how long it wants to be left alone (Retry-After): that is a
 * hold, no failure, and the circuit stays as it is.
 *
 * Times are of a clock that is never set.  Nothing here reads one.
 */
#ifndef PLUGINS_WEBHOOK_BREAKER_H
#define PLUGINS_WEBHOOK_BREAKER_H

#include "kith.h"

#define BREAKER_FAILURES 5                /* in a row open it */
#define BREAKER_REST_MS_MAX (5 * 60000ll) /* unless the first rest is longer */

struct breaker {
    int64_t rest_ms;  /* the first rest; each further one is twice as long */
    size_t failures;  /* in a row */
    int64_t rest_now; /* the present rest; 0: closed */
    int64_t rest_until;
    int64_t hold_until;
};

void breaker_init(struct breaker *breaker, int64_t rest_ms);
void breaker_answered(struct breaker *breaker);
void breaker_failed(struct breaker *breaker, int64_t now);
/* Leave it alone for `wait_ms`. */
void breaker_hold(struct breaker *breaker, int64_t now, int64_t wait_ms);

/* Fill in circuit, failures, window (`full`, 1 or 0) and wait_ms. */
void breaker_status(const struct breaker *breaker, int64_t now, size_t full,
                    struct kith_channel_status *out_status);

#endif

/* limiter.h -- how often a key may call: a bucket of tokens for each.
 *
 * A call takes a token, and they come back at the rate; what the bucket holds is how many calls
 * may come at once.  Buckets are found by the key's name and begin full.  There is room for a
 * fixed number of them: when it runs out, the one that is fullest makes room, so a stranger can
 * at most give a key more than it is due.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_LIMITER_H
#define CORE_SERVER_LIMITER_H

#include "core/base/doc.h"
#include "core/base/rate.h"

struct limiter;

struct limiter *limiter_new(void);
void limiter_free(struct limiter *limiter); /* NULL is allowed */

/* Take a token of `name` at `now_ms` (of a clock that is never set): 0, or after how many
 * seconds there will be one. */
int64_t limiter_take(struct limiter *limiter, struct text name, const struct rate *rate,
                     int64_t now_ms);

#endif

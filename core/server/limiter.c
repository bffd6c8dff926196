/* limiter.c -- see limiter.h.
 *
 * A bucket is kept as what is missing from it, in milliseconds of its own rate: nothing has to
 * be refilled, and a bucket that has been idle is full by subtraction.
 */
#include "core/server/limiter.h"

#include "core/base/hash.h"
#include "core/base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

#define PLACES 1024u /* a power of two */
#define PROBES 8u
#define SLACK_MS 0.001 /* what adding tokens one by one may be off */

struct bucket {
    uint64_t name;   /* its hash; 0: free */
    double empty_ms; /* how long it would take to fill, as of `at` */
    int64_t at;
};

struct limiter {
    struct bucket buckets[PLACES];
};

struct limiter *limiter_new(void)
{
    return mem_zero(sizeof(struct limiter));
}

void limiter_free(struct limiter *limiter)
{
    free(limiter);
}

static double missing_ms(const struct bucket *bucket, int64_t now_ms)
{
    double left = bucket->empty_ms - (double)(now_ms - bucket->at);
    return left > 0 ? left : 0;
}

static struct bucket *bucket_of(struct limiter *limiter, struct text name, int64_t now_ms)
{
    uint64_t hash = hash64(name.data, name.size) | 1;
    struct bucket *best = &limiter->buckets[(hash >> 1) & (PLACES - 1)];
    for (uint64_t i = 0; i < PROBES; i++) {
        struct bucket *bucket = &limiter->buckets[((hash >> 1) + i) & (PLACES - 1)];
        if (bucket->name == hash)
            return bucket;
        if (missing_ms(bucket, now_ms) < missing_ms(best, now_ms))
            best = bucket;
    }
    *best = (struct bucket){ .name = hash, .at = now_ms };
    return best;
}

int64_t limiter_take(struct limiter *limiter, struct text name, const struct rate *rate,
                     int64_t now_ms)
{
    if (rate->count == 0)
        return 0;
    struct bucket *bucket = bucket_of(limiter, name, now_ms);
    double token_ms = (double)rate->period_ms / (double)rate->count;
    double missing = missing_ms(bucket, now_ms), most = token_ms * (double)rate->burst;
    if (missing > most) /* the rate was another when it was filled */
        missing = most;
    double wait_ms = missing + token_ms - most;
    bool is_refused = wait_ms > SLACK_MS;
    bucket->at = now_ms;
    bucket->empty_ms = is_refused ? missing : missing + token_ms;
    return is_refused ? 1 + (int64_t)((wait_ms - SLACK_MS) / 1000) : 0;
}

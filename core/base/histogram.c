/* histogram.c -- see histogram.h. */
#include "core/base/histogram.h"

#define FIRST_NS 16000

int64_t histogram_edge_ns(size_t bucket)
{
    return bucket < HISTOGRAM_BUCKETS - 1 ? (int64_t)FIRST_NS << (2 * bucket) : INT64_MAX;
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
    size_t bucket = 0;
    if (ns < 0)
        ns = 0;
    while (ns > histogram_edge_ns(bucket))
        bucket++;
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_ns, ns, memory_order_relaxed);
}

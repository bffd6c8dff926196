/* histogram.h -- durations counted by size, by one thread for another to read.
 *
 * Buckets are powers of four from 16 us on: twelve of them reach a minute, and a ratio of four
 * is as fine as any alarm needs.  Counting is two additions without a lock, so it may stand on
 * the paths it measures.  What a reader sees is at most one observation apart from itself.
 *
 * Any thread counts, any thread reads.
 */
#ifndef CORE_BASE_HISTOGRAM_H
#define CORE_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 13 /* 16 us x 4^0 ... 4^11 = 67 s, and beyond */

struct histogram {                               /* all zero: nothing counted yet */
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS]; /* each alone, not cumulated */
    _Atomic int64_t sum_ns;
};

/* A duration below zero counts as none. */
void histogram_add(struct histogram *histogram, int64_t ns);

/* The upper edge of a bucket, which belongs to it; INT64_MAX: the last one has none. */
int64_t histogram_edge_ns(size_t bucket);

#endif

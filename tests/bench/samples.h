/* samples.h -- measured durations and their percentiles.
 *
 * Every sample is kept: percentiles of a benchmark that lasts a minute are worth their
 * exact value.  One thread.
 */
#ifndef TESTS_BENCH_SAMPLES_H
#define TESTS_BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    int64_t *ns;
    size_t count, capacity;
};

void samples_deinit(struct samples *samples);
void samples_add(struct samples *samples, int64_t ns);

/* "name  p50 N us  p99 N us  max N us  (count)", as bench.py reads it.  Sorts them. */
void samples_print(struct samples *samples, const char *name);

#endif

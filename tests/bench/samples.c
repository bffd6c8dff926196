/* samples.c -- see samples.h. */
#include "tests/bench/samples.h"

#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

void samples_deinit(struct samples *samples)
{
    free(samples->ns);
    *samples = (struct samples){ 0 };
}

void samples_add(struct samples *samples, int64_t ns)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity != 0 ? 2 * samples->capacity : 4096;
        samples->ns = mem_resize(samples->ns, samples->capacity * sizeof *samples->ns);
    }
    samples->ns[samples->count++] = ns;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The smallest sample that at least `part` of them do not exceed, in microseconds. */
static double percentile_us(const struct samples *samples, double part)
{
    double rank = part * (double)samples->count;
    size_t index = (size_t)rank;
    if ((double)index == rank && index != 0)
        index--;
    return (double)samples->ns[index] / 1000.0;
}

void samples_print(struct samples *samples, const char *name)
{
    if (samples->count == 0) {
        printf("%-24s no samples\n", name);
        return;
    }
    qsort(samples->ns, samples->count, sizeof *samples->ns, compare);
    printf("%-24s p50 %.1f us  p99 %.1f us  max %.1f us  (%zu)\n", name,
           percentile_us(samples, 0.5), percentile_us(samples, 0.99),
           (double)samples->ns[samples->count - 1] / 1000.0, samples->count);
    fflush(stdout);
}

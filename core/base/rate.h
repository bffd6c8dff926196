/* rate.h -- how often, as admins write it: "10/s", "600/min", "5000/h".
 *
 * Pure; any thread.
 */
#ifndef CORE_BASE_RATE_H
#define CORE_BASE_RATE_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define RATE_COUNT_MAX 1000000

struct rate {
    uint32_t count;     /* 0: as often as one likes */
    uint32_t period_ms; /* in which that many */
    uint32_t burst;     /* how many at once; unless said otherwise those of one period */
};

/* Read `size` bytes, all of them, and set the burst to the count.  E_INVALID. */
int rate_parse(const char *text, size_t size, struct rate *out_rate, struct err *err);

#endif

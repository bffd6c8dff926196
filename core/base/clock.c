/* clock.c -- the machine's clocks; see clock.h. */
#include "core/base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t wall_ms(void *arg)
{
    (void)arg;
    return read_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t boot_ms(void *arg)
{
    (void)arg;
    return read_ns(CLOCK_BOOTTIME) / 1000000;
}

struct clock clock_machine(void)
{
    return (struct clock){ wall_ms, boot_ms, NULL };
}

int64_t clock_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

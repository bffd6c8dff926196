/* clock.h -- the two clocks of the outside world, behind functions.
 *
 * The daemon uses the machine's; the simulator passes its own.  Code that decides
 * anything by time takes a `struct clock`; the engine takes none at all.
 *
 * A clock is copied freely; what its `arg` points to must outlive the copies.  Its functions
 * cannot fail and, like everything here, may be called from any thread.
 */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(void *arg); /* since 1970 UTC; may be set back and forward */
    int64_t (*boot_ms)(void *arg); /* since some point; never set, runs while the machine sleeps */
    void *arg;
};

struct clock clock_machine(void);

/* Monotonic nanoseconds, for measuring only: no decision may depend on them. */
int64_t clock_ns(void);

#endif

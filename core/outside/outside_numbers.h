/* outside_numbers.h -- how often a plugin is called and calls, for how long, and in vain.
 *
 * Written by the thread that makes the call, read by any: numbers are only added to.
 */
#ifndef CORE_OUTSIDE_OUTSIDE_NUMBERS_H
#define CORE_OUTSIDE_OUTSIDE_NUMBERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define OUTSIDE_WORKS_SHOWN 8 /* a plugin has fewer threads; more are left by those that hang */

enum outside_call {
    /* of the plugin's functions, by the host */
    CALL_START,
    CALL_STOP,
    CALL_SEND,
    CALL_STATUS,
    CALL_ROUTE,
    CALL_JOB,
    CALL_TIMER,
    CALL_SOCKET,
    CALL_WORK,
    CALL_DONE,
    CALL_ERASED,
    CALL_REREAD,
    /* of the host's, by the plugin */
    CALL_APPEND,
    CALL_ASK,
    CALL_FETCH,
    CALL_SET_TIMER,
    CALL_WATCH,
    CALL_LISTEN,
    CALL_GIVE_WORK,
    CALL_FILE_READ,
    CALL_FILE_WRITE,
    CALL_DELIVER,
    CALL_PAUSE,
    CALL_REPLY,
    CALL_COUNT,
    CALL_TO_JSON,
    CALL_FROM_JSON,
    CALL_FROM_FORM,
    CALL_HMAC,
    OUTSIDE_CALLS,
};

/* "send", "append": for a label. */
const char *outside_call_name(enum outside_call call);

struct outside_numbers {
    atomic_uint_fast64_t calls[OUTSIDE_CALLS];
    atomic_uint_fast64_t failures[OUTSIDE_CALLS]; /* of those that can fail */
    atomic_uint_fast64_t nanoseconds[OUTSIDE_CALLS];
    atomic_uint_fast64_t slow; /* calls that held up the loop for PLUGIN_SLOW_MS */
    /* Works on threads: since when, boot ms; 0: a free place.  Those of an outside that is over and
     * did not end count on. */
    _Atomic int64_t works[OUTSIDE_WORKS_SHOWN];
};

/* How many works are on threads, and how long the oldest is, at `now` (boot ms). */
size_t outside_works_count(const struct outside_numbers *numbers, int64_t now, int64_t *out_oldest);

#endif

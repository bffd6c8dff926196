/* timekeeper.h -- which time the log writes.
 *
 * Log time never goes back and never leaps: timers, deadlines and reminders hang on it,
 * and a wrong wall clock that fired a year of them could not be undone.
 *
 *     the wall clock is ...                       log time is ...
 *     behind the last entry                       that of the last entry: it waits
 *     ahead of last entry + elapsed by little     the wall clock
 *     ahead of it by more than CLOCK_JUMP_MS      the last entry's + 1: it stands, until the
 *                                                 clock comes back or somebody accepts it
 *
 * At a start nobody knows how long the daemon was away: there the bound is CLOCK_GAP_MS.
 * A log in which nothing from outside has happened yet has time 0, so that an import of
 * the past may begin where its data do.  One thread.
 */
#ifndef CORE_SERVER_TIMEKEEPER_H
#define CORE_SERVER_TIMEKEEPER_H

#include "core/base/clock.h"

#include <stdbool.h>

struct timekeeper {
    struct clock clock;
    int64_t last;        /* logged of the last entry; 0: log time has not begun */
    int64_t anchor_boot; /* boot clock when time last moved; -1: in an earlier run */
    bool is_standing;    /* the wall clock is further ahead than can be explained */
    bool is_set_back;    /* it is more than CLOCK_JUMP_MS behind the last entry */
};

void timekeeper_init(struct timekeeper *keeper, struct clock clock, int64_t last);

/* The time an entry would get now.  Changes only `is_standing` and `is_set_back`. */
int64_t timekeeper_now(struct timekeeper *keeper);

/* An entry was written with this time. */
void timekeeper_wrote(struct timekeeper *keeper, int64_t logged);

/* What an operator is told of the one or the other; NULL: nothing. */
const char *timekeeper_reason(bool is_standing, bool is_set_back);

/* From the next entry on the wall clock counts, however far it leapt. */
void timekeeper_accept(struct timekeeper *keeper);

#endif

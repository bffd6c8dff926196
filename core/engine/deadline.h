/* deadline.h -- when something must be done: by where it began, how long, calendar and pauses.
 *
 * Nothing of a deadline is kept that could not be worked out again: whenever the rule, the calendar
 * or a pause changes, the same function gives the new moment from the same beginning.
 *
 * A pause keeps what was left: of working time so much open time of the calendar, of days and
 * longer so much of the clock on the calendar's wall, of hours and shorter so much time.
 *
 * Instants are milliseconds since 1970 UTC.  Pure; any thread.
 */
#ifndef CORE_ENGINE_DEADLINE_H
#define CORE_ENGINE_DEADLINE_H

#include "core/base/duration.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct workweek;

struct deadline_rule {
    struct duration due;
    int at_minute; /* of the day, for d, w, mo, y and wd; -1: not said */
    const struct workweek *week;
};

/* It waited from `from` until `until`; INT64_MAX: it still does. */
struct deadline_pause {
    int64_t from, until;
};

struct deadline_due {
    bool is_paused;
    int64_t due;     /* unless it is paused */
    int64_t left_ms; /* while it is: open time, time on the wall or time, as the rule counts */
};

/* `pauses` in order, one behind the other.  E_LIMIT: beyond the calendar. */
int deadline_due(const struct deadline_rule *rule, int64_t since,
                 const struct deadline_pause *pauses, size_t pause_count,
                 struct deadline_due *out_due, struct err *err);

/* So long behind `from`, as the rule's calendar counts. */
int deadline_after(const struct deadline_rule *rule, int64_t from, struct duration duration,
                   int64_t *out_ms, struct err *err);

#endif

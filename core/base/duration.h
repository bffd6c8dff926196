/* duration.h -- how long, as admins write it: "90d", "-30d", "2wd".
 *
 * One whole number and one unit, nothing between them.  There is no "1.5h" and
 * no "1h30min": a day is not always 24 hours and a month has no fixed length,
 * so a sum of units would mean different things to different people.
 *
 *   s min h    elapsed time, exact
 *   d w mo y   the wall clock stays, the date moves (zone.h)
 *   wd wh      working days and hours of a calendar (workday.h)
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef CORE_BASE_DURATION_H
#define CORE_BASE_DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define DURATION_YEARS_MAX 100 /* every unit is limited to this much time */
#define DURATION_TEXT_SIZE 16  /* bytes of the longest text, terminated */

enum duration_unit {
    DURATION_SECONDS,
    DURATION_MINUTES,
    DURATION_HOURS,
    DURATION_DAYS,
    DURATION_WEEKS,
    DURATION_MONTHS,
    DURATION_YEARS,
    DURATION_WORKDAYS,
    DURATION_WORKHOURS,
};

struct duration {
    int64_t count; /* negative means before */
    enum duration_unit unit;
};

/* Read `size` bytes, all of them.  Fails with E_INVALID, and the reason names
 * the nearest text that would have been right, or with E_LIMIT. */
int duration_parse(const char *text, size_t size, struct duration *out_duration, struct err *err);

/* What duration_parse() promises, for durations made otherwise: a known unit
 * and at most DURATION_YEARS_MAX years either way.  Fails with E_INVALID or
 * E_LIMIT. */
int duration_check(struct duration duration, struct err *err);

/* Write the text that duration_parse() reads; `duration` must be one that
 * duration_check() accepts. */
void duration_format(struct duration duration, char out_text[DURATION_TEXT_SIZE]);

/* Whether the unit is a fixed number of milliseconds: s, min or h. */
bool duration_is_elapsed(struct duration duration);

/* How many milliseconds an elapsed duration lasts. */
int64_t duration_elapsed_ms(struct duration duration);

#endif

/* when.h -- dates, times and durations as iCalendar writes them (RFC 5545, 3.3.4 to 3.3.6).
 *
 * A moment is milliseconds since 1970 in UTC.  A date has no zone: it is held as the midnight
 * with which it would begin in UTC, and stays a date.  A local time is held the same way, as if
 * its clock stood in UTC, until somebody who knows zones (ics.h) turns it into a moment.
 *
 * Readers take exactly `size` bytes, accept what the grammar accepts and the calendar has
 * (no 30th of February), and leave their out_ parameters untouched when they answer false.
 */
#ifndef PLUGINS_FOLLOWUP_WHEN_H
#define PLUGINS_FOLLOWUP_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

enum when_kind {
    WHEN_NONE, /* not given */
    WHEN_DATE, /* a day, everywhere the same; `ms` is its midnight in UTC */
    WHEN_TIME, /* a moment */
};

struct when {
    enum when_kind kind;
    int64_t ms;
};

#define WHEN_DAY_MS INT64_C(86400000)
#define WHEN_MS_MIN INT64_C(-62135596800000) /* the year 1 */
#define WHEN_MS_MAX INT64_C(253402300799999) /* the end of the year 9999: four digits */

bool when_read_date(const char *text, size_t size, int64_t *out_ms);

/* YYYYMMDDTHHMMSS, with Z (a moment) or without (a local time).  A leap second is the one
 * before it. */
bool when_read_time(const char *text, size_t size, int64_t *out_ms, bool *out_is_utc);

/* P1W, P1DT2H, -PT15M ... */
bool when_read_duration(const char *text, size_t size, int64_t *out_ms);

/* 20270301T090000Z, or 20270301 for a date; a moment outside the four digits is the nearest
 * inside.  Nothing for WHEN_NONE. */
void when_write(struct buffer *buffer, struct when when);

/* The same moment as HTTP writes it (RFC 9110, 5.6.7). */
void when_write_http(struct buffer *buffer, int64_t ms);

#endif

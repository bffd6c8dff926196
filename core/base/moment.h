/* moment.h -- instants as text: ISO 8601.
 *
 * An instant is a number of milliseconds since 1970-01-01T00:00Z, leap seconds
 * not counted, within the years 1 to 9999 (CIVIL_MS_MIN..CIVIL_MS_MAX).
 *
 * Read are a date, then optionally T (or t, or a blank) and a time of day with
 * or without seconds and their fraction, then optionally an offset:
 *
 *     2026-11-21               2026-11-21T10:11         2026-11-21 10:11:12
 *     2026-11-21T10:11:12.345Z 2026-11-21T10:11:12,3456789+01:00  +0100  +01
 *
 * A fraction may be of any length; what is finer than a millisecond is cut off,
 * never rounded up into the next second.  A second 60 is the last millisecond of
 * its minute, because the scale has no place for it.  24:00 is refused: it has a
 * name already, 00:00 of the next day.  Weeks (2026-W47), ordinal dates and
 * forms without separators are refused.
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef CORE_BASE_MOMENT_H
#define CORE_BASE_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define MOMENT_TEXT_SIZE 25 /* "2026-11-21T10:11:12.345Z" and its terminator */

/* Read `size` bytes, all of them, as an instant.  Text without an offset is
 * UTC; a date alone is its midnight.  Fails with E_INVALID, and the reason
 * names what was expected and the column. */
int moment_parse(const char *text, size_t size, int64_t *out_ms, struct err *err);

/* The same for a caller who knows the zone of text without an offset: then
 * *out_has_offset is false and *out_ms the wall clock, for
 * zone_ms_from_local(). */
int moment_parse_loose(const char *text, size_t size, int64_t *out_ms, bool *out_has_offset,
                       struct err *err);

/* Read "2026-11-21" and nothing else, as days since 1970-01-01. */
int moment_parse_date(const char *text, size_t size, int64_t *out_days, struct err *err);

/* Read "09:00" and nothing else, as minutes of the day: 0 to 1439.  False: it is none. */
bool moment_parse_clock(const char *text, size_t size, int *out_minute);

/* Write "2026-11-21T10:11:12.345Z".  `ms` must be within the years 1..9999. */
void moment_format(int64_t ms, char out_text[MOMENT_TEXT_SIZE]);

#endif

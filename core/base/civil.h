/* civil.h -- the calendar on the wall, without any zone.
 *
 * A civil time is what a clock and a calendar on the wall show: it says nothing
 * about where the wall is.  Two numbers stand for it where speed matters:
 *
 *   a date          days since 1970-01-01
 *   a wall clock    milliseconds since 1970-01-01T00:00 as if every day had
 *                   24 hours, called local_ms wherever it appears
 *
 * Neither is an instant; zone.h turns one into the other.  The calendar is the
 * Gregorian one, also before 1582.
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef CORE_BASE_CIVIL_H
#define CORE_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_SECOND_MS INT64_C(1000)
#define CIVIL_MINUTE_MS INT64_C(60000)
#define CIVIL_HOUR_MS INT64_C(3600000)
#define CIVIL_DAY_MS INT64_C(86400000)

#define CIVIL_DAY_MINUTES 1440

/* The instants and wall clocks we deal in: the years 1 to 9999, because that
 * is what ISO 8601 writes with four digits. */
#define CIVIL_MS_MIN INT64_C(-62135596800000) /* 0001-01-01T00:00:00.000 */
#define CIVIL_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999 */

struct civil {
    int year;   /* 1..9999 */
    int month;  /* 1..12 */
    int day;    /* 1..31 */
    int hour;   /* 0..23 */
    int minute; /* 0..59 */
    int second; /* 0..59 */
    int ms;     /* 0..999 */
};

/* Whether every member is in its range and the date exists. */
bool civil_is_valid(const struct civil *civil);

/* How many days `month` (1..12) has in `year`. */
int civil_month_days(int64_t year, int month);

/* The date as days since 1970-01-01; `month` is 1..12, and a `day` outside the
 * month counts on into its neighbours. */
int64_t civil_days(int64_t year, int month, int day);

/* The day of the week of a date: 1 is Monday, 7 is Sunday, as in ISO 8601. */
int civil_weekday(int64_t days);

/* The date and hour that a wall clock shows, and back.  Reading works for any
 * local_ms within a million years; outside the years 1..9999 the result is not
 * civil_is_valid(). */
void civil_from_local_ms(int64_t local_ms, struct civil *out_civil);
int64_t civil_local_ms(const struct civil *civil);

/* Which date a wall clock shows: local_ms in days, rounded down. */
int64_t civil_local_days(int64_t local_ms);

/* The same day of the month `months` later, or the last day of that month if
 * it is shorter: 31 January and one month is 28 or 29 February. */
int64_t civil_days_add_months(int64_t days, int64_t months);

#endif

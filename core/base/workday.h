/* workday.h -- opening hours, holidays and the days that count.
 *
 * A workweek is what a `calendar` declares: a zone, opening hours for the days
 * of the week, holidays, and make-up days on which work is done although the
 * weekday is free (in China, the Saturdays and Sundays that pay for a long
 * holiday).  A make-up day has the hours of its weekday if that has any, else
 * those of the first day from Monday on that has.
 *
 * A working day is a date with opening hours.  What its hours are in instants
 * follows the zone, gaps and folds resolved forward (zone.h).
 *
 * Threads: a workweek never changes once made and may be used from any thread.
 * Instants are milliseconds since 1970-01-01T00:00Z; dates are days since
 * 1970-01-01 (civil.h); minutes are counted on the wall clock from midnight.
 * Nothing here looks at the current time.
 */
#ifndef CORE_BASE_WORKDAY_H
#define CORE_BASE_WORKDAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct workweek;
struct zone;

#define WORKDAY_INTERVALS_MAX 8     /* opening hours of one day of the week */
#define WORKDAY_DATES_MAX 10000     /* holidays, and as many make-up days */
#define WORKDAY_FREE_DAYS_MAX 366   /* from one working day to the next */
#define WORKDAY_SEARCH_DAYS_MAX 36525 /* a hundred years */

/* `at_minute` of who wants the closing time. */
#define WORKDAY_AT_CLOSING (-1)

/* Open from open_minute until just before close_minute; until midnight is 1440.
 * Hours across midnight are written as two intervals, one on each day. */
struct workday_hours {
    int weekday; /* 1 is Monday, 7 is Sunday */
    int open_minute;
    int close_minute;
};

/* A declaration; arrays are borrowed for the call, in any order. */
struct workday_plan {
    const struct zone *zone;
    const struct workday_hours *hours;
    size_t hours_count;
    const int64_t *holidays; /* dates */
    size_t holidays_count;
    const int64_t *working; /* make-up dates */
    size_t working_count;
};

/* The caller owns *out_week and ends it with workday_free(); the zone must
 * outlive it.  Fails with E_INVALID if hours are not in order or overlap, a date
 * is both holiday and make-up day, or more than WORKDAY_FREE_DAYS_MAX days lie
 * between two working days; with E_LIMIT if there are too many. */
int workday_new(const struct workday_plan *plan, struct workweek **out_week, struct err *err);
void workday_free(struct workweek *week); /* NULL is allowed */

const struct zone *workday_zone(const struct workweek *week);
/* A number that two weeks declared alike have in common, and two others hardly ever; never 0. */
uint64_t workday_print(const struct workweek *week);
bool workday_is_working(const struct workweek *week, int64_t date);
bool workday_is_open(const struct workweek *week, int64_t ms);

/* The closing time, or `at_minute` (0..1439) on the wall clock, of
 *
 *   n > 0   the n-th working day after the date of `ms`, whatever the hour:
 *           "1wd" on Friday morning, Friday night or Saturday is Monday
 *   n < 0   the -n-th working day before the date of `ms`
 *   n = 0   today, if it is a working day and that time is yet to come, else
 *           the next working day
 *
 * Fails with E_INVALID for another `at_minute`, and with E_LIMIT if the day is
 * further away than WORKDAY_SEARCH_DAYS_MAX or the result lies outside the years
 * 1..9999. */
int workday_add_days(const struct workweek *week, int64_t ms, int64_t n, int at_minute,
                     int64_t *out_ms, struct err *err);

/* The instant by which the calendar has been open for n hours since `ms`; only
 * open time counts.  Time that runs out exactly at closing ends there, not at
 * the next opening.  With n < 0 the same backwards: the instant since which it
 * has been open for -n hours until `ms`.  With n = 0, `ms` itself if open, else
 * the next opening.  Fails with E_LIMIT as workday_add_days(). */
int workday_add_hours(const struct workweek *week, int64_t ms, int64_t n, int64_t *out_ms,
                      struct err *err);

/* How long the calendar is open from `from_ms` until `until_ms`, in milliseconds; 0 where it ends
 * before it begins, and no more than WORKDAY_SEARCH_DAYS_MAX days are looked at. */
int64_t workday_open_ms(const struct workweek *week, int64_t from_ms, int64_t until_ms);
/* The same backwards: the instant by which it has been open for `open_ms`, more than 0, since `ms`.
 * Fails with E_LIMIT as workday_add_days(). */
int workday_add_open(const struct workweek *week, int64_t ms, int64_t open_ms, int64_t *out_ms,
                     struct err *err);

#endif

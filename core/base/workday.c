/* workday.c -- counting in days and hours that are worked.
 *
 * A week is kept as seven short lists of intervals and two sorted arrays of
 * exceptions.  Everything else is a walk from day to day.  A walk needs no
 * shortcut: a day costs a few nanoseconds, a promise rarely takes more than some
 * weeks, and WORKDAY_SEARCH_DAYS_MAX bounds the worst at about a millisecond.
 * Counting whole weeks at once would be wrong for hours, since a change of the
 * clock can lengthen or shorten what is open.
 *
 * That a walk finds a working day at all is settled when the week is made: there
 * is an open weekday, and no run of holidays hides it for longer than
 * WORKDAY_FREE_DAYS_MAX.
 */
#include "core/base/workday.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/base/moment.h"
#include "core/base/zone.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct interval {
    int open_minute;
    int close_minute;
};

struct day {
    size_t count; /* 0: closed */
    struct interval intervals[WORKDAY_INTERVALS_MAX];
};

struct dates {
    int64_t *sorted;
    size_t count;
};

struct workweek {
    const struct zone *zone;
    struct day weekdays[7];    /* Monday first */
    const struct day *make_up; /* of a working date on a free weekday */
    struct dates holidays;
    struct dates working;
};

/* An interval of one day in instants. */
struct span {
    int64_t open_ms;
    int64_t close_ms;
};

static int compare_dates(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static int compare_intervals(const void *a, const void *b)
{
    return ((const struct interval *)a)->open_minute - ((const struct interval *)b)->open_minute;
}

static bool dates_have(const struct dates *dates, int64_t date)
{
    size_t low = 0, high = dates->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dates->sorted[middle] < date)
            low = middle + 1;
        else
            high = middle;
    }
    return low < dates->count && dates->sorted[low] == date;
}

static const struct day *day_of(const struct workweek *week, int64_t date)
{
    static const struct day closed = { 0 };
    const struct day *day = &week->weekdays[civil_weekday(date) - 1];
    if (day->count == 0)
        return dates_have(&week->working, date) ? week->make_up : &closed;
    return dates_have(&week->holidays, date) ? &closed : day;
}

static int add_hours(struct day *day, const struct workday_hours *hours, struct err *err)
{
    if (hours->open_minute < 0 || hours->open_minute >= hours->close_minute ||
        hours->close_minute > CIVIL_DAY_MINUTES)
        return err_set(err, E_INVALID,
                       "calendar: hours from minute %d to %d of"
                       " weekday %d: they must begin before they end, within one day"
                       " (across midnight, write two)",
                       hours->open_minute, hours->close_minute, hours->weekday);
    if (day->count == WORKDAY_INTERVALS_MAX)
        return err_set(err, E_LIMIT,
                       "calendar: more than %d opening hours on"
                       " weekday %d",
                       WORKDAY_INTERVALS_MAX, hours->weekday);
    day->intervals[day->count++] = (struct interval){ hours->open_minute, hours->close_minute };
    return 0;
}

static int order_hours(struct day *day, int weekday, struct err *err)
{
    qsort(day->intervals, day->count, sizeof *day->intervals, compare_intervals);
    for (size_t i = 1; i < day->count; i++)
        if (day->intervals[i].open_minute < day->intervals[i - 1].close_minute)
            return err_set(err, E_INVALID,
                           "calendar: opening hours of weekday %d"
                           " overlap at minute %d",
                           weekday, day->intervals[i].open_minute);
    return 0;
}

static int read_hours(struct workweek *week, const struct workday_plan *plan, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plan->hours_count; i++) {
        int weekday = plan->hours[i].weekday;
        if (weekday < 1 || weekday > 7)
            return err_set(err, E_INVALID,
                           "calendar: weekday %d: 1 is Monday, 7 is"
                           " Sunday",
                           weekday);
        rc = add_hours(&week->weekdays[weekday - 1], &plan->hours[i], err);
    }
    for (int i = 6; rc == 0 && i >= 0; i--) {
        rc = order_hours(&week->weekdays[i], i + 1, err);
        if (week->weekdays[i].count > 0)
            week->make_up = &week->weekdays[i];
    }
    if (rc == 0 && week->make_up == NULL)
        return err_set(err, E_INVALID, "calendar: no day of the week has hours");
    return rc;
}

static int read_dates(struct dates *dates, const int64_t *from, size_t count, const char *what,
                      struct err *err)
{
    if (count > WORKDAY_DATES_MAX)
        return err_set(err, E_LIMIT, "calendar: %zu %s: the limit is %d", count, what,
                       WORKDAY_DATES_MAX);
    if (count == 0)
        return 0;
    dates->sorted = mem_copy(from, count * sizeof *from);
    dates->count = count;
    qsort(dates->sorted, count, sizeof *dates->sorted, compare_dates);
    return 0;
}

/* Write a date into the reason for a person; outside the years that have a
 * text, a number must do. */
static int refuse_date(int64_t date, const char *why, struct err *err)
{
    char text[MOMENT_TEXT_SIZE];
    if (date < CIVIL_MS_MIN / CIVIL_DAY_MS || date > CIVIL_MS_MAX / CIVIL_DAY_MS)
        return err_set(err, E_INVALID,
                       "calendar: date %" PRId64 ": outside the years"
                       " 1 to 9999",
                       date);
    moment_format(date * CIVIL_DAY_MS, text);
    return err_set(err, E_INVALID, "calendar: %.10s: %s", text, why);
}

/* The n-th working day after (before) `date`, which does not count itself.
 * Returns false if more than `days_max` days pass. */
static bool walk(const struct workweek *week, int64_t date, int64_t n, int64_t days_max,
                 int64_t *found)
{
    int step = n < 0 ? -1 : 1;
    int64_t left = n < 0 ? -n : n;
    for (int64_t days = 0; left > 0; days++) {
        if (days == days_max)
            return false;
        date += step;
        left -= day_of(week, date)->count > 0;
    }
    *found = date;
    return true;
}

static int check_dates(const struct workweek *week, struct err *err)
{
    int64_t checked_until = INT64_MIN;
    for (size_t i = 0; i < week->working.count; i++)
        if (dates_have(&week->holidays, week->working.sorted[i]))
            return refuse_date(week->working.sorted[i], "both a holiday and a working day", err);
    for (size_t i = 0; i < week->holidays.count; i++) {
        int64_t date = week->holidays.sorted[i], before = 0;
        if (date < CIVIL_MS_MIN / CIVIL_DAY_MS || date > CIVIL_MS_MAX / CIVIL_DAY_MS)
            return refuse_date(date, "", err);
        if (date < checked_until)
            continue;
        if (!walk(week, date, -1, WORKDAY_FREE_DAYS_MAX, &before) ||
            !walk(week, before, 1, WORKDAY_FREE_DAYS_MAX, &checked_until))
            return refuse_date(date,
                               "here begin or end more than 366 days without a"
                               " working day",
                               err);
    }
    return 0;
}

int workday_new(const struct workday_plan *plan, struct workweek **out_week, struct err *err)
{
    struct workweek *week = mem_zero(sizeof *week);
    week->zone = plan->zone;
    int rc = read_hours(week, plan, err);
    if (rc == 0)
        rc = read_dates(&week->holidays, plan->holidays, plan->holidays_count, "holidays", err);
    if (rc == 0)
        rc = read_dates(&week->working, plan->working, plan->working_count, "working days", err);
    if (rc == 0)
        rc = check_dates(week, err);
    if (rc != 0) {
        workday_free(week);
        return rc;
    }
    *out_week = week;
    return 0;
}

void workday_free(struct workweek *week)
{
    if (week == NULL)
        return;
    free(week->holidays.sorted);
    free(week->working.sorted);
    free(week);
}

const struct zone *workday_zone(const struct workweek *week)
{
    return week->zone;
}

static void print_number(struct hash128 *hash, int64_t number)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> 8 * i);
    hash128_update(hash, bytes, sizeof bytes);
}

static void print_dates(struct hash128 *hash, const struct dates *dates)
{
    print_number(hash, (int64_t)dates->count);
    for (size_t i = 0; i < dates->count; i++)
        print_number(hash, dates->sorted[i]);
}

uint64_t workday_print(const struct workweek *week)
{
    struct hash128 hash;
    uint8_t bytes[HASH128_BYTES];
    uint64_t print = 0;
    hash128_init(&hash);
    hash128_update(&hash, zone_name(week->zone), strlen(zone_name(week->zone)));
    for (size_t i = 0; i < 7; i++) {
        const struct day *day = &week->weekdays[i];
        print_number(&hash, (int64_t)day->count);
        for (size_t j = 0; j < day->count; j++) {
            print_number(&hash, day->intervals[j].open_minute);
            print_number(&hash, day->intervals[j].close_minute);
        }
    }
    print_dates(&hash, &week->holidays);
    print_dates(&hash, &week->working);
    hash128_final(&hash, bytes);
    for (size_t i = 0; i < 8; i++)
        print = print << 8 | bytes[i];
    return print != 0 ? print : 1;
}

bool workday_is_working(const struct workweek *week, int64_t date)
{
    return day_of(week, date)->count > 0;
}

static int64_t date_of(const struct workweek *week, int64_t ms)
{
    return civil_local_days(zone_local_from_ms(week->zone, ms));
}

static int64_t instant(const struct workweek *week, int64_t date, int minute)
{
    int64_t local_ms = date * CIVIL_DAY_MS + minute * CIVIL_MINUTE_MS;
    return zone_ms_from_local(week->zone, local_ms);
}

static struct span span_of(const struct workweek *week, int64_t date, struct interval interval)
{
    return (struct span){ instant(week, date, interval.open_minute),
                          instant(week, date, interval.close_minute) };
}

static bool is_open_on(const struct workweek *week, int64_t date, int64_t ms)
{
    const struct day *day = day_of(week, date);
    for (size_t i = 0; i < day->count; i++) {
        struct span span = span_of(week, date, day->intervals[i]);
        if (span.open_ms <= ms && ms < span.close_ms)
            return true;
    }
    return false;
}

/* Where a clock is set back across midnight, the first minutes of a day can
 * belong to hours that the day before has until 24:00. */
bool workday_is_open(const struct workweek *week, int64_t ms)
{
    int64_t date = date_of(week, ms);
    return is_open_on(week, date, ms) || is_open_on(week, date - 1, ms);
}

static bool is_in_bounds(int64_t ms)
{
    return ms >= CIVIL_MS_MIN && ms <= CIVIL_MS_MAX;
}

static int refuse_range(struct err *err)
{
    return err_set(err, E_LIMIT,
                   "calendar: the result lies more than %d days away or"
                   " outside the years 1 to 9999",
                   WORKDAY_SEARCH_DAYS_MAX);
}

static int64_t due_on(const struct workweek *week, int64_t date, int at_minute)
{
    const struct day *day = day_of(week, date);
    if (at_minute == WORKDAY_AT_CLOSING)
        at_minute = day->intervals[day->count - 1].close_minute;
    return instant(week, date, at_minute);
}

int workday_add_days(const struct workweek *week, int64_t ms, int64_t n, int at_minute,
                     int64_t *out_ms, struct err *err)
{
    if (at_minute < WORKDAY_AT_CLOSING || at_minute >= CIVIL_DAY_MINUTES)
        return err_set(err, E_INVALID, "calendar: at minute %d of the day: 0 to 1439", at_minute);
    if (!is_in_bounds(ms) || n > WORKDAY_SEARCH_DAYS_MAX || n < -WORKDAY_SEARCH_DAYS_MAX)
        return refuse_range(err);

    int64_t date = date_of(week, ms);
    bool is_today = n == 0 && workday_is_working(week, date) && due_on(week, date, at_minute) > ms;
    if (!is_today && !walk(week, date, n == 0 ? 1 : n, WORKDAY_SEARCH_DAYS_MAX, &date))
        return refuse_range(err);
    int64_t due_ms = due_on(week, date, at_minute);
    if (!is_in_bounds(due_ms))
        return refuse_range(err);
    *out_ms = due_ms;
    return 0;
}

/* Let open time pass on one date.  Returns whether *left_ms, which it lowers,
 * ran out; then *ms is where. */
static bool spend_forward(const struct workweek *week, int64_t date, int64_t *ms, int64_t *left_ms)
{
    const struct day *day = day_of(week, date);
    for (size_t i = 0; i < day->count; i++) {
        struct span span = span_of(week, date, day->intervals[i]);
        int64_t from_ms = span.open_ms > *ms ? span.open_ms : *ms;
        if (from_ms >= span.close_ms)
            continue;
        if (*left_ms <= span.close_ms - from_ms) {
            *ms = from_ms + *left_ms;
            return true;
        }
        *left_ms -= span.close_ms - from_ms;
    }
    return false;
}

static bool spend_backward(const struct workweek *week, int64_t date, int64_t *ms, int64_t *left_ms)
{
    const struct day *day = day_of(week, date);
    for (size_t i = day->count; i-- > 0;) {
        struct span span = span_of(week, date, day->intervals[i]);
        int64_t until_ms = span.close_ms < *ms ? span.close_ms : *ms;
        if (until_ms <= span.open_ms)
            continue;
        if (*left_ms <= until_ms - span.open_ms) {
            *ms = until_ms - *left_ms;
            return true;
        }
        *left_ms -= until_ms - span.open_ms;
    }
    return false;
}

int workday_add_hours(const struct workweek *week, int64_t ms, int64_t n, int64_t *out_ms,
                      struct err *err)
{
    int64_t hours_max = WORKDAY_SEARCH_DAYS_MAX * 24LL;
    if (!is_in_bounds(ms) || n > hours_max || n < -hours_max)
        return refuse_range(err);

    int64_t left_ms = (n < 0 ? -n : n) * CIVIL_HOUR_MS;
    int64_t date = date_of(week, ms) - (n < 0 ? 0 : 1); /* see workday_is_open() */
    bool is_spent = false;
    for (int days = 0; !is_spent && days < WORKDAY_SEARCH_DAYS_MAX; days++) {
        is_spent = n < 0 ? spend_backward(week, date, &ms, &left_ms)
                         : spend_forward(week, date, &ms, &left_ms);
        date += n < 0 ? -1 : 1;
    }
    if (!is_spent || !is_in_bounds(ms))
        return refuse_range(err);
    *out_ms = ms;
    return 0;
}

/* -- Open time by the millisecond ------------------------------------------ */

static int64_t open_on(const struct workweek *week, int64_t date, int64_t from_ms, int64_t until_ms)
{
    const struct day *day = day_of(week, date);
    int64_t open_ms = 0;
    for (size_t i = 0; i < day->count; i++) {
        struct span span = span_of(week, date, day->intervals[i]);
        int64_t first = span.open_ms > from_ms ? span.open_ms : from_ms;
        int64_t last = span.close_ms < until_ms ? span.close_ms : until_ms;
        open_ms += last > first ? last - first : 0;
    }
    return open_ms;
}

int64_t workday_open_ms(const struct workweek *week, int64_t from_ms, int64_t until_ms)
{
    int64_t open_ms = 0;
    if (from_ms >= until_ms || !is_in_bounds(from_ms) || !is_in_bounds(until_ms))
        return 0;
    int64_t first = date_of(week, from_ms) - 1, last = date_of(week, until_ms);
    if (last - first > WORKDAY_SEARCH_DAYS_MAX)
        last = first + WORKDAY_SEARCH_DAYS_MAX;
    for (int64_t date = first; date <= last; date++)
        open_ms += open_on(week, date, from_ms, until_ms);
    return open_ms;
}

int workday_add_open(const struct workweek *week, int64_t ms, int64_t open_ms, int64_t *out_ms,
                     struct err *err)
{
    if (!is_in_bounds(ms) || open_ms <= 0)
        return refuse_range(err);
    int64_t date = date_of(week, ms) - 1; /* see workday_is_open() */
    bool is_spent = false;
    for (int days = 0; !is_spent && days < WORKDAY_SEARCH_DAYS_MAX; days++)
        is_spent = spend_forward(week, date++, &ms, &open_ms);
    if (!is_spent || !is_in_bounds(ms))
        return refuse_range(err);
    *out_ms = ms;
    return 0;
}

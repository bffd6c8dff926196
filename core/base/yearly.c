/* yearly.c -- the next return of a date.
 *
 * The candidates are few: the return in the year before the one that the wall
 * clock shows, in that year, and in the one after.  The year before is among
 * them because a lunar year ends in January or February of the next Gregorian
 * one.  Returns ascend with the year, so the first that is late enough is it.
 */
#include "core/base/yearly.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/lunar.h"
#include "core/base/zone.h"

#include <stdbool.h>

/* A date, understood once, that comes back. */
struct anniversary {
    enum yearly_calendar calendar;
    struct civil civil; /* Gregorian */
    struct lunar lunar; /* Chinese */
};

static int anniversary_init(struct anniversary *anniversary, enum yearly_calendar calendar,
                            int64_t date, struct err *err)
{
    anniversary->calendar = calendar;
    civil_from_local_ms(date * CIVIL_DAY_MS, &anniversary->civil);
    if (calendar == YEARLY_GREGORIAN)
        return 0;
    return lunar_from_days(date, &anniversary->lunar, err);
}

static int first_year(const struct anniversary *anniversary)
{
    return anniversary->calendar == YEARLY_GREGORIAN ? anniversary->civil.year
                                                     : anniversary->lunar.year;
}

/* The date of the return in a year of the anniversary's own calendar. */
static int date_in(const struct anniversary *anniversary, int year, int64_t *date, struct err *err)
{
    if (anniversary->calendar == YEARLY_CHINESE) {
        struct lunar lunar = anniversary->lunar;
        lunar.year = year;
        return lunar_to_days(&lunar, date, err);
    }
    int month = anniversary->civil.month;
    int last = civil_month_days(year, month);
    int day = anniversary->civil.day;
    *date = civil_days(year, month, day < last ? day : last);
    return 0;
}

static bool is_date_in_bounds(int64_t date)
{
    return date >= CIVIL_MS_MIN / CIVIL_DAY_MS && date <= CIVIL_MS_MAX / CIVIL_DAY_MS;
}

static int check(int64_t date, int at_minute, int64_t after_ms, struct err *err)
{
    if (at_minute < 0 || at_minute >= CIVIL_DAY_MINUTES)
        return err_set(err, E_INVALID, "yearly: at minute %d of the day: 0 to 1439", at_minute);
    if (!is_date_in_bounds(date) || after_ms < CIVIL_MS_MIN || after_ms > CIVIL_MS_MAX)
        return err_set(err, E_LIMIT, "yearly: outside the years 1 to 9999");
    return 0;
}

int yearly_next(const struct zone *zone, enum yearly_calendar calendar, int64_t date, int at_minute,
                int64_t after_ms, int64_t *out_ms, struct err *err)
{
    struct anniversary anniversary;
    struct civil now;
    int64_t next_ms = CIVIL_MS_MIN - 1;

    int rc = check(date, at_minute, after_ms, err);
    if (rc == 0)
        rc = anniversary_init(&anniversary, calendar, date, err);
    if (rc != 0)
        return rc;

    zone_civil_from_ms(zone, after_ms, &now);
    int first = first_year(&anniversary);
    int year = now.year - 1 > first ? now.year - 1 : first;
    while (rc == 0 && next_ms <= after_ms) {
        int64_t return_date = 0;
        rc = date_in(&anniversary, year++, &return_date, err);
        next_ms =
            zone_ms_from_local(zone, return_date * CIVIL_DAY_MS + at_minute * CIVIL_MINUTE_MS);
    }
    if (rc != 0)
        return rc;
    if (next_ms > CIVIL_MS_MAX)
        return err_set(err, E_LIMIT, "yearly: it returns only after the year 9999");
    *out_ms = next_ms;
    return 0;
}

/* when.c -- the civil calendar in a few divisions.
 *
 * Days are counted by eras of 400 years that begin with March, so that the leap day is the last
 * of its year and no month needs a table.  The C library's timegm() would do too; it takes
 * broken-down fields it then quietly mends, and a mended date is not the date that was written.
 */
#include "when.h"

#include "buffer.h"

#define SECOND_MS INT64_C(1000)
#define ERA_DAYS 146097
#define EPOCH_DAYS 719468 /* from the first of March of the year 0 to 1970 */

/* A fixed number of digits, or -1. */
static int digits(const char *text, unsigned count)
{
    int value = 0;
    for (unsigned i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    if (month == 2)
        return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* `year` is at least 1. */
static int64_t days_of(int year, int month, int day)
{
    int from_march = (month + 9) % 12;
    int years = month <= 2 ? year - 1 : year;
    int era = years / 400, of_era = years % 400;
    int of_year = (153 * from_march + 2) / 5 + day - 1;
    int days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return (int64_t)era * ERA_DAYS + days - EPOCH_DAYS;
}

static void date_of(int64_t days, int *out_year, int *out_month, int *out_day)
{
    int64_t shifted = days + EPOCH_DAYS;
    int era = (int)(shifted / ERA_DAYS), day = (int)(shifted % ERA_DAYS);
    int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int of_year = day - (365 * year + year / 4 - year / 100);
    int from_march = (5 * of_year + 2) / 153;
    *out_day = of_year - (153 * from_march + 2) / 5 + 1;
    *out_month = from_march < 10 ? from_march + 3 : from_march - 9;
    *out_year = era * 400 + year + (*out_month <= 2);
}

bool when_read_date(const char *text, size_t size, int64_t *out_ms)
{
    if (size != 8)
        return false;
    int year = digits(text, 4), month = digits(text + 4, 2), day = digits(text + 6, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *out_ms = days_of(year, month, day) * WHEN_DAY_MS;
    return true;
}

bool when_read_time(const char *text, size_t size, int64_t *out_ms, bool *out_is_utc)
{
    int64_t date = 0;
    bool is_utc = size == 16 && text[15] == 'Z';
    if ((size != 15 && !is_utc) || text[8] != 'T' || !when_read_date(text, 8, &date))
        return false;
    int hour = digits(text + 9, 2), minute = digits(text + 11, 2), second = digits(text + 13, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    if (second == 60)
        second = 59;
    *out_ms = date + ((hour * 60 + minute) * 60 + second) * SECOND_MS;
    *out_is_utc = is_utc;
    return true;
}

/* What a letter of a duration stands for in seconds, 0 for none; T changes what M is. */
static int64_t unit_of(char letter, bool is_time)
{
    if (is_time)
        return letter == 'H' ? 3600 : letter == 'M' ? 60 : letter == 'S' ? 1 : 0;
    return letter == 'W' ? 7 * 86400 : letter == 'D' ? 86400 : 0;
}

bool when_read_duration(const char *text, size_t size, int64_t *out_ms)
{
    const char *at = text, *end = text + size;
    int64_t sign = 1, seconds = 0;
    bool is_time = false, has_unit = false;
    if (at < end && (*at == '+' || *at == '-'))
        sign = *at++ == '-' ? -1 : 1;
    if (at >= end || *at++ != 'P')
        return false;
    while (at < end) {
        if (*at == 'T' && !is_time) {
            is_time = true;
            has_unit = false;
            at++;
            continue;
        }
        int64_t count = 0;
        const char *first = at;
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            if (at - first < 9)
                count = count * 10 + (*at - '0');
        int64_t unit = at < end ? unit_of(*at, is_time) : 0;
        if (at == first || at - first > 8 || unit == 0)
            return false;
        seconds += count * unit;
        has_unit = true;
        at++;
    }
    if (!has_unit)
        return false;
    *out_ms = sign * seconds * SECOND_MS;
    return true;
}

static int64_t kept_inside(int64_t ms)
{
    return ms < WHEN_MS_MIN ? WHEN_MS_MIN : ms > WHEN_MS_MAX ? WHEN_MS_MAX : ms;
}

/* Days since 1970 and the milliseconds of the day, also before 1970. */
static int64_t split(int64_t ms, int64_t *out_of_day)
{
    int64_t days = ms / WHEN_DAY_MS, of_day = ms % WHEN_DAY_MS;
    if (of_day < 0) {
        of_day += WHEN_DAY_MS;
        days--;
    }
    *out_of_day = of_day;
    return days;
}

void when_write(struct buffer *buffer, struct when when)
{
    int64_t of_day = 0;
    int64_t days = split(kept_inside(when.ms), &of_day);
    int year = 0, month = 0, day = 0, second = (int)(of_day / SECOND_MS);
    if (when.kind == WHEN_NONE)
        return;
    date_of(days, &year, &month, &day);
    buffer_printf(buffer, "%04d%02d%02d", year, month, day);
    if (when.kind == WHEN_TIME)
        buffer_printf(buffer, "T%02d%02d%02dZ", second / 3600, second / 60 % 60, second % 60);
}

void when_write_http(struct buffer *buffer, int64_t ms)
{
    static const char *const weekdays[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t of_day = 0;
    int64_t days = split(kept_inside(ms), &of_day);
    int year = 0, month = 0, day = 0, second = (int)(of_day / SECOND_MS);
    date_of(days, &year, &month, &day);
    buffer_printf(buffer, "%s, %02d %s %04d %02d:%02d:%02d GMT", weekdays[(days % 7 + 7) % 7], day,
                  months[month - 1], year, second / 3600, second / 60 % 60, second % 60);
}

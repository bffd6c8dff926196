/* review_time.c -- moments as people write them (RFC 3339), and back.
 *
 * The days of a calendar are counted in years that begin in March, so that a leap day is the last
 * one of its year.
 */
#include "review.h"

#include <stdio.h>

#define DAY_MS 86400000LL

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* `size` digits; -1: something else. */
static int64_t digits(struct kith_text text, size_t at, size_t size)
{
    int64_t number = 0;
    if (at + size > text.size)
        return -1;
    for (size_t i = at; i < at + size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        number = number * 10 + (text.data[i] - '0');
    }
    return number;
}

static int is_at(struct kith_text text, size_t at, char c)
{
    return at < text.size && text.data[at] == c;
}

static int64_t days_of(int64_t year, int64_t month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

static int read_day(struct kith_text text, int64_t *out_ms)
{
    int64_t year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    if (!is_at(text, 4, '-') || !is_at(text, 7, '-') || year < 1970 || month < 1 || month > 12 ||
        day < 1 || day > days_of(year, month))
        return 0;
    *out_ms = days_from_civil(year, month, day) * DAY_MS;
    return 1;
}

/* "Z", "+02:00": what is to be taken off, in ms. */
static int read_offset(struct kith_text text, size_t at, int64_t *out_ms)
{
    int64_t hours = digits(text, at + 1, 2), minutes = digits(text, at + 4, 2);
    *out_ms = 0;
    if ((is_at(text, at, 'Z') || is_at(text, at, 'z')) && at + 1 == text.size)
        return 1;
    if ((!is_at(text, at, '+') && !is_at(text, at, '-')) || !is_at(text, at + 3, ':') ||
        at + 6 != text.size || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return 0;
    *out_ms = (hours * 60 + minutes) * 60000 * (text.data[at] == '-' ? -1 : 1);
    return 1;
}

int review_time(struct kith_text text, int64_t *out_ms)
{
    int64_t day, offset;
    int64_t hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (!read_day(text, &day))
        return 0;
    if (text.size == 10) {
        *out_ms = day;
        return 1;
    }
    if (!is_at(text, 10, 'T') || !is_at(text, 13, ':') || !is_at(text, 16, ':') || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return 0;
    size_t at = 19;
    if (is_at(text, at, '.'))
        for (at++; digits(text, at, 1) >= 0;)
            at++;
    if (!read_offset(text, at, &offset))
        return 0;
    *out_ms = day + ((hour * 60 + minute) * 60 + second) * 1000 - offset;
    return 1;
}

void review_say_time(int64_t ms, char out[24])
{
    int64_t seconds = ms >= 0 && ms < 253402300800000 ? ms / 1000 : 0;
    int64_t day = seconds / 86400, left = seconds % 86400;
    int64_t z = day + 719468, era = z / 146097, of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int number = (int)(year + era * 400 + (month >= 10));
    snprintf(out, 24, "%04d-%02d-%02dT%02d:%02d:%02dZ", number % 10000,
             (int)(month < 10 ? month + 3 : month - 9) % 100,
             (int)(of_year - (153 * month + 2) / 5 + 1) % 100, (int)(left / 3600) % 100,
             (int)(left / 60 % 60) % 100, (int)(left % 60) % 100);
}

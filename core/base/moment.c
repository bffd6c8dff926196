/* moment.c -- a reader for the one format, written by hand.
 *
 * Every event carries two or three instants as text, so this lies on the path
 * of ingestion.  strptime() knows no fractions, obeys the locale and needs a
 * second step (timegm) that is slower than all of this.
 *
 * Each step of the reader takes what it expects from the front of the scan and
 * returns NULL, or else says what it would have expected there.  The scan then
 * stands at the offending byte, which gives the column.
 */
#include "core/base/moment.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/near.h"

#include <string.h>

struct scan {
    const char *at;
    const char *end;
};

static size_t left(const struct scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

static bool skip(struct scan *scan, char byte)
{
    if (scan->at == scan->end || *scan->at != byte)
        return false;
    scan->at++;
    return true;
}

/* Two digits as a number, or a number above 99. */
static unsigned two_digits(const char *at)
{
    unsigned tens = (unsigned)at[0] - '0';
    unsigned ones = (unsigned)at[1] - '0';
    return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

/* Read two digits of which the value is `least` to `most`. */
static bool read_pair(struct scan *scan, unsigned least, unsigned most, int *value)
{
    if (left(scan) < 2)
        return false;
    unsigned pair = two_digits(scan->at);
    if (pair < least || pair > most)
        return false;
    *value = (int)pair;
    scan->at += 2;
    return true;
}

static const char *read_date(struct scan *scan, struct civil *civil)
{
    int century = 0, year = 0;
    if (!read_pair(scan, 0, 99, &century) || !read_pair(scan, 0, 99, &year) || century + year == 0)
        return "a year of four digits, 0001 to 9999";
    civil->year = century * 100 + year;
    if (!skip(scan, '-'))
        return "\"-\" between year and month";
    if (!read_pair(scan, 1, 12, &civil->month))
        return "a month, 01 to 12";
    if (!skip(scan, '-'))
        return "\"-\" between month and day";
    unsigned last = (unsigned)civil_month_days(civil->year, civil->month);
    return read_pair(scan, 1, last, &civil->day) ? NULL : "a day that this month has";
}

/* The first three digits count; the others only have to be digits. */
static const char *read_fraction(struct scan *scan, struct civil *civil)
{
    int weight = 100;
    const char *first = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        civil->ms += (*scan->at++ - '0') * weight;
        weight /= 10;
    }
    return scan->at == first ? "digits of a fraction" : NULL;
}

static const char *read_time(struct scan *scan, struct civil *civil)
{
    if (!read_pair(scan, 0, 23, &civil->hour))
        return left(scan) >= 2 && two_digits(scan->at) == 24
                   ? "an hour, 00 to 23 (24:00 is 00:00 of the next day)"
                   : "an hour, 00 to 23";
    if (!skip(scan, ':'))
        return "\":\" between hour and minute";
    if (!read_pair(scan, 0, 59, &civil->minute))
        return "a minute, 00 to 59";
    if (!skip(scan, ':'))
        return NULL;
    if (!read_pair(scan, 0, 60, &civil->second))
        return "a second, 00 to 59";
    const char *wanted = NULL;
    if (skip(scan, '.') || skip(scan, ','))
        wanted = read_fraction(scan, civil);
    if (civil->second == 60) {
        civil->second = 59;
        civil->ms = 999;
    }
    return wanted;
}

/* Z, +01:00, +0100 or +01; nothing at all leaves *has_offset false. */
static const char *read_offset(struct scan *scan, bool *has_offset, int *offset_minutes)
{
    int hours = 0, minutes = 0;
    if (scan->at == scan->end)
        return NULL;
    *has_offset = true;
    if (skip(scan, 'Z') || skip(scan, 'z'))
        return NULL;
    bool is_west = skip(scan, '-');
    if (!is_west && !skip(scan, '+'))
        return "an offset such as Z or +01:00";
    if (!read_pair(scan, 0, 23, &hours))
        return "hours of an offset, 00 to 23";
    if ((skip(scan, ':') || left(scan) > 0) && !read_pair(scan, 0, 59, &minutes))
        return "minutes of an offset, 00 to 59";
    *offset_minutes = hours * 60 + minutes;
    if (is_west)
        *offset_minutes = -*offset_minutes;
    return NULL;
}

static int refuse(const char *text, size_t size, const char *at, const char *wanted,
                  struct err *err)
{
    struct near_quote quote;
    return err_set(err, E_INVALID, "time \"%s\", column %zu: expected %s",
                   near_quote(text, size, &quote), (size_t)(at - text) + 1, wanted);
}

static const char *read_moment(struct scan *scan, struct civil *civil, bool *has_offset,
                               int *offset_minutes)
{
    const char *wanted = read_date(scan, civil);
    if (wanted != NULL || scan->at == scan->end)
        return wanted;
    if (!skip(scan, 'T') && !skip(scan, 't') && !skip(scan, ' '))
        return "\"T\" between date and time";
    wanted = read_time(scan, civil);
    if (wanted == NULL)
        wanted = read_offset(scan, has_offset, offset_minutes);
    if (wanted == NULL && scan->at < scan->end)
        wanted = "the end of the text";
    return wanted;
}

int moment_parse_loose(const char *text, size_t size, int64_t *out_ms, bool *out_has_offset,
                       struct err *err)
{
    struct scan scan = { text, text + size };
    struct civil civil = { 0 };
    bool has_offset = false;
    int offset_minutes = 0;

    const char *wanted = read_moment(&scan, &civil, &has_offset, &offset_minutes);
    if (wanted != NULL)
        return refuse(text, size, scan.at, wanted, err);
    int64_t ms = civil_local_ms(&civil) - offset_minutes * CIVIL_MINUTE_MS;
    if (ms < CIVIL_MS_MIN || ms > CIVIL_MS_MAX)
        return refuse(text, size, text, "an instant within the years 1 to 9999 UTC", err);

    *out_ms = ms;
    *out_has_offset = has_offset;
    return 0;
}

int moment_parse(const char *text, size_t size, int64_t *out_ms, struct err *err)
{
    bool has_offset = false;
    return moment_parse_loose(text, size, out_ms, &has_offset, err);
}

int moment_parse_date(const char *text, size_t size, int64_t *out_days, struct err *err)
{
    struct scan scan = { text, text + size };
    struct civil civil = { 0 };

    const char *wanted = read_date(&scan, &civil);
    if (wanted == NULL && scan.at < scan.end)
        wanted = "the end of the date";
    if (wanted != NULL)
        return refuse(text, size, scan.at, wanted, err);
    *out_days = civil_days(civil.year, civil.month, civil.day);
    return 0;
}

static void write_pair(char *at, int value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

void moment_format(int64_t ms, char out_text[MOMENT_TEXT_SIZE])
{
    struct civil civil;

    ASSERT(ms >= CIVIL_MS_MIN && ms <= CIVIL_MS_MAX);
    civil_from_local_ms(ms, &civil);
    memcpy(out_text, "0000-00-00T00:00:00.000Z", MOMENT_TEXT_SIZE);
    write_pair(out_text, civil.year / 100);
    write_pair(out_text + 2, civil.year % 100);
    write_pair(out_text + 5, civil.month);
    write_pair(out_text + 8, civil.day);
    write_pair(out_text + 11, civil.hour);
    write_pair(out_text + 14, civil.minute);
    write_pair(out_text + 17, civil.second);
    out_text[20] = (char)('0' + civil.ms / 100);
    write_pair(out_text + 21, civil.ms % 100);
}

bool moment_parse_clock(const char *text, size_t size, int *out_minute)
{
    if (size != 5 || text[2] != ':')
        return false;
    for (size_t i = 0; i < size; i++)
        if (i != 2 && (text[i] < '0' || text[i] > '9'))
            return false;
    int hour = (text[0] - '0') * 10 + text[1] - '0';
    int minute = (text[3] - '0') * 10 + text[4] - '0';
    if (hour > 23 || minute > 59)
        return false;
    *out_minute = hour * 60 + minute;
    return true;
}

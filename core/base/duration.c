/* duration.c -- reading a duration, and explaining one that cannot be read.
 *
 * The strict reader is small and fast.  Only when it fails does a second,
 * lenient reader try to understand what was meant ("90 days", "1.5h", "+5D"),
 * for the sole purpose of naming the right text in the reason.  Accepting the
 * lenient forms outright was rejected: every text has one meaning and every
 * meaning one text, so that bundles compare and search well.
 */
#include "core/base/duration.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/near.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT_DIGITS_MAX 15 /* more than any limit has; no overflow below it */
#define FRACTION_DIGITS_MAX 3

/* Hundred years in days, of which every fourth has one more. */
#define DAYS_MAX (DURATION_YEARS_MAX * 36525 / 100)

struct unit {
    const char *text;
    int64_t count_max;
    int64_t ms;        /* 0 unless elapsed */
    int64_t finer_per; /* how many of the next unit make up one; 0: none do */
    enum duration_unit finer;
};

static const struct unit units[] = {
    [DURATION_SECONDS] = { "s", DAYS_MAX * 86400LL, CIVIL_SECOND_MS, 0, 0 },
    [DURATION_MINUTES] = { "min", DAYS_MAX * 1440LL, CIVIL_MINUTE_MS, 60, DURATION_SECONDS },
    [DURATION_HOURS] = { "h", DAYS_MAX * 24LL, CIVIL_HOUR_MS, 60, DURATION_MINUTES },
    [DURATION_DAYS] = { "d", DAYS_MAX, 0, 24, DURATION_HOURS },
    [DURATION_WEEKS] = { "w", DAYS_MAX / 7, 0, 7, DURATION_DAYS },
    [DURATION_MONTHS] = { "mo", DURATION_YEARS_MAX * 12, 0, 0, 0 },
    [DURATION_YEARS] = { "y", DURATION_YEARS_MAX, 0, 12, DURATION_MONTHS },
    [DURATION_WORKDAYS] = { "wd", DAYS_MAX, 0, 0, 0 },
    [DURATION_WORKHOURS] = { "wh", DAYS_MAX * 24LL, 0, 0, 0 },
};
#define UNIT_COUNT (sizeof units / sizeof *units)

/* Other spellings, lower case, of units that people know. */
static const struct spelling {
    const char *text;
    enum duration_unit unit;
} spellings[] = {
    { "sec", DURATION_SECONDS },        { "secs", DURATION_SECONDS },
    { "second", DURATION_SECONDS },     { "seconds", DURATION_SECONDS },
    { "mins", DURATION_MINUTES },       { "minute", DURATION_MINUTES },
    { "minutes", DURATION_MINUTES },    { "hr", DURATION_HOURS },
    { "hrs", DURATION_HOURS },          { "hour", DURATION_HOURS },
    { "hours", DURATION_HOURS },        { "day", DURATION_DAYS },
    { "days", DURATION_DAYS },          { "wk", DURATION_WEEKS },
    { "week", DURATION_WEEKS },         { "weeks", DURATION_WEEKS },
    { "mon", DURATION_MONTHS },         { "month", DURATION_MONTHS },
    { "months", DURATION_MONTHS },      { "yr", DURATION_YEARS },
    { "year", DURATION_YEARS },         { "years", DURATION_YEARS },
    { "workday", DURATION_WORKDAYS },   { "workdays", DURATION_WORKDAYS },
    { "workhour", DURATION_WORKHOURS }, { "workhours", DURATION_WORKHOURS },
};

/* What is left to read. */
struct scan {
    const char *at;
    const char *end;
};

static bool is_digit(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

/* Whether the next byte is `byte`; if so it is read. */
static bool skip(struct scan *scan, char byte)
{
    if (scan->at == scan->end || *scan->at != byte)
        return false;
    scan->at++;
    return true;
}

/* Read digits into *count, at most `digits_max`; returns how many. */
static int read_digits(struct scan *scan, int digits_max, int64_t *count)
{
    int digits = 0;
    *count = 0;
    while (digits < digits_max && is_digit(scan)) {
        *count = *count * 10 + (*scan->at++ - '0');
        digits++;
    }
    return digits;
}

static bool find_unit(const char *text, size_t size, enum duration_unit *unit)
{
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (strlen(units[i].text) == size && memcmp(units[i].text, text, size) == 0) {
            *unit = (enum duration_unit)i;
            return true;
        }
    }
    return false;
}

static bool find_spelling(const char *word, enum duration_unit *unit)
{
    if (find_unit(word, strlen(word), unit))
        return true;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (strcmp(spellings[i].text, word) == 0) {
            *unit = spellings[i].unit;
            return true;
        }
    }
    return false;
}

/* Read a word, in lower case, that ends the text. */
static bool read_last_word(struct scan *scan, char word[12])
{
    size_t size = 0;
    while (scan->at < scan->end && size < 11) {
        char letter = (char)(*scan->at | 0x20);
        if (letter < 'a' || letter > 'z')
            break;
        word[size++] = letter;
        scan->at++;
    }
    word[size] = '\0';
    while (skip(scan, ' '))
        continue;
    return size > 0 && scan->at == scan->end;
}

/* Express count + part/scale in a finer unit that makes it whole; failing that,
 * the next whole number. */
static struct duration whole(int64_t count, int64_t part, int64_t scale, enum duration_unit unit)
{
    struct duration coarse = { count + (part != 0), unit };
    while (part != 0 && units[unit].finer_per != 0) {
        int64_t per = units[unit].finer_per;
        count = count * per + part * per / scale;
        part = part * per % scale;
        unit = units[unit].finer;
    }
    return part == 0 ? (struct duration){ count, unit } : coarse;
}

/* Understand what the strict reader could not.  Returns whether *nearest and
 * *other (for "5m": minutes or months) now hold durations. */
static bool guess(struct scan scan, struct duration *nearest, bool *is_month_too)
{
    int64_t count = 0, part = 0, scale = 1;
    char word[12];

    while (skip(&scan, ' '))
        continue;
    bool is_negative = skip(&scan, '-');
    if (!is_negative)
        skip(&scan, '+');
    int digits = read_digits(&scan, 6, &count);
    if (skip(&scan, '.') || skip(&scan, ',')) {
        int places = read_digits(&scan, FRACTION_DIGITS_MAX, &part);
        for (int i = 0; i < places; i++)
            scale *= 10;
        digits += places;
    }
    while (skip(&scan, ' '))
        continue;
    if (digits == 0 || !read_last_word(&scan, word))
        return false;
    *is_month_too = strcmp(word, "m") == 0;
    enum duration_unit unit = DURATION_MINUTES;
    if (!*is_month_too && !find_spelling(word, &unit))
        return false;

    *nearest = whole(count, part, scale, unit);
    if (is_negative)
        nearest->count = -nearest->count;
    return duration_check(*nearest, NULL) == 0;
}

static int refuse(const char *text, size_t size, struct err *err)
{
    struct near_quote quote;
    struct duration nearest;
    char wanted[DURATION_TEXT_SIZE];
    bool is_month_too = false;
    const char *written = near_quote(text, size, &quote);

    if (!guess((struct scan){ text, text + size }, &nearest, &is_month_too))
        return err_set(err, E_INVALID,
                       "\"%s\" is no duration: write a whole number"
                       " and one of s, min, h, d, w, mo, y, wd, wh, such as \"90d\"",
                       written);
    duration_format(nearest, wanted);
    if (is_month_too)
        return err_set(err, E_INVALID,
                       "\"%s\" is no duration: write \"%s\" for minutes"
                       " or \"%" PRId64 "mo\" for months",
                       written, wanted, nearest.count);
    return err_set(err, E_INVALID, "\"%s\" is no duration: write \"%s\"", written, wanted);
}

int duration_check(struct duration duration, struct err *err)
{
    if ((size_t)duration.unit >= UNIT_COUNT)
        return err_set(err, E_INVALID, "a duration of unknown unit %d", (int)duration.unit);
    const struct unit *unit = &units[duration.unit];
    if (duration.count > unit->count_max || duration.count < -unit->count_max)
        return err_set(err, E_LIMIT,
                       "a duration of %" PRId64 "%s: the limit is %" PRId64 "%s, which is %d years",
                       duration.count, unit->text, unit->count_max, unit->text, DURATION_YEARS_MAX);
    return 0;
}

int duration_parse(const char *text, size_t size, struct duration *out_duration, struct err *err)
{
    struct scan scan = { text, text + size };
    struct duration duration = { 0, DURATION_SECONDS };

    bool is_negative = skip(&scan, '-');
    if (read_digits(&scan, COUNT_DIGITS_MAX, &duration.count) == 0 ||
        !find_unit(scan.at, (size_t)(scan.end - scan.at), &duration.unit))
        return refuse(text, size, err);
    if (is_negative)
        duration.count = -duration.count;
    int rc = duration_check(duration, err);
    if (rc == 0)
        *out_duration = duration;
    return rc;
}

void duration_format(struct duration duration, char out_text[DURATION_TEXT_SIZE])
{
    ASSERT(duration_check(duration, NULL) == 0);
    snprintf(out_text, DURATION_TEXT_SIZE, "%" PRId64 "%s", duration.count,
             units[duration.unit].text);
}

bool duration_is_elapsed(struct duration duration)
{
    return (size_t)duration.unit < UNIT_COUNT && units[duration.unit].ms != 0;
}

int64_t duration_elapsed_ms(struct duration duration)
{
    ASSERT(duration_is_elapsed(duration));
    return duration.count * units[duration.unit].ms;
}

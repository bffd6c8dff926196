/* zone_rule.c -- reading the rule of a zone, and its dates year by year.
 *
 * The text is read from left to right by a cursor that never passes the end; each
 * reader takes what it wants and says what it missed.  Numbers have three digits
 * at most, so nothing can overflow.
 *
 * Because hours reach a week beyond their day, the end of one year's summer time
 * may lie behind the beginning of the next one's.  All changes are therefore put
 * in order first.  Each is at most some days out of place, so that inserting them
 * one by one costs no more than appending.
 *
 * Computing the two dates of a year at each conversion is the alternative to
 * listing them: it needs no memory, but a calendar for each question and a second
 * way to search.
 */
#include "core/base/zone_rule.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/zone_table.h"

#include <stdlib.h>

#define NAME_LETTERS_MIN 3
#define OFFSET_HOURS_MAX 24
#define TIME_HOURS_MAX 167
#define TIME_DEFAULT_MS (2 * CIVIL_HOUR_MS)
#define SUMMER_DEFAULT_MS CIVIL_HOUR_MS /* ahead of standard time */

/* -- Reading ------------------------------------------------------------------- */

struct cursor {
    const char *start, *at, *end;
    struct err *err;
};

static int miss(const struct cursor *cursor, const char *wanted)
{
    return err_set(cursor->err, E_INVALID, "%s expected in column %zu", wanted,
                   (size_t)(cursor->at - cursor->start) + 1);
}

static bool is_next(const struct cursor *cursor, char wanted)
{
    return cursor->at < cursor->end && *cursor->at == wanted;
}

static bool skip(struct cursor *cursor, char wanted)
{
    bool is_there = is_next(cursor, wanted);
    cursor->at += is_there;
    return is_there;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int read_number(struct cursor *cursor, int least, int most, const char *wanted, int *out)
{
    struct cursor digits = *cursor;
    int number = 0;
    while (digits.at < digits.end && is_digit(*digits.at) && digits.at - cursor->at < 3)
        number = number * 10 + (*digits.at++ - '0');
    bool is_whole = digits.at == digits.end || !is_digit(*digits.at);
    if (digits.at == cursor->at || !is_whole || number < least || number > most)
        return miss(cursor, wanted);
    cursor->at = digits.at;
    *out = number;
    return 0;
}

/* CET, or <+03> when it is not of letters alone.  Nobody asks for the name. */
static int skip_name(struct cursor *cursor)
{
    bool is_quoted = skip(cursor, '<');
    const char *first = cursor->at;
    while (cursor->at < cursor->end &&
           (is_letter(*cursor->at) ||
            (is_quoted && (is_digit(*cursor->at) || *cursor->at == '+' || *cursor->at == '-'))))
        cursor->at++;
    if (cursor->at - first < NAME_LETTERS_MIN)
        return miss(cursor, "a name of three letters or more");
    return is_quoted && !skip(cursor, '>') ? miss(cursor, ">") : 0;
}

/* [+-]h[h[h]][:mm[:ss]] */
static int read_time(struct cursor *cursor, int hours_max, int64_t *out_ms)
{
    bool is_negative = skip(cursor, '-');
    const char *wanted = hours_max == TIME_HOURS_MAX ? "hours up to 167" : "hours up to 24";
    int hours = 0, minutes = 0, seconds = 0;
    if (!is_negative)
        skip(cursor, '+');
    int rc = read_number(cursor, 0, hours_max, wanted, &hours);
    if (rc == 0 && skip(cursor, ':')) {
        rc = read_number(cursor, 0, 59, "minutes", &minutes);
        if (rc == 0 && skip(cursor, ':'))
            rc = read_number(cursor, 0, 59, "seconds", &seconds);
    }
    if (rc != 0)
        return rc;
    int64_t ms = hours * CIVIL_HOUR_MS + minutes * CIVIL_MINUTE_MS + seconds * CIVIL_SECOND_MS;
    *out_ms = is_negative ? -ms : ms;
    return 0;
}

static int read_weekday(struct cursor *cursor, struct zone_date *date)
{
    int rc = read_number(cursor, 1, 12, "a month", &date->month);
    if (rc == 0 && !skip(cursor, '.'))
        rc = miss(cursor, ". and a week");
    if (rc == 0)
        rc = read_number(cursor, 1, 5, "a week from 1 to 5", &date->week);
    if (rc == 0 && !skip(cursor, '.'))
        rc = miss(cursor, ". and a weekday");
    return rc == 0 ? read_number(cursor, 0, 6, "a weekday from 0 to 6", &date->day) : rc;
}

static int read_date(struct cursor *cursor, struct zone_date *date)
{
    int rc;
    *date = (struct zone_date){ .time_ms = TIME_DEFAULT_MS };
    if (!skip(cursor, ','))
        return miss(cursor, "a comma and a date");
    if (skip(cursor, 'M')) {
        date->form = ZONE_DATE_WEEKDAY;
        rc = read_weekday(cursor, date);
    } else if (skip(cursor, 'J')) {
        date->form = ZONE_DATE_JULIAN;
        rc = read_number(cursor, 1, 365, "a day from 1 to 365", &date->day);
    } else {
        date->form = ZONE_DATE_ORDINAL;
        rc = read_number(cursor, 0, 365, "a day from 0 to 365", &date->day);
    }
    return rc == 0 && skip(cursor, '/') ? read_time(cursor, TIME_HOURS_MAX, &date->time_ms) : rc;
}

static int read_summer(struct cursor *cursor, struct zone_rule *rule)
{
    rule->has_summer = true;
    rule->summer_ms = rule->standard_ms + SUMMER_DEFAULT_MS;
    int rc = skip_name(cursor);
    if (rc == 0 && cursor->at < cursor->end && !is_next(cursor, ',')) {
        rc = read_time(cursor, OFFSET_HOURS_MAX, &rule->summer_ms);
        rule->summer_ms = -rule->summer_ms;
    }
    if (rc == 0)
        rc = read_date(cursor, &rule->begin);
    return rc == 0 ? read_date(cursor, &rule->end) : rc;
}

int zone_rule_parse(const char *text, size_t size, struct zone_rule *out_rule, struct err *err)
{
    struct cursor cursor = { text, text, text + size, err };
    struct zone_rule rule = { 0 };
    int rc = skip_name(&cursor);
    if (rc == 0)
        rc = read_time(&cursor, OFFSET_HOURS_MAX, &rule.standard_ms);
    rule.standard_ms = -rule.standard_ms;
    if (rc == 0 && cursor.at < cursor.end)
        rc = read_summer(&cursor, &rule);
    if (rc == 0 && cursor.at < cursor.end)
        rc = miss(&cursor, "the end");
    if (rc == 0)
        *out_rule = rule;
    return rc;
}

/* -- Dates --------------------------------------------------------------------- */

static int64_t date_days(const struct zone_date *date, int64_t year)
{
    if (date->form == ZONE_DATE_ORDINAL)
        return civil_days(year, 1, 1) + date->day;
    if (date->form == ZONE_DATE_JULIAN) {
        bool is_behind_leap_day = date->day > 59 && civil_month_days(year, 2) == 29;
        return civil_days(year, 1, 1) + date->day - 1 + is_behind_leap_day;
    }
    int64_t first = civil_days(year, date->month, 1);
    int days = (date->day - civil_weekday(first) % 7 + 7) % 7 + 7 * (date->week - 1);
    return first + (days < civil_month_days(year, date->month) ? days : days - 7);
}

static struct zone_change change_of(const struct zone_rule *rule, int64_t year, bool is_begin)
{
    const struct zone_date *date = is_begin ? &rule->begin : &rule->end;
    int64_t before_ms = is_begin ? rule->standard_ms : rule->summer_ms;
    int64_t at_ms = date_days(date, year) * CIVIL_DAY_MS + date->time_ms - before_ms;
    return (struct zone_change){ at_ms, is_begin ? rule->summer_ms : rule->standard_ms };
}

static size_t insert(struct zone_change *changes, size_t count, struct zone_change change)
{
    size_t place = count;
    for (; place > 0 && changes[place - 1].at_ms > change.at_ms; place--)
        changes[place] = changes[place - 1];
    changes[place] = change;
    return count + 1;
}

/* Ascending.  An end goes in before a beginning, so that of two at the same instant
 * the beginning stands behind. */
static size_t list_changes(const struct zone_rule *rule, int64_t year, int64_t year_end,
                           struct zone_change *out_changes)
{
    size_t count = 0;
    for (; year < year_end; year++) {
        count = insert(out_changes, count, change_of(rule, year, false));
        count = insert(out_changes, count, change_of(rule, year, true));
    }
    return count;
}

static int64_t year_of(int64_t ms)
{
    struct civil civil;
    civil_from_local_ms(ms < CIVIL_MS_MIN ? CIVIL_MS_MIN : ms, &civil);
    return civil.year;
}

void zone_rule_append(const struct zone_rule *rule, int64_t after_ms, struct buf *table)
{
    if (!rule->has_summer || after_ms >= ZONE_TABLE_END_MS)
        return;
    int64_t year = year_of(after_ms) - 1, year_end = year_of(ZONE_TABLE_END_MS) + 1;
    struct zone_change *changes = mem_alloc((size_t)(year_end - year) * 2 * sizeof *changes);
    size_t count = list_changes(rule, year, year_end, changes);
    for (size_t i = 0; i < count && changes[i].at_ms < ZONE_TABLE_END_MS; i++) {
        bool is_undone = i + 1 < count && changes[i + 1].at_ms == changes[i].at_ms;
        if (changes[i].at_ms > after_ms && !is_undone)
            zone_table_append(table, changes[i].at_ms, changes[i].offset_ms);
    }
    free(changes);
}

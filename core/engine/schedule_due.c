/* schedule_due.c -- periods, dates and anniversaries as instants; see schedule_due.h. */
#include "core/engine/schedule_due.h"

#include "core/base/moment.h"
#include "core/base/near.h"
#include "core/base/workday.h"
#include "core/base/yearly.h"
#include "core/base/zone.h"
#include "core/engine/engine_inside.h"

#include <string.h>

#define YEARLY_AT_MINUTE 540 /* 09:00, when a yearly trigger does not say */
#define YEAR_OF_NONE 4       /* of a date without a year: one that has a 29 February */

static const struct workweek *company_week(const struct engine *engine)
{
    return engine->rules->calendar(engine->rules, (struct text){ "", 0 });
}

static bool is_working(const struct rule *rule)
{
    return rule->period.unit == DURATION_WORKDAYS || rule->period.unit == DURATION_WORKHOURS;
}

bool rhythm_has_zone(const struct rule *rule)
{
    return !is_working(rule) && !duration_is_elapsed(rule->period);
}

/* -- Periods of the clock and the calendar -------------------------------- */

static int64_t add_months(int64_t local, int64_t months)
{
    int64_t day = civil_local_days(local);
    return local + (civil_days_add_months(day, months) - day) * CIVIL_DAY_MS;
}

/* The wall clock, or the instant, n periods after the beginning. */
static int64_t beat(const struct rule *rule, const struct rhythm *rhythm)
{
    int64_t count = rhythm->n * rule->period.count;
    switch (rule->period.unit) {
    case DURATION_DAYS:
        return rhythm->since + count * CIVIL_DAY_MS;
    case DURATION_WEEKS:
        return rhythm->since + count * 7 * CIVIL_DAY_MS;
    case DURATION_MONTHS:
        return add_months(rhythm->since, count);
    case DURATION_YEARS:
        return add_months(rhythm->since, count * 12);
    default:
        return rhythm->since + rhythm->n * duration_elapsed_ms(rule->period);
    }
}

static int64_t longest_ms(struct duration period)
{
    switch (period.unit) {
    case DURATION_DAYS:
        return period.count * CIVIL_DAY_MS;
    case DURATION_WEEKS:
        return period.count * 7 * CIVIL_DAY_MS;
    case DURATION_MONTHS:
        return period.count * 31 * CIVIL_DAY_MS;
    case DURATION_YEARS:
        return period.count * 366 * CIVIL_DAY_MS;
    default:
        return duration_elapsed_ms(period);
    }
}

bool rhythm_is_due(const struct rule *rule, const struct zone *zone, const struct rhythm *rhythm,
                   int64_t *out_due)
{
    int64_t at = is_working(rule) ? rhythm->since : beat(rule, rhythm);
    if (at > CIVIL_MS_MAX)
        return false;
    *out_due = rhythm_has_zone(rule) ? zone_ms_from_local(zone, at) : at;
    return true;
}

/* The first from n on that lies ahead.  Where to look from is guessed, and never too late. */
static bool find_ahead(const struct rule *rule, const struct zone *zone, int64_t now,
                       struct rhythm *rhythm, int64_t *out_due)
{
    int64_t passed = (now - rhythm->since) / longest_ms(rule->period) - 2;
    if (rhythm->n < passed)
        rhythm->n = passed;
    while (rhythm_is_due(rule, zone, rhythm, out_due)) {
        if (*out_due > now)
            return true;
        rhythm->n++;
    }
    return false;
}

/* -- Periods of work ------------------------------------------------------ */

static bool add_work(const struct engine *engine, const struct rule *rule, int64_t from,
                     int64_t count, int64_t *out_due)
{
    const struct workweek *week = company_week(engine);
    int rc = rule->period.unit == DURATION_WORKDAYS
                 ? workday_add_days(week, from, count, rule->at_minute, out_due, NULL)
                 : workday_add_hours(week, from, count, out_due, NULL);
    return rc == 0;
}

static int64_t day_in(const struct zone *zone, int64_t ms)
{
    return civil_local_days(zone_local_from_ms(zone, ms));
}

/* A working day that has not closed is the first; hours begin to count now. */
static bool begin_work(const struct engine *engine, const struct rule *rule, int64_t *out_due)
{
    const struct zone *zone = workday_zone(company_week(engine));
    bool is_today = rule->period.unit == DURATION_WORKDAYS &&
                    add_work(engine, rule, engine->now, 0, out_due) &&
                    day_in(zone, *out_due) == day_in(zone, engine->now);
    return is_today || add_work(engine, rule, engine->now, rule->period.count, out_due);
}

/* -- every ---------------------------------------------------------------- */

bool rhythm_begin(const struct engine *engine, const struct rule *rule, const struct zone *zone,
                  struct rhythm *out_rhythm, int64_t *out_due)
{
    *out_rhythm = (struct rhythm){ engine->now, 1 };
    if (is_working(rule)) {
        if (!begin_work(engine, rule, out_due))
            return false;
        *out_rhythm = (struct rhythm){ *out_due, 0 };
        return true;
    }
    if (rhythm_has_zone(rule))
        out_rhythm->since = zone_local_from_ms(zone, engine->now);
    if (rhythm_has_zone(rule) && rule->at_minute >= 0) { /* today, if that is to come */
        int64_t day = civil_local_days(out_rhythm->since);
        out_rhythm->since = day * CIVIL_DAY_MS + rule->at_minute * CIVIL_MINUTE_MS;
        out_rhythm->n = 0;
    }
    return find_ahead(rule, zone, engine->now, out_rhythm, out_due);
}

bool rhythm_go_on(const struct engine *engine, const struct rule *rule, const struct zone *zone,
                  struct rhythm *rhythm, int64_t *out_due)
{
    if (!is_working(rule)) {
        rhythm->n++;
        return find_ahead(rule, zone, engine->now, rhythm, out_due);
    }
    if (!add_work(engine, rule, rhythm->since, rule->period.count, out_due) ||
        (*out_due <= engine->now && !begin_work(engine, rule, out_due)))
        return false;
    rhythm->since = *out_due;
    return true;
}

/* -- date and yearly ------------------------------------------------------ */

/* What a trait holds, read as a date. */
struct trait_date {
    int64_t day, local; /* local: the wall clock too, or its midnight */
    bool has_year;
};

static bool read_two_digits(const char *text, int *out_number)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *out_number = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

/* "--02-29" or "--0229", as vCards have a birthday whose year nobody knows. */
static bool read_without_year(struct text text, struct trait_date *out)
{
    int month, day;
    if ((text.size != 7 && text.size != 6) || memcmp(text.data, "--", 2) != 0 ||
        (text.size == 7 && text.data[4] != '-') || !read_two_digits(text.data + 2, &month) ||
        !read_two_digits(text.data + text.size - 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > civil_month_days(YEAR_OF_NONE, month))
        return false;
    out->day = civil_days(YEAR_OF_NONE, month, day);
    out->has_year = false;
    return true;
}

static bool read_text(struct text text, const struct zone *zone, struct trait_date *out)
{
    int64_t ms;
    bool has_offset;
    if (moment_parse_date(text.data, text.size, &out->day, NULL) == 0 ||
        read_without_year(text, out)) {
        out->local = out->day * CIVIL_DAY_MS;
        return true;
    }
    if (moment_parse_loose(text.data, text.size, &ms, &has_offset, NULL) != 0)
        return false;
    out->local = has_offset ? zone_local_from_ms(zone, ms) : ms;
    out->day = civil_local_days(out->local);
    return true;
}

/* Text, a moment, or milliseconds; but a `date` and the Chinese calendar need the year. */
static bool read_date(const struct doc_value *value, const struct rule *rule,
                      const struct zone *zone, struct trait_date *out)
{
    bool is_number = value->type == DOC_DATETIME || value->type == DOC_INT64;
    *out = (struct trait_date){ .has_year = true };
    if (value->type == DOC_TEXT)
        return read_text(value->text, zone, out) &&
               (out->has_year || (rule->trigger == RULE_ON_YEARLY && !rule->is_chinese));
    if (!is_number || value->integer < CIVIL_MS_MIN || value->integer > CIVIL_MS_MAX)
        return false;
    out->local = zone_local_from_ms(zone, value->integer);
    out->day = civil_local_days(out->local);
    return true;
}

static int add_shift(const struct engine *engine, const struct rule *rule, const struct zone *zone,
                     const struct trait_date *date, int64_t *out_due)
{
    int64_t local = date->local;
    if (rule->period.unit == DURATION_WORKDAYS) { /* from that day on, where the company is */
        int64_t begin =
            zone_ms_from_local(workday_zone(company_week(engine)), date->day * CIVIL_DAY_MS);
        return workday_add_days(company_week(engine), begin, rule->period.count, rule->at_minute,
                                out_due, NULL);
    }
    if (rule->at_minute >= 0)
        local = date->day * CIVIL_DAY_MS + rule->at_minute * CIVIL_MINUTE_MS;
    int64_t ms = zone_ms_from_local(zone, local);
    if (rule->period.unit == DURATION_WORKHOURS)
        return workday_add_hours(company_week(engine), ms, rule->period.count, out_due, NULL);
    return civil_add(zone, ms, rule->period, out_due, NULL);
}

static int return_of(const struct rule *rule, const struct zone *zone,
                     const struct trait_date *date, int64_t after, int64_t *out_due,
                     struct err *err)
{
    return yearly_next(zone, rule->is_chinese ? YEARLY_CHINESE : YEARLY_GREGORIAN, date->day,
                       rule->at_minute >= 0 ? rule->at_minute : YEARLY_AT_MINUTE, after, out_due,
                       err);
}

bool date_is_due(const struct engine *engine, const struct rule *rule,
                 const struct customer *customer, const struct zone *zone, int64_t after,
                 int64_t *out_due)
{
    struct doc_value value = customer_trait(customer, rule->trait);
    struct trait_date date;
    if (!read_date(&value, rule, zone, &date))
        return false;
    if (rule->trigger == RULE_ON_YEARLY)
        return return_of(rule, zone, &date, after, out_due, NULL) == 0;
    return add_shift(engine, rule, zone, &date, out_due) == 0 && *out_due > after;
}

static const char *forms(const struct rule *rule)
{
    if (rule->trigger != RULE_ON_YEARLY)
        return "a date is written \"2026-12-31\", \"2026-12-31 10:00\" or \"2026-12-31T10:00Z\"";
    if (rule->is_chinese)
        return "a day by the Chinese calendar is written as in the civil one, with its year: "
               "\"1992-02-29\"";
    return "a day of the year is written \"1992-02-29\" or, without its year, \"--02-29\"";
}

struct text date_complaint(struct engine *engine, const struct rule *rule,
                           const struct customer *customer)
{
    struct doc_value value = customer_trait(customer, rule->trait);
    struct near_quote quote;
    struct trait_date date;
    struct err err;
    const char *why = NULL;
    int64_t due;
    if (value.type == DOC_NONE)
        return (struct text){ "", 0 };
    if (!read_date(&value, rule, engine->config.zone, &date))
        why = forms(rule);
    else if (rule->trigger == RULE_ON_YEARLY &&
             return_of(rule, engine->config.zone, &date, engine->now, &due, &err) != 0)
        why = err.text;
    if (why == NULL)
        return (struct text){ "", 0 };
    const char *shown =
        value.type == DOC_TEXT ? near_quote(value.text.data, value.text.size, &quote) : "no text";
    return arena_printf(&engine->arena, "rule \"%.*s\" cannot read %.*s (%s): %s",
                        (int)rule->name.size, rule->name.data, (int)rule->trait.size,
                        rule->trait.data, shown, why);
}

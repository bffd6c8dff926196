/* read_due.c -- when: from what a person writes to an instant.
 *
 * The words are those of scripts (intent.h) and mean the same, but for the zone: a person at a
 * desk thinks in the company's.  Of a reminder it is decided before the entry is written, and the
 * entry has the instant.  Which field of a record is a time only its kind knows: there the entry
 * has the words, which are read when it is applied, at its time, by the rules in force then.
 */
#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/engine/engine_inside.h"
#include "core/engine/intent.h"
#include "core/engine/read_inside.h"

#include <string.h>
#include <strings.h>

static struct text assignee_of_task(struct engine *engine, uint64_t task)
{
    struct key key;
    struct bytes row;
    key_start(&key, 'k');
    key_number(&key, task);
    if (!state_get(engine->state, &key, &row))
        return (struct text){ "", 0 };
    struct doc doc = { row.data, (uint32_t)row.size };
    return arena_text(&engine->arena, doc_text(doc, "assignee"));
}

/* By whose calendar the work is done; empty: the company's. */
static struct text calendar_name(struct engine *engine, const struct read_due *how)
{
    struct customer customer = { .number = 0 };
    uint64_t number = identity_find(engine, how->customer);
    if (number != 0)
        customer_load(&customer, engine, number);
    struct text who = how->task != 0 ? assignee_of_task(engine, how->task)
                                     : staff_assignee(engine, how->to, &customer);
    struct key key;
    struct bytes row;
    key_named(&key, 's', who);
    if (!key_ok(&key) || !state_get(engine->state, &key, &row))
        return (struct text){ "", 0 };
    struct doc doc = { row.data, (uint32_t)row.size };
    return arena_text(&engine->arena, doc_text(doc, "calendar"));
}

/* Monday to Friday, nine to five: the company's hours as long as no bundle says otherwise. */
static int usual_week(struct engine *engine, struct workweek **out_week, struct err *err)
{
    struct workday_hours hours[5];
    for (int i = 0; i < 5; i++)
        hours[i] = (struct workday_hours){ i + 1, 9 * 60, 17 * 60 };
    struct workday_plan plan = { .zone = engine->config.zone, .hours = hours, .hours_count = 5 };
    return workday_new(&plan, out_week, err);
}

static int add_work(const struct workweek *week, int64_t now, struct duration duration,
                    int64_t *out_ms, struct err *err)
{
    if (duration.unit == DURATION_WORKHOURS)
        return workday_add_hours(week, now, duration.count, out_ms, err);
    return workday_add_days(week, now, duration.count, WORKDAY_AT_CLOSING, out_ms, err);
}

static int add_work_of(struct engine *engine, const struct read_due *how, struct duration duration,
                       int64_t *out_ms, struct err *err)
{
    const struct ruleset *rules = engine->rules;
    if (rules != NULL) {
        const struct workweek *week = rules->calendar(rules, calendar_name(engine, how));
        if (week == NULL)
            week = rules->calendar(rules, (struct text){ "", 0 });
        return add_work(week, how->now, duration, out_ms, err);
    }
    struct workweek *week = NULL;
    int rc = usual_week(engine, &week, err);
    if (rc == 0)
        rc = add_work(week, how->now, duration, out_ms, err);
    workday_free(week);
    return rc;
}

static int64_t end_of_day(const struct zone *zone, int64_t day)
{
    return zone_ms_from_local(zone, (day + 1) * CIVIL_DAY_MS);
}

/* How many days ahead "tomorrow", "friday" or "fri" is; 0: it is no such word.  A day's name is
 * the next one of that name: on a Friday "friday" is in a week. */
static int days_ahead(struct text text, int64_t today)
{
    static const char *const days[] = { "monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday" };
    if (text.size == strlen("tomorrow") && strncasecmp(text.data, "tomorrow", text.size) == 0)
        return 1;
    for (int i = 0; i < 7; i++)
        if ((text.size == 3 || text.size == strlen(days[i])) &&
            strncasecmp(text.data, days[i], text.size) == 0)
            return (i + 1 - civil_weekday(today) + 6) % 7 + 1;
    return 0;
}

/* All words but "today". */
static int read_words(struct text text, int64_t today, struct intent *out, struct err *err)
{
    int ahead = days_ahead(text, today);
    *out = (struct intent){ .kind = INTENT_DATE, .day = today + ahead };
    if (ahead != 0 || intent_read(text, DUE_NO_MINUTE, out, NULL) == 0)
        return 0;
    return err_set(err, E_INVALID,
                   "\"%.*s\" is no time: write a duration (3d, 2h, 1wd), a day (tomorrow, "
                   "friday, 2026-12-01) or a moment (2026-12-01 10:00, 2026-12-01T10:00:00Z)",
                   (int)text.size, text.data);
}

int read_due_check(struct text text, struct err *err)
{
    struct intent intent;
    return text_is(text, "today") ? 0 : read_words(text, 0, &intent, err);
}

int read_due_words(struct engine *engine, const struct read_due *how, struct text text,
                   int64_t *out_ms, struct err *err)
{
    const struct zone *zone = engine->config.zone;
    int64_t today = civil_local_days(zone_local_from_ms(zone, how->now));
    struct intent intent;
    if (text_is(text, "today")) {
        *out_ms = end_of_day(zone, today);
        return 0;
    }
    int rc = read_words(text, today, &intent, err);
    if (rc != 0)
        return rc;
    if (intent.kind == INTENT_WORK)
        return add_work_of(engine, how, intent.duration, out_ms, err);
    if (intent.kind == INTENT_DATE)
        intent.at_minute = how->day_minute;
    return intent_due(&intent, zone, how->now, out_ms, err);
}

int read_due(struct engine *engine, const struct read_due *how, const struct doc_value *value,
             int64_t *out_ms, struct err *err)
{
    int64_t ms = 0;
    int rc = 0;
    arena_clear(&engine->arena);
    if (value->type == DOC_TEXT)
        rc = read_due_words(engine, how, value->text, &ms, err);
    else if (value->type == DOC_INT64 || value->type == DOC_DATETIME)
        ms = value->integer;
    else
        rc = err_set(err, E_INVALID, "a time is text or a whole number of milliseconds");
    if (rc == 0 && (ms < CIVIL_MS_MIN || ms > CIVIL_MS_MAX))
        rc = err_set(err, E_INVALID, "a time lies within the years 1 to 9999");
    if (rc == 0)
        *out_ms = ms;
    return rc;
}

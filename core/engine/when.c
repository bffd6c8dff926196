/* when.c -- the moment that words for a time mean, for whoever the step is about. */
#include "core/base/workday.h"
#include "core/engine/engine_inside.h"

static const struct workweek *week_of(struct step *step, struct text who)
{
    const struct ruleset *rules = step->engine->rules;
    if (rules == NULL)
        return NULL;
    const struct workweek *week = rules->calendar(rules, step_calendar(step, who));
    return week != NULL ? week : rules->calendar(rules, (struct text){ "", 0 });
}

static int work_due(const struct workweek *week, const struct intent *intent, int64_t from,
                    int64_t *out_ms, struct err *err)
{
    int64_t count = intent->duration.count;
    if (week == NULL)
        return err_set(err, E_INVALID, "working time needs a bundle in force, with its calendars");
    return intent->duration.unit == DURATION_WORKDAYS
               ? workday_add_days(week, from, count, intent->at_minute, out_ms, err)
               : workday_add_hours(week, from, count, out_ms, err);
}

int step_when_check(const char *word, struct text words, int at_minute, struct intent *out_intent,
                    struct err *err)
{
    struct intent intent;
    struct err reason;
    int rc = intent_read(words, at_minute, &intent, &reason);
    bool is_duration = rc == 0 && (intent.kind == INTENT_DURATION || intent.kind == INTENT_WORK);
    if (rc != 0)
        return err_set(err, rc, "%s: %s", word, reason.text);
    if (is_duration && intent.duration.count < 0)
        return err_set(err, E_INVALID, "%s: \"%.*s\" lies in the past", word, (int)words.size,
                       words.data);
    *out_intent = intent;
    return 0;
}

int step_when(struct step *step, const char *word, struct text words, int at_minute,
              struct text who, int64_t from, int64_t *out_ms, struct err *err)
{
    struct intent intent = { 0 };
    struct err reason;
    int rc = step_when_check(word, words, at_minute, &intent, err);
    if (rc != 0)
        return rc;
    if (intent.kind == INTENT_WORK)
        rc = work_due(week_of(step, who), &intent, from, out_ms, &reason);
    else
        rc = intent_due(&intent, step_zone(step), from, out_ms, &reason);
    return rc != 0 ? err_set(err, rc, "%s: %s", word, reason.text) : 0;
}

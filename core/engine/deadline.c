/* deadline.c -- see deadline.h. */
#include "core/engine/deadline.h"

#include "core/base/civil.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/engine/intent.h"

static bool is_work(struct duration duration)
{
    return duration.unit == DURATION_WORKDAYS || duration.unit == DURATION_WORKHOURS;
}

static int add(const struct deadline_rule *rule, int64_t from, struct duration duration,
               int at_minute, int64_t *out_ms, struct err *err)
{
    if (duration.unit == DURATION_WORKDAYS)
        return workday_add_days(rule->week, from, duration.count,
                                at_minute >= 0 ? at_minute : WORKDAY_AT_CLOSING, out_ms, err);
    if (duration.unit == DURATION_WORKHOURS)
        return workday_add_hours(rule->week, from, duration.count, out_ms, err);
    struct intent intent = { .kind = INTENT_DURATION,
                             .duration = duration,
                             .at_minute = at_minute };
    return intent_due(&intent, workday_zone(rule->week), from, out_ms, err);
}

int deadline_after(const struct deadline_rule *rule, int64_t from, struct duration duration,
                   int64_t *out_ms, struct err *err)
{
    return add(rule, from, duration, -1, out_ms, err);
}

/* What is left at `from` of what ends at `until`. */
static int64_t left_between(const struct deadline_rule *rule, int64_t from, int64_t until)
{
    const struct zone *zone = workday_zone(rule->week);
    if (is_work(rule->due))
        return workday_open_ms(rule->week, from, until);
    if (duration_is_elapsed(rule->due))
        return until - from;
    return zone_local_from_ms(zone, until) - zone_local_from_ms(zone, from);
}

/* Work that was due outside of the hours may have nothing left, and is due when it goes on. */
static int go_on(const struct deadline_rule *rule, int64_t from, int64_t left_ms, int64_t *out_ms,
                 struct err *err)
{
    const struct zone *zone = workday_zone(rule->week);
    if (left_ms <= 0)
        *out_ms = from;
    else if (is_work(rule->due))
        return workday_add_open(rule->week, from, left_ms, out_ms, err);
    else if (duration_is_elapsed(rule->due))
        *out_ms = from + left_ms;
    else
        *out_ms = zone_ms_from_local(zone, zone_local_from_ms(zone, from) + left_ms);
    return 0;
}

int deadline_due(const struct deadline_rule *rule, int64_t since,
                 const struct deadline_pause *pauses, size_t pause_count,
                 struct deadline_due *out_due, struct err *err)
{
    struct deadline_due due = { .is_paused = false };
    int rc = add(rule, since, rule->due, rule->at_minute, &due.due, err);
    for (size_t i = 0; rc == 0 && i < pause_count; i++) {
        int64_t from = pauses[i].from > since ? pauses[i].from : since;
        if (pauses[i].until <= since || from >= due.due)
            continue; /* before it began, or when it was due already */
        due.left_ms = left_between(rule, from, due.due);
        due.is_paused = pauses[i].until == INT64_MAX;
        if (!due.is_paused)
            rc = go_on(rule, pauses[i].until, due.left_ms, &due.due, err);
    }
    if (rc == 0)
        *out_due = due;
    return rc;
}

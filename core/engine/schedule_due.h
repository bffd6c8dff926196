/* schedule_due.h -- when a rule that goes by the calendar is next due.  For schedule.c only.
 *
 * A period is counted from where it began and never from the last time it was due: what the end of
 * a month or a change of the clocks moves once must not stay moved, and a tick that comes late must
 * not put off all that follow.  So `every` keeps a beginning and a count:
 *
 *     s min h     the instant at which it began; due n periods later
 *     d w mo y    the wall clock that it began at, on the first day at `at`; due n periods later by
 *                 the customer's clock, in whatever zone she then is
 *     wd wh       the instant at which it was last due, by the company's calendar; that may be
 *                 another by the next time, and so nothing is counted across it
 *
 * What was missed while the machine stood still is not made up for: the next is the first of them
 * that lies ahead.
 *
 * Times are milliseconds since 1970 UTC, now is the entry's.  A false is the only failure.
 * Engine thread only.
 */
#ifndef CORE_ENGINE_SCHEDULE_DUE_H
#define CORE_ENGINE_SCHEDULE_DUE_H

#include "core/base/doc.h"

struct customer;
struct engine;
struct rule;
struct zone;

struct rhythm {
    int64_t since, n;
};

/* Of an `every`, begun now; after it was due; and for the same n in another zone, which may be past
 * already.  False: never, the calendar ends before. */
bool rhythm_begin(const struct engine *engine, const struct rule *rule, const struct zone *zone,
                  struct rhythm *out_rhythm, int64_t *out_due);
bool rhythm_go_on(const struct engine *engine, const struct rule *rule, const struct zone *zone,
                  struct rhythm *rhythm, int64_t *out_due);
bool rhythm_is_due(const struct rule *rule, const struct zone *zone, const struct rhythm *rhythm,
                   int64_t *out_due);
/* Whether it goes by the customer's clock. */
bool rhythm_has_zone(const struct rule *rule);

/* Of a `date` or `yearly`, the first time behind `after`.  False: none, or there is no date. */
bool date_is_due(const struct engine *engine, const struct rule *rule,
                 const struct customer *customer, const struct zone *zone, int64_t after,
                 int64_t *out_due);
/* The same day and hour in two zones lie no further apart than this. */
#define ZONES_APART_MS (36ll * 3600 * 1000)

/* Why a `date` or `yearly` can do nothing with what its trait holds; empty: it can, or nothing is
 * there. */
struct text date_complaint(struct engine *engine, const struct rule *rule,
                           const struct customer *customer);

#endif

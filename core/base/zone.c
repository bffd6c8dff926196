/* zone.c -- conversions by a search in the table of changes.
 *
 * Change i begins the interval of instants [at, next at) in which wall clock
 * minus UTC is its offset.  The wall clock of the interval begins with
 * at + offset.  From an instant, the search is by `at`; from a wall clock L, by
 * `at + offset`: the last interval that begins at or before L is the latest one
 * that can show L.  If L lies within it, done, and of the two instants of a fold
 * this was the later.  If L lies behind its end, no interval shows L: a gap, and
 * the first instant after it is where the next interval begins.
 *
 * Asking ICU is the alternative: 1 to 2 microseconds for a conversion, in an
 * object that no two threads may share.
 */
#include "core/base/zone.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/zone_table.h"

/* How far an instant or wall clock lies beyond the table, in whole cycles. */
static int64_t beyond_ms(int64_t ms)
{
    if (ms < ZONE_TABLE_END_MS)
        return 0;
    return ((ms - ZONE_TABLE_END_MS) / ZONE_CYCLE_MS + 1) * ZONE_CYCLE_MS;
}

static const struct zone_change *find_instant(const struct zone *zone, int64_t ms)
{
    const struct zone_change *first = zone->changes;
    size_t count = zone->count;
    while (count > 1) {
        size_t half = count / 2;
        first += first[half].at_ms <= ms ? half : 0;
        count -= half;
    }
    return first;
}

static const struct zone_change *find_local(const struct zone *zone, int64_t local_ms)
{
    const struct zone_change *first = zone->changes;
    size_t count = zone->count;
    while (count > 1) {
        size_t half = count / 2;
        first += first[half].at_ms + first[half].offset_ms <= local_ms ? half : 0;
        count -= half;
    }
    return first;
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

int64_t zone_offset_ms(const struct zone *zone, int64_t ms)
{
    return find_instant(zone, ms - beyond_ms(ms))->offset_ms;
}

int64_t zone_local_from_ms(const struct zone *zone, int64_t ms)
{
    return ms + zone_offset_ms(zone, ms);
}

void zone_civil_from_ms(const struct zone *zone, int64_t ms, struct civil *out_civil)
{
    civil_from_local_ms(zone_local_from_ms(zone, ms), out_civil);
}

int64_t zone_ms_from_local(const struct zone *zone, int64_t local_ms)
{
    int64_t shift = beyond_ms(local_ms);
    const struct zone_change *change = find_local(zone, local_ms - shift);
    int64_t ms = local_ms - shift - change->offset_ms;
    if (change + 1 < zone->changes + zone->count && ms >= change[1].at_ms)
        ms = change[1].at_ms;
    return ms + shift;
}

int64_t zone_ms_from_civil(const struct zone *zone, const struct civil *civil)
{
    ASSERT(civil_is_valid(civil));
    return zone_ms_from_local(zone, civil_local_ms(civil));
}

static int64_t add_days(const struct zone *zone, int64_t ms, int64_t days)
{
    return zone_ms_from_local(zone, zone_local_from_ms(zone, ms) + days * CIVIL_DAY_MS);
}

static int64_t add_months(const struct zone *zone, int64_t ms, int64_t months)
{
    int64_t local_ms = zone_local_from_ms(zone, ms);
    int64_t days = civil_local_days(local_ms);
    int64_t days_moved = civil_days_add_months(days, months) - days;
    return zone_ms_from_local(zone, local_ms + days_moved * CIVIL_DAY_MS);
}

static int64_t add(const struct zone *zone, int64_t ms, struct duration duration)
{
    switch (duration.unit) {
    case DURATION_DAYS:
        return add_days(zone, ms, duration.count);
    case DURATION_WEEKS:
        return add_days(zone, ms, duration.count * 7);
    case DURATION_MONTHS:
        return add_months(zone, ms, duration.count);
    case DURATION_YEARS:
        return add_months(zone, ms, duration.count * 12);
    default:
        return ms + duration_elapsed_ms(duration);
    }
}

static bool is_in_bounds(int64_t ms)
{
    return ms >= CIVIL_MS_MIN && ms <= CIVIL_MS_MAX;
}

int civil_add(const struct zone *zone, int64_t ms, struct duration duration, int64_t *out_ms,
              struct err *err)
{
    int rc = duration_check(duration, err);
    if (rc != 0)
        return rc;
    if (duration.unit == DURATION_WORKDAYS || duration.unit == DURATION_WORKHOURS)
        return err_set(err, E_INVALID,
                       "wd and wh need a calendar with working days;"
                       " here only s, min, h, d, w, mo and y have a meaning");
    if (!is_in_bounds(ms))
        return err_set(err, E_LIMIT, "an instant outside the years 1 to 9999");

    int64_t sum_ms = duration.count == 0 ? ms : add(zone, ms, duration);
    if (!is_in_bounds(sum_ms))
        return err_set(err, E_LIMIT, "the result lies outside the years 1 to 9999");
    *out_ms = sum_ms;
    return 0;
}

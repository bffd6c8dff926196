/* zone.c -- see zone.h. */
#include "zone.h"

#include "when.h"

#include <string.h>
#include <unicode/ucal.h>

/* ASCII to UTF-16; 0: it is no name of a zone. */
static int32_t widen(const char *zone, UChar out[ZONE_NAME_MAX])
{
    size_t size = strlen(zone);
    if (size == 0 || size >= ZONE_NAME_MAX)
        return 0;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)zone[i] > 0x7e || (unsigned char)zone[i] <= ' ')
            return 0;
        out[i] = (UChar)zone[i];
    }
    return (int32_t)size;
}

static bool is_known(const UChar *name, int32_t size)
{
    UChar canonical[ZONE_NAME_MAX];
    UErrorCode code = U_ZERO_ERROR;
    UBool is_system = 0;
    ucal_getCanonicalTimeZoneID(name, size, canonical, ZONE_NAME_MAX, &is_system, &code);
    return U_SUCCESS(code) && is_system;
}

bool zone_is_known(const char *zone)
{
    UChar name[ZONE_NAME_MAX];
    int32_t size = widen(zone, name);
    return size != 0 && is_known(name, size);
}

static int32_t offset_at(UCalendar *calendar, int64_t ms, UErrorCode *code)
{
    ucal_setMillis(calendar, (UDate)ms, code);
    return ucal_get(calendar, UCAL_ZONE_OFFSET, code) + ucal_get(calendar, UCAL_DST_OFFSET, code);
}

/* The clock as it goes a day before and a day after: where they differ it is looked which of them
 * shows this time.  Both do where it comes twice, and then the later one counts; neither where it
 * is left out, and then it is the moment of the change. */
static int64_t instant_of(UCalendar *calendar, int64_t local_ms, UErrorCode *code)
{
    int32_t before = offset_at(calendar, local_ms - WHEN_DAY_MS, code);
    int32_t after = offset_at(calendar, local_ms + WHEN_DAY_MS, code);
    int64_t by_before = local_ms - before, by_after = local_ms - after;
    bool is_before = offset_at(calendar, by_before, code) == before;
    bool is_after = offset_at(calendar, by_after, code) == after;
    UDate change = 0;
    if (is_before && is_after)
        return by_before > by_after ? by_before : by_after;
    if (is_before || is_after)
        return is_before ? by_before : by_after;
    ucal_setMillis(calendar, (UDate)by_before, code);
    if (!ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_PREVIOUS_INCLUSIVE, &change,
                                        code))
        return by_before;
    return (int64_t)change;
}

bool zone_to_utc(const char *zone, int64_t local_ms, int64_t *out_ms)
{
    UChar name[ZONE_NAME_MAX];
    UErrorCode code = U_ZERO_ERROR;
    int32_t size = widen(zone, name);
    if (size == 0 || !is_known(name, size))
        return false;
    UCalendar *calendar = ucal_open(name, size, NULL, UCAL_GREGORIAN, &code);
    if (U_FAILURE(code))
        return false;
    int64_t ms = instant_of(calendar, local_ms, &code);
    ucal_close(calendar);
    if (U_FAILURE(code))
        return false;
    *out_ms = ms;
    return true;
}

/* zone.c -- see zone.h. */
#include "zone.h"

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

/* The offset at the moment that the clock would show this at, taken from the offset before: what is
 * left out moves on, of two it is the first. */
bool zone_to_utc(const char *zone, int64_t local_ms, int64_t *out_ms)
{
    UChar name[ZONE_NAME_MAX];
    UErrorCode code = U_ZERO_ERROR;
    int32_t size = widen(zone, name), raw, dst;
    if (size == 0 || !is_known(name, size))
        return false;
    UCalendar *calendar = ucal_open(name, size, NULL, UCAL_GREGORIAN, &code);
    if (U_FAILURE(code))
        return false;
    int64_t guess = local_ms;
    ucal_setMillis(calendar, (UDate)(local_ms - INT64_C(86400000)), &code);
    int32_t before =
        ucal_get(calendar, UCAL_ZONE_OFFSET, &code) + ucal_get(calendar, UCAL_DST_OFFSET, &code);
    guess = local_ms - before;
    ucal_setMillis(calendar, (UDate)guess, &code);
    raw = ucal_get(calendar, UCAL_ZONE_OFFSET, &code);
    dst = ucal_get(calendar, UCAL_DST_OFFSET, &code);
    int64_t after = local_ms - raw - dst;
    if (raw + dst != before) { /* changed within the day: does the clock show it by the new one? */
        ucal_setMillis(calendar, (UDate)after, &code);
        if (ucal_get(calendar, UCAL_ZONE_OFFSET, &code) +
                ucal_get(calendar, UCAL_DST_OFFSET, &code) ==
            raw + dst)
            guess = after;
    }
    ucal_close(calendar);
    if (U_FAILURE(code))
        return false;
    *out_ms = guess;
    return true;
}

/* zone.h -- what a local time of a phone is in UTC, by the time zone database of ICU.
 *
 * Its own copy of each zone, nothing of the process (no TZ): a plugin is not alone in it.
 */
#ifndef PLUGINS_FOLLOWUP_ZONE_H
#define PLUGINS_FOLLOWUP_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#define ZONE_NAME_MAX 64

bool zone_is_known(const char *zone);

/* `local_ms` is the local clock read as if it stood in UTC.  A time that the clocks leave out is
 * the first moment behind the gap, of one that comes twice it is the second: as everywhere in Kith,
 * where the same words must not be two moments, and not as RFC 5545 (3.3.5) reads them.  False:
 * nobody knows the zone. */
bool zone_to_utc(const char *zone, int64_t local_ms, int64_t *out_ms);

#endif

/* zone.h -- instants and wall clocks of a place.
 *
 * A zone is one of the names of the IANA data base ("Europe/Berlin", "UTC"),
 * as it is installed on this machine: in /usr/share/zoneinfo (Debian's package
 * tzdata), or in the directory that TZDIR names.  All zones are read once, when
 * the first is wanted; after that a conversion is a search in a table and costs
 * tens of nanoseconds, and an upgrade of the package takes effect at the next
 * start.
 *
 * Two wall clocks are special where a zone changes its clock:
 *
 *   gap    a wall clock that never showed (02:30 when 02:00 became 03:00)
 *          is the first instant after the gap;
 *   fold   a wall clock that showed twice (02:30 when 03:00 became 02:00)
 *          is its second, later instant.
 *
 * Both go forward.  So whatever is due "at 02:30" is never early by any reading
 * of the clock, and a later wall clock never gives an earlier instant.
 *
 * Threads: a zone never changes and lives as long as the process, so that it may
 * be used from any thread and kept anywhere.  zone_load() and zone_open() may be
 * called from any thread.  Nothing here looks at TZ, the locale or the current
 * time.
 *
 * Instants are milliseconds since 1970-01-01T00:00Z.  They and wall clocks may
 * lie outside the years 1..9999 by some days without harm; only civil_add()
 * refuses such.
 */
#ifndef CORE_BASE_ZONE_H
#define CORE_BASE_ZONE_H

#include "core/base/civil.h"
#include "core/base/duration.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct zone;

#define ZONE_NAME_SIZE 48    /* bytes of the longest name, terminated */
#define ZONE_VERSION_SIZE 32 /* bytes of a version, terminated */

/* Read all zones, if nobody has yet: for a program that wants to know at its start
 * whether it can.  What it could not do once it will not do later.  Fails with E_IO,
 * E_CORRUPT, E_VERSION or E_LIMIT; the reason names the file and what to install. */
int zone_load(struct err *err);

/* Find the zone of an exact IANA name, old names ("Asia/Calcutta") included.
 * *out_zone is never to be freed.  Fails with E_INVALID, and then proposes a near
 * name if there is one: that costs a comparison with all names, which a caller with
 * another zone in reserve avoids by passing NULL for `err`.  Fails as zone_load()
 * does if that has failed. */
int zone_open(const char *name, const struct zone **out_zone, struct err *err);

const char *zone_name(const struct zone *zone); /* as it was opened */

/* Wall clock minus UTC in milliseconds at an instant. */
int64_t zone_offset_ms(const struct zone *zone, int64_t ms);

/* The wall clock at an instant, as a number (civil.h) or in parts. */
int64_t zone_local_from_ms(const struct zone *zone, int64_t ms);
void zone_civil_from_ms(const struct zone *zone, int64_t ms, struct civil *out_civil);

/* The instant of a wall clock, gaps and folds resolved forward.  `civil` must
 * be civil_is_valid(). */
int64_t zone_ms_from_local(const struct zone *zone, int64_t local_ms);
int64_t zone_ms_from_civil(const struct zone *zone, const struct civil *civil);

/* The instant `duration` after `ms` (or before, if negative).  s, min and h are
 * elapsed time.  d, w, mo and y keep the wall clock; a day that the month does
 * not have becomes its last.  A count of 0 changes nothing, not even in a fold.
 *
 * Repeat by multiplying, not by adding to the last result: a gap or the end of
 * a month moves a single result, and adding to that would keep it moved.
 *
 * Fails with E_INVALID for wd and wh, which need a calendar (workday.h), and
 * with E_LIMIT if the duration is out of bounds or an instant is outside the
 * years 1..9999. */
int civil_add(const struct zone *zone, int64_t ms, struct duration duration, int64_t *out_ms,
              struct err *err);

/* What the results above depend on besides their arguments, for the record: the
 * release of the IANA data, if the directory tells it, and a hash of all names and
 * all changes of the clock ("2025b-0123456789abcdef").  An equal version means
 * equal results; equal data of one release has an equal version, in whatever
 * flavour its files were made.  "none" if there are no zones. */
void zone_tzdata_version(char out_version[ZONE_VERSION_SIZE]);

#endif

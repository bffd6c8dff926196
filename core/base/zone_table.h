/* zone_table.h -- the inside of a zone, shared by the two files that need it:
 * zone_load.c fills the table from ICU, zone.c searches it.
 *
 * The table lists, from the beginning of time to ZONE_TABLE_END_MS, the instants
 * at which the offset changes.  Beyond, the rules in force are yearly ones, and
 * the calendar with its weekdays repeats after 400 years: an instant there has
 * the offset of the instant 400 years before.  The end lies more than 400 years
 * behind the last change that any zone announces by date (2087, Morocco).
 */
#ifndef CORE_BASE_ZONE_TABLE_H
#define CORE_BASE_ZONE_TABLE_H

#include "core/base/zone.h"

#define ZONE_CYCLE_MS (INT64_C(146097) * CIVIL_DAY_MS) /* 400 years */
#define ZONE_TABLE_END_MS INT64_C(16725225600000)      /* 2500-01-01T00:00Z */

struct zone_change {
    int64_t at_ms;     /* the first instant with ... */
    int64_t offset_ms; /* ... this offset */
};

/* Invariant: the instants ascend, and so do the wall clocks that they begin
 * with, at_ms + offset_ms.  The first instant is the beginning of time. */
struct zone {
    char name[ZONE_NAME_SIZE];
    size_t count; /* at least 1 */
    struct zone_change changes[];
};

#endif

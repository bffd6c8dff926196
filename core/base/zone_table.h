/* zone_table.h -- the inside of a zone, shared by the files that need it: zone_load.c
 * has the names, zone_tzif.c and zone_rule.c fill a table, zone.c searches it.
 *
 * The table lists, from the beginning of time to ZONE_TABLE_END_MS, the instants
 * at which the offset changes.  Beyond, the rules in force are yearly ones, and
 * the calendar with its weekdays repeats after 400 years: an instant there has
 * the offset of the instant 400 years before.  The end lies more than 400 years
 * behind the last change that any zone announces by date (2087, Morocco).
 *
 * Times are milliseconds, instants since 1970-01-01T00:00Z.  A table belongs to the thread
 * that fills it; a finished zone never changes and is anybody's.
 */
#ifndef CORE_BASE_ZONE_TABLE_H
#define CORE_BASE_ZONE_TABLE_H

#include "core/base/zone.h"

struct buf;

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

/* Add a change to a table in the making, a buffer of struct zone_change, unless it
 * changes nothing. */
void zone_table_append(struct buf *table, int64_t at_ms, int64_t offset_ms);

/* Whether the invariant holds. */
bool zone_table_ascends(const struct buf *table);

/* Make the table that a file of the zone data base describes: `size` bytes of the
 * format TZif, version 2 or later (RFC 9636).  `table` is empty before.  Fails with
 * E_VERSION for what another version of the format or of the scale of time needs
 * (files that count leap seconds), and with E_CORRUPT for anything that is not
 * exactly as the format has it; then `table` holds nothing of use. */
int zone_tzif_read(const uint8_t *data, size_t size, struct buf *table, struct err *err);

#endif

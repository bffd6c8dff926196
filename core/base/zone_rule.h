/* zone_rule.h -- the rule by which a zone changes its clock in the years to come.
 *
 * A file of the zone data base ends with such a rule, in the form that POSIX
 * gives the variable TZ, with the extensions of RFC 9636:
 *
 *     CET-1CEST,M3.5.0,M10.5.0/3       the last Sundays of March and October
 *     <+0330>-3:30                     no summer time, a name in brackets
 *     IST-1GMT0,M10.5.0,M3.5.0/1       the second offset may be the smaller one
 *     <-02>2<-01>,M3.5.0/-1,M10.5.0/0  hours from -167 to 167
 *
 * A date is Jn (1..365, 29 February never counted), n (0..365, it is counted) or
 * Mm.w.d (weekday d of week w of month m, 0 is Sunday, week 5 the last).  A rule
 * whose summer time lacks its dates is refused: POSIX leaves them to the system.
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef CORE_BASE_ZONE_RULE_H
#define CORE_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum zone_date_form {
    ZONE_DATE_JULIAN,  /* Jn */
    ZONE_DATE_ORDINAL, /* n */
    ZONE_DATE_WEEKDAY, /* Mm.w.d */
};

struct zone_date {
    enum zone_date_form form;
    int day; /* n or d */
    int month, week;
    int64_t time_ms; /* after 00:00 of the day, on the clock that ends */
};

/* Offsets are wall clock minus UTC: positive in the east, other than in the text. */
struct zone_rule {
    int64_t standard_ms;
    bool has_summer; /* else what follows is not set */
    int64_t summer_ms;
    struct zone_date begin, end; /* of summer time */
};

/* Read `size` bytes, all of them.  Fails with E_INVALID; the reason names the
 * column. */
int zone_rule_parse(const char *text, size_t size, struct zone_rule *out_rule, struct err *err);

/* Append to `table` (zone_table.h) the changes after `after_ms` until the table's
 * end.  Where summer time begins at the instant at which it ends, it goes on. */
void zone_rule_append(const struct zone_rule *rule, int64_t after_ms, struct buf *table);

#endif

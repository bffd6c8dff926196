/* mapping.h -- from a row of a table to Segment calls, as --map, --event and --id say.
 *
 * A row becomes, in this order and each only if there is something to say: an identify call
 * with what it knows of the customer, a track call, and a statement of consent for each
 * consent column.  Their message ids derive from the row's, so that the row can be sent any
 * number of times.  One thread.
 */
#ifndef CORE_CLI_MAPPING_H
#define CORE_CLI_MAPPING_H

#include "core/base/doc.h"

struct err;
struct mapping;
struct zone;

#define MAPPING_COLUMNS_MAX 500

/* `event` NULL: rows are customers; `id` NULL: a row is known by its number, else by its kind and
 * what stands in this column: "identify:17", "Order Completed:17". */
struct mapping *mapping_new(const struct zone *zone, const char *event, const char *id);
void mapping_free(struct mapping *mapping); /* NULL is allowed */

/* One --map, "COLUMN=FIELD" or "COLUMN=FIELD:TYPE".  E_INVALID names what is wrong. */
int mapping_add(struct mapping *mapping, const char *text, struct err *err);

/* The columns' names are known: find those that were mapped; without any --map, all are.
 * E_INVALID: there is no such column, or nothing says who a row is about. */
int mapping_bind(struct mapping *mapping, const struct text *names, size_t count, struct err *err);

/* Append the calls of a row to `out` as JSON objects with a comma between, and say how many.
 * *out_at is when it happened; *out_has_at: the row says so.  E_INVALID: the row is refused,
 * and `out` is as it was. */
struct mapping_row {
    size_t calls;
    bool has_at;
    int64_t at;
};
int mapping_row(const struct mapping *mapping, const struct text *cells, size_t count,
                struct text message_id, struct buf *out, struct mapping_row *out_row,
                struct err *err);

#endif

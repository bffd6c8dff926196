/* json_write.h -- documents as JSON text.
 *
 * Equal documents give equal bytes: fields in their order, no white space, numbers
 * in one form.  What JSON has no type for is written so that people can read it:
 *
 *     int64      its digits           double   the shortest form that reads back
 *     datetime   "2026-11-21T10:11:12.345Z"    the same: 5, 0.1, 1e+300
 *     binary     base64, in quotes    NaN, infinity   null
 *     decimal    its digits, in quotes
 *
 * A datetime outside the years 1 to 9999 is written as its milliseconds.
 * Documents nest to at most JSON_WRITE_DEPTH_MAX.  Any thread.
 */
#ifndef CORE_BASE_JSON_WRITE_H
#define CORE_BASE_JSON_WRITE_H

#include "core/base/doc.h"

#define JSON_WRITE_DEPTH_MAX 1024

/* Each appends to `out`; the document must not lie in it. */
void json_write_doc(struct buf *out, struct doc doc);
void json_write_value(struct buf *out, const struct doc_value *value); /* none: null */
void json_write_text(struct buf *out, struct text text);               /* in quotes, escaped */
void json_write_int(struct buf *out, int64_t value);
void json_write_double(struct buf *out, double value);

#endif

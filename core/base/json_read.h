/* json_read.h -- JSON (RFC 8259) from outside, turned into documents.
 *
 * Accepted is what the standard calls valid, nothing else, and all of it but for
 * what a document cannot hold:
 *
 *     names        U+0000 in one, which ends a name in a document, becomes U+2400
 *                  (its symbol); of a name given twice in one object the last value
 *                  is kept, as other JSON readers do
 *     text         an escape of half a surrogate pair alone is refused
 *     numbers      whole ones without fraction and exponent that fit int64 become
 *                  int64 (-0 is 0); all others the nearest double, integers beyond
 *                  int64 included; one too large for a double is refused
 *     nesting      at most depth_max, the outermost object being 1
 *     order        fields keep it; nothing is dropped, nothing interpreted
 *
 * The text is not copied and need not be terminated; it must not change during a
 * call.  A reader keeps its memory between calls: one per thread, used for ever.
 * On failure `out` is as it was, apart from its capacity.
 */
#ifndef CORE_BASE_JSON_READ_H
#define CORE_BASE_JSON_READ_H

#include "core/base/doc.h"

#include <stddef.h>

#define JSON_BYTES_MAX (64u << 20) /* of one text; beyond it: E_LIMIT */

struct buf;
struct err;
struct json_reader;

struct json_limits {
    unsigned depth_max;        /* at most DOC_DEPTH_MAX */
    size_t document_bytes_max; /* of one document as JSON text; 0: no limit */
    size_t count_max;          /* elements of one array or batch; 0: no limit */
};

struct json_reader *json_reader_new(void);
void json_reader_free(struct json_reader *reader); /* NULL is allowed */

/* Append the object in `text` to `out`; *out_doc is borrowed from it.  Fails with
 * E_INVALID or E_LIMIT; the reason names the byte offset and the line. */
int json_to_doc(struct json_reader *reader, const char *text, size_t size,
                const struct json_limits *limits, struct buf *out, struct doc *out_doc,
                struct err *err);

/* The same of any JSON text: append an object whose one field, `name`, is its value. */
int json_value_to_doc(struct json_reader *reader, const char *text, size_t size, const char *name,
                      const struct json_limits *limits, struct buf *out, struct doc *out_doc,
                      struct err *err);

/* One element of an array, in order, numbered from 0.  Either `err` is NULL and
 * `doc`, borrowed from `out`, is the element, or `doc` is none and `err` says why
 * this element alone was refused: it is not an object, or over a limit, or holds
 * what a document cannot.  Return 0 to go on; anything else ends the walk and is
 * its result. */
typedef int json_element_fn(void *arg, size_t index, struct doc doc, const struct err *err);

/* Read an array of objects.  The whole text is read before the first call, so
 * that invalid JSON is refused without one. */
int json_array_each(struct json_reader *reader, const char *text, size_t size,
                    const struct json_limits *limits, struct buf *out, json_element_fn *each,
                    void *arg, struct err *err);

/* Read an object with an array of objects in its field `name`, in one pass.
 * *out_rest is the object without that field; it is set before the first call of
 * `each`.  Fails as above, and with E_INVALID if there is no such array. */
int json_batch(struct json_reader *reader, const char *text, size_t size,
               const struct json_limits *limits, const char *name, struct buf *out,
               json_element_fn *each, void *arg, struct doc *out_rest, struct err *err);

#endif

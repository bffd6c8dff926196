/* doc.h -- documents: the one form of data from the wire to the disk.
 *
 * A document is BSON (bsonspec.org 1.1): a public format with readers in every
 * language, read in place without decoding.  This reader and writer are our own
 * because a field lookup and an append are on the path of every event and cost
 * tens of nanoseconds here; libbson is the referee in the tests.
 *
 * Kith writes these types: double, text, document, array, binary, bool, null,
 * int64, datetime, decimal128.  It also reads int32.
 *
 * Views.  `struct doc` borrows bytes that somebody else keeps alive.  Bytes from
 * outside the process go through doc_validate() once, on the way in; everything
 * else here trusts them.  Any thread; no function keeps state.
 */
#ifndef CORE_BASE_DOC_H
#define CORE_BASE_DOC_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct err;

struct doc {
    const uint8_t *data; /* NULL: no document (reads as an empty one) */
    uint32_t size;       /* bytes, the BSON length prefix included */
};

enum doc_type { /* BSON's own numbers */
    DOC_NONE = 0,
    DOC_DOUBLE = 0x01,
    DOC_TEXT = 0x02,
    DOC_DOC = 0x03,
    DOC_ARRAY = 0x04,
    DOC_BINARY = 0x05,
    DOC_BOOL = 0x08,
    DOC_DATETIME = 0x09, /* milliseconds since 1970 UTC */
    DOC_NULL = 0x0a,
    DOC_INT32 = 0x10, /* read as DOC_INT64 */
    DOC_INT64 = 0x12,
    DOC_DECIMAL = 0x13, /* 16 bytes, IEEE 754-2008 decimal128, little-endian */
};

struct text { /* UTF-8, not necessarily terminated, may hold NUL */
    const char *data;
    uint32_t size;
};

/* These are inline so that the length of a literal is known when it is compiled: comparing a
 * field's name with a word is what most of the time with documents is spent on. */
static inline struct text text_of(const char *string) /* borrows; NULL gives {NULL, 0} */
{
    return (struct text){ string, string != NULL ? (uint32_t)strlen(string) : 0 };
}
static inline bool text_is(struct text text, const char *string)
{
    size_t size = strlen(string);
    return text.size == size && (size == 0 || memcmp(text.data, string, size) == 0);
}

struct doc_value {
    enum doc_type type; /* DOC_NONE: there is no such field */
    union {
        double number;
        int64_t integer; /* DOC_INT64, DOC_DATETIME */
        bool boolean;
        struct text text;
        struct doc doc; /* DOC_DOC, DOC_ARRAY */
        struct {
            const uint8_t *data;
            uint32_t size;
            uint8_t subtype;
        } binary;
        uint8_t decimal[16];
    };
};

/* Check bytes from outside: lengths, types, terminators, UTF-8, nesting of at
 * most `depth_max`.  E_INVALID names the path of the first fault. */
int doc_validate(const void *data, size_t size, unsigned depth_max, struct err *err);

/* The field `name`, or type DOC_NONE.  The first one wins if a name repeats. */
struct doc_value doc_get_text(struct doc doc, struct text name);
static inline struct doc_value doc_get(struct doc doc, const char *name)
{
    return doc_get_text(doc, text_of(name));
}

/* Shorthands with an answer for "absent or of another type". */
struct text doc_text(struct doc doc, const char *name); /* else {NULL, 0} */
struct doc doc_child(struct doc doc, const char *name); /* document or array, else none */
/* An int64, a datetime, or a double that is whole and fits. */
int64_t doc_int(struct doc doc, const char *name, int64_t otherwise);
bool doc_bool(struct doc doc, const char *name, bool otherwise);

/* Walk the fields in stored order:
 *     struct doc_iter it = doc_iter(doc);
 *     while (doc_next(&it)) use(it.name, it.value);                        */
struct doc_iter {
    const uint8_t *at, *end;
    struct text name; /* terminated too */
    struct doc_value value;
};
struct doc_iter doc_iter(struct doc doc);
bool doc_next(struct doc_iter *it);
size_t doc_count(struct doc doc);

/* Same type and same content; documents compare field by field, in order.
 * int64 and double are equal when they are the same number. */
bool doc_value_equal(const struct doc_value *a, const struct doc_value *b);

/* Writing.  A writer appends one document to a buffer; open documents and arrays
 * nest to DOC_DEPTH_MAX.  In an array the name is ignored and numbered.
 *     struct doc_writer w;
 *     doc_begin(&w, &buf);
 *     doc_put_text(&w, "type", type);
 *     doc_open(&w, "data"); ... doc_close(&w);
 *     struct doc doc = doc_end(&w);      -- borrowed from buf until it changes
 * What is put must not lie in the same buffer.  A value of type DOC_NONE appends
 * nothing, so that a field can be copied whether it is there or not.
 */
#define DOC_DEPTH_MAX 64

struct doc_writer {
    struct buf *buf;
    unsigned depth;
    struct {
        uint32_t start; /* where the length prefix stands in buf */
        uint32_t index; /* next element; arrays only */
        bool is_array;
    } open[DOC_DEPTH_MAX];
};

void doc_begin(struct doc_writer *w, struct buf *buf);
struct doc doc_end(struct doc_writer *w);
void doc_open(struct doc_writer *w, const char *name);
void doc_open_array(struct doc_writer *w, const char *name);
void doc_close(struct doc_writer *w);
void doc_put_text(struct doc_writer *w, const char *name, struct text value);
void doc_put_present(struct doc_writer *w, const char *name, struct text value); /* unless empty */
void doc_put_string(struct doc_writer *w, const char *name, const char *value);
void doc_put_int(struct doc_writer *w, const char *name, int64_t value);
void doc_put_double(struct doc_writer *w, const char *name, double value);
void doc_put_bool(struct doc_writer *w, const char *name, bool value);
void doc_put_null(struct doc_writer *w, const char *name);
void doc_put_datetime(struct doc_writer *w, const char *name, int64_t ms);
void doc_put_binary(struct doc_writer *w, const char *name, const void *data, size_t size);
void doc_put_doc(struct doc_writer *w, const char *name, struct doc value); /* none: empty */
void doc_put_array(struct doc_writer *w, const char *name, struct doc value);
void doc_put_value(struct doc_writer *w, const char *name, const struct doc_value *value);

/* The same with a name that is not a C string (a client's own field).  Names
 * cannot hold NUL in BSON: the caller has refused or replaced it. */
void doc_put_value_text(struct doc_writer *w, struct text name, const struct doc_value *value);
void doc_open_text(struct doc_writer *w, struct text name);
void doc_open_array_text(struct doc_writer *w, struct text name);

bool text_equal(struct text a, struct text b);
int text_compare(struct text a, struct text b); /* bytewise, like strcmp */

#endif

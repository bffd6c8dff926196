/* json_walk.h -- the grammar of JSON, writing a document as it goes; private to
 * json_*.c.
 *
 * Two kinds of trouble.  A fault means the text is not JSON: functions return its
 * code, reading stops, and nothing of the text is used.  A flaw means that a
 * document cannot hold it: it is only noted, reading goes on, and what was written
 * has to be cut off; in a batch only the element that has it is refused.
 *
 * Offsets are bytes of the text.  A reader and what it points to belong to one thread.
 */
#ifndef CORE_BASE_JSON_WALK_H
#define CORE_BASE_JSON_WALK_H

#include "core/base/buf.h"
#include "core/base/doc.h"
#include "core/base/json_names.h"
#include "core/base/json_read.h"
#include "core/base/json_scan.h"

struct json_index;

struct json_reader {
    struct json_index *index;
    struct json_text text;
    const uint32_t *tokens; /* offsets */
    size_t token_count, token_next;
    struct json_scan scan;
    struct json_names names, rest_names; /* of a document, of the object around a batch */
    struct buf deep;                     /* levels below depth_max: 1 an array, 0 an object */
    struct buf rest;                     /* the object around a batch */
    struct buf elements;                 /* of the array that is read */
    size_t line_offset, line;            /* where counting lines has got to */
    char too_deep[48];                   /* a flaw's reason, with the limit in force */
};

struct json_frame {
    uint32_t start;  /* of the length prefix in `out` */
    uint32_t index;  /* of the next element */
    uint32_t object; /* its number among the names */
    bool is_array;
    bool has_duplicate;
};

/* One document being written. */
struct json_walk {
    struct json_reader *reader;
    struct buf *out;
    struct json_names *names;
    unsigned depth_max;
    size_t depth; /* open objects and arrays; may exceed depth_max */
    struct json_frame open[DOC_DEPTH_MAX];
};

/* Find the tokens of a text; afterwards, that none is left. */
int json_text_begin(struct json_reader *reader, const char *text, size_t size);
int json_text_end(struct json_reader *reader);

/* The offset of the next token, the size of the text when there is none. */
size_t json_token_next(struct json_reader *reader);
bool json_is_at(const struct json_reader *reader, size_t at, char c);

/* Record the fault that something else was expected at `at`; E_INVALID. */
int json_expected(struct json_reader *reader, size_t at, const char *reason);

/* Put trouble into words; returns its code. */
int json_report(struct json_reader *reader, const struct json_trouble *trouble, struct err *err);

void json_walk_init(struct json_walk *w, struct json_reader *reader,
                    const struct json_limits *limits, struct buf *out, struct json_names *names);
void json_walk_open(struct json_walk *w, size_t at, bool is_array);
void json_walk_close(struct json_walk *w);

/* Decode the name at `at` behind a place for its type and step over the colon;
 * *out_size is without the terminator. */
int json_walk_name(struct json_walk *w, size_t at, uint32_t *out_size);

/* Note the name of `size` bytes in the field at `field` for finding duplicates. */
void json_walk_note(struct json_walk *w, size_t field, uint32_t size);

/* The value at `at`, whose field begins at `field`.  Of an object or array only
 * the opening is read: then the depth has grown. */
int json_walk_value(struct json_walk *w, size_t at, size_t field);

/* Behind a value: a comma, or the closing of what it completes, down to `base`. */
int json_walk_end(struct json_walk *w, size_t base);

/* From behind an opening bracket until the depth is `base` again. */
int json_walk_items(struct json_walk *w, size_t base);

#endif

/* csv.h -- records out of text: CSV (RFC 4180), words between blanks, or lines.
 *
 * Strict: what is not CSV is a fault of one record, told with its reason, and the reading
 * goes on at the next line.  A file is never guessed at.
 *
 *     quotes      open a field only at its beginning; inside, "" is one; behind the closing
 *                 one stands a delimiter or the end of the line
 *     lines       end with LF or CRLF; the last may end with the file; empty ones are skipped
 *     an opening  quote that is never closed spoils its own line, not the rest of the file
 *     a line      longer than CSV_RECORD_MAX is one faulty record, shown by its beginning
 *
 * A byte order mark in front is dropped.  The text must be UTF-8; that is checked by whoever
 * uses the fields.  Memory: one record, at most CSV_RECORD_MAX.  One thread.
 */
#ifndef CORE_CLI_CSV_H
#define CORE_CLI_CSV_H

#include "core/base/doc.h"

struct csv;
struct err;

#define CSV_RECORD_MAX (1u << 20) /* bytes */
#define CSV_FIELDS_MAX 2000       /* of one record */

enum csv_format {
    CSV_QUOTED, /* RFC 4180, with any one-byte delimiter */
    CSV_BLANKS, /* words with blanks or tabs around them; no quotes */
    CSV_LINES,  /* a record is a line, its only field */
};

/* Append some bytes to `out`.  Returns 1, 0 at the end (nothing appended), or a code. */
typedef int csv_read_fn(void *arg, struct buf *out, struct err *err);

struct csv_record {
    const struct text *fields; /* none of a faulty record */
    size_t count;
    struct text raw;   /* as it stands in the text, without its line end */
    uint64_t line;     /* its first line, counted from 1 */
    uint64_t number;   /* counted from 1, faulty ones included */
    const char *fault; /* NULL, or what is wrong */
};

/* `delimiter` matters to CSV_QUOTED only. */
struct csv *csv_new(enum csv_format format, char delimiter, csv_read_fn *read, void *arg);
void csv_free(struct csv *csv); /* NULL is allowed */
/* From the next record on. */
void csv_set_delimiter(struct csv *csv, char delimiter);

/* The next record, borrowed until the next call.  Returns 1, 0 at the end, or the code of
 * `read`. */
int csv_next(struct csv *csv, struct csv_record *out_record, struct err *err);

/* Append a field as RFC 4180 writes it, between quotes. */
void csv_write_field(struct buf *out, struct text field);

#endif

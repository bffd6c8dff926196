/* rejects.h -- the rows that an import could not take, kept where somebody can mend them.
 *
 * What is kept is a file of the same form, so that once mended it is imported as it stands, with
 * the same options.  Above everything is the header of the first file; each row is there as it
 * stood, and what was wrong with it in a place that an import leaves out:
 *
 *     CSV      a first cell, in a column rejected_because    "line 3: ...",u-2,Bob
 *     blanks   the same, with _ for the blanks in it         line_3:_... u-2 Bob
 *     lines    a line of its own above it                    {"rejected_because":"line 3: ..."}
 *
 * The first cell and not the last: a row may have too few cells or a quote that nobody closed, and
 * what stands before such faults is clear of them.  The file is made when the first row is
 * rejected; one that an earlier run left is taken away when none is.  One thread.
 */
#ifndef CORE_CLI_REJECTS_H
#define CORE_CLI_REJECTS_H

#include "core/cli/csv.h"

#include <stdio.h>

struct err;

#define REJECTS_SHOWN 10 /* of a dry run */

/* Of the file that is imported. */
struct rejects_form {
    enum csv_format format;
    char delimiter;
    bool is_decoded;    /* from another encoding than UTF-8, in which rejected rows are kept */
    bool is_told;       /* the delimiter, by the file: sep=; */
    bool has_reasons;   /* its rows were rejected before */
    struct text header; /* as it stands; empty: there is none */
};

struct rejects {
    char *path;
    const struct rejects_form *form;
    FILE *file;    /* NULL: none so far */
    bool is_shown; /* on standard error instead of a file: a dry run */
    uint64_t count;
    int error; /* errno of the first failure to write */
};

/* `path` is copied, `form` must stay; nothing is touched before the first row. */
void rejects_init(struct rejects *rejects, const char *path, const struct rejects_form *form,
                  bool is_shown);
void rejects_add(struct rejects *rejects, uint64_t line, struct text raw, struct text reason);
/* Close the file and free the rest; no rejects_add() afterwards.  E_IO: not all of it could be
 * written. */
int rejects_close(struct rejects *rejects, struct err *err);

/* -- Such a file, read again ----------------------------------------------------------------- */

/* The header of a table: note whether it is that of rejected rows, and take its first cell off. */
void rejects_note_header(struct rejects_form *form, struct csv_record *header);
/* csv_next() without what was wrong with a row.  Where a table has no header that of rejected rows
 * is noted and passed over. */
int rejects_next(struct rejects_form *form, struct csv *csv, struct csv_record *out_record,
                 struct err *err);
/* Whether the line of NDJSON may be one that says what is wrong with the next. */
bool rejects_may_be_reason(struct text line);
/* Whether it is one, now that it has been read. */
bool rejects_is_reason(struct doc doc);

#endif

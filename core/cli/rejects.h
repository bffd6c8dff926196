/* rejects.h -- the rows that an import could not take, kept where somebody can mend them.
 *
 * A CSV of line, reason and the row as it stood.  It is made when the first row is rejected;
 * one that an earlier run left is taken away when none is.  One thread.
 */
#ifndef CORE_CLI_REJECTS_H
#define CORE_CLI_REJECTS_H

#include "core/base/doc.h"

#include <stdio.h>

struct err;

#define REJECTS_SHOWN 10 /* of a dry run */

struct rejects {
    char *path;
    FILE *file;    /* NULL: none so far */
    bool is_shown; /* on standard error instead of a file: a dry run */
    uint64_t count;
    int error; /* errno of the first failure to write */
};

/* `path` is copied; nothing is touched before the first row. */
void rejects_init(struct rejects *rejects, const char *path, bool is_shown);
void rejects_add(struct rejects *rejects, uint64_t line, struct text raw, struct text reason);
/* Close the file and free the rest; no rejects_add() afterwards.  E_IO: not all of it could be
 * written. */
int rejects_close(struct rejects *rejects, struct err *err);

#endif

/* columns.h -- which column of a header is meant.
 *
 * People copy names from what a table shows, and a table shows neither the blank behind a name nor
 * the line break inside of it: white space around names does not count, and inside of them any run
 * of it is one blank.
 *
 * Pure; any thread.
 */
#ifndef CORE_CLI_COLUMNS_H
#define CORE_CLI_COLUMNS_H

#include "core/base/doc.h"

struct err;

/* The column called `name`, or, if none is, counted from 1, "#3".  E_INVALID: there is none, or
 * more than one; says which there are, and when all stand in one, by what they are apart. */
int columns_find(const struct text *names, size_t count, const char *name, size_t *out_index,
                 struct err *err);

/* A header of one column that looks as if it were several: what stands between them; else 0. */
char columns_delimiter(const struct text *names, size_t count);

/* Append a name as it shows. */
void columns_name(struct text name, struct buf *out);

#endif

/* spool.h -- rows of an import, put into the order of their time.
 *
 * The rows lie in a file that has no name and vanishes with the process; memory holds where
 * each lies and its time, about 40 bytes a row.  Rows of the same time keep their order.
 * One thread.
 */
#ifndef CORE_CLI_SPOOL_H
#define CORE_CLI_SPOOL_H

#include "core/base/doc.h"

struct err;
struct spool;

struct spool_row {
    int64_t at;       /* ms since 1970 UTC */
    uint64_t line;    /* of the file, from 1 */
    size_t calls;     /* how many */
    struct text json; /* the calls */
    struct text raw;  /* the row they came from */
};

/* In TMPDIR, else /var/tmp.  E_IO. */
int spool_open(struct spool **out_spool, struct err *err);
void spool_close(struct spool *spool); /* NULL is allowed */

/* Copies the row.  E_IO. */
int spool_add(struct spool *spool, const struct spool_row *row, struct err *err);
size_t spool_count(const struct spool *spool);

/* Once, when all have been added. */
void spool_sort(struct spool *spool);
/* The n-th row in order of time, borrowed until the next call.  E_IO. */
int spool_get(struct spool *spool, size_t n, struct spool_row *out_row, struct err *err);

#endif

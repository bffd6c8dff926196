/* verdict.h -- what no replay could find out, written down: here, that a plugin crashed.
 *
 * docs/log.md has the entry.  What is killed while the engine lives is reported by the engine and
 * written by the node; a crash is known to the next run only, which writes it before it applies
 * anything.  One thread, between two commits.
 */
#ifndef CORE_SERVER_VERDICT_H
#define CORE_SERVER_VERDICT_H

#include "core/base/doc.h"

#include <stddef.h>
#include <stdint.h>

struct breadcrumb_crash;
struct buf;
struct err;
struct log;

struct verdict_crashes {
    const struct breadcrumb_crash *items;
    size_t count;
    uint64_t applied; /* the last entry that is in the state */
};

/* Add to the group of `log` a verdict for each entry at which plugins crashed, with the time
 * `logged`; the caller commits.  A crash at no entry, or at one that has been applied all the same,
 * counts from the first that is new.  What the log says of an entry already stays said.  E_IO,
 * E_CORRUPT: the group must not be committed. */
int verdict_note(struct log *log, const struct verdict_crashes *crashes, int64_t logged,
                 struct err *err);

/* The verdict that holds, of those in a row of the log's index: the last, each names all before
 * it.  It lies in `bytes`. */
struct doc verdict_last(const struct buf *bytes);

#endif

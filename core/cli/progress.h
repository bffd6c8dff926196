/* progress.h -- how far a long piece of work is, on a terminal; nothing in a pipe.
 *
 * Owns nothing and cannot fail.  One thread.
 */
#ifndef CORE_CLI_PROGRESS_H
#define CORE_CLI_PROGRESS_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool is_shown;
    const char *verb; /* "importing" */
    uint64_t total;   /* in whatever unit progress is measured */
    int64_t start_ns, drawn_ns;
};

/* Draws on standard error, if that is a terminal.  `verb` is borrowed until the end. */
void progress_start(struct progress *progress, const char *verb, uint64_t total);
/* `done` of the total, `events` so far; drawn a few times a second. */
void progress_update(struct progress *progress, uint64_t done, uint64_t events);
void progress_end(struct progress *progress); /* takes the line away */

/* The line after so much work, appended:
 * "importing [####......]  40%  12000 events  8000/s  ETA 0:02". */
void progress_line(const struct progress *progress, uint64_t done, uint64_t events,
                   int64_t elapsed_ns, struct buf *out);

#endif

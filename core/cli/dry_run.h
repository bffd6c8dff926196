/* dry_run.h -- an import that the daemon tries out: what would come of its calls.
 *
 * The daemon folds them with the rules in force and keeps nothing.  Where it cannot, for want of a
 * key, of an answer or of room, that is said once and the import is only read and counted on.
 * One thread.
 */
#ifndef CORE_CLI_DRY_RUN_H
#define CORE_CLI_DRY_RUN_H

#include "core/cli/batch.h"

struct cli;

struct dry_run {
    struct cli *cli;
    int64_t id;          /* 0: there is none */
    struct batch *batch; /* NULL: nothing is sent, or no more */
    uint64_t sent;       /* calls; of what was sent before it ended */
    bool is_cut;         /* it ended before the import did */
};

/* `refused` hears of the rows that the daemon would refuse. */
void dry_run_begin(struct dry_run *dry_run, struct cli *cli, batch_refused_fn *refused, void *arg);
void dry_run_add(struct dry_run *dry_run, struct text json, size_t calls, uint64_t line,
                 struct text raw);
/* Append what would happen: for people, or as JSON `,"would":{...}`; nothing if it is not known. */
void dry_run_end(struct dry_run *dry_run, struct buf *out);
void dry_run_deinit(struct dry_run *dry_run);

#endif

/* dry_run.h -- what entries would lead to: the engine at work on a state that nobody keeps.
 *
 * A second engine with the rules in force folds the entries over the last checkpoint, in memory.
 * Messages it decides on are claimed and taken for sent, so that consent, suppression and caps
 * count, and so does what rules make of a message that went out; nothing is handed to a channel,
 * appended to the log or written to the state.  Time stands: what rules set for later is counted
 * and does not come due.
 *
 * Memory: what the entries change, at most DRY_RUN_BYTES_MAX and one call's worth.  A dry run keeps
 * the pages of its checkpoint from being used again: whoever opens one bounds its life.
 *
 * Threads: any, one after the other; not the engine's, which would stand meanwhile.
 */
#ifndef CORE_SERVER_DRY_RUN_H
#define CORE_SERVER_DRY_RUN_H

#include "core/engine/engine.h"

struct dry_run;
struct log;
struct submission;

struct dry_run_options { /* all borrowed for the life of the dry run */
    struct state *state;
    struct log *log;
    struct plugins *plugins; /* NULL: none */
    int (*load_rules)(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err);
    void *load_arg;
};

/* E_IO: the state is not readable at the moment; else why the rules in force do not load. */
int dry_run_open(const struct dry_run_options *options, struct dry_run **out_dry_run,
                 struct err *err);
void dry_run_close(struct dry_run *dry_run); /* before the state is closed; NULL is allowed */

/* Fold the submission's entries, and then what they lead to; `logged` is the wall clock.  Entries
 * that are refused are noted in it (submission.h).  E_LIMIT: there is no room for more; what was
 * folded counts, and so does nothing of this submission. */
int dry_run_apply(struct dry_run *dry_run, struct submission *submission, int64_t logged,
                  struct err *err);

/* Append what would have happened:
 * {seq, entries, duplicates, refused, customers: {created, existing, merged, suspected},
 *  rules: [{name, runs}], reminders: [{rule, assignee, count}],
 *  messages: [{rule, channel, state, reason, count}], failures, timers}
 *
 *     seq         the entry that all this would follow
 *     existing    customers that were there before and that something would have happened to
 *     suspected   how often one may be another one
 *     state       of a message: sent, suppressed ... or pending, when its channel is paused
 *     failures    how often a rule would fail
 *     timers      how often one asks to be called later
 *
 * Lists are in order of name and end after DRY_RUN_GROUPS_MAX. */
#define DRY_RUN_GROUPS_MAX 500
void dry_run_report(const struct dry_run *dry_run, struct buf *out);

#endif

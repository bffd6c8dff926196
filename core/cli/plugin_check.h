/* plugin_check.h -- what the parts of `kith plugin check` have in common.
 *
 * plugin_try.c runs a plugin in processes of its own, plugin_check.c holds what two of them wanted
 * side by side, plugin_replay.c the same over a log, plugin_verdict.c says what was found.  One
 * thread.
 */
#ifndef CORE_CLI_PLUGIN_CHECK_H
#define CORE_CLI_PLUGIN_CHECK_H

#include "core/base/buf.h"
#include "core/base/doc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct cli;

/* What one process has told. */
struct told {
    const char *version; /* of two: "the old version", "the new version"; NULL */
    struct buf about, times;
    struct buf *results; /* by number: its message */
    size_t result_count;
    FILE *file;      /* of a replay: the results go there instead */
    FILE *expected;  /* of a replay: results of another process, that this one's are held against */
    struct buf next; /* the one that has been read from there and not been met yet */
    size_t entries, differing;
    int64_t heard, until; /* the last entry; the first that is not to be compared */
    char at[200];         /* what it was about to do last ... */
    char step[32]; /* ... and by which step (core/plugin/kit_step.c); "": one that must be made */
    bool is_again; /* the second process: its findings are the first's */
    bool is_other; /* another version: what it wants may differ */
    bool is_complete, is_hung;
    bool is_loaded; /* when it is complete: else nothing of it could be called */
};

struct check {
    struct cli *cli;
    const char *path, *config, *log; /* NULL: none */
    struct buf findings;             /* documents, one behind another */
    struct buf deaths;               /* steps that ended a process, for the next one */
    size_t death_count, errors, warnings, differences, left_out; /* left_out: "not made" */
};

void check_find(struct check *check, const char *level, const char *who, const char *given,
                const char *what, const char *todo);
/* `finding` is a document {level, who, ...}; the same of the same is told once. */
void check_add(struct check *check, struct doc finding);
void check_wait_for_clock(void); /* until one that shows seconds shows another */

/* -- Processes (plugin_try.c) ------------------------------------------------------------------ */

/* Run check->path in new processes until one has come to its end, each without the calls that ended
 * the ones before: at most so many as kit.h says, and what is left out then has been said, with
 * `told` not complete.  False: none could be started, and that has been said. */
bool check_try_to_end(struct check *check, struct told *told);
void told_deinit(struct told *told);

/* Whether this is such a process; and what it does, to its exit code. */
bool check_is_child(void);
int check_run_child(struct cli *cli);

/* Whether the file is good, before anybody is started with it: EXIT_DONE, or said. */
int check_config(struct cli *cli, const char *path);

/* -- The verdict (plugin_verdict.c) ------------------------------------------------------------ */

/* What was found, on standard output. */
void verdict_print(struct check *check);
/* Behind it: how long calls take, who the plugin is, what it declares, how much was found. */
void verdict_print_summary(struct check *check, const struct told *told);

/* -- A log (plugin_replay.c) ------------------------------------------------------------------- */

/* Before a process is begun: nothing has been heard of it.  False: as below. */
bool replay_begin(struct check *check, struct told *told);

/* A result of a replay: written down, or held against what is expected. */
void replay_hear(struct check *check, struct told *told, struct doc message);

/* Replay check->log with the plugin twice, or with it and another file (NULL: itself).  False: it
 * could not be done, and that has been said. */
bool replay_compare(struct check *check, const char *other);

#endif

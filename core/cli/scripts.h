/* scripts.h -- a folder of scripts, and the settings they are to run with.
 *
 * For the commands that look at scripts without a daemon.  One thread.
 */
#ifndef CORE_CLI_SCRIPTS_H
#define CORE_CLI_SCRIPTS_H

#include "core/script/settings.h"

struct cli;
struct zone;

struct scripts {
    struct settings settings; /* of --config, else those of a daemon without one */
    const struct zone *zone;  /* the company's */
    struct buf files;
    struct doc bundle; /* borrowed from `files` */
};

/* The folder is the command's first argument.  E_IO, E_INVALID, E_LIMIT name the file.  End with
 * scripts_close() in any case. */
int scripts_open(struct scripts *scripts, struct cli *cli, struct err *err);
void scripts_close(struct scripts *scripts);

#endif

/* record.h -- records as the commands that are about them show them; see records.c.  One thread. */
#ifndef CORE_CLI_RECORD_H
#define CORE_CLI_RECORD_H

#include "core/cli/cli.h"

/* One as an answer has it, unless `code` says that there is none; the exit code. */
int record_print(struct cli *cli, int code, struct doc record);

/* The list at cli->path. */
int record_list(struct cli *cli, int64_t limit, const char *when_empty);

/* cli->body: {customer, owner, fields}, of what is not NULL. */
struct record_text {
    const char *name, *value; /* NULL ends the list; NULL: left out */
};
void record_body(struct cli *cli, const char *customer, const char *owner,
                 const struct record_text fields[]);

/* Whether it is digits; else it is said which command lists the numbers of a `kind`. */
bool record_is_number(struct cli *cli, const char *text, const char *kind);

/* "2026-12-01 10:00", behind `before`; nothing where there is no such time. */
void record_put_moment(struct cli *cli, struct doc doc, const char *before, const char *name);

#endif

/* command.h -- what a command is: one row of one table.
 *
 * The table (commands.c) is all there is to know of the command line.  Parsing, usage
 * errors, `kith help` and the shell's completion are computed from it, so that none of
 * them can say something else than the others.
 *
 * `arguments` is the synopsis and the grammar at once, words with one blank between:
 *
 *     CUSTOMER          needed
 *     [FILE]            may be left out
 *     TEXT...           one or more, to the end; the words are joined with blanks
 *     grant|withdraw    one of these
 *
 * One thread.
 */
#ifndef CORE_CLI_COMMAND_H
#define CORE_CLI_COMMAND_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_DIFFERS = 4, /* of a comparison: nothing is wrong, and it is not the same */
};

struct cli;
struct err;

struct option {
    const char *name;  /* without its dashes; NULL ends a list */
    const char *value; /* what its value is called in help; NULL: it takes none */
    const char *text;  /* one line of help */
    bool is_repeated;
};

struct command {
    const char *name; /* one or two words; NULL ends the table */
    const char *arguments;
    const char *summary;          /* one line, no full stop */
    const char *text;             /* paragraphs for `kith help COMMAND`, or NULL */
    const struct option *options; /* of its own, or NULL */
    int (*run)(struct cli *cli);  /* returns an exit code */
};

extern const struct command command_table[];
extern const struct option global_options[];

#define ARGUMENTS_MAX 4 /* of one command */
#define OPTIONS_MAX 64  /* given in one call */

/* What was typed, understood. */
struct args {
    const char *group;             /* "staff" alone, with --help */
    const struct command *command; /* NULL: none was named */
    const char *arguments[ARGUMENTS_MAX];
    size_t argument_count;
    struct {
        const struct option *option;
        const char *value; /* NULL for an option without */
    } options[OPTIONS_MAX];
    size_t option_count;
    struct buf joined; /* holds a TEXT... of several words */
};

/* Understand argv[1..argc).  The strings are borrowed.  E_INVALID: wrong usage, and
 * args->command tells whose, if that much was understood.  End with args_deinit() in
 * both cases. */
int args_parse(struct args *args, int argc, char **argv, struct err *err);
void args_deinit(struct args *args);

/* The n-th argument, or NULL if it was left out. */
const char *args_argument(const struct args *args, size_t n);
bool args_has(const struct args *args, const char *option);
/* The value given last, or NULL. */
const char *args_value(const struct args *args, const char *option);
/* All values of a repeated option: starts with *at = 0; NULL at the end. */
const char *args_next(const struct args *args, const char *option, size_t *at);

/* The command of this name (both words of one that has two), or NULL. */
const struct command *command_find(const char *name);

/* Append "kith show [OPTION...] CUSTOMER". */
void help_usage(struct buf *out, const struct command *command);
void help_overview(struct buf *out);
void help_command(struct buf *out, const struct command *command);
/* The commands whose first of two words this is; false: there are none. */
bool help_group(struct buf *out, const char *word);

/* Append a script that completes the command line in "bash", "zsh" or "fish". */
void completion_script(struct buf *out, const char *shell);

/* Append a man page in roff: of a command, or of `kith` (NULL). */
void manual_page(struct buf *out, const struct command *command);
/* Write kith.1 and kith-COMMAND.1 of every command into a directory that is there. */
int manual_write(const char *dir, struct err *err);

#endif

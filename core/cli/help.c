/* help.c -- what the table of commands says to people and to their shell.
 *
 * Everything is appended to a buffer: the same text is printed, tested, and compared
 * with the manual.
 */
#include "core/cli/command.h"

#include "core/base/limits.h"

#include <string.h>

#define SUMMARY_COLUMN 44

static bool has_options(const struct command *command)
{
    return command->options != NULL && command->options[0].name != NULL;
}

void help_usage(struct buf *out, const struct command *command)
{
    buf_printf(out, "kith %s%s%s%s", command->name, has_options(command) ? " [OPTION...]" : "",
               command->arguments[0] != '\0' ? " " : "", command->arguments);
}

/* `left`, then `text` in its column, or on a line of its own. */
static void two_columns(struct buf *out, const char *left, const char *text, size_t column)
{
    size_t size = strlen(left);
    buf_printf(out, "  %s", left);
    if (size + 4 > column) {
        buf_byte(out, '\n');
        size = 0;
        buf_text(out, "  ");
    }
    for (; size + 2 < column; size++)
        buf_byte(out, ' ');
    buf_printf(out, "%s\n", text);
}

static void list_options(struct buf *out, const struct option *options)
{
    struct buf left = BUF_INIT;
    for (; options != NULL && options->name != NULL; options++) {
        buf_clear(&left);
        buf_printf(&left, "--%s%s%s%s", options->name, options->value != NULL ? " " : "",
                   options->value != NULL ? options->value : "",
                   options->is_repeated ? " ..." : "");
        two_columns(out, buf_string(&left), options->text, 28);
    }
    buf_deinit(&left);
}

static const char *const ending =
    "\nThe daemon is found by --url or KITH_URL, else at http://127.0.0.1:8077; the key by\n"
    "--key-file or KITH_KEY; who certifies an https:// by --ca or KITH_CA.  Exit codes: 0 done,\n"
    "1 failed, 2 wrong usage, 3 daemon not reachable, 4 what was compared differs.  A CUSTOMER is\n"
    "42, user_id:u-17, email:ann@example.com or phone:+49...\n";

void help_overview(struct buf *out)
{
    struct buf left = BUF_INIT;
    buf_text(out, "kith -- ask and tell a Kith daemon\n\n");
    for (const struct command *command = command_table; command->name != NULL; command++) {
        buf_clear(&left);
        buf_printf(&left, "%s%s%s", command->name, command->arguments[0] != '\0' ? " " : "",
                   command->arguments);
        two_columns(out, buf_string(&left), command->summary, SUMMARY_COLUMN);
    }
    buf_text(out, "\nOptions of every command:\n");
    list_options(out, global_options);
    buf_text(out, ending);
    buf_deinit(&left);
}

bool help_group(struct buf *out, const char *word)
{
    struct buf left = BUF_INIT;
    size_t size = strlen(word), start = out->size;
    for (const struct command *command = command_table; command->name != NULL; command++) {
        if (strncmp(command->name, word, size) != 0 || command->name[size] != ' ')
            continue;
        buf_clear(&left);
        help_usage(&left, command);
        two_columns(out, buf_string(&left), command->summary, SUMMARY_COLUMN);
    }
    buf_deinit(&left);
    return out->size != start;
}

void help_command(struct buf *out, const struct command *command)
{
    buf_text(out, "usage: ");
    help_usage(out, command);
    buf_printf(out, "\n\n%s.\n", command->summary);
    if (command->text != NULL)
        buf_printf(out, "\n%s\n", command->text);
    if (has_options(command)) {
        buf_text(out, "\nOptions:\n");
        list_options(out, command->options);
    }
    buf_text(out, "\nOptions of every command:\n");
    list_options(out, global_options);
}

/* manual.c -- man pages from the table of commands: kith(1), and one for each command.
 *
 * They say what `kith help` says, in roff.  The texts of the table are plain: paragraphs are
 * separated by an empty line, and what is indented by four blanks is an example and keeps its
 * lines.  No page bears a date: the same source gives the same bytes.
 */
#include "core/cli/command.h"

#include "core/base/err.h"
#include "core/base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EXAMPLE "    "

/* Text as it stands: a backslash is none of roff's, a dash is one that can be copied. */
static void put(struct buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\')
            buf_text(out, "\\e");
        else if (text[i] == '-')
            buf_text(out, "\\-");
        else
            buf_byte(out, (uint8_t)text[i]);
    }
}

static void put_string(struct buf *out, const char *text)
{
    put(out, text, strlen(text));
}

/* A whole line: one that begins with a dot or an apostrophe would be a request. */
static void put_line(struct buf *out, const char *text, size_t size)
{
    if (size != 0 && (text[0] == '.' || text[0] == '\''))
        buf_text(out, "\\&");
    put(out, text, size);
    buf_byte(out, '\n');
}

static void put_paragraphs(struct buf *out, const char *text)
{
    bool is_example = false;
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        bool is_indented = strncmp(text, EXAMPLE, strlen(EXAMPLE)) == 0;
        if (is_indented && !is_example)
            buf_text(out, ".PP\n.nf\n.RS 4\n");
        if (!is_indented && is_example)
            buf_text(out, ".RE\n.fi\n");
        is_example = is_indented;
        if (size == 0)
            buf_text(out, ".PP\n");
        else
            put_line(out, text + (is_indented ? strlen(EXAMPLE) : 0),
                     size - (is_indented ? strlen(EXAMPLE) : 0));
        text += size + (text[size] == '\n' ? 1 : 0);
    }
    if (is_example)
        buf_text(out, ".RE\n.fi\n");
}

/* "load CSV" as a sentence: "Load CSV." */
static void put_sentence(struct buf *out, const char *text)
{
    bool is_small = text[0] >= 'a' && text[0] <= 'z';
    buf_byte(out, is_small ? (uint8_t)(text[0] - 'a' + 'A') : (uint8_t)text[0]);
    put_string(out, text + 1);
    buf_text(out, ".\n");
}

static void put_options(struct buf *out, const struct option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        buf_text(out, ".TP\n\\fB\\-\\-");
        put_string(out, options->name);
        buf_text(out, "\\fR");
        if (options->value != NULL) {
            buf_text(out, " \\fI");
            put_string(out, options->value);
            buf_text(out, "\\fR");
        }
        buf_text(out, options->is_repeated ? " ...\n" : "\n");
        put_line(out, options->text, strlen(options->text));
    }
}

/* kith-staff-add: the name of a page. */
static void put_page_name(struct buf *out, const struct command *command)
{
    buf_text(out, "kith");
    for (const char *at = command != NULL ? command->name : ""; *at != '\0'; at++) {
        if (at == command->name)
            buf_byte(out, '-');
        buf_byte(out, *at == ' ' ? '-' : (uint8_t)*at);
    }
}

static void put_heading(struct buf *out, const struct command *command, const char *summary)
{
    struct buf name = BUF_INIT;
    put_page_name(&name, command);
    buf_text(out, ".TH ");
    for (size_t i = 0; i < name.size; i++) {
        uint8_t letter = name.data[i];
        buf_byte(out, letter >= 'a' && letter <= 'z' ? (uint8_t)(letter - 'a' + 'A') : letter);
    }
    buf_text(out, " 1 \"\" \"Kith " KITH_VERSION "\" \"Kith\"\n.SH NAME\n");
    put_string(out, buf_string(&name));
    buf_text(out, " \\- ");
    put_line(out, summary, strlen(summary));
    buf_deinit(&name);
}

static const char *const surroundings =
    ".SH ENVIRONMENT\n"
    ".TP\n.B KITH_URL\nThe daemon's address; without it, http://127.0.0.1:8077.\n"
    ".TP\n.B KITH_KEY\nThe key; the daemon's own is\n.I admin.key\nin its data directory.\n"
    ".TP\n.B KITH_CA\nA file with who certifies the daemon (PEM); else whom the system trusts.\n"
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone\n"
    ".TP\n.B 1\nfailed: what was asked for cannot be done\n"
    ".TP\n.B 2\nwrong usage\n"
    ".TP\n.B 3\nthe daemon cannot be reached\n";

static void put_command(struct buf *out, const struct command *command)
{
    put_heading(out, command, command->summary);
    buf_printf(out, ".SH SYNOPSIS\n\\fBkith %s\\fR", command->name);
    buf_text(out, command->options != NULL ? " [\\fIOPTION\\fR...] \\fI" : " \\fI");
    put_string(out, command->arguments);
    buf_text(out, "\\fR\n.SH DESCRIPTION\n");
    put_sentence(out, command->summary);
    if (command->text != NULL) {
        buf_text(out, ".PP\n");
        put_paragraphs(out, command->text);
    }
    if (strstr(command->arguments, "CUSTOMER") != NULL)
        buf_text(out, ".PP\nA CUSTOMER is 42 (Kith's own number), user_id:u\\-17,\n"
                      "email:ann@example.com or phone:+49...\n");
    buf_text(out, ".SH OPTIONS\n");
    put_options(out, command->options);
    put_options(out, global_options);
    buf_text(out, surroundings);
    buf_text(out, ".SH SEE ALSO\n.BR kith (1),\n.BR kithd (8)\n");
}

static void put_overview(struct buf *out)
{
    static const char summary[] = "ask and tell a Kith daemon";
    put_heading(out, NULL, summary);
    buf_text(out, ".SH SYNOPSIS\n\\fBkith\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]"
                  " [\\fIARGUMENT\\fR...]\n"
                  ".SH DESCRIPTION\n"
                  "Each command has a page of its own,\n"
                  ".BR kith\\-show (1)\n"
                  "for example, and\n"
                  ".B kith help \\fICOMMAND\\fR\n"
                  "says the same.\n"
                  ".SH COMMANDS\n");
    for (const struct command *command = command_table; command->name != NULL; command++) {
        buf_printf(out, ".TP\n\\fB%s\\fR \\fI", command->name);
        put_string(out, command->arguments);
        buf_text(out, "\\fR\n");
        put_line(out, command->summary, strlen(command->summary));
    }
    buf_text(out, ".SH OPTIONS\n");
    put_options(out, global_options);
    buf_text(out, surroundings);
    buf_text(out, ".SH SEE ALSO\n.BR kithd (8),\n.BR kith.lua (5)\n");
}

void manual_page(struct buf *out, const struct command *command)
{
    if (command != NULL)
        put_command(out, command);
    else
        put_overview(out);
}

/* -- Files -------------------------------------------------------------------------------- */

static int write_page(const char *dir, const struct command *command, struct err *err)
{
    struct buf page = BUF_INIT, path = BUF_INIT;
    buf_printf(&path, "%s/", dir);
    put_page_name(&path, command);
    buf_text(&path, ".1");
    manual_page(&page, command);

    FILE *file = fopen(buf_string(&path), "we");
    bool is_written = file != NULL && fwrite(page.data, 1, page.size, file) == page.size;
    int reason = errno;
    if (file != NULL && fclose(file) != 0 && is_written) {
        reason = errno;
        is_written = false;
    }
    int rc = is_written ? 0
                        : err_set(err, E_INVALID, "cannot write %s: %s", buf_string(&path),
                                  strerror(reason));
    buf_deinit(&path);
    buf_deinit(&page);
    return rc;
}

int manual_write(const char *dir, struct err *err)
{
    int rc = write_page(dir, NULL, err);
    for (const struct command *command = command_table; rc == 0 && command->name != NULL; command++)
        rc = write_page(dir, command, err);
    return rc;
}

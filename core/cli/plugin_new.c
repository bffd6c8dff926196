/* plugin_new.c -- `kith plugin new NAME`: a folder to begin a plugin with.
 *
 * What is written is plugins/sdk/template with the name put in: a plugin that does something, its
 * test, and how both are built with a C compiler and kith.h alone.
 */
#include "core/base/buf.h"
#include "core/cli/cli.h"
#include "core/cli/plugin_template.h"
#include "core/plugin/plugin.h"
#include "core/script/vocabulary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Append `size` bytes with every TEMPLATE_NAME in them replaced. */
static void put_named(struct buf *out, const char *text, size_t size, const char *name)
{
    const char *end = text + size, *found;
    while ((found = memmem(text, (size_t)(end - text), TEMPLATE_NAME, strlen(TEMPLATE_NAME))) !=
           NULL) {
        buf_append(out, text, (size_t)(found - text));
        buf_text(out, name);
        text = found + strlen(TEMPLATE_NAME);
    }
    buf_append(out, text, (size_t)(end - text));
}

static int write_file(struct cli *cli, const struct template_file *file, const char *name)
{
    struct buf path = BUF_INIT, text = BUF_INIT;
    int code = EXIT_DONE, error = 0;
    buf_printf(&path, "%s/", name);
    put_named(&path, file->name, strlen(file->name), name);
    put_named(&text, file->text, file->size, name);
    FILE *out = fopen(buf_string(&path), "wxe");
    if (out == NULL || fwrite(text.data, 1, text.size, out) != text.size)
        error = errno;
    if (out != NULL && fclose(out) != 0 && error == 0)
        error = errno;
    if (error != 0)
        code = cli_fail_file(cli, "write", buf_string(&path), error);
    else
        buf_printf(&cli->out, "%s\n", buf_string(&path));
    buf_deinit(&path);
    buf_deinit(&text);
    return code;
}

/* What make is told in the folder that is written; "test" is a word of rules as well. */
static bool is_of_make(const char *name)
{
    return strcmp(name, "all") == 0 || strcmp(name, "check") == 0 || strcmp(name, "clean") == 0;
}

static int check_name(struct cli *cli, const char *name)
{
    if (!plugin_is_name(name))
        cli_fail(cli,
                 "a plugin cannot be called \"%s\": a name has 1 to %d small letters, digits and "
                 "_, a letter first",
                 name, PLUGIN_NAME_MAX);
    else if (plugin_is_reserved(name))
        cli_fail(cli, "a plugin cannot be called %s, which is a word of Kith's own events", name);
    else if (strcmp(name, "kith") == 0)
        cli_fail(cli, "a plugin cannot be called %s, as whom Kith itself speaks", name);
    else if (script_is_word(name))
        cli_fail(cli,
                 "a plugin cannot be called %s, which is a word of rules: its functions could not "
                 "be called",
                 name);
    else if (is_of_make(name))
        cli_fail(cli, "a plugin cannot be called %s, which is a target of make in its folder",
                 name);
    else
        return EXIT_DONE;
    return EXIT_USAGE;
}

int run_plugin_new(struct cli *cli)
{
    const char *name = args_argument(&cli->args, 0);
    if (check_name(cli, name) != EXIT_DONE)
        return EXIT_USAGE;
    if (mkdir(name, 0777) != 0)
        return cli_fail_file(cli, "make", name, errno);
    int code = EXIT_DONE;
    for (const struct template_file *file = plugin_template; file->name != NULL; file++)
        if (code == EXIT_DONE)
            code = write_file(cli, file, name);
    if (code == EXIT_DONE && !cli->is_json)
        buf_printf(&cli->out,
                   "\n"
                   "Now:  cd %s && make test && make check\n"
                   "What it does stands in %s/%s.c, and how it is used in %s/README.md.\n",
                   name, name, name, name);
    return code;
}

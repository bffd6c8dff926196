/* main.c -- one call of `kith`: understand the line, find the daemon, run the command.
 *
 * What was typed is checked in full before anything is sent.  Arguments that are no UTF-8
 * are refused here, once, because everything behind this point writes JSON.
 */
#include "core/cli/main.h"

#include "core/base/utf8.h"
#include "core/cli/cli.h"
#include "core/cli/config_daemon.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_DEFAULT "http://127.0.0.1:8077"
#define KEY_BYTES_MAX 4096

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int usage_error(const struct args *args, const struct err *err)
{
    struct buf text = BUF_INIT;
    buf_printf(&text, "kith: %s\n", err->text);
    if (args->command != NULL) {
        buf_text(&text, "usage: ");
        help_usage(&text, args->command);
        buf_printf(&text, "\n       kith help %s\n", args->command->name);
    } else {
        buf_text(&text, "usage: kith COMMAND [OPTION...] [ARGUMENT...]\n"
                        "       kith help\n");
    }
    fputs(buf_string(&text), stderr);
    buf_deinit(&text);
    return EXIT_USAGE;
}

/* -- The key ----------------------------------------------------------------------------- */

static int read_key_file(const char *path, struct buf *out, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(err, E_INVALID, "cannot read the key file %s: %s", path, strerror(errno));
    size_t size = fread(buf_reserve(out, KEY_BYTES_MAX), 1, KEY_BYTES_MAX, file);
    bool is_bad = ferror(file) != 0 || !feof(file);
    fclose(file);
    out->size = size;
    while (out->size != 0 && strchr(" \r\n\t", out->data[out->size - 1]) != NULL)
        out->size--;
    if (is_bad || out->size == 0)
        return err_set(err, E_INVALID, "%s holds no key: one line is expected", path);
    return 0;
}

/* --key-file is what this call was told, KITH_KEY what the shell was told before; between the two
 * `configured`, "" for none. */
static int find_key(const struct args *args, const char *configured, struct buf *out,
                    struct err *err)
{
    const char *path = args_value(args, "key-file"), *key = environment("KITH_KEY");
    if (path == NULL && configured[0] != '\0')
        path = configured;
    if (path != NULL)
        return read_key_file(path, out, err);
    if (key == NULL)
        return err_set(err, E_INVALID,
                       "no key is given: set KITH_KEY, or name a file with --key-file; "
                       "the daemon's own is DATA/admin.key");
    buf_text(out, key);
    return 0;
}

/* -- One call ---------------------------------------------------------------------------- */

/* It can tell much without a daemon, and says what it cannot. */
static bool is_dry_import(const struct cli *cli)
{
    return cli->args.command->run == run_import && args_has(&cli->args, "dry-run");
}

static bool needs_daemon(const struct cli *cli)
{
    const struct command *command = cli->args.command;
    bool is_about_files = command->run == run_check || command->run == run_restore ||
                          command->run == run_test || command->run == run_plugin_new ||
                          command->run == run_plugin_check;
    bool is_about_itself = command->run == run_completion || command->run == run_help;
    return !is_about_files && !is_about_itself && !is_dry_import(cli);
}

/* The kith.lua of the daemon that is to be asked; NULL: none is named.  To other commands a
 * configuration is what scripts or plugins are tried with. */
static const char *named_config(const struct cli *cli)
{
    return help_asks_daemon(cli) ? args_value(&cli->args, "config") : NULL;
}

static int connect_daemon(struct cli *cli, struct err *err)
{
    struct buf key = BUF_INIT, own_url = BUF_INIT, own_key = BUF_INIT;
    const char *url = args_value(&cli->args, "url"), *config = named_config(cli);
    int rc = config != NULL ? config_daemon(config, &own_url, &own_key, err) : 0;
    if (url == NULL && own_url.size != 0)
        url = buf_string(&own_url);
    if (url == NULL)
        url = environment("KITH_URL");
    if (rc == 0)
        rc = find_key(&cli->args, buf_string(&own_key), &key, err);
    if (rc == 0)
        rc = client_open(url != NULL ? url : URL_DEFAULT, buf_string(&key), &cli->client, err);
    buf_deinit(&key);
    buf_deinit(&own_url);
    buf_deinit(&own_key);
    const char *ca = args_value(&cli->args, "ca");
    if (ca == NULL)
        ca = environment("KITH_CA");
    if (rc == 0 && ca != NULL)
        rc = client_trust(cli->client, ca, err);
    return rc;
}

static int run(struct cli *cli)
{
    struct err err;
    if (args_has(&cli->args, "version")) {
        buf_text(&cli->out, "kith " KITH_VERSION "\n");
        return EXIT_DONE;
    }
    if (cli->args.command == NULL && args_has(&cli->args, "help")) {
        if (cli->args.group == NULL || !help_group(&cli->out, cli->args.group))
            help_overview(&cli->out);
        return EXIT_DONE;
    }
    if (cli->args.command == NULL) {
        err_set(&err, E_INVALID, "no command is given");
        return usage_error(&cli->args, &err);
    }
    if (args_has(&cli->args, "help")) {
        help_command(&cli->out, cli->args.command);
        return EXIT_DONE;
    }
    if (needs_daemon(cli) && connect_daemon(cli, &err) != 0)
        return usage_error(&cli->args, &err);
    if ((is_dry_import(cli) || help_asks_daemon(cli)) && connect_daemon(cli, &err) != 0 &&
        named_config(cli) != NULL)
        return usage_error(&cli->args, &err);
    return cli->args.command->run(cli);
}

static int check_words(int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++)
        if (!utf8_valid(argv[i], strlen(argv[i])))
            return err_set(err, E_INVALID, "argument %d is not UTF-8: use a terminal in UTF-8", i);
    return 0;
}

/* A full disk or a closed pipe is not "done". */
static int finish(struct cli *cli, int code)
{
    cli_flush(cli);
    if (ferror(stdout) == 0)
        return code;
    fprintf(stderr, "kith: cannot write the result: %s\n", strerror(errno));
    return code == EXIT_DONE ? EXIT_FAILED : code;
}

int kith_main(int argc, char **argv)
{
    struct cli cli = { .client = NULL };
    struct err err;
    int code;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (check_words(argc, argv, &err) != 0 || args_parse(&cli.args, argc, argv, &err) != 0) {
        code = usage_error(&cli.args, &err);
    } else {
        cli.screen = screen_of_stdout();
        cli.is_json = args_has(&cli.args, "json");
        code = finish(&cli, run(&cli));
    }
    client_close(cli.client);
    args_deinit(&cli.args);
    buf_deinit(&cli.path);
    buf_deinit(&cli.body);
    buf_deinit(&cli.out);
    curl_global_cleanup();
    return code;
}

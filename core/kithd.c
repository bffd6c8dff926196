/* kithd.c -- the daemon as a process: its command line, its exit code.
 *
 * Everything else is core/server/daemon.c, in a child of this process that core/server/parent.c
 * watches.  Flags override the configuration, so they are laid over it each time it is read.
 */
#include "core/base/err.h"
#include "core/script/settings.h"
#include "core/server/daemon.h"
#include "core/server/isolated.h"
#include "core/server/parent.h"
#include "core/server/say.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

static const char usage[] =
    "usage: kithd [--config FILE] [--data DIR] [--listen HOST:PORT] [--scripts DIR]\n"
    "             [--plugins DIR] [--log json|text] [--dev] [--rebuild] [--no-parent]\n"
    "\n"
    "  --config FILE        the configuration, a Lua file (kith.lua)\n"
    "  --data DIR           where log, state and keys are; made at the first start\n"
    "  --listen HOST:PORT   default 127.0.0.1:8077; port 0: any free one, which is said\n"
    "  --scripts DIR        activated at the first start; later: kith deploy DIR\n"
    "  --plugins DIR        where the files of plugins are\n"
    "  --log json|text      the form of messages on standard error\n"
    "  --dev                watch the scripts and activate them on save\n"
    "  --rebuild            fold the whole log anew (effects without a claim are held)\n"
    "  --no-parent          one process, not started again after a crash: for gdb, valgrind, perf\n"
    "  --help, --version\n"
    "\n"
    "Flags override the configuration.  SIGTERM ends it, SIGHUP reads the configuration.\n";

struct command_line {
    const char *config, *data, *listen, *scripts, *plugins;
    bool is_dev, rebuild, has_no_parent;
};

static int read_settings(void *arg, struct settings *settings, struct err *err)
{
    const struct command_line *line = arg;
    int rc = line->config != NULL ? settings_load(settings, line->config, err) : 0;
    if (rc == 0 && line->listen != NULL)
        rc = settings_listen(settings, line->listen, err);
    if (line->data != NULL)
        settings->data = line->data;
    if (line->scripts != NULL)
        settings->scripts = line->scripts;
    if (line->plugins != NULL)
        settings->plugin_dir = line->plugins;
    if (rc == 0)
        settings_finish(settings);
    return rc;
}

static _Noreturn void refuse_usage(const char *reason)
{
    fprintf(stderr, "kithd: %s\n\n%s", reason, usage);
    exit(EXIT_USAGE);
}

static bool parse_form(const char *form)
{
    bool is_json = strcmp(form, "json") == 0;
    if (!is_json && strcmp(form, "text") != 0)
        refuse_usage("--log is json or text");
    return is_json;
}

enum { FLAG_DEV = 256, FLAG_REBUILD, FLAG_NO_PARENT };

static const struct option flags[] = {
    { "config", required_argument, NULL, 'c' },
    { "data", required_argument, NULL, 'd' },
    { "listen", required_argument, NULL, 'l' },
    { "scripts", required_argument, NULL, 's' },
    { "plugins", required_argument, NULL, 'p' },
    { "log", required_argument, NULL, 'o' },
    { "dev", no_argument, NULL, FLAG_DEV },
    { "rebuild", no_argument, NULL, FLAG_REBUILD },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { "no-parent", no_argument, NULL, FLAG_NO_PARENT },
    { NULL, 0, NULL, 0 },
};

static void parse(struct command_line *line, int argc, char **argv)
{
    int flag;
    while ((flag = getopt_long(argc, argv, "hV", flags, NULL)) != -1) {
        switch (flag) {
        case 'c':
            line->config = optarg;
            break;
        case 'd':
            line->data = optarg;
            break;
        case 'l':
            line->listen = optarg;
            break;
        case 's':
            line->scripts = optarg;
            break;
        case 'p':
            line->plugins = optarg;
            break;
        case 'o':
            say_as_json(parse_form(optarg));
            break;
        case FLAG_DEV:
            line->is_dev = true;
            break;
        case FLAG_REBUILD:
            line->rebuild = true;
            break;
        case FLAG_NO_PARENT:
            line->has_no_parent = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        case 'V':
            puts("kithd " KITH_VERSION);
            exit(EXIT_SUCCESS);
        default: /* getopt_long has said what is wrong */
            fprintf(stderr, "\n%s", usage);
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc)
        refuse_usage("it takes flags only");
}

static int serve(void *arg)
{
    struct command_line *line = arg;
    struct daemon_options options = {
        .read_settings = read_settings,
        .arg = line,
        .is_dev = line->is_dev,
        .rebuild = line->rebuild,
    };
    struct err err = { 0 };
    if (daemon_run(&options, &err) == 0)
        return EXIT_SUCCESS;
    say("%s", err.text);
    return err.code == E_FULL ? PARENT_NO_ROOM : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct command_line line = { .is_dev = false };
    if (argc == 2 && strcmp(argv[1], ISOLATED_FLAG) == 0)
        return isolated_run();
    parse(&line, argc, argv);
    return line.has_no_parent ? serve(&line) : parent_run(serve, &line);
}

/* privacy.c -- the rights of the person: what is known of her, and to be forgotten. */
#include "core/base/err.h"
#include "core/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POLL_SECONDS 1

/* -- export ------------------------------------------------------------------------------ */

static int write_out(struct cli *cli, const char *path)
{
    FILE *file = fopen(path, "wx");
    if (file == NULL)
        return cli_fail_file(cli, "make", path, errno);
    int error = fwrite(cli->out.data, 1, cli->out.size, file) == cli->out.size ? 0 : errno;
    if (fclose(file) != 0 && error == 0)
        error = errno;
    if (error != 0)
        return cli_fail_file(cli, "write", path, error);
    buf_clear(&cli->out);
    buf_printf(&cli->out, "all that is known is in %s\n", path);
    return EXIT_DONE;
}

int run_export(struct cli *cli)
{
    const char *path = args_value(&cli->args, "output");
    struct doc answer = { NULL, 0 };
    cli_path(cli, "/v1/customers/", args_argument(&cli->args, 0), "/export");
    int code = cli_get(cli, &answer);
    if (code != EXIT_DONE)
        return code;
    cli_json(cli, answer);
    return path != NULL ? write_out(cli, path) : EXIT_DONE;
}

/* -- erase ------------------------------------------------------------------------------- */

struct waiting {
    int64_t customer;
    bool is_found, is_shown; /* on the list; how far it is, on a terminal */
    int seconds;
};

static const char *stage_of(struct doc item)
{
    return text_is(doc_text(item, "state"), "rows") ? "rows are being removed"
                                                    : "files are being written anew";
}

static void note_customer(struct cli *cli, struct doc item, void *arg)
{
    struct waiting *waiting = arg;
    (void)cli;
    if (doc_int(item, "customer", 0) != waiting->customer)
        return;
    waiting->is_found = true;
    if (waiting->is_shown)
        fprintf(stderr, "\r\033[Kcustomer %lld: %s (%d s)", (long long)waiting->customer,
                stage_of(item), waiting->seconds);
}

/* Until she is not on the list any more. */
static int wait_for_files(struct cli *cli, int64_t customer)
{
    struct waiting waiting = { .customer = customer, .is_shown = isatty(STDERR_FILENO) != 0 };
    bool is_json = cli->is_json;
    for (;; waiting.seconds += POLL_SECONDS) {
        waiting.is_found = false;
        cli_path(cli, "/v1/erasures", NULL, NULL);
        cli->is_json = false; /* the items are not for the reader */
        int code = cli_list(cli, 0, note_customer, &waiting);
        cli->is_json = is_json;
        if (code == EXIT_DONE && waiting.is_found) {
            sleep(POLL_SECONDS);
            continue;
        }
        if (waiting.is_shown)
            fputs("\r\033[K", stderr);
        return code;
    }
}

/* Who sits at a terminal is asked: a slip of the finger is a wrong number. */
static int ask(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    struct buf name = BUF_INIT;
    char line[16];
    cli_path(cli, "/v1/customers/", args_argument(&cli->args, 0), NULL);
    int code = cli_get(cli, &record);
    if (code != EXIT_DONE)
        return code;
    text_clean(doc_text(doc_child(record, "traits"), "name"), &name);
    fprintf(stderr, "Erase customer %lld%s%s?  There is no way back.  [y/N] ",
            (long long)doc_int(record, "id", 0), name.size != 0 ? ", " : "", buf_string(&name));
    buf_deinit(&name);
    bool is_sure = fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
    return is_sure ? EXIT_DONE : cli_fail(cli, "nothing is erased");
}

int run_erase(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    bool is_waiting = args_has(&cli->args, "wait");
    bool is_asked = isatty(STDIN_FILENO) && cli->screen.is_terminal && !cli->is_json;
    if (is_asked && !args_has(&cli->args, "yes") && ask(cli) != EXIT_DONE)
        return EXIT_FAILED;
    cli_path(cli, "/v1/customers/", args_argument(&cli->args, 0), NULL);
    buf_clear(&cli->body);
    int code = cli_answer(cli, "DELETE", &answer);
    if (code != EXIT_DONE)
        return code;
    int64_t customer = doc_int(answer, "customer", 0);
    if (is_waiting)
        code = wait_for_files(cli, customer);
    if (code == EXIT_DONE && !cli->is_json)
        buf_printf(&cli->out, "customer %lld is erased: %s\n", (long long)customer,
                   is_waiting ? "nothing of it is in any file of the data"
                              : "nobody finds it any more, and it leaves all files within the hour "
                                "(kith erasures)");
    return code;
}

static void erasure_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    cell_field(table, item, "customer", TINT_NONE);
    cell_time(cli, table, item, "since");
    if (doc_text(item, "reason").size != 0)
        cell_field(table, item, "reason", TINT_YELLOW);
    else
        table_add_string(table, stage_of(item), TINT_NONE);
    cell_field(table, item, "entries", TINT_NONE);
}

int run_erasures(struct cli *cli)
{
    static const struct column columns[] = { { "customer", true },
                                             { "since", false },
                                             { "state", false },
                                             { "entries", true },
                                             { NULL, false } };
    struct table table;
    table_init(&table, columns);
    cli_path(cli, "/v1/erasures", NULL, NULL);
    int code = cli_list(cli, 0, erasure_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "nothing of anybody who was erased is in any file");
    table_deinit(&table);
    return code;
}

/* backup.c -- copies of the data, and what is the matter with them.
 *
 * A backup is made by the daemon, which writes on; a restore needs that none runs, and is done
 * here.
 */
#include "core/server/backup.h"

#include "core/cli/cli.h"

#include <limits.h>
#include <stdlib.h>

#define MIB(bytes) (long long)(((bytes) + (1 << 20) - 1) >> 20)

/* The daemon does not stand where the command was typed. */
static void body_dir(struct cli *cli, const char *dir)
{
    char here[PATH_MAX];
    struct buf path = BUF_INIT;
    if (dir[0] != '/' && realpath(".", here) != NULL)
        buf_printf(&path, "%s/", here);
    buf_text(&path, dir);
    body_open(cli);
    body_text(cli, "dir", buf_string(&path));
    body_close(cli);
    buf_deinit(&path);
}

int run_backup(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    body_dir(cli, args_argument(&cli->args, 0));
    cli_path(cli, "/v1/backups", NULL, NULL);
    int code = cli_answer(cli, "POST", &answer);
    if (code == EXIT_DONE && !cli->is_json)
        buf_printf(&cli->out, "%lld entries, %lld MiB, copied and checked\n",
                   (long long)doc_int(answer, "log_seq", 0), MIB(doc_int(answer, "bytes", 0)));
    return code;
}

int run_restore(struct cli *cli)
{
    const char *data = args_value(&cli->args, "data");
    struct backup backup;
    struct err err = { 0 };
    if (data == NULL) {
        cli_fail(cli, "where to? --data DIR, which kithd will be started with");
        return EXIT_USAGE;
    }
    if (backup_restore(args_argument(&cli->args, 0), data, &backup, &err) != 0)
        return cli_fail(cli, "%s", err.text);
    buf_printf(&cli->out,
               "%llu entries are in %s: start it with kithd --data %s\n"
               "customers who were erased since the backup was made are in it again: erase them "
               "again\n",
               (unsigned long long)backup.log_seq, data, data);
    return EXIT_DONE;
}

int run_doctor(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    cli_path(cli, "/v1/doctor", NULL, NULL);
    int code = cli_answer(cli, "GET", &answer);
    if (code != EXIT_DONE)
        return code;
    bool is_well = doc_bool(answer, "ok", false);
    if (cli->is_json)
        return is_well ? EXIT_DONE : EXIT_FAILED;
    static const struct column columns[] = {
        { "", false }, { "check", false }, { "finding", false }, { NULL, false }
    };
    struct table table;
    table_init(&table, columns);
    for (struct doc_iter it = doc_iter(doc_child(answer, "checks")); doc_next(&it);) {
        bool is_ok = doc_bool(it.value.doc, "ok", false);
        table_add_string(&table, is_ok ? "ok" : "NOT", is_ok ? TINT_GREEN : TINT_RED);
        cell_field(&table, it.value.doc, "name", TINT_NONE);
        cell_field(&table, it.value.doc, "text", TINT_NONE);
    }
    cli_table(cli, &table, "nothing was checked");
    table_deinit(&table);
    return is_well ? EXIT_DONE : EXIT_FAILED;
}

/* promises.c -- kith promise: what was promised and was kept, in one line.
 *
 * A promise is a record of the plugin followup's kind `promise`, and all of this can be done with
 * `kith record` too.  That one was kept needs evidence: whom it was told, when, over what.
 */
#include "core/cli/record.h"

static const char path[] = "/v1/records/promise/";

int run_promise_list(struct cli *cli)
{
    int64_t limit;
    if (!cli_limit(cli, 0, &limit))
        return EXIT_USAGE;
    cli_path(cli, "/v1/records/promise", NULL, NULL);
    path_query(&cli->path, "owner", args_value(&cli->args, "owner"));
    path_query(&cli->path, "customer", args_value(&cli->args, "customer"));
    path_query(&cli->path, "open", args_has(&cli->args, "all") ? NULL : "1");
    return record_list(cli, limit, "no promises are open");
}

int run_promise_add(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    const char *owner = args_value(&cli->args, "owner");
    const char *due = args_value(&cli->args, "due");
    const struct record_text fields[] = { { "what", args_argument(&cli->args, 1) },
                                          { "due", due },
                                          { "channel", args_value(&cli->args, "channel") },
                                          { "concerns", args_value(&cli->args, "concerns") },
                                          { NULL, NULL } };
    if (due == NULL) {
        cli_fail(cli,
                 "until when? Add --due 2h, --due 1wd, --due friday or --due \"2026-12-01 10:00\"");
        return EXIT_USAGE;
    }
    int code = owner != NULL ? staff_check(cli, owner) : EXIT_DONE;
    if (code != EXIT_DONE)
        return code;
    record_body(cli, args_argument(&cli->args, 0), owner, fields);
    cli_path(cli, "/v1/records/promise", NULL, NULL);
    code = cli_post(cli, &record);
    return record_print(cli, code, record);
}

/* Into another state, with what was typed behind the number as the field `name`. */
static int move(struct cli *cli, const char *transition, const char *name)
{
    struct doc record = { NULL, 0 };
    const struct record_text fields[] = { { name, args_argument(&cli->args, 1) }, { NULL, NULL } };
    record_body(cli, NULL, NULL, fields);
    cli_path(cli, path, args_argument(&cli->args, 0), transition);
    int code = cli_post(cli, &record);
    return record_print(cli, code, record);
}

/* Kept late is kept, too, and stays counted as broken. */
int run_promise_keep(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    const char *number = args_argument(&cli->args, 0);
    if (!record_is_number(cli, number, "promise"))
        return EXIT_USAGE;
    cli_path(cli, path, number, NULL);
    int code = cli_get(cli, &record);
    if (code != EXIT_DONE)
        return code;
    struct text state = doc_text(record, "state");
    bool is_late = text_is(state, "broken") || text_is(state, "apologized");
    return move(cli, is_late ? "/keep_late" : "/keep", "evidence");
}

int run_promise_withdraw(struct cli *cli)
{
    return record_is_number(cli, args_argument(&cli->args, 0), "promise")
               ? move(cli, "/withdraw", "reason")
               : EXIT_USAGE;
}

int run_promise_apologize(struct cli *cli)
{
    return record_is_number(cli, args_argument(&cli->args, 0), "promise")
               ? move(cli, "/apologize", "apology")
               : EXIT_USAGE;
}

int run_promise_recover(struct cli *cli)
{
    return record_is_number(cli, args_argument(&cli->args, 0), "promise")
               ? move(cli, "/recover", "recovery")
               : EXIT_USAGE;
}

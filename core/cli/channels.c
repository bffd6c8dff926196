/* channels.c -- the ways out: channels, pause and resume, of one of them or of all. */
#include "core/cli/cli.h"

static const struct column columns[] = {
    { "name", false },     { "state", false }, { "circuit", false }, { "waiting", true },
    { "under way", true }, { "sent", true },   { "failed", true },   { "target", false },
    { "reason", false },   { NULL, false },
};

static enum tint circuit_tint(struct text circuit)
{
    return text_is(circuit, "closed") ? TINT_NONE : TINT_YELLOW;
}

static void channel_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    bool is_paused = text_is(doc_text(item, "state"), "paused");
    (void)cli;
    cell_field(table, item, "name", TINT_BOLD);
    cell_field(table, item, "state", is_paused ? TINT_RED : TINT_GREEN);
    cell_field(table, item, "circuit", circuit_tint(doc_text(item, "circuit")));
    cell_field(table, item, "waiting", TINT_NONE);
    cell_field(table, item, "under_way", TINT_NONE);
    cell_field(table, item, "sent", TINT_NONE);
    cell_field(table, item, "failed", TINT_NONE);
    cell_field(table, item, "target", TINT_DIM);
    cell_field(table, doc_child(item, "paused"), "reason", TINT_NONE);
}

int run_channels(struct cli *cli)
{
    struct table table;
    table_init(&table, columns);
    cli_path(cli, "/v1/channels", NULL, NULL);
    int code = cli_list(cli, 0, channel_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "no channels");
    table_deinit(&table);
    return code;
}

/* `name` is a channel, or "*". */
static int decide(struct cli *cli, const char *name, const char *rest, struct doc *out_answer)
{
    body_open(cli);
    body_text(cli, "reason", args_value(&cli->args, "reason"));
    body_close(cli);
    cli_path(cli, "/v1/channels/", name, rest);
    return cli_answer(cli, "POST", out_answer);
}

int run_pause_channel(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    const char *name = args_argument(&cli->args, 0);
    int code = decide(cli, name, "/pause", &answer);
    if (code == EXIT_DONE && !cli->is_json)
        buf_printf(&cli->out, "channel %s is paused: what is meant for it waits until it expires\n",
                   name);
    return code;
}

int run_resume_channel(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    const char *name = args_argument(&cli->args, 0);
    int code = decide(cli, name, "/resume", &answer);
    bool is_paused = text_is(doc_text(answer, "state"), "paused");
    if (code == EXIT_DONE && !cli->is_json)
        buf_printf(&cli->out, "channel %s is %s\n", name,
                   is_paused ? "paused as all are: kith resume --all" : "in use");
    return code;
}

static bool wants_all(struct cli *cli, const char *what)
{
    if (!args_has(&cli->args, "all"))
        cli_fail(cli, "what is to be %s? channel NAME, rule NAME, or --all", what);
    return args_has(&cli->args, "all");
}

int run_pause(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    if (!wants_all(cli, "paused"))
        return EXIT_USAGE;
    int code = decide(cli, "*", "/pause", &answer);
    if (code == EXIT_DONE && !cli->is_json)
        buf_text(&cli->out, "nothing goes out any more: messages wait until they expire\n");
    return code;
}

int run_resume(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    if (!wants_all(cli, "resumed"))
        return EXIT_USAGE;
    int code = decide(cli, "*", "/resume", &answer);
    if (code == EXIT_DONE && !cli->is_json)
        buf_text(&cli->out, "all channels are in use, but those that are paused themselves: "
                            "kith channels\n");
    return code;
}

/* channels.c -- the ways out: channels, pause channel, resume channel. */
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

static int decide(struct cli *cli, const char *rest, const char *became)
{
    struct doc answer = { NULL, 0 };
    const char *name = args_argument(&cli->args, 0);
    cli_path(cli, "/v1/channels/", name, rest);
    int code = cli_post(cli, &answer);
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json)
        cli_json(cli, answer);
    else
        buf_printf(&cli->out, "channel %s is %s\n", name, became);
    return EXIT_DONE;
}

int run_pause_channel(struct cli *cli)
{
    body_open(cli);
    body_text(cli, "reason", args_value(&cli->args, "reason"));
    body_close(cli);
    return decide(cli, "/pause", "paused: what is meant for it waits until it expires");
}

int run_resume_channel(struct cli *cli)
{
    body_open(cli);
    body_close(cli);
    return decide(cli, "/resume", "in use");
}

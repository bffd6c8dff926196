/* plugins.c -- what is loaded: plugin list, plugin enable, plugin disable, plugin reload. */
#include "core/cli/cli.h"

static const struct column columns[] = {
    { "name", false },   { "version", false }, { "state", false },       { "isolated", false },
    { "calls", true },   { "failures", true }, { "hooks failed", true }, { "mean ns", true },
    { "parked", true },  { "missed", true },   { "needs", false },       { "since", false },
    { "reason", false }, { NULL, false },
};

static void cell_texts(struct table *table, struct doc texts)
{
    struct buf line = BUF_INIT;
    for (struct doc_iter it = doc_iter(texts); doc_next(&it);)
        if (it.value.type == DOC_TEXT)
            buf_printf(&line, "%s%.*s", line.size != 0 ? " " : "", (int)it.value.text.size,
                       it.value.text.data);
    table_add(table, (struct text){ buf_string(&line), (uint32_t)line.size }, TINT_DIM);
    buf_deinit(&line);
}

static void plugin_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    struct doc quarantined = doc_child(item, "quarantined");
    bool is_active = text_is(doc_text(item, "state"), "active");
    cell_field(table, item, "name", TINT_BOLD);
    cell_field(table, item, "version", TINT_NONE);
    cell_field(table, item, "state", is_active ? TINT_GREEN : TINT_RED);
    table_add_string(table, doc_bool(item, "isolated", false) ? "yes" : "", TINT_NONE);
    cell_field(table, item, "calls", TINT_NONE);
    cell_field(table, item, "failures", TINT_NONE);
    cell_field(table, item, "hook_failures",
               doc_int(item, "hook_failures", 0) != 0 ? TINT_RED : TINT_NONE);
    cell_field(table, item, "mean_ns", TINT_NONE);
    cell_field(table, item, "parked", TINT_NONE);
    cell_field(table, item, "missed", TINT_NONE);
    cell_texts(table, doc_child(item, "needs"));
    cell_time(cli, table, quarantined, "since");
    if (quarantined.data == NULL)
        cell_field(table, item, "failed", TINT_NONE);
    else
        cell_field(table, quarantined, "reason", TINT_NONE);
}

int run_plugin_list(struct cli *cli)
{
    struct table table;
    table_init(&table, columns);
    cli_path(cli, "/v1/plugins", NULL, NULL);
    int code = cli_list(cli, 0, plugin_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "no plugins: kith.lua names those that are to be loaded");
    table_deinit(&table);
    return code;
}

static int decide(struct cli *cli, const char *rest)
{
    struct doc answer = { NULL, 0 };
    const char *name = args_argument(&cli->args, 0);
    cli_path(cli, "/v1/plugins/", name, rest);
    int code = cli_post(cli, &answer);
    if (code != EXIT_DONE)
        return code;
    struct text state = doc_text(answer, "state");
    if (cli->is_json)
        cli_json(cli, answer);
    else
        buf_printf(&cli->out, "plugin %s is %.*s, %lld events are parked for it\n", name,
                   (int)state.size, state.data, (long long)doc_int(answer, "parked", 0));
    return EXIT_DONE;
}

int run_plugin_enable(struct cli *cli)
{
    body_open(cli);
    if (args_has(&cli->args, "skip"))
        buf_text(&cli->body, "\"skip\":true");
    body_close(cli);
    return decide(cli, "/enable");
}

/* One that was quarantined before stays so, whatever its file is by now. */
static void say_standing(struct cli *cli, struct doc answer)
{
    struct text state = doc_text(answer, "state"), advice = doc_text(answer, "advice");
    struct text reason = doc_text(doc_child(answer, "quarantined"), "reason");
    if (doc_child(answer, "quarantined").data == NULL)
        reason = doc_text(answer, "failed");
    if (state.size == 0 || text_is(state, "active"))
        return;
    buf_printf(&cli->out, "it is %.*s", (int)state.size, state.data);
    if (reason.size != 0) {
        buf_text(&cli->out, " (");
        text_clean(reason, &cli->out);
        buf_byte(&cli->out, ')');
    }
    buf_printf(&cli->out, ", %lld events are parked for it",
               (long long)doc_int(answer, "parked", 0));
    if (advice.size != 0)
        buf_printf(&cli->out, "; %.*s", (int)advice.size, advice.data);
    buf_byte(&cli->out, '\n');
}

int run_plugin_reload(struct cli *cli)
{
    struct doc answer = { NULL, 0 };
    const char *name = args_argument(&cli->args, 0);
    body_open(cli);
    body_close(cli);
    cli_path(cli, "/v1/plugins/", name, "/reload");
    int code = cli_post(cli, &answer);
    if (code != EXIT_DONE)
        return code;
    struct text version = doc_text(answer, "version"), hash = doc_text(answer, "hash");
    if (cli->is_json) {
        cli_json(cli, answer);
        return EXIT_DONE;
    }
    buf_printf(&cli->out, "plugin %s has been reloaded: version %.*s, file %.12s\n", name,
               (int)version.size, version.data, hash.size >= 12 ? hash.data : "unknown");
    say_standing(cli, answer);
    if (doc_text(answer, "warning").size != 0) {
        text_clean(doc_text(answer, "warning"), &cli->out);
        buf_byte(&cli->out, '\n');
    }
    return EXIT_DONE;
}

int run_plugin_disable(struct cli *cli)
{
    body_open(cli);
    body_text(cli, "reason", args_value(&cli->args, "reason"));
    body_close(cli);
    return decide(cli, "/disable");
}

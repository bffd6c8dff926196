/* rules.c -- what runs: rules, pause rule, resume rule. */
#include "core/cli/cli.h"

static const struct column columns[] = {
    { "name", false },  { "trigger", false }, { "state", false },  { "waiting", true },
    { "since", false }, { "by", false },      { "reason", false }, { NULL, false },
};

static void rule_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    struct doc paused = doc_child(item, "paused");
    bool is_paused = text_is(doc_text(item, "state"), "paused");
    cell_field(table, item, "name", TINT_BOLD);
    if (doc_get(item, "trigger").type == DOC_TEXT)
        cell_field(table, item, "trigger", TINT_NONE);
    else
        table_add_string(table, "not in the bundle in force", TINT_DIM);
    cell_field(table, item, "state", is_paused ? TINT_RED : TINT_GREEN);
    cell_field(table, item, "waiting", TINT_NONE);
    cell_time(cli, table, paused, "since");
    cell_field(table, paused, "by", TINT_NONE);
    cell_field(table, paused, "reason", TINT_NONE);
}

int run_rules(struct cli *cli)
{
    struct table table;
    table_init(&table, columns);
    cli_path(cli, "/v1/rules", NULL, NULL);
    int code = cli_list(cli, 0, rule_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "no rules: kith deploy DIR");
    table_deinit(&table);
    return code;
}

static int decide(struct cli *cli, const char *rest, const char *became)
{
    struct doc answer = { NULL, 0 };
    const char *name = args_argument(&cli->args, 0);
    body_open(cli);
    body_text(cli, "reason", args_value(&cli->args, "reason"));
    body_close(cli);
    cli_path(cli, "/v1/rules/", name, rest);
    int code = cli_answer(cli, "POST", &answer);
    if (code == EXIT_DONE && !cli->is_json)
        buf_printf(&cli->out, "rule %s %s\n", name, became);
    return code;
}

int run_pause_rule(struct cli *cli)
{
    return decide(cli, "/pause", "is paused: what happens passes it by");
}

int run_resume_rule(struct cli *cli)
{
    return decide(cli, "/resume", "runs again, from here on");
}

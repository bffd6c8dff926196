/* effects.c -- what was sent and why: effects, explain, release, drop. */
#include "core/cli/cli.h"

#define EFFECTS_DEFAULT 50

static const struct column columns[] = {
    { "id", true },     { "created", false }, { "customer", true }, { "channel", false },
    { "state", false }, { "reason", false },  { "purpose", false }, { "to", false },
    { "rule", false },  { NULL, false },
};

static void effect_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    cell_field(table, item, "id", TINT_BOLD);
    cell_time(cli, table, item, "created");
    cell_field(table, item, "customer", TINT_NONE);
    cell_field(table, item, "channel", TINT_NONE);
    cell_state(table, item, "state");
    cell_field(table, item, "reason", TINT_NONE);
    cell_field(table, item, "purpose", TINT_NONE);
    cell_field(table, item, "to", TINT_NONE);
    cell_field(table, item, "rule", TINT_DIM);
}

/* --state, --uncertain or --held: one of them at most. */
static bool wanted_state(struct cli *cli, const char **out_state)
{
    const char *state;
    if (!cli_choice(
            cli, "state",
            "pending|claimed|sent|suppressed|rejected|failed|expired|uncertain|held|dropped",
            &state))
        return false;
    bool is_uncertain = args_has(&cli->args, "uncertain"), is_held = args_has(&cli->args, "held");
    if ((state != NULL) + is_uncertain + is_held > 1) {
        cli_fail(cli, "--state, --uncertain and --held exclude each other");
        return false;
    }
    *out_state = is_uncertain ? "uncertain" : is_held ? "held" : state;
    return true;
}

int run_effects(struct cli *cli)
{
    struct table table;
    const char *state;
    int64_t limit;
    if (!wanted_state(cli, &state) || !cli_limit(cli, EFFECTS_DEFAULT, &limit))
        return EXIT_USAGE;
    cli_path(cli, "/v1/effects", NULL, NULL);
    path_query(&cli->path, "state", state);
    path_query(&cli->path, "channel", args_value(&cli->args, "channel"));
    table_init(&table, columns);
    int code = cli_list(cli, limit, effect_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "no such effects");
    table_deinit(&table);
    return code;
}

/* -- explain ----------------------------------------------------------------------------- */

static void chain_rules(struct buf *out, struct doc link)
{
    const char *gap = "";
    for (struct doc_iter it = doc_iter(doc_child(link, "rules")); doc_next(&it); gap = ", ") {
        buf_text(out, gap);
        struct text name =
            it.value.type == DOC_DOC ? doc_text(it.value.doc, "name") : it.value.text;
        buf_append(out, name.data, name.size);
    }
}

static void print_chain(struct cli *cli, struct doc chain)
{
    static const struct column chain_columns[] = { { "id", true },     { "at", false },
                                                   { "type", false },  { "by", false },
                                                   { "rules", false }, { NULL, false } };
    struct table table;
    table_init(&table, chain_columns);
    table_yield(&table, "rules", YIELD_BELOW);
    for (struct doc_iter it = doc_iter(chain); doc_next(&it);) {
        struct buf rules = BUF_INIT;
        cell_field(&table, it.value.doc, "id", TINT_BOLD);
        cell_time(cli, &table, it.value.doc, "at");
        cell_field(&table, it.value.doc, "type", TINT_NONE);
        cell_field(&table, it.value.doc, "by", TINT_NONE);
        chain_rules(&rules, it.value.doc);
        table_add_string(&table, buf_string(&rules), TINT_DIM);
        buf_deinit(&rules);
    }
    if (table_rows(&table) != 0) {
        buf_byte(&cli->out, '\n');
        table_print(&table, &cli->screen, &cli->out);
    }
    table_deinit(&table);
}

int run_explain(struct cli *cli)
{
    struct doc answer;
    /* Entries, events and effects are numbered together: the daemon knows which it is. */
    cli_path(cli, "/v1/entries/", args_argument(&cli->args, 0), "/explain");
    int code = cli_answer(cli, "GET", &answer);
    if (code != EXIT_DONE || cli->is_json)
        return code;
    text_clean(doc_text(answer, "text"), &cli->out);
    buf_byte(&cli->out, '\n');
    print_chain(cli, doc_child(answer, "chain"));
    return EXIT_DONE;
}

/* -- release, drop ----------------------------------------------------------------------- */

static int decide(struct cli *cli, const char *rest)
{
    struct table table;
    struct doc effect;
    cli_path(cli, "/v1/effects/", args_argument(&cli->args, 0), rest);
    int code = cli_answer(cli, "POST", &effect);
    if (code != EXIT_DONE || cli->is_json)
        return code;
    table_init(&table, columns);
    effect_item(cli, effect, &table);
    cli_table(cli, &table, "");
    table_deinit(&table);
    return EXIT_DONE;
}

int run_release(struct cli *cli)
{
    body_open(cli);
    body_close(cli);
    return decide(cli, "/release");
}

int run_drop(struct cli *cli)
{
    body_open(cli);
    body_text(cli, "reason", args_value(&cli->args, "reason"));
    body_close(cli);
    return decide(cli, "/drop");
}

/* reminders.c -- follow-ups: reminders, remind, done, snooze.
 *
 * Times are sent as they were typed: what "3d" is, and which day "2026-12-01" is in the
 * company's zone, the daemon knows.
 */
#include "core/base/moment.h"
#include "core/cli/cli.h"

#include <string.h>
#include <time.h>

static const struct column columns[] = {
    { "id", true },    { "due", false },   { "assignee", false }, { "customer", true },
    { "name", false }, { "title", false }, { "rule", false },     { "state", false },
    { "note", false }, { NULL, false },
};

/* Of those that may be over: when. */
static const struct column closed_columns[] = {
    { "id", true },    { "due", false },    { "assignee", false }, { "customer", true },
    { "name", false }, { "title", false },  { "rule", false },     { "state", false },
    { "note", false }, { "closed", false }, { NULL, false },
};

/* What is to be done, and why, is read to its end on a narrow screen too. */
static void reminder_table(struct table *table, bool has_closed)
{
    table_init(table, has_closed ? closed_columns : columns);
    table_yield(table, "note", YIELD_BELOW);
    table_yield(table, "rule", YIELD_BELOW);
    table_yield(table, "title", YIELD_BELOW);
}

/* What should have been done is red. */
static void cell_due(struct cli *cli, struct table *table, struct doc item)
{
    struct text due = doc_text(item, "due");
    struct buf text = BUF_INIT;
    int64_t ms;
    bool is_late = text_is(doc_text(item, "state"), "open") &&
                   moment_parse(due.data, due.size, &ms, NULL) == 0 &&
                   ms / 1000 < (int64_t)time(NULL);
    screen_time(&cli->screen, due, &text);
    table_add_whole(table, (struct text){ buf_string(&text), (uint32_t)text.size },
                    is_late ? TINT_RED : TINT_NONE);
    buf_deinit(&text);
}

/* "ben for anna": he stands in for her. */
static void cell_assignee(struct table *table, struct doc item)
{
    struct text of = doc_text(item, "of"), assignee = doc_text(item, "assignee");
    struct buf text = BUF_INIT;
    buf_append(&text, assignee.data, assignee.size);
    buf_text(&text, of.size != 0 ? " for " : "");
    buf_append(&text, of.data, of.size);
    table_add(table, (struct text){ buf_string(&text), (uint32_t)text.size }, TINT_NONE);
    buf_deinit(&text);
}

static void open_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    cell_field(table, item, "id", TINT_BOLD);
    cell_due(cli, table, item);
    cell_assignee(table, item);
    cell_field(table, item, "customer", TINT_NONE);
    cell_field(table, item, "customer_name", TINT_NONE);
    cell_field(table, item, "title", TINT_NONE);
    cell_field(table, item, "rule", TINT_DIM);
    cell_state(table, item, "state");
    cell_field(table, item, "note", TINT_NONE);
}

static void closed_item(struct cli *cli, struct doc item, void *arg)
{
    open_item(cli, item, arg);
    cell_time(cli, arg, item, "closed");
}

int run_reminders(struct cli *cli)
{
    struct table table;
    const char *state;
    int64_t limit;
    if (!cli_limit(cli, 0, &limit) || !cli_choice(cli, "state", "open|done|all", &state))
        return EXIT_USAGE;
    cli_path(cli, "/v1/reminders", NULL, NULL);
    path_query(&cli->path, "to", args_value(&cli->args, "to"));
    path_query(&cli->path, "customer", args_value(&cli->args, "customer"));
    path_query(&cli->path, "state", state);
    path_query(&cli->path, "due", args_value(&cli->args, "due"));
    bool has_closed = state != NULL && strcmp(state, "open") != 0;
    reminder_table(&table, has_closed);
    int code = cli_list(cli, limit, has_closed ? closed_item : open_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "no such reminders");
    table_deinit(&table);
    return code;
}

static int print_reminder(struct cli *cli, int code, struct doc reminder)
{
    struct table table;
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json) {
        cli_json(cli, reminder);
        return EXIT_DONE;
    }
    bool has_closed = doc_text(reminder, "closed").size != 0;
    cli_item_fn *item = has_closed ? closed_item : open_item;
    reminder_table(&table, has_closed);
    item(cli, reminder, &table);
    struct doc next = doc_child(reminder, "next"); /* that follows the one that is done */
    if (next.data != NULL)
        item(cli, next, &table);
    cli_table(cli, &table, "");
    table_deinit(&table);
    return EXIT_DONE;
}

static int post(struct cli *cli)
{
    struct doc reminder;
    body_close(cli);
    int code = cli_post(cli, &reminder);
    return print_reminder(cli, code, reminder);
}

int run_remind(struct cli *cli)
{
    const char *due = args_value(&cli->args, "due"), *to = args_value(&cli->args, "to");
    if (due == NULL) {
        cli_fail(cli, "when? Add --due 3d, or --due \"2026-12-01 10:00\"");
        return EXIT_USAGE;
    }
    int code = to != NULL && strcmp(to, "owner") != 0 ? staff_check(cli, to) : EXIT_DONE;
    if (code != EXIT_DONE)
        return code;
    body_open(cli);
    body_text(cli, "customer", args_argument(&cli->args, 0));
    body_text(cli, "title", args_argument(&cli->args, 1));
    body_text(cli, "due", due);
    body_text(cli, "to", to != NULL ? to : "owner");
    body_text(cli, "note", args_value(&cli->args, "note"));
    cli_path(cli, "/v1/reminders", NULL, NULL);
    return post(cli);
}

int run_done(struct cli *cli)
{
    body_open(cli);
    body_text(cli, "outcome", args_value(&cli->args, "outcome"));
    body_text(cli, "note", args_value(&cli->args, "note"));
    body_text(cli, "next", args_value(&cli->args, "next"));
    cli_path(cli, "/v1/reminders/", args_argument(&cli->args, 0), "/done");
    return post(cli);
}

int run_snooze(struct cli *cli)
{
    body_open(cli);
    cli->due_argument = "WHEN";
    body_text(cli, "due", args_argument(&cli->args, 1));
    cli_path(cli, "/v1/reminders/", args_argument(&cli->args, 0), "/snooze");
    return post(cli);
}

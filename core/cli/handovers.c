/* handovers.c -- kith handover: what somebody has in hand goes to somebody else, as a process.
 *
 * The process is the plugin followup's (plugins/followup/README.md), its records are `handover` and
 * `handover_item`, and all of this can be done with `kith record` too; here it is in the words of
 * whoever does it, who waits until what follows of it is there.
 */
#include "core/cli/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 250

static const char path[] = "/v1/records/handover/";

static bool is_number(struct cli *cli, const char *text)
{
    if (*text != '\0' && strspn(text, "0123456789") == strlen(text))
        return true;
    cli_fail(cli, "%s is no number of a hand-over: kith handover list has them", text);
    return false;
}

/* -- Showing ------------------------------------------------------------------------------- */

static const struct column columns[] = {
    { "piece", true },  { "state", false }, { "what", false },   { "customer", true },
    { "title", false }, { "to", false },    { "reason", false }, { NULL, false },
};

struct pieces {
    struct table table;
    int64_t handover;
};

static void piece_item(struct cli *cli, struct doc item, void *arg)
{
    struct pieces *pieces = arg;
    struct table *table = &pieces->table;
    struct doc fields = doc_child(item, "fields");
    bool is_open = doc_bool(item, "open", false);
    struct text owner = doc_text(fields, "new_owner");
    (void)cli;
    if (doc_int(fields, "handover", 0) != pieces->handover)
        return;
    cell_field(table, item, "id", TINT_BOLD);
    cell_field(table, item, "state", is_open ? TINT_YELLOW : TINT_DIM);
    if (text_is(doc_text(fields, "what"), "reminder")) {
        struct buf text = BUF_INIT;
        buf_printf(&text, "follow-up %s", doc_text(fields, "thing").data);
        table_add_string(table, buf_string(&text), TINT_NONE);
        buf_deinit(&text);
    } else if (text_is(doc_text(fields, "what"), "customer")) {
        table_add_string(table, "customer", TINT_NONE);
    } else {
        cell_field(table, fields, "thing", TINT_NONE);
    }
    cell_field(table, item, "customer", TINT_NONE);
    cell_field(table, item, "title", TINT_NONE);
    if (owner.size != 0)
        table_add(table, owner, TINT_NONE);
    else
        cell_field(table, fields, "to", TINT_NONE);
    cell_field(table, fields, "reason", TINT_NONE);
}

static int list_pieces(struct cli *cli, const char *state, struct pieces *pieces, const char *from)
{
    cli_path(cli, "/v1/records/handover_item", NULL, NULL);
    path_query(&cli->path, "owner", from);
    path_query(&cli->path, "state", state);
    return cli_list(cli, 0, piece_item, pieces);
}

/* Each of them, those that are not ticked first. */
static int show_pieces(struct cli *cli, int64_t number, const char *from)
{
    static const char *const states[] = { "listed", "left", "settled", "given" };
    struct pieces pieces = { .handover = number };
    int code = EXIT_DONE;
    table_init(&pieces.table, columns);
    table_yield(&pieces.table, "title", YIELD_BELOW);
    table_yield(&pieces.table, "reason", YIELD_BELOW);
    for (size_t i = 0; i < sizeof states / sizeof *states && code == EXIT_DONE; i++)
        code = list_pieces(cli, states[i], &pieces, from);
    if (code == EXIT_DONE && table_rows(&pieces.table) != 0) {
        buf_byte(&cli->out, '\n');
        table_print(&pieces.table, &cli->screen, &cli->out);
    }
    table_deinit(&pieces.table);
    return code;
}

static void put_count(struct buf *out, struct doc fields, const char *name, const char *words)
{
    if (doc_get(fields, name).type != DOC_NONE)
        buf_printf(out, "%s%lld%s", out->size != 0 ? ", " : "", (long long)doc_int(fields, name, 0),
                   words);
}

static void put_text(struct cli *cli, const char *before, struct text text)
{
    if (text.size == 0)
        return;
    buf_text(&cli->out, before);
    text_clean(text, &cli->out);
}

static void print_head(struct cli *cli, struct doc record)
{
    struct doc fields = doc_child(record, "fields");
    struct buf counts = BUF_INIT;
    buf_printf(&cli->out, "hand-over %lld", (long long)doc_int(record, "id", 0));
    put_text(cli, " of ", doc_text(fields, "from"));
    put_text(cli, " to ", doc_text(fields, "to"));
    put_text(cli, ": ", doc_text(record, "state"));
    record_put_moment(cli, record, ", since ", "since");
    put_text(cli, "\n", doc_text(fields, "reason"));
    put_count(&counts, fields, "customer_count", " customers");
    put_count(&counts, fields, "record_count", " records");
    put_count(&counts, fields, "reminder_count", " follow-ups");
    put_count(&counts, fields, "given_count", " given");
    put_count(&counts, fields, "settled_count", " settled");
    put_count(&counts, fields, "left_count", " left");
    put_text(cli, "\n", (struct text){ buf_string(&counts), (uint32_t)counts.size });
    put_text(cli, "\nit does not go on, and is tried again: ", doc_text(fields, "problem"));
    buf_byte(&cli->out, '\n');
    buf_deinit(&counts);
}

/* The record, and with --json nothing else: its pieces are a list of their own. */
static int print(struct cli *cli, int code, struct doc record)
{
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json) {
        cli_json(cli, record);
        return EXIT_DONE;
    }
    struct text from = doc_text(doc_child(record, "fields"), "from");
    char *name = strndup(from.data, from.size);
    int64_t number = doc_int(record, "id", 0);
    print_head(cli, record);
    code = name != NULL ? show_pieces(cli, number, name) : EXIT_FAILED;
    free(name);
    return code;
}

int run_handover_show(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    const char *number = args_argument(&cli->args, 0);
    if (!is_number(cli, number))
        return EXIT_USAGE;
    cli_path(cli, path, number, NULL);
    int code = cli_get(cli, &record);
    return print(cli, code, record);
}

int run_handover_list(struct cli *cli)
{
    cli_path(cli, "/v1/records/handover", NULL, NULL);
    if (!args_has(&cli->args, "all"))
        path_query(&cli->path, "open", "1");
    return record_list(cli, 0, "no hand-overs");
}

/* -- Waiting ------------------------------------------------------------------------------- */

/* A state that the process leaves by itself, unless it is stuck. */
static bool is_passing(struct doc record)
{
    struct text state = doc_text(record, "state");
    return doc_text(doc_child(record, "fields"), "problem").size == 0 &&
           (text_is(state, "requested") || text_is(state, "accepted") ||
            text_is(state, "calling_off"));
}

static int follow(struct cli *cli, int code, struct doc record)
{
    const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
    struct buf number = BUF_INIT;
    buf_printf(&number, "%lld", (long long)doc_int(record, "id", 0));
    while (code == EXIT_DONE && !args_has(&cli->args, "no-wait") && is_passing(record)) {
        nanosleep(&pause, NULL);
        cli_path(cli, path, buf_string(&number), NULL);
        code = cli_get(cli, &record);
    }
    buf_deinit(&number);
    return print(cli, code, record);
}

/* -- Doing --------------------------------------------------------------------------------- */

int run_handover_prepare(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    const char *to = args_value(&cli->args, "to");
    if (to == NULL) {
        cli_fail(cli, "to whom? Add --to STAFF, or --to TEAM");
        return EXIT_USAGE;
    }
    const struct record_text fields[] = { { "from", args_argument(&cli->args, 0) },
                                          { "to", to },
                                          { "reason", args_value(&cli->args, "reason") },
                                          { NULL, NULL } };
    record_body(cli, NULL, NULL, fields);
    cli_path(cli, "/v1/records/handover", NULL, NULL);
    int code = cli_post(cli, &record);
    return follow(cli, code, record);
}

static int move(struct cli *cli, const char *transition)
{
    struct doc record = { NULL, 0 };
    const char *number = args_argument(&cli->args, 0);
    if (!is_number(cli, number))
        return EXIT_USAGE;
    cli_path(cli, path, number, transition);
    int code = cli_post(cli, &record);
    return follow(cli, code, record);
}

int run_handover_accept(struct cli *cli)
{
    body_open(cli);
    body_text(cli, "note", args_value(&cli->args, "note"));
    body_close(cli);
    return move(cli, "/accept");
}

int run_handover_call_off(struct cli *cli)
{
    const struct record_text fields[] = { { "reason", args_argument(&cli->args, 1) },
                                          { NULL, NULL } };
    record_body(cli, NULL, NULL, fields);
    return move(cli, "/call_off");
}

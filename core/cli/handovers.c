/* handovers.c -- kith handover: what somebody has in hand goes to somebody else, as a process.
 *
 * The process is the plugin followup's (plugins/followup/README.md), its records are `handover` and
 * `handover_item`, and all of this can be done with `kith record` too; here it is in the words of
 * whoever does it, who waits until what follows of it is there.
 */
#include "core/base/mem.h"
#include "core/cli/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 250
#define LAST_LOOK_MS 15000

static const char path[] = "/v1/records/handover/";

/* -- Showing ------------------------------------------------------------------------------- */

static const struct column columns[] = {
    { "piece", true },    { "state", false },  { "what", false },
    { "customer", true }, { "title", false },  { "to", false },
    { "notes", false },   { "reason", false }, { NULL, false },
};

struct pieces {
    struct table table;
    int64_t handover;
};

static void add_notes(struct table *table, struct doc notes)
{
    struct buf text = BUF_INIT;
    for (struct doc_iter it = doc_iter(notes); doc_next(&it);) {
        buf_text(&text, text.size != 0 ? " / " : "");
        text_clean(it.value.text, &text);
    }
    table_add_string(table, buf_string(&text), TINT_NONE);
    buf_deinit(&text);
}

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
    add_notes(table, doc_child(fields, "notes"));
    cell_field(table, fields, "reason", TINT_NONE);
}

static int list_pieces(struct cli *cli, const char *state, struct pieces *pieces, const char *from)
{
    cli_path(cli, "/v1/records/handover_item", NULL, NULL);
    path_query(&cli->path, "owner", from);
    path_query(&cli->path, "state", state);
    return cli_list(cli, 0, piece_item, pieces);
}

/* Each of them, those that wait for somebody first. */
static int show_pieces(struct cli *cli, int64_t number, const char *from)
{
    static const char *const states[] = { "listed", "confirmed", "left", "settled", "given" };
    struct pieces pieces = { .handover = number };
    int code = EXIT_DONE;
    table_init(&pieces.table, columns);
    table_yield(&pieces.table, "title", YIELD_BELOW);
    table_yield(&pieces.table, "notes", YIELD_BELOW);
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
    if (!record_is_number(cli, number, "handover"))
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
           (text_is(state, "requested") || text_is(state, "calling_off"));
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
    if (!record_is_number(cli, number, "handover"))
        return EXIT_USAGE;
    cli_path(cli, path, number, transition);
    int code = cli_post(cli, &record);
    return follow(cli, code, record);
}

/* -- Confirming ---------------------------------------------------------------------------- */

struct confirming {
    int64_t handover;
    int64_t *pieces;
    size_t count;
};

static void add_piece(struct confirming *confirming, int64_t piece)
{
    confirming->pieces =
        mem_resize(confirming->pieces, (confirming->count + 1) * sizeof *confirming->pieces);
    confirming->pieces[confirming->count++] = piece;
}

static void listed_item(struct cli *cli, struct doc item, void *arg)
{
    struct confirming *confirming = arg;
    (void)cli;
    if (doc_int(doc_child(item, "fields"), "handover", 0) == confirming->handover)
        add_piece(confirming, doc_int(item, "id", 0));
}

static int find_listed(struct cli *cli, const char *from, struct confirming *confirming)
{
    bool is_json = cli->is_json;
    cli_path(cli, "/v1/records/handover_item", NULL, NULL);
    path_query(&cli->path, "owner", from);
    path_query(&cli->path, "state", "listed");
    cli->is_json = false; /* what is printed is the hand-over */
    int code = cli_list(cli, 0, listed_item, confirming);
    cli->is_json = is_json;
    return code;
}

static int read_pieces(struct cli *cli, const char *words, struct confirming *confirming)
{
    const char *at = words;
    while (*at != '\0') {
        char *end;
        long long piece = strtoll(at, &end, 10);
        if (end == at || piece <= 0 || (*end != '\0' && *end != ' ')) {
            cli_fail(cli, "%s are no numbers of pieces: kith handover show has them; or write all",
                     words);
            return EXIT_USAGE;
        }
        add_piece(confirming, piece);
        at = end + strspn(end, " ");
    }
    return EXIT_DONE;
}

static void piece_path(struct cli *cli, int64_t piece, const char *rest)
{
    struct buf number = BUF_INIT;
    buf_printf(&number, "%lld", (long long)piece);
    cli_path(cli, "/v1/records/handover_item/", buf_string(&number), rest);
    buf_deinit(&number);
}

static int confirm(struct cli *cli, const struct confirming *confirming, const char *by)
{
    struct doc piece = { NULL, 0 };
    int code = EXIT_DONE;
    const struct record_text fields[] = { { "confirmed_by", by }, { NULL, NULL } };
    for (size_t i = 0; i < confirming->count && code == EXIT_DONE; i++) {
        record_body(cli, NULL, NULL, fields);
        piece_path(cli, confirming->pieces[i], "/confirm");
        code = cli_post(cli, &piece);
    }
    return code;
}

/* Until each has been given, settled, or listed again; *out_back: how many are that. */
static int wait_for_pieces(struct cli *cli, const struct confirming *confirming, size_t *out_back)
{
    const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
    struct doc piece = { NULL, 0 };
    int code = EXIT_DONE;
    *out_back = 0;
    for (size_t i = 0; i < confirming->count && code == EXIT_DONE;) {
        piece_path(cli, confirming->pieces[i], NULL);
        code = cli_get(cli, &piece);
        if (code == EXIT_DONE && text_is(doc_text(piece, "state"), "confirmed")) {
            nanosleep(&pause, NULL);
            continue;
        }
        *out_back += text_is(doc_text(piece, "state"), "listed");
        i++;
    }
    return code;
}

/* All is confirmed: it is done, unless the last look has found more. */
static int wait_for_end(struct cli *cli, const char *number, struct doc *out_record)
{
    const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
    int code = EXIT_DONE;
    for (unsigned i = 0; code == EXIT_DONE && i < LAST_LOOK_MS / POLL_MS; i++) {
        cli_path(cli, path, number, NULL);
        code = cli_get(cli, out_record);
        if (code == EXIT_DONE && !doc_bool(*out_record, "open", false))
            break;
        nanosleep(&pause, NULL);
    }
    return code;
}

static int confirm_pieces(struct cli *cli, struct confirming *confirming, const char *from,
                          const char *by)
{
    const char *number = args_argument(&cli->args, 0), *words = args_argument(&cli->args, 1);
    bool are_all = strcmp(words, "all") == 0;
    struct doc record = { NULL, 0 };
    size_t back = 0;
    int code = are_all ? find_listed(cli, from, confirming) : read_pieces(cli, words, confirming);
    if (code == EXIT_DONE)
        code = confirm(cli, confirming, by);
    if (code == EXIT_DONE && !args_has(&cli->args, "no-wait"))
        code = wait_for_pieces(cli, confirming, &back);
    if (code == EXIT_DONE && !args_has(&cli->args, "no-wait") && are_all && back == 0)
        code = wait_for_end(cli, number, &record);
    if (code == EXIT_DONE) {
        cli_path(cli, path, number, NULL);
        code = cli_get(cli, &record);
    }
    return print(cli, code, record);
}

int run_handover_confirm(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    const char *number = args_argument(&cli->args, 0), *by = args_value(&cli->args, "by");
    if (!record_is_number(cli, number, "handover"))
        return EXIT_USAGE;
    cli_path(cli, path, number, NULL);
    int code = cli_get(cli, &record);
    if (code != EXIT_DONE)
        return code;
    struct confirming confirming = { .handover = doc_int(record, "id", 0) };
    char *from = mem_string(doc_text(doc_child(record, "fields"), "from").data);
    char *to = mem_string(doc_text(doc_child(record, "fields"), "to").data);
    code = confirm_pieces(cli, &confirming, from, by != NULL ? by : to);
    free(confirming.pieces);
    free(from);
    free(to);
    return code;
}

int run_handover_call_off(struct cli *cli)
{
    const struct record_text fields[] = { { "reason", args_argument(&cli->args, 1) },
                                          { NULL, NULL } };
    record_body(cli, NULL, NULL, fields);
    return move(cli, "/call_off");
}

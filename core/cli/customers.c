/* customers.c -- commands about one customer: show, timeline, note, assign, merge ... */
#include "core/base/civil.h"
#include "core/base/json_write.h"
#include "core/base/moment.h"
#include "core/cli/cli.h"

#include <string.h>

#define TIMELINE_DEFAULT 50
#define LATELY 5       /* events below a record */
#define LATELY_READ 40 /* of so many */

static const char *customer_argument(struct cli *cli)
{
    return args_argument(&cli->args, 0);
}

/* -- show -------------------------------------------------------------------------------- */

static void heading(struct cli *cli, const char *title)
{
    buf_byte(&cli->out, '\n');
    screen_tint(&cli->screen, TINT_BOLD, title, &cli->out);
    buf_byte(&cli->out, '\n');
}

static void list_line(struct buf *out, struct doc list)
{
    const char *gap = "";
    for (struct doc_iter it = doc_iter(list); doc_next(&it); gap = ", ") {
        buf_text(out, gap);
        value_print(&it.value, out);
    }
}

static void cell_value(struct table *table, const struct doc_value *value)
{
    struct buf text = BUF_INIT;
    if (value->type == DOC_ARRAY)
        list_line(&text, value->doc);
    else
        value_print(value, &text);
    table_add(table, (struct text){ buf_string(&text), (uint32_t)text.size }, TINT_NONE);
    buf_deinit(&text);
}

/* "name  value" for each field; nothing of an empty document, its title neither. */
static void show_fields(struct cli *cli, const char *title, struct doc fields)
{
    static const struct column columns[] = { { "name", false },
                                             { "value", false },
                                             { NULL, false } };
    struct table table;
    table_init(&table, columns);
    for (struct doc_iter it = doc_iter(fields); doc_next(&it);) {
        table_add(&table, it.name, TINT_NONE);
        cell_value(&table, &it.value);
    }
    if (table_rows(&table) != 0) {
        heading(cli, title);
        table_print(&table, &cli->screen, &cli->out);
    }
    table_deinit(&table);
}

/* A list of documents as a table of some of their fields; times are told by `times`. */
static void show_rows(struct cli *cli, const char *title, struct doc rows,
                      const struct column *columns, const char *times)
{
    struct table table;
    table_init(&table, columns);
    for (struct doc_iter it = doc_iter(rows); doc_next(&it);)
        for (const struct column *column = columns; column->title != NULL; column++) {
            if (strstr(times, column->title) != NULL)
                cell_time(cli, &table, it.value.doc, column->title);
            else if (strcmp(column->title, "state") == 0)
                cell_state(&table, it.value.doc, column->title);
            else
                cell_field(&table, it.value.doc, column->title, TINT_NONE);
        }
    if (table_rows(&table) != 0) {
        heading(cli, title);
        table_print(&table, &cli->screen, &cli->out);
    }
    table_deinit(&table);
}

static void show_list(struct cli *cli, const char *title, struct doc list)
{
    struct buf line = BUF_INIT;
    if (doc_count(list) != 0) {
        list_line(&line, list);
        buf_printf(&cli->out, "%s: ", title);
        text_clean((struct text){ buf_string(&line), (uint32_t)line.size }, &cli->out);
        buf_byte(&cli->out, '\n');
    }
    buf_deinit(&line);
}

static void show_text(struct cli *cli, const char *title, struct doc record, const char *name)
{
    struct text text = doc_text(record, name);
    if (text.size == 0)
        return;
    buf_printf(&cli->out, "%s: ", title);
    text_clean(text, &cli->out);
    buf_byte(&cli->out, '\n');
}

static void show_since(struct cli *cli, struct doc record)
{
    struct text as_of = doc_text(record, "as_of");
    text_clean(doc_text(record, "kind"), &cli->out);
    buf_text(&cli->out, as_of.size != 0 ? "as of " : ", since ");
    screen_time(&cli->screen, as_of.size != 0 ? as_of : doc_text(record, "created"), &cli->out);
    buf_byte(&cli->out, '\n');
    if (!doc_bool(record, "whole", true))
        buf_text(&cli->out, "not all of it: an event changed more than is kept\n");
}

static void show_consents(struct cli *cli, struct doc record)
{
    static const struct column columns[] = { { "purpose", false }, { "channel", false },
                                             { "state", false },   { "at", false },
                                             { "source", false },  { "proof", false },
                                             { NULL, false } };
    show_rows(cli, "consents", doc_child(record, "consents"), columns, "at");
}

static void show_record(struct cli *cli, struct doc record)
{
    static const struct column addresses[] = { { "channel", false },
                                               { "value", false },
                                               { "label", false },
                                               { "state", false },
                                               { NULL, false } };
    static const struct column relations[] = {
        { "type", false }, { "id", true }, { "since", false }, { "until", false }, { NULL, false }
    };
    struct buf line = BUF_INIT;
    buf_printf(&line, "customer %lld", (long long)doc_int(record, "id", 0));
    screen_tint(&cli->screen, TINT_BOLD, buf_string(&line), &cli->out);
    buf_text(&cli->out, "  ");
    show_since(cli, record);
    show_text(cli, "owner", record, "owner");
    show_list(cli, "tags", doc_child(record, "tags"));
    show_list(cli, "roles", doc_child(record, "roles"));
    show_list(cli, "merged with", doc_child(record, "merged"));
    show_fields(cli, "identities", doc_child(record, "ids"));
    show_fields(cli, "traits", doc_child(record, "traits"));
    show_rows(cli, "addresses", doc_child(record, "addresses"), addresses, "");
    show_consents(cli, record);
    show_rows(cli, "relations", doc_child(record, "relations"), relations, "since until");
    buf_deinit(&line);
}

/* What every change of a customer answers: the record. */
static int print_record(struct cli *cli, int code, struct doc record)
{
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json)
        cli_json(cli, record);
    else
        show_record(cli, record);
    return EXIT_DONE;
}

/* -- timeline ---------------------------------------------------------------------------- */

/* The system's own events hold their times as milliseconds: `due` of a reminder, and `next` of one
 * that is done.  Below a hundred thousand million, in 1973, a client's `next` is a number. */
static bool is_time(const struct doc_iter *it)
{
    int64_t least = text_is(it->name, "due") ? CIVIL_MS_MIN : INT64_C(100000000000);
    return it->value.type == DOC_INT64 && (text_is(it->name, "due") || text_is(it->name, "next")) &&
           it->value.integer >= least && it->value.integer <= CIVIL_MS_MAX;
}

void print_data(struct cli *cli, struct buf *out, struct doc data)
{
    const char *gap = "";
    char at[MOMENT_TEXT_SIZE];
    for (struct doc_iter it = doc_iter(data); doc_next(&it); gap = ", ") {
        buf_printf(out, "%s%s ", gap, it.name.data);
        if (is_time(&it)) {
            moment_format(it.value.integer, at);
            screen_time(&cli->screen, text_of(at), out);
        } else {
            value_print(&it.value, out);
        }
    }
}

/* What makes an entry less than it looks. */
static void summarise_marks(struct buf *out, struct doc trace)
{
    struct text refused = doc_text(trace, "refused");
    if (doc_bool(trace, "foreign", false))
        buf_text(out, "not by Kith, whatever its type says");
    if (refused.size != 0)
        buf_printf(out, "%srefused: %.*s", out->size != 0 ? "; " : "", (int)refused.size,
                   refused.data);
}

/* "handler p.h; rule a, b -> effect 17.2; changed x" */
static void summarise_trace(struct cli *cli, struct buf *out, struct doc trace)
{
    (void)cli;
    summarise_marks(out, trace);
    const char *gap = out->size != 0 ? "; handler " : "handler ";
    for (struct doc_iter it = doc_iter(doc_child(trace, "handlers")); doc_next(&it); gap = ", ") {
        buf_text(out, gap);
        value_print(&it.value, out);
    }
    gap = out->size != 0 ? "; rule " : "rule ";
    for (struct doc_iter it = doc_iter(doc_child(trace, "rules")); doc_next(&it); gap = ", ") {
        buf_text(out, gap);
        struct text name = doc_text(it.value.doc, "name");
        buf_append(out, name.data, name.size);
    }
    gap = out->size != 0 ? " -> effect " : "effect ";
    for (struct doc_iter it = doc_iter(doc_child(trace, "effects")); doc_next(&it); gap = ", ") {
        buf_text(out, gap);
        value_print(&it.value, out);
    }
    gap = out->size != 0 ? "; changed " : "changed ";
    for (struct doc_iter it = doc_iter(doc_child(trace, "changed")); doc_next(&it); gap = ", ")
        buf_printf(out, "%s%s", gap, it.name.data);
    for (struct doc_iter it = doc_iter(doc_child(trace, "log")); doc_next(&it);) {
        buf_text(out, out->size != 0 ? "; " : "");
        value_print(&it.value, out);
    }
    if (doc_bool(trace, "cut", false))
        buf_text(out, "; and more than is kept");
}

static void add_summary(struct cli *cli, struct table *table, struct doc doc,
                        void (*write)(struct cli *cli, struct buf *out, struct doc doc),
                        enum tint tint)
{
    struct buf text = BUF_INIT;
    write(cli, &text, doc);
    table_add(table, (struct text){ buf_string(&text), (uint32_t)text.size }, tint);
    buf_deinit(&text);
}

/* "17" or "17.2": what `kith explain` takes.  The sender's own id may be anything. */
static void cell_entry(struct table *table, struct doc item)
{
    struct buf text = BUF_INIT;
    int64_t n = doc_int(item, "n", 0);
    buf_printf(&text, "%lld", (long long)doc_int(item, "seq", 0));
    if (n != 0)
        buf_printf(&text, ".%lld", (long long)n);
    table_add_string(table, buf_string(&text), TINT_DIM);
    buf_deinit(&text);
}

const struct column timeline_columns[] = {
    { "at", false }, { "entry", true }, { "type", false },
    { "by", false }, { "data", false }, { "what came of it", false },
    { NULL, false },
};

void timeline_cells(struct cli *cli, struct table *table, struct doc item)
{
    cell_entry(table, item);
    cell_field(table, item, "type", TINT_BOLD);
    cell_field(table, item, "by", TINT_NONE);
    struct text unreadable = doc_text(item, "unreadable");
    if (unreadable.size != 0)
        table_add(table, unreadable, TINT_RED);
    else
        add_summary(cli, table, doc_child(item, "data"), print_data, TINT_NONE);
    struct doc trace = doc_child(item, "trace");
    bool is_doubtful = doc_bool(trace, "foreign", false) || doc_text(trace, "refused").size != 0;
    add_summary(cli, table, trace, summarise_trace, is_doubtful ? TINT_RED : TINT_GREEN);
}

static void timeline_item(struct cli *cli, struct doc item, void *arg)
{
    cell_time(cli, arg, item, "at");
    timeline_cells(cli, arg, item);
}

int run_timeline(struct cli *cli)
{
    struct table table;
    int64_t limit;
    if (!cli_limit(cli, TIMELINE_DEFAULT, &limit))
        return EXIT_USAGE;
    table_init(&table, timeline_columns);
    table_yield(&table, "what came of it", YIELD_BELOW);
    table_yield(&table, "data", YIELD_BELOW);
    cli_path(cli, "/v1/customers/", customer_argument(cli), "/timeline");
    path_query(&cli->path, "as_of", args_value(&cli->args, "as-of"));
    int code = cli_list(cli, limit, timeline_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "nothing has happened");
    table_deinit(&table);
    return code;
}

/* -- show, with the present -------------------------------------------------------------- */

static void open_item(struct cli *cli, struct doc item, void *arg)
{
    cell_field(arg, item, "id", TINT_BOLD);
    cell_time(cli, arg, item, "due");
    cell_field(arg, item, "assignee", TINT_NONE);
    cell_field(arg, item, "title", TINT_NONE);
}

/* What came in, and not what Kith made of it. */
static void lately_item(struct cli *cli, struct doc item, void *arg)
{
    if (doc_int(item, "n", 0) != 0 || table_rows(arg) == LATELY)
        return;
    cell_time(cli, arg, item, "at");
    cell_field(arg, item, "type", TINT_BOLD);
    add_summary(cli, arg, doc_child(item, "data"), print_data, TINT_NONE);
}

/* A list of the customer below her record; nothing of an empty one. */
static int show_more(struct cli *cli, const char *title, const struct column *columns,
                     int64_t limit, cli_item_fn *each)
{
    struct table table;
    table_init(&table, columns);
    int code = cli_list(cli, limit, each, &table);
    if (code == EXIT_DONE && table_rows(&table) != 0) {
        heading(cli, title);
        table_print(&table, &cli->screen, &cli->out);
    }
    table_deinit(&table);
    return code;
}

static void record_item(struct cli *cli, struct doc item, void *arg)
{
    struct buf name = BUF_INIT;
    struct text kind = doc_text(item, "kind");
    bool is_overdue = doc_bool(item, "overdue", false);
    if (doc_get(item, "title").type == DOC_NONE)
        return; /* what nobody calls by a name is of the machinery */
    buf_printf(&name, "%.*s:%lld", (int)kind.size, kind.data, (long long)doc_int(item, "id", 0));
    table_add_string(arg, buf_string(&name), TINT_BOLD);
    cell_field(arg, item, "state", is_overdue ? TINT_RED : TINT_NONE);
    cell_time(cli, arg, item, "due");
    cell_field(arg, item, "owner", TINT_NONE);
    cell_field(arg, item, "title", TINT_NONE);
    buf_deinit(&name);
}

/* Kinds whose records are about somebody; each name ends with a zero. */
static void kind_item(struct cli *cli, struct doc item, void *arg)
{
    struct text kind = doc_text(item, "kind");
    (void)cli;
    if (doc_count(doc_child(item, "roles")) != 0)
        buf_append(arg, kind.data, (size_t)kind.size + 1);
}

/* Open ones, whatever her role, of each kind in force. */
static int show_records(struct cli *cli, const char *reference)
{
    static const struct column columns[] = { { "record", false }, { "state", false },
                                             { "due", false },    { "owner", false },
                                             { "title", false },  { NULL, false } };
    struct buf kinds = BUF_INIT;
    struct table table;
    table_init(&table, columns);
    cli_path(cli, "/v1/records", NULL, NULL);
    int code = cli_list(cli, 0, kind_item, &kinds);
    for (size_t at = 0; code == EXIT_DONE && at < kinds.size;) {
        const char *kind = (const char *)kinds.data + at;
        cli_path(cli, "/v1/records/", kind, NULL);
        path_query(&cli->path, "customer", reference);
        path_query(&cli->path, "open", "1");
        code = cli_list(cli, 0, record_item, &table);
        at += strlen(kind) + 1;
    }
    if (code == EXIT_DONE && table_rows(&table) != 0) {
        heading(cli, "open records");
        table_print(&table, &cli->screen, &cli->out);
    }
    table_deinit(&table);
    buf_deinit(&kinds);
    return code;
}

/* What whoever has her on the telephone wants to know: what is open, and what was last. */
static int show_present(struct cli *cli, const char *reference)
{
    static const struct column reminders[] = {
        { "id", true }, { "due", false }, { "assignee", false }, { "title", false }, { NULL, false }
    };
    static const struct column events[] = {
        { "at", false }, { "type", false }, { "data", false }, { NULL, false }
    };
    cli_path(cli, "/v1/reminders", NULL, NULL);
    path_query(&cli->path, "customer", reference);
    int code = show_more(cli, "open reminders", reminders, 0, open_item);
    if (code == EXIT_DONE)
        code = show_records(cli, reference);
    if (code == EXIT_DONE) {
        cli_path(cli, "/v1/customers/", reference, "/timeline");
        code = show_more(cli, "lately (kith timeline)", events, LATELY_READ, lately_item);
    }
    return code;
}

int run_show(struct cli *cli)
{
    const char *as_of = args_value(&cli->args, "as-of");
    struct doc record = { NULL, 0 };
    struct buf reference = BUF_INIT;
    int code = cli_find_customer(cli, customer_argument(cli), &reference);
    if (code == EXIT_DONE) {
        cli_path(cli, "/v1/customers/", buf_string(&reference), NULL);
        path_query(&cli->path, "as_of", as_of);
        code = cli_get(cli, &record);
    }
    code = print_record(cli, code, record);
    if (code == EXIT_DONE && as_of == NULL && !cli->is_json)
        code = show_present(cli, buf_string(&reference));
    buf_deinit(&reference);
    return code;
}

/* -- Changes ----------------------------------------------------------------------------- */

static int send_change(struct cli *cli, const char *method, const char *rest,
                       struct doc *out_record)
{
    body_close(cli);
    cli_path(cli, "/v1/customers/", customer_argument(cli), rest);
    return cli_send(cli, method, out_record);
}

static int change(struct cli *cli, const char *method, const char *rest)
{
    struct doc record = { NULL, 0 };
    int code = send_change(cli, method, rest, &record);
    return print_record(cli, code, record);
}

/* "customer 42, Ann Lee: ", and what has changed. */
static void say_changed(struct cli *cli, struct doc record, const char *what, const char *value)
{
    struct text name = doc_text(doc_child(record, "traits"), "name");
    buf_printf(&cli->out, "customer %lld", (long long)doc_int(record, "id", 0));
    buf_text(&cli->out, name.size != 0 ? ", " : "");
    text_clean(name, &cli->out);
    buf_printf(&cli->out, ": %s%s\n", what, value);
}

/* A change that the whole record is not needed for. */
static int change_part(struct cli *cli, const char *rest, const char *what, const char *value)
{
    struct doc record = { NULL, 0 };
    int code = send_change(cli, "POST", rest, &record);
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json)
        cli_json(cli, record);
    else
        say_changed(cli, record, what, value);
    return EXIT_DONE;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* [{"hash": ..., "name": ...}, ...] of the files, each put now: cli->body is theirs meanwhile. */
static int put_files(struct cli *cli, struct buf *out_list)
{
    const char *path;
    struct buf hash = BUF_INIT;
    int code = EXIT_DONE;
    for (size_t at = 0; code == EXIT_DONE && (path = args_next(&cli->args, "file", &at)) != NULL;) {
        buf_clear(&hash);
        code = cli_put_file(cli, path, NULL, &hash);
        buf_printf(out_list, "%s{\"hash\":\"%s\",\"name\":", out_list->size != 0 ? "," : "[",
                   buf_string(&hash));
        json_write_text(out_list, text_of(last_part(path)));
        buf_byte(out_list, '}');
    }
    buf_deinit(&hash);
    return code;
}

int run_note(struct cli *cli)
{
    struct buf files = BUF_INIT;
    int code = put_files(cli, &files);
    if (code == EXIT_DONE) {
        body_open(cli);
        body_text(cli, "text", args_argument(&cli->args, 1));
        if (files.size != 0)
            buf_printf(&cli->body, ",\"files\":%s]", buf_string(&files));
        code = change_part(cli, "/notes", "the note is on the timeline", "");
    }
    buf_deinit(&files);
    return code;
}

/* A team finds one of its members: the answer says whom. */
int run_assign(struct cli *cli)
{
    const char *to = args_argument(&cli->args, 1);
    struct doc record = { NULL, 0 };
    int code = staff_check(cli, to);
    if (code != EXIT_DONE)
        return code;
    body_open(cli);
    body_text(cli, "owner", to);
    code = send_change(cli, "POST", "/assign", &record);
    if (code == EXIT_DONE && cli->is_json)
        cli_json(cli, record);
    else if (code == EXIT_DONE)
        say_changed(cli, record, "owner is now ", doc_text(record, "owner").data);
    return code;
}

int run_merge(struct cli *cli)
{
    body_open(cli);
    body_text(cli, "absorbed", args_argument(&cli->args, 1));
    return change(cli, "POST", "/merge");
}

int run_unmerge(struct cli *cli)
{
    body_open(cli);
    return change(cli, "POST", "/unmerge");
}

static int change_consent(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    int code = send_change(cli, "PUT", "/consents", &record);
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json) {
        cli_json(cli, record);
        return EXIT_DONE;
    }
    say_changed(cli, record, args_argument(&cli->args, 2), " is recorded");
    show_consents(cli, record);
    return EXIT_DONE;
}

int run_consent(struct cli *cli)
{
    bool is_grant = strcmp(args_argument(&cli->args, 1), "grant") == 0;
    const char *what = args_argument(&cli->args, 2), *slash = strchr(what, '/');
    if (slash == NULL || slash == what || slash[1] == '\0') {
        cli_fail(cli, "\"%s\" is not PURPOSE/CHANNEL, such as newsletter/email", what);
        return EXIT_USAGE;
    }
    struct buf purpose = BUF_INIT;
    buf_append(&purpose, what, (size_t)(slash - what));
    body_open(cli);
    body_text(cli, "purpose", buf_string(&purpose));
    body_text(cli, "channel", slash + 1);
    body_text(cli, "state", is_grant ? "granted" : "withdrawn");
    body_text(cli, "proof", args_value(&cli->args, "proof"));
    buf_deinit(&purpose);
    return change_consent(cli);
}

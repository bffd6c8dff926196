/* records.c -- records of declared kinds: records, and record show, add, change, move, assign,
 * link, note; and for the other commands about records (record.h) how one is shown.
 *
 * A record is written as `about` says it, complaint:17, or by an external id, complaint:erp:4711.
 * What is typed is text; which type a field has the daemon knows, and is asked for.
 */
#include "core/cli/record.h"

#include "core/base/json_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- Paths ----------------------------------------------------------------- */

bool record_is_number(struct cli *cli, const char *text, const char *kind)
{
    if (*text != '\0' && strspn(text, "0123456789") == strlen(text))
        return true;
    cli_fail(cli, "%s is no number of a %s: kith %s list has them", text, kind, kind);
    return false;
}

/* The kind and the rest of "complaint:17".  False: it is written otherwise, and that has been
 * said. */
static bool record_path(struct cli *cli, const char *record, const char *rest)
{
    const char *colon = strchr(record, ':');
    if (colon == NULL || colon == record || colon[1] == '\0') {
        cli_fail(cli, "%s is no record: one is written complaint:17, or complaint:erp:4711",
                 record);
        return false;
    }
    struct buf kind = BUF_INIT;
    buf_append(&kind, record, (size_t)(colon - record));
    cli_path(cli, "/v1/records/", buf_string(&kind), "/");
    buf_deinit(&kind);
    struct buf head = BUF_INIT;
    buf_append(&head, cli->path.data, cli->path.size);
    cli_path(cli, buf_string(&head), colon + 1, rest);
    buf_deinit(&head);
    return true;
}

static void copy_kind(const char *record, struct buf *out)
{
    size_t size = strcspn(record, ":");
    buf_append(out, record, size);
}

/* -- Lists ----------------------------------------------------------------- */

static const struct column columns[] = {
    { "id", true },     { "state", false },   { "since", false },
    { "owner", false }, { "customer", true }, { "name", false },
    { "due", false },   { "title", false },   { NULL, false },
};

static void cell_due(struct cli *cli, struct table *table, struct doc item)
{
    struct text due = doc_text(item, "due");
    struct buf text = BUF_INIT;
    screen_time(&cli->screen, due, &text);
    table_add_whole(table, (struct text){ buf_string(&text), (uint32_t)text.size },
                    doc_bool(item, "overdue", false) ? TINT_RED : TINT_NONE);
    buf_deinit(&text);
}

static void record_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    cell_field(table, item, "id", TINT_BOLD);
    cell_field(table, item, "state", doc_bool(item, "open", false) ? TINT_YELLOW : TINT_DIM);
    cell_time(cli, table, item, "since");
    cell_field(table, item, "owner", TINT_NONE);
    cell_field(table, item, "customer", TINT_NONE);
    cell_field(table, item, "customer_name", TINT_NONE);
    cell_due(cli, table, item);
    cell_field(table, item, "title", TINT_NONE);
}

static const struct column kind_columns[] = {
    { "kind", false },   { "states", false }, { "transitions", false },
    { "fields", false }, { NULL, false },
};

/* The names of a document, or what its items are called. */
static void cell_names(struct table *table, struct doc doc)
{
    struct buf text = BUF_INIT;
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        struct text name = it.value.type == DOC_DOC && doc_text(it.value.doc, "name").size != 0
                               ? doc_text(it.value.doc, "name")
                               : it.name;
        buf_printf(&text, "%s%.*s", text.size != 0 ? ", " : "", (int)name.size, name.data);
    }
    table_add(table, (struct text){ buf_string(&text), (uint32_t)text.size }, TINT_NONE);
    buf_deinit(&text);
}

static void kind_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    (void)cli;
    cell_field(table, item, "kind", TINT_BOLD);
    cell_names(table, doc_child(item, "states"));
    cell_names(table, doc_child(item, "transitions"));
    cell_names(table, doc_child(item, "fields"));
}

static int list_kinds(struct cli *cli)
{
    struct table table;
    cli_path(cli, "/v1/records", NULL, NULL);
    table_init(&table, kind_columns);
    int code = cli_list(cli, 0, kind_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "no kinds: a bundle declares them, kind \"complaint\" { ... }");
    table_deinit(&table);
    return code;
}

int record_list(struct cli *cli, int64_t limit, const char *when_empty)
{
    struct table table;
    table_init(&table, columns);
    table_yield(&table, "title", YIELD_BELOW);
    table_yield(&table, "since", YIELD_ALL);
    int code = cli_list(cli, limit, record_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, when_empty);
    table_deinit(&table);
    return code;
}

int run_records(struct cli *cli)
{
    const char *kind = args_argument(&cli->args, 0);
    int64_t limit;
    if (kind == NULL)
        return list_kinds(cli);
    if (!cli_limit(cli, 0, &limit))
        return EXIT_USAGE;
    cli_path(cli, "/v1/records/", kind, NULL);
    path_query(&cli->path, "state", args_value(&cli->args, "state"));
    path_query(&cli->path, "owner", args_value(&cli->args, "owner"));
    path_query(&cli->path, "customer", args_value(&cli->args, "customer"));
    path_query(&cli->path, "q", args_value(&cli->args, "search"));
    if (!args_has(&cli->args, "all") && args_value(&cli->args, "state") == NULL)
        path_query(&cli->path, "open", "1");
    return record_list(cli, limit, "no such records");
}

/* -- One ------------------------------------------------------------------- */

static const struct column pair_columns[] = { { "name", false },
                                              { "value", false },
                                              { NULL, false } };

static void put_pairs(struct cli *cli, const char *title, struct doc doc)
{
    struct table table;
    if (doc_count(doc) == 0)
        return;
    buf_printf(&cli->out, "\n%s\n", title);
    table_init(&table, pair_columns);
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        struct buf value = BUF_INIT;
        value_print(&it.value, &value);
        table_add(&table, it.name, TINT_NONE);
        table_add(&table, (struct text){ buf_string(&value), (uint32_t)value.size }, TINT_NONE);
        buf_deinit(&value);
    }
    table_print(&table, &cli->screen, &cli->out);
    table_deinit(&table);
}

static void put_list(struct cli *cli, const char *title, struct doc doc)
{
    if (doc_count(doc) == 0)
        return;
    buf_printf(&cli->out, "\n%s\n", title);
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        if (it.value.type == DOC_DOC)
            print_data(cli, &cli->out, it.value.doc);
        else
            value_print(&it.value, &cli->out);
        buf_byte(&cli->out, '\n');
    }
}

void record_put_moment(struct cli *cli, struct doc doc, const char *before, const char *name)
{
    if (doc_text(doc, name).size == 0)
        return;
    buf_text(&cli->out, before);
    screen_time(&cli->screen, doc_text(doc, name), &cli->out);
}

/* Why it is due when it is: a line for what it is worked out by, and one for each move. */
static void put_deadline(struct cli *cli, struct text name, struct doc deadline)
{
    struct buf *out = &cli->out;
    buf_append(out, name.data, name.size);
    buf_text(out, ": ");
    buf_append(out, doc_text(deadline, "status").data, doc_text(deadline, "status").size);
    record_put_moment(cli, deadline, ", due ", "due");
    if (doc_text(deadline, "left").size != 0)
        buf_printf(out, ", %s left", doc_text(deadline, "left").data);
    record_put_moment(cli, deadline, ", ended ", "ended");
    buf_printf(out, "\n  %s", doc_text(deadline, "rule").data);
    record_put_moment(cli, deadline, ", from ", "since");
    buf_printf(out, " (%s)\n", doc_text(deadline, "event").data);
    for (struct doc_iter it = doc_iter(doc_child(deadline, "moves")); doc_next(&it);) {
        buf_text(out, "  ");
        screen_time(&cli->screen, doc_text(it.value.doc, "at"), out);
        record_put_moment(cli, it.value.doc, ": due ", "due");
        if (doc_text(it.value.doc, "due").size == 0)
            buf_text(out, ": paused");
        record_put_moment(cli, it.value.doc, ", was ", "was");
        buf_printf(out, ", because %s\n", doc_text(it.value.doc, "reason").data);
    }
}

static void put_deadlines(struct cli *cli, struct doc deadlines)
{
    if (doc_count(deadlines) == 0)
        return;
    buf_text(&cli->out, "\ndeadlines\n");
    for (struct doc_iter it = doc_iter(deadlines); doc_next(&it);)
        put_deadline(cli, it.name, it.value.doc);
}

int record_print(struct cli *cli, int code, struct doc record)
{
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json) {
        cli_json(cli, record);
        return EXIT_DONE;
    }
    struct text kind = doc_text(record, "kind"), owner = doc_text(record, "owner");
    struct text name = doc_text(record, "customer_name");
    buf_printf(&cli->out, "%.*s:%lld  ", (int)kind.size, kind.data,
               (long long)doc_int(record, "id", 0));
    text_clean(doc_text(record, "state"), &cli->out);
    record_put_moment(cli, record, ", since ", "since");
    if (owner.size != 0) {
        buf_text(&cli->out, ", of ");
        text_clean(owner, &cli->out);
    }
    if (doc_int(record, "customer", 0) != 0)
        buf_printf(&cli->out, ", about customer %lld", (long long)doc_int(record, "customer", 0));
    if (name.size != 0) {
        buf_text(&cli->out, ", ");
        text_clean(name, &cli->out);
    }
    buf_byte(&cli->out, '\n');
    put_pairs(cli, "fields", doc_child(record, "fields"));
    put_pairs(cli, "others", doc_child(record, "customers"));
    put_list(cli, "lines", doc_child(record, "lines"));
    put_list(cli, "links", doc_child(record, "links"));
    put_deadlines(cli, doc_child(record, "deadlines"));
    put_list(cli, "possible now (kith record move)", doc_child(record, "transitions"));
    return EXIT_DONE;
}

int run_record_show(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    if (!record_path(cli, args_argument(&cli->args, 0), NULL))
        return EXIT_USAGE;
    int code = cli_get(cli, &record);
    return record_print(cli, code, record);
}

/* -- What is set ----------------------------------------------------------- */

/* Fields of the kind as they were declared, copied into `out`: what is typed is of their types. */
static int read_fields(struct cli *cli, const char *kind, struct buf *out)
{
    struct doc kinds = { NULL, 0 };
    cli_path(cli, "/v1/records", NULL, NULL);
    int code = cli_get(cli, &kinds);
    if (code != EXIT_DONE)
        return code;
    for (struct doc_iter it = doc_iter(doc_child(kinds, "items")); doc_next(&it);)
        if (text_is(doc_text(it.value.doc, "kind"), kind)) {
            struct doc fields = doc_child(it.value.doc, "fields");
            buf_append(out, fields.data, fields.size);
        }
    return EXIT_DONE;
}

static void put_number(struct doc_writer *w, struct text name, const char *text)
{
    char *end = NULL;
    errno = 0;
    long long whole = strtoll(text, &end, 10);
    struct doc_value value = { .type = DOC_INT64, .integer = whole };
    if (*end != '\0' || errno != 0) {
        double number = strtod(text, &end);
        value = (struct doc_value){ .type = DOC_DOUBLE, .number = number };
    }
    if (*end != '\0' || end == text)
        value = (struct doc_value){ .type = DOC_TEXT, .text = text_of(text) }; /* the daemon says */
    doc_put_value_text(w, name, &value);
}

/* "12.50 EUR" */
static void put_money(struct doc_writer *w, struct text name, const char *text)
{
    const char *blank = strrchr(text, ' ');
    struct text amount = text_of(text), currency = { "", 0 };
    if (blank != NULL) {
        amount.size = (uint32_t)(blank - text);
        currency = text_of(blank + 1);
    }
    doc_open_text(w, name);
    doc_put_text(w, "amount", amount);
    doc_put_text(w, "currency", currency);
    doc_close(w);
}

/* "a,b" */
static void put_texts(struct doc_writer *w, struct text name, const char *text, bool is_number)
{
    doc_open_array_text(w, name);
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        struct buf item = BUF_INIT;
        buf_append(&item, text, size);
        if (is_number)
            put_number(w, text_of(""), buf_string(&item));
        else
            doc_put_text(w, "", (struct text){ buf_string(&item), (uint32_t)item.size });
        buf_deinit(&item);
        text += size + (text[size] == ',');
    }
    doc_close(w);
}

static void put_value(struct doc_writer *w, struct text name, struct doc field, const char *text)
{
    struct text type = doc_text(field, "type");
    struct text of = doc_text(field, "of");
    struct doc_value value = { .type = DOC_TEXT, .text = text_of(text) };
    if (*text == '\0')
        value.type = DOC_NULL;
    else if (text_is(type, "number") || text_is(type, "whole") || text_is(type, "customer") ||
             text_is(type, "record")) {
        put_number(w, name, text);
        return;
    } else if (text_is(type, "money")) {
        put_money(w, name, text);
        return;
    } else if (text_is(type, "list")) {
        put_texts(w, name, text, text_is(of, "number") || text_is(of, "whole"));
        return;
    } else if (text_is(type, "flag") && (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0)) {
        value = (struct doc_value){ .type = DOC_BOOL, .boolean = true };
    } else if (text_is(type, "flag") && (strcmp(text, "false") == 0 || strcmp(text, "no") == 0)) {
        value = (struct doc_value){ .type = DOC_BOOL, .boolean = false };
    }
    doc_put_value_text(w, name, &value);
}

/* NAME=VALUE of an --OPTION that may be given several times. */
struct pair {
    struct text name;
    const char *value;
};

/* The next of --`option`, from *at = 0.  `what` it is written as, "NAME=VALUE".  False: there is
 * none, or *out_code says that it is written otherwise, and that has been said. */
static bool next_pair(struct cli *cli, const char *option, const char *what, size_t *at,
                      struct pair *out, int *out_code)
{
    const char *text = args_next(&cli->args, option, at);
    const char *equals = text != NULL ? strchr(text, '=') : NULL;
    if (text == NULL || *out_code != EXIT_DONE)
        return false;
    if (equals == NULL || equals == text) {
        cli_fail(cli, "--%s %s: it is written %s", option, text, what);
        *out_code = EXIT_USAGE;
        return false;
    }
    *out = (struct pair){ { text, (uint32_t)(equals - text) }, equals + 1 };
    return true;
}

/* How many of the pairs of --`option` have this name, in front of `end`. */
static size_t count_pairs(struct cli *cli, const char *option, struct text name, size_t end)
{
    size_t count = 0, at = 0;
    for (const char *text; (text = args_next(&cli->args, option, &at)) != NULL && at <= end;)
        count += strncmp(text, name.data, name.size) == 0 && text[name.size] == '=';
    return count;
}

/* NAME=VALUE of every --set, as "fields". */
static int put_fields(struct cli *cli, struct doc_writer *w, const char *kind)
{
    struct buf declared = BUF_INIT;
    struct pair pair;
    size_t at = 0;
    if (!args_has(&cli->args, "set"))
        return EXIT_DONE;
    int code = read_fields(cli, kind, &declared);
    struct doc fields = { declared.size != 0 ? declared.data : NULL, (uint32_t)declared.size };
    doc_open(w, "fields");
    while (next_pair(cli, "set", "NAME=VALUE", &at, &pair, &code)) {
        struct doc_value field = doc_get_text(fields, pair.name);
        if (count_pairs(cli, "set", pair.name, at) > 1) {
            cli_fail(cli, "--set %.*s is given twice: a list is written %.*s=a,b",
                     (int)pair.name.size, pair.name.data, (int)pair.name.size, pair.name.data);
            code = EXIT_USAGE;
        }
        put_value(w, pair.name, field.type == DOC_DOC ? field.doc : (struct doc){ NULL, 0 },
                  pair.value);
    }
    doc_close(w);
    buf_deinit(&declared);
    return code;
}

/* Everybody whom --role gives the role of that name. */
static int put_holders(struct cli *cli, struct doc_writer *w, struct text name)
{
    int code = EXIT_DONE;
    struct pair pair;
    size_t at = 0;
    doc_open_array_text(w, name);
    while (next_pair(cli, "role", "ROLE=CUSTOMER", &at, &pair, &code))
        if (text_equal(pair.name, name) && *pair.value == '\0') {
            cli_fail(cli, "--role %.*s= empties the role: name nobody in it besides",
                     (int)name.size, name.data);
            code = EXIT_USAGE;
        } else if (text_equal(pair.name, name)) {
            doc_put_string(w, "", pair.value);
        }
    doc_close(w);
    return code;
}

/* ROLE=CUSTOMER of every --role, as "customers"; of a role that is given several times a list. */
static int put_roles(struct cli *cli, struct doc_writer *w)
{
    int code = EXIT_DONE;
    struct pair pair;
    size_t at = 0;
    if (!args_has(&cli->args, "role"))
        return EXIT_DONE;
    doc_open(w, "customers");
    while (next_pair(cli, "role", "ROLE=CUSTOMER", &at, &pair, &code)) {
        struct doc_value who = { .type = *pair.value != '\0' ? DOC_TEXT : DOC_NULL,
                                 .text = text_of(pair.value) };
        if (count_pairs(cli, "role", pair.name, SIZE_MAX) == 1)
            doc_put_value_text(w, pair.name, &who);
        else if (count_pairs(cli, "role", pair.name, at) == 1)
            code = put_holders(cli, w, pair.name);
    }
    doc_close(w);
    return code;
}

static void put_option(struct cli *cli, struct doc_writer *w, const char *name)
{
    if (args_value(&cli->args, name) != NULL)
        doc_put_string(w, name, args_value(&cli->args, name));
}

static void set_body(struct cli *cli, struct doc doc)
{
    buf_clear(&cli->body);
    json_write_doc(&cli->body, doc);
}

/* The body of what is added, changed or moved, of `kind`. */
static int make_body(struct cli *cli, const char *kind, const char *customer)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    if (customer != NULL)
        doc_put_string(&w, "customer", customer);
    put_option(cli, &w, "owner");
    put_option(cli, &w, "note");
    int code = put_fields(cli, &w, kind);
    if (code == EXIT_DONE)
        code = put_roles(cli, &w);
    struct doc doc = doc_end(&w);
    if (code == EXIT_DONE)
        set_body(cli, doc);
    buf_deinit(&bytes);
    return code;
}

void record_body(struct cli *cli, const char *customer, const char *owner,
                 const struct record_text fields[])
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    if (customer != NULL)
        doc_put_string(&w, "customer", customer);
    if (owner != NULL)
        doc_put_string(&w, "owner", owner);
    doc_open(&w, "fields");
    for (; fields->name != NULL; fields++)
        if (fields->value != NULL)
            doc_put_string(&w, fields->name, fields->value);
    doc_close(&w);
    set_body(cli, doc_end(&w));
    buf_deinit(&bytes);
}

int run_record_add(struct cli *cli)
{
    struct doc record = { NULL, 0 };
    const char *kind = args_argument(&cli->args, 0);
    int code = make_body(cli, kind, args_argument(&cli->args, 1));
    if (code != EXIT_DONE)
        return code;
    cli_path(cli, "/v1/records/", kind, NULL);
    code = cli_post(cli, &record);
    return record_print(cli, code, record);
}

/* A change of the record in the first argument, whose body has been made. */
static int change(struct cli *cli, const char *method, const char *rest)
{
    struct doc record = { NULL, 0 };
    const char *name = args_argument(&cli->args, 0);
    struct buf kind = BUF_INIT;
    copy_kind(name, &kind);
    int code = make_body(cli, buf_string(&kind), NULL);
    buf_deinit(&kind);
    if (code != EXIT_DONE)
        return code;
    if (!record_path(cli, name, rest))
        return EXIT_USAGE;
    code = cli_send(cli, method, &record);
    return record_print(cli, code, record);
}

int run_record_change(struct cli *cli)
{
    return change(cli, "PATCH", NULL);
}

int run_record_move(struct cli *cli)
{
    struct buf rest = BUF_INIT;
    cli_path(cli, "/", args_argument(&cli->args, 1), NULL);
    buf_append(&rest, cli->path.data, cli->path.size);
    int code = change(cli, "POST", buf_string(&rest));
    buf_deinit(&rest);
    return code;
}

static int post(struct cli *cli, const char *rest)
{
    struct doc record = { NULL, 0 };
    body_close(cli);
    if (!record_path(cli, args_argument(&cli->args, 0), rest))
        return EXIT_USAGE;
    int code = cli_post(cli, &record);
    return record_print(cli, code, record);
}

int run_record_assign(struct cli *cli)
{
    const char *to = args_argument(&cli->args, 1);
    int code = strcmp(to, "owner") != 0 ? staff_check(cli, to) : EXIT_DONE;
    if (code != EXIT_DONE)
        return code;
    body_open(cli);
    body_text(cli, "owner", to);
    return post(cli, "/assign");
}

int run_record_note(struct cli *cli)
{
    body_open(cli);
    body_text(cli, "text", args_argument(&cli->args, 1));
    return post(cli, "/notes");
}

static int unlink_record(struct cli *cli, const char *to, const char *type)
{
    struct doc record = { NULL, 0 };
    if (!record_path(cli, args_argument(&cli->args, 0), "/links"))
        return EXIT_USAGE;
    path_query(&cli->path, "to", to);
    path_query(&cli->path, "type", type);
    buf_clear(&cli->body);
    int code = cli_send(cli, "DELETE", &record);
    return record_print(cli, code, record);
}

int run_record_link(struct cli *cli)
{
    const char *to = args_argument(&cli->args, 1), *type = args_value(&cli->args, "type");
    if (args_has(&cli->args, "remove"))
        return unlink_record(cli, to, type);
    body_open(cli);
    body_text(cli, "to", to);
    body_text(cli, "type", type);
    return post(cli, "/links");
}

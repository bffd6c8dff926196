/* subjects.c -- pools of codes and budgets: how they stand, and loading codes.
 *
 * A file of codes is sent in pieces, each a call of its own.  Whatever stops it half-way, the same
 * command again goes on: the daemon passes over codes that it knows.
 */
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/cli/cli.h"
#include "core/cli/input.h"

#include <string.h>

#define TIMELINE_DEFAULT 20
#define MARK "\xef\xbb\xbf"   /* in front of UTF-8 */
#define BROKEN "\xef\xbf\xbd" /* U+FFFD: what could not be read */
#define CODES_PER_CALL 1000
#define SHOWN_BYTES 40 /* of a code that is none */
#define CODE_BYTES_PER_CALL (100u << 10)

/* -- Lists --------------------------------------------------------------------------------- */

static void subject_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    for (const struct column *column = table->columns; column->title != NULL; column++)
        if (strcmp(column->title, "until") == 0)
            cell_time(cli, table, item, "until");
        else
            cell_field(table, item, column->title,
                       column == table->columns ? TINT_BOLD : TINT_NONE);
}

static int list(struct cli *cli, const char *path, const struct column columns[],
                const char *when_empty)
{
    struct table table;
    table_init(&table, columns);
    cli_path(cli, path, NULL, NULL);
    int code = cli_list(cli, 0, subject_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, when_empty);
    table_deinit(&table);
    return code;
}

int run_pool_list(struct cli *cli)
{
    static const struct column columns[] = { { "name", false },    { "left", true },
                                             { "reserved", true }, { "used", true },
                                             { "expired", true },  { NULL, false } };
    return list(cli, "/v1/pools", columns, "the rules in force declare no pool");
}

int run_budget_list(struct cli *cli)
{
    static const struct column columns[] = { { "name", false },     { "left", true },
                                             { "spent", true },     { "amount", true },
                                             { "currency", false }, { "per", false },
                                             { "until", false },    { NULL, false } };
    return list(cli, "/v1/budgets", columns, "the rules in force declare no budget");
}

/* -- One ----------------------------------------------------------------------------------- */

static void print_figures(struct cli *cli, struct doc doc)
{
    static const struct column columns[] = { { "name", false },
                                             { "value", false },
                                             { NULL, false } };
    struct table table;
    table_init(&table, columns);
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        table_add(&table, it.name, TINT_DIM);
        if (text_is(it.name, "from") || text_is(it.name, "until"))
            cell_time(cli, &table, doc, it.name.data);
        else
            cell_field(&table, doc, it.name.data, TINT_NONE);
    }
    table_print(&table, &cli->screen, &cli->out);
    table_deinit(&table);
}

static int show(struct cli *cli, const char *head)
{
    struct doc doc = { NULL, 0 };
    cli_path(cli, head, args_argument(&cli->args, 0), NULL);
    int code = cli_get(cli, &doc);
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json)
        cli_json(cli, doc);
    else
        print_figures(cli, doc);
    return code;
}

int run_pool_show(struct cli *cli)
{
    return show(cli, "/v1/pools/");
}

int run_budget_show(struct cli *cli)
{
    return show(cli, "/v1/budgets/");
}

static void timeline_item(struct cli *cli, struct doc item, void *arg)
{
    cell_time(cli, arg, item, "at");
    timeline_cells(cli, arg, item);
}

static int timeline(struct cli *cli, const char *head)
{
    struct table table;
    int64_t limit;
    if (!cli_limit(cli, TIMELINE_DEFAULT, &limit))
        return EXIT_USAGE;
    table_init(&table, timeline_columns);
    cli_path(cli, head, args_argument(&cli->args, 0), "/timeline");
    int code = cli_list(cli, limit, timeline_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "nothing has happened");
    table_deinit(&table);
    return code;
}

int run_pool_timeline(struct cli *cli)
{
    return timeline(cli, "/v1/pools/");
}

int run_budget_timeline(struct cli *cli)
{
    return timeline(cli, "/v1/budgets/");
}

/* -- Loading codes ------------------------------------------------------------------------- */

struct loading {
    struct cli *cli;
    struct input *input;
    struct buf text; /* read and not yet sent; a line may be cut at its end */
    size_t waiting;  /* codes in cli->body */
    uint64_t codes, lines;
    int64_t loaded, first; /* that the pool has, now and at the beginning */
    int64_t left;
};

static bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

static struct text trim(struct text line)
{
    while (line.size != 0 && is_blank(line.data[0]))
        line = (struct text){ line.data + 1, line.size - 1 };
    while (line.size != 0 && is_blank(line.data[line.size - 1]))
        line.size--;
    return line;
}

static int send_codes(struct loading *loading)
{
    struct cli *cli = loading->cli;
    struct doc pool = { NULL, 0 };
    if (loading->waiting == 0)
        return EXIT_DONE;
    buf_text(&cli->body, "]}");
    cli_path(cli, "/v1/pools/", args_argument(&cli->args, 0), "/codes");
    int code = cli_post(cli, &pool);
    loading->loaded = doc_int(pool, "loaded", loading->loaded);
    loading->left = doc_int(pool, "left", 0);
    loading->waiting = 0;
    return code;
}

/* Whoever types the code from a message could not type it. */
static bool is_text(struct text code)
{
    return utf8_valid(code.data, code.size) && memmem(code.data, code.size, BROKEN, 3) == NULL &&
           memchr(code.data, '\0', code.size) == NULL;
}

static int add_code(struct loading *loading, struct text line)
{
    struct cli *cli = loading->cli;
    struct text code = trim(line);
    loading->lines++;
    if (code.size == 0)
        return EXIT_DONE;
    if (!is_text(code))
        return cli_fail(cli,
                        "line %llu of the file is no text: save it as UTF-8, a code on each line",
                        (unsigned long long)loading->lines);
    if (code.size > NAME_BYTES_MAX)
        return cli_fail(cli,
                        "line %llu of the file has %u bytes, and a code at most %d: \"%.*s...\"",
                        (unsigned long long)loading->lines, code.size, NAME_BYTES_MAX,
                        (int)utf8_valid_prefix(code.data, SHOWN_BYTES), code.data);
    if (loading->waiting == 0)
        buf_clear(&cli->body);
    buf_text(&cli->body, loading->waiting == 0 ? "{\"codes\":[" : ",");
    json_write_text(&cli->body, code);
    loading->codes++;
    loading->waiting++;
    bool is_full = loading->waiting == CODES_PER_CALL || cli->body.size > CODE_BYTES_PER_CALL;
    return is_full ? send_codes(loading) : EXIT_DONE;
}

/* Whole lines of what was read; the rest stays. */
static int add_lines(struct loading *loading)
{
    const char *text = buf_string(&loading->text), *end;
    size_t at = 0;
    int code = EXIT_DONE;
    while (code == EXIT_DONE && (end = memchr(text + at, '\n', loading->text.size - at)) != NULL) {
        code = add_code(loading, (struct text){ text + at, (uint32_t)(end - (text + at)) });
        at = (size_t)(end - text) + 1;
    }
    memmove(loading->text.data, text + at, loading->text.size - at);
    loading->text.size -= at;
    return code;
}

/* What editors put in front of UTF-8 is no part of the first code. */
static int read_some(struct loading *loading, struct err *err)
{
    bool is_first = input_at(loading->input) == 0;
    int rc = input_read(loading->input, &loading->text, err);
    if (rc > 0 && is_first && loading->text.size >= 3 && memcmp(loading->text.data, MARK, 3) == 0) {
        memmove(loading->text.data, loading->text.data + 3, loading->text.size - 3);
        loading->text.size -= 3;
    }
    return rc;
}

static int load(struct loading *loading)
{
    struct cli *cli = loading->cli;
    struct doc pool = { NULL, 0 };
    struct err err;
    int code, rc;
    cli_path(cli, "/v1/pools/", args_argument(&cli->args, 0), NULL);
    code = cli_get(cli, &pool);
    loading->first = loading->loaded = doc_int(pool, "loaded", 0);
    loading->left = doc_int(pool, "left", 0);
    while (code == EXIT_DONE && (rc = read_some(loading, &err)) != 0)
        code = rc < 0 ? cli_fail_err(cli, &err) : add_lines(loading);
    if (code == EXIT_DONE)
        code = add_code(loading,
                        (struct text){ buf_string(&loading->text), (uint32_t)loading->text.size });
    return code == EXIT_DONE ? send_codes(loading) : code;
}

int run_pool_load(struct cli *cli)
{
    struct loading loading = { .cli = cli, .text = BUF_INIT };
    struct err err;
    if (input_open(args_argument(&cli->args, 1), NULL, &loading.input, &err) != 0)
        return cli_fail_err(cli, &err);
    int code = load(&loading);
    long long added = (long long)(loading.loaded - loading.first);
    if (code == EXIT_DONE && cli->is_json)
        buf_printf(&cli->out, "{\"codes\":%llu,\"added\":%lld,\"left\":%lld}\n",
                   (unsigned long long)loading.codes, added, (long long)loading.left);
    else if (code == EXIT_DONE)
        buf_printf(&cli->out, "%lld of %llu codes were new; %lld are left to be taken\n", added,
                   (unsigned long long)loading.codes, (long long)loading.left);
    input_close(loading.input);
    buf_deinit(&loading.text);
    return code;
}

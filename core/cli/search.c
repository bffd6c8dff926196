/* search.c -- who is it?  From what a clerk has heard or read to a customer.
 *
 * `kith search` lists; commands that need one customer and were given words instead of a
 * reference take the one who is found by them, and name them all when there are several:
 * nobody shall be shown, or changed, because she came first.
 */
#include "core/cli/cli.h"

#include <stdio.h>
#include <string.h>

#define SEARCH_DEFAULT 50
#define SUGGESTIONS_MAX 10

static const struct column columns[] = {
    { "id", true },     { "name", false },         { "phone", false },
    { "owner", false }, { "last contact", false }, { NULL, false }
};

/* -- A row ------------------------------------------------------------------------------- */

static void put_trait(struct buf *out, struct doc traits, const char *name)
{
    struct doc_value value = doc_get(traits, name);
    if (value.type == DOC_DOC) /* company: {name} */
        value = doc_get(value.doc, "name");
    if (value.type != DOC_TEXT || value.text.size == 0)
        return;
    if (out->size != 0)
        buf_byte(out, ' ');
    value_print(&value, out);
}

static void put_name(struct buf *out, struct doc traits)
{
    static const char *const names[][2] = {
        { "name", NULL },
        { "firstName", "lastName" },
        { "first_name", "last_name" },
        { "company", NULL },
    };
    for (size_t i = 0; out->size == 0 && i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < 2 && names[i][k] != NULL; k++)
            put_trait(out, traits, names[i][k]);
}

static void put_first(struct buf *out, struct doc list)
{
    struct doc_iter it = doc_iter(list);
    if (out->size == 0 && doc_next(&it))
        value_print(&it.value, out);
}

static void cell_buf(struct table *table, struct buf *text, enum tint tint)
{
    table_add(table, (struct text){ buf_string(text), (uint32_t)text->size }, tint);
    buf_clear(text);
}

static void search_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    struct buf text = BUF_INIT;
    struct doc traits = doc_child(item, "traits"), ids = doc_child(item, "ids");
    cell_field(table, item, "id", TINT_NONE);
    put_name(&text, traits);
    put_first(&text, doc_child(ids, "email"));
    cell_buf(table, &text, TINT_BOLD);
    put_first(&text, doc_child(ids, "phone"));
    if (text.size == 0)
        put_trait(&text, traits, "phone");
    cell_buf(table, &text, TINT_NONE);
    cell_field(table, item, "owner", TINT_NONE);
    cell_time(cli, table, item, "last_contact");
    buf_deinit(&text);
}

/* -- search ------------------------------------------------------------------------------ */

int run_search(struct cli *cli)
{
    struct table table;
    int64_t limit;
    if (!cli_limit(cli, SEARCH_DEFAULT, &limit))
        return EXIT_USAGE;
    table_init(&table, columns);
    cli_path(cli, "/v1/customers?q=", args_argument(&cli->args, 0), NULL);
    int code = cli_list(cli, limit, search_item, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, "nobody is found by that");
    table_deinit(&table);
    return code;
}

/* -- One customer ------------------------------------------------------------------------ */

static bool is_reference(const char *text)
{
    return strchr(text, ':') != NULL || text[strspn(text, "0123456789")] == '\0';
}

struct found {
    struct table table;
    size_t count;
    int64_t id; /* the last one's */
};

static void found_item(struct cli *cli, struct doc item, void *arg)
{
    struct found *found = arg;
    found->count++;
    found->id = doc_int(item, "id", 0);
    search_item(cli, item, &found->table);
}

static int suggest(struct cli *cli, const char *text, const struct found *found)
{
    struct buf lines = BUF_INIT;
    if (found->count == 0)
        return cli_fail(cli,
                        "nobody is found by \"%s\"; a customer is also written 42, user_id:u-17, "
                        "email:ann@example.com or phone:+4930123456",
                        text);
    cli_fail(cli, "%s customers are found by \"%s\": say more of the name, or which number",
             found->count > SUGGESTIONS_MAX ? "many" : "several", text);
    table_print(&found->table, &cli->screen, &lines);
    fputs(buf_string(&lines), stderr);
    buf_deinit(&lines);
    return EXIT_FAILED;
}

int cli_find_customer(struct cli *cli, const char *text, struct buf *out_reference)
{
    struct found found = { .count = 0 };
    bool is_json = cli->is_json;
    if (is_reference(text)) {
        buf_text(out_reference, text);
        return EXIT_DONE;
    }
    table_init(&found.table, columns);
    cli->is_json = false; /* the list is not what was asked for */
    cli_path(cli, "/v1/customers?q=", text, NULL);
    int code = cli_list(cli, SUGGESTIONS_MAX + 1, found_item, &found);
    cli->is_json = is_json;
    if (code == EXIT_DONE && found.count == 1)
        buf_printf(out_reference, "%lld", (long long)found.id);
    else if (code == EXIT_DONE)
        code = suggest(cli, text, &found);
    table_deinit(&found.table);
    return code;
}

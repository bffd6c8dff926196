/* house.c -- who works here, and which keys there are: list, show, remove. */
#include "core/base/err.h"
#include "core/base/near.h"
#include "core/cli/cli.h"

#include <stdint.h>
#include <string.h>

/* A text, or a list of them in one cell. */
static void cell_texts(struct table *table, struct doc item, const char *name)
{
    struct doc_value value = doc_get(item, name);
    struct buf text = BUF_INIT;
    if (value.type != DOC_ARRAY) {
        cell_field(table, item, name, TINT_NONE);
        return;
    }
    for (struct doc_iter it = doc_iter(value.doc); doc_next(&it);) {
        if (text.size != 0)
            buf_text(&text, ", ");
        value_print(&it.value, &text);
    }
    table_add(table, (struct text){ buf_string(&text), (uint32_t)text.size }, TINT_NONE);
    buf_deinit(&text);
}

static void print_item(struct cli *cli, struct doc item, void *arg)
{
    struct table *table = arg;
    (void)cli;
    cell_field(table, item, table->columns[0].title, TINT_BOLD);
    for (const struct column *column = &table->columns[1]; column->title != NULL; column++)
        cell_texts(table, item, column->title);
}

static int print_list(struct cli *cli, const char *path, const struct column columns[],
                      cli_item_fn *each, const char *when_empty)
{
    struct table table;
    table_init(&table, columns);
    cli_path(cli, path, NULL, NULL);
    int code = cli_list(cli, 0, each, &table);
    if (code == EXIT_DONE)
        cli_table(cli, &table, when_empty);
    table_deinit(&table);
    return code;
}

int remove_named(struct cli *cli, const char *head, const char *words)
{
    const char *name = args_argument(&cli->args, 0);
    struct doc answer = { NULL, 0 };
    buf_clear(&cli->body);
    cli_path(cli, head, name, NULL);
    int code = cli_answer(cli, "DELETE", &answer);
    if (code == EXIT_DONE && !cli->is_json)
        buf_printf(&cli->out, "%s %s\n", name, words);
    return code;
}

/* -- Staff ------------------------------------------------------------------------------- */

bool staff_is_team(struct doc item)
{
    return doc_get(item, "assign").type == DOC_ARRAY || doc_get(item, "members").type == DOC_ARRAY;
}

static void print_person(struct cli *cli, struct doc item, void *arg)
{
    if (!staff_is_team(item))
        print_item(cli, item, arg);
}

static void print_person_json(struct cli *cli, struct doc item, void *arg)
{
    (void)arg;
    if (!staff_is_team(item))
        cli_json(cli, item);
}

int run_staff_list(struct cli *cli)
{
    static const struct column columns[] = {
        { "name", false }, { "title", false }, { "email", false },  { "phone", false },
        { "team", false }, { "teams", false }, { "deputy", false }, { NULL, false },
    };
    if (!cli->is_json)
        return print_list(cli, "/v1/staff", columns, print_person,
                          "nobody yet: kith staff add NAME");
    cli_path(cli, "/v1/staff", NULL, NULL);
    return cli_collect(cli, 0, print_person_json, NULL);
}

static void print_absences(struct cli *cli, struct doc absences)
{
    static const struct column columns[] = {
        { "from", false }, { "until", false }, { "deputy", false }, { NULL, false }
    };
    struct table table;
    table_init(&table, columns);
    for (struct doc_iter it = doc_iter(absences); doc_next(&it);) {
        cell_time(cli, &table, it.value.doc, "from");
        cell_time(cli, &table, it.value.doc, "until");
        cell_field(&table, it.value.doc, "deputy", TINT_NONE);
    }
    if (table_rows(&table) != 0) {
        buf_text(&cli->out, "\nabsences\n");
        table_print(&table, &cli->screen, &cli->out);
    }
    table_deinit(&table);
}

int run_staff_show(struct cli *cli)
{
    static const struct column columns[] = { { "name", false },
                                             { "value", false },
                                             { NULL, false } };
    struct doc member = { NULL, 0 };
    struct table table;
    cli_path(cli, "/v1/staff/", args_argument(&cli->args, 0), NULL);
    int code = cli_get(cli, &member);
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json) {
        cli_json(cli, member);
        return code;
    }
    table_init(&table, columns);
    for (struct doc_iter it = doc_iter(member); doc_next(&it);)
        if (!text_is(it.name, "absences")) {
            table_add(&table, it.name, TINT_DIM);
            cell_texts(&table, member, it.name.data);
        }
    table_print(&table, &cli->screen, &cli->out);
    print_absences(cli, doc_child(member, "absences"));
    table_deinit(&table);
    return code;
}

struct lookup {
    const char *name;
    size_t least; /* how far the nearest is; SIZE_MAX: there is nobody */
    struct buf nearest;
};

static void lookup_name(struct lookup *lookup, struct text name)
{
    size_t distance = 0;
    if (name.size != 0 && !text_is(name, lookup->name))
        distance = 1 + near_distance(lookup->name, name.data);
    if (name.size == 0 || distance >= lookup->least)
        return;
    lookup->least = distance;
    buf_clear(&lookup->nearest);
    buf_append(&lookup->nearest, name.data, name.size);
}

/* Teams too, which need no record of their own. */
static void lookup_item(struct cli *cli, struct doc item, void *arg)
{
    (void)cli;
    lookup_name(arg, doc_text(item, "name"));
    lookup_name(arg, doc_text(item, "team"));
    for (struct doc_iter it = doc_iter(doc_child(item, "teams")); doc_next(&it);)
        if (it.value.type == DOC_TEXT)
            lookup_name(arg, it.value.text);
}

/* Into `wrong` what is wrong with the name; code 0: somebody is called so, or there is no staff. */
static int look_up(struct cli *cli, const char *name, struct err *wrong)
{
    static const char team[] = "team:";
    name += strncmp(name, team, sizeof team - 1) == 0 ? sizeof team - 1 : 0;
    struct lookup lookup = { name, SIZE_MAX, BUF_INIT };
    cli_path(cli, "/v1/staff", NULL, NULL);
    int code = cli_collect(cli, 0, lookup_item, &lookup);
    *wrong = (struct err){ .code = 0 };
    bool is_known = lookup.least == 0 || lookup.least == SIZE_MAX;
    if (code == EXIT_DONE && !is_known) {
        bool is_likely = near_is_likely(lookup.least - 1, name);
        err_set(wrong, E_NOTFOUND, "nobody on the staff is called \"%s\": %s%s%s", name,
                is_likely ? "did you mean \"" : "kith staff list says who is",
                is_likely ? buf_string(&lookup.nearest) : "", is_likely ? "\"?" : "");
    }
    buf_deinit(&lookup.nearest);
    return code;
}

/* Work that is given to a slip of the pen is nobody's.  The daemon takes any name, because staff
 * may be known elsewhere; a person at the keyboard means somebody who works here. */
int staff_check(struct cli *cli, const char *name)
{
    struct err wrong;
    int code = look_up(cli, name, &wrong);
    return code == EXIT_DONE && wrong.code != 0 ? cli_fail(cli, "%s", wrong.text) : code;
}

int staff_note(struct cli *cli, const char *name)
{
    struct err wrong = { .code = 0 };
    int code = cli->is_json ? EXIT_DONE : look_up(cli, name, &wrong);
    if (code == EXIT_DONE && wrong.code != 0)
        buf_printf(&cli->out, "%s\n", wrong.text);
    return code;
}

/* -- Keys -------------------------------------------------------------------------------- */

int run_key_list(struct cli *cli)
{
    static const struct column columns[] = { { "name", false },   { "staff", false },
                                             { "scopes", false }, { "rate", false },
                                             { "burst", true },   { NULL, false } };
    return print_list(cli, "/v1/keys", columns, print_item,
                      "none but admin.key and write.key of the data directory: kith key add NAME");
}

int run_key_remove(struct cli *cli)
{
    return remove_named(cli, "/v1/keys/", "is no key any more");
}

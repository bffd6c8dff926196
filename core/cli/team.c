/* team.c -- `kith team`: the teams, and who is in each.
 *
 * A team has no record that it must have: who says that she belongs to one makes it one, and so
 * does a member of staff who is a team and has `members`.  So the list is made of all staff.
 */
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/cli/cli.h"

#include <stdlib.h>
#include <string.h>

struct team {
    char *name;
    struct buf members; /* as they are shown */
    struct buf json;    /* the inside of a list */
};

struct teams {
    struct team *items;
    size_t count;
};

static char *copy(struct text text)
{
    char *name = mem_alloc(text.size + 1);
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    return name;
}

static struct team *team_of(struct teams *teams, struct text name)
{
    for (size_t i = 0; i < teams->count; i++)
        if (text_is(name, teams->items[i].name))
            return &teams->items[i];
    teams->items = mem_resize(teams->items, (teams->count + 1) * sizeof *teams->items);
    struct team *team = &teams->items[teams->count++];
    *team = (struct team){ .name = copy(name) };
    return team;
}

/* Once, whoever of the two says it. */
static void add(struct teams *teams, struct text name, struct text member)
{
    struct buf json = BUF_INIT;
    if (name.size == 0 || member.size == 0)
        return;
    struct team *team = team_of(teams, name);
    json_write_text(&json, member);
    bool is_in = team->json.size != 0 &&
                 memmem(team->json.data, team->json.size, json.data, json.size) != NULL;
    if (!is_in) {
        buf_text(&team->json, team->json.size != 0 ? "," : "");
        buf_append(&team->json, json.data, json.size);
        buf_text(&team->members, team->members.size != 0 ? ", " : "");
        buf_append(&team->members, member.data, member.size);
    }
    buf_deinit(&json);
}

static void note_staff(struct cli *cli, struct doc item, void *arg)
{
    struct teams *teams = arg;
    struct text name = doc_text(item, "name");
    (void)cli;
    if (staff_is_team(item))
        team_of(teams, name); /* nobody may be in it yet */
    add(teams, doc_text(item, "team"), name);
    for (struct doc_iter it = doc_iter(doc_child(item, "teams")); doc_next(&it);)
        if (it.value.type == DOC_TEXT)
            add(teams, it.value.text, name);
    for (struct doc_iter it = doc_iter(doc_child(item, "members")); doc_next(&it);)
        if (it.value.type == DOC_TEXT)
            add(teams, name, it.value.text);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct team *)a)->name, ((const struct team *)b)->name);
}

static void print_json(struct cli *cli, const struct teams *teams)
{
    for (size_t i = 0; i < teams->count; i++) {
        buf_text(&cli->out, "{\"name\":");
        json_write_text(&cli->out, text_of(teams->items[i].name));
        buf_printf(&cli->out, ",\"members\":[%s]}\n", buf_string(&teams->items[i].json));
    }
}

static void print_table(struct cli *cli, struct teams *teams)
{
    static const struct column columns[] = { { "team", false },
                                             { "members", false },
                                             { NULL, false } };
    struct table table;
    table_init(&table, columns);
    for (size_t i = 0; i < teams->count; i++) {
        table_add_string(&table, teams->items[i].name, TINT_BOLD);
        table_add_string(&table, buf_string(&teams->items[i].members), TINT_NONE);
    }
    cli_table(cli, &table, "no teams yet: kith staff add NAME --team TEAM");
    table_deinit(&table);
}

static int list_teams(struct cli *cli, struct teams *teams)
{
    cli_path(cli, "/v1/staff", NULL, NULL);
    int code = cli_collect(cli, 0, note_staff, teams);
    if (teams->count != 0)
        qsort(teams->items, teams->count, sizeof *teams->items, by_name);
    return code;
}

static void teams_deinit(struct teams *teams)
{
    for (size_t i = 0; i < teams->count; i++) {
        free(teams->items[i].name);
        buf_deinit(&teams->items[i].members);
        buf_deinit(&teams->items[i].json);
    }
    free(teams->items);
}

int run_team(struct cli *cli)
{
    struct teams teams = { NULL, 0 };
    int code = list_teams(cli, &teams);
    if (code == EXIT_DONE && cli->is_json)
        print_json(cli, &teams);
    else if (code == EXIT_DONE)
        print_table(cli, &teams);
    teams_deinit(&teams);
    return code;
}

int team_say(struct cli *cli, const char *name)
{
    struct teams teams = { NULL, 0 };
    bool has_members = false;
    int code = list_teams(cli, &teams);
    for (size_t i = 0; i < teams.count; i++)
        has_members = has_members ||
                      (strcmp(teams.items[i].name, name) == 0 && teams.items[i].members.size != 0);
    if (code == EXIT_DONE && has_members)
        buf_printf(&cli->out, "%s is a team\n", name);
    else if (code == EXIT_DONE)
        buf_printf(&cli->out,
                   "%s is a team, and nobody is in it yet: kith team set %s --member STAFF\n", name,
                   name);
    teams_deinit(&teams);
    return code;
}

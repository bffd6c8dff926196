/* staff.c -- who works here and when: people, teams, absences.
 *
 * The daemon takes a record whole.  A person who changes a telephone number does not mean to forget
 * a holiday: so what is there is read first, and what was not said stays as it is.
 */
#include "core/base/json_write.h"
#include "core/base/moment.h"
#include "core/cli/cli.h"

#include <string.h>
#include <time.h>

/* -- A record as it is, and what is new of it --------------------------------------------- */

struct record {
    const char *name;
    const char *const *fields; /* those that this command may change; NULL behind the last */
    bool is_team;
    bool has_members; /* it had, and has them still, or others are said */
};

static bool is_given(struct cli *cli, const char *option)
{
    size_t at = 0;
    return args_next(&cli->args, option, &at) != NULL;
}

static bool is_changed(struct cli *cli, const struct record *record, struct text name)
{
    for (size_t i = 0; record->fields[i] != NULL; i++)
        if (text_is(name, record->fields[i]))
            return is_given(cli, strcmp(record->fields[i], "title") == 0     ? "name"
                                 : strcmp(record->fields[i], "members") == 0 ? "member"
                                                                             : record->fields[i]);
    return false;
}

static void body_value(struct cli *cli, struct text name, const struct doc_value *value)
{
    buf_text(&cli->body, cli->body.size > 1 ? "," : "");
    json_write_text(&cli->body, name);
    buf_byte(&cli->body, ':');
    json_write_value(&cli->body, value);
}

static void keep_item(struct cli *cli, struct doc item, void *arg)
{
    struct record *record = arg;
    if (!text_is(doc_text(item, "name"), record->name))
        return;
    record->has_members = doc_get(item, "members").type == DOC_ARRAY;
    for (struct doc_iter it = doc_iter(item); doc_next(&it);) {
        bool is_teams = text_is(it.name, "members") || text_is(it.name, "assign");
        if (!text_is(it.name, "name") && !is_changed(cli, record, it.name) &&
            (record->is_team || !is_teams))
            body_value(cli, it.name, &it.value);
    }
}

/* Begin cli->body with what stays of the record. */
static int body_record(struct cli *cli, struct record *record)
{
    body_open(cli);
    cli_path(cli, "/v1/staff", NULL, NULL);
    return cli_collect(cli, 0, keep_item, record);
}

/* "owner,load" and options given several times are both lists. */
static void body_list(struct cli *cli, const char *field, const char *option)
{
    size_t at = 0;
    const char *value = args_next(&cli->args, option, &at), *gap = "";
    if (value == NULL)
        return;
    buf_printf(&cli->body, "%s\"%s\":[", cli->body.size > 1 ? "," : "", field);
    for (; value != NULL; value = args_next(&cli->args, option, &at))
        for (size_t size; *value != '\0'; value += size + (value[size] == ',')) {
            size = strcspn(value, ",");
            buf_text(&cli->body, gap);
            json_write_text(&cli->body, (struct text){ value, (uint32_t)size });
            gap = ",";
        }
    buf_byte(&cli->body, ']');
}

static int put_record(struct cli *cli, const char *name, const char *said)
{
    struct doc answer = { NULL, 0 };
    body_close(cli);
    cli_path(cli, "/v1/staff/", name, NULL);
    int code = cli_send(cli, "PUT", &answer);
    if (code != EXIT_DONE)
        return code;
    if (cli->is_json)
        cli_json(cli, answer);
    else if (said != NULL)
        buf_printf(&cli->out, "%s %s\n", name, said);
    return code;
}

int run_staff_add(struct cli *cli)
{
    static const char *const fields[] = { "title",    "email", "phone",  "language", "languages",
                                          "calendar", "team",  "deputy", NULL };
    struct record record = { args_argument(&cli->args, 0), fields, .is_team = false };
    int code = body_record(cli, &record);
    if (code != EXIT_DONE)
        return code;
    body_text(cli, "title", args_value(&cli->args, "name"));
    for (size_t i = 1; fields[i] != NULL; i++)
        if (strcmp(fields[i], "languages") != 0)
            body_text(cli, fields[i], args_value(&cli->args, fields[i]));
    body_list(cli, "languages", "languages");
    code = put_record(cli, record.name, "is on the staff");
    const char *deputy = args_value(&cli->args, "deputy"); /* who may come after her */
    return code == EXIT_DONE && deputy != NULL ? staff_note(cli, deputy) : code;
}

int run_team_set(struct cli *cli)
{
    static const char *const fields[] = { "assign", "members", "title", NULL };
    struct record record = { args_argument(&cli->args, 0), fields, .is_team = true };
    int code = body_record(cli, &record);
    if (code != EXIT_DONE)
        return code;
    body_text(cli, "title", args_value(&cli->args, "name"));
    body_list(cli, "assign", "assign");
    body_list(cli, "members", "member");
    if (!record.has_members && !is_given(cli, "member")) /* what makes it a team's record */
        buf_printf(&cli->body, "%s\"members\":[]", cli->body.size > 1 ? "," : "");
    code = put_record(cli, record.name, NULL);
    return code == EXIT_DONE && !cli->is_json ? team_say(cli, record.name) : code;
}

/* -- Absences ------------------------------------------------------------------------------ */

/* Any absence of hers that has begun and not ended, by the clock of this machine. */
static bool is_away(struct doc member)
{
    int64_t from, until, now = (int64_t)time(NULL) * 1000 + 999;
    for (struct doc_iter it = doc_iter(doc_child(member, "absences")); doc_next(&it);) {
        struct text begin = doc_text(it.value.doc, "from"), end = doc_text(it.value.doc, "until");
        if (moment_parse(begin.data, begin.size, &from, NULL) == 0 &&
            moment_parse(end.data, end.size, &until, NULL) == 0 && from <= now && now < until)
            return true;
    }
    return false;
}

/* said NULL: it is as the record has it. */
static int say_absent(struct cli *cli, const char *method, const char *said)
{
    const char *name = args_argument(&cli->args, 0);
    struct doc answer = { NULL, 0 };
    int code = cli_send(cli, method, &answer);
    if (code != EXIT_DONE)
        return code;
    if (said == NULL)
        said = is_away(answer) ? "is away: kith staff show says until when"
                               : "will be away: kith staff show says when";
    if (cli->is_json)
        cli_json(cli, answer);
    else
        buf_printf(&cli->out, "%s %s\n", name, said);
    return code;
}

int run_staff_absent(struct cli *cli)
{
    static const char *const options[] = { "from", "to", "deputy" };
    const char *deputy = args_value(&cli->args, "deputy");
    int code = deputy != NULL ? staff_check(cli, deputy) : EXIT_DONE;
    if (code != EXIT_DONE)
        return code;
    body_open(cli);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        body_text(cli, options[i], args_value(&cli->args, options[i]));
    body_close(cli);
    cli_path(cli, "/v1/staff/", args_argument(&cli->args, 0), "/absences");
    return say_absent(cli, "POST", NULL);
}

int run_staff_back(struct cli *cli)
{
    const char *from = args_value(&cli->args, "from");
    buf_clear(&cli->body);
    cli_path(cli, "/v1/staff/", args_argument(&cli->args, 0), "/absences");
    if (from != NULL)
        path_query(&cli->path, "from", from);
    return say_absent(cli, "DELETE", from != NULL ? "will not be away then" : "is back");
}

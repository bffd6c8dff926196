/* read_staff_check.c -- whether what is to be written about a member of staff can be meant.
 *
 * It is looked at before the entry is written and not when it is applied: what is in a log already
 * holds as it stands, and calendars come and go with bundles.  What she has already may stay.
 */
#include "core/base/err.h"
#include "core/base/identity_text.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read.h"
#include "core/engine/record_inside.h"
#include "core/engine/staff.h"

static int check_name(struct text name, struct err *err)
{
    bool is_team;
    struct text team = team_name(name, &is_team);
    if (!is_team)
        return 0;
    return err_set(err, E_INVALID,
                   "team:%.*s is how work is given to a team: its own name here is %.*s",
                   (int)team.size, team.data, (int)team.size, team.data);
}

/* One row is one sort: whoever bears the name of a team would get its work and lose its way. */
static int say_team(struct text name, struct err *err)
{
    return err_set(err, E_INVALID,
                   "%.*s is a team, and nobody on the staff: the two cannot share a name",
                   (int)name.size, name.data);
}

static int say_person(struct text name, struct err *err)
{
    return err_set(err, E_INVALID,
                   "%.*s is somebody on the staff, and no team: the two cannot share a name",
                   (int)name.size, name.data);
}

/* What the record was before it stays, and a new one is what belongs to its name. */
static int check_sort(struct engine *engine, struct text name, struct doc data, struct err *err)
{
    struct doc before = staff_row(engine, name);
    bool is_team = team_is_record(data), was_team = team_is_record(before);
    bool has_members = team_is_known(engine, name);
    if (!is_team && (was_team || (before.data == NULL && has_members)))
        return say_team(name, err);
    if (is_team && !was_team && before.data != NULL && !has_members)
        return say_person(name, err);
    return 0;
}

static int check_team(struct engine *engine, struct text team, struct err *err)
{
    bool is_person = staff_row(engine, team).data != NULL && !team_is_known(engine, team);
    return is_person ? say_person(team, err) : 0;
}

static bool has_text(struct doc list, struct text text)
{
    for (struct doc_iter it = doc_iter(list); doc_next(&it);)
        if (it.value.type == DOC_TEXT && text_equal(it.value.text, text))
            return true;
    return false;
}

static int check_member(struct engine *engine, struct text member, struct err *err)
{
    bool is_team;
    struct text name = team_name(member, &is_team);
    struct doc row = staff_row(engine, name);
    if (is_team || team_is_record(row) || (row.data == NULL && team_is_known(engine, name)))
        return say_team(name, err);
    return record_somebody(engine, member, err);
}

/* Of a list those that are new in it. */
static int check_each(struct engine *engine, struct doc before, struct doc now,
                      int (*check)(struct engine *, struct text, struct err *), struct err *err)
{
    int rc = 0;
    for (struct doc_iter it = doc_iter(now); rc == 0 && doc_next(&it);)
        if (it.value.type == DOC_TEXT && !has_text(before, it.value.text))
            rc = check(engine, it.value.text, err);
    return rc;
}

static int check_email(struct text email, struct err *err)
{
    char normal[IDENTITY_EMAIL_SIZE];
    struct err why;
    if (email.size == 0 || identity_email(email.data, email.size, normal, &why) == 0)
        return 0;
    return err_set(err, E_INVALID, "\"email\": %s", why.text);
}

static int check_calendar(const struct engine *engine, struct text name, struct err *err)
{
    const struct ruleset *rules = engine->rules;
    if (name.size == 0 || rules == NULL || rules->calendar(rules, name) != NULL)
        return 0;
    return err_set(err, E_INVALID,
                   "no calendar is called \"%.*s\": the rules in force declare which there are",
                   (int)name.size, name.data);
}

static int check_deputy(struct text name, struct text deputy, struct err *err)
{
    if (!text_equal(name, deputy))
        return 0;
    return err_set(err, E_INVALID, "\"deputy\" is somebody else than she herself");
}

/* The field as it is to be; empty: it is as it was. */
static struct text changed(struct doc before, struct doc data, const char *name)
{
    struct text now = doc_text(data, name);
    return text_equal(doc_text(before, name), now) ? (struct text){ "", 0 } : now;
}

int read_staff_check(struct engine *engine, struct doc data, struct err *err)
{
    arena_clear(&engine->arena);
    struct text name = doc_text(data, "name");
    struct doc before = staff_row(engine, name);
    int rc = before.data == NULL ? check_name(name, err) : 0;
    if (rc == 0)
        rc = check_email(changed(before, data, "email"), err);
    if (rc == 0)
        rc = check_calendar(engine, changed(before, data, "calendar"), err);
    if (rc == 0)
        rc = check_deputy(name, doc_text(data, "deputy"), err);
    for (struct doc_iter it = doc_iter(doc_child(data, "absences")); rc == 0 && doc_next(&it);)
        rc = check_deputy(name, doc_text(it.value.doc, "deputy"), err);
    return rc;
}

int read_staff_set_check(struct engine *engine, struct doc data, struct err *err)
{
    int rc = read_staff_check(engine, data, err);
    if (rc != 0)
        return rc;
    struct text name = doc_text(data, "name");
    struct doc before = staff_row(engine, name);
    struct text team = changed(before, data, "team");
    rc = check_sort(engine, name, data, err);
    if (rc == 0 && team.size != 0)
        rc = check_team(engine, team, err);
    if (rc == 0)
        rc = check_each(engine, doc_child(before, "teams"), doc_child(data, "teams"), check_team,
                        err);
    if (rc == 0)
        rc = check_each(engine, doc_child(before, "members"), doc_child(data, "members"),
                        check_member, err);
    return rc;
}

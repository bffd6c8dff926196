/* read_staff_check.c -- whether what is to be written about a member of staff can be meant.
 *
 * It is looked at before the entry is written and not when it is applied: what is in a log already
 * holds as it stands, and calendars come and go with bundles.  What she has already may stay.
 */
#include "core/base/err.h"
#include "core/base/identity_text.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read.h"
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

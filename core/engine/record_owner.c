/* record_owner.c -- whose record it is: somebody there is, or a member that a team chooses.
 *
 * The owner of a record is a name that reminders are addressed to, so one that nobody bears would
 * send its deadlines to a list that nobody reads.  Whoever gives an owner by name is told at once;
 * only a house without any staff takes every name, for there nobody has said yet who works there.
 * What a kind says of new ones is not said by whoever makes the record, and a refusal would lose
 * what a customer has to say: if nobody is called so, the record is the fallback's.  The owner that
 * a customer has is taken as it stands.
 *
 * A team with a way of assigning gives the record to one of its members, once, as it does with
 * customers (owner.c): all of its deadlines are then hers.  A team without one keeps it.
 */
#include "core/engine/record_inside.h"
#include "core/engine/staff.h"

#include "core/base/near.h"

/* What to say behind the name of nobody: who may have been meant. */
static const char *who_was_meant(struct engine *engine, struct text name)
{
    const char *written = arena_text(&engine->arena, name).data, *near = "";
    size_t least = SIZE_MAX;
    struct key prefix;
    struct cursor cursor;
    key_start(&prefix, 's');
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct text row = { (const char *)cursor.key.data + 1, (uint32_t)cursor.key.size - 1 };
        const char *known = arena_text(&engine->arena, row).data;
        size_t distance = near_distance(written, known);
        near = distance < least ? known : near;
        least = distance < least ? distance : least;
    }
    cursor_close(&cursor);
    return near_is_likely(least, written)
               ? arena_printf(&engine->arena, "; did you mean \"%s\"?", near).data
               : "";
}

int record_somebody(struct engine *engine, struct text owner, struct err *err)
{
    struct near_quote quote;
    bool is_team;
    struct text name = team_name(owner, &is_team);
    if (staff_is_known(engine, owner) || !staff_has_any(engine))
        return 0;
    near_quote(name.data, name.size, &quote);
    if (is_team)
        return err_set(err, E_INVALID, "no team is called \"%s\"%s", quote.text,
                       who_was_meant(engine, name));
    return err_set(err, E_INVALID, "nobody on the staff is called \"%s\"%s", quote.text,
                   who_was_meant(engine, name));
}

int record_check_owner(struct record_work *work, struct text owner, struct err *err)
{
    struct err why;
    if (owner.size > NAME_BYTES_MAX)
        return record_fail(work, E_LIMIT, "an owner's name is too long", err);
    if (owner.size == 0 || text_is(owner, "owner") || text_equal(owner, work->before.owner))
        return 0;
    int rc = record_somebody(work->engine, owner, &why);
    return rc != 0 ? record_fail(work, rc, why.text, err) : 0;
}

struct text record_first_owner(struct record_work *work)
{
    struct engine *engine = work->engine;
    const struct kind *kind = work->record.kind;
    struct text owner = kind->owner, fallback = text_of(engine->config.fallback);
    struct err why;
    if (owner.size == 0 || text_is(owner, "owner") || record_somebody(engine, owner, &why) == 0)
        return owner;
    if (!staff_is_known(engine, fallback))
        fallback.size = 0;
    step_note_line(work->step,
                   arena_printf(&engine->arena, "the owner of kind \"%s\": %s; %s%s",
                                kind->name.data, why.text,
                                fallback.size != 0 ? "it is the fallback's, " : "it is nobody's",
                                fallback.size != 0 ? fallback.data : ""));
    return fallback;
}

int record_own(struct record_work *work, struct text to, struct err *err)
{
    struct engine *engine = work->engine;
    struct text owner = to;
    bool is_team;
    int rc = 0;
    if (text_is(to, "owner"))
        owner = work->customer != NULL ? customer_owner(work->customer) : (struct text){ "", 0 };
    struct text team = team_name(owner, &is_team);
    if (owner.size <= NAME_BYTES_MAX && team_assigns(engine, team))
        rc = step_choose_member(work->step, team, &owner, err);
    if (rc == 0)
        work->record.owner = arena_text(&engine->arena, owner);
    return rc;
}

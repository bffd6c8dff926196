/* owner.c -- whose customer she is: said by staff, or found by a team's way of assigning.
 *
 * An owner lasts, and so an absence is no reason to pass over somebody who is named.  A team that
 * is named gives the customer to one of its members: by its own way, else in turn; to somebody who
 * is there, else by the fallback of kith.lua.  Where nobody is there either the team has her
 * itself: what a customer has to say is not refused for holidays, and what falls due is given by
 * the team's way when it does.
 */
#include "core/engine/engine_inside.h"
#include "core/engine/staff.h"

static void note(struct step *step, struct text owner, struct text why)
{
    step_note_line(step,
                   arena_printf(&step->engine->arena, "%.*s%s%.*s", (int)owner.size, owner.data,
                                owner.size != 0 ? ": " : "", (int)why.size, why.data));
}

/* Empty: nobody of it is there. */
static struct text choose(struct step *step, struct text team)
{
    struct team_choice choice = { team, &step->customer, true };
    struct text why, owner = team_choose(step->engine, &choice, &why);
    note(step, owner, why);
    return owner;
}

/* Whom the fallback of kith.lua makes the owner; empty: it is not there. */
static struct text ask_fallback(struct step *step)
{
    struct engine *engine = step->engine;
    struct text fallback = text_of(engine->config.fallback), none = { "", 0 };
    bool is_team;
    int64_t until;
    struct text name = team_name(fallback, &is_team);
    if (team_is_known(engine, name))
        return choose(step, name);
    if (!staff_is_known(engine, fallback) || staff_is_away(engine, name, &until))
        return none;
    note(step, name, text_of("the fallback of kith.lua"));
    return name;
}

int step_choose_member(struct step *step, struct text team, struct text *out_owner, struct err *err)
{
    if (!team_is_known(step->engine, team))
        return err_set(err, E_CONFLICT, "assign: no team is called %.*s", (int)team.size,
                       team.data);
    *out_owner = choose(step, team);
    if (out_owner->size == 0)
        *out_owner = ask_fallback(step);
    if (out_owner->size == 0) {
        *out_owner = team;
        note(step, team, text_of("until somebody is there"));
    }
    return 0;
}

static int set_owner(struct step *step, struct text owner, struct err *err)
{
    struct engine *engine = step->engine;
    struct doc_value change = { .type = owner.size != 0 ? DOC_TEXT : DOC_NULL, .text = owner };
    bool is_changed = !text_equal(customer_owner(&step->customer), owner);
    for (size_t i = 0; i < step->customer.count; i++) {
        struct profile *profile = &step->customer.members[i], before = *profile;
        profile->owner = owner;
        profile->is_dirty = true;
        if (customer_check_size(profile, &before, engine, err) != 0)
            return err->code;
    }
    if (is_changed)
        step_note_change(step, text_of("owner"), &change);
    return 0;
}

int step_own(struct step *step, struct text to, struct text *out_owner, struct err *err)
{
    struct engine *engine = step->engine;
    bool is_team;
    struct text name = team_name(to, &is_team), owner = to;
    int rc = 0;
    if (step->customer.number == 0)
        return err_set(err, E_INVALID, "%s: this event has no customer", "assign");
    if (to.size > NAME_BYTES_MAX)
        return err_set(err, E_LIMIT, "an owner's name has at most %d bytes", NAME_BYTES_MAX);
    if (is_team || (to.size != 0 && team_assigns(engine, name)))
        rc = step_choose_member(step, name, &owner, err);
    if (rc == 0)
        rc = set_owner(step, arena_text(&engine->arena, owner), err);
    if (rc != 0)
        return rc;
    step->trace.acts++;
    *out_owner = customer_owner(&step->customer);
    return 0;
}

/* owner.c -- whose customer she is: said by staff, or found by a team's way of assigning.
 *
 * An owner lasts, and so an absence is no reason to pass over somebody who is named.  A team that
 * is named gives the customer to one of its members: by its own way, else in turn; to somebody who
 * is there, else by the fallback of kith.lua, else to nobody new.
 */
#include "core/engine/engine_inside.h"
#include "core/engine/staff.h"

int step_choose_member(struct step *step, struct text team, struct text *out_owner, struct err *err)
{
    struct engine *engine = step->engine;
    struct text names[] = { team, text_of(engine->config.fallback) }, why;
    for (size_t i = 0; i < 2; i++) {
        bool is_team;
        struct team_choice choice = { team_name(names[i], &is_team), &step->customer, true };
        if (names[i].size == 0 || (i != 0 && !team_is_known(engine, choice.team)))
            continue;
        *out_owner = team_choose(engine, &choice, &why);
        step_note_line(step, arena_printf(&engine->arena, "%.*s%s%.*s", (int)out_owner->size,
                                          out_owner->data, out_owner->size != 0 ? ": " : "",
                                          (int)why.size, why.data));
        if (out_owner->size != 0)
            return 0;
    }
    return err_set(err, E_CONFLICT, "assign: nobody of team %.*s is there", (int)team.size,
                   team.data);
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

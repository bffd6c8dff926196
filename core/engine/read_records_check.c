/* read_records_check.c -- whether a list of records asks for something that there can be.
 *
 * An empty list is an answer that people act on: nobody waits.  So a state that the kind does not
 * have, and an owner who is nobody, are refused.  Of what was there before, a state of an older
 * kind or somebody who has left, there may be records still: whatever has a row can be asked for.
 */
#include "core/base/err.h"
#include "core/engine/read_inside.h"
#include "core/engine/record_inside.h"

static bool has_any(struct engine *engine, const struct read_records *which, enum record_list list)
{
    struct key prefix;
    struct cursor cursor;
    key_records(&prefix, list, which->kind, which->state, which->owner);
    cursor_open(&cursor, engine->state, &prefix);
    bool has = cursor_next(&cursor);
    cursor_close(&cursor);
    return has;
}

static int check_state(struct engine *engine, const struct read_records *which, struct err *err)
{
    const struct kind *kind = kinds_find(&engine->kinds, which->kind);
    bool is_there = kind == NULL || which->state.size == 0;
    for (size_t i = 0; !is_there && i < kind->state_count; i++)
        is_there = text_equal(kind->states[i].name, which->state);
    if (is_there || has_any(engine, which, RECORDS_STATE))
        return 0;
    return err_set(err, E_INVALID, "a %s has no state \"%s\"; %s", kind->name.data,
                   arena_text(&engine->arena, which->state).data,
                   kind_meant(which->state, &kind->states->name, kind->state_count,
                              sizeof *kind->states, &engine->arena)
                       .data);
}

int read_records_check(struct engine *engine, const struct read_records *which, struct err *err)
{
    arena_clear(&engine->arena);
    int rc = check_state(engine, which, err);
    if (rc == 0 && which->owner.size != 0 && !has_any(engine, which, RECORDS_OWNER))
        rc = record_somebody(engine, which->owner, err);
    return rc;
}

/* read_records_check.c -- whether a list of records asks for something that there can be.
 *
 * An empty list is an answer that people act on: nobody waits.  So a state that the kind does not
 * have, and an owner who is nobody, are refused.  Of what was there before, a state of an older
 * kind or somebody who has left, there may be records still: whatever has a row can be asked for.
 * And which records are left of kinds that are declared no more.
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

static int64_t count_open(struct engine *engine, struct text kind)
{
    struct key prefix;
    struct cursor cursor;
    int64_t count = 0;
    key_records(&prefix, RECORDS_OPEN, kind, (struct text){ "", 0 }, (struct text){ "", 0 });
    cursor_open(&cursor, engine->state, &prefix);
    while (count < READ_UNDECLARED_MAX && cursor_next(&cursor))
        count++;
    cursor_close(&cursor);
    return count;
}

void read_undeclared(struct engine *engine, struct buf *out)
{
    struct doc_writer w;
    arena_clear(&engine->arena);
    doc_begin(&w, out);
    doc_open_array(&w, "items");
    for (struct doc_iter it = doc_iter(meta_get(engine, "numbers")); doc_next(&it);) {
        bool is_declared = kinds_find(&engine->kinds, it.name) != NULL;
        int64_t open = is_declared ? 0 : count_open(engine, it.name);
        if (open == 0)
            continue;
        doc_open(&w, "");
        doc_put_text(&w, "kind", it.name);
        doc_put_int(&w, "open", open);
        doc_close(&w);
    }
    doc_close(&w);
    doc_end(&w);
}

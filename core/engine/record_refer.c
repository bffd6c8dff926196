/* record_refer.c -- fields that name another record of the same subject: `same_subject = true`.
 *
 *     complaint 9 -- duplicate_of --> complaint 4 -- duplicate_of --> complaint 1
 *
 * What such a field says is acted upon: whoever merges one complaint into another works on that
 * alone from then on.  So it must be hers, and a way along the field must end somewhere else than
 * where it began: in a circle each would be closed for the other.  It is looked at when the field
 * becomes another, and again when a transition needs it: two customers may have been one meanwhile.
 */
#include "core/engine/record_inside.h"

#define STEPS_MAX 100 /* of a way that is followed */

/* "complaint 4" */
static const char *say(struct record_work *work, const struct kind_field *field, uint64_t number)
{
    return arena_printf(&work->engine->arena, "%.*s %llu", (int)field->of.size, field->of.data,
                        (unsigned long long)number)
        .data;
}

static uint64_t number_in(const struct record *record, const struct kind_field *field)
{
    struct doc_value value = record_field(record, field->name);
    return value.type == DOC_INT64 && value.integer > 0 ? (uint64_t)value.integer : 0;
}

/* The one that `number` names; 0: none. */
static uint64_t follow(struct engine *engine, const struct kind_field *field, uint64_t number)
{
    struct arena_mark mark = arena_mark(&engine->arena);
    struct record record;
    uint64_t next = record_load(&record, engine, field->of, number) ? number_in(&record, field) : 0;
    arena_release(&engine->arena, mark);
    return next;
}

/* Whether it comes to `record`, or whether there is more of it than anybody follows. */
static int follow_to_end(struct record_work *work, const struct kind_field *field, uint64_t number,
                         struct err *err)
{
    struct arena *arena = &work->engine->arena;
    const char *name = field->name.data;
    uint64_t next = number;
    for (int i = 0; i < STEPS_MAX && next != 0; i++) {
        if (next == work->record.number && next == number)
            return record_fail(
                work, E_INVALID,
                arena_printf(arena, "\"%s\": %s is this one itself", name, say(work, field, number))
                    .data,
                err);
        if (next == work->record.number)
            return record_fail(work, E_INVALID,
                               arena_printf(arena, "\"%s\": %s leads back to this one", name,
                                            say(work, field, number))
                                   .data,
                               err);
        next = follow(work->engine, field, next);
    }
    if (next == 0)
        return 0;
    return record_fail(work, E_LIMIT,
                       arena_printf(arena, "\"%s\": %s leads on over more than %d others", name,
                                    say(work, field, number), STEPS_MAX)
                           .data,
                       err);
}

int record_check_reference(struct record_work *work, const struct kind_field *field,
                           struct err *err)
{
    const struct record *record = &work->record;
    uint64_t number = number_in(record, field);
    struct record other;
    if (!field->has_same_subject || number == 0)
        return 0;
    if (!step_record(work->step, field->of, number, &other))
        return record_fail(work, E_INVALID,
                           arena_printf(&work->engine->arena,
                                        "\"%s\": %s is not about the same customer",
                                        field->name.data, say(work, field, number))
                               .data,
                           err);
    bool is_of_one_kind = text_equal(field->of, record->kind_name);
    return is_of_one_kind && record->number != 0 ? follow_to_end(work, field, number, err) : 0;
}

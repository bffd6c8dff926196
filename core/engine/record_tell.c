/* record_tell.c -- what happens to a record, on the timelines of those whom it concerns.
 *
 * The subject is told all: the event's data are the record's.  Others who have a role in it hear
 * that it happened, with no more than its number, its state and their role: what stands on their
 * timelines must not have to be looked for when the subject is forgotten.  For the same reason no
 * personal field of theirs is told to the subject.
 */
#include "core/engine/record_inside.h"

bool record_is_told(const struct kind_field *field)
{
    return !field->is_personal || field->role.size == 0;
}

void record_begin_data(struct record_work *work, struct doc_writer *w)
{
    const struct record *record = &work->record;
    engine_draft(work->engine, w);
    doc_put_text(w, "kind", record->kind_name);
    doc_put_int(w, "number", (int64_t)record->number);
    doc_put_text(w, "state", record->state);
}

/* False, and why stands in the trace: the cascade ends here. */
static bool may_tell(struct record_work *work, const char *type)
{
    struct err err;
    if (work->step == NULL)
        return work->depth <= work->engine->config.limits.cascade_depth;
    if (step_check_depth(work->step, type, &err) == 0 &&
        step_check_derived(work->step, type, &err) == 0)
        return true;
    step_note_line(work->step, arena_printf(&work->engine->arena, "not derived: %s", err.text));
    return false;
}

static void tell(struct record_work *work, struct text type, uint64_t customer, struct doc data)
{
    const struct step *step = work->step;
    struct event event = {
        .class = LOG_SYSTEM,
        .type = type,
        .about = record_about(&work->record, &work->engine->arena),
        .data = data,
        .customer = customer,
        .depth = work->depth,
    };
    if (step != NULL) {
        event.by = step->rule != NULL ? step->rule->name : step->event->by;
        event.historic = step->event->historic;
    }
    if (may_tell(work, type.data))
        engine_derive(work->engine, &event);
}

static bool is_subject(const struct record_work *work, uint64_t number)
{
    for (size_t i = 0; work->customer != NULL && i < work->customer->count; i++)
        if (work->customer->members[i].number == number)
            return true;
    return false;
}

static void tell_others(struct record_work *work, struct text type)
{
    struct engine *engine = work->engine;
    for (struct doc_iter role = doc_iter(work->record.roles); doc_next(&role);)
        for (struct doc_iter it = doc_iter(role.value.doc); doc_next(&it);) {
            struct doc_writer w;
            uint64_t number = (uint64_t)it.value.integer;
            if (is_subject(work, number) || erase_is_open(engine, number))
                continue;
            record_begin_data(work, &w);
            doc_put_text(&w, "role", role.name);
            tell(work, type, number, engine_doc(engine, &w));
        }
}

void record_tell(struct record_work *work, struct text what, struct doc data)
{
    struct text kind = work->record.kind_name;
    struct text type = arena_printf(&work->engine->arena, "%.*s.%.*s", (int)kind.size, kind.data,
                                    (int)what.size, what.data);
    tell(work, type, work->record.customer, data);
    tell_others(work, type);
}

/* -- What is said of what has happened ------------------------------------- */

static void put_told_fields(const struct kind *kind, struct doc_writer *w, struct doc fields)
{
    for (struct doc_iter it = doc_iter(fields); doc_next(&it);) {
        size_t field = kind_field_find(kind, it.name);
        if (field != KIND_NONE && record_is_told(&kind->fields[field]))
            doc_put_value_text(w, it.name, &it.value);
    }
}

/* Those that are others than before; null: gone. */
static void put_changed_fields(struct record_work *work, struct doc_writer *w)
{
    const struct kind *kind = work->record.kind;
    for (size_t i = 0; i < kind->field_count; i++) {
        struct text name = kind->fields[i].name;
        struct doc_value old = record_field(&work->before, name);
        struct doc_value new = record_field(&work->record, name);
        bool is_same =
            old.type == new.type && (old.type == DOC_NONE || doc_value_equal(&old, &new));
        if (is_same || !record_is_told(&kind->fields[i]))
            continue;
        if (new.type == DOC_NONE)
            new.type = DOC_NULL;
        doc_put_value_text(w, name, &new);
    }
}

static void put_roles_told(struct doc_writer *w, const struct record *record)
{
    if (doc_count(record->roles) != 0)
        doc_put_doc(w, "customers", record->roles);
}

void record_tell_created(struct record_work *work)
{
    const struct record *record = &work->record;
    struct doc_writer w;
    record_begin_data(work, &w);
    doc_put_present(&w, "owner", record->owner);
    put_roles_told(&w, record);
    doc_open(&w, "fields");
    put_told_fields(record->kind, &w, record->fields);
    doc_close(&w);
    if (doc_count(record->lines) != 0)
        doc_put_array(&w, "lines", record->lines);
    record_tell(work, text_of("created"), engine_doc(work->engine, &w));
    record_begin_data(work, &w);
    record_tell(work, record->state, engine_doc(work->engine, &w));
}

void record_tell_changed(struct record_work *work)
{
    struct doc_writer w;
    record_begin_data(work, &w);
    doc_open(&w, "changed");
    put_changed_fields(work, &w);
    doc_close(&w);
    if (!record_is_same(work->before.roles, work->record.roles))
        put_roles_told(&w, &work->record);
    if (!record_is_same(work->before.lines, work->record.lines))
        doc_put_array(&w, "lines", work->record.lines);
    record_tell(work, text_of("changed"), engine_doc(work->engine, &w));
}

void record_tell_moved(struct record_work *work, struct text transition, struct text note)
{
    struct doc_writer w;
    record_begin_data(work, &w);
    doc_put_text(&w, "from", work->before.state);
    doc_put_text(&w, "transition", transition);
    doc_put_present(&w, "note", note);
    doc_open(&w, "changed");
    put_changed_fields(work, &w);
    doc_close(&w);
    record_tell(work, work->record.state, engine_doc(work->engine, &w));
}

void record_tell_assigned(struct record_work *work)
{
    struct doc_writer w;
    record_begin_data(work, &w);
    doc_put_text(&w, "owner", work->record.owner);
    doc_put_present(&w, "before", work->before.owner);
    record_tell(work, text_of("assigned"), engine_doc(work->engine, &w));
}

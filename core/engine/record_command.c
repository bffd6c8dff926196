/* record_command.c -- what staff and plugins say of records; and links between them.
 *
 *     record.create  {kind, fields, customers, owner, lines}             ref: the subject
 *     record.put     the same, and external: {FIELD: VALUE}: the one that has it, or a new one
 *     record.change  {kind, record, fields, customers, owner, lines, expect}
 *     record.move    {kind, record, transition, fields, note, expect}
 *     record.assign  {kind, record, owner, expect}
 *     record.link    {kind, record, to: "order:5", type, on}
 *
 * Instead of `record`, its number, `external` names it too.  `expect` is the version that whoever
 * sends this has seen: of two who change the same the second is told, and looks again.
 */
#include "core/engine/record_inside.h"

#include <string.h>

#define NOTE_BYTES_MAX 8000 /* of a transition */

/* -- Whose ----------------------------------------------------------------- */

/* {FIELD: VALUE} */
static bool read_external(struct doc data, struct text *out_field, struct text *out_value)
{
    struct doc_iter it = doc_iter(doc_child(data, "external"));
    if (!doc_next(&it) || it.value.type != DOC_TEXT)
        return false;
    *out_field = it.name;
    *out_value = it.value.text;
    return true;
}

uint64_t record_of_command(struct engine *engine, struct doc data)
{
    struct text field, value;
    int64_t number = doc_int(data, "record", 0);
    if (number != 0)
        return number > 0 ? (uint64_t)number : 0;
    return read_external(data, &field, &value)
               ? record_find(engine, doc_text(data, "kind"), field, value)
               : 0;
}

uint64_t record_customer_of_command(struct engine *engine, struct doc data)
{
    struct record record;
    uint64_t number = record_of_command(engine, data);
    return record_load(&record, engine, doc_text(data, "kind"), number) ? record.customer : 0;
}

/* -- What is said ---------------------------------------------------------- */

static void refuse(struct step *step, const struct err *err)
{
    engine_refuse(step->engine, err->code, "%s", err->text);
}

/* Open the one that the command names, in the version that it expects.  False: refused. */
static bool open_named(struct record_work *work, struct step *step)
{
    struct doc data = step->event->data;
    struct err err;
    int64_t expected = doc_int(data, "expect", 0);
    record_work_begin(work, step, "");
    uint64_t number = record_of_command(step->engine, data);
    int rc = record_open(work, doc_text(data, "kind"), number, &err);
    if (rc == 0 && expected != 0 && (uint64_t)expected != work->before.version)
        rc = err_set(&err, E_STALE,
                     "it is version %llu by now, not %lld: read it again, and see whether what you "
                     "mean still holds",
                     (unsigned long long)work->before.version, (long long)expected);
    if (rc != 0)
        refuse(step, &err);
    else
        step->engine->result->record = number;
    return rc == 0;
}

/* What of a command says what is to be another. */
static struct record_change change_of(struct doc data)
{
    struct record_change what = {
        .fields = doc_child(data, "fields"),
        .customers = doc_child(data, "customers"),
        .lines = doc_get(data, "lines"),
        .owner = doc_text(data, "owner"),
        .has_owner = doc_get(data, "owner").type != DOC_NONE,
    };
    if (what.lines.type == DOC_NULL)
        what.lines = (struct doc_value){ .type = DOC_ARRAY }; /* all of them go */
    else if (what.lines.type != DOC_ARRAY)
        what.lines.type = DOC_NONE;
    return what;
}

void command_record_change(struct step *step)
{
    struct record_work work;
    struct record_change what = change_of(step->event->data);
    struct err err;
    if (open_named(&work, step) && record_set(&work, &what, &err) != 0)
        refuse(step, &err);
}

void command_record_assign(struct step *step)
{
    struct record_work work;
    struct record_change what = {
        .owner = doc_text(step->event->data, "owner"),
        .has_owner = true,
    };
    struct err err;
    if (open_named(&work, step) && record_set(&work, &what, &err) != 0)
        refuse(step, &err);
}

void command_record_move(struct step *step)
{
    struct record_work work;
    struct doc data = step->event->data;
    struct record_change what = change_of(data);
    struct text note = doc_text(data, "note");
    struct err err;
    if (note.size > NOTE_BYTES_MAX) {
        engine_refuse(step->engine, E_LIMIT, "a note has at most %d bytes", NOTE_BYTES_MAX);
        return;
    }
    if (open_named(&work, step) &&
        record_move(&work, doc_text(data, "transition"), note, &what, &err) != 0)
        refuse(step, &err);
}

static void create(struct step *step, struct doc fields)
{
    struct doc data = step->event->data;
    struct record_work work;
    struct record_request request = {
        .kind = doc_text(data, "kind"),
        .fields = fields,
        .owner = doc_text(data, "owner"),
        .lines = doc_child(data, "lines"),
        .customers = doc_child(data, "customers"),
    };
    struct err err;
    record_work_begin(&work, step, "");
    if (record_create(&work, &request, &err) != 0) {
        refuse(step, &err);
        return;
    }
    step->engine->result->record = work.record.number;
    step->engine->result->is_made = true;
}

void command_record_create(struct step *step)
{
    create(step, doc_child(step->event->data, "fields"));
}

/* The fields of a new one are those that are given and the id by which it is named. */
static struct doc with_external(struct engine *engine, struct doc fields, struct text field,
                                struct text value)
{
    struct doc_value id = { .type = DOC_TEXT, .text = value };
    struct doc_writer w;
    engine_draft(engine, &w);
    for (struct doc_iter it = doc_iter(fields); doc_next(&it);)
        if (!text_equal(it.name, field))
            doc_put_value_text(&w, it.name, &it.value);
    doc_put_value_text(&w, field, &id);
    return engine_doc(engine, &w);
}

static bool is_external(struct engine *engine, struct text kind_name, struct text field)
{
    const struct kind *kind = kinds_find(&engine->kinds, kind_name);
    size_t place = kind != NULL ? kind_field_find(kind, field) : KIND_NONE;
    return kind == NULL || (place != KIND_NONE && kind->fields[place].is_external);
}

void command_record_put(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct text field = { "", 0 }, value = { "", 0 };
    struct record record;
    struct err err;
    if (!read_external(data, &field, &value) ||
        !is_external(engine, doc_text(data, "kind"), field)) {
        engine_refuse(engine, E_INVALID,
                      "\"external\" names a field that is an external id, and "
                      "its value");
        return;
    }
    uint64_t number = record_of_command(engine, data);
    if (number == 0) {
        create(step, with_external(engine, doc_child(data, "fields"), field, value));
    } else if (step_record(step, doc_text(data, "kind"), number, &record)) {
        command_record_change(step);
    } else {
        err_set(&err, E_CONFLICT, "it is there already, and about another customer");
        refuse(step, &err);
    }
}

/* -- Links ----------------------------------------------------------------- */

static bool is_link(struct doc link, struct text type, struct text kind, uint64_t number)
{
    return text_equal(doc_text(link, "type"), type) && text_equal(doc_text(link, "kind"), kind) &&
           (uint64_t)doc_int(link, "number", 0) == number;
}

static void put_link(struct doc_writer *w, struct text type, struct text kind, uint64_t number)
{
    doc_open(w, "");
    doc_put_text(w, "type", type);
    doc_put_text(w, "kind", kind);
    doc_put_int(w, "number", (int64_t)number);
    doc_close(w);
}

static void set_links(struct record_work *work, struct text type, struct text kind, uint64_t number,
                      bool is_on)
{
    struct doc_writer w;
    engine_draft(work->engine, &w);
    doc_open_array(&w, "links");
    for (struct doc_iter it = doc_iter(work->record.links); doc_next(&it);)
        if (!is_link(it.value.doc, type, kind, number))
            doc_put_value(&w, "", &it.value);
    if (is_on)
        put_link(&w, type, kind, number);
    doc_close(&w);
    work->record.links = doc_child(engine_doc(work->engine, &w), "links");
}

static int check_link(struct record_work *work, struct text type, struct text to,
                      struct text *out_kind, uint64_t *out_number, bool is_on, struct err *err)
{
    struct record other;
    if (type.size > KIND_NAME_BYTES_MAX || memchr(type.data, '\0', type.size) != NULL)
        return record_fail(work, E_LIMIT, "a link's type has at most 64 bytes, none of them NUL",
                           err);
    if (!record_about_parse(to, out_kind, out_number))
        return record_fail(work, E_INVALID, "a link is to a record: \"order:5\"", err);
    if (is_on && !record_load(&other, work->engine, *out_kind, *out_number))
        return record_fail(work, E_NOTFOUND, "there is no record to link to", err);
    if (text_equal(*out_kind, work->record.kind_name) && *out_number == work->record.number)
        return record_fail(work, E_INVALID, "it cannot be linked to itself", err);
    if (is_on && doc_count(work->record.links) >= RECORD_LINKS_MAX)
        return record_fail(work, E_LIMIT, "a record has at most 200 links", err);
    return 0;
}

static int link_to(struct record_work *work, struct text type, struct text to, bool is_on,
                   struct err *err)
{
    struct text kind = { "", 0 };
    uint64_t number = 0;
    struct doc_writer w;
    bool is_there = false, is_stored;
    int rc = check_link(work, type, to, &kind, &number, is_on, err);
    if (rc != 0)
        return rc;
    for (struct doc_iter it = doc_iter(work->record.links); doc_next(&it);)
        is_there = is_there || is_link(it.value.doc, type, kind, number);
    if (is_there == is_on)
        return 0;
    set_links(work, type, kind, number, is_on);
    rc = record_work_store(work, &is_stored, err);
    if (rc != 0)
        return rc;
    record_begin_data(work, &w);
    doc_put_text(&w, "type", type);
    doc_put_text(&w, "to", to);
    record_tell(work, text_of(is_on ? "linked" : "unlinked"), engine_doc(work->engine, &w));
    return 0;
}

int step_link_record(struct step *step, struct text kind, uint64_t number, struct text type,
                     struct text to, bool is_on, struct err *err)
{
    struct record_work work;
    record_work_begin(&work, step, is_on ? "link" : "unlink");
    int rc = record_open(&work, kind, number, err);
    return rc != 0 ? rc : link_to(&work, type, to, is_on, err);
}

void command_record_link(struct step *step)
{
    struct doc data = step->event->data;
    struct text type = doc_text(data, "type");
    struct record_work work;
    struct err err;
    if (type.size == 0)
        type = text_of("related");
    if (open_named(&work, step) &&
        link_to(&work, type, doc_text(data, "to"), doc_bool(data, "on", true), &err) != 0)
        refuse(step, &err);
}

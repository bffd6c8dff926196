/* read_record.c -- one record as a document, with each of its deadlines explained.
 *
 * Of a deadline everything is told that made it due when it is: what it counts from, by which
 * event that came, the rule in words, the calendar, when it waited, and each time it moved with the
 * reason.  All of that stands in the rows; the kind in force only says what is possible next.
 */
#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/engine/read_inside.h"
#include "core/engine/record_inside.h"

#include <string.h>

/* -- Finding --------------------------------------------------------------- */

static int refuse_kind(struct engine *engine, struct text name, struct err *err)
{
    struct text names[KINDS_MAX];
    for (size_t i = 0; i < engine->kinds.count; i++)
        names[i] = engine->kinds.items[i]->name;
    arena_clear(&engine->arena);
    return err_set(
        err, E_NOTFOUND, "no kind is called \"%.*s\"; %s",
        (int)(name.size < KIND_NAME_BYTES_MAX ? name.size : KIND_NAME_BYTES_MAX), name.data,
        kind_meant(name, names, engine->kinds.count, sizeof *names, &engine->arena).data);
}

/* "17", or "erp:4711" by an external id. */
static uint64_t number_of(struct engine *engine, struct text kind, struct text reference)
{
    uint64_t number = 0, n = 0;
    const char *colon = reference.size != 0 ? memchr(reference.data, ':', reference.size) : NULL;
    if (colon == NULL)
        return event_id_parse(reference, &number, &n) && n == 0 ? number : 0;
    struct text field = { reference.data, (uint32_t)(colon - reference.data) };
    struct text value = { colon + 1, (uint32_t)(reference.data + reference.size - colon - 1) };
    return record_find(engine, kind, field, value);
}

int read_record_number(struct engine *engine, struct text kind, struct text reference,
                       uint64_t *out_number, struct err *err)
{
    struct record record;
    uint64_t number = kind.size <= KIND_NAME_BYTES_MAX ? number_of(engine, kind, reference) : 0;
    arena_clear(&engine->arena);
    if (record_load(&record, engine, kind, number)) {
        *out_number = number;
        return 0;
    }
    if (kinds_find(&engine->kinds, kind) == NULL)
        return refuse_kind(engine, kind, err);
    return err_set(err, E_NOTFOUND, "there is no %.*s %.*s", (int)kind.size, kind.data,
                   (int)(reference.size < 80 ? reference.size : 80), reference.data);
}

/* -- Deadlines ------------------------------------------------------------- */

/* "1d 2h 5min" of what the rule counts. */
static struct text say_left(struct arena *arena, int64_t ms, struct text words)
{
    bool is_work = words.size > 2 && words.data[words.size - 2] == 'w';
    struct buf text = BUF_INIT;
    int64_t hours = ms / CIVIL_HOUR_MS, minutes = ms % CIVIL_HOUR_MS / CIVIL_MINUTE_MS;
    if (!is_work && hours >= 24)
        buf_printf(&text, "%lldd ", (long long)(hours / 24));
    if (!is_work)
        hours %= 24;
    if (hours != 0)
        buf_printf(&text, "%lldh ", (long long)hours);
    buf_printf(&text, "%lldmin%s", (long long)minutes, is_work ? " of working time" : "");
    struct text copy = arena_text(arena, (struct text){ buf_string(&text), (uint32_t)text.size });
    buf_deinit(&text);
    return copy;
}

/* "1wd after it came into the state \"received\", by the company's calendar" */
static struct text say_rule(struct arena *arena, struct doc row)
{
    struct text words = doc_text(row, "words"), start = doc_text(row, "start");
    struct text calendar = doc_text(row, "calendar");
    struct text by = text_of("by the company's calendar");
    if (calendar.size != 0)
        by = arena_printf(arena, "by the calendar \"%.*s\"", (int)calendar.size, calendar.data);
    if (start.size > 6 && memcmp(start.data, "state:", 6) == 0)
        return arena_printf(arena, "%s after it came into the state \"%s\", %s", words.data,
                            start.data + 6, by.data);
    if (start.size > 6 && memcmp(start.data, "field:", 6) == 0)
        return arena_printf(arena, "%s after what the field \"%s\" says, %s", words.data,
                            start.data + 6, by.data);
    return arena_printf(arena, "%s after it was created, %s", words.data, by.data);
}

static const char *status_of(struct doc row)
{
    if (doc_int(row, "ended", 0) != 0)
        return doc_text(row, "outcome").data;
    if (doc_int(row, "due", 0) == 0)
        return "paused";
    return doc_int(row, "missed", 0) != 0 ? "overdue" : "running";
}

static void show_pauses(struct doc_writer *w, const struct record *record, struct doc row)
{
    int64_t since = doc_int(row, "since", 0), ended = doc_int(row, "ended", INT64_MAX);
    doc_open_array(w, "pauses");
    for (struct doc_iter it = doc_iter(record->pauses); doc_next(&it);) {
        int64_t from = it.value.integer, until = doc_next(&it) ? it.value.integer : INT64_MAX;
        if (until <= since || from >= ended)
            continue;
        doc_open(w, "");
        doc_put_datetime(w, "from", from);
        if (until != INT64_MAX)
            doc_put_datetime(w, "until", until);
        doc_close(w);
    }
    doc_close(w);
}

static void show_moves(struct doc_writer *w, struct arena *arena, struct doc row)
{
    doc_open_array(w, "moves");
    for (struct doc_iter it = doc_iter(doc_child(row, "moves")); doc_next(&it);) {
        struct doc move = it.value.doc;
        int64_t left = doc_int(move, "left", 0);
        doc_open(w, "");
        show_time(w, "at", doc_int(move, "at", 0));
        doc_put_text(w, "event", doc_text(move, "event"));
        show_time(w, "was", doc_int(move, "was", 0));
        show_time(w, "due", doc_int(move, "due", 0));
        if (left != 0)
            doc_put_text(w, "left", say_left(arena, left, doc_text(row, "words")));
        doc_put_text(w, "reason", doc_text(move, "why"));
        doc_close(w);
    }
    doc_close(w);
}

static void show_deadline(struct doc_writer *w, const struct record *record, struct text name,
                          struct doc row, struct arena *arena)
{
    int64_t left = doc_int(row, "left", 0), task = doc_int(row, "task", 0);
    int64_t level = doc_int(row, "level", 0);
    doc_open_text(w, name);
    doc_put_string(w, "status", status_of(row));
    show_time(w, "due", doc_int(row, "due", 0));
    if (left != 0)
        doc_put_text(w, "left", say_left(arena, left, doc_text(row, "words")));
    doc_put_text(w, "rule", say_rule(arena, row));
    doc_put_datetime(w, "since", doc_int(row, "since", 0));
    doc_put_text(w, "event", doc_text(row, "event"));
    show_time(w, "missed", doc_int(row, "missed", 0));
    show_time(w, "ended", doc_int(row, "ended", 0));
    if (level > 1)
        doc_put_int(w, "escalated", level - 1);
    if (task != 0)
        doc_put_int(w, "reminder", task);
    show_pauses(w, record, row);
    show_moves(w, arena, row);
    doc_close(w);
}

void show_deadlines(struct doc_writer *w, struct engine *engine, const struct record *record)
{
    struct key key;
    struct bytes row;
    key_deadlines(&key, record->kind_name, record->number);
    doc_open(w, "deadlines");
    if (state_get(engine->state, &key, &row))
        for (struct doc_iter it = doc_iter(doc_of(row)); doc_next(&it);)
            show_deadline(w, record, it.name, it.value.doc, &engine->arena);
    doc_close(w);
}

/* -- The record ------------------------------------------------------------ */

static void show_links(struct doc_writer *w, struct engine *engine, const struct record *record)
{
    struct key prefix;
    struct cursor cursor;
    size_t count = 0;
    doc_open_array(w, "links");
    for (struct doc_iter it = doc_iter(record->links); doc_next(&it);) {
        struct doc link = it.value.doc;
        struct text kind = doc_text(link, "kind");
        doc_open(w, "");
        doc_put_text(w, "type", doc_text(link, "type"));
        doc_put_text(w, "to",
                     arena_printf(&engine->arena, "%.*s:%lld", (int)kind.size, kind.data,
                                  (long long)doc_int(link, "number", 0)));
        doc_close(w);
    }
    key_links_to(&prefix, record->kind_name, record->number);
    cursor_open(&cursor, engine->state, &prefix);
    for (; count < RECORD_LINKS_MAX && cursor_next(&cursor); count++) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        struct buf kind = BUF_INIT;
        uint64_t number;
        bool is_row = key_read_text(&reader, &kind) && key_read_number(&reader, &number);
        ASSERT(is_row);
        doc_open(w, "");
        doc_put_text(w, "type",
                     (struct text){ (const char *)reader.at, (uint32_t)(reader.end - reader.at) });
        doc_put_text(w, "from",
                     arena_printf(&engine->arena, "%.*s:%llu", (int)kind.size,
                                  (const char *)kind.data, (unsigned long long)number));
        doc_close(w);
        buf_deinit(&kind);
    }
    cursor_close(&cursor);
    doc_close(w);
}

static void show_transitions(struct doc_writer *w, const struct record *record)
{
    const struct kind *kind = record->kind;
    size_t state = kind != NULL ? kind_state_find(kind, record->state) : KIND_NONE;
    doc_open_array(w, "transitions");
    for (size_t i = 0; kind != NULL && i < kind->transition_count; i++)
        if (kind_is_in(kind->transitions[i].from, state) && !kind->transitions[i].is_plugins)
            doc_put_text(w, "", kind->transitions[i].name);
    doc_close(w);
}

void show_record_head(struct doc_writer *w, const struct record *record, struct text title)
{
    struct doc_value called = doc_get_text(record->fields, title);
    doc_put_text(w, "kind", record->kind_name);
    doc_put_int(w, "id", (int64_t)record->number);
    doc_put_text(w, "state", record->state);
    doc_put_bool(w, "open", record->is_open);
    doc_put_datetime(w, "since", record->since);
    doc_put_datetime(w, "created", record->created);
    if (record->owner.size != 0)
        doc_put_text(w, "owner", record->owner);
    else
        doc_put_null(w, "owner");
    if (record->customer != 0)
        doc_put_int(w, "customer", (int64_t)record->customer);
    else
        doc_put_null(w, "customer");
    doc_put_doc(w, "customers", record->roles);
    doc_put_doc(w, "fields", record->fields);
    doc_put_int(w, "version", (int64_t)record->version);
    if (title.size != 0 && called.type == DOC_TEXT)
        doc_put_text(w, "title", called.text);
}

static struct text title_field(const struct kind *kind)
{
    return kind != NULL && kind->title != KIND_NONE ? kind->fields[kind->title].name
                                                    : (struct text){ "", 0 };
}

void show_record(struct doc_writer *w, struct engine *engine, const struct record *record)
{
    struct customer customer;
    show_record_head(w, record, title_field(record->kind));
    doc_put_present(w, "by", record->by);
    doc_put_array(w, "lines", record->lines);
    show_links(w, engine, record);
    show_transitions(w, record);
    show_deadlines(w, engine, record);
    if (record->customer != 0 && customer_load(&customer, engine, record->customer))
        show_customer_name(w, &customer);
}

int read_record(struct engine *engine, struct text kind, uint64_t number, struct buf *out,
                struct err *err)
{
    struct record record;
    struct doc_writer w;
    arena_clear(&engine->arena);
    if (!record_load(&record, engine, kind, number))
        return err_set(err, E_NOTFOUND, "there is no %.*s %llu",
                       (int)(kind.size < KIND_NAME_BYTES_MAX ? kind.size : 0), kind.data,
                       (unsigned long long)number);
    doc_begin(&w, out);
    show_record(&w, engine, &record);
    doc_end(&w);
    return 0;
}

/* -- What a call has made -------------------------------------------------- */

#define MADE_LOOKS_MAX 1000

uint64_t read_record_made(struct engine *engine, struct text kind, struct text id)
{
    uint64_t found = 0;
    struct doc numbers = meta_get(engine, "numbers");
    struct doc_value last = doc_get_text(numbers, kind);
    uint64_t number = last.type == DOC_INT64 ? (uint64_t)last.integer : 0;
    for (size_t i = 0; i < MADE_LOOKS_MAX && number > 0 && found == 0; i++, number--) {
        struct arena_mark mark = arena_mark(&engine->arena);
        struct record record;
        if (record_load(&record, engine, kind, number) && text_equal(record.made, id))
            found = number;
        arena_release(&engine->arena, mark);
    }
    return id.size != 0 ? found : 0;
}

/* -- Kinds ----------------------------------------------------------------- */

static void show_kind_field(struct doc_writer *w, const struct kind_field *field)
{
    doc_open_text(w, field->name);
    doc_put_string(w, "type", kind_type_name(field->type));
    doc_put_present(w, "of", field->of);
    if (field->type == KIND_LIST)
        doc_put_string(w, "of", kind_type_name(field->item));
    if (field->is_required)
        doc_put_bool(w, "required", true);
    if (field->is_external)
        doc_put_bool(w, "external", true);
    if (field->is_personal)
        doc_put_bool(w, "personal", true);
    if (field->is_searchable)
        doc_put_bool(w, "searchable", true);
    if (field->is_unsigned)
        doc_put_bool(w, "unsigned", true);
    if (field->has_same_subject)
        doc_put_bool(w, "same_subject", true);
    if (field->is_plugins || field->is_callers)
        doc_put_string(w, "by", field->is_plugins ? "plugin" : "caller");
    if (field->value_count != 0) {
        doc_open_array(w, "values");
        for (size_t i = 0; i < field->value_count; i++)
            doc_put_text(w, "", field->values[i]);
        doc_close(w);
    }
    doc_close(w);
}

static void show_states(struct doc_writer *w, const char *name, const struct kind *kind,
                        uint64_t states)
{
    doc_open_array(w, name);
    for (size_t i = 0; i < kind->state_count; i++)
        if (kind_is_in(states, i))
            doc_put_text(w, "", kind->states[i].name);
    doc_close(w);
}

static void show_kind_states(struct doc_writer *w, const struct kind *kind)
{
    doc_open_array(w, "states");
    for (size_t i = 0; i < kind->state_count; i++) {
        doc_open(w, "");
        doc_put_text(w, "name", kind->states[i].name);
        if (kind->states[i].is_final)
            doc_put_bool(w, "final", true);
        if (kind->states[i].is_waiting)
            doc_put_bool(w, "waiting", true);
        doc_close(w);
    }
    doc_close(w);
    doc_open(w, "transitions");
    for (size_t i = 0; i < kind->transition_count; i++) {
        const struct kind_transition *transition = &kind->transitions[i];
        doc_open_text(w, transition->name);
        show_states(w, "from", kind, transition->from);
        doc_put_text(w, "to", kind->states[transition->to].name);
        if (transition->is_plugins)
            doc_put_string(w, "by", "plugin");
        doc_open_array(w, "fields");
        for (size_t f = 0; f < transition->field_count; f++)
            doc_put_text(w, "", kind->fields[transition->fields[f]].name);
        doc_close(w);
        doc_close(w);
    }
    doc_close(w);
}

static void show_kind(struct doc_writer *w, const struct kind *kind)
{
    doc_put_text(w, "kind", kind->name);
    doc_put_present(w, "description", kind->description);
    doc_open(w, "fields");
    for (size_t i = 0; i < kind->field_count; i++)
        show_kind_field(w, &kind->fields[i]);
    doc_close(w);
    doc_open(w, "lines");
    for (size_t i = 0; i < kind->line_count; i++)
        show_kind_field(w, &kind->lines[i]);
    doc_close(w);
    doc_open(w, "roles");
    for (size_t i = 0; i < kind->role_count; i++) {
        doc_open_text(w, kind->roles[i].name);
        doc_put_bool(w, "subject", kind->roles[i].is_subject);
        doc_put_bool(w, "required",
                     (kind->roles[i].is_subject && !kind->roles[i].is_optional) ||
                         kind->roles[i].is_required);
        doc_put_bool(w, "many", kind->roles[i].is_many);
        doc_close(w);
    }
    doc_close(w);
    show_kind_states(w, kind);
    doc_open(w, "deadlines");
    for (size_t i = 0; i < kind->deadline_count; i++) {
        const struct kind_deadline *deadline = &kind->deadlines[i];
        doc_open_text(w, deadline->name);
        show_states(w, "from", kind, deadline->from);
        doc_put_text(w, "due", deadline->due.words);
        doc_put_present(w, "calendar", deadline->calendar);
        doc_put_present(w, "to", deadline->to);
        doc_close(w);
    }
    doc_close(w);
}

void read_kinds(struct engine *engine, struct buf *out)
{
    struct list list;
    list_begin(&list, out, KINDS_MAX);
    for (size_t i = 0; i < engine->kinds.count; i++) {
        list_item(&list);
        show_kind(&list.w, engine->kinds.items[i]);
        doc_close(&list.w);
    }
    list_end(&list, (struct text){ "", 0 }, engine->seq);
}

int read_kind_title(struct engine *engine, struct text name, struct arena *arena,
                    struct text *out_title, struct err *err)
{
    const struct kind *kind = kinds_find(&engine->kinds, name);
    struct record record;
    if (kind == NULL && !record_load(&record, engine, name, 1))
        return refuse_kind(engine, name, err);
    *out_title = arena_text(arena, title_field(kind));
    return 0;
}

int read_kind_searchable(struct engine *engine, struct text name, struct arena *arena,
                         const struct text **out_fields, size_t *out_count, struct err *err)
{
    const struct kind *kind = kinds_find(&engine->kinds, name);
    size_t count = kind != NULL ? kind->field_count : 0;
    struct text *fields = arena_alloc(arena, (count + 1) * sizeof *fields);
    *out_count = 0;
    for (size_t i = 0; i < count; i++)
        if (kind->fields[i].is_searchable)
            fields[(*out_count)++] = arena_text(arena, kind->fields[i].name);
    *out_fields = fields;
    if (*out_count != 0)
        return 0;
    return err_set(err, E_INVALID,
                   "?q=: no field of a %.*s is searched: one must say searchable = true",
                   (int)(name.size < KIND_NAME_BYTES_MAX ? name.size : 0), name.data);
}

int read_kind_external(struct engine *engine, struct text name, struct arena *arena,
                       struct text *out_field, struct err *err)
{
    const struct kind *kind = kinds_find(&engine->kinds, name);
    size_t count = 0;
    if (kind == NULL)
        return refuse_kind(engine, name, err);
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].is_external && count++ == 0)
            *out_field = arena_text(arena, kind->fields[i].name);
    if (count == 1)
        return 0;
    return err_set(err, E_INVALID,
                   count == 0 ? "a %s has no external id: one of its fields must say external = "
                                "true"
                              : "a %s has several external ids: write FIELD:VALUE",
                   kind->name.data);
}

void step_record_deadlines(struct step *step, const struct record *record, struct buf *out)
{
    struct doc_writer w;
    doc_begin(&w, out);
    show_deadlines(&w, step->engine, record);
    doc_end(&w);
}

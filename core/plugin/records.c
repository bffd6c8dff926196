/* records.c -- see records.h. */
#include "core/plugin/records.h"

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/engine/event.h"
#include "core/engine/record.h"
#include "core/engine/step.h"
#include "core/plugin/plugin.h"

static struct doc_value of_text(struct text text)
{
    return (struct doc_value){ .type = text.size != 0 ? DOC_TEXT : DOC_NONE, .text = text };
}

static struct doc_value of_number(uint64_t number)
{
    return (struct doc_value){ .type = DOC_INT64, .integer = (int64_t)number };
}

static struct doc_value of_moment(int64_t ms)
{
    return (struct doc_value){ .type = DOC_DATETIME, .integer = ms };
}

static struct doc_value deadlines_of(struct step *step, const struct record *record)
{
    struct buf bytes = BUF_INIT;
    step_record_deadlines(step, record, &bytes);
    struct doc doc = arena_doc(step_arena(step), (struct doc){ bytes.data, (uint32_t)bytes.size });
    buf_deinit(&bytes);
    return doc_get(doc, "deadlines");
}

struct doc_value plugin_read_record(struct step *step, struct text name)
{
    const struct event *event = step_event(step);
    struct record record;
    struct text kind;
    uint64_t number;
    if (!record_about_parse(event->about, &kind, &number) ||
        !step_record(step, kind, number, &record))
        return (struct doc_value){ .type = DOC_NONE };
    if (text_is(name, "id"))
        return of_text(record_about(&record, step_arena(step)));
    if (text_is(name, "number"))
        return of_number(record.number);
    if (text_is(name, "kind"))
        return of_text(record.kind_name);
    if (text_is(name, "state"))
        return of_text(record.state);
    if (text_is(name, "owner"))
        return of_text(record.owner);
    if (text_is(name, "created"))
        return of_moment(record.created);
    if (text_is(name, "since"))
        return of_moment(record.since);
    if (text_is(name, "version"))
        return of_number(record.version);
    if (text_is(name, "deadlines"))
        return deadlines_of(step, &record);
    return record_field(&record, name);
}

static void put_record(struct doc_writer *w, struct step *step, const struct record *record)
{
    doc_open(w, "");
    doc_put_text(w, "id", record_about(record, step_arena(step)));
    doc_put_int(w, "number", (int64_t)record->number);
    doc_put_text(w, "state", record->state);
    doc_put_present(w, "owner", record->owner);
    doc_put_datetime(w, "created", record->created);
    doc_put_datetime(w, "since", record->since);
    doc_put_doc(w, "fields", record->fields);
    doc_close(w);
}

static bool is_meant(const struct record *record, const struct plugin_read *read,
                     const struct doc_value *said)
{
    struct doc_value value = record_field(record, read->field);
    return read->field.size == 0 ||
           (value.type != DOC_NONE && value.type == said->type && doc_value_equal(&value, said));
}

/* All are looked through, as many at a time as are listed at most. */
static void put_meant(struct doc_writer *w, struct step *step, const struct plugin_read *read)
{
    uint64_t numbers[PLUGIN_RECORDS_MAX], last = 0;
    size_t put = 0, count = PLUGIN_RECORDS_MAX;
    struct doc_value said =
        event_field(step_event(step), read->said, arena_alloc(step_arena(step), EVENT_ID_TEXT_MAX));
    while (count == PLUGIN_RECORDS_MAX && put < PLUGIN_RECORDS_MAX) {
        count = step_open_records(step, read->name, last, numbers, PLUGIN_RECORDS_MAX);
        for (size_t i = 0; i < count && put < PLUGIN_RECORDS_MAX; i++) {
            struct record record;
            last = numbers[i];
            if (step_record(step, read->name, last, &record) && is_meant(&record, read, &said)) {
                put_record(w, step, &record);
                put++;
            }
        }
    }
}

struct doc_value plugin_read_records(struct step *step, const struct plugin_read *read)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_open_array(&w, "");
    put_meant(&w, step, read);
    doc_close(&w);
    struct doc doc = arena_doc(step_arena(step), doc_end(&w));
    buf_deinit(&bytes);
    return doc_get(doc, "");
}

/* read_privacy.c -- who is being erased, and all that a page of a timeline leads to.
 *
 * A person may ask for everything that is known of her.  Her timeline names it: the messages that
 * its events made, the reminders that were set.  So the document is made page by page, with short
 * looks at the engine, and is as long as her history.
 */
#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "core/engine/record.h"

#include <string.h>

/* -- Erasures ----------------------------------------------------------------------------- */

static void show_erasure(struct list *list, uint64_t customer, struct doc row, struct text reason)
{
    bool is_gone = doc_int(row, "done", 0) != 0;
    list_item(list);
    doc_put_int(&list->w, "customer", (int64_t)customer);
    doc_put_string(&list->w, "state", is_gone ? "files" : "rows");
    doc_put_int(&list->w, "entry", doc_int(row, "since", 0));
    doc_put_datetime(&list->w, "since", doc_int(row, "at", 0));
    doc_put_int(&list->w, "entries", doc_int(row, "entries", 0));
    if (is_gone)
        doc_put_present(&list->w, "reason", reason);
    doc_close(&list->w);
}

int read_erasures(struct engine *engine, const struct read_page *page, struct text reason,
                  struct buf *out, struct err *err)
{
    struct key prefix, first;
    struct cursor cursor;
    struct list list;
    uint64_t after = 0, n, customer = 0;
    char next[EVENT_ID_TEXT_MAX] = "";
    if (page->after.size != 0 && (!event_id_parse(page->after, &after, &n) || n != 0))
        return err_set(err, E_INVALID, "`after` is no cursor that a page of erasures gave");
    key_start(&prefix, 'z');
    first = prefix;
    key_number(&first, after + 1);
    list_begin(&list, out, page->limit);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + 1, cursor.key.data + cursor.key.size };
        uint64_t number = key_take_number(&reader);
        if (list_is_full(&list)) {
            event_id_text(customer, 0, next);
            break;
        }
        customer = number;
        if (reader.at == reader.end)
            show_erasure(&list, customer, doc_of(cursor.value), reason);
    }
    cursor_close(&cursor);
    list_end(&list, text_of(next), engine->seq);
    return 0;
}

int read_erasure(struct engine *engine, uint64_t customer, struct buf *out, struct err *err)
{
    struct key key;
    struct bytes row;
    struct doc_writer w;
    key_erasure(&key, customer);
    if (!state_get(engine->state, &key, &row))
        return err_set(err, E_NOTFOUND, "no customer %llu is being erased",
                       (unsigned long long)customer);
    bool is_gone = doc_int(doc_of(row), "done", 0) != 0;
    doc_begin(&w, out);
    doc_put_int(&w, "customer", (int64_t)customer);
    doc_put_string(&w, "state", is_gone ? "files" : "rows");
    doc_end(&w);
    return 0;
}

void read_erasure_counts(struct engine *engine, struct read_erasure_counts *out_counts)
{
    struct doc erased = meta_get(engine, "erased");
    struct key prefix;
    struct cursor cursor;
    *out_counts = (struct read_erasure_counts){
        .done = doc_int(erased, "customers", 0),
        .oldest_ms = INT64_MAX,
    };
    key_start(&prefix, 'z');
    cursor_open(&cursor, engine->state, &prefix);
    while (engine->erasures != 0 && cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + 1, cursor.key.data + cursor.key.size };
        key_take_number(&reader);
        if (reader.at != reader.end)
            continue;
        int64_t at = doc_int(doc_of(cursor.value), "at", 0);
        out_counts->open++;
        out_counts->oldest_ms = at < out_counts->oldest_ms ? at : out_counts->oldest_ms;
    }
    cursor_close(&cursor);
}

/* -- What a timeline leads to -------------------------------------------------------------- */

static bool is_new(struct buf *seen, uint64_t task)
{
    for (size_t at = 0; at < seen->size; at += sizeof task)
        if (memcmp(seen->data + at, &task, sizeof task) == 0)
            return false;
    buf_append(seen, &task, sizeof task);
    return true;
}

static void name_reminder(struct engine *engine, uint64_t task, struct read_linked *linked)
{
    if (task != 0 && is_new(&linked->tasks, task))
        read_reminder(engine, task, &linked->reminders, NULL);
}

/* Of a record that is about her, all; the number alone of one in which she has a role. */
static void name_record(struct engine *engine, uint64_t member, struct doc data,
                        struct read_linked *linked)
{
    struct text kind = doc_text(data, "kind");
    struct record record;
    struct doc_writer w;
    uint64_t number = (uint64_t)doc_int(data, "number", 0);
    struct text name = kind.size != 0 && number != 0
                           ? arena_printf(&engine->arena, "%.*s:%llu", (int)kind.size, kind.data,
                                          (unsigned long long)number)
                           : (struct text){ "", 0 };
    for (size_t at = 0; at < linked->seen.size; at += strlen((char *)linked->seen.data + at) + 1)
        if (text_is(name, (char *)linked->seen.data + at))
            return;
    if (name.size == 0 || !record_load(&record, engine, kind, number) || record.customer != member)
        return;
    buf_append(&linked->seen, name.data, name.size + 1);
    doc_begin(&w, &linked->records);
    show_record(&w, engine, &record);
    doc_end(&w);
}

void read_linked(struct engine *engine, struct doc rows, struct read_linked *linked)
{
    arena_clear(&engine->arena);
    char id[EVENT_ID_TEXT_MAX];
    for (struct doc_iter it = doc_iter(doc_child(rows, "items")); doc_next(&it);) {
        struct doc row = doc_child(it.value.doc, "row");
        uint64_t seq = (uint64_t)doc_int(it.value.doc, "seq", 0);
        for (struct doc_iter effect = doc_iter(doc_child(row, "effects")); doc_next(&effect);)
            read_effect(engine, event_id_text(seq, (uint64_t)effect.value.integer, id),
                        &linked->effects, NULL);
        if (doc_int(it.value.doc, "n", 0) == 0)
            file_show(engine, (uint64_t)doc_int(it.value.doc, "member", 0), seq, &linked->files);
        else {
            struct doc data = doc_child(row, "data");
            name_reminder(engine, (uint64_t)doc_int(data, "task", 0), linked);
            name_record(engine, (uint64_t)doc_int(it.value.doc, "member", 0), data, linked);
        }
    }
}

void read_linked_deinit(struct read_linked *linked)
{
    buf_deinit(&linked->effects);
    buf_deinit(&linked->reminders);
    buf_deinit(&linked->files);
    buf_deinit(&linked->tasks);
    buf_deinit(&linked->records);
    buf_deinit(&linked->seen);
}

/* -- Whether she may be written to ---------------------------------------------------------- */

/* An address may be an identity of hers too. */
static bool is_shown(const struct buf *out, struct text channel, struct text value)
{
    for (size_t at = 0; at < out->size;) {
        struct doc doc = { out->data + at, 0 };
        memcpy(&doc.size, doc.data, sizeof doc.size); /* how a document begins */
        if (text_equal(doc_text(doc, "channel"), channel) &&
            text_equal(doc_text(doc, "value"), value))
            return true;
        at += doc.size;
    }
    return false;
}

static void show_suppression(struct engine *engine, struct text channel, struct text value,
                             struct buf *out)
{
    struct key key;
    struct bytes row;
    struct doc_writer w;
    key_suppression(&key, channel, value);
    if (!key_ok(&key) || !state_get(engine->state, &key, &row) ||
        is_shown(out, channel, doc_text(doc_of(row), "value")))
        return;
    doc_begin(&w, out);
    for (struct doc_iter it = doc_iter(doc_of(row)); doc_next(&it);)
        doc_put_value(&w, it.name.data, &it.value);
    doc_end(&w);
}

int read_suppressions_of(struct engine *engine, struct text reference, struct buf *out,
                         struct err *err)
{
    struct customer customer;
    int rc = customer_find(&customer, engine, reference, err);
    for (size_t i = 0; rc == 0 && i < customer.count; i++) {
        const struct profile *profile = &customer.members[i];
        for (struct doc_iter it = doc_iter(profile->ids); doc_next(&it);) {
            struct text name_space = it.value.text;
            doc_next(&it);
            if (text_is(name_space, "email"))
                show_suppression(engine, name_space, it.value.text, out);
            else if (text_is(name_space, "phone"))
                show_suppression(engine, text_of("sms"), it.value.text, out);
        }
        for (struct doc_iter it = doc_iter(profile->addresses); doc_next(&it);)
            show_suppression(engine, doc_text(it.value.doc, "channel"),
                             doc_text(it.value.doc, "value"), out);
    }
    return rc;
}

/* record_erase.c -- records, when somebody is forgotten.
 *
 * A record goes with its subject.  Where she only had a role, the role ends, and with it whatever
 * the kind declares as personal data of that role, and the fields that are her number.  What was
 * linked to a record that is gone is linked to nothing.
 */
#include "core/engine/record_inside.h"

#include <string.h>

/* Links of other records to this one. */
static void unlink_others(struct engine *engine, const struct record *record)
{
    struct key prefix;
    struct cursor cursor;
    key_links_to(&prefix, record->kind_name, record->number);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        struct key key = { .size = (uint16_t)cursor.key.size };
        struct buf kind = BUF_INIT;
        struct record other, before;
        uint64_t number;
        bool is_row = key_read_text(&reader, &kind) && key_read_number(&reader, &number);
        ASSERT(is_row);
        memcpy(key.data, cursor.key.data, key.size);
        struct text name = { (const char *)kind.data, (uint32_t)kind.size };
        if (record_load(&other, engine, name, number)) {
            struct doc_writer w;
            before = other;
            engine_draft(engine, &w);
            doc_open_array(&w, "links");
            for (struct doc_iter it = doc_iter(other.links); doc_next(&it);)
                if (!text_equal(doc_text(it.value.doc, "kind"), record->kind_name) ||
                    (uint64_t)doc_int(it.value.doc, "number", 0) != record->number)
                    doc_put_value(&w, "", &it.value);
            doc_close(&w);
            other.links = doc_child(engine_doc(engine, &w), "links");
            record_store(engine, &before, &other);
        }
        state_delete(engine->state, &key);
        buf_deinit(&kind);
    }
    cursor_close(&cursor);
}

static void put_others(struct doc_writer *w, struct text role, struct doc customers,
                       uint64_t customer)
{
    bool has_any = false;
    for (struct doc_iter it = doc_iter(customers); doc_next(&it);)
        has_any = has_any || (uint64_t)it.value.integer != customer;
    if (!has_any)
        return;
    doc_open_array_text(w, role);
    for (struct doc_iter it = doc_iter(customers); doc_next(&it);)
        if ((uint64_t)it.value.integer != customer)
            doc_put_int(w, "", it.value.integer);
    doc_close(w);
}

static bool has_role(const struct record *record, struct text role, uint64_t customer)
{
    struct doc_value customers = doc_get_text(record->roles, role);
    for (struct doc_iter it = doc_iter(customers.doc);
         customers.type == DOC_ARRAY && doc_next(&it);)
        if ((uint64_t)it.value.integer == customer)
            return true;
    return false;
}

/* What she gave in a role, or is; of a kind that is declared no more nobody knows, so all goes that
 * could be. */
static bool is_hers(const struct record *record, const struct doc_iter *it, uint64_t customer)
{
    size_t place = record->kind != NULL ? kind_field_find(record->kind, it->name) : KIND_NONE;
    if (place == KIND_NONE)
        return it->value.type != DOC_BOOL;
    const struct kind_field *field = &record->kind->fields[place];
    return (field->type == KIND_CUSTOMER && (uint64_t)it->value.integer == customer) ||
           (field->role.size != 0 && has_role(record, field->role, customer));
}

static void leave(struct engine *engine, const struct record *before, uint64_t customer)
{
    struct record record = *before;
    struct doc_writer w;
    engine_draft(engine, &w);
    for (struct doc_iter it = doc_iter(before->fields); doc_next(&it);)
        if (!is_hers(before, &it, customer))
            doc_put_value_text(&w, it.name, &it.value);
    record.fields = engine_doc(engine, &w);
    engine_draft(engine, &w);
    for (struct doc_iter it = doc_iter(before->roles); doc_next(&it);)
        put_others(&w, it.name, it.value.doc, customer);
    record.roles = engine_doc(engine, &w);
    record.version++;
    record_store(engine, before, &record);
}

void record_erase(struct engine *engine, uint64_t customer, struct text kind, uint64_t number)
{
    struct record record;
    if (!record_load(&record, engine, kind, number))
        return;
    if (record.customer != customer) {
        leave(engine, &record, customer);
        return;
    }
    record_forget_deadlines(engine, &record, NULL);
    unlink_others(engine, &record);
    record_remove(engine, &record);
}

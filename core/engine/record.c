/* record.c -- the rows of records: their own, and those by which they are found.
 *
 *     R kind number                       the record
 *     D kind number                       its deadlines (record_deadline.c)
 *     J list kind [state] [owner] number  lists, the newest first
 *     I kind field value                  external ids
 *     L kind number kind number type      links from the other side
 *     c customer R kind number role       where a customer has a role
 *     c customer a kind number            open ones that she is the subject of
 *
 * Each filter of a list is a row of its own, so a page of whatever is asked for costs a page.  A
 * change writes only the rows that become others: the keys of before and after are made and
 * compared, and nobody has to know which field stands in which of them.
 */
#include "core/engine/record.h"

#include "core/engine/record_inside.h"

#include <string.h>

#define SUBJECT_ROLE "" /* in rows of customers */

/* -- Names ----------------------------------------------------------------- */

bool record_about_parse(struct text about, struct text *out_kind, uint64_t *out_number)
{
    uint64_t n = 0;
    const char *colon = about.size != 0 ? memchr(about.data, ':', about.size) : NULL;
    if (colon == NULL || colon == about.data || about.size > RECORD_ABOUT_MAX)
        return false;
    struct text digits = { colon + 1, (uint32_t)(about.data + about.size - colon - 1) };
    if (!event_id_parse(digits, out_number, &n) || n != 0 || *out_number == 0 ||
        memchr(digits.data, '.', digits.size) != NULL)
        return false;
    *out_kind = (struct text){ about.data, (uint32_t)(colon - about.data) };
    return true;
}

struct text record_about(const struct record *record, struct arena *arena)
{
    return arena_printf(arena, "%.*s:%llu", (int)record->kind_name.size, record->kind_name.data,
                        (unsigned long long)record->number);
}

/* -- Keys ------------------------------------------------------------------ */

void key_record(struct key *key, struct text kind, uint64_t number)
{
    key_start(key, 'R');
    key_text(key, kind);
    key_number(key, number);
}

void key_deadlines(struct key *key, struct text kind, uint64_t number)
{
    key_start(key, 'D');
    key_text(key, kind);
    key_number(key, number);
}

void key_records(struct key *key, enum record_list list, struct text kind, struct text state,
                 struct text owner)
{
    key_start(key, 'J');
    key_byte(key, (uint8_t)list);
    key_text(key, kind);
    if (list == RECORDS_STATE || list == RECORDS_STATE_OWNER)
        key_text(key, state);
    if (list == RECORDS_OWNER || list == RECORDS_OPEN_OWNER || list == RECORDS_STATE_OWNER)
        key_text(key, owner);
}

void key_external(struct key *key, struct text kind, struct text field, struct text value)
{
    key_start(key, 'I');
    key_text(key, kind);
    key_text(key, field);
    key_tail(key, value);
}

void key_records_of(struct key *key, uint64_t customer, struct text kind)
{
    key_customer(key, customer, 'R');
    if (kind.size != 0)
        key_text(key, kind);
}

void key_links_to(struct key *key, struct text kind, uint64_t number)
{
    key_start(key, 'W');
    key_text(key, kind);
    key_number(key, number);
}

static void key_open_of(struct key *key, const struct record *record)
{
    key_customer(key, record->customer, 'a');
    key_text(key, record->kind_name);
    key_number(key, record->number);
}

/* -- Reading --------------------------------------------------------------- */

void record_read(struct record *record, const struct kind *kind, struct text kind_name,
                 uint64_t number, struct doc row)
{
    *record = (struct record){
        .kind = kind,
        .kind_name = kind_name,
        .number = number,
        .customer = (uint64_t)doc_int(row, "customer", 0),
        .version = (uint64_t)doc_int(row, "version", 0),
        .state = doc_text(row, "state"),
        .owner = doc_text(row, "owner"),
        .by = doc_text(row, "by"),
        .made = doc_text(row, "made"),
        .created = doc_int(row, "created", 0),
        .since = doc_int(row, "since", 0),
        .is_open = doc_bool(row, "open", false),
        .fields = doc_child(row, "fields"),
        .roles = doc_child(row, "roles"),
        .lines = doc_child(row, "lines"),
        .links = doc_child(row, "links"),
        .pauses = doc_child(row, "pauses"),
    };
}

bool record_load(struct record *record, struct engine *engine, struct text kind, uint64_t number)
{
    struct key key;
    struct bytes row;
    if (kind.size == 0 || kind.size > KIND_NAME_BYTES_MAX || number == 0)
        return false;
    key_record(&key, kind, number);
    if (!state_get(engine->state, &key, &row))
        return false;
    struct doc doc = arena_doc(&engine->arena, (struct doc){ row.data, (uint32_t)row.size });
    record_read(record, kinds_find(&engine->kinds, kind), arena_text(&engine->arena, kind), number,
                doc);
    return true;
}

bool record_has_more(const struct record *record)
{
    if (record->kind == NULL)
        return false;
    size_t state = kind_state_find(record->kind, record->state);
    return state != KIND_NONE && !record->kind->states[state].is_final;
}

struct doc_value record_field(const struct record *record, struct text name)
{
    return doc_get_text(record->fields, name);
}

uint64_t record_find(struct engine *engine, struct text kind, struct text field, struct text value)
{
    struct key key;
    struct bytes row;
    key_external(&key, kind, field, value);
    if (value.size == 0 || !key_ok(&key) || !state_get(engine->state, &key, &row))
        return 0;
    struct key_reader reader = { row.data, row.data + row.size };
    return key_take_number(&reader);
}

int64_t record_count_open(struct engine *engine, uint64_t customer, int64_t most)
{
    struct key prefix;
    struct cursor cursor;
    int64_t count = 0;
    key_customer(&prefix, customer, 'a');
    cursor_open(&cursor, engine->state, &prefix);
    while (count < most && cursor_next(&cursor))
        count++;
    cursor_close(&cursor);
    return count;
}

/* -- Writing --------------------------------------------------------------- */

static void put_section(struct doc_writer *w, const char *name, struct doc doc)
{
    if (doc.data != NULL && doc_count(doc) != 0)
        doc_put_doc(w, name, doc);
}

static void put_list(struct doc_writer *w, const char *name, struct doc doc)
{
    if (doc.data != NULL && doc_count(doc) != 0)
        doc_put_array(w, name, doc);
}

/* In the engine's draft. */
static struct doc row_of(struct engine *engine, const struct record *record)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    if (record->customer != 0)
        doc_put_int(&w, "customer", (int64_t)record->customer);
    doc_put_text(&w, "state", record->state);
    if (record->is_open)
        doc_put_bool(&w, "open", true);
    doc_put_int(&w, "since", record->since);
    doc_put_int(&w, "created", record->created);
    doc_put_int(&w, "version", (int64_t)record->version);
    doc_put_present(&w, "owner", record->owner);
    doc_put_present(&w, "by", record->by);
    doc_put_present(&w, "made", record->made);
    put_section(&w, "fields", record->fields);
    put_section(&w, "roles", record->roles);
    put_list(&w, "lines", record->lines);
    put_list(&w, "links", record->links);
    put_list(&w, "pauses", record->pauses);
    return doc_end(&w);
}

size_t record_size(struct engine *engine, const struct record *record)
{
    return row_of(engine, record).size;
}

/* One row by which a record is found, before and after a change. */
static void replace(struct engine *engine, const struct key *before, const struct key *after,
                    uint64_t value)
{
    struct key number = { .size = 0 };
    if (before != NULL && after != NULL && before->size == after->size &&
        memcmp(before->data, after->data, after->size) == 0)
        return;
    if (before != NULL)
        state_delete(engine->state, before);
    if (after == NULL)
        return;
    if (value != 0)
        key_number(&number, value);
    state_put(engine->state, after, number.data, number.size);
}

/* NULL: it does not stand in that list. */
static const struct key *list_key(const struct record *record, enum record_list list,
                                  struct key *key)
{
    bool is_of_open = list == RECORDS_OPEN || list == RECORDS_OPEN_OWNER;
    if (record == NULL || (is_of_open && !record->is_open))
        return NULL;
    key_records(key, list, record->kind_name, record->state, record->owner);
    key_number_down(key, record->number);
    return key;
}

static void store_lists(struct engine *engine, const struct record *before,
                        const struct record *record)
{
    static const enum record_list lists[] = { RECORDS_OPEN, RECORDS_STATE, RECORDS_OWNER,
                                              RECORDS_OPEN_OWNER, RECORDS_STATE_OWNER };
    struct key old, new;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        replace(engine, list_key(before, lists[i], &old), list_key(record, lists[i], &new), 0);
}

static const struct key *open_key(const struct record *record, struct key *key)
{
    if (record == NULL || record->customer == 0 || !record->is_open)
        return NULL;
    key_open_of(key, record);
    return key;
}

static const struct key *external_key(const struct record *record, struct text field,
                                      struct key *key)
{
    struct doc_value value =
        record != NULL ? record_field(record, field) : (struct doc_value){ .type = DOC_NONE };
    if (value.type != DOC_TEXT || value.text.size == 0)
        return NULL;
    key_external(key, record->kind_name, field, value.text);
    return key_ok(key) ? key : NULL;
}

static void store_externals(struct engine *engine, const struct record *before,
                            const struct record *record)
{
    struct key old, new;
    for (size_t i = 0; record->kind != NULL && i < record->kind->field_count; i++) {
        const struct kind_field *field = &record->kind->fields[i];
        if (field->is_external)
            replace(engine, external_key(before, field->name, &old),
                    external_key(record, field->name, &new), record->number);
    }
}

static void put_role(struct engine *engine, const struct record *record, uint64_t customer,
                     struct text role, bool is_there)
{
    struct key key;
    key_records_of(&key, customer, record->kind_name);
    key_number_down(&key, record->number);
    key_tail(&key, role);
    if (is_there)
        state_put(engine->state, &key, "", 0);
    else
        state_delete(engine->state, &key);
}

/* A field that is a customer is a role, ".NAME"; of a kind that is declared no more any number may
 * have been one. */
static void put_named(struct engine *engine, const struct record *record, bool is_there)
{
    for (struct doc_iter it = doc_iter(record->fields); doc_next(&it);) {
        size_t field = record->kind != NULL ? kind_field_find(record->kind, it.name) : KIND_NONE;
        bool is_customer = field != KIND_NONE && record->kind->fields[field].type == KIND_CUSTOMER;
        if (it.value.type == DOC_INT64 && (is_customer || (!is_there && field == KIND_NONE)))
            put_role(engine, record, (uint64_t)it.value.integer,
                     arena_printf(&engine->arena, ".%.*s", (int)it.name.size, it.name.data),
                     is_there);
    }
}

static void put_roles(struct engine *engine, const struct record *record, bool is_there)
{
    if (record->customer != 0)
        put_role(engine, record, record->customer, text_of(SUBJECT_ROLE), is_there);
    for (struct doc_iter role = doc_iter(record->roles); doc_next(&role);)
        for (struct doc_iter it = doc_iter(role.value.doc); doc_next(&it);)
            put_role(engine, record, (uint64_t)it.value.integer, role.name, is_there);
    put_named(engine, record, is_there);
}

bool record_is_same(struct doc a, struct doc b)
{
    return doc_count(a) == 0 ? doc_count(b) == 0
                             : a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static void put_link(struct engine *engine, const struct record *record, struct doc link,
                     bool is_there)
{
    struct key key;
    key_links_to(&key, doc_text(link, "kind"), (uint64_t)doc_int(link, "number", 0));
    key_text(&key, record->kind_name);
    key_number(&key, record->number);
    key_tail(&key, doc_text(link, "type"));
    if (is_there)
        state_put(engine->state, &key, "", 0);
    else
        state_delete(engine->state, &key);
}

static void put_links(struct engine *engine, const struct record *record, bool is_there)
{
    for (struct doc_iter it = doc_iter(record->links); doc_next(&it);)
        put_link(engine, record, it.value.doc, is_there);
}

static bool names_customers(const struct record *record)
{
    for (size_t i = 0; record->kind != NULL && i < record->kind->field_count; i++)
        if (record->kind->fields[i].type == KIND_CUSTOMER)
            return true;
    return false;
}

/* Whatever of its texts is an id, the kind in force need not know it any more. */
static void remove_externals(struct engine *engine, const struct record *record)
{
    struct key key;
    for (struct doc_iter it = doc_iter(record->fields); doc_next(&it);)
        if (it.value.type == DOC_TEXT &&
            record_find(engine, record->kind_name, it.name, it.value.text) == record->number) {
            key_external(&key, record->kind_name, it.name, it.value.text);
            state_delete(engine->state, &key);
        }
}

void record_store(struct engine *engine, const struct record *before, const struct record *record)
{
    struct key key, old, new;
    struct doc row = row_of(engine, record);
    key_record(&key, record->kind_name, record->number);
    state_put(engine->state, &key, row.data, row.size);
    store_lists(engine, before, record);
    if (record->kind == NULL && before != NULL && !record_is_same(before->fields, record->fields))
        remove_externals(engine, before); /* nobody can say which of them still are ids */
    store_externals(engine, before, record);
    replace(engine, open_key(before, &old), open_key(record, &new), 0);
    if (before == NULL || !record_is_same(before->roles, record->roles) ||
        (names_customers(record) && !record_is_same(before->fields, record->fields))) {
        if (before != NULL)
            put_roles(engine, before, false);
        put_roles(engine, record, true);
    }
    if (before != NULL && record_is_same(before->links, record->links))
        return;
    if (before != NULL)
        put_links(engine, before, false);
    put_links(engine, record, true);
}

void record_remove(struct engine *engine, const struct record *record)
{
    struct key key, old;
    store_lists(engine, record, NULL);
    remove_externals(engine, record);
    replace(engine, open_key(record, &old), NULL, 0);
    put_roles(engine, record, false);
    put_links(engine, record, false);
    key_record(&key, record->kind_name, record->number);
    state_delete(engine->state, &key);
}

uint64_t record_next_number(struct engine *engine, struct text kind)
{
    struct doc numbers = meta_get(engine, "numbers");
    struct doc_value last = doc_get_text(numbers, kind);
    struct doc_value next = { .type = DOC_INT64,
                              .integer = last.type == DOC_INT64 ? last.integer + 1 : 1 };
    struct doc_writer w;
    engine_draft(engine, &w);
    for (struct doc_iter it = doc_iter(numbers); doc_next(&it);)
        if (!text_equal(it.name, kind))
            doc_put_value_text(&w, it.name, &it.value);
    doc_put_value_text(&w, kind, &next);
    meta_put(engine, "numbers", engine_doc(engine, &w));
    return (uint64_t)next.integer;
}

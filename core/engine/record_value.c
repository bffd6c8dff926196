/* record_value.c -- what a field of a record holds when it is given a value.
 *
 * What has a form of its own in JSON or Lua because these have no such type (an instant, a
 * customer, another record) is read by the declared type, and kept as what it is.
 */
#include "core/base/buf.h"
#include "core/base/civil.h"
#include "core/engine/record_inside.h"

static struct doc without_minus(struct doc money, struct arena *arena)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    for (struct doc_iter it = doc_iter(money); doc_next(&it);) {
        struct doc_value value = it.value;
        if (value.type == DOC_DOUBLE)
            value.number = 0;
        else if (record_is_minus_nothing(&value))
            value.text = (struct text){ value.text.data + 1, value.text.size - 1 };
        doc_put_value_text(&w, it.name, &value);
    }
    struct doc plain = arena_doc(arena, doc_end(&w));
    buf_deinit(&bytes);
    return plain;
}

static void read_money(struct engine *engine, struct doc_value *money)
{
    struct doc_value amount = doc_get(money->doc, "amount");
    if (record_is_minus_nothing(&amount))
        money->doc = without_minus(money->doc, &engine->arena);
}

static int read_time(struct record_work *work, const struct kind_field *field,
                     const struct doc_value *value, struct doc_value *out, struct err *err)
{
    struct doc_value time = { .type = DOC_DATETIME, .integer = value->integer };
    int rc = 0;
    if (value->type == DOC_TEXT)
        rc = record_time(work, field, value->text, &time.integer, err);
    if (rc == 0 && (time.integer < CIVIL_MS_MIN || time.integer > CIVIL_MS_MAX))
        rc = err_set(err, E_INVALID, "\"%.*s\" is a time in the years 1 to 9999",
                     (int)field->name.size, field->name.data);
    if (rc == 0)
        *out = time;
    return rc;
}

uint64_t record_customer(struct engine *engine, const struct doc_value *value)
{
    if (value->type == DOC_INT64)
        return identity_find(engine,
                             arena_printf(&engine->arena, "%lld", (long long)value->integer));
    return value->type == DOC_TEXT ? identity_find(engine, value->text) : 0;
}

static int read_customer(struct engine *engine, const struct kind_field *field,
                         const struct doc_value *value, struct doc_value *out, struct err *err)
{
    uint64_t number = record_customer(engine, value);
    if (number == 0)
        return err_set(err, E_NOTFOUND, "\"%.*s\": no such customer", (int)field->name.size,
                       field->name.data);
    *out = (struct doc_value){ .type = DOC_INT64, .integer = (int64_t)number };
    return 0;
}

static int read_record(struct engine *engine, const struct kind_field *field,
                       const struct doc_value *value, struct doc_value *out, struct err *err)
{
    uint64_t number = record_value_number(field, value);
    struct record record;
    if (!record_load(&record, engine, field->of, number))
        return err_set(err, E_NOTFOUND, "\"%.*s\": there is no %.*s %llu", (int)field->name.size,
                       field->name.data, (int)field->of.size, field->of.data,
                       (unsigned long long)number);
    *out = (struct doc_value){ .type = DOC_INT64, .integer = (int64_t)number };
    return 0;
}

/* Whether the record says so already: who has left stays where she is named. */
static bool is_before(const struct record_work *work, struct text field, struct text name)
{
    if (text_equal(doc_get_text(work->before.fields, field).text, name))
        return true;
    for (struct doc_iter it = doc_iter(work->before.lines); doc_next(&it);)
        if (it.value.type == DOC_DOC && text_equal(doc_get_text(it.value.doc, field).text, name))
            return true;
    return false;
}

/* As an owner is: somebody who is there. */
static int check_staff(struct record_work *work, const struct kind_field *field,
                       const struct doc_value *value, struct err *err)
{
    struct err why;
    if (is_before(work, field->name, value->text) ||
        record_somebody(work->engine, value->text, &why) == 0)
        return 0;
    return err_set(err, E_INVALID, "\"%.*s\": %s", (int)field->name.size, field->name.data,
                   why.text);
}

int record_value(struct record_work *work, const struct kind_field *field,
                 const struct doc_value *value, struct doc_value *out, struct err *err)
{
    int rc = record_value_check(field, value, &work->engine->arena, err);
    if (rc != 0)
        return rc;
    *out = *value;
    switch (field->type) {
    case KIND_TIME:
        return read_time(work, field, value, out, err);
    case KIND_CUSTOMER:
        return read_customer(work->engine, field, value, out, err);
    case KIND_STAFF:
        return check_staff(work, field, value, err);
    case KIND_RECORD:
        return read_record(work->engine, field, value, out, err);
    case KIND_MONEY:
        read_money(work->engine, out);
        return 0;
    case KIND_LIST: /* a script's empty table is an empty list */
        out->type = DOC_ARRAY;
        return 0;
    default:
        return 0;
    }
}

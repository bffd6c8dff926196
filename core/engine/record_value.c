/* record_value.c -- what a field of a record may hold.
 *
 * Nothing is converted silently: "5" is no number and 5 no text.  What has a form of its own in
 * JSON or Lua because these have no such type (an instant, a customer, another record) is read by
 * the declared type, and kept as what it is.
 */
#include "core/base/buf.h"
#include "core/base/civil.h"
#include "core/base/moment.h"
#include "core/engine/record_inside.h"

#include <math.h>
#include <string.h>

static int refuse(const struct kind_field *field, const char *what, struct err *err)
{
    return err_set(err, E_INVALID, "\"%.*s\" is %s", (int)field->name.size, field->name.data, what);
}

/* "-12.50" */
static bool is_decimal(struct text text)
{
    size_t digits = 0, points = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
        bool is_point = text.data[i] == '.' && digits != 0 && i + 1 < text.size;
        if (!is_digit && !is_point && !(i == 0 && text.data[i] == '-'))
            return false;
        digits += is_digit ? 1 : 0;
        points += is_point ? 1 : 0;
    }
    return digits != 0 && digits <= 34 && points <= 1;
}

static bool is_currency(struct text code)
{
    for (uint32_t i = 0; i < code.size; i++)
        if (code.data[i] < 'A' || code.data[i] > 'Z')
            return false;
    return code.size == 3;
}

static bool is_money(struct doc money)
{
    struct doc_value amount = doc_get(money, "amount");
    return doc_count(money) == 2 && is_currency(doc_text(money, "currency")) &&
           (amount.type == DOC_INT64 || amount.type == DOC_DOUBLE || amount.type == DOC_DECIMAL ||
            (amount.type == DOC_TEXT && is_decimal(amount.text)));
}

/* "-0.00", of which nobody could say whether it is owed or due. */
static bool is_minus_nothing(const struct doc_value *amount)
{
    if (amount->type == DOC_DOUBLE)
        return amount->number == 0 && signbit(amount->number);
    if (amount->type != DOC_TEXT || amount->text.data[0] != '-')
        return false;
    for (uint32_t i = 1; i < amount->text.size; i++)
        if (amount->text.data[i] >= '1' && amount->text.data[i] <= '9')
            return false;
    return true;
}

static struct doc without_minus(struct doc money, struct arena *arena)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    for (struct doc_iter it = doc_iter(money); doc_next(&it);) {
        struct doc_value value = it.value;
        if (value.type == DOC_DOUBLE)
            value.number = 0;
        else if (is_minus_nothing(&value))
            value.text = (struct text){ value.text.data + 1, value.text.size - 1 };
        doc_put_value_text(&w, it.name, &value);
    }
    struct doc plain = arena_doc(arena, doc_end(&w));
    buf_deinit(&bytes);
    return plain;
}

static int read_money(struct engine *engine, const struct kind_field *field,
                      const struct doc_value *value, struct doc_value *out, struct err *err)
{
    if (value->type != DOC_DOC || !is_money(value->doc))
        return refuse(field, "money: an amount, 12.5 or \"12.50\", and a currency, \"EUR\"", err);
    struct doc_value amount = doc_get(value->doc, "amount");
    if (is_minus_nothing(&amount))
        out->doc = without_minus(value->doc, &engine->arena);
    return 0;
}

static int read_time(struct record_work *work, const struct kind_field *field,
                     const struct doc_value *value, struct doc_value *out, struct err *err)
{
    struct doc_value time = { .type = DOC_DATETIME, .integer = value->integer };
    int rc = 0;
    if (value->type == DOC_TEXT)
        rc = record_time(work, field, value->text, &time.integer, err);
    else if (value->type != DOC_INT64 && value->type != DOC_DATETIME)
        rc = refuse(field, "a time: \"3d\", \"1wd\", \"2026-12-01 10:00\", or milliseconds", err);
    if (rc == 0 && (time.integer < CIVIL_MS_MIN || time.integer > CIVIL_MS_MAX))
        rc = refuse(field, "a time in the years 1 to 9999", err);
    if (rc == 0)
        *out = time;
    return rc;
}

static int read_choice(const struct kind_field *field, const struct doc_value *value,
                       struct arena *arena, struct err *err)
{
    if (value->type != DOC_TEXT)
        return refuse(field, "one of its values, as text", err);
    for (size_t i = 0; i < field->value_count; i++)
        if (text_equal(field->values[i], value->text))
            return 0;
    return err_set(
        err, E_INVALID, "\"%.*s\" has no value \"%.64s\"; %s", (int)field->name.size,
        field->name.data, arena_text(arena, value->text).data,
        kind_meant(value->text, field->values, field->value_count, sizeof *field->values, arena)
            .data);
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
    if (value->type != DOC_TEXT && value->type != DOC_INT64)
        return refuse(field, "a customer: 42, \"user_id:u-17\"", err);
    if (number == 0)
        return err_set(err, E_NOTFOUND, "\"%.*s\": no such customer", (int)field->name.size,
                       field->name.data);
    *out = (struct doc_value){ .type = DOC_INT64, .integer = (int64_t)number };
    return 0;
}

/* 17, or "order:17" */
static int read_record(struct engine *engine, const struct kind_field *field,
                       const struct doc_value *value, struct doc_value *out, struct err *err)
{
    struct text kind = field->of;
    uint64_t number = value->type == DOC_INT64 && value->integer > 0 ? (uint64_t)value->integer : 0;
    struct record record;
    if (value->type == DOC_TEXT && record_about_parse(value->text, &kind, &number) &&
        !text_equal(kind, field->of))
        number = 0;
    if (number == 0)
        return err_set(err, E_INVALID, "\"%.*s\" is the number of a record of the kind \"%.*s\"",
                       (int)field->name.size, field->name.data, (int)field->of.size,
                       field->of.data);
    if (!record_load(&record, engine, field->of, number))
        return err_set(err, E_NOTFOUND, "\"%.*s\": there is no %.*s %llu", (int)field->name.size,
                       field->name.data, (int)field->of.size, field->of.data,
                       (unsigned long long)number);
    *out = (struct doc_value){ .type = DOC_INT64, .integer = (int64_t)number };
    return 0;
}

static bool is_item(const struct kind_field *field, const struct doc_value *value,
                    struct arena *arena)
{
    switch (field->item) {
    case KIND_NUMBER:
        return value->type == DOC_INT64 || value->type == DOC_DOUBLE;
    case KIND_WHOLE:
        return value->type == DOC_INT64;
    case KIND_CHOICE:
        return read_choice(field, value, arena, NULL) == 0;
    default:
        return value->type == DOC_TEXT;
    }
}

/* A script's empty table is an empty list. */
static int read_list(struct engine *engine, const struct kind_field *field,
                     const struct doc_value *value, struct doc_value *out, struct err *err)
{
    bool is_empty = value->type == DOC_DOC && doc_count(value->doc) == 0;
    struct text item = arena_printf(&engine->arena, "a list of %s", kind_type_name(field->item));
    if (value->type != DOC_ARRAY && !is_empty)
        return refuse(field, item.data, err);
    for (struct doc_iter it = doc_iter(value->doc); doc_next(&it);)
        if (!is_item(field, &it.value, &engine->arena))
            return refuse(field, item.data, err);
    *out = *value;
    out->type = DOC_ARRAY;
    return 0;
}

static int check_text(const struct kind_field *field, const struct doc_value *value,
                      struct err *err)
{
    if (value->type != DOC_TEXT)
        return refuse(field, "text", err);
    if (field->is_external && (value->text.size == 0 || value->text.size > IDENTITY_BYTES_MAX ||
                               memchr(value->text.data, '\0', value->text.size) != NULL))
        return err_set(err, E_LIMIT, "\"%.*s\" is an id of 1 to %d bytes", (int)field->name.size,
                       field->name.data, IDENTITY_BYTES_MAX);
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
    if (value->type != DOC_TEXT || value->text.size == 0 || value->text.size > NAME_BYTES_MAX)
        return refuse(field, "the name of a member of staff", err);
    if (is_before(work, field->name, value->text) ||
        record_somebody(work->engine, value->text, &why) == 0)
        return 0;
    return err_set(err, E_INVALID, "\"%.*s\": %s", (int)field->name.size, field->name.data,
                   why.text);
}

static bool is_below_zero(const struct doc_value *value)
{
    struct doc_value amount = *value;
    if (value->type == DOC_DOC)
        amount = doc_get(value->doc, "amount");
    switch (amount.type) {
    case DOC_INT64:
        return amount.integer < 0;
    case DOC_DOUBLE:
        return amount.number < 0;
    case DOC_TEXT:
        return amount.text.size != 0 && amount.text.data[0] == '-';
    case DOC_DECIMAL:
        return (amount.decimal[15] & 0x80) != 0;
    default:
        return false;
    }
}

static int read_value(struct record_work *work, const struct kind_field *field,
                      const struct doc_value *value, struct doc_value *out, struct err *err)
{
    struct engine *engine = work->engine;
    int64_t day;
    *out = *value;
    switch (field->type) {
    case KIND_TEXT:
        return check_text(field, value, err);
    case KIND_NUMBER:
        return value->type == DOC_INT64 || value->type == DOC_DOUBLE
                   ? 0
                   : refuse(field, "a number", err);
    case KIND_WHOLE:
        return value->type == DOC_INT64 ? 0 : refuse(field, "a whole number", err);
    case KIND_MONEY:
        return read_money(engine, field, value, out, err);
    case KIND_DATE:
        return value->type == DOC_TEXT &&
                       moment_parse_date(value->text.data, value->text.size, &day, NULL) == 0
                   ? 0
                   : refuse(field, "a date: \"2026-12-01\"", err);
    case KIND_TIME:
        return read_time(work, field, value, out, err);
    case KIND_FLAG:
        return value->type == DOC_BOOL ? 0 : refuse(field, "true or false", err);
    case KIND_CHOICE:
        return read_choice(field, value, &engine->arena, err);
    case KIND_CUSTOMER:
        return read_customer(engine, field, value, out, err);
    case KIND_STAFF:
        return check_staff(work, field, value, err);
    case KIND_RECORD:
        return read_record(engine, field, value, out, err);
    case KIND_LIST:
        break;
    }
    return read_list(engine, field, value, out, err);
}

int record_value(struct record_work *work, const struct kind_field *field,
                 const struct doc_value *value, struct doc_value *out, struct err *err)
{
    int rc = read_value(work, field, value, out, err);
    if (rc != 0 || !field->is_unsigned || !is_below_zero(out))
        return rc;
    return err_set(err, E_INVALID, "\"%.*s\" is zero or more", (int)field->name.size,
                   field->name.data);
}

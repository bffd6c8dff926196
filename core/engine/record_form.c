/* record_form.c -- what a field of a record may hold, as far as the value itself says so.
 *
 * Nothing is converted silently: "5" is no number and 5 no text.  Whether the customer, the record
 * or the member of staff is there that a value names is looked up in record_value.c.  This is
 * pure: who has no engine can ask it as well.
 */
#include "core/base/civil.h"
#include "core/base/moment.h"
#include "core/base/near.h"
#include "core/engine/read_inside.h"
#include "core/engine/record_inside.h"

#include <math.h>
#include <string.h>

/* -- Values ---------------------------------------------------------------- */

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

static int check_time(const struct kind_field *field, const struct doc_value *value,
                      struct err *err)
{
    struct err why;
    bool is_number = value->type == DOC_INT64 || value->type == DOC_DATETIME;
    if (!is_number && value->type != DOC_TEXT)
        return refuse(field, "a time: \"3d\", \"1wd\", \"2026-12-01 10:00\", or milliseconds", err);
    if (is_number && (value->integer < CIVIL_MS_MIN || value->integer > CIVIL_MS_MAX))
        return refuse(field, "a time in the years 1 to 9999", err);
    if (is_number || read_due_check(value->text, &why) == 0)
        return 0;
    return err_set(err, why.code, "\"%.*s\": %s", (int)field->name.size, field->name.data,
                   why.text);
}

static int check_choice(const struct kind_field *field, const struct doc_value *value,
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

/* 17, or "order:17" */
uint64_t record_value_number(const struct kind_field *field, const struct doc_value *value)
{
    struct text kind = field->of;
    uint64_t number = value->type == DOC_INT64 && value->integer > 0 ? (uint64_t)value->integer : 0;
    if (value->type == DOC_TEXT && record_about_parse(value->text, &kind, &number) &&
        !text_equal(kind, field->of))
        return 0;
    return number;
}

static int check_record(const struct kind_field *field, const struct doc_value *value,
                        struct err *err)
{
    if (record_value_number(field, value) != 0)
        return 0;
    return err_set(err, E_INVALID, "\"%.*s\" is the number of a record of the kind \"%.*s\"",
                   (int)field->name.size, field->name.data, (int)field->of.size, field->of.data);
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
        return check_choice(field, value, arena, NULL) == 0;
    default:
        return value->type == DOC_TEXT;
    }
}

static int check_list(const struct kind_field *field, const struct doc_value *value,
                      struct arena *arena, struct err *err)
{
    bool is_empty = value->type == DOC_DOC && doc_count(value->doc) == 0;
    struct text item = arena_printf(arena, "a list of %s", kind_type_name(field->item));
    if (value->type != DOC_ARRAY && !is_empty)
        return refuse(field, item.data, err);
    for (struct doc_iter it = doc_iter(value->doc); doc_next(&it);)
        if (!is_item(field, &it.value, arena))
            return refuse(field, item.data, err);
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

bool record_is_minus_nothing(const struct doc_value *amount)
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
        return amount.text.size != 0 && amount.text.data[0] == '-' &&
               !record_is_minus_nothing(&amount);
    case DOC_DECIMAL:
        return (amount.decimal[15] & 0x80) != 0;
    default:
        return false;
    }
}

static int check_type(const struct kind_field *field, const struct doc_value *value,
                      struct arena *arena, struct err *err)
{
    enum doc_type type = value->type;
    int64_t day;
    switch (field->type) {
    case KIND_TEXT:
        return check_text(field, value, err);
    case KIND_NUMBER:
        return type == DOC_INT64 || type == DOC_DOUBLE ? 0 : refuse(field, "a number", err);
    case KIND_WHOLE:
        return type == DOC_INT64 ? 0 : refuse(field, "a whole number", err);
    case KIND_MONEY:
        return type == DOC_DOC && is_money(value->doc)
                   ? 0
                   : refuse(field, "money: an amount, 12.5 or \"12.50\", and a currency, \"EUR\"",
                            err);
    case KIND_DATE:
        return type == DOC_TEXT &&
                       moment_parse_date(value->text.data, value->text.size, &day, NULL) == 0
                   ? 0
                   : refuse(field, "a date: \"2026-12-01\"", err);
    case KIND_TIME:
        return check_time(field, value, err);
    case KIND_FLAG:
        return type == DOC_BOOL ? 0 : refuse(field, "true or false", err);
    case KIND_CHOICE:
        return check_choice(field, value, arena, err);
    case KIND_CUSTOMER:
        return type == DOC_TEXT || type == DOC_INT64
                   ? 0
                   : refuse(field, "a customer: 42, \"user_id:u-17\"", err);
    case KIND_STAFF:
        return type == DOC_TEXT && value->text.size != 0 && value->text.size <= NAME_BYTES_MAX
                   ? 0
                   : refuse(field, "the name of a member of staff", err);
    case KIND_RECORD:
        return check_record(field, value, err);
    case KIND_LIST:
        break;
    }
    return check_list(field, value, arena, err);
}

int record_value_check(const struct kind_field *field, const struct doc_value *value,
                       struct arena *arena, struct err *err)
{
    int rc = check_type(field, value, arena, err);
    if (rc != 0 || !field->is_unsigned || !is_below_zero(value))
        return rc;
    return err_set(err, E_INVALID, "\"%.*s\" is zero or more", (int)field->name.size,
                   field->name.data);
}

/* -- Names ----------------------------------------------------------------- */

int record_check_names(const char *what, const struct kind_field *fields, size_t count,
                       struct doc given, struct arena *arena, struct err *err)
{
    for (struct doc_iter it = doc_iter(given); doc_next(&it);) {
        struct near_quote quote;
        size_t i = 0;
        while (i < count && !text_equal(fields[i].name, it.name))
            i++;
        if (i == count)
            return err_set(err, E_INVALID, "there is no field \"%s\" %s; %s",
                           near_quote(it.name.data, it.name.size, &quote), what,
                           kind_meant(it.name, &fields->name, count, sizeof *fields, arena).data);
    }
    return 0;
}

int record_check_given(const struct kind *kind, struct doc given, struct arena *arena,
                       struct err *err)
{
    int rc = record_check_names("here", kind->fields, kind->field_count, given, arena, err);
    for (struct doc_iter it = doc_iter(given); rc == 0 && doc_next(&it);)
        if (it.value.type != DOC_NULL)
            rc = record_value_check(&kind->fields[kind_field_find(kind, it.name)], &it.value, arena,
                                    err);
    return rc;
}

int record_check_transition(const struct kind *kind, struct text name, struct arena *arena,
                            struct err *err)
{
    struct near_quote quote;
    if (kind_transition_find(kind, name) != KIND_NONE)
        return 0;
    return err_set(err, E_NOTFOUND, "there is no transition \"%s\"; %s",
                   near_quote(name.data, name.size, &quote),
                   kind_meant(name, &kind->transitions->name, kind->transition_count,
                              sizeof *kind->transitions, arena)
                       .data);
}

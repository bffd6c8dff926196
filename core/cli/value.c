/* value.c -- typed cells; see value.h.
 *
 * Dates are read by a reader of our own: the C library's looks at the locale, accepts
 * blanks anywhere and years of two digits for four.  Of a locale only the signs of its
 * numbers are taken from ICU, whose own number reader stops silently at what it does not
 * know.
 */
#include "core/cli/value.h"

#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/moment.h"
#include "core/base/near.h"
#include "core/base/number.h"
#include "core/base/phone.h"
#include "core/base/zone.h"

#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/unum.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#define NUMBER_CELL_MAX 64

static bool is_ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int refuse(struct text cell, const char *what, struct err *err)
{
    struct near_quote quote;
    return err_set(err, E_INVALID, "\"%s\" is no %s", near_quote(cell.data, cell.size, &quote),
                   what);
}

/* -- Types ------------------------------------------------------------------------------- */

static int set_symbol(const UNumberFormat *format, UNumberFormatSymbol symbol, char out[8],
                      struct err *err)
{
    UChar units[8];
    UErrorCode status = U_ZERO_ERROR;
    unum_getSymbol(format, symbol, units, 8, &status);
    u_strToUTF8(out, 8, NULL, units, -1, &status);
    if (U_FAILURE(status) || out[0] == '\0')
        return err_set(err, E_INVALID, "number: the locale has no signs for numbers");
    return 0;
}

static bool is_known_locale(const char *locale)
{
    for (int32_t i = 0, count = unum_countAvailable(); i < count; i++)
        if (strcasecmp(unum_getAvailable(i), locale) == 0)
            return true;
    return false;
}

static int set_locale(struct value_type *type, const char *locale, struct err *err)
{
    UErrorCode status = U_ZERO_ERROR;
    struct buf name = BUF_INIT;
    for (const char *at = locale; *at != '\0'; at++)
        buf_byte(&name, *at == '-' ? '_' : (uint8_t)*at);
    bool is_known = is_known_locale(buf_string(&name));
    UNumberFormat *format =
        is_known ? unum_open(UNUM_DECIMAL, NULL, 0, buf_string(&name), NULL, &status) : NULL;
    int rc = 0;
    if (!is_known || U_FAILURE(status))
        rc = err_set(err, E_INVALID, "number(%.20s): no such locale; write number(de)", locale);
    if (rc == 0)
        rc = set_symbol(format, UNUM_DECIMAL_SEPARATOR_SYMBOL, type->decimal, err);
    if (rc == 0)
        rc = set_symbol(format, UNUM_GROUPING_SEPARATOR_SYMBOL, type->group, err);
    if (format != NULL)
        unum_close(format);
    buf_deinit(&name);
    return rc;
}

static int set_region(struct value_type *type, const char *region, struct err *err)
{
    bool is_region = strlen(region) == 2 && region[0] >= 'A' && region[0] <= 'Z' &&
                     region[1] >= 'A' && region[1] <= 'Z';
    if (!is_region)
        return err_set(err, E_INVALID, "phone(%.20s): a country is two capitals: phone(CN)",
                       region);
    memcpy(type->region, region, 3);
    return 0;
}

static int set_format(struct value_type *type, const char *format, struct err *err)
{
    for (const char *at = format; (at = strchr(at, '%')) != NULL; at += 2)
        if (at[1] == '\0' || strchr("YymdbHIpMSzs%", at[1]) == NULL)
            return err_set(err, E_INVALID,
                           "date(%.60s): there is no %%%c; use %%Y %%y %%m %%d %%b %%H %%I %%p "
                           "%%M %%S %%z %%s",
                           format, at[1]);
    memcpy(type->format, format, strlen(format) + 1);
    return 0;
}

static int set_argument(struct value_type *type, const char *argument, struct err *err)
{
    switch (type->kind) {
    case VALUE_NUMBER:
        return set_locale(type, argument, err);
    case VALUE_DATE:
        return set_format(type, argument, err);
    case VALUE_PHONE:
        return set_region(type, argument, err);
    case VALUE_TEXT:
    case VALUE_BOOL:
        break;
    }
    return err_set(err, E_INVALID, "this type takes nothing in brackets");
}

int value_type_parse(struct text text, struct value_type *out_type, struct err *err)
{
    static const char *const names[] = { "text", "number", "date", "phone", "bool" };
    struct value_type type = { .decimal = "." };
    struct near_quote quote;
    char argument[VALUE_FORMAT_MAX] = "";
    const char *bracket = memchr(text.data, '(', text.size);
    size_t size = bracket != NULL ? (size_t)(bracket - text.data) : text.size, i = 0;
    while (i < 5 && !(strlen(names[i]) == size && memcmp(names[i], text.data, size) == 0))
        i++;
    if (i == 5)
        return err_set(err, E_INVALID, "\"%s\" is no type: text, number, date, phone or bool",
                       near_quote(text.data, size, &quote));
    type.kind = (enum value_kind)i;
    if (bracket != NULL) {
        size_t inner = text.size - size - 1;
        if (inner < 2 || bracket[inner] != ')' || inner > VALUE_FORMAT_MAX)
            return err_set(err, E_INVALID, "\"%s\": write %s(...)",
                           near_quote(text.data, text.size, &quote), names[i]);
        memcpy(argument, bracket + 1, inner - 1);
        int rc = set_argument(&type, argument, err);
        if (rc != 0)
            return rc;
    }
    *out_type = type;
    return 0;
}

/* -- Numbers ----------------------------------------------------------------------------- */

static bool begins_with(struct text text, const char *prefix)
{
    size_t size = strlen(prefix);
    return size != 0 && text.size >= size && memcmp(text.data, prefix, size) == 0;
}

static struct text skip(struct text text, size_t size)
{
    return (struct text){ text.data + size, text.size - (uint32_t)size };
}

static bool is_ornament(UChar32 c)
{
    return c == ' ' || c == 0xa0 || c == 0x202f || u_charType(c) == U_CURRENCY_SYMBOL;
}

/* Without blanks and currency signs on either side. */
static struct text bare(struct text cell)
{
    const uint8_t *bytes = (const uint8_t *)cell.data;
    int32_t start = 0, end = (int32_t)cell.size, at = 0;
    UChar32 c;
    while (start < end) {
        U8_NEXT_OR_FFFD(bytes, at, end, c);
        if (!is_ornament(c))
            break;
        start = at;
    }
    for (at = end; end > start; end = at) {
        U8_PREV_OR_FFFD(bytes, start, at, c);
        if (!is_ornament(c))
            break;
    }
    return (struct text){ cell.data + start, (uint32_t)(end - start) };
}

/* No-break blanks of any width group the thousands where a locale uses one of them. */
static size_t group_size(const struct value_type *type, struct text rest)
{
    static const char *const blanks[] = { "\u00a0", "\u202f", " " };
    if (begins_with(rest, type->group))
        return strlen(type->group);
    bool is_blank = strcmp(type->group, blanks[0]) == 0 || strcmp(type->group, blanks[1]) == 0;
    for (size_t i = 0; is_blank && i < 3; i++)
        if (begins_with(rest, blanks[i]))
            return strlen(blanks[i]);
    return 0;
}

/* The number in plain digits.  Behind a sign of grouping stand three of them. */
static bool plain_number(const struct value_type *type, struct text rest, char *out,
                         size_t *out_size)
{
    size_t size = 0, since_group = 0;
    bool is_grouped = false, is_fraction = false;
    while (rest.size != 0) {
        size_t group = is_fraction ? 0 : group_size(type, rest);
        bool is_point = begins_with(rest, type->decimal) && !is_fraction;
        if (size + 1 >= NUMBER_CELL_MAX)
            return false;
        if ((group != 0 || is_point) && is_grouped && since_group != 3)
            return false;
        if (is_ascii_digit(rest.data[0]) || (rest.data[0] == '-' && size == 0)) {
            since_group += rest.data[0] != '-';
            out[size++] = rest.data[0];
            rest = skip(rest, 1);
        } else if (is_point) {
            is_fraction = true;
            out[size++] = '.';
            rest = skip(rest, strlen(type->decimal));
        } else if (group != 0 && since_group != 0 && (is_grouped || since_group <= 3)) {
            is_grouped = true;
            since_group = 0;
            rest = skip(rest, group);
        } else {
            return false;
        }
    }
    *out_size = size;
    return is_fraction || !is_grouped || since_group == 3;
}

static int write_number(const struct value_type *type, struct text cell, struct buf *out,
                        struct err *err)
{
    char plain[NUMBER_CELL_MAX];
    double number;
    struct text text = cell;
    if (type->group[0] != '\0') { /* in a locale */
        size_t size;
        if (!plain_number(type, bare(cell), plain, &size))
            return refuse(cell, "number of this locale", err);
        text = (struct text){ plain, (uint32_t)size };
    }
    if (!number_parse(text.data, text.size, &number))
        return refuse(cell, "number", err);
    bool is_whole = number >= -9007199254740992.0 && number <= 9007199254740992.0 &&
                    number == (double)(int64_t)number;
    if (is_whole)
        json_write_int(out, (int64_t)number);
    else
        json_write_double(out, number);
    return 0;
}

/* -- Dates ------------------------------------------------------------------------------- */

struct date {
    struct civil civil;
    bool has_time, has_offset, is_afternoon, has_half;
    int64_t offset_ms;
    int64_t epoch_s;
    bool is_epoch;
};

/* At most `digits_max` digits, at least `digits_min`. */
static bool take_number(struct text *rest, size_t digits_min, size_t digits_max, int64_t *out)
{
    int64_t number = 0;
    size_t i = 0;
    while (i < digits_max && i < rest->size && is_ascii_digit(rest->data[i]))
        number = 10 * number + (rest->data[i++] - '0');
    *rest = skip(*rest, i);
    *out = number;
    return i >= digits_min;
}

static bool take_int(struct text *rest, size_t digits_min, size_t digits_max, int *out)
{
    int64_t number;
    bool is_taken = take_number(rest, digits_min, digits_max, &number);
    *out = (int)number;
    return is_taken;
}

static bool take_month(struct text *rest, int *out_month)
{
    static const char *const months[] = { "January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December" };
    for (int i = 0; i < 12; i++) {
        size_t size = strlen(months[i]);
        if (rest->size < size || strncasecmp(rest->data, months[i], size) != 0)
            size = 3;
        if (rest->size < size || strncasecmp(rest->data, months[i], size) != 0)
            continue;
        *out_month = i + 1;
        *rest = skip(*rest, size);
        return true;
    }
    return false;
}

static bool take_half(struct text *rest, struct date *date)
{
    if (rest->size < 2 ||
        (strncasecmp(rest->data, "am", 2) != 0 && strncasecmp(rest->data, "pm", 2) != 0))
        return false;
    date->has_half = true;
    date->is_afternoon = rest->data[0] == 'p' || rest->data[0] == 'P';
    *rest = skip(*rest, 2);
    return true;
}

/* Z, +01:00 or +0100 */
static bool take_offset(struct text *rest, struct date *date)
{
    int hours, minutes;
    date->has_offset = true;
    if (begins_with(*rest, "Z")) {
        *rest = skip(*rest, 1);
        return true;
    }
    if (!begins_with(*rest, "+") && !begins_with(*rest, "-"))
        return false;
    int sign = rest->data[0] == '-' ? -1 : 1;
    *rest = skip(*rest, 1);
    if (!take_int(rest, 2, 2, &hours))
        return false;
    if (begins_with(*rest, ":"))
        *rest = skip(*rest, 1);
    if (!take_int(rest, 2, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    date->offset_ms = sign * (hours * CIVIL_HOUR_MS + minutes * CIVIL_MINUTE_MS);
    return true;
}

static bool take_epoch(struct text *rest, struct date *date)
{
    date->is_epoch = true;
    return take_number(rest, 1, 11, &date->epoch_s);
}

static bool take_conversion(char conversion, struct text *rest, struct date *date)
{
    struct civil *civil = &date->civil;
    date->has_time |= strchr("HIMSps", conversion) != NULL;
    switch (conversion) {
    case 'Y':
        return take_int(rest, 4, 4, &civil->year);
    case 'y': { /* as POSIX has it: 69 to 99 are of the last century */
        bool is_taken = take_int(rest, 2, 2, &civil->year);
        civil->year += civil->year < 69 ? 2000 : 1900;
        return is_taken;
    }
    case 'm':
        return take_int(rest, 1, 2, &civil->month);
    case 'd':
        return take_int(rest, 1, 2, &civil->day);
    case 'b':
        return take_month(rest, &civil->month);
    case 'H':
    case 'I':
        return take_int(rest, 1, 2, &civil->hour);
    case 'M':
        return take_int(rest, 2, 2, &civil->minute);
    case 'S':
        return take_int(rest, 2, 2, &civil->second);
    case 'p':
        return take_half(rest, date);
    case 'z':
        return take_offset(rest, date);
    default:
        return take_epoch(rest, date); /* value_type_parse() lets no other through */
    }
}

static bool take_format(const char *format, struct text rest, struct date *date)
{
    for (; *format != '\0'; format++) {
        if (format[0] == '%' && format[1] != '%') {
            if (!take_conversion(*++format, &rest, date))
                return false;
            continue;
        }
        format += format[0] == '%';
        if (rest.size == 0 || rest.data[0] != *format)
            return false;
        rest = skip(rest, 1);
    }
    return rest.size == 0;
}

static bool settle_half(struct date *date)
{
    if (!date->has_half)
        return true;
    if (date->civil.hour < 1 || date->civil.hour > 12)
        return false;
    date->civil.hour = date->civil.hour % 12 + (date->is_afternoon ? 12 : 0);
    return true;
}

static int read_formatted(const struct value_type *type, struct text cell, struct date *date,
                          struct err *err)
{
    *date = (struct date){ .civil = { .year = 1970, .month = 1, .day = 1 } };
    if (!take_format(type->format, cell, date) || !settle_half(date) ||
        !civil_is_valid(&date->civil)) {
        struct near_quote quote;
        return err_set(err, E_INVALID, "\"%s\" is no date of the form %s",
                       near_quote(cell.data, cell.size, &quote), type->format);
    }
    return 0;
}

static int64_t date_instant(const struct date *date, const struct zone *zone)
{
    if (date->is_epoch)
        return date->epoch_s * 1000;
    if (date->has_offset)
        return civil_local_ms(&date->civil) - date->offset_ms;
    return zone_ms_from_civil(zone, &date->civil);
}

int value_instant(const struct value_type *type, const struct zone *zone, struct text cell,
                  int64_t *out_ms, struct err *err)
{
    struct date date;
    int64_t ms;
    bool has_offset = false;
    int rc;
    if (type->format[0] != '\0') {
        rc = read_formatted(type, cell, &date, err);
        ms = rc == 0 ? date_instant(&date, zone) : 0;
    } else {
        rc = moment_parse_loose(cell.data, cell.size, &ms, &has_offset, err);
        if (rc == 0 && !has_offset)
            ms = zone_ms_from_local(zone, ms);
    }
    if (rc == 0 && (ms < CIVIL_MS_MIN || ms > CIVIL_MS_MAX))
        rc = err_set(err, E_INVALID, "a time outside of the years 1 to 9999");
    if (rc == 0)
        *out_ms = ms;
    return rc;
}

/* A date stays a date: a birthday has no zone. */
static bool is_date_alone(const struct value_type *type, struct text cell, int64_t *out_days)
{
    struct date date;
    if (type->format[0] == '\0')
        return moment_parse_date(cell.data, cell.size, out_days, NULL) == 0;
    if (read_formatted(type, cell, &date, NULL) != 0 || date.has_time)
        return false;
    *out_days = civil_local_days(civil_local_ms(&date.civil));
    return true;
}

static int write_date(const struct value_type *type, const struct zone *zone, struct text cell,
                      struct buf *out, struct err *err)
{
    char text[MOMENT_TEXT_SIZE];
    int64_t ms, days;
    bool is_alone = is_date_alone(type, cell, &days);
    int rc = is_alone ? 0 : value_instant(type, zone, cell, &ms, err);
    if (rc != 0)
        return rc;
    moment_format(is_alone ? days * CIVIL_DAY_MS : ms, text);
    json_write_text(out, (struct text){ text, is_alone ? 10 : (uint32_t)strlen(text) });
    return 0;
}

/* -- The others -------------------------------------------------------------------------- */

int value_bool(struct text cell, bool *out_bool, struct err *err)
{
    static const char *const words[] = { "false", "no", "n", "0", "true", "yes", "y", "1" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == cell.size && strncasecmp(words[i], cell.data, cell.size) == 0) {
            *out_bool = i >= 4;
            return 0;
        }
    return refuse(cell, "true or false", err);
}

static int write_bool(struct text cell, struct buf *out, struct err *err)
{
    bool value = false;
    int rc = value_bool(cell, &value, err);
    if (rc == 0)
        buf_text(out, value ? "true" : "false");
    return rc;
}

static int write_phone(const struct value_type *type, struct text cell, struct buf *out,
                       struct err *err)
{
    char phone[PHONE_SIZE];
    int rc = phone_normalise(cell.data, cell.size, type->region[0] != '\0' ? type->region : NULL,
                             phone, err);
    if (rc == 0)
        json_write_text(out, text_of(phone));
    return rc;
}

int value_write(const struct value_type *type, const struct zone *zone, struct text cell,
                struct buf *out, struct err *err)
{
    switch (type->kind) {
    case VALUE_NUMBER:
        return write_number(type, cell, out, err);
    case VALUE_DATE:
        return write_date(type, zone, cell, out, err);
    case VALUE_PHONE:
        return write_phone(type, cell, out, err);
    case VALUE_BOOL:
        return write_bool(cell, out, err);
    case VALUE_TEXT:
        break;
    }
    json_write_text(out, cell);
    return 0;
}

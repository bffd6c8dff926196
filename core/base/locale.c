/* locale.c -- see locale.h.
 *
 * A date's pattern has letters for its parts, everything else in it stands for itself:
 *
 *     D  day             M  month in words    N  its number         Y  year
 *     T  in two digits                        O  in two digits
 *
 * Numbers are formatted from their decimal digits as text, so that an amount that came as text or
 * as a decimal is never made a binary fraction on the way.
 */
#include "core/base/locale.h"

#include "core/base/civil.h"
#include "core/base/decimal.h"
#include "core/base/json_write.h"
#include "core/base/moment.h"
#include "core/base/zone.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NBSP "\xc2\xa0"        /* no line is broken between an amount and its currency */
#define NARROW "\xe2\x80\xaf"  /* the same, narrow */
#define NUMBER_SIZE 64
#define DOUBLE_DIGITS_MOST 1e15 /* beyond it a double has no cents */

struct locale {
    const char *tag; /* "": the plain one */
    const char *point, *group;
    const char *date, *between; /* date and time */
    const char *const *months;
    bool is_half_day; /* 1:30 PM */
    bool has_money_first;
};

static const char *const months_en[] = { "January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December" };
static const char *const months_de[] = { "Januar",    "Februar", "März",     "April",
                                         "Mai",       "Juni",    "Juli",     "August",
                                         "September", "Oktober", "November", "Dezember" };
static const char *const months_fr[] = { "janvier",   "février", "mars",     "avril",
                                         "mai",       "juin",    "juillet",  "août",
                                         "septembre", "octobre", "novembre", "décembre" };
static const char *const months_es[] = { "enero",      "febrero", "marzo",     "abril",
                                         "mayo",       "junio",   "julio",     "agosto",
                                         "septiembre", "octubre", "noviembre", "diciembre" };
static const char *const months_it[] = { "gennaio",   "febbraio", "marzo",    "aprile",
                                         "maggio",    "giugno",   "luglio",   "agosto",
                                         "settembre", "ottobre",  "novembre", "dicembre" };
static const char *const months_nl[] = { "januari",   "februari", "maart",    "april",
                                         "mei",       "juni",     "juli",     "augustus",
                                         "september", "oktober",  "november", "december" };
static const char *const months_pt[] = { "janeiro",  "fevereiro", "março",    "abril",
                                         "maio",     "junho",     "julho",    "agosto",
                                         "setembro", "outubro",   "novembro", "dezembro" };

static const struct locale plain = { "", ".", "", "Y-O-T", " ", NULL, false, false };
static const struct locale locales[] = {
    { "de", ",", ".", "D. M Y", ", ", months_de, false, false },
    { "en", ".", ",", "M D, Y", ", ", months_en, true, true },
    { "en-GB", ".", ",", "D M Y", ", ", months_en, false, true },
    { "es", ",", ".", "D de M de Y", ", ", months_es, false, false },
    { "fr", ",", NARROW, "D M Y", ", ", months_fr, false, false },
    { "it", ",", ".", "D M Y", ", ", months_it, false, false },
    { "ja", ".", ",", "Y年N月D日", " ", NULL, false, true },
    { "nl", ",", ".", "D M Y", ", ", months_nl, false, true },
    { "pt", ",", ".", "D de M de Y", ", ", months_pt, false, true },
    { "zh", ".", ",", "Y年N月D日", " ", NULL, false, true },
};

static const struct currency {
    const char *code, *symbol;
    const char *home, *symbol_home; /* in this language it is the one that needs no country */
    int digits;
} currencies[] = {
    { "CHF", "CHF", NULL, NULL, 2 }, { "CNY", "CN¥", "zh", "¥", 2 },
    { "EUR", "€", NULL, NULL, 2 },   { "GBP", "£", NULL, NULL, 2 },
    { "HKD", "HK$", NULL, NULL, 2 }, { "JPY", "JP¥", "ja", "¥", 0 },
    { "KRW", "₩", NULL, NULL, 0 },   { "TWD", "NT$", NULL, NULL, 2 },
    { "USD", "$", NULL, NULL, 2 },   { "VND", "₫", NULL, NULL, 0 },
};

/* -- Tags ----------------------------------------------------------------- */

static char tag_letter(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return (char)(letter - 'A' + 'a');
    return letter == '_' ? '-' : letter;
}

bool locale_equal(struct text a, struct text b)
{
    if (a.size != b.size)
        return false;
    for (uint32_t i = 0; i < a.size; i++)
        if (tag_letter(a.data[i]) != tag_letter(b.data[i]))
            return false;
    return true;
}

struct text locale_parent(struct text tag)
{
    while (tag.size != 0)
        if (tag_letter(tag.data[--tag.size]) == '-')
            return tag;
    return tag;
}

bool locale_is_tag(struct text tag)
{
    for (uint32_t i = 0; i < tag.size; i++) {
        char letter = tag_letter(tag.data[i]);
        bool is_letter = letter >= 'a' && letter <= 'z';
        if (!is_letter && (i == 0 || (letter != '-' && !(letter >= '0' && letter <= '9'))))
            return false;
    }
    return tag.size != 0 && tag.size <= LOCALE_TAG_MAX;
}

const struct locale *locale_find(struct text tag)
{
    for (; tag.size != 0; tag = locale_parent(tag))
        for (size_t i = 0; i < sizeof locales / sizeof *locales; i++)
            if (locale_equal(tag, text_of(locales[i].tag)))
                return &locales[i];
    return &plain;
}

/* -- Styles --------------------------------------------------------------- */

bool locale_style_find(struct text name, enum locale_style *out_style)
{
    static const char *const names[] = {
        [LOCALE_NUMBER] = "number", [LOCALE_MONEY] = "money",       [LOCALE_DATE] = "date",
        [LOCALE_TIME] = "time",     [LOCALE_DATETIME] = "datetime",
    };
    for (size_t i = LOCALE_NUMBER; i < sizeof names / sizeof *names; i++)
        if (text_is(name, names[i])) {
            *out_style = (enum locale_style)i;
            return true;
        }
    return false;
}

static bool is_currency(struct text code)
{
    for (uint32_t i = 0; i < code.size; i++)
        if (code.data[i] < 'A' || code.data[i] > 'Z')
            return false;
    return code.size == 3;
}

bool locale_style_takes(enum locale_style style, struct text detail)
{
    if (detail.size == 0)
        return true;
    if (style == LOCALE_NUMBER)
        return detail.size == 1 && detail.data[0] >= '0' && detail.data[0] <= '9';
    return style == LOCALE_MONEY && is_currency(detail);
}

/* -- Numbers -------------------------------------------------------------- */

static void append(struct buf *out, struct text text)
{
    if (text.size != 0)
        buf_append(out, text.data, text.size);
}

/* "-1234.50" in its parts.  False: it is no such number (an exponent, "NaN", words). */
struct digits {
    bool is_negative;
    struct text whole, fraction;
};

static uint32_t count_digits(struct text text)
{
    uint32_t count = 0;
    while (count < text.size && text.data[count] >= '0' && text.data[count] <= '9')
        count++;
    return count;
}

static bool read_digits(struct text text, struct digits *out)
{
    *out = (struct digits){ .is_negative = text.size != 0 && text.data[0] == '-' };
    text = (struct text){ text.data + out->is_negative, text.size - out->is_negative };
    out->whole = (struct text){ text.data, count_digits(text) };
    text = (struct text){ text.data + out->whole.size, text.size - out->whole.size };
    if (out->whole.size == 0 || (text.size != 0 && text.data[0] != '.'))
        return false;
    if (text.size == 0)
        return true;
    text = (struct text){ text.data + 1, text.size - 1 };
    out->fraction = text;
    return text.size != 0 && count_digits(text) == text.size;
}

/* A fraction of fewer than `least` digits is filled up. */
static void write_digits(const struct locale *locale, const struct digits *digits, bool is_grouped,
                         uint32_t least, struct buf *out)
{
    struct text whole = digits->whole;
    for (uint32_t i = 0; i < whole.size; i++) {
        if (is_grouped && i != 0 && (whole.size - i) % 3 == 0)
            buf_text(out, locale->group);
        buf_byte(out, (uint8_t)whole.data[i]);
    }
    if (digits->fraction.size == 0 && least == 0)
        return;
    buf_text(out, locale->point);
    append(out, digits->fraction);
    for (uint32_t i = digits->fraction.size; i < least; i++)
        buf_byte(out, '0');
}

/* Binary fractions are rounded to so many digits; -1: as many as they need. */
static struct text number_text(const struct doc_value *value, int digits, char out[NUMBER_SIZE])
{
    if (value->type == DOC_INT64)
        snprintf(out, NUMBER_SIZE, "%lld", (long long)value->integer);
    else if (value->type == DOC_DECIMAL)
        decimal_format(value->decimal, out);
    else if (value->type != DOC_DOUBLE)
        return value->type == DOC_TEXT ? value->text : (struct text){ "", 0 };
    else if (digits >= 0 && fabs(value->number) < DOUBLE_DIGITS_MOST)
        snprintf(out, NUMBER_SIZE, "%.*f", digits, value->number);
    else {
        struct buf shortest = BUF_INIT;
        json_write_double(&shortest, value->number);
        snprintf(out, NUMBER_SIZE, "%s", buf_string(&shortest));
        buf_deinit(&shortest);
    }
    return text_of(out);
}

static bool write_number(const struct locale_format *format, const struct doc_value *value,
                         struct buf *out)
{
    char number[NUMBER_SIZE];
    struct digits digits;
    bool is_grouped = format->style == LOCALE_NUMBER;
    int least = is_grouped && format->detail.size == 1 ? format->detail.data[0] - '0' : -1;
    if (!read_digits(number_text(value, least, number), &digits))
        return false;
    if (digits.is_negative)
        buf_byte(out, '-');
    write_digits(format->locale, &digits, is_grouped, least > 0 ? (uint32_t)least : 0, out);
    return true;
}

/* -- Money ---------------------------------------------------------------- */

static const struct currency *find_currency(struct text code)
{
    for (size_t i = 0; i < sizeof currencies / sizeof *currencies; i++)
        if (text_is(code, currencies[i].code))
            return &currencies[i];
    return NULL;
}

static struct text symbol_of(const struct locale *locale, const struct currency *currency,
                             struct text code)
{
    if (currency == NULL || locale == &plain)
        return code;
    bool is_home = currency->home != NULL && text_is(text_of(currency->home), locale->tag);
    return text_of(is_home ? currency->symbol_home : currency->symbol);
}

static void write_amount(const struct locale *locale, const struct digits *digits,
                         struct text symbol, uint32_t least, struct buf *out)
{
    /* "CHF 5", but "€5": letters want room. */
    char last = symbol.size != 0 ? symbol.data[symbol.size - 1] : ' ';
    bool wants_room = last >= 'A' && last <= 'Z';
    if (digits->is_negative)
        buf_byte(out, '-');
    if (locale->has_money_first) {
        append(out, symbol);
        if (wants_room)
            buf_text(out, NBSP);
    }
    write_digits(locale, digits, true, least, out);
    if (!locale->has_money_first) {
        buf_text(out, NBSP);
        append(out, symbol);
    }
}

/* {amount, currency}, or a number and the currency of the format. */
static bool write_money(const struct locale_format *format, const struct doc_value *value,
                        struct buf *out)
{
    char number[NUMBER_SIZE];
    struct digits digits;
    struct doc_value amount = *value;
    struct text code = format->detail;
    if (value->type == DOC_DOC) {
        amount = doc_get(value->doc, "amount");
        code = doc_text(value->doc, "currency");
    }
    const struct currency *currency = find_currency(code);
    int least = currency != NULL ? currency->digits : 2;
    if (!read_digits(number_text(&amount, least, number), &digits) ||
        (code.size != 0 && !is_currency(code)))
        return false;
    if (code.size != 0) {
        write_amount(format->locale, &digits, symbol_of(format->locale, currency, code),
                     (uint32_t)least, out);
        return true;
    }
    if (digits.is_negative)
        buf_byte(out, '-');
    write_digits(format->locale, &digits, true, (uint32_t)least, out);
    return true;
}

/* -- Dates ---------------------------------------------------------------- */

static void write_date(const struct locale *locale, const struct civil *civil, struct buf *out)
{
    for (const char *at = locale->date; *at != '\0'; at++) {
        if (*at == 'D')
            buf_printf(out, "%d", civil->day);
        else if (*at == 'T')
            buf_printf(out, "%02d", civil->day);
        else if (*at == 'M')
            buf_text(out, locale->months[civil->month - 1]);
        else if (*at == 'N')
            buf_printf(out, "%d", civil->month);
        else if (*at == 'O')
            buf_printf(out, "%02d", civil->month);
        else if (*at == 'Y')
            buf_printf(out, locale == &plain ? "%04d" : "%d", civil->year);
        else
            buf_byte(out, (uint8_t)*at);
    }
}

static void write_time(const struct locale *locale, const struct civil *civil, struct buf *out)
{
    int hour = civil->hour % 12 == 0 ? 12 : civil->hour % 12;
    if (locale->is_half_day)
        buf_printf(out, "%d:%02d" NBSP "%s", hour, civil->minute, civil->hour < 12 ? "AM" : "PM");
    else
        buf_printf(out, "%02d:%02d", civil->hour, civil->minute);
}

/* What a clock on the wall shows; *out_is_date: there is no time of day in it. */
static bool read_moment(const struct locale_format *format, const struct doc_value *value,
                        int64_t *out_local_ms, bool *out_is_date)
{
    int64_t ms = 0, day;
    bool has_offset = true;
    *out_is_date = false;
    if (value->type == DOC_TEXT) {
        struct text text = value->text;
        *out_is_date = moment_parse_date(text.data, text.size, &day, NULL) == 0;
        if (*out_is_date)
            *out_local_ms = day * CIVIL_DAY_MS;
        if (*out_is_date)
            return true;
        if (moment_parse_loose(text.data, text.size, &ms, &has_offset, NULL) != 0)
            return false;
    } else if (value->type == DOC_DATETIME || value->type == DOC_INT64) {
        ms = value->integer;
    } else if (value->type == DOC_DOUBLE && fabs(value->number) < DOUBLE_DIGITS_MOST) {
        ms = (int64_t)value->number;
    } else {
        return false;
    }
    if (ms < CIVIL_MS_MIN + CIVIL_DAY_MS || ms > CIVIL_MS_MAX - CIVIL_DAY_MS)
        return false; /* a zone could lead out of the calendar */
    *out_local_ms = has_offset ? zone_local_from_ms(format->zone, ms) : ms;
    return true;
}

static bool write_moment(const struct locale_format *format, const struct doc_value *value,
                         struct buf *out)
{
    struct civil civil;
    int64_t local_ms;
    bool is_date;
    if (!read_moment(format, value, &local_ms, &is_date))
        return false;
    civil_from_local_ms(local_ms, &civil);
    if (format->style != LOCALE_TIME)
        write_date(format->locale, &civil, out);
    if (format->style == LOCALE_DATE || (is_date && format->style != LOCALE_TIME))
        return true;
    if (format->style != LOCALE_TIME)
        buf_text(out, format->locale->between);
    write_time(format->locale, &civil, out);
    return true;
}

/* -- Any value ------------------------------------------------------------ */

static void write_natural(const struct locale_format *format, const struct doc_value *value,
                          struct buf *out)
{
    struct locale_format natural = { format->locale, format->zone, LOCALE_NATURAL, { "", 0 } };
    bool is_money = value->type == DOC_DOC && doc_text(value->doc, "currency").size != 0;
    if (value->type == DOC_NONE || value->type == DOC_NULL)
        return;
    if (value->type == DOC_TEXT)
        append(out, value->text);
    else if (!(is_money && write_money(&natural, value, out)) &&
             !(value->type == DOC_DATETIME && write_moment(&natural, value, out)) &&
             !write_number(&natural, value, out))
        json_write_value(out, value);
}

void locale_write(const struct locale_format *format, const struct doc_value *value,
                  struct buf *out)
{
    bool is_written = false;
    switch (format->style) {
    case LOCALE_NATURAL:
        break;
    case LOCALE_NUMBER:
        is_written = write_number(format, value, out);
        break;
    case LOCALE_MONEY:
        is_written = write_money(format, value, out);
        break;
    case LOCALE_DATE:
    case LOCALE_TIME:
    case LOCALE_DATETIME:
        is_written = write_moment(format, value, out);
        break;
    }
    if (!is_written)
        write_natural(format, value, out);
}

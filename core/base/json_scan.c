/* json_scan.c -- decoding JSON's scalars; see json_scan.h.
 *
 * Text is copied eight bytes at a time up to the next quote or backslash; where
 * they are in a word is found by arithmetic, not by a loop.
 *
 * A number is read once: its digits are checked and gathered in the same loop.
 * Whole numbers are then done.  A decimal number with at most 15 digits and a
 * small exponent is its digits times or divided by a power of ten; both are exact
 * doubles, so that IEEE 754 itself rounds the quotient correctly.  Only what is
 * left goes to the general conversion.
 */
#include "core/base/json_scan.h"

#include "core/base/doc_layout.h"
#include "core/base/err.h"
#include "core/base/number.h"

#include <limits.h>
#include <math.h>

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

int json_fault(struct json_scan *scan, size_t at, int code, const char *reason)
{
    if (scan->fault.reason == NULL)
        scan->fault = (struct json_trouble){ reason, code, at };
    return code;
}

void json_flaw(struct json_scan *scan, size_t at, int code, const char *reason)
{
    if (scan->flaw.reason == NULL)
        scan->flaw = (struct json_trouble){ reason, code, at };
}

/* Text. */

static uint64_t zero_bytes(uint64_t word)
{
    return (word - ONES) & ~word & HIGHS;
}

/* Copy up to the next quote or backslash, of which there is one before `end`. */
static const uint8_t *copy_plain(const uint8_t *from, const uint8_t *end, uint8_t **to)
{
    for (; end - from >= 8; from += 8, *to += 8) {
        uint64_t word = load64(from);
        memcpy(*to, &word, sizeof word);
        uint64_t special = zero_bytes(word ^ ONES * '"') | zero_bytes(word ^ ONES * '\\');
        if (special != 0) {
            unsigned n = (unsigned)__builtin_ctzll(special) / 8;
            *to += n;
            return from + n;
        }
    }
    while (*from != '"' && *from != '\\')
        *(*to)++ = *from++;
    return from;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four digits, or -1.  The closing quote is none, which stops the reading. */
static int32_t hex_four(const uint8_t *at)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static uint8_t *put_character(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (uint8_t)c;
    } else if (c < 0x800) {
        *to++ = (uint8_t)(0xc0 | c >> 6);
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xe0 | c >> 12);
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | c >> 18);
        *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    }
    return to;
}

/* The character of the escape \uXXXX at `at`, or -1; *out_size is 6, or 12 for a
 * surrogate pair.  Half a pair alone is given as it is. */
static int32_t escaped_character(const uint8_t *at, unsigned *out_size)
{
    int32_t high = hex_four(at + 2);
    *out_size = 6;
    if (high < 0xd800 || high > 0xdbff || at[6] != '\\' || at[7] != 'u')
        return high;
    int32_t low = hex_four(at + 8);
    if (low < 0xdc00 || low > 0xdfff)
        return high;
    *out_size = 12;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static uint8_t short_escape(uint8_t c)
{
    static const uint8_t meaning[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    return c < sizeof meaning ? meaning[c] : 0;
}

int json_scan_text(struct json_scan *scan, struct json_text text, size_t at, uint8_t *to,
                   uint32_t *out_size)
{
    const uint8_t *bytes = (const uint8_t *)text.data, *end = bytes + text.size;
    const uint8_t *from = bytes + at + 1;
    uint8_t *start = to;
    for (;;) {
        from = copy_plain(from, end, &to);
        if (*from == '"')
            break;
        uint8_t plain = short_escape(from[1]);
        if (plain != 0) {
            *to++ = plain;
            from += 2;
            continue;
        }
        unsigned size = 0;
        int32_t c = from[1] == 'u' ? escaped_character(from, &size) : -1;
        if (c < 0)
            return json_fault(scan, (size_t)(from - bytes), E_INVALID,
                              "an escape that JSON does not have");
        if (c >= 0xd800 && c <= 0xdfff)
            json_flaw(scan, (size_t)(from - bytes), E_INVALID, "half of a surrogate pair alone");
        to = put_character(to, c == 0 ? scan->nul : (uint32_t)c);
        from += size;
    }
    *out_size = (uint32_t)(to - start);
    return 0;
}

/* Numbers and words. */

/* A scalar must be followed by something that can follow one.  A quote cannot: the
 * index has no token for a string that begins right behind a scalar. */
static bool ends_at(struct json_text text, size_t at)
{
    static const bool delimiter[256] = {
        [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true, [','] = true,
        [':'] = true, ['{'] = true,  ['}'] = true,  ['['] = true,  [']'] = true,
    };
    return at == text.size || delimiter[(uint8_t)text.data[at]];
}

#define DIGITS_MAX 19          /* as many always fit uint64 */
#define EXPONENT_CAP 1000000000000 /* beyond any number of digits a text can hold */

struct decimal {
    uint64_t digits;  /* the first DIGITS_MAX significant ones */
    unsigned count;   /* how many those are */
    int64_t exponent; /* of ten, to be applied to them */
    bool is_exact;    /* no further digit */
};

static void digit_add(struct decimal *decimal, char c)
{
    if (decimal->count == DIGITS_MAX) {
        decimal->exponent++;
        decimal->is_exact = false;
        return;
    }
    decimal->digits = decimal->digits * 10 + (uint64_t)(c - '0');
    decimal->count += decimal->digits != 0;
}

static size_t digits_read(struct json_text text, size_t at, struct decimal *decimal)
{
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        digit_add(decimal, text.data[at]);
    return at;
}

/* The digits after e, E, e+ or e- up to *at; false if there are none. */
static bool exponent_read(struct json_text text, size_t *at, struct decimal *decimal)
{
    bool is_negative = *at < text.size && text.data[*at] == '-';
    if (is_negative || (*at < text.size && text.data[*at] == '+'))
        ++*at;
    size_t start = *at;
    int64_t exponent = 0;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at)
        if (exponent < EXPONENT_CAP)
            exponent = exponent * 10 + (text.data[*at] - '0');
    decimal->exponent += is_negative ? -exponent : exponent;
    return *at > start;
}

/* The fraction and exponent behind the whole part; false if malformed. */
static bool tail_read(struct json_text text, size_t *at, struct decimal *decimal)
{
    if (*at < text.size && text.data[*at] == '.') {
        size_t start = ++*at;
        *at = digits_read(text, start, decimal);
        decimal->exponent -= (int64_t)(*at - start);
        if (*at == start)
            return false;
    }
    if (*at == text.size || (text.data[*at] | 0x20) != 'e')
        return true;
    ++*at;
    return exponent_read(text, at, decimal);
}

static bool whole_fits(const struct decimal *decimal, bool is_negative, int64_t *out_value)
{
    if (!decimal->is_exact || decimal->digits > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out_value = (int64_t)(is_negative ? 0 - decimal->digits : decimal->digits);
    return true;
}

/* The nearest double to the number in text[at..end); infinite if none is near. */
static double to_double(struct json_text text, size_t at, size_t end, const struct decimal *decimal,
                        bool is_negative)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    double value = 0;
    if (decimal->is_exact && decimal->digits <= 1ull << 53 && decimal->exponent >= -22 &&
        decimal->exponent <= 22) {
        value = (double)decimal->digits;
        value = decimal->exponent < 0 ? value / powers[-decimal->exponent]
                                      : value * powers[decimal->exponent];
        return is_negative ? -value : value;
    }
    if (decimal->digits != 0 && number_parse(text.data + at, end - at, &value))
        return value;
    bool is_huge = decimal->digits != 0 && decimal->exponent + decimal->count > 0;
    return copysign(is_huge ? INFINITY : 0.0, is_negative ? -1.0 : 1.0);
}

int json_scan_number(struct json_scan *scan, struct json_text text, size_t at, uint8_t *to,
                     enum doc_type *out_type)
{
    struct decimal decimal = { .is_exact = true };
    bool is_negative = text.data[at] == '-';
    size_t start = at + is_negative;
    size_t whole_end = digits_read(text, start, &decimal), end = whole_end;
    bool has_digits = whole_end > start && (text.data[start] != '0' || whole_end == start + 1);
    if (!has_digits || !tail_read(text, &end, &decimal) || !ends_at(text, end))
        return json_fault(scan, at, E_INVALID, "a malformed number");

    int64_t integer = 0;
    if (end == whole_end && whole_fits(&decimal, is_negative, &integer)) {
        memcpy(to, &integer, sizeof integer);
        *out_type = DOC_INT64;
        return 0;
    }
    double number = to_double(text, at, end, &decimal, is_negative);
    if (isinf(number))
        json_flaw(scan, at, E_INVALID, "a number too large for a double");
    memcpy(to, &number, sizeof number);
    *out_type = DOC_DOUBLE;
    return 0;
}

static bool word_is(struct json_text text, size_t at, const char *word, size_t size)
{
    return text.size - at >= size && memcmp(text.data + at, word, size) == 0 &&
           ends_at(text, at + size);
}

int json_scan_word(struct json_scan *scan, struct json_text text, size_t at, uint8_t *to,
                   enum doc_type *out_type)
{
    bool is_true = word_is(text, at, "true", 4);
    if (is_true || word_is(text, at, "false", 5)) {
        *to = is_true;
        *out_type = DOC_BOOL;
        return 0;
    }
    *out_type = DOC_NULL;
    return word_is(text, at, "null", 4) ? 0 : json_fault(scan, at, E_INVALID, "a value expected");
}

/* decimal.c -- decimal128 as text; see decimal.h.
 *
 *     bit 127    126..113          112..0
 *     sign       exponent + 6176   coefficient, at most 10^34 - 1
 *
 * unless the two bits after the sign are both set: then a third and fourth tell
 * infinity and NaN from coefficients beyond 10^34, which count as zero.
 *
 * The coefficient becomes digits by dividing it as four 32-bit words by 10^9,
 * nine digits at a time.  The text is the "to-scientific-string" of the General
 * Decimal Arithmetic specification: plain unless the exponent is positive or the
 * number has more than five zeros behind the point.
 */
#include "core/base/decimal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define EXPONENT_BIAS 6176
#define DIGITS_MAX 34
#define GROUP 1000000000u /* nine digits */
#define GROUPS 5          /* 45 digits, more than 128 bits need */

struct parts {
    bool is_negative;
    int exponent;
    char digits[9 * GROUPS + 1]; /* without leading zeros, "0" at least */
};

/* Divide the words, most significant first, by 10^9; returns the remainder. */
static uint32_t divide(uint32_t words[4])
{
    uint64_t rest = 0;
    for (int i = 0; i < 4; i++) {
        rest = rest << 32 | words[i];
        words[i] = (uint32_t)(rest / GROUP);
        rest %= GROUP;
    }
    return (uint32_t)rest;
}

static void digits_format(uint64_t high, uint64_t low, char digits[9 * GROUPS + 1])
{
    uint32_t words[4] = { (uint32_t)(high >> 32), (uint32_t)high, (uint32_t)(low >> 32),
                          (uint32_t)low };
    char all[9 * GROUPS + 1];
    for (int i = GROUPS - 1; i >= 0; i--) {
        uint32_t group = divide(words);
        for (int j = 8; j >= 0; j--, group /= 10)
            all[9 * i + j] = (char)('0' + group % 10);
    }
    all[9 * GROUPS] = '\0';
    size_t zeros = strspn(all, "0");
    if (zeros == 9 * GROUPS)
        zeros--;
    memcpy(digits, all + zeros, 9 * GROUPS + 1 - zeros);
}

static struct parts parts_of(uint64_t high, uint64_t low)
{
    struct parts parts = { .is_negative = high >> 63 != 0, .digits = "0" };
    if ((high >> 61 & 3) == 3) {
        parts.exponent = (int)(high >> 47 & 0x3fff) - EXPONENT_BIAS;
        return parts;
    }
    parts.exponent = (int)(high >> 49 & 0x3fff) - EXPONENT_BIAS;
    digits_format(high & 0x1ffffffffffff, low, parts.digits);
    if (strlen(parts.digits) > DIGITS_MAX)
        memcpy(parts.digits, "0", 2);
    return parts;
}

static int scientific(const struct parts *parts, const char *sign, int exponent, char *out)
{
    const char *point = parts->digits[1] != '\0' ? "." : "";
    return snprintf(out, DECIMAL_TEXT_SIZE, "%s%c%s%sE%+d", sign, parts->digits[0], point,
                    parts->digits + 1, exponent);
}

static int plain(const struct parts *parts, const char *sign, char *out)
{
    int size = (int)strlen(parts->digits), whole = size + parts->exponent;
    if (parts->exponent == 0)
        return snprintf(out, DECIMAL_TEXT_SIZE, "%s%s", sign, parts->digits);
    if (whole > 0)
        return snprintf(out, DECIMAL_TEXT_SIZE, "%s%.*s.%s", sign, whole, parts->digits,
                        parts->digits + whole);
    return snprintf(out, DECIMAL_TEXT_SIZE, "%s0.%.*s%s", sign, -whole, "00000", parts->digits);
}

size_t decimal_format(const uint8_t decimal[16], char out_text[DECIMAL_TEXT_SIZE])
{
    uint64_t low, high;
    memcpy(&low, decimal, sizeof low);
    memcpy(&high, decimal + 8, sizeof high);
    const char *sign = high >> 63 != 0 ? "-" : "";
    unsigned special = (unsigned)(high >> 58 & 0x1f);
    if (special == 0x1f)
        return (size_t)snprintf(out_text, DECIMAL_TEXT_SIZE, "NaN");
    if (special == 0x1e)
        return (size_t)snprintf(out_text, DECIMAL_TEXT_SIZE, "%sInfinity", sign);

    struct parts parts = parts_of(high, low);
    int exponent = (int)strlen(parts.digits) - 1 + parts.exponent;
    int size = parts.exponent > 0 || exponent < -6 ? scientific(&parts, sign, exponent, out_text)
                                                   : plain(&parts, sign, out_text);
    return (size_t)size;
}

/* amount.c -- see amount.h. */
#include "core/base/amount.h"

#include "core/base/err.h"
#include "core/base/near.h"
#include "core/base/number.h"

#include <math.h>
#include <stdio.h>

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* Digits with at most one point among them, a sign in front; *out_amount is exact. */
static int parse(struct text text, int64_t *out_amount, struct err *err)
{
    struct near_quote quote;
    const char *at = text.data, *end = at + text.size;
    bool is_negative = at != end && *at == '-', has_digits = false;
    int64_t amount = 0;
    int behind = -1; /* digits read behind the point; -1: before it */
    at += is_negative ? 1 : 0;
    for (; at != end && (is_digit(*at) || (*at == '.' && behind < 0)); at++) {
        if (*at == '.') {
            behind = 0;
            continue;
        }
        has_digits = true;
        if (behind >= AMOUNT_DIGITS && *at != '0')
            return err_set(err, E_INVALID, "\"%s\" has more than %d digits behind the point",
                           near_quote(text.data, text.size, &quote), AMOUNT_DIGITS);
        if (behind >= AMOUNT_DIGITS)
            continue;
        behind += behind >= 0 ? 1 : 0;
        amount = amount * 10 + (*at - '0');
        if (amount > AMOUNT_MAX)
            return err_set(err, E_LIMIT, "an amount is at most %lld",
                           (long long)(AMOUNT_MAX / AMOUNT_ONE));
    }
    if (at != end || !has_digits)
        return err_set(err, E_INVALID, "\"%s\" is no amount: write it as \"12.50\"",
                       near_quote(text.data, text.size, &quote));
    for (behind = behind < 0 ? 0 : behind; behind < AMOUNT_DIGITS; behind++)
        amount = amount <= AMOUNT_MAX ? amount * 10 : amount;
    if (amount > AMOUNT_MAX)
        return err_set(err, E_LIMIT, "an amount is at most %lld",
                       (long long)(AMOUNT_MAX / AMOUNT_ONE));
    *out_amount = is_negative ? -amount : amount;
    return 0;
}

int amount_read(const struct doc_value *value, int64_t *out_amount, struct err *err)
{
    char number[NUMBER_TEXT_SIZE + 1];
    struct text text = { number, 0 };
    switch (value->type) {
    case DOC_TEXT:
        text = value->text;
        break;
    case DOC_INT64:
        text.size = (uint32_t)snprintf(number, sizeof number, "%lld", (long long)value->integer);
        break;
    case DOC_DOUBLE:
        if (!isfinite(value->number))
            return err_set(err, E_INVALID, "an amount is a number that ends");
        text.size = (uint32_t)number_format(value->number, number);
        break;
    default:
        return err_set(err, E_INVALID, "an amount is a number, or text like \"12.50\"");
    }
    return parse(text, out_amount, err);
}

size_t amount_format(int64_t amount, char out_text[AMOUNT_TEXT_SIZE])
{
    int64_t units = amount < 0 ? -amount : amount;
    int64_t rest = units % AMOUNT_ONE;
    int size = snprintf(out_text, AMOUNT_TEXT_SIZE, "%s%lld", amount < 0 ? "-" : "",
                        (long long)(units / AMOUNT_ONE));
    if (rest == 0)
        return (size_t)size;
    size += snprintf(out_text + size, AMOUNT_TEXT_SIZE - (size_t)size, ".%04d", (int)rest);
    for (int digits = AMOUNT_DIGITS; digits > 2 && out_text[size - 1] == '0'; digits--)
        out_text[--size] = '\0';
    return (size_t)size;
}

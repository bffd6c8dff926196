/* amount.h -- amounts of money, exactly.
 *
 * An amount is a whole number of ten-thousandths: enough for every currency and for a price per
 * piece, and a sum of them is exact.  It is written as text, "12.50", for a number with a fraction
 * would be a double to whoever reads JSON or Lua.  Which currency it is of is the caller's to know.
 *
 * Pure; any thread.
 */
#ifndef CORE_BASE_AMOUNT_H
#define CORE_BASE_AMOUNT_H

#include "core/base/doc.h"

struct err;

#define AMOUNT_ONE 10000 /* units of 1 */
#define AMOUNT_DIGITS 4  /* behind the point */
#define AMOUNT_MAX INT64_C(9000000000000000)
#define AMOUNT_TEXT_SIZE 24

/* Text like "12.50" or "-3", a whole number, or a double that has no more digits than an amount.
 * E_INVALID: it is none of these; E_LIMIT: beyond AMOUNT_MAX either way. */
int amount_read(const struct doc_value *value, int64_t *out_amount, struct err *err);

/* "12.50", "0.125", "1500": no fraction, or two digits of it at least.  Its length. */
size_t amount_format(int64_t amount, char out_text[AMOUNT_TEXT_SIZE]);

#endif

/* decimal.h -- decimal128 (IEEE 754-2008) as text.
 *
 * Documents may hold decimals that others wrote; Kith passes them on and shows
 * them, and does not calculate with them.  Any thread.
 */
#ifndef CORE_BASE_DECIMAL_H
#define CORE_BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_TEXT_SIZE 48 /* more than the longest and a terminator */

/* The form BSON's specification gives: 12.50, 1.2E+10, NaN, -Infinity.  Bytes
 * little-endian with a binary coefficient.  Returns the length; terminated. */
size_t decimal_format(const uint8_t decimal[16], char out_text[DECIMAL_TEXT_SIZE]);

#endif

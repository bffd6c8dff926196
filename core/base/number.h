/* number.h -- doubles as decimal text and back, whatever the locale.
 *
 * The C library's own functions ask the locale for the decimal point and write no
 * shortest form.  The C++ library's do neither; this is their C interface.
 * Any thread.
 */
#ifndef CORE_BASE_NUMBER_H
#define CORE_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NUMBER_TEXT_SIZE 32 /* more than the longest double and a terminator */

/* The double nearest to all of text[0..size): digits with an optional minus,
 * fraction and exponent.  False if it is something else, or too large for a
 * double, or too small to be told from zero. */
bool number_parse(const char *text, size_t size, double *out_number);

/* The shortest text that number_parse() reads as the same finite number: 5, 0.1,
 * 1e+300.  Minus zero is written 0.  Returns its length; it is terminated. */
size_t number_format(double number, char out_text[NUMBER_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif

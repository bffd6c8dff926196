/* blank.h -- whether there is anything to be seen in a text.
 *
 * Blank are white space, control characters and what Unicode says is not shown (joiners, marks of
 * direction, soft hyphens), in whatever number.  Bytes that are no character are not blank.
 *
 * Pure; from any thread.
 */
#ifndef CORE_BASE_BLANK_H
#define CORE_BASE_BLANK_H

#include <stdbool.h>
#include <stddef.h>

bool blank_text(const char *text, size_t size); /* an empty one is */

#endif

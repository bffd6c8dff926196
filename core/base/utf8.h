/* utf8.h -- the three things a system that passes text along has to know.
 *
 * Valid means what the Unicode Standard (table 3-7) says: shortest forms only,
 * no surrogates, nothing above U+10FFFF.  U+0000 is a character like any other.
 * Any thread; no function keeps state.
 */
#ifndef CORE_BASE_UTF8_H
#define CORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

bool utf8_valid(const void *data, size_t size);

/* Bytes of the longest valid prefix; `size` when all of it is valid. */
size_t utf8_valid_prefix(const void *data, size_t size);

/* Append the text to `out` with one U+FFFD for each maximal part that cannot
 * belong to a character: the practice of the Unicode Standard and of browsers,
 * so that two systems that clean the same bytes agree. */
void utf8_clean(const void *data, size_t size, struct buf *out);

/* Bytes of the longest prefix of valid text that has at most `size_max` bytes
 * and does not end inside a character.  Of invalid text it removes at most the
 * three bytes that could belong to a cut character. */
size_t utf8_cut(const void *data, size_t size, size_t size_max);

#endif

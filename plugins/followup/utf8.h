/* utf8.h -- one character at a time (RFC 3629), and which of them may be text in XML and iCalendar.
 *
 * Everything that leaves is written through utf8_next(), so that a broken byte in a title can
 * neither make an answer that no parser takes nor hide the one after it.
 */
#ifndef PLUGINS_FOLLOWUP_UTF8_H
#define PLUGINS_FOLLOWUP_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD, for what is no character */

/* Bytes of the character at `text`, 1 to 4; 0 when what begins there within `size` bytes is not
 * the shortest form of a Unicode scalar value. */
size_t utf8_length(const char *text, size_t size);

bool utf8_is_valid(const char *text, size_t size);

/* Is nothing of it to be seen, as Kith understands that of the texts that a record needs?  NULL: so
 * it is. */
bool utf8_is_blank(const char *text);

/* May the character of `length` bytes be text?  Control characters but tab and line ends may
 * not, nor U+FFFE and U+FFFF (XML 1.0, 2.2; RFC 5545, 3.1). */
bool utf8_is_text(const char *character, size_t length);

/* How many bytes at the beginning are printable ASCII and none of `special`: most of most texts,
 * which need not be looked at character by character. */
size_t utf8_plain(const char *text, size_t size, const char *special);

/* The next character of *text as something that may be written: itself, the replacement for a
 * broken byte, or NULL for one that is left out.  Moves *text and takes from *size;
 * *out_length is the length of what is returned.  Not to be called with *size 0. */
const char *utf8_next(const char **text, size_t *size, size_t *out_length);

#endif

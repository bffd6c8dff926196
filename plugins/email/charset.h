/* charset.h -- text of any charset that mail uses becomes valid UTF-8.
 *
 * The charsets are a list of our own: iconv loads a module of code for a name, and a stranger's
 * mail is not who chooses what is loaded.  Labels mean what browsers take them for: iso-8859-1
 * and us-ascii are windows-1252, gb2312 is gb18030, iso-2022-jp has half-width kana (shift.h).
 * Under an unknown label bytes are UTF-8 if they can be, else windows-1252.  What cannot be
 * converted becomes U+FFFD; the result never has a NUL.
 */
#ifndef PLUGINS_EMAIL_CHARSET_H
#define PLUGINS_EMAIL_CHARSET_H

#include "bytes.h"

/* To so many bytes one grows at most: half a half-width kana, each of whose two is replaced. */
#define CHARSET_GROWTH_MAX 6

/* Append `text`, labelled `charset`, as UTF-8. */
void charset_decode(struct span charset, struct span text, struct bytes *out);

/* Is it a label of the list? */
bool charset_is_known(struct span charset);

/* The same, but nothing and false where `charset` is unknown or `text` cannot be of it; a character
 * that the end cuts off is allowed. */
bool charset_decode_strictly(struct span charset, struct span text, struct bytes *out);

/* The bytes of the character at the beginning, 1 to 4; 0 when it is not valid UTF-8. */
size_t utf8_size(struct span text);
bool utf8_is_valid(struct span text);
bool utf8_is_ascii(struct span text);
void utf8_clean(struct span text, struct bytes *out); /* what is invalid becomes U+FFFD */

#endif

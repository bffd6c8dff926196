/* word.h -- encoded words: text beyond ASCII in header fields (RFC 2047), both ways.
 *
 * Writing keeps lines within 76 columns, never cuts a character and takes the shorter of the
 * two encodings.  Reading is kind: words of one charset are joined before they are converted,
 * since programs cut characters; a damaged word stays as it stands.
 */
#ifndef PLUGINS_EMAIL_WORD_H
#define PLUGINS_EMAIL_WORD_H

#include "bytes.h"

#define HEADER_COLUMNS 76   /* lines of header fields are folded here where they can be */
#define HEADER_LINE_MAX 998 /* and here they must be (RFC 5322, section 2.1.1) */

/* Is `text` anything that must be encoded to stay itself in a header field: beyond ASCII, or
 * looking like an encoded word, or a run without blanks that no line can hold? */
bool word_is_needed(struct span text);

/* Append valid UTF-8 as encoded words, folded; *io_column is the column of the line so far. */
void word_encode(struct bytes *out, struct span text, size_t *io_column);

/* The bytes of the encoded word that `text` begins with; 0 when it begins with none. */
size_t word_size(struct span text);

/* Append the meaning of a field's value as UTF-8: unfolded, its encoded words decoded. */
void word_decode(struct span value, struct bytes *out);

#endif

/* text.h -- texts of other people: cut, compared and looked through.
 *
 * Letters are compared as ASCII's are, without regard to case; all other characters byte by byte,
 * so a word with an umlaut is found as it was configured.  Nothing is allocated.  Any thread.
 */
#ifndef PLUGINS_COMPLAINT_TEXT_H
#define PLUGINS_COMPLAINT_TEXT_H

#include "kith.h"

#define TEXT_LETTERS_MAX 8000
#define TEXT_BYTES_MAX 24000

/* At most `size_max` bytes of it, no character cut. */
struct kith_text text_cut(struct kith_text text, size_t size_max);

/* As much of what somebody wrote as a complaint keeps: TEXT_LETTERS_MAX characters, and fewer where
 * they are of four bytes each, since a record has its bounds. */
struct kith_text text_kept(struct kith_text text);

/* Can mail go there: "ann@example.com", without a name, blanks, quotes and brackets? */
int text_is_address(struct kith_text text);

/* Is nothing of it to be seen, as the engine understands that of the texts that a record needs? */
int text_is_blank(struct kith_text text);

int text_is_same(struct kith_text a, struct kith_text b);
int text_has(struct kith_text text, struct kith_text word); /* an empty word: never */

/* Whether one of a list of texts stands in it, or is it. */
int text_has_any(struct kith_text text, struct kith_doc words);
int text_is_any(struct kith_text text, struct kith_doc words);

/* N of the first "[complaint:N]"; 0: there is none. */
int64_t text_reference(struct kith_text text);

#endif

/* reference.h -- what the tables of words say to people: a page, and one word at a time.
 *
 * Everything is appended to a buffer.  Any thread.
 */
#ifndef CORE_SCRIPT_REFERENCE_H
#define CORE_SCRIPT_REFERENCE_H

#include <stdbool.h>

struct buf;

/* docs/lua-reference.md, in Markdown: the same source gives the same bytes. */
void reference_page(struct buf *out);

/* All words, a line each, by chapter; for a terminal. */
void reference_overview(struct buf *out);
/* All there is to know of the words of this name ("remind", "customer:set" or "set"); false: there
 * is none, and nothing was appended. */
bool reference_word(struct buf *out, const char *name);
/* The name of a word that was probably meant; NULL: none is near. */
const char *reference_near(const char *name);

#endif

/* markdown.h -- text that stands in Markdown as it was meant.
 *
 * Any thread.
 */
#ifndef CORE_BASE_MARKDOWN_H
#define CORE_BASE_MARKDOWN_H

#include "core/base/doc.h"

struct buf;

/* Append the text so that CommonMark and its usual additions (tables, strikethrough, links that
 * nobody has marked) show it as the words that it is: a customer who calls herself
 * "[You have won](http://evil.example)" puts no link into a message.  Backslashes do it
 * (https://spec.commonmark.org/0.31.2/#backslash-escapes), which the target of a link understands
 * too, and a code span does not.  U+0000, which
 * Markdown cannot have, is left out. */
void markdown_escape(struct text text, struct buf *out);

#endif

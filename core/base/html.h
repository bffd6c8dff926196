/* html.h -- text that stands in a page as it was meant.
 *
 * Any thread.
 */
#ifndef CORE_BASE_HTML_H
#define CORE_BASE_HTML_H

#include "core/base/doc.h"

struct buf;

/* Append the text so that it reads the same within an element and within a quoted attribute:
 * `& < > " '` become references.  U+0000, which HTML cannot have, is left out. */
void html_escape(struct text text, struct buf *out);

#endif

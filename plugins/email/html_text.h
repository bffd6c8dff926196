/* html_text.h -- the words of an HTML mail, for people who answer in nothing else.
 *
 * No parser of HTML: tags go, style, script and comments go with what is in them, blocks and
 * <br> end lines, common entities become characters.  Never more than what came in.
 */
#ifndef PLUGINS_EMAIL_HTML_TEXT_H
#define PLUGINS_EMAIL_HTML_TEXT_H

#include "bytes.h"

void html_text(struct span html, struct bytes *out);

#endif

/* param.h -- a value with parameters, such as Content-Type: text/plain; charset=utf-8
 * (RFC 2045, section 5.1; RFC 2231 for long parameters and those beyond ASCII), both ways.
 */
#ifndef PLUGINS_EMAIL_PARAM_H
#define PLUGINS_EMAIL_PARAM_H

#include "bytes.h"

#define PARAM_SECTIONS_MAX 32 /* pieces of one parameter (RFC 2231, section 3); more are ignored */

/* What stands before the first semicolon, trimmed: "text/plain". */
struct span param_main(struct span value);

/* Append parameter `name` as UTF-8, pieces joined and charsets converted; false when the value
 * has none.  Encoded words inside quotes, which many programs send, are decoded too. */
bool param_get(struct span value, const char *name, struct bytes *out);

/* Append `; name=value`, folded, in the plainest form that holds `value`, valid UTF-8. */
void param_add(struct bytes *out, const char *name, struct span value, size_t *io_column);

/* Is it a token of RFC 2045, at least one character? */
bool param_is_token(struct span text);

#endif

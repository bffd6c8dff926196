/* field.h -- one field of a header, written so that it stays one (RFC 5322, section 2.2).
 *
 * Here is where header injection ends: whatever a template, a customer's name or a
 * configuration brings, CR, LF, NUL and other controls in a name or value are refused, and so
 * is a name that is not one.
 */
#ifndef PLUGINS_EMAIL_FIELD_H
#define PLUGINS_EMAIL_FIELD_H

#include "bytes.h"

#define FIELD_NAME_MAX 76
#define FIELD_VALUE_MAX (16u * 1024) /* bytes before folding and encoding */

struct fault;

/* Printable ASCII without a colon, 1 to FIELD_NAME_MAX characters. */
int field_check_name(struct span name, struct fault *fault);

/* Valid UTF-8 without controls, at most FIELD_VALUE_MAX bytes; `name` is for the fault. */
int field_check_value(struct span name, struct span value, struct fault *fault);

/* Append `name: value` CRLF, folded at blanks, as encoded words where it must be.  Both have
 * passed the checks above. */
void field_add(struct bytes *out, struct span name, struct span value);

/* The same for a value of ASCII that must not become encoded words: identifiers, URLs. */
void field_add_plain(struct bytes *out, const char *name, struct span value);

#endif

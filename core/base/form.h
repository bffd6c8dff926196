/* form.h -- application/x-www-form-urlencoded, as browsers and other people's servers send it. */
#ifndef CORE_BASE_FORM_H
#define CORE_BASE_FORM_H

#include "core/base/buf.h"
#include "core/base/doc.h"

struct err;

#define FORM_FIELDS_MAX 1000

/* Append to `out` the document of a form: texts, sorted by their names and then by themselves, so
 * that a name may be there more than once, but not with the same text.  A "%" that encodes
 * nothing stays as it is.  E_INVALID: a zero, no UTF-8; E_LIMIT: too many fields. */
int form_read(const char *text, size_t size, struct buf *out, struct doc *out_doc, struct err *err);

/* Append the form of a document, in its order.  E_INVALID: a value is neither text nor a whole
 * number. */
int form_write(struct doc doc, struct buf *out, struct err *err);

#endif

/* http_fields.h -- what a head means, once it is known to be well formed.
 *
 * Everything here is a rule of RFC 9110 or 9112 about fields and targets that a
 * parser of syntax leaves open.  Rules about framing come first: they decide where
 * the request ends.  Nothing is allocated: strings point into the request's head.  Loop
 * thread.
 */
#ifndef CORE_HTTP_HTTP_FIELDS_H
#define CORE_HTTP_HTTP_FIELDS_H

#include "core/http/http_request.h"

/* Read the fields of a parsed head into the members of `request`.  0, or -1 with the
 * refusal. */
int http_fields_check(struct http_request *request, struct http_refusal *out_refusal);

/* Split `target`, terminated and writable, into path, query and, if it is absolute,
 * host.  0, or -1 with the refusal. */
int http_target_split(struct http_request *request, char *target, struct http_refusal *out_refusal);

#endif

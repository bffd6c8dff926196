/* http_local.h -- a request that came over no connection.
 *
 * What in this process wants something of the HTTP interface makes a request of it, and hands it to
 * the handler as if a peer had sent it: read by the same reader, held against the same limits.  The
 * answer goes to a function.
 *
 * A local request cannot be answered by a stream that does not end: http_is_gone() says of it that
 * its peer is there, and http_stream_begin() must not be called.  The loop's thread.
 */
#ifndef CORE_HTTP_HTTP_LOCAL_H
#define CORE_HTTP_HTTP_LOCAL_H

#include "core/http/http.h"

struct buf;
struct err;

/* Once, from inside of whatever answers the request; `body` is borrowed. */
typedef void http_local_fn(void *arg, int status, const char *content_type, const void *body,
                           size_t size);

/* Make a request: `fields` are lines "Name: value\r\n" (may be empty), `body` is taken over.  It is
 * the handler's to end.  E_INVALID: it is none. */
int http_local_new(const char *method, const char *target, const char *fields, struct buf *body,
                   http_local_fn *answered, void *arg, struct http_request **out_request,
                   struct err *err);

/* Nobody hears of the answer any more: it goes another way. */
void http_local_forget(struct http_request *request);

#endif

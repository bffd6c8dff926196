/* http_decode.h -- bodies that arrive compressed.
 *
 * Memory grows with what comes out, never beyond the bound, so that a bomb costs no more than a
 * body that is too large.  Loop thread.
 */
#ifndef CORE_HTTP_HTTP_DECODE_H
#define CORE_HTTP_HTTP_DECODE_H

#include "core/http/http_request.h"

/* Replace the body of `request` by what its Content-Encoding hides, at most `bytes_max`
 * bytes.  0, or -1 with the refusal (400: it is not that; 413: too large) and the body as it
 * was. */
int http_body_decode(struct http_request *request, size_t bytes_max,
                     struct http_refusal *out_refusal);

#endif

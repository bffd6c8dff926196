/* http_reader.h -- from bytes to requests; knows no socket.
 *
 * Feed what has arrived; after each step the reader stops, so that its owner may act
 * on it before the next byte is looked at:
 *
 *     MORE      all bytes are used, the request is not complete
 *     HEAD      `request` is new, its head is whole and sound; a body may follow
 *     DONE      its body is whole too; take `request` before feeding again
 *     REFUSED   the bytes are no request we take; nothing more may be fed
 *
 * After HEAD and DONE feed again, also when no bytes are left: a request without body
 * is DONE without any.  A reader belongs to one connection, on the loop's thread.
 */
#ifndef CORE_HTTP_HTTP_READER_H
#define CORE_HTTP_HTTP_READER_H

#include "core/http/http_request.h"
#include "core/http/http_scan.h"

#include <llhttp.h>

enum http_step { HTTP_STEP_MORE, HTTP_STEP_HEAD, HTTP_STEP_DONE, HTTP_STEP_REFUSED };

struct http_reader {
    llhttp_t parser;
    const struct http_limits *limits;
    struct http_request *request; /* from HEAD to DONE; the owner frees it */
    struct buf head;              /* an incomplete head; empty otherwise */
    struct http_scan scan;
    struct http_refusal refusal;
    uint32_t size_line; /* bytes of the current chunk-size line */
    enum {
        HTTP_READER_HEAD,
        HTTP_READER_BODY, /* none or of known length */
        HTTP_READER_CHUNK_SIZE,
        HTTP_READER_CHUNK,
        HTTP_READER_TRAILER,
    } stage;
    bool is_done;
};

/* `limits` must outlive the reader. */
void http_reader_init(struct http_reader *reader, const struct http_limits *limits);
void http_reader_deinit(struct http_reader *reader); /* not the request */

/* One step with `size` bytes, of which *out_used were looked at; the rest is to be fed again.
 * After REFUSED reader->refusal says why, for the owner to answer with. */
enum http_step http_reader_feed(struct http_reader *reader, const uint8_t *data, size_t size,
                                size_t *out_used);

/* No byte of a request has come since the last one. */
bool http_reader_is_idle(const struct http_reader *reader);

#endif

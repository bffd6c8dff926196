/* http_request.h -- one request, as the files of the server share it.
 *
 * The head arrives as one block of bytes that the request keeps; every string of it
 * is an offset into that block, terminated in place where a separator stood.  A
 * request without body is therefore a single allocation.
 *
 * Owners: the reader while the body is on its way (`is_reading`), the handler from
 * on_request until it has ended it (`is_ended`), and the connection's queue until the
 * answer is on its way.  The memory goes with the last of them; a peer that leaves
 * takes the connection and its queue away (`conn` is NULL then).  Loop thread.
 */
#ifndef CORE_HTTP_HTTP_REQUEST_H
#define CORE_HTTP_HTTP_REQUEST_H

#include "core/base/buf.h"
#include "core/http/http.h"

#include <netinet/in.h>

struct http_conn;

union http_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct http_field {
    uint32_t name, name_size; /* offset into the head; bytes */
    uint32_t value, value_size;
};

struct http_request {
    struct http_conn *conn;
    struct http_request *next; /* the one whose answer follows ours */
    struct buf body;
    struct buf out;   /* answer bytes that wait for their turn */
    struct buf extra; /* field lines that the handler added */
    size_t body_bytes_max;
    size_t stream_bytes_max; /* of an endless answer, not yet taken */
    uint64_t content_length; /* 0 when chunked */
    void *data;
    void (*on_gone)(void *arg);
    void *gone_arg;
    void (*on_drain)(void *arg);
    void *drain_arg;
    void (*answered)(void *arg, int status, const char *content_type, const void *body,
                     size_t size); /* http_local.h; NULL: it came over a connection */
    void *answered_arg;
    const char *method, *path, *query, *host;
    union http_address remote;
    uint32_t field_count;
    bool is_http10, is_head, has_body, is_chunked;
    bool keep_alive;       /* the connection may go on after our answer */
    bool expects_continue; /* 100 Continue is owed when our turn comes */
    bool is_reading;       /* the reader still fills us */
    bool is_ended;         /* the handler is done with us */
    bool is_streaming;     /* the head of an endless answer has been made */
    bool is_blocked;       /* a write was refused; on_drain is owed */
    enum { HTTP_CODING_NONE, HTTP_CODING_GZIP, HTTP_CODING_DEFLATE } coding;
    char *head;
    struct http_field fields[]; /* the head's bytes follow the last one */
};

/* Why a request is answered by the server itself. */
struct http_refusal {
    int status;         /* 400 to 599 */
    const char *detail; /* one line, a literal */
    uint64_t most;      /* what is allowed of what there was too much of; 0: nothing was too much */
    const char *unit;   /* of that */
};

/* 413, with the limit of this request. */
struct http_refusal http_body_too_large(const struct http_request *request);

/* End the request with it, in words. */
void http_refuse(struct http_request *request, const struct http_refusal *refusal);

/* A request with a copy of `size` head bytes and room for `field_max` fields. */
struct http_request *http_request_new(const void *head, size_t size, size_t field_max);
void http_request_free(struct http_request *request); /* NULL is allowed */

/* Compare ASCII text without regard to letter case, whatever the locale. */
bool http_text_is(const char *text, const char *other);

#endif

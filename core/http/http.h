/* http.h -- an HTTP/1.1 server on the loop, for a handler that sees whole requests.
 *
 * The server owns everything below a request: listening, TLS, framing, limits,
 * deadlines, pipelining, the order of answers, closing without losing the last
 * answer.  The handler owns everything above: it is shown the head of a request
 * and may refuse it before a byte of body is read, then it gets the request with
 * its decoded body and answers, at once or much later.
 *
 *     on_head(request)  ->  refuse: http_respond() or http_problem()
 *         |                 or just return; http_body_limit() to choose a limit
 *     (the body is read, checked and decompressed)
 *         |
 *     on_request(request)  ->  http_respond(), http_problem(), or
 *                              http_stream_begin() ... http_stream_end()
 *
 * Threads    All calls in both directions happen on the loop's thread.
 * Signals    The process must ignore SIGPIPE: a peer that has gone shows as an error of
 *            the write, not as a signal.
 * Lifetime   From on_request on, a request belongs to the handler until it calls
 *            http_respond(), http_problem() or http_stream_end() once; after that the
 *            pointer is dead.  This holds also when the peer has gone: the answer
 *            is then dropped in silence, and http_is_gone() says so beforehand.  A
 *            request seen by on_head may end before on_request (its body was
 *            refused or broke off), so attach nothing to it that must be released.
 *            Strings and bodies that accessors return live as long as the request.
 * Order      Pipelined requests are handed out as they come and may be answered in
 *            any order; answers leave in the order of the requests.
 * Errors     What a peer does wrong is answered by the server itself with a problem
 *            document (RFC 9457).  The handler never sees such a request.
 * Half-close A peer that shuts down its sending side still gets the answers it is
 *            owed.  One that does so while a stream is open is taken to have left.
 */
#ifndef CORE_HTTP_HTTP_H
#define CORE_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct http_request;
struct http_server;
struct uv_loop_s;

/* Every bound there is.  A member left 0 takes the default in brackets. */
struct http_limits {
    uint32_t connections_max;  /* [12,000] above it: 503 with Retry-After */
    uint32_t header_bytes_max; /* [16 KiB, at most 1 MiB] all field lines together: 431 */
    uint32_t header_count_max; /* [100] field lines: 431 */
    uint32_t url_bytes_max;    /* [8 KiB, at most 1 MiB] request target: 414 */
    size_t body_bytes_max;     /* [5 MiB] as sent, unless on_head chooses: 413 */
    size_t decoded_bytes_max;  /* [16 MiB] after gzip or deflate: 413 */
    uint32_t request_ms;       /* [30,000] first to last byte of one request: 408 */
    uint32_t idle_ms;          /* [75,000] between requests: closed in silence */
    uint32_t write_ms;         /* [30,000] without the peer taking a byte: closed */
    uint32_t linger_ms;        /* [2,000] without a byte of a peer that has our last answer,
                                   or request_ms in all: closed */
    uint32_t pipeline_max;     /* [32] unanswered requests; then reading pauses */
    size_t backlog_bytes_max;  /* [1 MiB] answers the peer has not taken; then
                                   reading pauses and streams say E_BUSY */
};

struct http_handler {
    void *arg; /* passed back to both */
    /* Look at method, path and fields.  To refuse, answer now; a refused request
     * that has a body also costs the peer its connection, as the body is not read.
     * NULL takes every request. */
    void (*on_head)(void *arg, struct http_request *request);
    void (*on_request)(void *arg, struct http_request *request);
};

struct http_options {
    bool has_socket; /* `socket` listens already, and is the server's from here on ... */
    int socket;
    const char *host;      /* ... else: address or name to listen on; NULL: 127.0.0.1 */
    uint16_t port;         /* 0: any free one, see http_server_port() */
    const char *cert_file; /* PEM, chain included; NULL: no TLS */
    const char *key_file;  /* PEM; needed with cert_file */
    struct http_limits limits;
    struct http_handler handler;
};

/* Listen on `loop`; everything in `options` is copied or used up.  End it with
 * http_server_close().  Fails with E_INVALID (address, certificate, a limit out of
 * its range) or E_IO. */
int http_server_open(struct uv_loop_s *loop, const struct http_options *options,
                     struct http_server **out_server, struct err *err);

uint16_t http_server_port(const struct http_server *server);

/* The address it listens on, as a number. */
#define HTTP_ADDRESS_MAX 48
void http_server_host(const struct http_server *server, char out_text[HTTP_ADDRESS_MAX]);

/* Use another certificate and key from the next connection on; those that are there go on with
 * theirs.  Only of a server that has TLS.  E_INVALID: the old ones stay in use. */
int http_server_renew(struct http_server *server, const char *cert_file, const char *key_file,
                      struct err *err);

/* Stop: no new connections, idle ones closed, streams ended, the rest answered with
 * `Connection: close` for at most `grace_ms` and then cut.  The server is freed right
 * after on_closed(arg), which runs from the loop and may be NULL.  Call it once. */
void http_server_close(struct http_server *server, uint32_t grace_ms, void (*on_closed)(void *arg),
                       void *arg);

/* -- reading a request: all strings are terminated and free of control bytes -- */

const char *http_method(const struct http_request *request); /* "GET" */
/* Whether a request of that method ever comes to a handler; others are answered 501. */
bool http_method_is_taken(const char *method);
/* The path as sent, percent-encoding untouched, always beginning with '/'; or "*". */
const char *http_path(const struct http_request *request);
/* What follows '?', as sent; "" if there is nothing. */
const char *http_query(const struct http_request *request);
/* The authority the peer addressed, from an absolute target or else from Host; "" in
 * an HTTP/1.0 request that names none. */
const char *http_host(const struct http_request *request);

/* The value of the first field called `name` in any letter case, without the spaces
 * around it, or NULL. */
const char *http_field(const struct http_request *request, const char *name);
/* Field `index` in the order sent; false when there are not so many. */
bool http_field_at(const struct http_request *request, size_t index, const char **out_name,
                   const char **out_value);

/* The body, decompressed.  NULL may come with size 0.  Empty during on_head. */
const void *http_body(const struct http_request *request, size_t *out_size);

/* The peer's numeric address without port; IPv4 also for a mapped one. */
void http_remote_address(const struct http_request *request, char out_text[HTTP_ADDRESS_MAX]);

/* A pointer of the handler's own, NULL at first. */
void http_data_set(struct http_request *request, void *data);
void *http_data(const struct http_request *request);

/* Append `size` bytes of `text` to `out`, percent-decoded; `plus` turns '+' into a
 * space, as forms do.  E_INVALID for a broken escape or an escaped NUL; `out` then
 * has an undefined tail. */
int http_decode(const char *text, size_t size, bool plus, struct buf *out);

/* Walk the path by segment: begin with *cursor = http_path(request).  Decodes one
 * segment into `out_segment`, cleared before, so "%2F" never splits one.  E_NOTFOUND
 * after the last, E_INVALID as above.  "/a/" has the segments "a" and "". */
int http_segment_next(const char **cursor, struct buf *out_segment);

/* Walk the query by pair: begin with *cursor = http_query(request).  Both buffers are
 * cleared, then filled with the decoded text.  E_NOTFOUND after the last pair,
 * E_INVALID as above. */
int http_query_next(const char **cursor, struct buf *out_name, struct buf *out_value);
/* The first pair called `name`: 0, E_NOTFOUND, or E_INVALID. */
int http_query_find(const struct http_request *request, const char *name, struct buf *out_value);

/* -- before the body: only inside on_head -- */

void http_body_limit(struct http_request *request, size_t bytes_max);

/* -- answering -- */

/* Add a field to the coming answer.  Date, Content-Length, Content-Type, Connection
 * and Transfer-Encoding are the server's own.  E_INVALID, and nothing added, if the
 * name is no token or one of these, or the value contains a control byte. */
int http_add_field(struct http_request *request, const char *name, const char *value);
/* 0, or what that would answer. */
int http_check_field(const char *name, const char *value);

/* Answer with status 200..599 and end the request.  `body` is copied.  content_type may
 * be NULL.  For HEAD pass the body that GET would have: only its length is sent.
 * With status 204 or 304 the body is not sent. */
void http_respond(struct http_request *request, int status, const char *content_type,
                  const void *body, size_t size);

/* Answer with a problem document: title from the status, `detail` one line of UTF-8
 * saying what was wrong and what to do; ends the request. */
void http_problem(struct http_request *request, int status, const char *detail);

/* The same document, appended to `out`, for whoever sends or keeps it otherwise. */
#define HTTP_PROBLEM_TYPE "application/problem+json"
void http_problem_body(struct buf *out, int status, const char *detail);

/* The registered phrase of a status, "Status" for one unknown. */
const char *http_status_text(int status);

/* -- the peer may leave -- */

bool http_is_gone(const struct http_request *request);
/* Have on_gone(arg) called once if the peer leaves before the request has ended.  It
 * is called by the loop, never from within a call of yours, and may answer, which only
 * releases the request.  NULL unsets. */
void http_on_gone(struct http_request *request, void (*on_gone)(void *arg), void *arg);

/* -- answers of unknown length, such as server-sent events -- */

/* Send the head of an answer that goes on; not within on_head.  on_drain(arg) is called
 * once when a write that was refused with E_BUSY may be tried again (by the loop, or while
 * an earlier request of the same connection is being answered); NULL if the caller has
 * its own pace.  A closing server ends the stream as if the peer had gone: on_gone. */
void http_stream_begin(struct http_request *request, int status, const char *content_type,
                       void (*on_drain)(void *arg), void *arg);
/* Refuse with E_BUSY from so many bytes on that the peer has not taken; backlog_bytes_max unless
 * said otherwise. */
void http_stream_limit(struct http_request *request, size_t backlog_bytes_max);
/* All or nothing: 0, E_BUSY (the peer reads too slowly), or E_NOTFOUND
 * (the peer has gone).  A piece larger than the limit passes when nothing waits. */
int http_stream_write(struct http_request *request, const void *data, size_t size);
void http_stream_end(struct http_request *request);

#endif

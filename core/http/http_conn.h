/* http_conn.h -- one connection: its bytes in, its answers out, its end.
 *
 * Included by the files of the server only.  See http_conn.c for how the members work
 * together.  Loop thread.  A connection frees itself when its handle has closed, which
 * is some time after http_conn_close() has returned.  What the wire or the peer does wrong
 * ends the connection or is answered: no function here reports a failure.
 */
#ifndef CORE_HTTP_HTTP_CONN_H
#define CORE_HTTP_HTTP_CONN_H

#include "core/http/http_deadline.h"
#include "core/http/http_reader.h"
#include "core/http/http_request.h"

#include <uv.h>

struct http_server;
struct http_tls;
struct http_write;

struct http_conn {
    uv_tcp_t tcp;
    struct http_server *server;
    struct http_conn *prev, *next;     /* all of the server's */
    struct http_request *first, *last; /* answers owed, in order */
    uint32_t request_count;            /* of them */
    uint32_t drained;                  /* bytes thrown away while answers are owed */
    uint64_t linger_until_ms;          /* at most; of the loop's clock */
    struct http_reader reader;
    struct buf unread;        /* read before reading was paused */
    struct buf out;           /* bytes for the wire, not yet given to it */
    struct http_write *write; /* given to it, not yet taken; NULL if none */
    size_t write_left;        /* of that, when last looked at */
    struct http_tls *tls;     /* NULL without TLS */
    struct http_deadline reading, writing;
    union http_address remote;
    bool is_receiving; /* the socket is being read */
    bool is_corked;    /* requests are being handed out: write when that is over */
    bool is_deaf;      /* what comes now is thrown away */
    bool is_ended;     /* the peer has shut down its side */
    bool is_finishing; /* the last answer is on its way */
    bool is_lingering; /* we have shut down our side */
    bool is_closing;   /* the handle is being closed; memory goes with it */
};

/* Take over the connected non-blocking socket `fd`: it is the connection's to close. */
void http_conn_open(struct http_server *server, int fd, const union http_address *remote);

/* The same, but only to say 503 and close. */
void http_conn_open_refused(struct http_server *server, int fd, const union http_address *remote);

/* Cut it.  Requests in the handler's hands learn of it when the handle has closed. */
void http_conn_close(struct http_conn *conn);

/* The server closes: end streams and what is idle, let the rest finish. */
void http_conn_stop(struct http_conn *conn);

/* A deadline of the connection has passed: the callback of http_deadlines_init(). */
void http_conn_expired(struct http_conn *conn, enum http_deadline_kind kind);

/* -- for answers -- */

/* Append to the answer of `request`; it leaves when its turn has come.  Dropped when the
 * peer has gone. */
void http_conn_emit(struct http_request *request, const void *data, size_t size);

/* Send what has its turn, then see what is to be done next, such as handing out requests
 * that were held back.  From within a handler of the same connection this is put off
 * until the handler has returned. */
void http_conn_pump(struct http_conn *conn);

/* Bytes that an answer has waiting, for its turn or for the peer to take them. */
size_t http_conn_backlog(const struct http_request *request);

#endif

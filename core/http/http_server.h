/* http_server.h -- what the connections of one server share.  See http.h for the manual;
 * this is for the files of the server only.  Loop thread. */
#ifndef CORE_HTTP_HTTP_SERVER_H
#define CORE_HTTP_HTTP_SERVER_H

#include "core/base/buf.h"
#include "core/http/http.h"
#include "core/http/http_deadline.h"

#include <time.h>
#include <uv.h>

struct http_conn;
struct http_tls_context;

#define HTTP_READ_BYTES 65536u
#define HTTP_DATE_SIZE 29 /* Sun, 06 Nov 1994 08:49:37 GMT */

struct http_server {
    uv_loop_t *loop;
    uv_poll_t listener;
    int listen_fd;
    uint16_t port;
    struct http_limits limits;
    struct http_handler handler;
    struct http_tls_context *tls; /* NULL without TLS */
    struct http_deadlines deadlines;
    struct http_deadline retry, grace;
    struct http_conn *conns;
    size_t conn_count;
    time_t date_s; /* of the text */
    char date[HTTP_DATE_SIZE + 1];
    bool is_closing;
    bool is_listening; /* the listener's handle is open */
    void (*on_closed)(void *arg);
    void *closed_arg;
    /* Shared by all connections, since each is used within one callback only: */
    struct buf scratch;             /* the head of an answer */
    struct buf spare;               /* memory for a connection's `out` */
    uint8_t wire[HTTP_READ_BYTES];  /* as read from a socket */
    uint8_t plain[HTTP_READ_BYTES]; /* as decrypted */
};

/* A connection's handle has closed; the server may be waiting for it. */
void http_server_conn_closed(struct http_server *server);

/* The Date of answers, made once a second. */
const char *http_server_date(struct http_server *server);

#endif

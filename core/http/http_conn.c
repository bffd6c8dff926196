/* http_conn.c -- one connection; see http_conn.h.
 *
 *     socket -> (tls) -> reader -> queue of requests -> handler
 *     socket <- (tls) <- out    <- front of the queue <- http_respond()
 *
 * Every event (bytes, a finished write, an answer, a deadline) does its part and then
 * calls settle(), the only place that decides from the members what follows: whether
 * to read, which deadline runs, whether to say goodbye.  So there is no table of
 * states to be kept in step with the facts.
 *
 *     the facts                                   settle() then
 *     requests at the limit, answers not taken    stops reading, no deadline
 *     a request partly read                       reads, deadline REQUEST
 *     all answered, nothing begun                 reads, deadline IDLE
 *     the handler is at work                      reads, no deadline
 *     finishing and all written                   shuts down, drains, deadline LINGER
 *
 * Lingering: closing a socket with unread bytes makes the kernel send a reset, and a
 * reset may destroy the answer on its way to the peer.  So after the last answer we
 * shut down our side and read on until the peer closes too, or has been silent for a while,
 * but no longer than a request may take.  There is no bound of bytes: most clients send all
 * of a body, however large, before they look at the answer that it is too large.
 *
 * Handlers run only from consume(), with the connection corked, and from the loop:
 * what they answer meanwhile leaves in one write when they have returned.  Nothing is
 * freed before the handle's close callback, so no function needs to ask after each
 * call whether the connection still exists.
 *
 * An idle connection owns no buffer: bytes are read into memory of the server, output
 * memory is lent by it, and only what cannot be used at once is copied.
 */
#include "core/http/http_conn.h"

#include "core/base/mem.h"
#include "core/http/http_decode.h"
#include "core/http/http_server.h"
#include "core/http/http_tls.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_BYTES_MAX (256u * 1024) /* of a deaf connection that is owed answers */
#define SPARE_BYTES_MAX (256u * 1024) /* of memory kept for the next answer */

struct http_write {
    uv_write_t write;
    struct buf bytes;
};

static void settle(struct http_conn *conn);

static uv_stream_t *stream_of(struct http_conn *conn)
{
    return (uv_stream_t *)&conn->tcp;
}

/* -- output -- */

static struct buf *output(struct http_conn *conn)
{
    struct buf *spare = &conn->server->spare;
    if (conn->out.capacity == 0 && spare->capacity != 0) {
        conn->out = *spare;
        *spare = (struct buf)BUF_INIT;
    }
    return &conn->out;
}

static void output_release(struct http_conn *conn)
{
    struct buf *spare = &conn->server->spare;
    if (conn->out.capacity == 0)
        return;
    buf_clear(&conn->out);
    if (spare->capacity == 0 && conn->out.capacity <= SPARE_BYTES_MAX) {
        *spare = conn->out;
        conn->out = (struct buf)BUF_INIT;
    }
    buf_deinit(&conn->out);
}

static void send_bytes(struct http_conn *conn, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (conn->tls != NULL)
        http_tls_write(conn->tls, data, size, output(conn));
    else
        buf_append(output(conn), data, size);
}

static void on_written(uv_write_t *write, int status);

/* The wire takes no more now: let libuv send the rest when it does. */
static void write_later(struct http_conn *conn, size_t sent)
{
    struct http_write *rest = mem_alloc(sizeof *rest);
    rest->bytes = conn->out;
    conn->out = (struct buf)BUF_INIT;
    conn->write = rest;
    conn->write_left = rest->bytes.size - sent;
    uv_buf_t bytes = { .base = (char *)rest->bytes.data + sent, .len = conn->write_left };
    rest->write.data = conn;
    int rc = uv_write(&rest->write, stream_of(conn), &bytes, 1, on_written);
    ASSERT(rc == 0);
    http_deadline_arm(&conn->server->deadlines, &conn->writing, HTTP_DEADLINE_WRITE, conn);
}

static void flush(struct http_conn *conn)
{
    if (conn->write != NULL || conn->is_closing)
        return;
    if (conn->out.size == 0) {
        output_release(conn);
        return;
    }
    uv_buf_t bytes = { .base = (char *)conn->out.data, .len = conn->out.size };
    int sent = uv_try_write(stream_of(conn), &bytes, 1);
    if (sent < 0 && sent != UV_EAGAIN)
        http_conn_close(conn);
    else if (sent >= 0 && (size_t)sent == conn->out.size)
        output_release(conn);
    else
        write_later(conn, sent > 0 ? (size_t)sent : 0);
}

static void on_written(uv_write_t *write, int status)
{
    struct http_write *rest = (struct http_write *)write;
    struct http_conn *conn = write->data;
    http_deadline_disarm(&conn->writing);
    conn->write = NULL;
    buf_deinit(&rest->bytes);
    free(rest);
    if (status < 0) {
        http_conn_close(conn);
        return;
    }
    flush(conn);
    settle(conn);
}

static bool is_written(const struct http_conn *conn)
{
    return conn->out.size == 0 && conn->write == NULL;
}

static size_t unsent(const struct http_conn *conn)
{
    return conn->out.size + uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp);
}

/* -- the queue of answers -- */

static void enqueue(struct http_conn *conn, struct http_request *request)
{
    request->conn = conn;
    request->remote = conn->remote;
    if (conn->first == NULL)
        conn->first = request;
    else
        conn->last->next = request;
    conn->last = request;
    conn->request_count++;
}

/* Take the front request off.  What the reader still holds, the reader frees. */
static struct http_request *dequeue(struct http_conn *conn)
{
    struct http_request *request = conn->first;
    conn->first = request->next;
    conn->request_count--;
    request->next = NULL;
    request->conn = NULL;
    return request;
}

bool http_is_gone(const struct http_request *request)
{
    return request->conn == NULL || request->conn->is_closing || request->conn->is_finishing;
}

void http_conn_emit(struct http_request *request, const void *data, size_t size)
{
    if (http_is_gone(request))
        return;
    if (request == request->conn->first)
        send_bytes(request->conn, data, size);
    else
        buf_append(&request->out, data, size);
}

size_t http_conn_backlog(const struct http_request *request)
{
    return request->out.size + (request == request->conn->first ? unsent(request->conn) : 0);
}

/* What the front request has to say now.  True when it has said all. */
static bool send_front(struct http_conn *conn, struct http_request *request)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    send_bytes(conn, request->out.data, request->out.size);
    buf_deinit(&request->out);
    if (!request->is_ended && request->expects_continue) {
        request->expects_continue = false;
        send_bytes(conn, go_on, sizeof go_on - 1);
    }
    return request->is_ended;
}

void http_conn_pump(struct http_conn *conn)
{
    while (!conn->is_closing && !conn->is_finishing && conn->first != NULL &&
           send_front(conn, conn->first)) {
        struct http_request *request = dequeue(conn);
        conn->is_finishing = !request->keep_alive;
        if (!request->is_reading)
            http_request_free(request);
    }
    if (!conn->is_corked) {
        flush(conn);
        settle(conn);
    }
}

/* Requests whose answers nobody will read. */
static void abandon(struct http_conn *conn)
{
    while (conn->first != NULL) {
        struct http_request *request = dequeue(conn);
        if (request->is_reading)
            continue;
        if (request->is_ended)
            http_request_free(request);
        else if (request->on_gone != NULL)
            request->on_gone(request->gone_arg);
    }
}

/* -- input -- */

/* Answer in the server's own name and hear no more. */
static void refuse(struct http_conn *conn, const struct http_refusal *refusal)
{
    struct http_request *request = conn->reader.request;
    if (request == NULL)
        request = http_request_new(NULL, 0, 0);
    if (request->conn == NULL)
        enqueue(conn, request);
    conn->reader.request = NULL;
    conn->is_deaf = true;
    request->is_reading = false;
    request->keep_alive = false;
    request->expects_continue = false;
    http_refuse(request, refusal);
}

static void on_head(struct http_conn *conn, bool has_more)
{
    const struct http_handler *handler = &conn->server->handler;
    struct http_request *request = conn->reader.request;
    bool expects_continue = request->expects_continue && !has_more;
    request->expects_continue = false;
    enqueue(conn, request);
    if (handler->on_head != NULL)
        handler->on_head(handler->arg, request);
    if (request->is_ended)
        return;
    if (request->content_length > request->body_bytes_max) {
        struct http_refusal too_large = http_body_too_large(request);
        refuse(conn, &too_large);
        return;
    }
    request->expects_continue = expects_continue;
    http_conn_pump(conn);
}

static void on_done(struct http_conn *conn)
{
    const struct http_handler *handler = &conn->server->handler;
    struct http_request *request = conn->reader.request;
    struct http_refusal refusal;
    http_deadline_disarm(&conn->reading);
    conn->reader.request = NULL;
    request->is_reading = false;
    request->expects_continue = false;
    if (!request->keep_alive)
        conn->is_deaf = true;
    if (request->is_ended && request->conn == NULL)
        http_request_free(request); /* refused on its head, and that is sent */
    else if (request->is_ended)
        return; /* the same, still in the queue */
    else if (http_body_decode(request, conn->server->limits.decoded_bytes_max, &refusal) != 0)
        http_refuse(request, &refusal);
    else
        handler->on_request(handler->arg, request);
}

static bool is_full(const struct http_conn *conn)
{
    const struct http_limits *limits = &conn->server->limits;
    return conn->reader.request == NULL && (conn->request_count >= limits->pipeline_max ||
                                            unsent(conn) > limits->backlog_bytes_max);
}

static bool is_hearing(const struct http_conn *conn)
{
    return !conn->is_closing && !conn->is_deaf && !is_full(conn);
}

/* Hand out the requests in `data`; what must wait is kept. */
static void consume(struct http_conn *conn, const uint8_t *data, size_t size)
{
    enum http_step step = HTTP_STEP_DONE;
    conn->is_corked = true;
    while (step != HTTP_STEP_MORE && is_hearing(conn)) {
        size_t used = 0;
        step = http_reader_feed(&conn->reader, data, size, &used);
        data += used;
        size -= used;
        if (step == HTTP_STEP_HEAD)
            on_head(conn, size != 0);
        else if (step == HTTP_STEP_DONE)
            on_done(conn);
        else if (step == HTTP_STEP_REFUSED)
            refuse(conn, &conn->reader.refusal);
    }
    conn->is_corked = false;
    if (size != 0 && !conn->is_closing && !conn->is_deaf)
        buf_append(&conn->unread, data, size);
}

static void on_end(struct http_conn *conn)
{
    static const struct http_refusal broken = { .status = 400, .detail = "the request broke off" };
    bool is_broken = !conn->is_deaf && !http_reader_is_idle(&conn->reader);
    conn->is_ended = true;
    for (struct http_request *request = conn->first; request != NULL; request = request->next)
        if (request->is_streaming) {
            http_conn_close(conn);
            return;
        }
    if (is_broken)
        refuse(conn, &broken);
    conn->is_deaf = true;
}

static bool consume_decrypted(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    int size = http_tls_read(conn->tls, server->plain, sizeof server->plain, output(conn));
    if (size > 0) {
        consume(conn, server->plain, (size_t)size);
    } else if (size == HTTP_TLS_END && !conn->is_ended) {
        on_end(conn);
    } else if (size == HTTP_TLS_BROKEN) {
        flush(conn); /* the alert that says why */
        http_conn_close(conn);
    }
    return size > 0;
}

/* Use input that is at hand.  False when there is none. */
static bool consume_more(struct http_conn *conn)
{
    if (conn->unread.size != 0) {
        struct buf unread = conn->unread;
        conn->unread = (struct buf)BUF_INIT;
        consume(conn, unread.data, unread.size);
        buf_deinit(&unread);
        return true;
    }
    return conn->tls != NULL && consume_decrypted(conn);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *out_bytes)
{
    struct http_conn *conn = handle->data;
    (void)hint;
    out_bytes->base = (char *)conn->server->wire;
    out_bytes->len = sizeof conn->server->wire;
}

/* Whoever still sends cannot have looked at our answer yet. */
static void linger_on(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (uv_now(server->loop) < conn->linger_until_ms)
        http_deadline_arm(&server->deadlines, &conn->reading, HTTP_DEADLINE_LINGER, conn);
    else
        http_conn_close(conn);
}

static void on_bytes(struct http_conn *conn, size_t size)
{
    const uint8_t *data = conn->server->wire;
    if (conn->is_lingering) {
        linger_on(conn);
    } else if (conn->is_deaf) {
        conn->drained += (uint32_t)size;
    } else if (conn->tls != NULL) {
        http_tls_feed(conn->tls, data, size);
    } else {
        consume(conn, data, size);
        flush(conn);
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct http_conn *conn = stream->data;
    (void)bytes;
    if (size > 0)
        on_bytes(conn, (size_t)size);
    else if (size == UV_EOF && !conn->is_ended && !conn->is_lingering)
        on_end(conn);
    else if (size < 0) /* or the end that lingering waited for */
        http_conn_close(conn);
    settle(conn);
}

/* -- what follows -- */

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)status; /* a failure means that the peer has gone, which reading will tell */
    free(shutdown);
}

static void finish(struct http_conn *conn)
{
    conn->is_lingering = true;
    conn->is_deaf = true;
    if (conn->tls != NULL)
        http_tls_end(conn->tls, output(conn));
    flush(conn);
    if (conn->is_ended) { /* nothing is unread, so closing sends no reset */
        http_conn_close(conn);
        return;
    }
    uv_shutdown_t *shutdown = mem_alloc(sizeof *shutdown);
    if (conn->is_closing || uv_shutdown(shutdown, stream_of(conn), on_shutdown) != 0) {
        free(shutdown);
        http_conn_close(conn);
        return;
    }
    conn->linger_until_ms = uv_now(conn->server->loop) + conn->server->limits.request_ms;
    linger_on(conn);
}

static bool wants_bytes(const struct http_conn *conn)
{
    if (conn->is_ended)
        return false;
    if (conn->is_deaf) /* read on to learn that the peer leaves, but not for ever */
        return conn->is_lingering || conn->drained <= DRAIN_BYTES_MAX;
    return !is_full(conn);
}

static void set_receiving(struct http_conn *conn, bool is_wanted)
{
    if (conn->is_receiving == is_wanted)
        return;
    conn->is_receiving = is_wanted;
    if (!is_wanted)
        uv_read_stop(stream_of(conn));
    else if (uv_read_start(stream_of(conn), on_alloc, on_read) != 0)
        http_conn_close(conn);
}

static void set_deadline(struct http_conn *conn)
{
    enum http_deadline_kind kind = HTTP_DEADLINE_KINDS;
    if (conn->is_lingering)
        kind = HTTP_DEADLINE_LINGER;
    else if (!is_hearing(conn))
        kind = HTTP_DEADLINE_KINDS;
    else if (!http_reader_is_idle(&conn->reader) ||
             (conn->tls != NULL && !http_tls_is_ready(conn->tls)))
        kind = HTTP_DEADLINE_REQUEST;
    else if (conn->first == NULL && is_written(conn))
        kind = HTTP_DEADLINE_IDLE;

    if (kind == HTTP_DEADLINE_KINDS)
        http_deadline_disarm(&conn->reading);
    else if (!http_deadline_is(&conn->reading, kind))
        http_deadline_arm(&conn->server->deadlines, &conn->reading, kind, conn);
}

/* Nothing is owed and nothing more will come. */
static bool is_over(const struct http_conn *conn)
{
    bool is_unwanted =
        conn->is_ended || (conn->server->is_closing && http_reader_is_idle(&conn->reader));
    return conn->is_finishing || (conn->first == NULL && is_unwanted);
}

static void tell_drained(struct http_conn *conn)
{
    struct http_request *request = conn->first;
    if (request == NULL || !request->is_blocked || conn->is_finishing ||
        unsent(conn) > request->stream_bytes_max / 2)
        return;
    request->is_blocked = false;
    if (request->on_drain != NULL)
        request->on_drain(request->drain_arg);
}

static void settle(struct http_conn *conn)
{
    while (is_hearing(conn) && consume_more(conn))
        flush(conn);
    flush(conn);
    if (!conn->is_closing && is_over(conn) && is_written(conn) && !conn->is_lingering)
        finish(conn);
    if (conn->is_closing)
        return;
    set_receiving(conn, wants_bytes(conn));
    set_deadline(conn);
    tell_drained(conn);
}

static void write_expired(struct http_conn *conn)
{
    size_t left = uv_stream_get_write_queue_size(stream_of(conn));
    if (left < conn->write_left) {
        conn->write_left = left;
        http_deadline_arm(&conn->server->deadlines, &conn->writing, HTTP_DEADLINE_WRITE, conn);
    } else {
        http_conn_close(conn);
    }
}

void http_conn_expired(struct http_conn *conn, enum http_deadline_kind kind)
{
    const struct http_refusal too_slow = { 408, "the request did not arrive completely in time",
                                           conn->server->limits.request_ms, "milliseconds" };
    if (kind == HTTP_DEADLINE_WRITE)
        write_expired(conn);
    else if (kind == HTTP_DEADLINE_REQUEST && !http_reader_is_idle(&conn->reader))
        refuse(conn, &too_slow);
    else
        http_conn_close(conn);
}

/* -- beginning and end -- */

static struct http_conn *conn_new(struct http_server *server, int fd,
                                  const union http_address *remote)
{
    struct http_conn *conn = mem_zero(sizeof *conn);
    int yes = 1;
    conn->server = server;
    conn->remote = *remote;
    conn->next = server->conns;
    if (conn->next != NULL)
        conn->next->prev = conn;
    server->conns = conn;
    server->conn_count++;
    http_reader_init(&conn->reader, &server->limits);
    uv_tcp_init(server->loop, &conn->tcp);
    conn->tcp.data = conn;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* fails on a dead one only */
    int rc = uv_tcp_open(&conn->tcp, fd);
    ASSERT(rc == 0);
    return conn;
}

void http_conn_open(struct http_server *server, int fd, const union http_address *remote)
{
    struct http_conn *conn = conn_new(server, fd, remote);
    if (server->tls != NULL)
        conn->tls = http_tls_new(server->tls);
    settle(conn);
}

void http_conn_open_refused(struct http_server *server, int fd, const union http_address *remote)
{
    static const struct http_refusal crowded = {
        .status = 503, .detail = "too many connections: try again in a moment"
    };
    refuse(conn_new(server, fd, remote), &crowded);
}

static void on_closed(uv_handle_t *handle)
{
    struct http_conn *conn = handle->data;
    struct http_server *server = conn->server;
    abandon(conn);
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    http_request_free(conn->reader.request);
    http_reader_deinit(&conn->reader);
    http_tls_free(conn->tls);
    buf_deinit(&conn->unread);
    buf_deinit(&conn->out);
    free(conn);
    server->conn_count--;
    http_server_conn_closed(server);
}

void http_conn_close(struct http_conn *conn)
{
    if (conn->is_closing)
        return;
    conn->is_closing = true;
    http_deadline_disarm(&conn->reading);
    http_deadline_disarm(&conn->writing);
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

void http_conn_stop(struct http_conn *conn)
{
    struct http_request *front = conn->first;
    if (front != NULL && front->is_streaming && !front->is_ended) {
        if (!front->is_http10 && !front->is_head)
            http_conn_emit(front, "0\r\n\r\n", 5);
        conn->is_deaf = true;
        conn->is_finishing = true;
    }
    if (!conn->is_corked)
        settle(conn);
}

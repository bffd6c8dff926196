/* http_fixture.c -- see http_fixture.h. */
#include "tests/core/http/http_fixture.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* -- the handler -- */

struct delayed {
    uv_timer_t timer;
    struct http_request *request;
};

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_late(uv_timer_t *timer)
{
    struct delayed *delayed = timer->data;
    http_respond(delayed->request, 200, "text/plain", "late\n", 5);
    uv_close((uv_handle_t *)timer, on_timer_closed);
}

static void answer_late(struct fixture *fixture, struct http_request *request)
{
    struct delayed *delayed = mem_zero(sizeof *delayed);
    delayed->request = request;
    uv_timer_init(&fixture->loop, &delayed->timer);
    delayed->timer.data = delayed;
    uv_timer_start(&delayed->timer, on_late, 50, 0);
}

static void answer_where(struct http_request *request)
{
    struct buf text = BUF_INIT;
    char address[HTTP_ADDRESS_MAX];
    http_remote_address(request, address);
    buf_printf(&text, "%s\n%s\n%s\n%s\n%s\n", http_method(request), http_path(request),
               http_query(request), http_host(request), address);
    http_respond(request, 200, "text/plain", text.data, text.size);
    buf_deinit(&text);
}

static void answer_big(struct http_request *request)
{
    char *body = mem_alloc(BIG_BYTES);
    memset(body, 'x', BIG_BYTES);
    http_respond(request, 200, "text/plain", body, BIG_BYTES);
    free(body);
}

static void answer_stream(struct http_request *request)
{
    http_stream_begin(request, 200, "text/event-stream", NULL, NULL);
    assert_int_equal(http_stream_write(request, "data: 1\n\n", 9), 0);
    assert_int_equal(http_stream_write(request, "", 0), 0);
    assert_int_equal(http_stream_write(request, "data: 2\n\n", 9), 0);
    http_stream_end(request);
}

struct flood {
    struct fixture *fixture;
    struct http_request *request;
    size_t left;
};

static void flood_on(void *arg)
{
    static const char piece[16384] = { 'f' };
    struct flood *flood = arg;
    int rc = 0;
    while (rc == 0 && flood->left > 0) {
        rc = http_stream_write(flood->request, piece, sizeof piece);
        if (rc == 0)
            flood->left -= sizeof piece;
    }
    if (rc == E_BUSY) {
        atomic_fetch_add(&flood->fixture->busy, 1);
        return;
    }
    http_stream_end(flood->request);
    free(flood);
}

static void answer_flood(struct fixture *fixture, struct http_request *request)
{
    struct flood *flood = mem_alloc(sizeof *flood);
    *flood = (struct flood){ fixture, request, FLOOD_BYTES };
    http_stream_begin(request, 200, "text/plain", flood_on, flood);
    flood_on(flood);
}

struct watch {
    struct fixture *fixture;
    struct http_request *request;
    bool is_stream;
};

static void on_gone(void *arg)
{
    struct watch *watch = arg;
    assert_true(http_is_gone(watch->request));
    atomic_fetch_add(&watch->fixture->gone, 1);
    if (watch->is_stream) {
        assert_int_equal(http_stream_write(watch->request, "x", 1), E_NOTFOUND);
        http_stream_end(watch->request);
    } else {
        http_respond(watch->request, 200, NULL, "x", 1);
    }
    free(watch);
}

static void watch(struct fixture *fixture, struct http_request *request, bool is_stream)
{
    struct watch *watch = mem_alloc(sizeof *watch);
    *watch = (struct watch){ fixture, request, is_stream };
    http_on_gone(request, on_gone, watch);
    if (is_stream)
        http_stream_begin(request, 200, "text/event-stream", NULL, NULL);
}

static void answer_field(struct http_request *request)
{
    const char *value = http_field(request, "x-TEST");
    value = value != NULL ? value : "(none)";
    http_respond(request, 200, "text/plain", value, strlen(value));
}

static void answer_bad(struct http_request *request)
{
    assert_int_equal(http_add_field(request, "X-A", "1\r\nX-B: 2"), E_INVALID);
    assert_int_equal(http_add_field(request, "X A", "1"), E_INVALID);
    assert_int_equal(http_add_field(request, "Content-LENGTH", "1"), E_INVALID);
    assert_int_equal(http_add_field(request, "X-Good", "fine"), 0);
    http_respond(request, 200, NULL, NULL, 0);
}

static void answer_release(struct fixture *fixture, struct http_request *request)
{
    if (fixture->held != NULL)
        http_respond(fixture->held, 200, "text/plain", "held\n", 5);
    fixture->held = NULL;
    http_respond(request, 200, "text/plain", "released\n", 9);
}

static void answer_echo(struct http_request *request)
{
    size_t size;
    const void *body = http_body(request, &size);
    http_respond(request, 200, http_field(request, "content-type"), body, size);
}

static void on_request(void *arg, struct http_request *request)
{
    struct fixture *fixture = arg;
    const char *path = http_path(request);
    atomic_fetch_add(&fixture->requests, 1);
    if (strcmp(path, "/") == 0 || strcmp(path, "/refuse") == 0 || strcmp(path, "*") == 0)
        http_respond(request, 200, "text/plain", "hello\n", 6);
    else if (strcmp(path, "/echo") == 0 || strcmp(path, "/small") == 0)
        answer_echo(request);
    else if (strcmp(path, "/late") == 0)
        answer_late(fixture, request);
    else if (strcmp(path, "/hold") == 0)
        fixture->held = request;
    else if (strcmp(path, "/release") == 0)
        answer_release(fixture, request);
    else if (strcmp(path, "/big") == 0)
        answer_big(request);
    else if (strcmp(path, "/none") == 0)
        http_respond(request, 204, NULL, "dropped", 7);
    else if (strcmp(path, "/stream") == 0)
        answer_stream(request);
    else if (strcmp(path, "/flood") == 0)
        answer_flood(fixture, request);
    else if (strcmp(path, "/watch") == 0 || strcmp(path, "/wait") == 0)
        watch(fixture, request, strcmp(path, "/watch") == 0);
    else if (strcmp(path, "/field") == 0)
        answer_field(request);
    else if (strcmp(path, "/bad") == 0)
        answer_bad(request);
    else
        answer_where(request);
}

static void on_head(void *arg, struct http_request *request)
{
    (void)arg;
    if (strcmp(http_path(request), "/refuse") == 0) {
        http_add_field(request, "WWW-Authenticate", "Bearer");
        http_problem(request, 401, "send a key, such as \"abc\"");
    } else if (strcmp(http_path(request), "/small") == 0) {
        http_body_limit(request, 10);
    }
}

/* -- the server's thread -- */

static void on_server_closed(void *arg)
{
    struct fixture *fixture = arg;
    atomic_store(&fixture->is_closed, true);
    uv_close((uv_handle_t *)&fixture->stop, NULL);
}

static void on_stop(uv_async_t *async)
{
    struct fixture *fixture = async->data;
    if (fixture->server != NULL)
        http_server_close(fixture->server, fixture->grace_ms, on_server_closed, fixture);
    fixture->server = NULL;
}

static void run(void *arg)
{
    struct fixture *fixture = arg;
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

struct fixture *fixture_start(struct http_options options)
{
    struct fixture *fixture = mem_zero(sizeof *fixture);
    struct err err = { 0 };
    signal(SIGPIPE, SIG_IGN);
    options.handler = (struct http_handler){ fixture, on_head, on_request };
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    assert_int_equal(uv_async_init(&fixture->loop, &fixture->stop, on_stop), 0);
    fixture->stop.data = fixture;
    if (http_server_open(&fixture->loop, &options, &fixture->server, &err) != 0)
        fail_msg("%s", err.text);
    fixture->port = http_server_port(fixture->server);
    assert_int_equal(uv_thread_create(&fixture->thread, run, fixture), 0);
    return fixture;
}

void fixture_begin_stop(struct fixture *fixture)
{
    uv_async_send(&fixture->stop);
}

void fixture_stop(struct fixture *fixture)
{
    if (!atomic_load(&fixture->is_closed))
        fixture_begin_stop(fixture);
    uv_thread_join(&fixture->thread);
    assert_true(atomic_load(&fixture->is_closed));
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    free(fixture);
}

/* -- the client -- */

uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
    struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
    nanosleep(&time, NULL);
}

int client_connect(const struct fixture *fixture)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(fixture->port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* A server that refuses may close while we still send; that is its right. */
void client_send(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0)
            return;
        bytes += sent;
        size -= (size_t)sent;
    }
}

void client_text(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

/* Bytes read, or 0 at the end. */
static size_t read_some(int fd, struct buf *out)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    if (poll(&wait, 1, WAIT_MS) != 1)
        fail_msg("no byte in %d ms, after: %.200s", WAIT_MS, buf_string(out));
    ssize_t size = recv(fd, buf_reserve(out, 65536), 65536, 0);
    if (size < 0)
        fail_msg("recv: %s, after: %.200s", strerror(errno), buf_string(out));
    out->size += (size_t)size;
    return (size_t)size;
}

struct reply client_read_all(int fd)
{
    struct buf all = BUF_INIT;
    while (read_some(fd, &all) != 0)
        continue;
    buf_string(&all);
    return (struct reply){ (char *)all.data, all.size };
}

/* Where the answer that begins at `at` ends; NULL when more is to come. */
static const char *answer_end(const char *at, const char *end, bool is_head)
{
    const char *body = strstr(at, "\r\n\r\n");
    if (body == NULL)
        return NULL;
    body += 4;
    const char *length = strstr(at, "Content-Length: ");
    const char *chunked = strstr(at, "Transfer-Encoding: chunked");
    if (is_head)
        return body;
    if (chunked != NULL && chunked < body) {
        const char *last = strstr(body, "0\r\n\r\n");
        return last != NULL ? last + 5 : NULL;
    }
    const char *closes = strstr(at, "Connection: close");
    if (length == NULL || length > body)
        return closes != NULL && closes < body ? end : body;
    size_t size = strtoul(length + 16, NULL, 10);
    return (size_t)(end - body) >= size ? body + size : NULL;
}

struct reply client_read_one(int fd, bool is_head)
{
    struct buf all = BUF_INIT;
    const char *text = buf_string(&all);
    while (answer_end(text, text + all.size, is_head) == NULL) {
        if (read_some(fd, &all) == 0)
            fail_msg("closed after: %.200s", buf_string(&all));
        text = buf_string(&all);
    }
    return (struct reply){ (char *)all.data, all.size };
}

void reply_free(struct reply *reply)
{
    free(reply->data);
    *reply = (struct reply){ NULL, 0 };
}

void reply_statuses(const struct reply *reply, char *out_text, size_t size)
{
    const char *at = reply->data;
    const char *end = reply->data + reply->size;
    size_t used = 0;
    out_text[0] = '\0';
    while (at != NULL && at < end) {
        if (strncmp(at, "HTTP/1.1 ", 9) != 0)
            fail_msg("no answer begins at: %.80s", at);
        used +=
            (size_t)snprintf(out_text + used, size - used, "%s%.3s", used != 0 ? " " : "", at + 9);
        at = answer_end(at, end, false);
    }
}

void exchange(const struct fixture *fixture, const char *bytes, size_t size, bool one_by_one,
              char *out_text, size_t out_size, struct reply *out_reply)
{
    int fd = client_connect(fixture);
    if (one_by_one)
        for (size_t i = 0; i < size; i++)
            client_send(fd, bytes + i, 1);
    else
        client_send(fd, bytes, size);
    shutdown(fd, SHUT_WR);
    *out_reply = client_read_all(fd);
    close(fd);
    reply_statuses(out_reply, out_text, out_size);
}

/* http_server.c -- listening, accepting, ending; see http.h.
 *
 * Connections are accepted by hand from a polled descriptor, not through uv_listen():
 * libuv offers no way to stop accepting for a while, and when descriptors run out it
 * either throws connections away or calls back without end.  Here accepting pauses and
 * is tried again after a moment; meanwhile peers wait in the kernel's queue, and
 * nothing spins.
 *
 * A connection above the limit is accepted and told so (503), since a peer left in the
 * queue cannot know why nobody answers; a few at a time, the others wait.  Under TLS it
 * is just closed: telling it would cost the handshake that the limit is there to save.
 */
#include "core/http/http_server.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/unshared.h"
#include "core/http/http_conn.h"
#include "core/http/http_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024
#define ACCEPT_BATCH 64 /* connections taken in one turn of the loop */
#define REFUSED_MAX 64  /* connections above the limit, each told so */
#define RETRY_MS 100

static uint32_t or_default(uint32_t value, uint32_t other)
{
    return value != 0 ? value : other;
}

static size_t or_default_size(size_t value, size_t other)
{
    return value != 0 ? value : other;
}

static struct http_limits complete(const struct http_limits *given)
{
    return (struct http_limits){
        .connections_max = or_default(given->connections_max, 12000),
        .header_bytes_max = or_default(given->header_bytes_max, 16 * 1024),
        .header_count_max = or_default(given->header_count_max, 100),
        .url_bytes_max = or_default(given->url_bytes_max, 8 * 1024),
        .body_bytes_max = or_default_size(given->body_bytes_max, 5 * 1024 * 1024),
        .decoded_bytes_max = or_default_size(given->decoded_bytes_max, 16 * 1024 * 1024),
        .request_ms = or_default(given->request_ms, 30 * 1000),
        .idle_ms = or_default(given->idle_ms, 75 * 1000),
        .write_ms = or_default(given->write_ms, 30 * 1000),
        .linger_ms = or_default(given->linger_ms, 2 * 1000),
        .pipeline_max = or_default(given->pipeline_max, 32),
        .backlog_bytes_max = or_default_size(given->backlog_bytes_max, 1024 * 1024),
    };
}

static int check_limits(const struct http_limits *limits, struct err *err)
{
    const uint32_t head_max = 1024 * 1024;  /* offsets into a head have 32 bits */
    const size_t body_max = UINT32_MAX / 2; /* zlib counts with 32 bits */
    if (limits->header_bytes_max > head_max || limits->url_bytes_max > head_max)
        return err_set(err, E_INVALID, "http: header_bytes_max and url_bytes_max go up to 1 MiB");
    if (limits->body_bytes_max > body_max || limits->decoded_bytes_max > body_max)
        return err_set(err, E_INVALID, "http: body and decoded bytes go up to 2 GiB");
    return 0;
}

/* -- accepting -- */

static void on_readable(uv_poll_t *poll, int status, int events);

static void accept_later(struct http_server *server)
{
    uv_poll_stop(&server->listener);
    http_deadline_arm(&server->deadlines, &server->retry, HTTP_DEADLINE_ACCEPT, server);
}

static void admit(struct http_server *server, int fd, const union http_address *remote)
{
    if (server->conn_count < server->limits.connections_max)
        http_conn_open(server, fd, remote);
    else if (server->tls == NULL)
        http_conn_open_refused(server, fd, remote);
    else
        close(fd);
}

/* True when there may be more.  A peer that has left while it waited is no error of
 * ours; every other failure is met by waiting. */
static bool accept_one(struct http_server *server)
{
    union http_address remote;
    socklen_t size = sizeof remote;
    memset(&remote, 0, sizeof remote);
    int fd = accept4(server->listen_fd, &remote.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        admit(server, fd, &remote);
        return true;
    }
    if (errno == EINTR || errno == ECONNABORTED)
        return true;
    if (errno != EAGAIN)
        accept_later(server);
    return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct http_server *server = poll->data;
    (void)status;
    (void)events;
    bool has_more = true;
    for (int i = 0; has_more && i < ACCEPT_BATCH && !server->is_closing; i++) {
        if (server->conn_count >= (size_t)server->limits.connections_max + REFUSED_MAX) {
            accept_later(server);
            return;
        }
        has_more = accept_one(server);
    }
}

static void accept_again(struct http_server *server)
{
    if (server->is_closing)
        return;
    int rc = uv_poll_start(&server->listener, UV_READABLE, on_readable);
    ASSERT(rc == 0);
}

static void cut_all(struct http_server *server)
{
    for (struct http_conn *conn = server->conns; conn != NULL; conn = conn->next)
        http_conn_close(conn);
}

static void on_expired(void *owner, enum http_deadline_kind kind)
{
    if (kind == HTTP_DEADLINE_ACCEPT)
        accept_again(owner);
    else if (kind == HTTP_DEADLINE_GRACE)
        cut_all(owner);
    else
        http_conn_expired(owner, kind);
}

/* -- opening -- */

static int bind_to(const struct addrinfo *address, int *out_fd)
{
    int yes = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        *out_fd = fd;
        return 0;
    }
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int listen_on(const char *host, uint16_t port, int *out_fd, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *addresses = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    int rc = getaddrinfo(host, service, &hints, &addresses);
    if (rc != 0)
        return err_set(err, E_INVALID, "http: cannot listen on %s: %s", host, gai_strerror(rc));
    rc = bind_to(addresses, out_fd);
    freeaddrinfo(addresses);
    if (rc != 0 && errno == EADDRINUSE)
        return err_set(err, E_IO,
                       "http: another process listens on %s port %u: end it, or choose another "
                       "port with --listen HOST:PORT or in kith.lua",
                       host, (unsigned)port);
    if (rc != 0)
        return err_set(err, E_IO, "http: cannot listen on %s port %u: %s", host, (unsigned)port,
                       strerror(errno));
    return 0;
}

/* Whoever started us may have given anything. */
static int take_socket(int fd, int *out_fd, struct err *err)
{
    union http_address address;
    socklen_t size = sizeof address, value_size = sizeof(int);
    int is_listening = 0;
    memset(&address, 0, sizeof address);
    bool is_good = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &value_size) == 0 &&
                   is_listening != 0 && getsockname(fd, &address.any, &size) == 0;
    if (!is_good || (address.any.sa_family != AF_INET && address.any.sa_family != AF_INET6))
        return err_set(err, E_INVALID,
                       "http: what was passed as descriptor %d is no TCP socket that listens", fd);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    *out_fd = fd;
    return 0;
}

static uint16_t port_of(int fd)
{
    union http_address address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    int rc = getsockname(fd, &address.any, &size);
    ASSERT(rc == 0);
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static int acquire(struct http_server *server, const struct http_options *options, struct err *err)
{
    int rc = check_limits(&server->limits, err);
    if (rc == 0 && (options->cert_file == NULL) != (options->key_file == NULL))
        rc = err_set(err, E_INVALID, "http: TLS needs both a certificate and a key");
    if (rc == 0 && options->cert_file != NULL)
        rc = http_tls_context_open(options->cert_file, options->key_file, &server->tls, err);
    if (rc == 0 && options->has_socket)
        return take_socket(options->socket, &server->listen_fd, err);
    if (rc == 0)
        rc = listen_on(options->host != NULL ? options->host : "127.0.0.1", options->port,
                       &server->listen_fd, err);
    return rc;
}

static void server_free(struct http_server *server)
{
    http_tls_context_close(server->tls);
    buf_deinit(&server->scratch);
    buf_deinit(&server->spare);
    free(server);
}

int http_server_open(struct uv_loop_s *loop, const struct http_options *options,
                     struct http_server **out_server, struct err *err)
{
    struct http_server *server = mem_zero(sizeof *server);
    server->loop = loop;
    server->limits = complete(&options->limits);
    server->handler = options->handler;
    int rc = acquire(server, options, err);
    if (rc != 0) {
        server_free(server);
        return rc;
    }
    const uint32_t durations[HTTP_DEADLINE_KINDS] = {
        [HTTP_DEADLINE_IDLE] = server->limits.idle_ms,
        [HTTP_DEADLINE_REQUEST] = server->limits.request_ms,
        [HTTP_DEADLINE_LINGER] = server->limits.linger_ms,
        [HTTP_DEADLINE_WRITE] = server->limits.write_ms,
        [HTTP_DEADLINE_ACCEPT] = RETRY_MS,
    };
    http_deadlines_init(&server->deadlines, loop, durations, on_expired);
    rc = uv_poll_init(loop, &server->listener, server->listen_fd);
    ASSERT(rc == 0);
    server->listener.data = server;
    server->is_listening = true;
    unshared_add(server->listen_fd);
    server->port = port_of(server->listen_fd);
    accept_again(server);
    *out_server = server;
    return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_host(const struct http_server *server, char out_text[HTTP_ADDRESS_MAX])
{
    union http_address address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    int rc = getsockname(server->listen_fd, &address.any, &size);
    if (rc == 0)
        rc = getnameinfo(&address.any, size, out_text, HTTP_ADDRESS_MAX, NULL, 0, NI_NUMERICHOST);
    ASSERT(rc == 0);
}

int http_server_renew(struct http_server *server, const char *cert_file, const char *key_file,
                      struct err *err)
{
    struct http_tls_context *renewed = NULL;
    ASSERT(server->tls != NULL);
    int rc = http_tls_context_open(cert_file, key_file, &renewed, err);
    if (rc != 0)
        return rc;
    http_tls_context_close(server->tls); /* OpenSSL counts who uses it */
    server->tls = renewed;
    return 0;
}

/* -- closing -- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct http_deadlines *deadlines = handle->data;
    struct http_server *server =
        (struct http_server *)((char *)deadlines - offsetof(struct http_server, deadlines));
    if (server->on_closed != NULL)
        server->on_closed(server->closed_arg);
    server_free(server);
}

void http_server_conn_closed(struct http_server *server)
{
    if (!server->is_closing || server->is_listening || server->conn_count != 0)
        return;
    http_deadline_disarm(&server->grace);
    uv_close((uv_handle_t *)&server->deadlines.timer, on_timer_closed);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;
    unshared_close(server->listen_fd);
    server->is_listening = false;
    http_server_conn_closed(server);
}

void http_server_close(struct http_server *server, uint32_t grace_ms, void (*on_closed)(void *arg),
                       void *arg)
{
    ASSERT(!server->is_closing);
    server->is_closing = true;
    server->on_closed = on_closed;
    server->closed_arg = arg;
    http_deadline_disarm(&server->retry);
    uv_close((uv_handle_t *)&server->listener, on_listener_closed);
    server->deadlines.duration_ms[HTTP_DEADLINE_GRACE] = grace_ms;
    http_deadline_arm(&server->deadlines, &server->grace, HTTP_DEADLINE_GRACE, server);
    for (struct http_conn *conn = server->conns; conn != NULL; conn = conn->next)
        http_conn_stop(conn);
}

/* -- the date -- */

const char *http_server_date(struct http_server *server)
{
    static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t now_s = time(NULL);
    struct tm utc;
    if (now_s == server->date_s || gmtime_r(&now_s, &utc) == NULL)
        return server->date;
    server->date_s = now_s;
    int size = snprintf(server->date, sizeof server->date, "%s, %02u %s %04u %02u:%02u:%02u GMT",
                        days[utc.tm_wday], (unsigned)utc.tm_mday % 100, months[utc.tm_mon],
                        ((unsigned)utc.tm_year + 1900) % 10000, (unsigned)utc.tm_hour % 100,
                        (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100);
    ASSERT(size == HTTP_DATE_SIZE);
    return server->date;
}

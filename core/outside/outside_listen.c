/* outside_listen.c -- addresses that a plugin listens on.
 *
 * Not by libuv's servers: what they accept is theirs, and the plugin is to have a plain descriptor,
 * which it watches and closes as it likes.  So a socket of ours is watched, and each connection is
 * accepted here and given away.
 */
#include "core/base/unshared.h"
#include "core/outside/outside_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128
#define ACCEPTS_MAX 32 /* at once: others want their turn */
#define PEER_SIZE (INET6_ADDRSTRLEN + 16)

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un path;
};

struct listener {
    struct outside_item item; /* first */
    uv_poll_t handle;
    int fd;
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path]; /* of a socket file; empty: none */
    void (*accepted)(void *arg, int fd, const char *peer);
    void *arg;
};

/* -- Addresses --------------------------------------------------------------------------------- */

static bool parse_port(const char *text, uint16_t *out_port)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    *out_port = (uint16_t)port;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port <= 65535;
}

/* "127.0.0.1:2525", "[::1]:0"; 0: it is none. */
static socklen_t parse_inet(const char *text, union address *out)
{
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(text, ':');
    uint16_t port;
    if (colon == NULL || !parse_port(colon + 1, &port))
        return 0;
    bool is_v6 = text[0] == '[' && colon[-1] == ']';
    size_t size = (size_t)(colon - text) - (is_v6 ? 2 : 0);
    if (size >= sizeof host)
        return 0;
    memcpy(host, text + is_v6, size);
    host[size] = '\0';
    if (is_v6) {
        out->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
        return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1 ? sizeof out->v6 : 0;
    }
    out->v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
    return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1 ? sizeof out->v4 : 0;
}

static socklen_t parse(const char *text, union address *out)
{
    static const char prefix[] = "unix:";
    size_t size = sizeof prefix - 1;
    if (text == NULL || strncmp(text, prefix, size) != 0)
        return text != NULL ? parse_inet(text, out) : 0;
    out->path = (struct sockaddr_un){ .sun_family = AF_UNIX };
    size_t path = strlen(text + size);
    if (path == 0 || path >= sizeof out->path.sun_path)
        return 0;
    memcpy(out->path.sun_path, text + size, path);
    return sizeof out->path;
}

static void peer_text(const union address *peer, char out[PEER_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (peer->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &peer->v4.sin_addr, host, sizeof host);
        snprintf(out, PEER_SIZE, "%s:%u", host, (unsigned)ntohs(peer->v4.sin_port));
    } else if (peer->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &peer->v6.sin6_addr, host, sizeof host);
        snprintf(out, PEER_SIZE, "[%s]:%u", host, (unsigned)ntohs(peer->v6.sin6_port));
    } else {
        snprintf(out, PEER_SIZE, "unix");
    }
}

/* -- Listening --------------------------------------------------------------------------------- */

static void on_connection(uv_poll_t *handle, int status, int events)
{
    struct listener *listener = handle->data;
    struct outside *outside = listener->item.outside;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_MAX && !outside->is_over; i++) {
        union address peer = { .any = { .sa_family = AF_UNSPEC } };
        socklen_t size = sizeof peer;
        char text[PEER_SIZE];
        int fd = accept4(listener->fd, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (outside->is_winding_down) {
            close(fd);
            continue;
        }
        peer_text(&peer, text);
        int64_t began = outside_enter(outside, CALL_SOCKET);
        listener->accepted(listener->arg, fd, text);
        outside_leave(outside, CALL_SOCKET, began);
    }
}

/* A socket file that nobody answers at was left behind by somebody who died. */
static void remove_stale(const union address *address, socklen_t size)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, &address->any, size) != 0 && errno == ECONNREFUSED)
        unlink(address->path.sun_path);
    close(fd);
}

static int open_socket(const union address *address, socklen_t size)
{
    int one = 1, family = address->any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (family == AF_UNIX)
        remove_stale(address, size);
    else
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, &address->any, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

static uint16_t port_of(int fd)
{
    union address address = { .any = { .sa_family = AF_UNSPEC } };
    socklen_t size = sizeof address;
    getsockname(fd, &address.any, &size);
    return address.any.sa_family == AF_INET    ? ntohs(address.v4.sin_port)
           : address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port)
                                               : 0;
}

static struct listener *listener_new(struct outside *outside, int fd, const union address *address)
{
    struct listener *listener = mem_zero(sizeof *listener);
    int rc = uv_poll_init(outside->loop, &listener->handle, fd);
    ASSERT(rc == 0);
    listener->fd = fd;
    unshared_add(fd);
    listener->handle.data = listener;
    if (address->any.sa_family == AF_UNIX)
        memcpy(listener->path, address->path.sun_path, sizeof listener->path);
    outside_link(&outside->listeners, &listener->item, outside);
    outside->listener_count++;
    outside_hold(outside);
    return listener;
}

static int32_t start_listening(struct outside *outside, const char *text,
                               void (*accepted)(void *arg, int fd, const char *peer), void *arg,
                               uint16_t *out_port)
{
    union address address;
    socklen_t size = parse(text, &address);
    if (size == 0 || accepted == NULL)
        return outside_refuse(outside, KITH_INVALID,
                              "listen needs \"127.0.0.1:2525\", \"[::1]:0\" or \"unix:PATH\", "
                              "and a function");
    if (outside->listener_count >= PLUGIN_LISTENERS_MAX)
        return outside_refuse(outside, KITH_LIMIT, "%d addresses are listened on",
                              PLUGIN_LISTENERS_MAX);
    int fd = open_socket(&address, size);
    if (fd < 0)
        return outside_refuse(outside, KITH_IO, "cannot listen on %s: %s", text, strerror(errno));
    struct listener *listener = listener_new(outside, fd, &address);
    listener->accepted = accepted;
    listener->arg = arg;
    uv_poll_start(&listener->handle, UV_READABLE, on_connection);
    if (out_port != NULL)
        *out_port = port_of(fd);
    return KITH_OK;
}

static int32_t host_listen(struct kith *kith, const char *address,
                           void (*accepted)(void *arg, int fd, const char *peer), void *arg,
                           uint16_t *out_port)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, "sockets");
    if (code == KITH_OK)
        code = start_listening(outside, address, accepted, arg, out_port);
    return outside_end(outside, CALL_LISTEN, code);
}

void outside_listen_host(struct kith_host *host)
{
    host->listen = host_listen;
}

void outside_listen_drop(struct outside *outside)
{
    while (outside->listeners != NULL) {
        struct listener *listener = (struct listener *)outside->listeners;
        uv_poll_stop(&listener->handle);
        unshared_close(listener->fd);
        if (listener->path[0] != '\0')
            unlink(listener->path);
        outside->listener_count--;
        outside_close_item(&listener->item, (uv_handle_t *)&listener->handle);
    }
}

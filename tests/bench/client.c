/* client.c -- see client.h. */
#include "tests/bench/client.h"

#include "core/base/clock.h"
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)

/* -- Whom to talk to ---------------------------------------------------------------------- */

static void read_key(struct target *target, const char *key_file)
{
    size_t size;
    char *key = bench_read_file(key_file, &size);
    char user[128], text[200];
    key[strcspn(key, "\r\n")] = '\0';
    if (strlen(key) + 2 > sizeof user)
        bench_die("%s: a key of more than %zu bytes", key_file, sizeof user - 2);
    int length = snprintf(user, sizeof user, "%s:", key);
    sodium_bin2base64(text, sizeof text, (const unsigned char *)user, (size_t)length,
                      sodium_base64_VARIANT_ORIGINAL);
    snprintf(target->authorization, sizeof target->authorization, "Basic %s", text);
    free(key);
}

void target_init(struct target *target, const char *url, const char *key_file)
{
    static const char scheme[] = "http://";
    *target = (struct target){ .port = 0 };
    bool is_http = strncmp(url, scheme, sizeof scheme - 1) == 0;
    const char *host = is_http ? url + sizeof scheme - 1 : url;
    size_t host_size = strcspn(host, ":");
    char *end = NULL;
    unsigned long port = host[host_size] == ':' ? strtoul(host + host_size + 1, &end, 10) : 0;
    if (!is_http || host_size >= sizeof target->host || port == 0 || port > UINT16_MAX ||
        (*end != '\0' && strcmp(end, "/") != 0))
        bench_die("%s is not of the form http://127.0.0.1:8077", url);
    memcpy(target->host, host, host_size);
    target->port = (uint16_t)port;
    read_key(target, key_file);
}

void target_request(const struct target *target, struct buf *out, const char *method,
                    const char *path, const void *body, size_t size)
{
    buf_printf(out, "%s %s HTTP/1.1\r\nHost: %s:%u\r\nAuthorization: %s\r\n", method, path,
               target->host, target->port, target->authorization);
    if (body != NULL)
        buf_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", size);
    buf_text(out, "\r\n");
    if (body != NULL)
        buf_append(out, body, size);
}

/* -- One connection ------------------------------------------------------------------------- */

void client_open(struct client *client, const struct target *target)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(target->port) };
    int on = 1;
    *client = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    if (inet_pton(AF_INET, target->host, &address.sin_addr) != 1)
        bench_die("%s is not an address", target->host);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0)
        bench_die("cannot connect to %s:%u: %s", target->host, target->port, strerror(errno));
}

void client_close(struct client *client)
{
    close(client->fd);
    buf_deinit(&client->in);
}

static bool must_wait(ssize_t rc)
{
    return rc < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

static void send_more(struct client *client)
{
    while (client->out_size != 0) {
        ssize_t sent = send(client->fd, client->out, client->out_size, MSG_NOSIGNAL);
        if (must_wait(sent))
            return;
        if (sent < 0)
            bench_die("the daemon does not take a request: %s", strerror(errno));
        client->out += sent;
        client->out_size -= (size_t)sent;
    }
}

void client_send(struct client *client, const void *request, size_t size)
{
    buf_clear(&client->in);
    client->out = request;
    client->out_size = size;
    client->is_busy = true;
    client->began_ns = clock_ns();
    send_more(client);
}

short client_events(const struct client *client)
{
    return (short)(client->out_size != 0 ? POLLIN | POLLOUT : POLLIN);
}

static void receive_more(struct client *client)
{
    for (;;) {
        uint8_t *room = buf_reserve(&client->in, READ_BYTES);
        ssize_t got = recv(client->fd, room, READ_BYTES, 0);
        if (must_wait(got))
            return;
        if (got <= 0)
            bench_die("the daemon closed a connection: %s", got < 0 ? strerror(errno) : "end");
        client->in.size += (size_t)got;
        if ((size_t)got < READ_BYTES)
            return;
    }
}

/* Of a head that ends in an empty line. */
static size_t content_length(const char *head)
{
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, "content-length:", 15) == 0)
            return (size_t)strtoull(line + 17, NULL, 10);
    bench_die("an answer without Content-Length: %.100s", head);
}

static int status_of(const char *head)
{
    static const char version[] = "HTTP/1.1 ";
    if (strncmp(head, version, sizeof version - 1) != 0)
        bench_die("not an answer of HTTP/1.1: %.100s", head);
    return (int)strtol(head + sizeof version - 1, NULL, 10);
}

int client_step(struct client *client, struct buf *out_body)
{
    send_more(client);
    receive_more(client);
    char *head = (char *)(uintptr_t)buf_string(&client->in);
    char *end = strstr(head, "\r\n\r\n");
    if (end == NULL)
        return 0;
    size_t head_size = (size_t)(end + 4 - head);
    end[2] = '\0'; /* the head alone, as a string */
    size_t length = content_length(head);
    end[2] = '\r';
    if (client->in.size < head_size + length)
        return 0;
    client->is_busy = false;
    if (out_body != NULL)
        *out_body = (struct buf){ client->in.data + head_size, length, 0 };
    return status_of(head);
}

int client_exchange(struct client *client, const void *request, size_t size, struct buf *out_body)
{
    int status;
    client_send(client, request, size);
    do {
        struct pollfd poller = { .fd = client->fd, .events = client_events(client) };
        poll(&poller, 1, -1);
        status = client_step(client, out_body);
    } while (status == 0);
    return status;
}

/* client.h -- the smallest HTTP client that can keep a daemon busy.
 *
 * A connection is kept alive and has one request under way; the request's bytes are
 * made before the measuring begins and are not copied.  Sockets do not block, so that
 * one thread can serve many connections; client_exchange() is for those who have one.
 * An answer is only looked at for its status and length.  Every failure of the network
 * ends the process: a benchmark on the loopback has no use for retries.
 */
#ifndef TESTS_BENCH_CLIENT_H
#define TESTS_BENCH_CLIENT_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct target {
    char host[64]; /* an IPv4 address */
    uint16_t port;
    char authorization[256]; /* of every request; "Basic ..." of the key */
};

/* `url` is http://ADDRESS:PORT; `key_file` holds the key on one line. */
void target_init(struct target *target, const char *url, const char *key_file);

/* A whole request, head and body, appended to `out`. */
void target_request(const struct target *target, struct buf *out, const char *method,
                    const char *path, const void *body, size_t size);

struct client {
    int fd;
    const uint8_t *out; /* of the request under way: what is not sent yet */
    size_t out_size;
    bool is_busy; /* a request is under way */
    int64_t began_ns;
    struct buf in;
};

void client_open(struct client *client, const struct target *target);
void client_close(struct client *client);

/* Begin a request; the bytes must stay until it is answered. */
void client_send(struct client *client, const void *request, size_t size);

/* What to poll() the socket for. */
short client_events(const struct client *client);

/* Send and receive what goes without waiting; the status when an answer is complete,
 * else 0.  `out_body` (may be NULL) borrows the body until the next send. */
int client_step(struct client *client, struct buf *out_body);

/* Send and wait for the answer; its status. */
int client_exchange(struct client *client, const void *request, size_t size, struct buf *out_body);

#endif

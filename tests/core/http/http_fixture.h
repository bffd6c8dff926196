/* http_fixture.h -- a server on a thread of its own, and a client that sends raw bytes.
 *
 * The client is plain sockets on purpose: what is tested is what is on the wire.
 * Every wait has an end; a test that would hang fails instead.
 */
#ifndef TESTS_CORE_HTTP_HTTP_FIXTURE_H
#define TESTS_CORE_HTTP_HTTP_FIXTURE_H

#include "core/http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include <cmocka.h>

/* Longer than anything takes on a machine that is busy, and less than http.h's own limits, so that
 * what is over by then has ended by the limit that the test has set. */
#define WAIT_MS 20000
#define BIG_BYTES (16u << 20)   /* what /big answers */
#define FLOOD_BYTES (24u << 20) /* what /flood streams */

struct fixture {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t stop;
    struct http_server *server;
    uint16_t port;
    uint32_t grace_ms;
    struct http_request *held; /* by /hold, answered by /release */
    atomic_int gone;           /* requests whose peer left */
    atomic_int requests;       /* that reached on_request */
    atomic_int busy;           /* writes refused by back-pressure */
    atomic_bool is_closed;     /* the server has called back */
};

/* Start a server with `options`, whose handler is filled in:
 *
 *     /          "hello\n"                  /late    "late\n" after 50 ms
 *     /echo      the body                   /hold    when /release has come
 *     /where     method, path, query, host, remote address, one a line
 *     /big       BIG_BYTES of 'x'           /none    204
 *     /stream    two events and an end      /flood   FLOOD_BYTES as the peer reads
 *     /watch     a stream that waits for the peer to leave
 *     /refuse    401 on the head            /small   takes a body of 10 bytes
 *     /field     the value of X-Test        /bad     a field that may not be added
 */
struct fixture *fixture_start(struct http_options options);

/* Close the server, wait for its end, free everything.  fixture_begin_stop() only asks. */
void fixture_stop(struct fixture *fixture);
void fixture_begin_stop(struct fixture *fixture);

int client_connect(const struct fixture *fixture);
void client_send(int fd, const char *bytes, size_t size);
void client_text(int fd, const char *text);

struct reply {
    char *data; /* terminated; may contain other NULs */
    size_t size;
};

/* Read until the peer closes.  A reset fails the test. */
struct reply client_read_all(int fd);
/* Read one whole answer, by Content-Length or chunks; `is_head`: none follows the head. */
struct reply client_read_one(int fd, bool is_head);
void reply_free(struct reply *reply);

/* The statuses of all answers in `reply`, such as "100 200 400". */
void reply_statuses(const struct reply *reply, char *out_text, size_t size);

/* Send, shut down the sending side, read all, free: the statuses. */
void exchange(const struct fixture *fixture, const char *bytes, size_t size, bool one_by_one,
              char *out_text, size_t out_size, struct reply *out_reply);

uint64_t now_ms(void);
void sleep_ms(unsigned ms);

#endif

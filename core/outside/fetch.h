/* fetch.h -- an HTTP client on the loop: a request, and the answer to it.
 *
 * For receivers that nobody vouches for.  A fetch
 *
 *   - verifies the other side's certificate and name, over TLS 1.2 or later;
 *   - follows no redirect, uses no proxy of the environment, keeps no cookies;
 *   - connects to public addresses only, unless told otherwise, and asks the address itself that
 *     a socket is about to be connected to, so that a name cannot mean one thing when it is
 *     looked at and another when it is used;
 *   - reads at most FETCH_HEAD_BYTES_MAX of an answer's headers, and of its body at most as much as
 *     was said;
 *   - ends, at the latest, after its timeout, whatever the other side does, and whatever the name
 *     service does.
 *
 * A client has connections of its own, kept alive between requests.  Two clients share nothing:
 * what one of them may connect to the other cannot use.
 *
 * The loop's thread.  `done` comes from the loop, never from inside fetch_send().
 */
#ifndef CORE_OUTSIDE_FETCH_H
#define CORE_OUTSIDE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fetch;
struct uv_loop_s;

#define FETCH_HEAD_BYTES_MAX (64u << 10)
#define FETCH_ERROR_SIZE 120

struct fetch_result {       /* borrowed for the call */
    int status;             /* 100 to 599; 0: there was no answer, or none that could be read */
    int64_t retry_after_ms; /* what the answer asks for; -1: nothing */
    const char *error;      /* why there was none, for people; NULL: there was one */
    const struct fetch_header *headers;
    size_t header_count;
    const void *body;
    size_t body_size;
    bool is_too_large; /* it has more than answer_max: `error` says so */
    bool is_unsent;    /* `error` came before any of the request had gone out */
};

struct fetch_header {
    const char *name, *value;
};

#define FETCH_HEADERS_MAX 100

struct fetch_request {
    const char *method;         /* a token; "HEAD" has no body in its answer */
    const char *url;            /* http:// or https:// */
    const char *const *headers; /* "Name: value", NULL behind the last */
    const void *body;
    size_t size;
    int64_t timeout_ms; /* from its beginning */
    size_t answer_max;  /* bytes of the body; more is an error, which has status and headers */
    const char *ca; /* a PEM file of those who may vouch for the other side; NULL: the system's */
    const char *credentials; /* "NAME:PASSWORD" for HTTP Basic; NULL: none */
    bool is_once;            /* over a connection of its own */
};

typedef void fetch_done_fn(void *arg, const struct fetch_result *result);

struct fetch *fetch_open(struct uv_loop_s *loop, bool allow_private);
/* Nobody hears of what is under way.  The loop must run once more for what is left.  NULL is
 * allowed. */
void fetch_close(struct fetch *fetch);

/* All of it is copied.  E_INVALID: the method, the url or a header. */
int fetch_send(struct fetch *fetch, const struct fetch_request *wanted, fetch_done_fn *done,
               void *arg, struct err *err);

/* Retry-After: seconds, or a date, as milliseconds from `now_ms` (since 1970).  -1: neither; a date
 * that has passed: 0. */
int64_t fetch_retry_after(const char *value, int64_t now_ms);

#endif

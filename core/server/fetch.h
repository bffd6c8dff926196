/* fetch.h -- an HTTP client on the loop: a request, a status back, and the answer if it is wanted.
 *
 * For receivers that nobody vouches for.  A fetch
 *
 *   - verifies the other side's certificate and name, over TLS 1.2 or later;
 *   - follows no redirect, uses no proxy of the environment, keeps no cookies;
 *   - connects to public addresses only, unless told otherwise, and asks the address itself that
 *     a socket is about to be connected to, so that a name cannot mean one thing when it is
 *     looked at and another when it is used;
 *   - reads at most FETCH_RESPONSE_BYTES_MAX of an answer's headers, and of a body that nobody
 * wants,
 *     which is thrown away; of one that is wanted at most as much as was said;
 *   - ends, at the latest, after its timeout, whatever the other side does, and whatever the name
 *     service does.
 *
 * A client has connections of its own, kept alive between requests.  Two clients share nothing:
 * what one of them may connect to the other cannot use.
 *
 * The loop's thread.  `done` comes from the loop, never from inside fetch_post() or fetch_send().
 */
#ifndef CORE_SERVER_FETCH_H
#define CORE_SERVER_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fetch;
struct uv_loop_s;

#define FETCH_RESPONSE_BYTES_MAX (64u << 10) /* of the headers, and of the body */
#define FETCH_ERROR_SIZE 120

struct fetch_options {
    struct uv_loop_s *loop;
    const char *url; /* http:// or https://; copied; NULL: each request has its own */
    const char *ca;  /* a PEM file of those who may vouch for it; NULL: the system's */
    bool allow_private;
    int64_t timeout_ms; /* of one request, from its beginning */
};

struct fetch_result {
    int status;             /* 100 to 599; 0: there was no answer, or none that could be read */
    int64_t retry_after_ms; /* what the answer asks for; -1: nothing */
    const char *error;      /* why there was none, for people; NULL: there was one */
    /* Of fetch_send(), and borrowed for the call: */
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
    const char *method; /* a token; "HEAD" has no body in its answer */
    const char *url;
    const char *const *headers; /* "Name: value", NULL behind the last */
    const void *body;
    size_t size;
    int64_t timeout_ms;
    size_t answer_max; /* bytes of the body; more is an error, which has status and headers */
    const char *ca;    /* as in the options; NULL: what those say */
    bool is_once;      /* over a connection of its own */
};

typedef void fetch_done_fn(void *arg, const struct fetch_result *result);

/* E_INVALID: the URL; E_IO: `ca` cannot be read. */
int fetch_open(const struct fetch_options *options, struct fetch **out_fetch, struct err *err);
/* Nobody hears of what is under way.  The loop must run once more for what is left.  NULL is
 * allowed. */
void fetch_close(struct fetch *fetch);

/* POST `body`, which is copied, with `headers` ("Name: value", NULL at the end), copied too. */
void fetch_post(struct fetch *fetch, const char *const headers[], const void *body, size_t size,
                fetch_done_fn *done, void *arg);

/* The same with all of it chosen, all of it copied.  E_INVALID: the method, the url or a header. */
int fetch_send(struct fetch *fetch, const struct fetch_request *wanted, fetch_done_fn *done,
               void *arg, struct err *err);

/* "https://host:port": what may be shown of the URL. */
const char *fetch_target(const struct fetch *fetch);

/* Retry-After: seconds, or a date, as milliseconds from `now_ms` (since 1970).  -1: neither; a date
 * that has passed: 0. */
int64_t fetch_retry_after(const char *value, int64_t now_ms);

#endif

/* client.h -- calls to the daemon over HTTP.
 *
 * One connection, kept between calls; one call at a time.  An answer is an answer,
 * whatever its status: only a daemon that gives none is a failure here.  One thread.
 */
#ifndef CORE_CLI_CLIENT_H
#define CORE_CLI_CLIENT_H

#include "core/base/doc.h"

struct client;
struct err;

struct reply {
    long status;           /* of HTTP */
    struct doc doc;        /* the body; none if it is no JSON object */
    int64_t retry_after_s; /* what the daemon asked for; 0: nothing */
};

/* The bodies of answers live until the next call.  `key` may be NULL: then the daemon
 * decides what it tells strangers.  E_INVALID: the address cannot be one. */
int client_open(const char *url, const char *key, struct client **out_client, struct err *err);
void client_close(struct client *client); /* NULL is allowed */
/* Believe who is certified by one of this file (PEM), and nobody else.  E_INVALID: it cannot be
 * read. */
int client_trust(struct client *client, const char *file, struct err *err);
const char *client_url(const struct client *client);

/* As client_call() below, with an Idempotency-Key (NULL: none): called again with the same key, the
 * daemon does once what is asked.  `type` is that of the body; NULL: JSON. */
int client_call_once(struct client *client, const char *method, const char *path,
                     const struct buf *body, const char *type, const char *key,
                     struct reply *out_reply, struct err *err);
/* Whether the daemon may have heard the last call although no answer came. */
bool client_is_in_doubt(const struct client *client);

/* `path` begins with a slash; `body` is JSON, or NULL.  E_IO: no answer came; E_INVALID:
 * the answer is no HTTP, or larger than any answer of a daemon. */
int client_call(struct client *client, const char *method, const char *path, const struct buf *body,
                struct reply *out_reply, struct err *err);

/* GET `path` and hand on the bytes of a 200 as they come; returns when the daemon ends the answer,
 * when `each` returns false, or when Ctrl-C was pressed (interrupt.h), all of which is 0.  Any
 * other status is an answer as above.  E_IO: no answer came, or it broke off, or was silent for
 * SILENCE_S, in which a daemon would have said that it is there. */
#define SILENCE_S 60
typedef bool client_bytes_fn(void *arg, const char *bytes, size_t size);
int client_follow(struct client *client, const char *path, client_bytes_fn *each, void *arg,
                  struct reply *out_reply, struct err *err);

/* The reason in a problem document (RFC 9457), or the status in words.  Appended. */
void reply_reason(const struct reply *reply, struct buf *out);

/* Append `text` to a path, encoded as one segment or one value of a query. */
void path_text(struct buf *path, const char *text);
/* Append "?name=value" or "&name=value". A NULL value: nothing. */
void path_query(struct buf *path, const char *name, const char *value);

#endif

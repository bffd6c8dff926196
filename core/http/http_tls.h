/* http_tls.h -- TLS between bytes of the wire and bytes of HTTP; knows no socket.
 *
 * OpenSSL reads and writes memory here, so that the connection keeps a single way of
 * reading, writing and waiting, with or without TLS.  TLS 1.2 and 1.3.  Loop thread.
 */
#ifndef CORE_HTTP_HTTP_TLS_H
#define CORE_HTTP_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct http_tls;         /* one connection */
struct http_tls_context; /* certificate and key */

/* E_INVALID names the file and what is wrong with it. */
int http_tls_context_open(const char *cert_file, const char *key_file,
                          struct http_tls_context **out_context, struct err *err);
void http_tls_context_close(struct http_tls_context *context); /* NULL is allowed */

/* The context must outlive it.  It waits for the peer to begin. */
struct http_tls *http_tls_new(struct http_tls_context *context);
void http_tls_free(struct http_tls *tls); /* NULL is allowed */

/* Bytes that came from the wire; copied.  Read until MORE before the next ones. */
void http_tls_feed(struct http_tls *tls, const void *data, size_t size);

enum { HTTP_TLS_MORE = 0, HTTP_TLS_END = -1, HTTP_TLS_BROKEN = -2 };

/* Decrypt into `data`: the number of bytes, or MORE (feed first), END (the peer said
 * goodbye) or BROKEN.  What TLS itself wants to send is appended to `wire` in every
 * case, a last alert included. */
int http_tls_read(struct http_tls *tls, void *data, size_t size, struct buf *wire);

/* Encrypt `size` bytes onto the end of `wire`.  Only after the handshake. */
void http_tls_write(struct http_tls *tls, const void *data, size_t size, struct buf *wire);

/* Append our goodbye, if there is anybody to say it to: after the handshake. */
void http_tls_end(struct http_tls *tls, struct buf *wire);

bool http_tls_is_ready(const struct http_tls *tls); /* the handshake is over */

#endif

/* http_tls.c -- OpenSSL over memory BIOs; see http_tls.h.
 *
 * Renegotiation is refused: it would let a read need a write in the middle of a
 * request, and no browser or client library asks for it.  The record buffers of idle
 * connections are released (SSL_MODE_RELEASE_BUFFERS), which saves 34 KiB each.
 */
#include "core/http/http_tls.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct http_tls_context {
    SSL_CTX *ssl;
};

struct http_tls {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
};

static int fail(struct err *err, const char *action, const char *file)
{
    unsigned long code = ERR_get_error();
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    return err_set(err, E_INVALID, "tls: cannot %s %s: %s", action, file,
                   reason != NULL ? reason : "unknown reason");
}

/* Agree on HTTP/1.1; a peer that offers other protocols only is told so. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *offered, unsigned offered_size, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)arg;
    int rc = SSL_select_next_proto((unsigned char **)out, out_size, ours, sizeof ours - 1, offered,
                                   offered_size);
    return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int load(SSL_CTX *ssl, const char *cert_file, const char *key_file, struct err *err)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ssl, cert_file) != 1)
        return fail(err, "use the certificate", cert_file);
    if (SSL_CTX_use_PrivateKey_file(ssl, key_file, SSL_FILETYPE_PEM) != 1)
        return fail(err, "use the key", key_file);
    return 0;
}

int http_tls_context_open(const char *cert_file, const char *key_file,
                          struct http_tls_context **out_context, struct err *err)
{
    struct http_tls_context *context = mem_zero(sizeof *context);
    context->ssl = SSL_CTX_new(TLS_server_method());
    ASSERT(context->ssl != NULL);
    SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context->ssl, select_protocol, NULL);
    int rc = load(context->ssl, cert_file, key_file, err);
    if (rc != 0) {
        http_tls_context_close(context);
        return rc;
    }
    *out_context = context;
    return 0;
}

void http_tls_context_close(struct http_tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    free(context);
}

struct http_tls *http_tls_new(struct http_tls_context *context)
{
    struct http_tls *tls = mem_zero(sizeof *tls);
    tls->ssl = SSL_new(context->ssl);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    ASSERT(tls->ssl != NULL && tls->in != NULL && tls->out != NULL);
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void http_tls_free(struct http_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

void http_tls_feed(struct http_tls *tls, const void *data, size_t size)
{
    size_t written = 0;
    int rc = BIO_write_ex(tls->in, data, size, &written);
    ASSERT(rc == 1 && written == size);
}

static void drain(struct http_tls *tls, struct buf *wire)
{
    size_t pending = BIO_ctrl_pending(tls->out);
    size_t size = 0;
    if (pending == 0)
        return;
    int rc = BIO_read_ex(tls->out, buf_reserve(wire, pending), pending, &size);
    ASSERT(rc == 1 && size == pending);
    wire->size += size;
}

int http_tls_read(struct http_tls *tls, void *data, size_t size, struct buf *wire)
{
    ERR_clear_error();
    int rc = SSL_read(tls->ssl, data, size < INT_MAX ? (int)size : INT_MAX);
    int reason = rc > 0 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, rc);
    drain(tls, wire);
    if (rc > 0)
        return rc;
    if (reason == SSL_ERROR_WANT_READ)
        return HTTP_TLS_MORE;
    return reason == SSL_ERROR_ZERO_RETURN ? HTTP_TLS_END : HTTP_TLS_BROKEN;
}

void http_tls_write(struct http_tls *tls, const void *data, size_t size, struct buf *wire)
{
    size_t written = 0;
    ERR_clear_error();
    int rc = SSL_write_ex(tls->ssl, data, size, &written);
    ASSERT(rc == 1 && written == size);
    drain(tls, wire);
}

void http_tls_end(struct http_tls *tls, struct buf *wire)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl))
        SSL_shutdown(tls->ssl);
    drain(tls, wire);
}

bool http_tls_is_ready(const struct http_tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}

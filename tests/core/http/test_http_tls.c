/* test_http_tls.c -- the same server behind TLS, with a certificate made on the spot. */
#include "tests/core/http/http_fixture.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static char dir[] = "/tmp/kith-tls-XXXXXX";
static char cert_file[64], key_file[64];
static struct fixture *fixture;

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void write_files(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_certificate(key);
    assert_non_null(mkdtemp(dir));
    snprintf(cert_file, sizeof cert_file, "%s/cert.pem", dir);
    snprintf(key_file, sizeof key_file, "%s/key.pem", dir);
    FILE *file = fopen(cert_file, "w");
    assert_int_equal(PEM_write_X509(file, cert), 1);
    fclose(file);
    file = fopen(key_file, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static int start(void **state)
{
    (void)state;
    write_files();
    fixture = fixture_start((struct http_options){
        .cert_file = cert_file,
        .key_file = key_file,
        .limits = { .linger_ms = 300, .request_ms = 400, .pipeline_max = 4 },
    });
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(fixture);
    unlink(cert_file);
    unlink(key_file);
    rmdir(dir);
    return 0;
}

struct client {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
};

static struct client open_client(const char *protocols, size_t size)
{
    struct client client = { .fd = client_connect(fixture),
                             .ctx = SSL_CTX_new(TLS_client_method()) };
    client.ssl = SSL_new(client.ctx);
    if (protocols != NULL)
        SSL_set_alpn_protos(client.ssl, (const unsigned char *)protocols, (unsigned)size);
    SSL_set_fd(client.ssl, client.fd);
    return client;
}

static void close_client(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->ctx);
    close(client->fd);
}

/* Read until the server's goodbye, which must come: without it an answer may have been
 * cut by somebody on the way. */
static struct reply read_all(struct client *client)
{
    struct reply reply = { calloc(1, BIG_BYTES + 65536), 0 };
    int size;
    while ((size = SSL_read(client->ssl, reply.data + reply.size, 65535)) > 0)
        reply.size += (size_t)size;
    assert_int_equal(SSL_get_error(client->ssl, size), SSL_ERROR_ZERO_RETURN);
    return reply;
}

static void expect(const char *bytes, const char *wanted)
{
    char statuses[64];
    struct client client = open_client(NULL, 0);
    assert_int_equal(SSL_connect(client.ssl), 1);
    assert_true(SSL_write(client.ssl, bytes, (int)strlen(bytes)) > 0);
    SSL_shutdown(client.ssl);
    struct reply reply = read_all(&client);
    reply_statuses(&reply, statuses, sizeof statuses);
    assert_string_equal(statuses, wanted);
    reply_free(&reply);
    close_client(&client);
}

static void requests_are_answered_and_errors_told(void **state)
{
    (void)state;
    expect(GET, "200");
    expect(GET "GET /late HTTP/1.1\r\nHost: a\r\n\r\n" GET, "200 200 200");
    expect("GET / HTTP/1.1\r\n\r\n", "400");
    expect("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "200");
    expect(GET GET GET GET GET GET GET GET GET GET, "200 200 200 200 200 200 200 200 200 200");
}

static void a_pause_in_the_middle_of_a_record_loses_nothing(void **state)
{
    (void)state;
    expect("GET /late HTTP/1.1\r\nHost: a\r\n\r\n" GET GET GET GET GET GET GET,
           "200 200 200 200 200 200 200 200");
}

static void a_large_answer_arrives_whole(void **state)
{
    (void)state;
    struct client client = open_client(NULL, 0);
    assert_int_equal(SSL_connect(client.ssl), 1);
    static const char get[] = "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_true(SSL_write(client.ssl, get, sizeof get - 1) > 0);
    struct reply reply = read_all(&client);
    const char *body = strstr(reply.data, "\r\n\r\n") + 4;
    assert_int_equal(reply.size - (size_t)(body - reply.data), BIG_BYTES);
    reply_free(&reply);
    close_client(&client);
}

static void a_connection_is_used_again(void **state)
{
    (void)state;
    struct client client = open_client(NULL, 0);
    char bytes[1024];
    assert_int_equal(SSL_connect(client.ssl), 1);
    for (int i = 0; i < 3; i++) {
        assert_true(SSL_write(client.ssl, GET, sizeof GET - 1) > 0);
        assert_true(SSL_read(client.ssl, bytes, sizeof bytes) > 0);
    }
    close_client(&client);
}

static void http_1_1_is_agreed_on_and_other_protocols_are_refused(void **state)
{
    (void)state;
    const unsigned char *chosen = NULL;
    unsigned size = 0;
    struct client client = open_client("\x02h2\x08http/1.1", 12);
    assert_int_equal(SSL_connect(client.ssl), 1);
    SSL_get0_alpn_selected(client.ssl, &chosen, &size);
    assert_int_equal(size, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    close_client(&client);
    client = open_client("\x02h2", 3);
    assert_int_not_equal(SSL_connect(client.ssl), 1);
    close_client(&client);
}

static void old_versions_are_refused(void **state)
{
    (void)state;
    struct client client = open_client(NULL, 0);
    SSL_set_security_level(client.ssl, 0);
    SSL_set_min_proto_version(client.ssl, TLS1_VERSION);
    SSL_set_max_proto_version(client.ssl, TLS1_1_VERSION);
    assert_int_not_equal(SSL_connect(client.ssl), 1);
    close_client(&client);
}

static void plain_bytes_end_the_connection(void **state)
{
    (void)state;
    int fd = client_connect(fixture);
    char bytes[64];
    client_text(fd, GET);
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        continue;
    close(fd);
}

static void an_unfinished_handshake_is_cut(void **state)
{
    (void)state;
    uint64_t begin_ms = now_ms();
    int fd = client_connect(fixture);
    struct reply reply = client_read_all(fd);
    assert_int_equal(reply.size, 0);
    assert_in_range(now_ms() - begin_ms, 300, WAIT_MS);
    reply_free(&reply);
    close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered_and_errors_told),
        cmocka_unit_test(a_pause_in_the_middle_of_a_record_loses_nothing),
        cmocka_unit_test(a_large_answer_arrives_whole),
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(http_1_1_is_agreed_on_and_other_protocols_are_refused),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(plain_bytes_end_the_connection),
        cmocka_unit_test(an_unfinished_handshake_is_cut),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

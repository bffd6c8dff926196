/* test_http_raw.c -- which bytes are a request, and the exact status of those that are not.
 *
 * Every case is sent twice, in one piece and byte by byte: the answer must not depend on
 * how the network cuts it.
 */
#include "tests/core/http/http_fixture.h"

#include "core/base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct raw {
    const char *name;
    const char *statuses;
    const char *bytes;
    const char *contains; /* in the answer; NULL: do not care */
};

#define HOST "Host: a\r\n"
#define END "\r\n\r\n"
#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST /echo HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct raw raws[] = {
    /* request lines and targets */
    { "a plain request is answered", "200", GET, "\r\n\r\nhello\n" },
    { "the answer has a date", "200", GET, " GMT\r\n" },
    { "empty lines before a request are skipped", "200", "\r\n\r\n" GET, NULL },
    { "many empty lines are not", "400", "\r\n\r\n\r\n\r\n\r\n" GET, NULL },
    { "a lone LF after the request line", "400", "GET / HTTP/1.1\nHost: a\r\n\r\n", "CR LF" },
    { "a lone LF after a field", "400", "GET / HTTP/1.1\r\nHost: a\n\r\n", NULL },
    { "a lone LF as the empty line", "400", "GET / HTTP/1.1\r\nHost: a\r\n\n", NULL },
    { "a lone CR in a field", "400", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "no LF follows" },
    { "a lone CR as line end", "400", "GET / HTTP/1.1\rHost: a\r\r", NULL },
    { "HTTP/0.9", "400", "GET /\r\n\r\n", NULL },
    { "HTTP/2.0", "505", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", NULL },
    { "the preface of HTTP/2", "505", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL },
    { "the preface of HTTP/2 with another version", "501", "PRI * HTTP/1.1\r\nHost: a\r\n\r\n",
      NULL },
    { "HTTP/1.2 is answered as HTTP/1.1", "200", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", NULL },
    { "HTTP/1.10", "400", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", NULL },
    { "http/1.1 in small letters", "400", "GET / http/1.1\r\nHost: a\r\n\r\n", NULL },
    { "two spaces before the target", "400", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "two spaces after the target", "400", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "a space behind the version", "400", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", NULL },
    { "a space before the method", "400", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "a tab as separator", "400", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "an unknown method", "501", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "a method of another protocol", "501", "DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "a method in small letters", "501", "get / HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "a method that is no token", "400", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "CONNECT", "501", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "no proxy" },
    { "TLS bytes on a plain port", "400", "\x16\x03\x01\x02", NULL },
    { "a fragment in the target", "400", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "bytes beyond ASCII in the target", "400", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
      NULL },
    { "a relative target", "400", "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "an absolute target", "200", "GET http://b.c:8/x?y=1 HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET\n/x\ny=1\nb.c:8\n127.0.0.1\n" },
    { "an absolute target without path", "200", "GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n",
      "hello" },
    { "an absolute target of another scheme", "400", "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
      NULL },
    { "an absolute target without host", "400", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "an absolute target of a port alone", "400", "GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n",
      NULL },
    { "a user in an absolute target", "400", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "OPTIONS *", "200", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "GET *", "400", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", NULL },
    { "a path is split from its query", "200", "PUT /a%2Fb?c=d?e HTTP/1.1\r\nHost: h:1\r\n\r\n",
      "PUT\n/a%2Fb\nc=d?e\nh:1\n" },

    /* fields */
    { "no Host", "400", "GET / HTTP/1.1\r\n\r\n", "requires a Host" },
    { "two Hosts", "400", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "more than one" },
    { "a Host that is a list", "400", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", NULL },
    { "a Host with a user", "400", "GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", NULL },
    { "a Host with two ports", "400", "GET / HTTP/1.1\r\nHost: a:80:90\r\n\r\n", NULL },
    { "a Host with a port that is none", "400", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", NULL },
    { "a Host with a port too large", "400", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", NULL },
    { "a Host with an open bracket", "400", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", NULL },
    { "a Host with nothing in brackets", "400", "GET / HTTP/1.1\r\nHost: []\r\n\r\n", NULL },
    { "a Host with a port of no digits", "200", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", NULL },
    { "an empty Host", "200", "GET / HTTP/1.1\r\nHost:\r\n\r\n", NULL },
    { "an IPv6 Host", "200", "GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "\n[::1]:80\n" },
    { "HTTP/1.0 without Host", "200", "GET / HTTP/1.0\r\n\r\n", "Connection: close" },
    { "HTTP/1.0 with two Hosts", "400", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", NULL },
    { "a folded line", "400", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", "folded" },
    { "a fold behind an empty value", "400", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\t2\r\n\r\n",
      "folded" },
    { "a space before the first field", "400", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", NULL },
    { "a space before the colon", "400", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", NULL },
    { "a tab before the colon", "400", "GET / HTTP/1.1\r\nHost: a\r\nX\t: a\r\n\r\n", NULL },
    { "a space before the colon of Content-Length", "400", POST "Content-Length : 5\r\n\r\nhello",
      NULL },
    { "a field without name", "400", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", NULL },
    { "a field without colon", "400", "GET / HTTP/1.1\r\nHost: a\r\nxyz\r\n\r\n", NULL },
    { "a field name that is no token", "400", "GET / HTTP/1.1\r\nHost: a\r\nX@: b\r\n\r\n", NULL },
    { "a control byte in a value", "400", "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", NULL },
    { "DEL in a value", "400", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", NULL },
    { "bytes beyond ASCII in a value", "200",
      "GET /field HTTP/1.1\r\nHost: a\r\nX-Test: \xc3\xa4\r\n\r\n", "\xc3\xa4" },
    { "a value loses the spaces around it", "200",
      "GET /field HTTP/1.1\r\nHost: a\r\nX-Test: \t a b \t \r\n\r\n", "\r\n\r\na b" },
    { "the value found is the first", "200",
      "GET /field HTTP/1.1\r\nHost: a\r\nX-Test: 1\r\nx-test: 2\r\n\r\n", "\r\n\r\n1" },

    /* bodies of known length */
    { "a body", "200", POST "Content-Length: 5\r\n\r\nhello", "\r\n\r\nhello" },
    { "a length of zero", "200", POST "Content-Length: 0\r\n\r\n", "Content-Length: 0" },
    { "leading zeros", "200", POST "Content-Length: 0005\r\n\r\nhello", "\r\n\r\nhello" },
    { "conflicting lengths", "400", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      NULL },
    { "a repeated length", "400", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
      NULL },
    { "a list of lengths", "400", POST "Content-Length: 5, 5\r\n\r\nhello", NULL },
    { "a signed length", "400", POST "Content-Length: +5\r\n\r\nhello", NULL },
    { "a negative length", "400", POST "Content-Length: -5\r\n\r\nhello", NULL },
    { "a hexadecimal length", "400", POST "Content-Length: 0x5\r\n\r\nhello", NULL },
    { "an empty length", "400", POST "Content-Length:\r\n\r\nhello", NULL },
    { "a length of two numbers", "400", POST "Content-Length: 5 5\r\n\r\nhello", NULL },
    { "a length beyond 64 bits", "400", POST "Content-Length: 18446744073709551621\r\n\r\n", NULL },
    { "a length above the limit", "413", POST "Content-Length: 5242881\r\n\r\nhello",
      "problem+json" },
    { "a length above the limit of its route", "413",
      "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", NULL },
    { "a length at the limit of its route", "200",
      "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789", "0123456789" },
    { "a body that breaks off", "400", POST "Content-Length: 5\r\n\r\nhell", "broke off" },
    { "a head that breaks off", "400", "GET / HTTP/1.1\r\nHost", "broke off" },
    { "a body on GET", "200", "GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
      "\r\n\r\nhi" },

    /* chunks */
    { "a chunked body", "200", CHUNKED "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "\r\n\r\nhello!" },
    { "an empty chunked body", "200", CHUNKED "0\r\n\r\n", "Content-Length: 0" },
    { "CHUNKED in capitals", "200", POST "Transfer-Encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      "\r\n\r\nx" },
    { "chunk sizes in both cases", "200",
      CHUNKED "A\r\n0123456789\r\nb\r\n01234567890\r\n0\r\n\r\n", NULL },
    { "leading zeros of a chunk size", "200", CHUNKED "0005\r\nhello\r\n0\r\n\r\n", "hello" },
    { "a chunk extension", "200", CHUNKED "5;a=b\r\nhello\r\n0;c\r\n\r\n", "\r\n\r\nhello" },
    { "a quoted chunk extension", "200", CHUNKED "5;a=\"b c\"\r\nhello\r\n0\r\n\r\n", "hello" },
    { "a lone LF in a chunk extension", "400", CHUNKED "5;a\nb\r\nhello\r\n0\r\n\r\n", NULL },
    { "a chunk size without digits", "400", CHUNKED "\r\nhello\r\n0\r\n\r\n", NULL },
    { "a chunk size with 0x", "400", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", NULL },
    { "a negative chunk size", "400", CHUNKED "-5\r\nhello\r\n0\r\n\r\n", NULL },
    { "a space before a chunk size", "400", CHUNKED " 5\r\nhello\r\n0\r\n\r\n", NULL },
    { "a space behind a chunk size", "400", CHUNKED "5 \r\nhello\r\n0\r\n\r\n", NULL },
    { "a chunk size beyond 64 bits", "400", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n",
      NULL },
    { "a chunk above the limit", "413",
      CHUNKED "500001\r\n"
              "hello",
      NULL },
    { "a chunk above the limit of its route", "413",
      "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "6\r\n012345\r\n5\r\n01234\r\n0\r\n\r\n",
      NULL },
    { "a lone LF after a chunk size", "400", CHUNKED "5\nhello\r\n0\r\n\r\n", NULL },
    { "a lone LF behind a chunk", "400", CHUNKED "5\r\nhello\n0\r\n\r\n", NULL },
    { "a chunk longer than its size", "400", CHUNKED "5\r\nhello!\r\n0\r\n\r\n", NULL },
    { "a trailer is ignored", "200 200", CHUNKED "1\r\nx\r\n0\r\nX-Test: 1\r\n\r\n" GET, NULL },
    { "Connection in a trailer is ignored", "200 200",
      CHUNKED "1\r\nx\r\n0\r\nConnection: close\r\n\r\n" GET, NULL },
    { "framing in a trailer is ignored", "200 200",
      CHUNKED "1\r\nx\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: gzip\r\n\r\n" GET, NULL },
    { "a lone LF ends no trailer", "400", CHUNKED "1\r\nx\r\n0\r\n\n", NULL },
    { "a lone LF in a trailer", "400", CHUNKED "1\r\nx\r\n0\r\nX: 1\n\r\n", NULL },
    { "a folded trailer", "400", CHUNKED "1\r\nx\r\n0\r\nX: 1\r\n 2\r\n\r\n", "folded" },
    { "a trailer without name", "400", CHUNKED "1\r\nx\r\n0\r\n: 1\r\n\r\n", NULL },
    { "a trailer that is no field", "400", CHUNKED "1\r\nx\r\n0\r\nxyz\r\n\r\n", NULL },
    { "a chunked body that breaks off", "400", CHUNKED "5\r\nhel", "broke off" },

    /* smuggling */
    { "both framings", "400",
      POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", NULL },
    { "both framings, the other way round", "400",
      POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", NULL },
    { "both framings, the coding empty", "400",
      POST "Transfer-Encoding:\r\nContent-Length: 4\r\n\r\nabcd", NULL },
    { "an empty Transfer-Encoding", "501", POST "Transfer-Encoding:\r\n\r\n", NULL },
    { "another transfer coding", "501", POST "Transfer-Encoding: gzip\r\n\r\n", NULL },
    { "gzip under chunked", "501", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", NULL },
    { "chunked under gzip", "501", POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", NULL },
    { "chunked twice", "501", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", NULL },
    { "two Transfer-Encodings", "501",
      POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", NULL },
    { "two Transfer-Encodings, chunked last", "501",
      POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", NULL },
    { "almost chunked", "501", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", NULL },
    { "quoted chunked", "501", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", NULL },
    { "chunked with a parameter", "501", POST "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
      NULL },
    { "chunked behind a vertical tab", "400",
      POST "Transfer-Encoding: \x0b"
           "chunked\r\n\r\n",
      NULL },
    { "Transfer-Encoding in HTTP/1.0", "400",
      "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", NULL },
    { "an upgrade is not taken", "200 200",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" GET, NULL },
    { "an upgrade with a body", "200 200",
      POST "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi" GET, NULL },
    { "nothing is heard after an error", "400",
      POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET, NULL },

    /* answers, order, persistence */
    { "two requests in one piece", "200 200", GET GET, NULL },
    { "an answer owed comes before the error", "200 400",
      "GET /late HTTP/1.1\r\n" HOST "\r\n"
      "BAD\r\n\r\n",
      "late" },
    { "nothing is heard after Connection: close", "200",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET, "Connection: close" },
    { "close in a list", "200", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n" GET,
      NULL },
    { "close wins over keep-alive", "200",
      "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" GET, NULL },
    { "HTTP/1.0 closes", "200", "GET / HTTP/1.0\r\n\r\n" GET, NULL },
    { "HTTP/1.0 may keep alive", "200 200", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET,
      "Connection: keep-alive" },
    { "204 has no body and no length", "204", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
      "GMT\r\n\r\n" },
    { "a request without body refused on its head keeps the connection", "401 200",
      "GET /refuse HTTP/1.1\r\nHost: a\r\n\r\n" GET, "such as \\\"abc\\\"" },
    { "one with a body does not", "401",
      "POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" GET,
      "WWW-Authenticate: Bearer" },
    { "an answer takes no bad field", "200", "GET /bad HTTP/1.1\r\nHost: a\r\n\r\n",
      "X-Good: fine\r\n" },
    { "a stream is chunked and the next answer follows it", "200 200",
      "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n" GET, "9\r\ndata: 2\n\n\r\n0\r\n\r\nHTTP/1.1" },
    { "a stream to HTTP/1.0 ends with the connection", "200",
      "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "\r\n\r\ndata: 1\n\ndata: 2\n\n" },

    /* expectations and codings */
    { "an unknown expectation", "417", POST "Expect: tea\r\nContent-Length: 1\r\n\r\nx", NULL },
    { "an expectation in HTTP/1.0 is ignored", "200", "GET / HTTP/1.0\r\nExpect: tea\r\n\r\n",
      NULL },
    { "an unknown coding", "415", POST "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
      "Accept-Encoding: gzip, deflate" },
    { "two codings", "415", POST "Content-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\nx",
      NULL },
    { "identity", "200", POST "Content-Encoding: identity\r\nContent-Length: 1\r\n\r\nx",
      "\r\n\r\nx" },
    { "a body that is no gzip", "400 200",
      POST "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello" GET, "Encoding says" },
};

static struct fixture *fixture;

static int start(void **state)
{
    (void)state;
    fixture = fixture_start((struct http_options){ .limits = { .linger_ms = 500 } });
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(fixture);
    return 0;
}

static void send_raw(void **state)
{
    const struct raw *raw = *state;
    for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
        char statuses[64];
        struct reply reply;
        exchange(fixture, raw->bytes, strlen(raw->bytes), one_by_one, statuses, sizeof statuses,
                 &reply);
        bool is_right = strcmp(statuses, raw->statuses) == 0 &&
                        (raw->contains == NULL || strstr(reply.data, raw->contains) != NULL);
        if (!is_right)
            fail_msg("wanted %s with %s, got %s: %s", raw->statuses,
                     raw->contains != NULL ? raw->contains : "anything", statuses, reply.data);
        reply_free(&reply);
    }
}

/* `text` is given with its size, for a byte that no string can hold. */
static void a_nul_in_the_head_is_refused(void **state)
{
    static const char inside_value[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";
    static const char inside_target[] = "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n";
    char statuses[64];
    struct reply reply;
    (void)state;
    exchange(fixture, inside_value, sizeof inside_value - 1, false, statuses, sizeof statuses,
             &reply);
    assert_string_equal(statuses, "400");
    reply_free(&reply);
    exchange(fixture, inside_target, sizeof inside_target - 1, false, statuses, sizeof statuses,
             &reply);
    assert_string_equal(statuses, "400");
    reply_free(&reply);
}

/* `before`, `count` times `piece`, `after` must give `wanted`. */
static void expect_repeated(const char *before, const char *piece, size_t count, const char *after,
                            const char *wanted)
{
    struct buf bytes = BUF_INIT;
    char statuses[64];
    struct reply reply;
    buf_text(&bytes, before);
    for (size_t i = 0; i < count; i++)
        buf_text(&bytes, piece);
    buf_text(&bytes, after);
    exchange(fixture, buf_string(&bytes), bytes.size, false, statuses, sizeof statuses, &reply);
    assert_string_equal(statuses, wanted);
    reply_free(&reply);
    buf_deinit(&bytes);
}

static void a_target_at_the_limit_passes_and_one_above_is_414(void **state)
{
    (void)state;
    expect_repeated("GET /", "a", 8191, " HTTP/1.1\r\nHost: a\r\n\r\n", "200");
    expect_repeated("GET /", "a", 8192, " HTTP/1.1\r\nHost: a\r\n\r\n", "414");
    expect_repeated("GET /", "a", 100000, " HTTP/1.1\r\nHost: a\r\n\r\n", "414");
}

static void a_hundred_fields_pass_and_one_more_is_431(void **state)
{
    (void)state;
    expect_repeated("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 99, "\r\n", "200");
    expect_repeated("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 100, "\r\n", "431");
}

static void fields_at_the_limit_pass_and_one_byte_more_is_431(void **state)
{
    (void)state; /* "Host: a" and "X: " are ten bytes */
    expect_repeated("GET / HTTP/1.1\r\nHost: a\r\nX: ", "y", 16384 - 10, "\r\n\r\n", "200");
    expect_repeated("GET / HTTP/1.1\r\nHost: a\r\nX: ", "y", 16384 - 9, "\r\n\r\n", "431");
    expect_repeated("GET / HTTP/1.1\r\nHost: a\r\nX: ", "y", 300000, "", "431");
}

static void trailers_have_the_limits_of_heads(void **state)
{
    (void)state;
    expect_repeated(CHUNKED "0\r\n", "X: y\r\n", 100, "\r\n", "200");
    expect_repeated(CHUNKED "0\r\n", "X: y\r\n", 101, "\r\n", "431");
    expect_repeated(CHUNKED "0\r\nX: ", "y", 16382, "\r\n\r\n", "431");
}

static void a_chunk_size_line_is_bounded(void **state)
{
    (void)state;
    expect_repeated(CHUNKED "1;", "a", 200, "\r\nx\r\n0\r\n\r\n", "200");
    expect_repeated(CHUNKED "1;", "a", 300, "\r\nx\r\n0\r\n\r\n", "400");
    expect_repeated(CHUNKED, "0", 300, "1\r\nx\r\n0\r\n\r\n", "400");
}

static void a_chunked_body_at_the_limit_passes_and_one_above_is_413(void **state)
{
    (void)state;
    expect_repeated(CHUNKED "500000\r\n", "12345678", 655360, "\r\n0\r\n\r\n", "200");
    expect_repeated(CHUNKED "500000\r\n", "12345678", 655360, "\r\n1\r\nx\r\n0\r\n\r\n", "413");
}

static void ten_thousand_pipelined_requests_are_all_answered(void **state)
{
    struct buf bytes = BUF_INIT;
    (void)state;
    for (int i = 0; i < 10000; i++)
        buf_text(&bytes, GET);
    int fd = client_connect(fixture);
    client_send(fd, buf_string(&bytes), bytes.size);
    shutdown(fd, SHUT_WR);
    struct reply reply = client_read_all(fd);
    size_t count = 0;
    for (const char *at = reply.data; (at = strstr(at, "HTTP/1.1 200 OK")) != NULL; at++)
        count++;
    assert_int_equal(count, 10000);
    reply_free(&reply);
    buf_deinit(&bytes);
    close(fd);
}

#define RAW_COUNT (sizeof raws / sizeof *raws)

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_nul_in_the_head_is_refused),
        cmocka_unit_test(a_target_at_the_limit_passes_and_one_above_is_414),
        cmocka_unit_test(a_hundred_fields_pass_and_one_more_is_431),
        cmocka_unit_test(fields_at_the_limit_pass_and_one_byte_more_is_431),
        cmocka_unit_test(trailers_have_the_limits_of_heads),
        cmocka_unit_test(a_chunk_size_line_is_bounded),
        cmocka_unit_test(a_chunked_body_at_the_limit_passes_and_one_above_is_413),
        cmocka_unit_test(ten_thousand_pipelined_requests_are_all_answered),
    };
    static struct CMUnitTest tests[RAW_COUNT + sizeof others / sizeof *others];
    for (size_t i = 0; i < RAW_COUNT; i++)
        tests[i] = (struct CMUnitTest){ raws[i].name, send_raw, NULL, NULL, (void *)&raws[i] };
    memcpy(tests + RAW_COUNT, others, sizeof others);
    return cmocka_run_group_tests(tests, start, stop);
}

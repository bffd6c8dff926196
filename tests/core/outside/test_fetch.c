/* test_fetch.c -- what the client does with a receiver that misbehaves.
 *
 * The receiver is a thread that takes one connection after the other and sends the bytes it was
 * given, whatever is asked of it.
 */
#include "core/outside/fetch.h"

#include "core/base/buf.h"
#include "core/base/err.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define TIMEOUT_MS 1000
#define ANSWER_MAX 1000

struct receiver {
    pthread_t thread;
    int listener;
    unsigned port;
    struct buf answer;
    size_t repeats; /* of the answer's second part, `more`; SIZE_MAX: without end */
    const char *more;
    bool stays_open; /* after the answer, until the client leaves */
    atomic_int connections;
    char request[4096]; /* of the last connection */
};

struct outcome_seen {
    bool is_done;
    struct fetch_result result;
    char error[200];
};

static void read_request(struct receiver *receiver, int fd)
{
    size_t used = 0;
    char *text = receiver->request;
    memset(text, 0, sizeof receiver->request);
    while (used < sizeof receiver->request - 1) {
        ssize_t size = read(fd, text + used, sizeof receiver->request - 1 - used);
        if (size <= 0)
            return;
        used += (size_t)size;
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strcasestr(text, "Content-Length: ");
        if (end != NULL && length != NULL &&
            used >= (size_t)(end + 4 - text) + (size_t)strtoul(length + 16, NULL, 10))
            return;
    }
}

static void answer(struct receiver *receiver, int fd)
{
    char rest;
    size_t size = receiver->more != NULL ? strlen(receiver->more) : 0;
    ssize_t sent = send(fd, receiver->answer.data, receiver->answer.size, MSG_NOSIGNAL);
    for (size_t i = 0; i < receiver->repeats && sent > 0; i++)
        sent = send(fd, receiver->more, size, MSG_NOSIGNAL);
    while (receiver->stays_open && read(fd, &rest, 1) > 0)
        ;
}

static void *serve(void *arg)
{
    struct receiver *receiver = arg;
    int fd;
    while ((fd = accept(receiver->listener, NULL, NULL)) >= 0) {
        atomic_fetch_add(&receiver->connections, 1);
        read_request(receiver, fd);
        answer(receiver, fd);
        close(fd);
    }
    return NULL;
}

static void receiver_start(struct receiver *receiver, const char *text)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(receiver->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(receiver->listener, 16), 0);
    getsockname(receiver->listener, (struct sockaddr *)&address, &size);
    receiver->port = ntohs(address.sin_port);
    buf_text(&receiver->answer, text);
    assert_int_equal(pthread_create(&receiver->thread, NULL, serve, receiver), 0);
}

static void receiver_stop(struct receiver *receiver)
{
    shutdown(receiver->listener, SHUT_RDWR);
    pthread_join(receiver->thread, NULL);
    close(receiver->listener);
    buf_deinit(&receiver->answer);
}

static void on_done(void *arg, const struct fetch_result *result)
{
    struct outcome_seen *seen = arg;
    assert_false(seen->is_done);
    seen->is_done = true;
    seen->result = *result;
    snprintf(seen->error, sizeof seen->error, "%s", result->error != NULL ? result->error : "");
}

/* A POST to HOST, which the receiver is, with the scheme. */
static struct outcome_seen post(const struct receiver *receiver, const char *host,
                                bool allow_private)
{
    static const char *const headers[] = { "Content-Type: application/json", "webhook-id: m1",
                                           NULL };
    struct outcome_seen seen = { 0 };
    struct err err = { 0 };
    char url[80];
    uv_loop_t loop;
    uv_loop_init(&loop);
    snprintf(url, sizeof url, "%s:%u/in?key=value", host, receiver->port);
    struct fetch *fetch = fetch_open(&loop, allow_private);
    const struct fetch_request wanted = { .method = "POST",
                                          .url = url,
                                          .headers = headers,
                                          .body = "{\"a\":1}",
                                          .size = 7,
                                          .timeout_ms = TIMEOUT_MS,
                                          .answer_max = ANSWER_MAX };
    if (fetch_send(fetch, &wanted, on_done, &seen, &err) != 0)
        fail_msg("%s", err.text);
    assert_false(seen.is_done); /* never from inside */
    while (!seen.is_done)
        uv_run(&loop, UV_RUN_ONCE);
    fetch_close(fetch);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return seen;
}

static void a_status_comes_back_and_the_request_is_as_it_was_said(void **state)
{
    struct receiver receiver = { 0 };
    (void)state;
    receiver_start(&receiver, "HTTP/1.1 204 No Content\r\n\r\n");
    struct outcome_seen seen = post(&receiver, "http://127.0.0.1", true);
    assert_int_equal(seen.result.status, 204);
    assert_null(seen.result.error);
    assert_int_equal(seen.result.retry_after_ms, -1);
    receiver_stop(&receiver);
    assert_memory_equal(receiver.request, "POST /in?key=value HTTP/1.1\r\n", 29);
    assert_non_null(strstr(receiver.request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(receiver.request, "\r\nwebhook-id: m1\r\n"));
    assert_non_null(strstr(receiver.request, "\r\n\r\n{\"a\":1}"));
    assert_null(strcasestr(receiver.request, "Expect:"));
}

static void private_addresses_are_refused_before_anything_is_connected(void **state)
{
    static const char *const hosts[] = { "http://127.0.0.1",  "http://localhost",
                                         "http://2130706433", "http://[::1]",
                                         "http://0.0.0.0",    "http://[::ffff:127.0.0.1]" };
    struct receiver receiver = { 0 };
    (void)state;
    receiver_start(&receiver, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct outcome_seen seen = post(&receiver, hosts[i], false);
        assert_int_equal(seen.result.status, 0);
        if (strstr(seen.error, "is no public address") == NULL)
            fail_msg("%s: %s", hosts[i], seen.error);
    }
    receiver_stop(&receiver);
    assert_int_equal(atomic_load(&receiver.connections), 0);
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
    struct receiver receiver = { 0 };
    char text[200];
    (void)state;
    receiver_start(&receiver, "");
    snprintf(text, sizeof text,
             "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:%u/other\r\n"
             "Content-Length: 0\r\n\r\n",
             receiver.port);
    buf_text(&receiver.answer, text);
    struct outcome_seen seen = post(&receiver, "http://127.0.0.1", true);
    assert_int_equal(seen.result.status, 307);
    receiver_stop(&receiver);
    assert_int_equal(atomic_load(&receiver.connections), 1);
}

static void a_body_without_end_is_cut_and_the_status_counts(void **state)
{
    struct receiver receiver = { .repeats = SIZE_MAX, .more = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };
    (void)state;
    receiver_start(&receiver, "HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n");
    struct outcome_seen seen = post(&receiver, "http://127.0.0.1", true);
    assert_int_equal(seen.result.status, 200);
    assert_true(seen.result.is_too_large);
    assert_string_equal(seen.error, "the answer has more than 1000 bytes");
    receiver_stop(&receiver);
}

static void a_body_that_never_comes_is_not_waited_for_longer_than_the_timeout(void **state)
{
    struct receiver receiver = { .stays_open = true };
    (void)state;
    receiver_start(&receiver, "HTTP/1.1 500 Broken\r\nContent-Length: 5\r\n\r\nhe");
    assert_int_equal(post(&receiver, "http://127.0.0.1", true).result.status, 500);
    receiver_stop(&receiver);
}

static void headers_without_end_are_no_answer(void **state)
{
    struct receiver receiver = { .repeats = SIZE_MAX,
                                 .more = "X-Filler: aaaaaaaaaaaaaaaaaaaa\r\n" };
    (void)state;
    receiver_start(&receiver, "HTTP/1.1 200 OK\r\n");
    struct outcome_seen seen = post(&receiver, "http://127.0.0.1", true);
    assert_int_equal(seen.result.status, 0);
    assert_string_not_equal(seen.error, "");
    receiver_stop(&receiver);
}

static void silence_ends_with_the_timeout(void **state)
{
    struct receiver receiver = { .stays_open = true };
    (void)state;
    receiver_start(&receiver, "");
    struct outcome_seen seen = post(&receiver, "http://127.0.0.1", true);
    assert_int_equal(seen.result.status, 0);
    assert_non_null(strstr(seen.error, "timed out"));
    receiver_stop(&receiver);
}

static void a_connection_that_is_dropped_is_no_answer(void **state)
{
    struct receiver receiver = { 0 };
    (void)state;
    receiver_start(&receiver, "HTTP/1.1 20");
    struct outcome_seen seen = post(&receiver, "http://127.0.0.1", true);
    assert_int_equal(seen.result.status, 0);
    receiver_stop(&receiver);
}

static void who_speaks_no_tls_is_not_spoken_to(void **state)
{
    struct receiver receiver = { 0 };
    (void)state;
    receiver_start(&receiver, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(post(&receiver, "https://127.0.0.1", true).result.status, 0);
    receiver_stop(&receiver);
}

static void the_answer_says_when_to_come_again(void **state)
{
    struct receiver receiver = { 0 };
    (void)state;
    receiver_start(&receiver, "HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\n"
                              "HTTP/1.1 429 Too Many\r\nretry-after:  120 \r\n"
                              "Content-Length: 0\r\n\r\n");
    struct outcome_seen seen = post(&receiver, "http://127.0.0.1", true);
    assert_int_equal(seen.result.status, 429);
    assert_int_equal(seen.result.retry_after_ms, 120000);
    receiver_stop(&receiver);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    assert_int_equal(fetch_retry_after("0", 0), 0);
    assert_int_equal(fetch_retry_after("3600", 5), 3600000);
    assert_true(fetch_retry_after("99999999999999999999", 0) > 86400000ll * 20);
    /* 784111777 s */
    assert_int_equal(fetch_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777000 - 2500), 2500);
    assert_int_equal(fetch_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", 784111777000 - 1), 1);
    assert_int_equal(fetch_retry_after("Sun Nov  6 08:49:37 1994", 784111777000 - 1), 1);
    assert_int_equal(fetch_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777000 + 1), 0);
    assert_int_equal(fetch_retry_after("-5", 0), -1);
    assert_int_equal(fetch_retry_after("soon", 0), -1);
    assert_int_equal(fetch_retry_after("", 0), -1);
}

static void what_is_no_url_of_the_web_is_refused(void **state)
{
    static const char *const urls[] = { "https://ann:pass@example.com/", "ftp://example.com/",
                                        "https://", "example.com" };
    uv_loop_t loop;
    (void)state;
    uv_loop_init(&loop);
    struct fetch *fetch = fetch_open(&loop, false);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        const struct fetch_request wanted = { .method = "POST", .url = urls[i] };
        assert_int_equal(fetch_send(fetch, &wanted, on_done, NULL, NULL), E_INVALID);
    }
    fetch_close(fetch);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_comes_back_and_the_request_is_as_it_was_said),
        cmocka_unit_test(private_addresses_are_refused_before_anything_is_connected),
        cmocka_unit_test(a_redirect_is_an_answer_and_is_not_followed),
        cmocka_unit_test(a_body_without_end_is_cut_and_the_status_counts),
        cmocka_unit_test(a_body_that_never_comes_is_not_waited_for_longer_than_the_timeout),
        cmocka_unit_test(headers_without_end_are_no_answer),
        cmocka_unit_test(silence_ends_with_the_timeout),
        cmocka_unit_test(a_connection_that_is_dropped_is_no_answer),
        cmocka_unit_test(who_speaks_no_tls_is_not_spoken_to),
        cmocka_unit_test(the_answer_says_when_to_come_again),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(what_is_no_url_of_the_web_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

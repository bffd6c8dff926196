/* test_http.c -- what http.h promises about time, order, limits and ends. */
#include "tests/core/http/http_fixture.h"

#include "core/base/buf.h"
#include "core/base/err.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static struct fixture *with(struct http_limits limits)
{
    return fixture_start((struct http_options){ .limits = limits });
}

static void expect_statuses(const struct reply *reply, const char *wanted)
{
    char statuses[256];
    reply_statuses(reply, statuses, sizeof statuses);
    assert_string_equal(statuses, wanted);
}

/* One answer on a connection that stays open. */
static void expect_one(int fd, const char *contains)
{
    struct reply reply = client_read_one(fd, false);
    if (strstr(reply.data, contains) == NULL)
        fail_msg("wanted %s, got %s", contains, reply.data);
    reply_free(&reply);
}

static void expect_rest(int fd, const char *wanted)
{
    struct reply reply = client_read_all(fd);
    expect_statuses(&reply, wanted);
    reply_free(&reply);
}

static void release_held(const struct fixture *fixture)
{
    int fd = client_connect(fixture);
    client_text(fd, "GET /release HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_one(fd, "released");
    close(fd);
}

static void wait_for(atomic_int *number, int wanted)
{
    uint64_t end_ms = now_ms() + 5000;
    while (atomic_load(number) < wanted && now_ms() < end_ms)
        sleep_ms(5);
    assert_int_equal(atomic_load(number), wanted);
}

/* -- order -- */

static void answers_leave_in_the_order_of_the_requests(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" GET
                    "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET / HTTP/1.0\r\n\r\n");
    wait_for(&fixture->requests, 4);
    release_held(fixture);
    struct reply reply = client_read_all(fd);
    expect_statuses(&reply, "200 200 200 200");
    const char *held = strstr(reply.data, "held\n");
    const char *hello = strstr(reply.data, "hello\n");
    const char *event = strstr(reply.data, "data: 2");
    assert_true(held != NULL && held < hello && hello < event);
    reply_free(&reply);
    close(fd);
    fixture_stop(fixture);
}

static void reading_pauses_at_the_limit_of_unanswered_requests(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .pipeline_max = 4 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" GET GET GET GET GET GET);
    shutdown(fd, SHUT_WR);
    wait_for(&fixture->requests, 4);
    sleep_ms(50);
    assert_int_equal(atomic_load(&fixture->requests), 4);
    release_held(fixture);
    expect_rest(fd, "200 200 200 200 200 200 200");
    close(fd);
    fixture_stop(fixture);
}

static void one_request_at_a_time_still_gets_its_body(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .pipeline_max = 1 });
    int fd = client_connect(fixture);
    client_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
    sleep_ms(30);
    client_text(fd, "hi" GET);
    shutdown(fd, SHUT_WR);
    expect_rest(fd, "200 200");
    close(fd);
    fixture_stop(fixture);
}

static void head_gets_the_length_and_no_body(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    struct reply reply = client_read_one(fd, true);
    assert_non_null(strstr(reply.data, "Content-Length: 6\r\n"));
    assert_string_equal(reply.data + reply.size - 4, "\r\n\r\n");
    reply_free(&reply);
    client_text(fd, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    reply = client_read_one(fd, true);
    assert_string_equal(reply.data + reply.size - 4, "\r\n\r\n");
    reply_free(&reply);
    client_text(fd, GET);
    expect_one(fd, "\r\n\r\nhello\n");
    close(fd);
    fixture_stop(fixture);
}

/* -- 100-continue -- */

#define EXPECT "Host: a\r\nExpect: 100-Continue\r\n"

static void continue_is_sent_once_the_head_is_accepted(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "POST /echo HTTP/1.1\r\n" EXPECT "Content-Length: 2\r\n\r\n");
    struct reply reply = client_read_one(fd, false);
    assert_string_equal(reply.data, "HTTP/1.1 100 Continue\r\n\r\n");
    reply_free(&reply);
    client_text(fd, "hi");
    expect_one(fd, "\r\n\r\nhi");
    close(fd);
    fixture_stop(fixture);
}

static void continue_is_not_sent_to_the_refused(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "POST /refuse HTTP/1.1\r\n" EXPECT "Content-Length: 2\r\n\r\n");
    expect_rest(fd, "401");
    close(fd);
    fd = client_connect(fixture);
    client_text(fd, "POST /small HTTP/1.1\r\n" EXPECT "Content-Length: 11\r\n\r\n");
    expect_rest(fd, "413");
    close(fd);
    fixture_stop(fixture);
}

static void continue_is_not_sent_when_the_body_has_come_already(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "POST /echo HTTP/1.1\r\n" EXPECT "Content-Length: 2\r\n\r\nhi");
    shutdown(fd, SHUT_WR);
    expect_rest(fd, "200");
    close(fd);
    fixture_stop(fixture);
}

static void continue_waits_for_earlier_answers(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
                    "POST /echo HTTP/1.1\r\n" EXPECT "Content-Length: 2\r\n\r\n");
    wait_for(&fixture->requests, 1);
    release_held(fixture);
    struct reply reply = client_read_one(fd, false);
    assert_non_null(strstr(reply.data, "held\n"));
    if (strstr(reply.data, "100 Continue") == NULL) {
        reply_free(&reply);
        reply = client_read_one(fd, false);
    }
    assert_non_null(strstr(reply.data, "HTTP/1.1 100 Continue\r\n\r\n"));
    reply_free(&reply);
    client_text(fd, "hi");
    expect_one(fd, "\r\n\r\nhi");
    close(fd);
    fixture_stop(fixture);
}

/* -- time -- */

/* Send `text` a byte each 20 ms until the server has closed; what it said, and when. */
static struct reply drip(int fd, const char *text, uint64_t *out_ms)
{
    uint64_t begin_ms = now_ms();
    for (; *text != '\0'; text++) {
        char byte;
        client_send(fd, text, 1);
        sleep_ms(20);
        if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
            break;
    }
    *out_ms = now_ms() - begin_ms;
    return client_read_all(fd);
}

static void a_dripping_head_is_ended_by_408(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .request_ms = 200, .linger_ms = 100 });
    int fd = client_connect(fixture);
    uint64_t took_ms;
    struct reply reply = drip(fd, "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &took_ms);
    expect_statuses(&reply, "408");
    assert_in_range(took_ms, 150, 600);
    reply_free(&reply);
    close(fd);
    fixture_stop(fixture);
}

static void a_dripping_body_is_ended_by_408(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .request_ms = 200, .linger_ms = 100 });
    int fd = client_connect(fixture);
    uint64_t took_ms;
    client_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    struct reply reply = drip(fd, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", &took_ms);
    expect_statuses(&reply, "408");
    assert_in_range(took_ms, 150, 600);
    reply_free(&reply);
    close(fd);
    fixture_stop(fixture);
}

static void the_deadline_counts_each_request_anew(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .request_ms = 300 });
    int fd = client_connect(fixture);
    for (int i = 0; i < 4; i++) { /* each ends the last request and begins the next */
        client_text(fd, i == 0 ? "GET / HTTP/1.1\r\n" : "Host: a\r\n\r\nGET / HTTP/1.1\r\n");
        sleep_ms(150);
    }
    client_text(fd, "Host: a\r\n\r\n");
    shutdown(fd, SHUT_WR);
    expect_rest(fd, "200 200 200 200");
    close(fd);
    fixture_stop(fixture);
}

static void a_slow_handler_has_no_deadline(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .request_ms = 60, .idle_ms = 60 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    sleep_ms(250);
    release_held(fixture);
    expect_one(fd, "held");
    close(fd);
    fixture_stop(fixture);
}

static void idle_connections_are_closed_in_silence(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .idle_ms = 2000 });
    uint64_t begin_ms = now_ms();
    int fresh = client_connect(fixture);
    int used = client_connect(fixture);
    sleep_ms(200);
    client_text(used, GET "\r\n"); /* an empty line is no request begun */
    expect_rest(fresh, "");
    assert_in_range(now_ms() - begin_ms, 1950, WAIT_MS);
    expect_rest(used, "200");
    assert_in_range(now_ms() - begin_ms, 2150, WAIT_MS);
    close(fresh);
    close(used);
    fixture_stop(fixture);
}

static void a_peer_that_takes_no_byte_is_cut(void **state)
{
    (void)state;
    struct fixture *fixture =
        with((struct http_limits){ .write_ms = 150, .backlog_bytes_max = 2 * BIG_BYTES });
    int fd = client_connect(fixture);
    int small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    uint64_t begin_ms = now_ms();
    client_text(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&fixture->gone, 1);
    assert_in_range(now_ms() - begin_ms, 140, WAIT_MS);
    close(fd);
    fixture_stop(fixture);
}

static void a_large_answer_arrives_whole_at_a_slow_reader(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .write_ms = 400 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    size_t total = 0;
    static char bytes[2 << 20];
    ssize_t size;
    do { /* for longer than write_ms altogether, but never without a byte for so long */
        sleep_ms(40);
        size = recv(fd, bytes, sizeof bytes, MSG_WAITALL);
        total += size > 0 ? (size_t)size : 0;
    } while (size > 0);
    assert_int_equal(size, 0);
    assert_true(total > BIG_BYTES);
    close(fd);
    fixture_stop(fixture);
}

/* -- ends -- */

static void an_answer_before_the_body_survives_the_rest_of_it(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    struct buf body = BUF_INIT;
    memset(buf_reserve(&body, 200000), 'x', 200000);
    client_text(fd, "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    sleep_ms(30);
    client_send(fd, (char *)body.data, 200000);
    sleep_ms(30);
    expect_rest(fd, "413");
    buf_deinit(&body);
    close(fd);
    fixture_stop(fixture);
}

static void lingering_ends_after_its_time(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .linger_ms = 100 });
    int fd = client_connect(fixture);
    client_text(fd, "BAD\r\n\r\n");
    expect_rest(fd, "400");
    sleep_ms(250);
    client_text(fd, "x"); /* to a closed socket: the kernel answers with a reset */
    sleep_ms(30);
    assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
    close(fd);
    fixture_stop(fixture);
}

/* Much more than any buffer holds, and for longer than linger_ms. */
static void a_peer_that_still_sends_gets_its_answer(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .linger_ms = 100 });
    int fd = client_connect(fixture);
    struct buf piece = BUF_INIT;
    memset(buf_reserve(&piece, 1000000), 'x', 1000000);
    client_text(fd, "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        client_send(fd, (char *)piece.data, 1000000);
        sleep_ms(30);
    }
    struct reply reply = client_read_all(fd);
    expect_statuses(&reply, "413");
    assert_non_null(strstr(reply.data, "at most 10 bytes are allowed"));
    reply_free(&reply);
    buf_deinit(&piece);
    close(fd);
    fixture_stop(fixture);
}

static void lingering_for_a_peer_that_sends_for_ever_ends(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .linger_ms = 100, .request_ms = 300 });
    int fd = client_connect(fixture);
    uint64_t end_ms = now_ms() + 5000;
    client_text(fd, "BAD\r\n\r\n");
    while (send(fd, "x", 1, MSG_NOSIGNAL) == 1 && now_ms() < end_ms)
        sleep_ms(20);
    assert_true(now_ms() < end_ms);
    close(fd);
    fixture_stop(fixture);
}

static void a_peer_that_has_shut_its_side_gets_its_answers(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n" GET);
    shutdown(fd, SHUT_WR);
    expect_rest(fd, "200 200");
    close(fd);
    fixture_stop(fixture);
}

static void reset(int fd)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static void the_handler_learns_that_the_peer_has_gone(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&fixture->requests, 2);
    reset(fd);
    wait_for(&fixture->gone, 2);
    fd = client_connect(fixture);
    client_text(fd, "GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
    struct reply reply = client_read_one(fd, true);
    assert_non_null(strstr(reply.data, "event-stream"));
    reply_free(&reply);
    close(fd);
    wait_for(&fixture->gone, 3);
    fixture_stop(fixture);
}

static void an_answer_to_a_peer_that_has_gone_is_dropped(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&fixture->requests, 1);
    reset(fd);
    sleep_ms(30);
    release_held(fixture);
    fixture_stop(fixture);
}

static void a_stream_is_held_back_to_the_pace_of_its_reader(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .backlog_bytes_max = 100000 });
    int fd = client_connect(fixture);
    client_text(fd, "GET /flood HTTP/1.0\r\n\r\n");
    sleep_ms(100);
    struct reply reply = client_read_all(fd);
    const char *body = strstr(reply.data, "\r\n\r\n") + 4;
    assert_int_equal(reply.size - (size_t)(body - reply.data), FLOOD_BYTES);
    assert_true(atomic_load(&fixture->busy) > 0);
    reply_free(&reply);
    close(fd);
    fixture_stop(fixture);
}

static void closing_answers_what_is_in_flight_and_ends_the_rest(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .linger_ms = 100 });
    fixture->grace_ms = 2 * WAIT_MS;
    int idle = client_connect(fixture);
    int busy = client_connect(fixture);
    int stream = client_connect(fixture);
    client_text(busy, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    client_text(stream, "GET /watch HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&fixture->requests, 2);
    uint64_t begin_ms = now_ms();
    fixture_begin_stop(fixture);
    expect_rest(idle, "");
    struct reply reply = client_read_all(stream);
    assert_non_null(strstr(reply.data, "\r\n\r\n0\r\n\r\n"));
    reply_free(&reply);
    reply = client_read_all(busy);
    assert_non_null(strstr(reply.data, "Connection: close\r\n"));
    expect_statuses(&reply, "200");
    reply_free(&reply);
    close(idle);
    close(busy);
    close(stream);
    wait_for(&fixture->gone, 1);
    fixture_stop(fixture);
    assert_true(now_ms() - begin_ms < WAIT_MS);
}

static void closing_cuts_when_the_grace_is_over(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    fixture->grace_ms = 100;
    int fd = client_connect(fixture);
    client_text(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&fixture->requests, 1);
    uint64_t begin_ms = now_ms();
    fixture_stop(fixture);
    assert_in_range(now_ms() - begin_ms, 80, WAIT_MS);
    close(fd);
}

/* -- limits of the server -- */

static void a_connection_above_the_limit_is_told_so(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .connections_max = 2, .linger_ms = 100 });
    int first = client_connect(fixture);
    int second = client_connect(fixture);
    int third = client_connect(fixture);
    client_text(third, GET);
    struct reply reply = client_read_all(third);
    expect_statuses(&reply, "503");
    assert_non_null(strstr(reply.data, "Retry-After: 1\r\n"));
    reply_free(&reply);
    close(third);
    close(second);
    client_text(first, GET);
    expect_one(first, "hello");
    sleep_ms(150);
    second = client_connect(fixture);
    client_text(second, GET);
    expect_one(second, "hello");
    close(first);
    close(second);
    fixture_stop(fixture);
}

static uint64_t cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

/* The limit applies to new descriptors: the client's exist before it is lowered. */
static void running_out_of_descriptors_is_waited_out(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3; /* all taken; with 0 poll() would fail too */
    int fds[5];
    int probe = client_connect(fixture);
    client_text(probe, GET);
    expect_one(probe, "hello");
    for (int i = 0; i < 5; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    assert_int_equal(getpeername(probe, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(connect(fds[i], (struct sockaddr *)&address, size), 0);
        client_text(fds[i], GET);
    }
    uint64_t used_ms = cpu_ms();
    sleep_ms(300);
    used_ms = cpu_ms() - used_ms;
    client_text(probe, GET); /* those that are in are served */
    expect_one(probe, "hello");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(used_ms < 50);
    for (int i = 0; i < 5; i++) {
        expect_one(fds[i], "hello");
        close(fds[i]);
    }
    close(probe);
    fixture_stop(fixture);
}

#define IDLE_COUNT 400

static void an_idle_connection_costs_less_than_a_kibibyte(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    int fds[IDLE_COUNT];
    int probe = client_connect(fixture);
    client_text(probe, GET);
    expect_one(probe, "hello");
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < IDLE_COUNT; i++) {
        fds[i] = client_connect(fixture);
        client_text(fds[i], "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
        expect_one(fds[i], "hi");
    }
    size_t each = (mallinfo2().uordblks - before) / IDLE_COUNT;
    print_message("[  FIGURE  ] %zu bytes of heap for an idle connection\n", each);
    assert_true(each < 1024);
    uint64_t used_ms = cpu_ms();
    sleep_ms(200);
    assert_true(cpu_ms() - used_ms <= 2);
    for (int i = 0; i < IDLE_COUNT; i++)
        close(fds[i]);
    close(probe);
    fixture_stop(fixture);
}

/* -- compressed bodies -- */

static void deflate_append(struct buf *out, const void *data, size_t size, int window)
{
    z_stream stream = { .next_in = (void *)(uintptr_t)data, .avail_in = (uInt)size };
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&stream, size) + 64;
    stream.next_out = buf_reserve(out, bound);
    stream.avail_out = (uInt)bound;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size += bound - stream.avail_out;
    deflateEnd(&stream);
}

static void post_coded(const struct fixture *fixture, const char *coding, const struct buf *body,
                       const char *statuses, const char *contains)
{
    struct buf bytes = BUF_INIT;
    struct reply reply;
    char got[64];
    buf_printf(&bytes,
               "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: %s\r\n"
               "Content-Length: %zu\r\n\r\n",
               coding, body->size);
    buf_append(&bytes, body->data, body->size);
    exchange(fixture, (char *)bytes.data, bytes.size, false, got, sizeof got, &reply);
    assert_string_equal(got, statuses);
    assert_non_null(strstr(reply.data, contains));
    reply_free(&reply);
    buf_deinit(&bytes);
}

static void bodies_are_decompressed(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ 0 });
    struct buf body = BUF_INIT;
    deflate_append(&body, "hello ", 6, MAX_WBITS + 16);
    post_coded(fixture, "gzip", &body, "200", "\r\n\r\nhello ");
    deflate_append(&body, "again", 5, MAX_WBITS + 16);
    post_coded(fixture, "X-GZip", &body, "200", "\r\n\r\nhello again");
    body.size -= 3;
    post_coded(fixture, "gzip", &body, "400", "Content-Encoding");
    buf_clear(&body);
    deflate_append(&body, "zlib", 4, MAX_WBITS);
    post_coded(fixture, "deflate", &body, "200", "\r\n\r\nzlib");
    buf_byte(&body, 'x');
    post_coded(fixture, "deflate", &body, "400", "Content-Encoding");
    buf_clear(&body);
    deflate_append(&body, "raw", 3, -MAX_WBITS);
    post_coded(fixture, "deflate", &body, "200", "\r\n\r\nraw");
    buf_deinit(&body);
    fixture_stop(fixture);
}

static void a_bomb_is_413(void **state)
{
    (void)state;
    struct fixture *fixture = with((struct http_limits){ .decoded_bytes_max = 100000 });
    struct buf zeros = BUF_INIT;
    struct buf body = BUF_INIT;
    memset(buf_reserve(&zeros, 8 << 20), 0, 8 << 20);
    deflate_append(&body, zeros.data, 8 << 20, MAX_WBITS + 16);
    post_coded(fixture, "gzip", &body, "413", "decompressed");
    buf_clear(&body);
    memset(zeros.data, 'y', 100001);
    deflate_append(&body, zeros.data, 100001, MAX_WBITS + 16);
    post_coded(fixture, "gzip", &body, "413", "decompressed");
    buf_clear(&body);
    deflate_append(&body, zeros.data, 100000, MAX_WBITS + 16);
    post_coded(fixture, "gzip", &body, "200", "yyyy");
    buf_deinit(&body);
    buf_deinit(&zeros);
    fixture_stop(fixture);
}

static void opening_says_what_is_wrong(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct http_server *server = NULL;
    struct err err = { 0 };
    struct fixture *fixture = with((struct http_limits){ 0 });
    struct http_options taken = { .port = fixture->port };
    struct http_options nowhere = { .host = "256.1.1.1" };
    struct http_options half = { .cert_file = "/nonexistent.pem" };
    struct http_options no_file = { .cert_file = "/nonexistent.pem", .key_file = "/x" };
    uv_loop_init(&loop);
    assert_int_equal(http_server_open(&loop, &taken, &server, &err), E_IO);
    assert_non_null(strstr(err.text, "another process listens on"));
    assert_int_equal(http_server_open(&loop, &nowhere, &server, &err), E_INVALID);
    assert_non_null(strstr(err.text, "256.1.1.1"));
    assert_int_equal(http_server_open(&loop, &half, &server, &err), E_INVALID);
    assert_int_equal(http_server_open(&loop, &no_file, &server, &err), E_INVALID);
    assert_non_null(strstr(err.text, "/nonexistent.pem"));
    assert_null(server);
    assert_int_equal(uv_loop_close(&loop), 0);
    fixture_stop(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_leave_in_the_order_of_the_requests),
        cmocka_unit_test(reading_pauses_at_the_limit_of_unanswered_requests),
        cmocka_unit_test(one_request_at_a_time_still_gets_its_body),
        cmocka_unit_test(head_gets_the_length_and_no_body),
        cmocka_unit_test(continue_is_sent_once_the_head_is_accepted),
        cmocka_unit_test(continue_is_not_sent_to_the_refused),
        cmocka_unit_test(continue_is_not_sent_when_the_body_has_come_already),
        cmocka_unit_test(continue_waits_for_earlier_answers),
        cmocka_unit_test(a_dripping_head_is_ended_by_408),
        cmocka_unit_test(a_dripping_body_is_ended_by_408),
        cmocka_unit_test(the_deadline_counts_each_request_anew),
        cmocka_unit_test(a_slow_handler_has_no_deadline),
        cmocka_unit_test(idle_connections_are_closed_in_silence),
        cmocka_unit_test(a_peer_that_takes_no_byte_is_cut),
        cmocka_unit_test(a_large_answer_arrives_whole_at_a_slow_reader),
        cmocka_unit_test(an_answer_before_the_body_survives_the_rest_of_it),
        cmocka_unit_test(lingering_ends_after_its_time),
        cmocka_unit_test(a_peer_that_still_sends_gets_its_answer),
        cmocka_unit_test(lingering_for_a_peer_that_sends_for_ever_ends),
        cmocka_unit_test(a_peer_that_has_shut_its_side_gets_its_answers),
        cmocka_unit_test(the_handler_learns_that_the_peer_has_gone),
        cmocka_unit_test(an_answer_to_a_peer_that_has_gone_is_dropped),
        cmocka_unit_test(a_stream_is_held_back_to_the_pace_of_its_reader),
        cmocka_unit_test(closing_answers_what_is_in_flight_and_ends_the_rest),
        cmocka_unit_test(closing_cuts_when_the_grace_is_over),
        cmocka_unit_test(a_connection_above_the_limit_is_told_so),
        cmocka_unit_test(running_out_of_descriptors_is_waited_out),
        cmocka_unit_test(an_idle_connection_costs_less_than_a_kibibyte),
        cmocka_unit_test(bodies_are_decompressed),
        cmocka_unit_test(a_bomb_is_413),
        cmocka_unit_test(opening_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

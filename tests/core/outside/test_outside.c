/* test_outside.c -- the outside side of a plugin, without a daemon.
 *
 * The plugins are real files (tests/plugins/good_*.c); home is a function that writes down what
 * comes up.  A loop of the test's own turns until what is waited for has happened.
 */
#include "core/outside/outside.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/outside/channel.h"
#include "core/plugin/plugin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define COUNTERS 32
#define TURNS_MAX 5000 /* of a millisecond */

struct counter {
    char name[40];
    int64_t value;
};

struct world {
    uv_loop_t loop;
    uv_timer_t turn;
    struct plugin *plugin;
    struct outside *outside;
    struct outside_numbers numbers;
    struct counter counters[COUNTERS];
    pthread_mutex_t mutex; /* of the lines, which come from any thread */
    struct buf lines;
    struct buf ups; /* the kinds that came up, a letter each */
    uint64_t last_number;
    struct buf last;                        /* document */
    int32_t answer;                         /* what `up` says */
    bool stops_at_reply, has_asked_to_stop; /* as a daemon that waits for the last answer */
    bool is_stopped;
    struct outside_rest rest;
    struct err err;
};

static int64_t counted(const struct world *world, const char *name)
{
    for (size_t i = 0; i < COUNTERS; i++)
        if (strcmp(world->counters[i].name, name) == 0)
            return world->counters[i].value;
    return 0;
}

static void count(struct world *world, struct doc doc)
{
    struct text name = doc_text(doc, "name");
    size_t i = 0;
    while (world->counters[i].name[0] != '\0' && !text_is(name, world->counters[i].name))
        i++;
    assert_true(i < COUNTERS && name.size < sizeof world->counters[i].name);
    memcpy(world->counters[i].name, name.data, name.size);
    world->counters[i].value += doc_int(doc, "by", 0);
}

static void on_stopped(void *arg, const struct outside_rest *rest)
{
    struct world *world = arg;
    world->is_stopped = true;
    world->rest = *rest;
}

static int32_t up(void *arg, enum outside_up kind, uint64_t number, struct doc doc, struct err *err)
{
    struct world *world = arg;
    if (kind == OUTSIDE_LOG) {
        struct text line = doc_text(doc, "line");
        pthread_mutex_lock(&world->mutex);
        buf_append(&world->lines, line.data, line.size);
        buf_byte(&world->lines, '\n');
        pthread_mutex_unlock(&world->mutex);
        return KITH_OK;
    }
    if (kind == OUTSIDE_COUNT) {
        count(world, doc);
        return KITH_OK;
    }
    buf_byte(&world->ups, (uint8_t)('a' + kind));
    world->last_number = number;
    buf_clear(&world->last);
    buf_append(&world->last, doc.data, doc.size);
    if (kind == OUTSIDE_REPLY && world->stops_at_reply && !world->has_asked_to_stop) {
        world->has_asked_to_stop = true;
        outside_stop(world->outside, on_stopped, world);
        assert_false(world->is_stopped);
    }
    if (world->answer != KITH_OK)
        err_set(err, E_BUSY, "not now");
    return world->answer;
}

static struct doc last(const struct world *world)
{
    return (struct doc){ world->last.data, (uint32_t)world->last.size };
}

/* -- A world ----------------------------------------------------------------------------------- */

static void path_of(const char *name, char out[4096])
{
    char program[3000];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(size > 0);
    program[size] = '\0';
    *strrchr(program, '/') = '\0';
    snprintf(out, 4096, "%s/plugins/%s.so", program, name);
}

static void put_list(struct doc_writer *w, const char *words)
{
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        doc_put_text(w, "", (struct text){ at, (uint32_t)size });
        at += size;
    }
}

static void load(struct world *world, const char *name, const char *grant, const char *url)
{
    char path[4096];
    struct buf bytes = BUF_INIT, config = BUF_INIT;
    struct doc_writer w;
    path_of(name, path);
    doc_begin(&w, &bytes);
    doc_open_array(&w, "grant");
    put_list(&w, grant);
    doc_close(&w);
    struct doc whole = doc_end(&w);
    doc_begin(&w, &config);
    if (url != NULL)
        doc_put_string(&w, "url", url);
    const struct plugin_options options = {
        .name = name,
        .path = path,
        .grant = doc_child(whole, "grant"),
        .config = doc_end(&w),
    };
    if (plugin_load(&options, &world->plugin, &world->err) != 0)
        fail_msg("%s", world->err.text);
    buf_deinit(&bytes);
    buf_deinit(&config);
}

static int start(struct world *world, const char *name, const char *grant, const char *url)
{
    load(world, name, grant, url);
    const struct outside_options options = {
        .loop = &world->loop,
        .plugin = world->plugin,
        .ports = { .arg = world, .up = up },
        .numbers = &world->numbers,
    };
    return outside_start(&options, &world->outside, &world->err);
}

static void on_turn(uv_timer_t *timer)
{
    (void)timer;
}

/* Until the counter has this value. */
static void turn_until(struct world *world, const char *name, int64_t value)
{
    int left = TURNS_MAX;
    while (counted(world, name) < value && left-- > 0)
        uv_run(&world->loop, UV_RUN_ONCE);
    if (left <= 0)
        fail_msg("%s is %lld, not %lld", name, (long long)counted(world, name), (long long)value);
}

static void stop(struct world *world)
{
    outside_stop(world->outside, on_stopped, world);
    for (int left = 2 * TURNS_MAX; !world->is_stopped && left > 0; left--)
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_true(world->is_stopped);
    world->outside = NULL;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    pthread_mutex_init(&world->mutex, NULL);
    uv_loop_init(&world->loop);
    uv_timer_init(&world->loop, &world->turn);
    uv_timer_start(&world->turn, on_turn, 1, 1);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    if (world->outside != NULL)
        stop(world);
    uv_close((uv_handle_t *)&world->turn, NULL);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&world->loop);
    plugin_free(world->plugin);
    buf_deinit(&world->lines);
    buf_deinit(&world->ups);
    buf_deinit(&world->last);
    pthread_mutex_destroy(&world->mutex);
    free(world);
    return rc;
}

/* -- Timers, sockets, works -------------------------------------------------------------------- */

static void a_timer_runs_once_and_a_cancelled_one_never(void **state)
{
    struct world *world = *state;
    assert_int_equal(start(world, "good_timer", "", NULL), 0);
    turn_until(world, "second", 1);
    turn_until(world, "tick", 2); /* by then the cancelled one would have run */
    stop(world);
    assert_int_equal(counted(world, "first"), 1);
    assert_int_equal(counted(world, "never"), 0);
    assert_int_equal(counted(world, "stopped"), 1);
    assert_int_equal(world->rest.timers, 0);
    assert_int_equal(atomic_load(&world->numbers.calls[CALL_TIMER]), 2);
}

static void what_a_plugin_leaves_behind_is_removed_and_counted(void **state)
{
    struct world *world = *state;
    char text[OUTSIDE_REST_TEXT];
    assert_int_equal(start(world, "good_timer", "", NULL), 0);
    stop(world); /* at once: both of its timers are still set */
    assert_int_equal(world->rest.timers, 2);
    outside_rest_text(&world->rest, text);
    assert_string_equal(text, "2 timers");
    int64_t calls = (int64_t)atomic_load(&world->numbers.calls[CALL_TIMER]);
    for (int i = 0; i < 50; i++)
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_int_equal(atomic_load(&world->numbers.calls[CALL_TIMER]), calls);
}

static int connect_to(int64_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void a_connection_is_given_away_and_its_descriptor_watched(void **state)
{
    struct world *world = *state;
    char answer[8] = "";
    assert_int_equal(start(world, "good_socket", "sockets", NULL), 0);
    assert_int_equal(counted(world, "refused"), 2);
    int one = connect_to(counted(world, "port")), two = connect_to(counted(world, "port"));
    turn_until(world, "accepted", 2);
    assert_int_equal(write(two, "hello", 5), 5);
    for (int i = 0; i < 100 && recv(two, answer, 5, MSG_DONTWAIT) != 5; i++)
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_string_equal(answer, "HELLO");
    assert_int_equal(write(two, "bye", 3), 3);
    turn_until(world, "closed", 1);
    stop(world);
    assert_int_equal(world->rest.watchers, 1); /* that of `one` */
    close(one);
    close(two);
}

static void without_the_grant_a_call_is_denied(void **state)
{
    struct world *world = *state;
    char path[4096];
    struct plugin *plugin = NULL;
    path_of("good_socket", path);
    const struct plugin_options options = { .name = "good_socket", .path = path };
    assert_int_equal(plugin_load(&options, &plugin, &world->err), E_DENIED);
    assert_null(plugin);
}

static void works_run_beside_the_loop_and_are_told_of_on_it(void **state)
{
    struct world *world = *state;
    assert_int_equal(start(world, "good_work", "work", NULL), 0);
    turn_until(world, "done", 8);
    assert_int_equal(counted(world, "sum"), 8 * 5050);
    assert_int_equal(atomic_load(&world->numbers.calls[CALL_WORK]), 8);
    stop(world);
    assert_int_equal(world->rest.works, 0);
}

/* -- Fetches ----------------------------------------------------------------------------------- */

struct receiver {
    pthread_t thread;
    int listener;
    const char *answer;
    char seen[2000];
};

static void *serve(void *arg)
{
    struct receiver *receiver = arg;
    size_t used = 0;
    int fd = accept(receiver->listener, NULL, NULL);
    while (used < sizeof receiver->seen - 1 && strstr(receiver->seen, "hello") == NULL) {
        ssize_t size = read(fd, receiver->seen + used, sizeof receiver->seen - 1 - used);
        if (size <= 0)
            break;
        used += (size_t)size;
    }
    ssize_t sent = send(fd, receiver->answer, strlen(receiver->answer), MSG_NOSIGNAL);
    assert_true(sent > 0);
    close(fd);
    return NULL;
}

static void receive(struct receiver *receiver, const char *answer, char url[64])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    *receiver = (struct receiver){ .answer = answer };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    receiver->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(receiver->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(receiver->listener, 8), 0);
    assert_int_equal(getsockname(receiver->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(url, 64, "http://127.0.0.1:%u/x", (unsigned)ntohs(address.sin_port));
    assert_int_equal(pthread_create(&receiver->thread, NULL, serve, receiver), 0);
}

static void received(struct receiver *receiver)
{
    pthread_join(receiver->thread, NULL);
    close(receiver->listener);
}

static void a_fetch_sends_what_it_was_given_and_brings_the_answer(void **state)
{
    struct world *world = *state;
    struct receiver receiver;
    char url[64];
    receive(&receiver, "HTTP/1.1 404 Not Found\r\nX-Answer: 42\r\nContent-Length: 4\r\n\r\nnone",
            url);
    assert_int_equal(start(world, "good_fetch", "fetch fetch-private", url), 0);
    turn_until(world, "header", 1);
    turn_until(world, "kept_out", 1); /* the other client does not go to private addresses */
    received(&receiver);
    assert_int_equal(counted(world, "status"), 404);
    assert_int_equal(counted(world, "bytes"), 4);
    assert_int_equal(counted(world, "message"), 1);
    assert_int_equal(counted(world, "refused"), 1);
    assert_non_null(strstr(receiver.seen, "PUT /x HTTP/1.1\r\n"));
    assert_non_null(strstr(receiver.seen, "X-Question: what\r\n"));
    assert_non_null(strstr(receiver.seen, "\r\n\r\nhello"));
    assert_null(strstr(receiver.seen, "Expect"));
}

static void an_answer_that_is_too_large_is_a_limit(void **state)
{
    struct world *world = *state;
    struct receiver receiver;
    char url[64], answer[1200];
    int head = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
    memset(answer + head, 'x', 1001);
    answer[head + 1001] = '\0';
    receive(&receiver, answer, url);
    assert_int_equal(start(world, "good_fetch", "fetch fetch-private", url), 0);
    turn_until(world, "too_large", 1);
    received(&receiver);
    assert_int_equal(counted(world, "status"), 0);
}

static void what_is_under_way_at_the_end_is_not_told_of(void **state)
{
    struct world *world = *state;
    struct receiver receiver;
    char url[64];
    receive(&receiver, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", url);
    assert_int_equal(start(world, "good_fetch", "fetch fetch-private", url), 0);
    stop(world);
    assert_int_equal(world->rest.fetches, 2);
    int fd = connect_to(strtol(strrchr(url, ':') + 1, NULL, 10));
    assert_int_equal(write(fd, "hello", 5), 5);
    received(&receiver);
    close(fd);
    assert_int_equal(counted(world, "status") + counted(world, "failed"), 0);
}

static void a_plugin_that_says_no_at_its_start_is_stopped_and_told_of(void **state)
{
    struct world *world = *state;
    assert_int_equal(start(world, "good_fetch", "fetch fetch-private", "nonsense"), E_IO);
    assert_non_null(strstr(world->err.text, "it does not start: the url is none"));
    assert_null(world->outside);
}

/* -- Up and down ------------------------------------------------------------------------------- */

static void down_doc(struct world *world, enum outside_down kind, uint64_t number,
                     const char *effect, const char *body)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_string(&w, "effect", effect);
    doc_put_int(&w, "attempt", 3);
    doc_open(&w, "message");
    doc_put_string(&w, "body", body);
    doc_close(&w);
    outside_down(world->outside, kind, number, doc_end(&w));
    buf_deinit(&bytes);
}

static void a_message_goes_down_and_what_became_of_it_comes_up(void **state)
{
    struct world *world = *state;
    struct channel_status status;
    assert_int_equal(start(world, "good_channel", "channel append", NULL), 0);
    outside_status(world->outside, 0, &status);
    assert_int_equal(status.window, 2);
    assert_string_equal(status.target, "the loft");
    down_doc(world, OUTSIDE_SEND, 0, "7.1", "rejected");
    assert_int_equal(world->ups.data[0], 'a' + OUTSIDE_DELIVER);
    assert_true(text_is(doc_text(last(world), "effect"), "7.1"));
    assert_int_equal(doc_int(last(world), "attempt", 0), 3);
    assert_int_equal(doc_int(last(world), "outcome", -1), KITH_REJECTED);
    outside_wind_down(world->outside);
    outside_status(world->outside, 0, &status);
    assert_int_equal(status.window, 0);
}

static void an_answer_finds_who_asked_and_a_second_one_nobody(void **state)
{
    struct world *world = *state;
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    assert_int_equal(start(world, "good_channel", "channel append", NULL), 0);
    down_doc(world, OUTSIDE_SEND, 0, "7.1", "bounce");
    for (int i = 0; i < 200 && world->ups.data[world->ups.size - 1] != 'a' + OUTSIDE_APPEND; i++)
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_true(text_is(doc_text(last(world), "type"), "message.bounced"));
    doc_begin(&w, &bytes);
    doc_put_int(&w, "status", KITH_OK);
    struct doc doc = doc_end(&w);
    outside_down(world->outside, OUTSIDE_ANSWER, world->last_number, doc);
    outside_down(world->outside, OUTSIDE_ANSWER, world->last_number, doc);
    assert_int_equal(counted(world, "told"), 1);
    buf_deinit(&bytes);
}

static void what_home_refuses_is_told_to_the_operator_unless_it_is_busy(void **state)
{
    struct world *world = *state;
    assert_int_equal(start(world, "good_channel", "channel append", NULL), 0);
    world->answer = KITH_MISSING;
    down_doc(world, OUTSIDE_SEND, 0, "7.1", "sent");
    assert_non_null(strstr(buf_string(&world->lines), "deliver was refused: not now"));
    size_t size = world->lines.size;
    world->answer = KITH_BUSY;
    down_doc(world, OUTSIDE_SEND, 0, "7.1", "sent");
    assert_int_equal(world->lines.size, size);
    assert_int_equal(atomic_load(&world->numbers.failures[CALL_DELIVER]), 2);
}

static struct doc request_doc(struct buf *bytes, int64_t route, const char *method)
{
    struct doc_writer w;
    doc_begin(&w, bytes);
    doc_put_int(&w, "route", route);
    doc_put_string(&w, "method", method);
    doc_put_string(&w, "path", "/v1/echo/x");
    doc_put_binary(&w, "body", "abc", 3);
    return doc_end(&w);
}

static void a_request_lives_until_it_is_answered(void **state)
{
    struct world *world = *state;
    struct buf bytes = BUF_INIT;
    assert_int_equal(start(world, "good_route", "routes", NULL), 0);
    outside_down(world->outside, OUTSIDE_REQUEST, 11, request_doc(&bytes, 0, "GET"));
    assert_int_equal(world->last_number, 11);
    assert_int_equal(doc_int(last(world), "status", 0), 200);
    struct doc_value body = doc_get(last(world), "body");
    struct buf text = BUF_INIT;
    buf_append(&text, body.binary.data, body.binary.size);
    assert_non_null(strstr(buf_string(&text), "body=abc\n"));
    outside_down(world->outside, OUTSIDE_REQUEST, 12, request_doc(&bytes, 3, "GET")); /* never */
    outside_down(world->outside, OUTSIDE_LATE, 12, (struct doc){ NULL, 0 });
    outside_down(world->outside, OUTSIDE_REQUEST, 13, request_doc(&bytes, 3, "GET"));
    stop(world); /* with one that is not answered: its memory goes */
    buf_deinit(&bytes);
    buf_deinit(&text);
}

static void a_stop_that_an_answer_of_its_own_leads_to_waits_until_the_plugin_is_left(void **state)
{
    struct world *world = *state;
    struct buf bytes = BUF_INIT;
    assert_int_equal(start(world, "good_route", "routes", NULL), 0);
    world->stops_at_reply = true;
    outside_down(world->outside, OUTSIDE_REQUEST, 11, request_doc(&bytes, 0, "GET"));
    assert_true(world->has_asked_to_stop);
    for (int i = 0; i < 100 && !world->is_stopped; i++)
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_true(world->is_stopped);
    world->outside = NULL;
    buf_deinit(&bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_timer_runs_once_and_a_cancelled_one_never),
        TEST(what_a_plugin_leaves_behind_is_removed_and_counted),
        TEST(a_connection_is_given_away_and_its_descriptor_watched),
        TEST(without_the_grant_a_call_is_denied),
        TEST(works_run_beside_the_loop_and_are_told_of_on_it),
        TEST(a_fetch_sends_what_it_was_given_and_brings_the_answer),
        TEST(an_answer_that_is_too_large_is_a_limit),
        TEST(what_is_under_way_at_the_end_is_not_told_of),
        TEST(a_plugin_that_says_no_at_its_start_is_stopped_and_told_of),
        TEST(a_message_goes_down_and_what_became_of_it_comes_up),
        TEST(an_answer_finds_who_asked_and_a_second_one_nobody),
        TEST(what_home_refuses_is_told_to_the_operator_unless_it_is_busy),
        TEST(a_request_lives_until_it_is_answered),
        TEST(a_stop_that_an_answer_of_its_own_leads_to_waits_until_the_plugin_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

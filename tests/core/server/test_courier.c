/* test_courier.c -- frames between two ends of a socket, whole and damaged.
 *
 * The courier has one end; the test writes bytes of its own into the other.
 */
#include "core/server/courier.h"

#include "core/base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

struct world {
    uv_loop_t loop;
    struct courier *courier;
    int other;
    size_t arrived, bytes;
    uint32_t kind;
    uint64_t number;
    const char *why; /* NULL: it goes on */
    bool closes;     /* when something arrives */
};

static void on_arrived(void *arg, uint32_t kind, uint64_t number, struct doc doc)
{
    struct world *world = arg;
    assert_null(world->why);
    world->arrived++;
    world->bytes += doc.size;
    world->kind = kind;
    world->number = number;
    if (world->closes)
        courier_close(world->courier);
}

static void on_ended(void *arg, const char *why)
{
    struct world *world = arg;
    assert_null(world->why);
    world->why = why;
}

static int set_up(void **state)
{
    static struct world world;
    int ends[2];
    memset(&world, 0, sizeof world);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(uv_loop_init(&world.loop), 0);
    world.other = ends[1];
    const struct courier_options options = {
        .loop = &world.loop,
        .fd = ends[0],
        .arrived = on_arrived,
        .ended = on_ended,
        .arg = &world,
    };
    world.courier = courier_open(&options);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    if (!world->closes)
        courier_close(world->courier);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    if (world->other >= 0)
        close(world->other);
    return 0;
}

static void turn(struct world *world)
{
    for (int i = 0; i < 20; i++)
        uv_run(&world->loop, UV_RUN_NOWAIT);
}

static struct doc some_doc(struct buf *buf, size_t bytes)
{
    static uint8_t room[2u << 20];
    struct doc_writer w;
    assert_true(bytes <= sizeof room);
    buf_clear(buf);
    doc_begin(&w, buf);
    doc_put_binary(&w, "data", room, bytes);
    return doc_end(&w);
}

/* A frame as a peer would write it, whatever its head says. */
static void put_frame(struct buf *out, uint32_t size, uint32_t kind, uint64_t number,
                      struct doc doc)
{
    buf_append(out, &size, sizeof size);
    buf_append(out, &kind, sizeof kind);
    buf_append(out, &number, sizeof number);
    buf_append(out, doc.data, doc.size);
}

static void write_all(const struct world *world, const struct buf *bytes)
{
    assert_int_equal(send(world->other, bytes->data, bytes->size, 0), (ssize_t)bytes->size);
}

static void what_is_sent_arrives_with_its_kind_and_number(void **state)
{
    struct world *world = *state;
    struct buf doc = BUF_INIT, bytes = BUF_INIT;
    struct doc sent = some_doc(&doc, 100);
    put_frame(&bytes, sent.size, 7, 1ull << 50, sent);
    put_frame(&bytes, 0, 8, 9, (struct doc){ NULL, 0 });
    write_all(world, &bytes);
    turn(world);
    assert_int_equal(world->arrived, 2);
    assert_int_equal(world->bytes, sent.size);
    assert_int_equal(world->kind, 8);
    assert_int_equal(world->number, 9);
    buf_deinit(&doc);
    buf_deinit(&bytes);
}

static void a_frame_that_comes_byte_by_byte_is_put_together(void **state)
{
    struct world *world = *state;
    struct buf doc = BUF_INIT, bytes = BUF_INIT;
    struct doc sent = some_doc(&doc, 40);
    put_frame(&bytes, sent.size, 3, 4, sent);
    for (size_t i = 0; i < bytes.size; i++) {
        assert_int_equal(world->arrived, 0);
        assert_int_equal(send(world->other, bytes.data + i, 1, 0), 1);
        turn(world);
    }
    assert_int_equal(world->arrived, 1);
    buf_deinit(&doc);
    buf_deinit(&bytes);
}

static void a_size_that_cannot_be_ends_it(void **state)
{
    static const uint32_t sizes[] = { 1, 4, COURIER_DOC_BYTES_MAX + 1, UINT32_MAX };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct world *world = *state;
        struct buf bytes = BUF_INIT;
        put_frame(&bytes, sizes[i], 1, 1, (struct doc){ NULL, 0 });
        write_all(world, &bytes);
        turn(world);
        assert_non_null(world->why);
        assert_int_equal(world->arrived, 0);
        buf_deinit(&bytes);
        tear_down(state);
        set_up(state);
    }
}

/* Every byte of a document, damaged in turn: it arrives as a document, or it is the end. */
static void what_is_no_document_ends_it(void **state)
{
    struct buf doc = BUF_INIT, bytes = BUF_INIT;
    size_t ends = 0;
    struct doc_writer w;
    doc_begin(&w, &doc);
    doc_put_string(&w, "line", "some words");
    doc_put_int(&w, "n", 1);
    struct doc sent = doc_end(&w);
    for (uint32_t at = 0; at < sent.size; at++) {
        struct world *world = *state;
        buf_clear(&bytes);
        put_frame(&bytes, sent.size, 1, 1, sent);
        bytes.data[16 + at] ^= 0xff;
        write_all(world, &bytes);
        turn(world);
        assert_int_equal(world->arrived + (world->why != NULL), 1);
        ends += world->why != NULL;
        tear_down(state);
        set_up(state);
    }
    assert_true(ends >= 10);
    buf_deinit(&doc);
    buf_deinit(&bytes);
}

static void the_end_of_the_other_side_is_told_once_after_all_that_it_has_sent(void **state)
{
    struct world *world = *state;
    struct buf bytes = BUF_INIT;
    put_frame(&bytes, 0, 5, 5, (struct doc){ NULL, 0 });
    buf_byte(&bytes, 1); /* of a frame that does not come */
    write_all(world, &bytes);
    close(world->other);
    world->other = -1;
    turn(world);
    assert_int_equal(world->arrived, 1);
    assert_string_equal(world->why, "its process has ended");
    assert_false(courier_send(world->courier, 1, 1, (struct doc){ NULL, 0 }, true));
    buf_deinit(&bytes);
}

static void it_may_be_closed_when_something_arrives(void **state)
{
    struct world *world = *state;
    struct buf bytes = BUF_INIT;
    world->closes = true;
    put_frame(&bytes, 0, 5, 5, (struct doc){ NULL, 0 });
    put_frame(&bytes, 0, 6, 6, (struct doc){ NULL, 0 });
    write_all(world, &bytes);
    turn(world);
    assert_int_equal(world->arrived, 1);
    buf_deinit(&bytes);
}

/* Who does not read is refused more, is not read from, and does not stop the loop. */
static void who_does_not_hear_is_not_heard(void **state)
{
    struct world *world = *state;
    struct buf doc = BUF_INIT, bytes = BUF_INIT;
    struct doc sent = some_doc(&doc, 1u << 20);
    size_t count = 0;
    while (courier_send(world->courier, 1, count, sent, false))
        count++;
    assert_true(count >= 60 && count <= 64);
    assert_true(courier_waiting(world->courier) <= COURIER_QUEUE_BYTES_MAX);
    assert_true(courier_send(world->courier, 2, 0, sent, true));
    turn(world);
    put_frame(&bytes, 0, 5, 5, (struct doc){ NULL, 0 });
    write_all(world, &bytes);
    turn(world);
    assert_int_equal(world->arrived, 0);
    static uint8_t room[1u << 20];
    size_t got = 0;
    while (got < (count + 1) * (sent.size + 16)) {
        ssize_t some = recv(world->other, room, sizeof room, MSG_DONTWAIT);
        if (some > 0)
            got += (size_t)some;
        else
            assert_int_equal(errno, EAGAIN);
        uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    turn(world);
    assert_int_equal(courier_waiting(world->courier), 0);
    assert_int_equal(world->arrived, 1);
    buf_deinit(&doc);
    buf_deinit(&bytes);
}

static void what_waits_for_one_who_has_gone_is_dropped(void **state)
{
    struct world *world = *state;
    struct buf doc = BUF_INIT;
    struct doc sent = some_doc(&doc, 1u << 20);
    for (int i = 0; i < 10; i++)
        courier_send(world->courier, 1, 1, sent, false);
    turn(world);
    close(world->other);
    world->other = -1;
    turn(world);
    assert_non_null(world->why);
    buf_deinit(&doc);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_sent_arrives_with_its_kind_and_number),
        TEST(a_frame_that_comes_byte_by_byte_is_put_together),
        TEST(a_size_that_cannot_be_ends_it),
        TEST(what_is_no_document_ends_it),
        TEST(the_end_of_the_other_side_is_told_once_after_all_that_it_has_sent),
        TEST(it_may_be_closed_when_something_arrives),
        TEST(who_does_not_hear_is_not_heard),
        TEST(what_waits_for_one_who_has_gone_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

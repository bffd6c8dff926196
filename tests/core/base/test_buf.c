/* test_buf.c -- what buf.h promises. */
#include "core/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void an_empty_buffer_has_allocated_nothing(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    buf_append(&buf, NULL, 0);
    assert_null(buf.data);
    assert_int_equal(buf.capacity, 0);
    buf_deinit(&buf);
}

static void bytes_stay_in_order_over_every_growth(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    for (unsigned i = 0; i < 5000; i++) {
        buf_byte(&buf, (uint8_t)i);
        buf_append(&buf, (uint8_t[]){ (uint8_t)(i + 1), (uint8_t)(i + 2) }, 2);
    }
    assert_int_equal(buf.size, 15000);
    for (unsigned i = 0; i < 15000; i++)
        assert_int_equal(buf.data[i], (uint8_t)(i / 3 + i % 3));
    buf_deinit(&buf);
}

static void room_is_not_content(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    buf_text(&buf, "ab");
    uint8_t *at = buf_reserve(&buf, 1000);
    assert_ptr_equal(at, buf.data + 2);
    assert_int_equal(buf.size, 2);
    assert_true(buf.capacity >= 1002);
    memset(at, 'x', 1000);
    assert_string_equal(buf_string(&buf), "ab");
    buf_deinit(&buf);
}

static void clearing_keeps_the_memory(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    buf_text(&buf, "some text");
    uint8_t *data = buf.data;
    buf_clear(&buf);
    assert_int_equal(buf.size, 0);
    buf_text(&buf, "other");
    assert_ptr_equal(buf.data, data);
    assert_string_equal(buf_string(&buf), "other");
    buf_deinit(&buf);
    assert_null(buf.data);
    buf_deinit(&buf);
}

static void printing_makes_room_for_any_length(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    for (int size = 0; size < 300; size++) {
        buf_clear(&buf);
        buf_printf(&buf, "%*s|%d", size, "", size);
        assert_int_equal(buf.size, (size_t)size + 2 + (size >= 10) + (size >= 100));
        assert_int_equal(buf.data[size], '|');
    }
    buf_printf(&buf, "%s", "");
    buf_printf(&buf, "-%s", "end");
    assert_string_equal(buf_string(&buf) + 299, "|299-end");
    buf_deinit(&buf);
}

static void a_string_of_a_full_buffer_is_terminated(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    assert_string_equal(buf_string(&buf), "");
    while (buf.size < buf.capacity)
        buf_byte(&buf, 'x');
    size_t size = buf.size;
    assert_int_equal(strlen(buf_string(&buf)), size);
    assert_int_equal(buf.size, size);
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_has_allocated_nothing),
        cmocka_unit_test(bytes_stay_in_order_over_every_growth),
        cmocka_unit_test(room_is_not_content),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(printing_makes_room_for_any_length),
        cmocka_unit_test(a_string_of_a_full_buffer_is_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

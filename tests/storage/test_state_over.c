/* test_state_over.c -- what state.h promises of a state laid over another. */
#include "core/base/buf.h"
#include "core/base/err.h"
#include "storage/state.h"
#include "tests/storage/state_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void note_change(void *arg, struct bytes key, struct bytes value)
{
    struct buf *out = arg;
    buf_append(out, key.data, key.size);
    buf_byte(out, '=');
    buf_append(out, value.data, value.size);
    buf_byte(out, ' ');
}

static void a_state_laid_over_another_changes_nothing_below(void **arg)
{
    struct fixture *fixture = *arg;
    struct state *over = NULL;
    struct buf changes = BUF_INIT;
    put_text(fixture->state, "a", "1");
    put_text(fixture->state, "b", "2");
    fixture_checkpoint(fixture, 7);
    put_text(fixture->state, "late", "3");
    assert_int_equal(state_open_over(fixture->state, 1u << 20, &over, NULL), 0);
    uint64_t seq;
    int64_t logged;
    state_applied(over, &seq, &logged);
    assert_true(seq == 7);
    assert_null(get_text(over, "late"));
    put_text(over, "c", "tried");
    put_text(over, "b", "tried");
    struct key key = text_key('z', "a");
    state_delete(over, &key);
    state_save(over);
    put_text(over, "undone", "x");
    state_undo(over);
    assert_null(get_text(over, "a"));
    assert_string_equal(get_text(over, "b"), "tried");
    state_changes(over, note_change, &changes);
    assert_string_equal(buf_string(&changes), "zb=tried zc=tried ");
    assert_string_equal(get_text(fixture->state, "a"), "1");
    fixture_checkpoint(fixture, 8); /* below it goes on */
    assert_null(get_text(over, "late"));
    assert_int_equal(state_compact_prepare(fixture->state, NULL), 0);
    assert_int_equal(state_compact_swap(fixture->state, NULL), E_BUSY);
    state_close(over);
    assert_int_equal(state_compact_prepare(fixture->state, NULL), 0);
    assert_int_equal(state_compact_swap(fixture->state, NULL), 0);
    assert_string_equal(get_text(fixture->state, "a"), "1");
    assert_string_equal(get_text(fixture->state, "b"), "2");
    assert_null(get_text(fixture->state, "c"));
    buf_deinit(&changes);
}

static void a_state_laid_over_another_says_when_it_holds_as_much_as_it_may(void **arg)
{
    struct fixture *fixture = *arg;
    struct state *over = NULL;
    char key[16];
    assert_int_equal(state_open_over(fixture->state, 64u << 10, &over, NULL), 0);
    assert_false(state_wants_freeze(over));
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put_text(over, key, "some value");
    }
    assert_true(state_wants_freeze(over));
    state_close(over);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_state_laid_over_another_changes_nothing_below),
        TEST(a_state_laid_over_another_says_when_it_holds_as_much_as_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_fresh.c -- who waits for what. */
#include "core/server/fresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CLERK text_of("clerk")
#define SHOP text_of("shop")

static void little_is_waited_for_whoever_wrote_it(void **state)
{
    struct fresh fresh = { 0 };
    (void)state;
    assert_true(fresh_must_wait(&fresh, CLERK, 0, 9000));
    fresh_wrote(&fresh, SHOP, 1, 1, 9000);
    assert_true(fresh_must_wait(&fresh, CLERK, 0, 9000));
    fresh_wrote(&fresh, SHOP, 5001, 5000, 9500); /* a batch, and no end of them */
    assert_true(fresh_must_wait(&fresh, CLERK, 1, 9600));
    assert_true(fresh_must_wait(&fresh, CLERK, 1, 10600));
    assert_true(fresh_must_wait(&fresh, CLERK, 1, 11600));
}

static void much_is_waited_for_by_its_writer_only(void **state)
{
    struct fresh fresh = { 0 };
    (void)state;
    for (int64_t at = 8000; at < 10500; at += 100)
        fresh_wrote(&fresh, SHOP, (uint64_t)at, 100, at);
    fresh_wrote(&fresh, CLERK, 10450, 1, 10450);
    assert_true(fresh_must_wait(&fresh, SHOP, 10399, 10500));
    assert_false(fresh_must_wait(&fresh, SHOP, 10400, 10500));
    assert_true(fresh_must_wait(&fresh, CLERK, 10449, 10500));
    assert_false(fresh_must_wait(&fresh, CLERK, 10450, 10500));
    assert_false(fresh_must_wait(&fresh, text_of("nobody's"), 0, 10500));
}

static void when_it_is_over_all_wait_again(void **state)
{
    struct fresh fresh = { 0 };
    (void)state;
    for (int64_t at = 8000; at < 11000; at += 100)
        fresh_wrote(&fresh, SHOP, (uint64_t)at, 100, at);
    assert_false(fresh_must_wait(&fresh, CLERK, 0, 11000));
    assert_true(fresh_must_wait(&fresh, CLERK, 0, 12000));
    assert_true(fresh_must_wait(&fresh, CLERK, 0, 1000000));
    for (int64_t at = 2000000; at < 2002000; at += 100)
        fresh_wrote(&fresh, SHOP, (uint64_t)at, 49, at); /* under the limit */
    assert_true(fresh_must_wait(&fresh, CLERK, 0, 2002000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little_is_waited_for_whoever_wrote_it),
        cmocka_unit_test(much_is_waited_for_by_its_writer_only),
        cmocka_unit_test(when_it_is_over_all_wait_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_breaker.c -- when a receiver is left alone, and for how long. */
#include "plugins/webhook/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define REST_MS 1000

static struct kith_channel_status status_at(const struct breaker *breaker, int64_t now)
{
    struct kith_channel_status status = { .window = 99 };
    breaker_status(breaker, now, 16, &status);
    return status;
}

static void fail_times(struct breaker *breaker, int64_t now, size_t times)
{
    while (times-- > 0)
        breaker_failed(breaker, now);
}

static void some_failures_are_forgiven(void **state)
{
    struct breaker breaker;
    (void)state;
    breaker_init(&breaker, REST_MS);
    fail_times(&breaker, 0, BREAKER_FAILURES - 1);
    assert_int_equal(status_at(&breaker, 0).window, 16);
    assert_int_equal(status_at(&breaker, 0).failures, BREAKER_FAILURES - 1);
    breaker_answered(&breaker);
    fail_times(&breaker, 0, BREAKER_FAILURES - 1);
    assert_int_equal(status_at(&breaker, 0).circuit, KITH_CLOSED);
}

static void failures_in_a_row_open_it_for_a_rest_and_then_one_is_tried(void **state)
{
    struct breaker breaker;
    (void)state;
    breaker_init(&breaker, REST_MS);
    fail_times(&breaker, 50, BREAKER_FAILURES);
    struct kith_channel_status status = status_at(&breaker, 60);
    assert_int_equal(status.circuit, KITH_OPEN);
    assert_int_equal(status.window, 0);
    assert_int_equal(status.wait_ms, REST_MS - 10);
    status = status_at(&breaker, 50 + REST_MS);
    assert_int_equal(status.circuit, KITH_HALF_OPEN);
    assert_int_equal(status.window, 1);
    assert_int_equal(status.wait_ms, 0);
}

static void an_answer_closes_it(void **state)
{
    struct breaker breaker;
    (void)state;
    breaker_init(&breaker, REST_MS);
    fail_times(&breaker, 0, BREAKER_FAILURES);
    breaker_answered(&breaker);
    struct kith_channel_status status = status_at(&breaker, 1);
    assert_int_equal(status.circuit, KITH_CLOSED);
    assert_int_equal(status.window, 16);
    assert_int_equal(status.failures, 0);
}

static void each_failed_try_doubles_the_rest_up_to_a_limit(void **state)
{
    struct breaker breaker;
    int64_t now = 0, rest = REST_MS;
    (void)state;
    breaker_init(&breaker, REST_MS);
    fail_times(&breaker, now, BREAKER_FAILURES);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(status_at(&breaker, now).wait_ms, rest);
        now += rest;
        breaker_failed(&breaker, now);
        rest = 2 * rest < BREAKER_REST_MS_MAX ? 2 * rest : BREAKER_REST_MS_MAX;
    }
    assert_int_equal(rest, BREAKER_REST_MS_MAX);
}

static void what_was_under_way_when_it_opened_does_not_prolong_the_rest(void **state)
{
    struct breaker breaker;
    (void)state;
    breaker_init(&breaker, REST_MS);
    fail_times(&breaker, 0, BREAKER_FAILURES);
    fail_times(&breaker, 900, 15);
    assert_int_equal(status_at(&breaker, 900).wait_ms, 100);
}

static void a_hold_takes_nothing_and_is_no_failure(void **state)
{
    struct breaker breaker;
    (void)state;
    breaker_init(&breaker, REST_MS);
    breaker_hold(&breaker, 0, 30000);
    breaker_hold(&breaker, 0, 10000); /* the longer one counts */
    struct kith_channel_status status = status_at(&breaker, 5000);
    assert_int_equal(status.circuit, KITH_CLOSED);
    assert_int_equal(status.window, 0);
    assert_int_equal(status.wait_ms, 25000);
    assert_int_equal(status_at(&breaker, 30000).window, 16);
}

static void a_hold_outlasts_a_rest(void **state)
{
    struct breaker breaker;
    (void)state;
    breaker_init(&breaker, REST_MS);
    breaker_hold(&breaker, 0, 30000);
    fail_times(&breaker, 0, BREAKER_FAILURES);
    assert_int_equal(status_at(&breaker, 2 * REST_MS).window, 0);
    assert_int_equal(status_at(&breaker, 2 * REST_MS).wait_ms, 30000 - 2 * REST_MS);
    assert_int_equal(status_at(&breaker, 30000).window, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_failures_are_forgiven),
        cmocka_unit_test(failures_in_a_row_open_it_for_a_rest_and_then_one_is_tried),
        cmocka_unit_test(an_answer_closes_it),
        cmocka_unit_test(each_failed_try_doubles_the_rest_up_to_a_limit),
        cmocka_unit_test(what_was_under_way_when_it_opened_does_not_prolong_the_rest),
        cmocka_unit_test(a_hold_takes_nothing_and_is_no_failure),
        cmocka_unit_test(a_hold_outlasts_a_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

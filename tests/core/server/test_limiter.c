/* test_limiter.c -- buckets of tokens, in a time of their own. */
#include "core/server/limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct rate ten_a_second = { 10, 1000, 10 };

static int limiter_open(void **state)
{
    *state = limiter_new();
    return 0;
}

static int limiter_close(void **state)
{
    limiter_free(*state);
    return 0;
}

static unsigned take_all(struct limiter *limiter, const char *name, const struct rate *rate,
                         int64_t now_ms)
{
    unsigned count = 0;
    while (count < 100000 && limiter_take(limiter, text_of(name), rate, now_ms) == 0)
        count++;
    return count;
}

static void gives_a_burst_and_then_the_rate(void **state)
{
    assert_int_equal(take_all(*state, "a", &ten_a_second, 5000), 10);
    assert_int_equal(take_all(*state, "a", &ten_a_second, 5099), 0);
    assert_int_equal(take_all(*state, "a", &ten_a_second, 5100), 1);
    assert_int_equal(take_all(*state, "a", &ten_a_second, 5400), 3);
    assert_int_equal(take_all(*state, "a", &ten_a_second, 1000000), 10);
}

static void says_in_whole_seconds_when_there_is_another(void **state)
{
    const struct rate rate = { 1, 60000, 1 };
    assert_int_equal(limiter_take(*state, text_of("a"), &rate, 0), 0);
    assert_int_equal(limiter_take(*state, text_of("a"), &rate, 0), 60);
    assert_int_equal(limiter_take(*state, text_of("a"), &rate, 1), 60);
    assert_int_equal(limiter_take(*state, text_of("a"), &rate, 1000), 59);
    assert_int_equal(limiter_take(*state, text_of("a"), &rate, 59999), 1);
    assert_int_equal(limiter_take(*state, text_of("a"), &rate, 60000), 0);
}

static void whoever_waits_as_long_as_told_is_not_refused_again(void **state)
{
    static const struct rate rates[] = { { 7, 1000, 7 }, { 7, 60000, 1 }, { 999, 3600000, 13 } };
    int64_t now = 0;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        for (int turn = 0; turn < 2000; turn++) {
            int64_t wait = limiter_take(*state, text_of("a"), &rates[i], now);
            now += 1000 * wait;
            if (wait != 0)
                assert_int_equal(limiter_take(*state, text_of("a"), &rates[i], now), 0);
        }
}

static void keys_do_not_take_from_each_other(void **state)
{
    char name[16];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "key-%d", i);
        assert_int_equal(take_all(*state, name, &ten_a_second, 0), 10);
    }
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "key-%d", i);
        assert_int_equal(take_all(*state, name, &ten_a_second, 0), 0);
    }
}

static void no_rate_is_no_limit(void **state)
{
    const struct rate none = { 0 };
    assert_int_equal(take_all(*state, "a", &none, 0), 100000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, limiter_open, limiter_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_a_burst_and_then_the_rate),
        TEST(says_in_whole_seconds_when_there_is_another),
        TEST(whoever_waits_as_long_as_told_is_not_refused_again),
        TEST(keys_do_not_take_from_each_other),
        TEST(no_rate_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

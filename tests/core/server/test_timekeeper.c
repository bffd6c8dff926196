/* test_timekeeper.c -- which time the log writes while the machine's clocks do what they like. */
#include "core/server/timekeeper.h"

#include "core/base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define BEGIN 1800000000000ll
#define MINUTE_MS (60ll * 1000)
#define DAY_MS (24ll * 3600 * 1000)

struct clocks {
    int64_t wall, boot;
};

static int64_t wall_ms(void *arg)
{
    return ((struct clocks *)arg)->wall;
}

static int64_t boot_ms(void *arg)
{
    return ((struct clocks *)arg)->boot;
}

/* A keeper whose log ends at BEGIN, written in this run or in one before. */
static struct timekeeper keeper_of(struct clocks *clocks, bool is_same_run)
{
    struct timekeeper keeper;
    *clocks = (struct clocks){ BEGIN, 1000 };
    int64_t last = is_same_run ? BEGIN - 1 : BEGIN;
    timekeeper_init(&keeper, (struct clock){ wall_ms, boot_ms, clocks }, last);
    if (is_same_run)
        timekeeper_wrote(&keeper, BEGIN);
    return keeper;
}

static void expect(struct timekeeper *keeper, int64_t now, const char *word)
{
    assert_int_equal(timekeeper_now(keeper), now);
    const char *reason = timekeeper_reason(keeper->is_standing, keeper->is_set_back);
    if (word == NULL)
        assert_null(reason);
    else
        assert_non_null(strstr(reason, word));
}

static void time_that_passes_is_followed_however_long(void **state)
{
    (void)state;
    struct clocks clocks;
    struct timekeeper keeper = keeper_of(&clocks, true);
    clocks.wall += 400 * DAY_MS;
    clocks.boot += 400 * DAY_MS;
    expect(&keeper, BEGIN + 400 * DAY_MS, NULL);
}

static void a_leap_ahead_stands_until_the_clock_is_back(void **state)
{
    (void)state;
    struct clocks clocks;
    struct timekeeper keeper = keeper_of(&clocks, true);
    clocks.wall += CLOCK_JUMP_MS;
    expect(&keeper, BEGIN + CLOCK_JUMP_MS, NULL);
    clocks.wall += 1;
    expect(&keeper, BEGIN + 1, "leapt ahead");
    timekeeper_wrote(&keeper, BEGIN + 1);
    clocks.wall = BEGIN + 5000;
    clocks.boot += 5000;
    expect(&keeper, BEGIN + 5000, NULL);
}

static void a_leap_ahead_that_is_accepted_counts(void **state)
{
    (void)state;
    struct clocks clocks;
    struct timekeeper keeper = keeper_of(&clocks, true);
    clocks.wall += 30 * DAY_MS;
    expect(&keeper, BEGIN + 1, "kith clock accept");
    timekeeper_accept(&keeper);
    expect(&keeper, BEGIN + 30 * DAY_MS, NULL);
}

static void a_clock_that_was_set_back_is_waited_for(void **state)
{
    (void)state;
    struct clocks clocks;
    struct timekeeper keeper = keeper_of(&clocks, true);
    clocks.wall = BEGIN - CLOCK_JUMP_MS;
    expect(&keeper, BEGIN, NULL); /* a correction, not worth a word */
    clocks.wall = BEGIN - CLOCK_JUMP_MS - 1;
    expect(&keeper, BEGIN, "behind the last entry");
    timekeeper_accept(&keeper); /* time does not go back, whoever asks for it */
    expect(&keeper, BEGIN, "behind the last entry");
    clocks.wall = BEGIN + 1;
    expect(&keeper, BEGIN + 1, NULL);
}

/* What is written while the clock is behind has the time of the entry before it. */
static void the_time_that_a_clock_was_behind_is_no_leap_when_it_is_right_again(void **state)
{
    (void)state;
    struct clocks clocks;
    struct timekeeper keeper = keeper_of(&clocks, true);
    for (int minute = 0; minute < 60; minute++) {
        clocks.boot += MINUTE_MS;
        clocks.wall = BEGIN + clocks.boot - 1000 - 2 * DAY_MS;
        expect(&keeper, BEGIN, "behind the last entry");
        timekeeper_wrote(&keeper, BEGIN);
    }
    clocks.wall += 2 * DAY_MS;
    expect(&keeper, BEGIN + 60 * MINUTE_MS, NULL);
}

static void after_a_start_a_week_is_believed(void **state)
{
    (void)state;
    struct clocks clocks;
    struct timekeeper keeper = keeper_of(&clocks, false);
    clocks.wall += CLOCK_GAP_MS;
    expect(&keeper, BEGIN + CLOCK_GAP_MS, NULL);
    clocks.wall += 1;
    expect(&keeper, BEGIN + 1, "leapt ahead");
}

static void a_log_that_has_not_begun_takes_any_time(void **state)
{
    (void)state;
    struct clocks clocks = { BEGIN, 1000 };
    struct timekeeper keeper;
    timekeeper_init(&keeper, (struct clock){ wall_ms, boot_ms, &clocks }, 0);
    expect(&keeper, BEGIN, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_that_passes_is_followed_however_long),
        cmocka_unit_test(a_leap_ahead_stands_until_the_clock_is_back),
        cmocka_unit_test(a_leap_ahead_that_is_accepted_counts),
        cmocka_unit_test(a_clock_that_was_set_back_is_waited_for),
        cmocka_unit_test(the_time_that_a_clock_was_behind_is_no_leap_when_it_is_right_again),
        cmocka_unit_test(after_a_start_a_week_is_believed),
        cmocka_unit_test(a_log_that_has_not_begun_takes_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

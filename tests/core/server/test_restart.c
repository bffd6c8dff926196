/* test_restart.c -- who is blamed for a crash, what is refused, how long the daemon rests. */
#include "core/server/restart.h"

#include "core/base/limits.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct restart_history history;
static int64_t now;

static int begin(void **state)
{
    (void)state;
    memset(&history, 0, sizeof history);
    now = 1000000;
    return 0;
}

/* A crash now, of a daemon that served for `served_ms`; -1: it never did. */
static struct restart_decision crash(const char *plugin, uint64_t seq, int number,
                                     int64_t served_ms)
{
    struct breadcrumb_crash place = { .seq = seq, .signal = number, .is_own = number != SIGKILL };
    struct restart_decision decision;
    snprintf(place.plugin, sizeof place.plugin, "%s", plugin);
    restart_decide(&history, &place, served_ms < 0 ? -1 : now - served_ms, now, &decision);
    return decision;
}

static void the_first_start_comes_at_once_and_later_ones_wait(void **state)
{
    (void)state;
    assert_int_equal(crash("", 0, SIGSEGV, 60000).pause_ms, 0);
    for (int64_t pause = CRASH_PAUSE_MS; pause < CRASH_PAUSE_MS_MAX; pause *= 2)
        assert_int_equal(crash("", 0, SIGSEGV, 60000).pause_ms, pause);
    for (int i = 0; i < 40; i++)
        assert_int_equal(crash("", 0, SIGSEGV, 60000).pause_ms, CRASH_PAUSE_MS_MAX);
    now += CRASH_WINDOW_MS;
    assert_int_equal(crash("", 0, SIGSEGV, 60000).pause_ms, 0);
}

static void who_is_shut_out_is_not_waited_for(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq < 8; seq++)
        assert_int_equal(crash("alpha", seq, SIGSEGV, 60000).pause_ms, 0);
    assert_int_equal(crash("beta", 7, SIGSEGV, 60000).pause_ms, 0);
    assert_int_not_equal(crash("beta", 7, SIGSEGV, 60000).pause_ms, 0); /* it was, for nothing */
    assert_int_not_equal(crash("alpha", 8, SIGKILL, 60000).pause_ms, 0);
    assert_int_not_equal(crash("", 9, SIGSEGV, 60000).pause_ms, 0);
}

static void who_was_let_in_again_and_is_shut_out_is_not_waited_for(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) /* in a route, and enabled after each crash */
        assert_int_equal(crash("alpha", 0, SIGSEGV, 100).pause_ms, 0);
    assert_int_not_equal(crash("alpha", 0, SIGSEGV, -1).pause_ms, 0); /* it should be out */
}

static void one_that_never_serves_is_given_up(void **state)
{
    (void)state;
    for (int i = 1; i < CRASHES_MAX; i++)
        assert_false(crash("", 0, SIGABRT, i % 2 == 0 ? -1 : CRASH_SERVED_MS - 1).gives_up);
    assert_true(crash("", 0, SIGABRT, -1).gives_up);
}

static void who_shuts_out_a_plugin_is_not_given_up(void **state)
{
    char plugin[8];
    (void)state;
    for (int i = 0; i < 3 * CRASHES_MAX; i++) { /* one after the other, at the same event */
        snprintf(plugin, sizeof plugin, "p%d", i);
        assert_false(crash(plugin, 7, SIGSEGV, -1).gives_up);
    }
    for (uint64_t seq = 8; seq < 30; seq++) /* let in again and again, as the log goes on */
        assert_false(crash("alpha", seq, SIGSEGV, 100).gives_up);
    for (int i = 0; i < 30; i++) /* and in a route */
        assert_false(crash("beta", 0, SIGSEGV, 100).gives_up);
}

static void one_that_cannot_shut_out_a_plugin_is_given_up(void **state)
{
    (void)state;
    crash("alpha", 0, SIGSEGV, -1); /* as it is loaded, and again, though it should be out */
    for (int i = 1; i < CRASHES_MAX; i++)
        assert_false(crash("alpha", 0, SIGSEGV, -1).gives_up);
    assert_true(crash("alpha", 0, SIGSEGV, -1).gives_up);
}

static void one_that_serves_is_started_for_ever(void **state)
{
    (void)state;
    for (int i = 1; i < CRASHES_MAX; i++)
        crash("", 0, SIGABRT, -1);
    for (int i = 0; i < 100; i++, now += 1000)
        assert_false(crash("", 0, SIGABRT, CRASH_SERVED_MS).gives_up);
}

static void crashes_that_are_far_apart_are_not_added_up(void **state)
{
    (void)state;
    for (int i = 0; i < 4 * CRASHES_MAX; i++, now += CRASH_WINDOW_MS / 2)
        assert_false(crash("", 0, SIGABRT, -1).gives_up);
}

static void a_plugin_that_crashes_is_blamed_at_once(void **state)
{
    struct restart_decision decision = crash("alpha", 7, SIGSEGV, 60000);
    (void)state;
    assert_true(decision.is_plugins);
    assert_int_equal(decision.refused_seq, 0);
}

static void a_plugin_that_was_killed_is_blamed_the_second_time(void **state)
{
    (void)state;
    assert_false(crash("alpha", 7, SIGKILL, 60000).is_plugins);
    assert_false(crash("alpha", 8, SIGKILL, 60000).is_plugins);
    struct restart_decision decision = crash("alpha", 8, SIGKILL, 60000);
    assert_true(decision.is_plugins);
    assert_int_equal(decision.refused_seq, 0);
}

static void a_plugin_at_work_that_was_killed_twice_is_blamed_when_that_was_soon(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++, now += CRASH_WINDOW_MS)
        assert_false(crash("alpha", 0, SIGKILL, 60000).is_plugins);
    now -= 1; /* since the last one */
    assert_true(crash("alpha", 0, SIGKILL, 60000).is_plugins);
}

static void a_plugin_that_was_killed_at_an_entry_is_blamed_however_late(void **state)
{
    (void)state;
    assert_false(crash("alpha", 7, SIGKILL, 60000).is_plugins);
    now += 10 * CRASH_WINDOW_MS;
    assert_true(crash("alpha", 7, SIGKILL, 60000).is_plugins);
}

static void two_crashes_at_an_entry_refuse_it(void **state)
{
    (void)state;
    assert_int_equal(crash("", 7, SIGSEGV, 60000).refused_seq, 0);
    assert_int_equal(crash("", 8, SIGSEGV, 60000).refused_seq, 0);
    assert_int_equal(crash("", 7, SIGABRT, -1).refused_seq, 7);
    assert_int_equal(crash("", 0, SIGABRT, -1).refused_seq, 7); /* and it stays refused */
    crash("", 5, SIGABRT, -1);
    assert_int_equal(crash("", 5, SIGABRT, -1).refused_seq, 5);
}

static void crashes_at_no_entry_refuse_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(crash("", 0, SIGSEGV, 60000).refused_seq, 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(crash("alpha", 0, SIGSEGV, 60000).refused_seq, 0);
}

static void an_entry_that_crashes_without_the_blamed_plugin_is_refused(void **state)
{
    (void)state;
    assert_int_equal(crash("alpha", 7, SIGSEGV, -1).refused_seq, 0);
    assert_int_equal(crash("beta", 7, SIGSEGV, -1).refused_seq, 0); /* another plugin: its fault */
    assert_int_equal(crash("alpha", 7, SIGSEGV, -1).refused_seq, 7);
}

static void many_places_are_forgotten_in_their_order(void **state)
{
    (void)state;
    crash("", 1, SIGSEGV, 60000);
    for (uint64_t seq = 2; seq < 2 + RESTART_PLACES_MAX; seq++)
        assert_int_equal(crash("", seq, SIGSEGV, 60000).refused_seq, 0);
    assert_int_equal(crash("", 1, SIGSEGV, 60000).refused_seq, 0);
    assert_int_equal(crash("", RESTART_PLACES_MAX, SIGSEGV, 60000).refused_seq, RESTART_PLACES_MAX);
}

static void who_is_told_to_end_has_not_crashed(void **state)
{
    (void)state;
    assert_true(restart_is_crash(SIGSEGV));
    assert_true(restart_is_crash(SIGKILL));
    assert_false(restart_is_crash(SIGTERM));
    assert_false(restart_is_crash(SIGINT));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        TEST(the_first_start_comes_at_once_and_later_ones_wait),
        TEST(who_is_shut_out_is_not_waited_for),
        TEST(who_was_let_in_again_and_is_shut_out_is_not_waited_for),
        TEST(one_that_never_serves_is_given_up),
        TEST(who_shuts_out_a_plugin_is_not_given_up),
        TEST(one_that_cannot_shut_out_a_plugin_is_given_up),
        TEST(one_that_serves_is_started_for_ever),
        TEST(crashes_that_are_far_apart_are_not_added_up),
        TEST(a_plugin_that_crashes_is_blamed_at_once),
        TEST(a_plugin_that_was_killed_is_blamed_the_second_time),
        TEST(a_plugin_at_work_that_was_killed_twice_is_blamed_when_that_was_soon),
        TEST(a_plugin_that_was_killed_at_an_entry_is_blamed_however_late),
        TEST(two_crashes_at_an_entry_refuse_it),
        TEST(crashes_at_no_entry_refuse_nothing),
        TEST(an_entry_that_crashes_without_the_blamed_plugin_is_refused),
        TEST(many_places_are_forgotten_in_their_order),
        TEST(who_is_told_to_end_has_not_crashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

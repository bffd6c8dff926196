/* test_breadcrumb.c -- what is known of a process after it has died. */
#include "core/plugin/breadcrumb.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ALPHA, BETA };

/* A run as the parent has it; where it stood when it died. */
static struct breadcrumb_crash death_of(void (*life)(void))
{
    struct breadcrumb_crash crash;
    int status;
    breadcrumb_begin();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        static const struct rlimit none = { 0, 0 };
        static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT };
        setrlimit(RLIMIT_CORE, &none);
        for (size_t i = 0; i < 3; i++)
            signal(crashes[i], SIG_DFL); /* a sanitizer would report and exit */
        breadcrumb_watch_crashes();
        breadcrumb_attach(BREADCRUMB_ENGINE);
        breadcrumb_name(ALPHA, "alpha");
        breadcrumb_name(BETA, "beta");
        life();
        _exit(EXIT_SUCCESS);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    breadcrumb_read(WTERMSIG(status), &crash);
    assert_int_equal(crash.signal, WTERMSIG(status));
    return crash;
}

static int share(void **state)
{
    (void)state;
    breadcrumb_share();
    return 0;
}

static void crash_in_alpha(void)
{
    breadcrumb_applying(17);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 17, BREADCRUMB_EVENT);
    breadcrumb_say(BREADCRUMB_ENGINE, "order");
    raise(SIGSEGV);
}

static void a_crash_names_plugin_call_and_entry(void **state)
{
    struct breadcrumb_crash crash = death_of(crash_in_alpha);
    (void)state;
    assert_string_equal(crash.plugin, "alpha");
    assert_int_equal(crash.call, BREADCRUMB_EVENT);
    assert_string_equal(crash.function, "order");
    assert_int_equal(crash.seq, 17);
    assert_int_equal(crash.signal, SIGSEGV);
    assert_true(crash.is_own);
}

static void crash_behind_alpha(void)
{
    breadcrumb_applying(18);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 18, BREADCRUMB_EVENT);
    breadcrumb_leave(BREADCRUMB_ENGINE);
    abort();
}

static void an_entry_without_a_plugin_is_named_alone(void **state)
{
    struct breadcrumb_crash crash = death_of(crash_behind_alpha);
    (void)state;
    assert_string_equal(crash.plugin, "");
    assert_int_equal(crash.seq, 18);
}

static void crash_between_entries(void)
{
    breadcrumb_applying(19);
    breadcrumb_applying(0);
    abort();
}

static void between_two_entries_nothing_is_named(void **state)
{
    struct breadcrumb_crash crash = death_of(crash_between_entries);
    (void)state;
    assert_string_equal(crash.plugin, "");
    assert_int_equal(crash.seq, 0);
}

static void crash_nested(void)
{
    breadcrumb_applying(20);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 20, BREADCRUMB_EVENT);
    breadcrumb_enter(BREADCRUMB_ENGINE, BETA, 20, BREADCRUMB_FUNCTION);
    abort();
}

static void crash_back_outside(void)
{
    breadcrumb_applying(20);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 20, BREADCRUMB_EVENT);
    for (int i = 0; i < 10; i++)
        breadcrumb_enter(BREADCRUMB_ENGINE, BETA, 20, BREADCRUMB_FUNCTION);
    for (int i = 0; i < 10; i++)
        breadcrumb_leave(BREADCRUMB_ENGINE);
    abort();
}

static void of_nested_calls_the_innermost_is_named(void **state)
{
    (void)state;
    assert_string_equal(death_of(crash_nested).plugin, "beta");
    assert_string_equal(death_of(crash_back_outside).plugin, "alpha");
}

static void crash_elsewhere(void)
{
    breadcrumb_applying(21);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 21, BREADCRUMB_EVENT);
    breadcrumb_attach(BREADCRUMB_LOOP);
    breadcrumb_enter(BREADCRUMB_LOOP, BETA, 5, BREADCRUMB_SEND);
    abort();
}

static void crash_on_an_innocent_thread(void)
{
    breadcrumb_applying(21);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 21, BREADCRUMB_EVENT);
    breadcrumb_attach(BREADCRUMB_LOOP);
    abort();
}

static void crash_on_a_thread_without_a_slot(void)
{
    breadcrumb_applying(21);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 21, BREADCRUMB_EVENT);
    breadcrumb_attach(BREADCRUMB_NO_SLOT);
    abort();
}

static void only_the_thread_that_crashed_is_looked_at(void **state)
{
    struct breadcrumb_crash crash = death_of(crash_elsewhere);
    (void)state;
    assert_string_equal(crash.plugin, "beta");
    assert_int_equal(crash.seq, 0); /* the engine's entry is not this one's */
    assert_int_equal(crash.about, 5);
    crash = death_of(crash_on_an_innocent_thread);
    assert_string_equal(crash.plugin, "");
    assert_int_equal(crash.seq, 0);
    crash = death_of(crash_on_a_thread_without_a_slot);
    assert_string_equal(crash.plugin, "");
    assert_int_equal(crash.seq, 0);
}

static void be_killed(void)
{
    breadcrumb_applying(22);
    breadcrumb_enter(BREADCRUMB_ENGINE, BETA, 22, BREADCRUMB_TIMER);
    raise(SIGKILL);
}

static void be_told_to_abort(void)
{
    breadcrumb_applying(22);
    breadcrumb_enter(BREADCRUMB_ENGINE, BETA, 22, BREADCRUMB_TIMER);
    breadcrumb_attach(BREADCRUMB_LOOP);
    kill(getpid(), SIGABRT); /* as a watchdog does */
    pause();
}

static void a_signal_from_outside_names_where_the_engine_stood(void **state)
{
    void (*const lives[])(void) = { be_killed, be_told_to_abort };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct breadcrumb_crash crash = death_of(lives[i]);
        assert_string_equal(crash.plugin, "beta");
        assert_int_equal(crash.seq, 22);
        assert_false(crash.is_own);
    }
}

__attribute__((noinline)) static int fall(volatile int depth) /* NOLINT */
{
    volatile char frame[4096];
    frame[0] = (char)depth;
    return depth == 0 ? 0 : fall(depth - 1) + frame[0];
}

static void run_over(void)
{
    breadcrumb_applying(23);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 23, BREADCRUMB_EVENT);
    fall(1 << 24);
}

static void a_stack_that_runs_over_is_known_too(void **state)
{
    struct breadcrumb_crash crash = death_of(run_over);
    (void)state;
    assert_string_equal(crash.plugin, "alpha");
    assert_int_equal(crash.seq, 23);
}

static void take_slots(void)
{
    breadcrumb_attach(BREADCRUMB_NO_SLOT);
    for (unsigned i = BREADCRUMB_WORKER; i < BREADCRUMB_SLOTS; i++) {
        if (breadcrumb_slot() != i)
            _exit(EXIT_FAILURE);
        breadcrumb_attach(BREADCRUMB_NO_SLOT); /* as if by another thread */
    }
    if (breadcrumb_slot() != BREADCRUMB_NO_SLOT)
        _exit(EXIT_FAILURE);
    breadcrumb_enter(breadcrumb_slot(), ALPHA, 1, BREADCRUMB_WORK);
    breadcrumb_leave(breadcrumb_slot());
    breadcrumb_enter(BREADCRUMB_SLOTS - 1, BETA, 1, BREADCRUMB_WORK);
    breadcrumb_attach(BREADCRUMB_SLOTS - 1);
    abort();
}

static void workers_have_slots_as_long_as_there_are_any(void **state)
{
    (void)state;
    assert_string_equal(death_of(take_slots).plugin, "beta");
}

static void what_the_parent_says_outlives_a_run(void **state)
{
    struct breadcrumb_crash crash = { .plugin = "alpha", .seq = 9, .count = 1, .signal = SIGBUS };
    size_t count;
    (void)state;
    assert_null(breadcrumb_last());
    breadcrumb_tell(&crash, 12);
    breadcrumb_tell_blame(&crash);
    breadcrumb_tell_blame(&crash); /* once is enough */
    breadcrumb_begin();
    assert_string_equal(breadcrumb_last()->plugin, "alpha");
    assert_int_equal(breadcrumb_refused_seq(), 12);
    assert_int_equal(breadcrumb_crashes(), 1);
    assert_string_equal(breadcrumb_blames(&count)->plugin, "alpha");
    assert_int_equal(count, 1);
    assert_false(breadcrumb_was_opened());
    breadcrumb_note_opened(); /* and so recorded */
    breadcrumb_note_serving(1000, 8077);
    assert_int_equal(breadcrumb_serving_since(), 1000);
    breadcrumb_begin();
    breadcrumb_blames(&count);
    assert_int_equal(count, 0);
    assert_true(breadcrumb_was_opened());
    assert_int_equal(breadcrumb_port(), 8077);
    assert_int_equal(breadcrumb_serving_since(), -1);
}

static void every_call_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < BREADCRUMB_CALLS; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(breadcrumb_call_name((enum breadcrumb_call)i),
                                    breadcrumb_call_name((enum breadcrumb_call)j));
    assert_string_equal(breadcrumb_call_name(BREADCRUMB_CALLS), "unknown");
}

static void loop_in_beta(void)
{
    breadcrumb_applying(17);
    breadcrumb_enter(BREADCRUMB_ENGINE, BETA, 16, BREADCRUMB_TIMER);
    breadcrumb_attach(BREADCRUMB_LOOP);
    breadcrumb_enter(BREADCRUMB_LOOP, ALPHA, 0, BREADCRUMB_ROUTE);
    breadcrumb_end_hung(BREADCRUMB_ENGINE);
}

static void who_hangs_is_named_and_not_who_ends_it(void **state)
{
    (void)state;
    struct breadcrumb_crash crash = death_of(loop_in_beta);
    assert_string_equal(crash.plugin, "beta");
    assert_int_equal(crash.seq, 17);
    assert_true(crash.is_own && crash.is_hang);
}

static void a_call_is_told_from_the_next_one_alike(void **state)
{
    struct breadcrumb_crash call;
    uint32_t turn, again;
    (void)state;
    breadcrumb_begin();
    breadcrumb_name(ALPHA, "alpha");
    assert_false(breadcrumb_look(BREADCRUMB_ENGINE, &call, &turn));
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 5, BREADCRUMB_EVENT);
    assert_true(breadcrumb_look(BREADCRUMB_ENGINE, &call, &turn));
    assert_string_equal(call.plugin, "alpha");
    assert_true(breadcrumb_look(BREADCRUMB_ENGINE, &call, &again));
    assert_int_equal(again, turn);
    breadcrumb_leave(BREADCRUMB_ENGINE);
    breadcrumb_enter(BREADCRUMB_ENGINE, ALPHA, 5, BREADCRUMB_EVENT);
    assert_true(breadcrumb_look(BREADCRUMB_ENGINE, &call, &again));
    assert_int_not_equal(again, turn);
    breadcrumb_leave(BREADCRUMB_ENGINE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, share)
    const struct CMUnitTest tests[] = {
        TEST(a_crash_names_plugin_call_and_entry),
        TEST(an_entry_without_a_plugin_is_named_alone),
        TEST(between_two_entries_nothing_is_named),
        TEST(of_nested_calls_the_innermost_is_named),
        TEST(only_the_thread_that_crashed_is_looked_at),
        TEST(a_signal_from_outside_names_where_the_engine_stood),
        TEST(a_stack_that_runs_over_is_known_too),
        TEST(workers_have_slots_as_long_as_there_are_any),
        TEST(what_the_parent_says_outlives_a_run),
        TEST(every_call_has_a_name),
        TEST(who_hangs_is_named_and_not_who_ends_it),
        TEST(a_call_is_told_from_the_next_one_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_parent.c -- two processes that look like one. */
#include "core/server/parent.h"

#include "core/plugin/breadcrumb.h"
#include "core/server/blame.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What daemons tell the test. */
struct told {
    _Atomic int runs, heard;
    _Atomic pid_t daemon;
    char plugin[BREADCRUMB_NAME_BYTES];
    uint64_t seq, count;
    size_t blames;
    bool is_listened_to, is_hang;
    int crash_at; /* of the runs */
};

static struct told *told;

static int begin(void **state)
{
    (void)state;
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return told == MAP_FAILED;
}

static int end(void **state)
{
    (void)state;
    return munmap(told, sizeof *told);
}

/* A process that is `kithd`. */
static pid_t start(int (*run)(void *arg))
{
    fflush(NULL);
    pid_t started = fork();
    if (started == 0) {
        static const struct rlimit none = { 0, 0 };
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &none);
        _exit(parent_run(run, NULL));
    }
    assert_true(started > 0);
    return started;
}

static int status_of(pid_t started)
{
    int status;
    assert_int_equal(waitpid(started, &status, 0), started);
    return status;
}

static void wait_for(_Atomic int *value, int wanted)
{
    while (atomic_load(value) < wanted)
        usleep(1000);
}

static int exit_with_7(void *arg)
{
    (void)arg;
    atomic_fetch_add(&told->runs, 1);
    return 7;
}

static void an_exit_code_is_handed_on(void **state)
{
    (void)state;
    int status = status_of(start(exit_with_7));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(told->runs, 1);
}

static int crash_once(void *arg)
{
    (void)arg;
    if (atomic_fetch_add(&told->runs, 1) == 0) {
        breadcrumb_attach(BREADCRUMB_ENGINE);
        breadcrumb_name(0, "alpha");
        breadcrumb_applying(17);
        breadcrumb_enter(BREADCRUMB_ENGINE, 0, 17, BREADCRUMB_EVENT);
        abort();
    }
    const struct breadcrumb_crash *last = breadcrumb_last();
    snprintf(told->plugin, sizeof told->plugin, "%s", last->plugin);
    told->seq = last->seq;
    told->count = last->count;
    breadcrumb_blames(&told->blames);
    return EXIT_SUCCESS;
}

static void the_run_after_a_crash_knows_of_it(void **state)
{
    (void)state;
    int status = status_of(start(crash_once));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
    assert_int_equal(told->runs, 2);
    assert_string_equal(told->plugin, "alpha");
    assert_int_equal(told->seq, 17);
    assert_int_equal(told->count, 1);
    assert_int_equal(told->blames, 1);
}

static int ends_with; /* a code, of what is no end of the daemon's own */

static int exit_in_a_plugin(void *arg)
{
    (void)arg;
    breadcrumb_blames(&told->blames);
    if (atomic_fetch_add(&told->runs, 1) != 0)
        return EXIT_SUCCESS;
    breadcrumb_attach(BREADCRUMB_LOOP);
    breadcrumb_name(0, "alpha");
    breadcrumb_enter(BREADCRUMB_LOOP, 0, 0, BREADCRUMB_ROUTE);
    if (ends_with == 0)
        exit(ends_with);
    _exit(ends_with);
}

static void an_exit_that_nobody_asked_for_is_a_crash(void **state)
{
    (void)state;
    for (ends_with = 0; ends_with < 2; ends_with++) {
        memset(told, 0, sizeof *told);
        assert_int_equal(status_of(start(exit_in_a_plugin)), 0);
        assert_int_equal(told->runs, 2);
        assert_int_equal(told->blames, 1);
    }
}

static int exit_in_one_of_two(void *arg)
{
    (void)arg;
    breadcrumb_name(1, "beta");
    breadcrumb_enter(BREADCRUMB_ENGINE, 1, 5, BREADCRUMB_EVENT);
    return exit_in_a_plugin(arg);
}

static void of_two_that_may_have_exited_none_is_blamed_at_once(void **state)
{
    (void)state;
    ends_with = 1;
    status_of(start(exit_in_one_of_two));
    assert_int_equal(told->runs, 2);
    assert_int_equal(told->blames, 0);
    ends_with = 0; /* exit() tells which thread it was */
    memset(told, 0, sizeof *told);
    status_of(start(exit_in_one_of_two));
    assert_int_equal(told->blames, 1);
}

static int exit_when_told(void *arg)
{
    sigset_t wanted;
    int number;
    (void)arg;
    atomic_fetch_add(&told->runs, 1);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigwait(&wanted, &number); /* the parent has heard it, and passed it on */
    exit(EXIT_SUCCESS);
}

static void an_exit_while_it_was_told_to_end_is_no_success(void **state)
{
    (void)state;
    pid_t started = start(exit_when_told);
    wait_for(&told->runs, 1);
    kill(started, SIGTERM);
    int status = status_of(started);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), EXIT_SUCCESS);
    assert_int_equal(told->runs, 1);
}

static void on_signal(int number)
{
    atomic_fetch_add(&told->heard, number == SIGHUP ? 1 : 100);
}

static int serve(void *arg)
{
    (void)arg;
    signal(SIGTERM, on_signal);
    signal(SIGHUP, on_signal);
    atomic_store(&told->daemon, getpid());
    parent_hear();
    atomic_fetch_add(&told->runs, 1);
    while (atomic_load(&told->heard) < 100)
        usleep(1000);
    return 3;
}

static void signals_go_on_to_the_daemon(void **state)
{
    (void)state;
    pid_t started = start(serve);
    wait_for(&told->runs, 1);
    assert_int_not_equal(told->daemon, started);
    kill(started, SIGHUP);
    wait_for(&told->heard, 1);
    kill(started, SIGTERM);
    int status = status_of(started);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
}

static int serve_late(void *arg)
{
    atomic_store(&told->daemon, getpid());
    while (atomic_load(&told->heard) == 0) /* the test has sent its signal */
        usleep(1000);
    atomic_store(&told->heard, 0);
    return serve(arg);
}

static void a_signal_that_comes_early_waits(void **state)
{
    (void)state;
    pid_t started = start(serve_late);
    while (atomic_load(&told->daemon) == 0)
        usleep(1000);
    kill(started, SIGTERM);
    atomic_store(&told->heard, 1);
    assert_int_equal(WEXITSTATUS(status_of(started)), 3);
}

static int die_when_told(void *arg)
{
    (void)arg;
    signal(SIGTERM, SIG_DFL);
    atomic_fetch_add(&told->runs, 1);
    parent_hear();
    return pause();
}

static void a_death_that_was_asked_for_is_the_parents_too(void **state)
{
    (void)state;
    pid_t started = start(die_when_told);
    wait_for(&told->runs, 1);
    kill(started, SIGTERM);
    int status = status_of(started);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    assert_int_equal(told->runs, 1);
}

static int end_and_be_told_again(void *arg)
{
    (void)arg;
    signal(SIGTERM, SIG_DFL);
    breadcrumb_note_ended();
    atomic_fetch_add(&told->runs, 1);
    parent_hear();
    return pause();
}

static void a_signal_that_comes_late_undoes_nothing(void **state)
{
    (void)state;
    pid_t started = start(end_and_be_told_again);
    wait_for(&told->runs, 1);
    kill(started, SIGTERM);
    int status = status_of(started);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
}

static void a_daemon_dies_with_its_parent(void **state)
{
    int ends[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t started = start(serve);
    close(ends[1]);
    wait_for(&told->runs, 1);
    kill(started, SIGKILL);
    status_of(started);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody has the other end any more */
    close(ends[0]);
}

static int look_at_environment(void *arg)
{
    const char *pid = getenv("LISTEN_PID");
    (void)arg;
    told->is_listened_to = pid != NULL && strtoll(pid, NULL, 10) == getpid();
    return atomic_fetch_add(&told->runs, 1) == 0 ? raise(SIGKILL) : 0;
}

static void what_is_meant_for_the_parent_is_the_daemons(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t started = fork();
    if (started == 0) {
        char own[24];
        snprintf(own, sizeof own, "%lld", (long long)getpid());
        setenv("LISTEN_PID", own, 1);
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        _exit(parent_run(look_at_environment, NULL));
    }
    assert_int_equal(status_of(started), 0);
    assert_int_equal(told->runs, 2);
    assert_true(told->is_listened_to);
}

static char data[] = "/tmp/test_parent_XXXXXX";

static int hang_once(void *arg)
{
    (void)arg;
    blame_find(data);
    const struct breadcrumb_crash *blames = breadcrumb_blames(&told->blames);
    if (told->blames == 0) {
        breadcrumb_name(0, "al pha");
        breadcrumb_applying(17);
        breadcrumb_enter(BREADCRUMB_ENGINE, 0, 17, BREADCRUMB_TIMER);
        atomic_fetch_add(&told->runs, 1);
        return pause();
    }
    snprintf(told->plugin, sizeof told->plugin, "%s", blames[0].plugin);
    told->seq = blames[0].seq;
    told->is_hang = blames[0].is_hang && blames[0].call == BREADCRUMB_TIMER;
    blame_forget(data);
    return EXIT_SUCCESS;
}

static void a_hang_that_a_watchdog_ends_is_known_to_the_next_parent(void **state)
{
    (void)state;
    char file[64];
    assert_non_null(mkdtemp(data));
    snprintf(file, sizeof file, "%s/blames", data);
    pid_t started = start(hang_once);
    wait_for(&told->runs, 1);
    kill(started, SIGABRT);
    assert_true(WIFSIGNALED(status_of(started)));
    assert_int_equal(status_of(start(hang_once)), 0);
    assert_string_equal(told->plugin, "al pha");
    assert_int_equal(told->seq, 17);
    assert_true(told->is_hang);
    memset(told, 0, sizeof *told);
    pid_t another = start(hang_once); /* what was forgotten blames nobody */
    wait_for(&told->runs, 1);
    assert_int_equal(told->blames, 0);
    kill(another, SIGKILL);
    status_of(another);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(data), 0);
}

static int find_no_room(void *arg)
{
    (void)arg;
    int run = atomic_fetch_add(&told->runs, 1);
    breadcrumb_attach(BREADCRUMB_ENGINE);
    if (run == told->crash_at)
        abort();
    return run < 2 ? PARENT_NO_ROOM : EXIT_SUCCESS;
}

static void a_daemon_that_crashed_is_tried_until_it_finds_room(void **state)
{
    (void)state;
    assert_int_equal(status_of(start(find_no_room)), 0);
    assert_int_equal(told->runs, 3);
}

static void a_daemon_that_never_had_room_says_so_to_whoever_started_it(void **state)
{
    (void)state;
    told->crash_at = 99;
    int status = status_of(start(find_no_room));
    assert_int_equal(WEXITSTATUS(status), PARENT_NO_ROOM);
    assert_int_equal(told->runs, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_exit_code_is_handed_on),
        TEST(the_run_after_a_crash_knows_of_it),
        TEST(an_exit_that_nobody_asked_for_is_a_crash),
        TEST(of_two_that_may_have_exited_none_is_blamed_at_once),
        TEST(an_exit_while_it_was_told_to_end_is_no_success),
        TEST(signals_go_on_to_the_daemon),
        TEST(a_signal_that_comes_early_waits),
        TEST(a_death_that_was_asked_for_is_the_parents_too),
        TEST(a_signal_that_comes_late_undoes_nothing),
        TEST(a_daemon_dies_with_its_parent),
        TEST(what_is_meant_for_the_parent_is_the_daemons),
        TEST(a_hang_that_a_watchdog_ends_is_known_to_the_next_parent),
        TEST(a_daemon_that_crashed_is_tried_until_it_finds_room),
        TEST(a_daemon_that_never_had_room_says_so_to_whoever_started_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

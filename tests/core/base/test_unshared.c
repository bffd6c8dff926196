/* test_unshared.c -- what unshared.h promises, with a process that is forked and looks. */
#include "core/base/unshared.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int open_one(void)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static bool is_open_in_a_fork(int fd)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(fcntl(fd, F_GETFD) >= 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) != 0;
}

static void what_is_added_is_closed_in_a_fork_and_stays_open_here(void **state)
{
    (void)state;
    int own = open_one(), other = open_one();
    unshared_add(own);
    assert_false(is_open_in_a_fork(own));
    assert_true(is_open_in_a_fork(other));
    assert_true(fcntl(own, F_GETFD) >= 0);
    unshared_close(own);
    close(other);
}

static void a_number_that_is_given_again_is_another_descriptor(void **state)
{
    (void)state;
    int own = open_one();
    unshared_add(own);
    unshared_close(own);
    assert_int_equal(fcntl(own, F_GETFD), -1);
    int next = open_one();
    assert_int_equal(next, own);
    assert_true(is_open_in_a_fork(next));
    close(next);
}

/* One that lives on, as what a plugin has forked does. */
static void a_lock_is_free_as_soon_as_it_is_closed_here(void **state)
{
    char name[] = "/tmp/kith-unshared-XXXXXX";
    char byte = 0;
    int tell[2], told[2], fd = mkstemp(name);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(pipe(tell), 0);
    assert_int_equal(pipe(told), 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    unshared_add(fd);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(tell[1]);
        bool is_told = write(told[1], &byte, 1) == 1;
        _exit(!is_told || read(tell[0], &byte, 1) != 0);
    }
    assert_int_equal(read(told[0], &byte, 1), 1); /* it is under way */
    unshared_close(fd);
    int again = open(name, O_RDWR | O_CLOEXEC);
    assert_true(again >= 0);
    assert_int_equal(flock(again, LOCK_EX | LOCK_NB), 0);
    close(tell[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(tell[0]);
    close(told[0]);
    close(told[1]);
    close(again);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_closed_in_a_fork_and_stays_open_here),
        cmocka_unit_test(a_number_that_is_given_again_is_another_descriptor),
        cmocka_unit_test(a_lock_is_free_as_soon_as_it_is_closed_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

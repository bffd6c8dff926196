/* test_link_epochs.c -- what was made before a rotation keeps its secret. */
#include "core/server/link_epochs.h"

#include "core/base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\n"

static char dir[] = "/tmp/kith-epochs-XXXXXX", path[64];

static int make_dir(void **state)
{
    (void)state;
    memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/links.epochs", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static struct link_keys keys_of(const char *text)
{
    struct link_keys keys;
    struct err err;
    assert_int_equal(link_keys_parse(text, strlen(text), &keys, &err), 0);
    return keys;
}

/* As at a start or a reload, when `seq` is the next entry. */
static struct link_epochs reload(const struct link_keys *keys, uint64_t seq)
{
    struct link_epochs epochs;
    struct err err;
    assert_int_equal(link_epochs_open(dir, keys, seq, &epochs, &err), 0);
    return epochs;
}

static void what_was_made_before_a_rotation_keeps_its_secret(void **state)
{
    struct link_keys first = keys_of(A), second = keys_of(B A), third = keys_of(C B A);
    (void)state;
    reload(&first, 1);
    reload(&second, 10);
    struct link_epochs epochs = reload(&third, 20);
    assert_int_equal(link_epochs_key(&epochs, &third, 9), 2);
    assert_int_equal(link_epochs_key(&epochs, &third, 10), 1);
    assert_int_equal(link_epochs_key(&epochs, &third, 19), 1);
    assert_int_equal(link_epochs_key(&epochs, &third, 20), 0);
}

static void a_start_without_a_rotation_changes_nothing(void **state)
{
    struct link_keys keys = keys_of(B A);
    (void)state;
    reload(&keys, 5);
    struct link_epochs epochs = reload(&keys, 50);
    assert_int_equal(epochs.count, 1);
    assert_int_equal(epochs.epochs[0].since, 5);
}

static void a_secret_that_was_taken_out_or_is_not_known_is_the_first_one(void **state)
{
    struct link_keys both = keys_of(B A), one = keys_of(B), old = keys_of(A);
    (void)state;
    reload(&old, 5);
    reload(&both, 10);
    struct link_epochs epochs = reload(&one, 30);
    assert_int_equal(link_epochs_key(&epochs, &one, 7), 0);
    assert_int_equal(link_epochs_key(&epochs, &one, 1), 0);
    assert_int_equal(link_epochs_key(&epochs, &both, 1), 0);
}

static void a_secret_that_comes_to_the_front_again_seals_again(void **state)
{
    struct link_keys first = keys_of(A B), second = keys_of(B A);
    (void)state;
    reload(&first, 1);
    reload(&second, 10);
    struct link_epochs epochs = reload(&first, 20);
    assert_int_equal(link_epochs_key(&epochs, &first, 5), 0);
    assert_int_equal(link_epochs_key(&epochs, &first, 15), 1);
    assert_int_equal(link_epochs_key(&epochs, &first, 25), 0);
}

static void of_many_rotations_the_last_are_kept(void **state)
{
    struct link_keys turns[] = { keys_of(A B), keys_of(B A) };
    struct link_epochs epochs;
    (void)state;
    for (uint64_t i = 0; i < 3 * LINK_EPOCHS_MAX; i++)
        epochs = reload(&turns[i % 2], 10 * i + 1);
    assert_int_equal(epochs.count, LINK_EPOCHS_MAX);
    assert_int_equal(epochs.epochs[0].since, 10 * 2 * LINK_EPOCHS_MAX + 1);
    epochs = reload(&turns[1], 9999);
    assert_int_equal(epochs.count, LINK_EPOCHS_MAX);
}

static void what_is_no_line_of_ours_is_left_out(void **state)
{
    struct link_keys keys = keys_of(A);
    (void)state;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("\nnonsense\n12\n12 \n12 abc\n -1 00\n18446744073709551615 zz", file);
    fclose(file);
    struct link_epochs epochs = reload(&keys, 7);
    assert_int_equal(epochs.count, 1);
    assert_int_equal(epochs.epochs[0].since, 7);
}

static void what_cannot_be_written_is_told_and_changes_nothing(void **state)
{
    struct link_keys keys = keys_of(A);
    struct link_epochs epochs = { .count = 3 };
    struct err err;
    (void)state;
    assert_int_equal(link_epochs_open("/nonexistent", &keys, 7, &epochs, &err), E_IO);
    assert_non_null(strstr(err.text, "cannot write /nonexistent/links.epochs"));
    assert_int_equal(epochs.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
        TEST(what_was_made_before_a_rotation_keeps_its_secret),
        TEST(a_start_without_a_rotation_changes_nothing),
        TEST(a_secret_that_was_taken_out_or_is_not_known_is_the_first_one),
        TEST(a_secret_that_comes_to_the_front_again_seals_again),
        TEST(of_many_rotations_the_last_are_kept),
        TEST(what_is_no_line_of_ours_is_left_out),
        TEST(what_cannot_be_written_is_told_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

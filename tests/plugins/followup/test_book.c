/* test_book.c -- what a device is told has changed. */
#include "plugins/followup/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct book book;

static int open_book(void **state)
{
    (void)state;
    book_init(&book, 100);
    return 0;
}

static int close_book(void **state)
{
    (void)state;
    book_deinit(&book);
    return 0;
}

static void list(const char *const pairs[])
{
    book_begin(&book);
    for (; *pairs != NULL; pairs += 2)
        assert_true(book_is(&book, pairs[0], pairs[1], 0));
    book_end(&book);
}

static void the_same_list_changes_nothing(void **state)
{
    (void)state;
    list((const char *[]){ "b", "1", "a", "1", NULL });
    assert_int_equal(book.revision, 102);
    list((const char *[]){ "a", "1", "b", "1", NULL });
    assert_int_equal(book.revision, 102);
}

static void what_changes_and_what_goes_has_a_new_revision(void **state)
{
    (void)state;
    list((const char *[]){ "a", "1", "b", "1", "c", "1", NULL });
    list((const char *[]){ "a", "2", "c", "1", NULL });
    assert_int_equal(book.revision, 105);
    assert_int_equal(book_find(&book, "a")->revision, 104);
    assert_int_equal(book_find(&book, "b")->revision, 105);
    assert_null(book_find(&book, "b")->etag);
    assert_int_equal(book_find(&book, "c")->revision, 103);
    assert_int_equal(book.gone, 1);
}

static void what_comes_back_is_there_again(void **state)
{
    (void)state;
    list((const char *[]){ "a", "1", NULL });
    list((const char *[]){ NULL });
    list((const char *[]){ "a", "1", NULL });
    assert_int_equal(book_find(&book, "a")->revision, 103);
    assert_string_equal(book_find(&book, "a")->etag, "1");
    assert_int_equal(book.gone, 0);
}

static void what_went_long_ago_is_forgotten_and_older_tokens_are_stale(void **state)
{
    (void)state;
    char name[20];
    book_begin(&book);
    for (int i = 0; i <= BOOK_GONE_MAX; i++) {
        snprintf(name, sizeof name, "t%d", i);
        assert_true(book_is(&book, name, "1", 0));
    }
    book_end(&book);
    list((const char *[]){ "kept", "1", NULL });
    assert_int_equal(book.count, 1);
    assert_int_equal(book.oldest, book.revision);
}

static struct kith_doc reminder(char room[100], int64_t customer)
{
    struct kith_writer w;
    kith_begin(&w, room, 100);
    kith_put_int(&w, "customer", customer);
    return kith_end(&w);
}

static void of_what_is_done_those_are_kept_that_were_done_last(void **state)
{
    (void)state;
    char room[100];
    for (int i = BOOK_DONE_MAX; i > 0; i--)
        assert_true(book_keep_done(&book, (uint64_t)i, i, reminder(room, 7)));
    assert_true(book_keep_done(&book, 1000, 0, reminder(room, 7)));
    assert_null(book_done_of(&book, 1000));
    assert_true(book_keep_done(&book, 1001, 1000, reminder(room, 7)));
    assert_non_null(book_done_of(&book, 1001));
    assert_non_null(book_done_of(&book, BOOK_DONE_MAX));
    assert_null(book_done_of(&book, 1));
}

static void what_is_done_is_kept_for_a_while_and_the_oldest_goes_first(void **state)
{
    (void)state;
    char room[100];
    for (int64_t i = 1; i <= BOOK_DONE_MAX + 1; i++)
        assert_true(book_keep_done(&book, (uint64_t)i, i, reminder(room, 7)));
    assert_true(book_keep_done(&book, 2, 5, reminder(room, 7)));
    assert_int_equal(book.done_count, BOOK_DONE_MAX);
    assert_null(book_done_of(&book, 1));
    assert_int_equal(book_done_of(&book, 2)->at, 2);
    book_drop_done(&book, 10);
    assert_null(book_done_of(&book, 9));
    assert_non_null(book_done_of(&book, 10));
}

static void an_erased_customer_is_forgotten(void **state)
{
    (void)state;
    char room[100];
    assert_true(book_keep_done(&book, 1, 1, reminder(room, 7)));
    assert_true(book_keep_done(&book, 2, 1, reminder(room, 8)));
    book_forget_customer(&book, 7);
    assert_null(book_done_of(&book, 1));
    assert_non_null(book_done_of(&book, 2));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_book, close_book)
    const struct CMUnitTest tests[] = {
        TEST(the_same_list_changes_nothing),
        TEST(what_changes_and_what_goes_has_a_new_revision),
        TEST(what_comes_back_is_there_again),
        TEST(what_went_long_ago_is_forgotten_and_older_tokens_are_stale),
        TEST(of_what_is_done_those_are_kept_that_were_done_last),
        TEST(what_is_done_is_kept_for_a_while_and_the_oldest_goes_first),
        TEST(an_erased_customer_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

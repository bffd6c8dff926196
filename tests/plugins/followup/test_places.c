/* test_places.c -- where in a list something stands. */
#include "plugins/followup/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT 5000

static void each_is_found_where_it_was_first(void **state)
{
    (void)state;
    struct pool pool = { 0 };
    struct places texts, numbers;
    assert_true(places_init(&texts, &pool, COUNT));
    assert_true(places_init(&numbers, &pool, COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        const char *name = pool_print(&pool, "reminder-%zu.ics", i);
        assert_int_equal(places_add_text(&texts, name, i), i);
        assert_int_equal(places_add_text(&texts, name, i + 1), i);
        assert_int_equal(places_add_number(&numbers, 1024 * i, i), i);
        assert_int_equal(places_add_number(&numbers, 1024 * i, i + 1), i);
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(places_of_text(&texts, pool_print(&pool, "reminder-%zu.ics", i)), i);
        assert_int_equal(places_of_number(&numbers, 1024 * i), i);
        assert_true(places_of_number(&numbers, 1024 * i + 1) == PLACES_NONE);
    }
    assert_true(places_of_text(&texts, "reminder-5000.ics") == PLACES_NONE);
    assert_true(places_of_text(&texts, "") == PLACES_NONE);
    pool_deinit(&pool);
}

static void nothing_is_found_in_an_empty_list(void **state)
{
    (void)state;
    struct pool pool = { 0 };
    struct places places;
    assert_true(places_init(&places, &pool, 0));
    assert_true(places_of_text(&places, "") == PLACES_NONE);
    assert_true(places_of_number(&places, 0) == PLACES_NONE);
    pool_deinit(&pool);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_is_found_where_it_was_first),
        TEST(nothing_is_found_in_an_empty_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

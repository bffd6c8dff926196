/* test_columns.c -- which column is meant: what columns.h promises. */
#include "core/cli/columns.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(names) (sizeof(names) / sizeof *(names))

static void finds(const struct text *names, size_t count, const char *name, size_t wanted)
{
    struct err err = { 0 };
    size_t index = SIZE_MAX;
    if (columns_find(names, count, name, &index, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(index, wanted);
}

static void refuses(const struct text *names, size_t count, const char *name, const char *reason)
{
    struct err err = { 0 };
    size_t index = SIZE_MAX;
    assert_int_equal(columns_find(names, count, name, &index, &err), E_INVALID);
    assert_int_equal(index, SIZE_MAX);
    assert_string_equal(err.text, reason);
}

static void white_space_around_and_inside_of_names_does_not_count(void **state)
{
    (void)state;
    const struct text names[] = { text_of(" No"), text_of("Full \r\n Name "), text_of("") };
    struct buf shown = BUF_INIT;
    finds(names, COUNT(names), "No", 0);
    finds(names, COUNT(names), "Full Name", 1);
    finds(names, COUNT(names), " Full  Name", 1);
    finds(names, COUNT(names), "#3", 2);
    columns_name(names[1], &shown);
    assert_string_equal(buf_string(&shown), "Full Name");
    buf_deinit(&shown);
}

static void a_name_that_two_columns_have_is_nobodys(void **state)
{
    (void)state;
    const struct text names[] = { text_of("a"), text_of("Phone"), text_of("Phone ") };
    refuses(names, COUNT(names), "Phone", "two columns are called \"Phone\": say which, #2 or #3");
    finds(names, COUNT(names), "#3", 2);
}

static void a_column_called_like_a_number_comes_first(void **state)
{
    (void)state;
    const struct text names[] = { text_of("a"), text_of("b"), text_of("#1") };
    finds(names, COUNT(names), "#1", 2);
    finds(names, COUNT(names), "#2", 1);
}

static void who_asks_for_another_column_hears_what_there_is(void **state)
{
    (void)state;
    const struct text names[] = { text_of("Kunden-Nr"), text_of("Name") };
    refuses(names, 2, "Kundennr", "there is no column \"Kundennr\"; is it \"Kunden-Nr\"?");
    refuses(names, 2, "Ort",
            "there is no column \"Ort\"; the first line has \"Kunden-Nr\", \"Name\"");
    refuses(names, 2, "#3",
            "there is no column \"#3\"; the first line has \"Kunden-Nr\", \"Name\"");
    refuses(names, 2, "#0",
            "there is no column \"#0\"; the first line has \"Kunden-Nr\", \"Name\"");
}

static void of_many_columns_the_first_are_named(void **state)
{
    (void)state;
    struct text names[100];
    struct err err = { 0 };
    size_t index;
    for (size_t i = 0; i < COUNT(names); i++)
        names[i] = text_of("a column with a name");
    assert_int_equal(columns_find(names, COUNT(names), "zzz", &index, &err), E_INVALID);
    assert_non_null(strstr(err.text, "\"a column with a name\", \"a column"));
    assert_non_null(strstr(err.text, " ... 100 in all"));
}

static void columns_that_were_not_told_apart_say_by_what_they_are(void **state)
{
    (void)state;
    static const char *const lines[] = { "a;b", "a\tb", "a|b", "a;b,c" };
    static const char delimiters[] = ";\t|;";
    for (size_t i = 0; i < COUNT(lines); i++) {
        const struct text name = text_of(lines[i]);
        assert_int_equal(columns_delimiter(&name, 1), delimiters[i]);
    }
    const struct text two[] = { text_of("a;b"), text_of("c") }, one = text_of("a");
    assert_int_equal(columns_delimiter(two, 2), 0);
    assert_int_equal(columns_delimiter(&one, 1), 0);
    refuses(two, 1, "No",
            "there is no column \"No\": all of the first line is one, \"a;b\"; "
            "say --delimiter \";\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_around_and_inside_of_names_does_not_count),
        cmocka_unit_test(a_name_that_two_columns_have_is_nobodys),
        cmocka_unit_test(a_column_called_like_a_number_comes_first),
        cmocka_unit_test(who_asks_for_another_column_hears_what_there_is),
        cmocka_unit_test(of_many_columns_the_first_are_named),
        cmocka_unit_test(columns_that_were_not_told_apart_say_by_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

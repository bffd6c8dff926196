/* test_near.c -- what near.h promises, one promise a test. */
#include "core/base/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void counts_the_slips_of_a_typist(void **state)
{
    (void)state;
    assert_int_equal(near_distance("", ""), 0);
    assert_int_equal(near_distance("", "abc"), 3);
    assert_int_equal(near_distance("kitten", "sitting"), 3);
    assert_int_equal(near_distance("Berlin", "Berln"), 1);
    assert_int_equal(near_distance("Berlin", "Belrin"), 1);
    assert_int_equal(near_distance("Berlin", "bERLIN"), 0);
    assert_int_equal(near_distance("ab", "ba"), 1);
}

static void counts_characters_and_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(near_distance("\xe7\x8e\x8b\xe8\x8a\xb3", "\xe7\x8e\x8b\xe6\x96\xb9"), 1);
    assert_int_equal(near_distance("\xe7\x8e\x8b\xe8\x8a\xb3", "\xe8\x8a\xb3\xe7\x8e\x8b"), 1);
    assert_int_equal(near_distance("\xe7\x8e\x8b\xe8\x8a\xb3", "\xe6\x9d\x8e\xe6\x96\xb9"), 2);
    assert_int_equal(near_distance("J\xc3\xb6rg", "Jorg"), 1);
    assert_int_equal(near_distance("J\xc3rg", "J\xc4rg"), 1); /* no UTF-8 */
    assert_int_equal(near_distance("J\xc3rg", "J\xc3\x83rg"), 1);
}

static void is_the_same_in_both_directions(void **state)
{
    (void)state;
    static const char *const words[] = { "", "a", "paris", "pairs", "praise", "sirap" };
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            assert_int_equal(near_distance(words[i], words[j]), near_distance(words[j], words[i]));
}

static void compares_only_the_beginning_of_long_names(void **state)
{
    (void)state;
    char a[200], b[200];
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    a[199] = b[199] = '\0';
    b[NEAR_NAME_MAX] = 'y';
    assert_int_equal(near_distance(a, b), 0);
    b[NEAR_NAME_MAX - 1] = 'y';
    assert_int_equal(near_distance(a, b), 1);
}

static void proposes_nothing_that_is_mostly_different(void **state)
{
    (void)state;
    assert_true(near_is_likely(1, "ab"));
    assert_true(near_is_likely(2, "Berlin"));
    assert_false(near_is_likely(2, "Paris"));
    assert_false(near_is_likely(2, "\xe7\x8e\x8b\xe8\x8a\xb3")); /* two characters */
}

static void quotes_any_bytes_as_one_line_of_text(void **state)
{
    (void)state;
    struct near_quote quote;
    assert_string_equal(near_quote("a\nb\0c", 5, &quote), "a?b?c");
    assert_string_equal(near_quote("gr\xc3\xbc\xc3\x9f", 6, &quote), "gr\xc3\xbc\xc3\x9f");
    assert_string_equal(near_quote("\xff\xc3", 2, &quote), "??");
    assert_string_equal(near_quote("\xed\xa0\x80", 3, &quote), "???");
    assert_string_equal(near_quote("\xc0\xaf", 2, &quote), "??");
    assert_string_equal(near_quote("\xf0\x9f\x98\x80", 4, &quote), "\xf0\x9f\x98\x80");
    assert_string_equal(near_quote("", 0, &quote), "");
}

static void cuts_a_long_quote_between_characters(void **state)
{
    (void)state;
    struct near_quote quote;
    char text[NEAR_QUOTE_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text + NEAR_QUOTE_MAX - 1, "\xe4\xbd\xa0", 3);
    near_quote(text, sizeof text, &quote);
    assert_int_equal(strlen(quote.text), NEAR_QUOTE_MAX - 1 + 3);
    assert_string_equal(quote.text + NEAR_QUOTE_MAX - 2, "a...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_slips_of_a_typist),
        cmocka_unit_test(counts_characters_and_not_bytes),
        cmocka_unit_test(is_the_same_in_both_directions),
        cmocka_unit_test(compares_only_the_beginning_of_long_names),
        cmocka_unit_test(proposes_nothing_that_is_mostly_different),
        cmocka_unit_test(quotes_any_bytes_as_one_line_of_text),
        cmocka_unit_test(cuts_a_long_quote_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

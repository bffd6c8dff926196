/* test_blank.c -- what is blank, and what only looks so. */
#include "core/base/blank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool is_blank(const char *text)
{
    return blank_text(text, strlen(text));
}

static void what_nobody_sees_is_blank_in_whatever_script(void **state)
{
    (void)state;
    assert_true(is_blank(""));
    assert_true(is_blank(" \t\r\n"));
    assert_true(is_blank("\xc2\xa0\xe3\x80\x80"));             /* no-break, ideographic */
    assert_true(is_blank("\xe2\x80\x8b\xe2\x80\x8f\xc2\xad")); /* zero width, direction, hyphen */
    assert_true(blank_text("\0", 1));
}

static void one_letter_is_enough(void **state)
{
    (void)state;
    assert_false(is_blank("  .  "));
    assert_false(is_blank("\xe3\x80\x80\xe7\x8e\x8b"));
    assert_false(is_blank(" \xff"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_sees_is_blank_in_whatever_script),
        cmocka_unit_test(one_letter_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

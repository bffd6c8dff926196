/* test_err.c -- what err.h promises. */
#include "core/base/err.h"

#include "core/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_reason_is_recorded_with_its_code(void **state)
{
    (void)state;
    struct err err = { 0 };
    assert_int_equal(err_set(&err, E_NOTFOUND, "no customer %d in %s", 5, "a table"), E_NOTFOUND);
    assert_int_equal(err.code, E_NOTFOUND);
    assert_string_equal(err.text, "no customer 5 in a table");
}

static void without_a_place_for_the_reason_the_code_remains(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, E_IO, "nobody reads %s", "this"), E_IO);
}

/* Whatever character stands on the edge. */
static void a_long_reason_is_cut_between_characters(void **state)
{
    (void)state;
    static const char *const characters[] = { "x", "ä", "€", "😀" };
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        for (int shift = 0; shift < 8; shift++) {
            char text[2 * ERR_TEXT_MAX] = "", *at = text + shift;
            size_t size = strlen(characters[i]);
            memset(text, '-', (size_t)shift);
            for (; at + size < text + sizeof text; at += size)
                memcpy(at, characters[i], size);
            *at = '\0';
            struct err err;
            err_set(&err, E_INVALID, "%s", text);
            size_t kept = strlen(err.text);
            assert_true(kept < ERR_TEXT_MAX && kept > ERR_TEXT_MAX - 5);
            assert_true(utf8_valid(err.text, kept));
            assert_memory_equal(err.text, text, kept);
        }
    }
}

static void a_reason_that_just_fits_is_kept_whole(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, E_INVALID, "%0*d€", ERR_TEXT_MAX - 4, 7);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_string_equal(err.text + ERR_TEXT_MAX - 5, "7€");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_is_recorded_with_its_code),
        cmocka_unit_test(without_a_place_for_the_reason_the_code_remains),
        cmocka_unit_test(a_long_reason_is_cut_between_characters),
        cmocka_unit_test(a_reason_that_just_fits_is_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_number.c -- what number.h promises, with the C library as the judge. */
#include "core/base/number.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state ^ random_state >> 29;
}

static void doubles_read_back_the_same(void **state)
{
    (void)state;
    random_state = 1;
    for (int round = 0; round < 100000; round++) {
        uint64_t bits = random_next();
        double number, again, shorter;
        memcpy(&number, &bits, sizeof number);
        if (round % 2 == 0)
            number = (double)(int64_t)(bits >> 20) / 100.0;
        if (!isfinite(number))
            continue;
        char text[NUMBER_TEXT_SIZE], rounded[64];
        size_t size = number_format(number, text);
        assert_int_equal(size, strlen(text));
        assert_true(number_parse(text, size, &again));
        assert_true(again == number);
        assert_true(strtod(text, NULL) == number);
        /* one digit less than it has would not do */
        size_t digits = 0;
        for (const char *at = text; *at != '\0' && *at != 'e'; at++)
            digits += *at >= '0' && *at <= '9';
        if (strchr(text, '.') != NULL && text[0] != '0' && text[1] != '0' && digits > 1) {
            snprintf(rounded, sizeof rounded, "%.*e", (int)digits - 2, number);
            shorter = strtod(rounded, NULL);
            assert_true(shorter != number);
        }
    }
}

static void numbers_are_parsed_whole_or_not_at_all(void **state)
{
    (void)state;
    double number = 7;
    assert_true(number_parse("-12.5e1,", 7, &number));
    assert_true(number == -125.0);
    static const char *const wrong[] = { "",    "-",   "+1",   " 1", "1 ",    "1x", "0x1",
                                         "inf", "nan", "-inf", "1e", "1e999", "1,5" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(number_parse(wrong[i], strlen(wrong[i]), &number));
    assert_true(number == -125.0);
}

static void the_locale_changes_nothing(void **state)
{
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL)
        skip(); /* no locale with a decimal comma on this machine */
    char text[NUMBER_TEXT_SIZE];
    double number = 0;
    number_format(1234.5, text);
    assert_string_equal(text, "1234.5");
    assert_true(number_parse("1234.5", 6, &number) && number == 1234.5);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_read_back_the_same),
        cmocka_unit_test(numbers_are_parsed_whole_or_not_at_all),
        cmocka_unit_test(the_locale_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

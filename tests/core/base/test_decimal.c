/* test_decimal.c -- what decimal.h promises, with libbson as the referee. */
#include "core/base/decimal.h"

#include <bson/bson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state ^ random_state >> 29;
}

static void assert_decimal(const bson_decimal128_t *decimal)
{
    char want[BSON_DECIMAL128_STRING], text[DECIMAL_TEXT_SIZE];
    uint8_t bytes[16];
    memcpy(bytes, &decimal->low, 8);
    memcpy(bytes + 8, &decimal->high, 8);
    bson_decimal128_to_string(decimal, want);
    size_t size = decimal_format(bytes, text);
    assert_string_equal(text, want);
    assert_int_equal(size, strlen(want));
}

static void decimals_are_written_as_libbson_does(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "0.00",
        "0E+3",
        "1",
        "-1",
        "12.50",
        "0.000001",
        "0.0000001",
        "1E+3",
        "1.2E+10",
        "9999999999999999999999999999999999",
        "-1234567890.123456789012345678901234",
        "1E-6176",
        "9.999999999999999999999999999999999E+6144",
        "NaN",
        "Infinity",
        "-Infinity",
        "0.00001234",
        "123456789",
        "1000000000",
        "100000000000000000000",
    };
    bson_decimal128_t decimal;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(bson_decimal128_from_string(texts[i], &decimal));
        assert_decimal(&decimal);
    }
}

static void a_coefficient_beyond_34_digits_counts_as_zero(void **state)
{
    (void)state;
    static const uint8_t bytes[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x41, 0x30 };
    char text[DECIMAL_TEXT_SIZE];
    decimal_format(bytes, text);
    assert_string_equal(text, "0");
}

static void any_sixteen_bytes_are_some_decimal(void **state)
{
    (void)state;
    random_state = 2;
    for (int round = 0; round < 100000; round++) {
        bson_decimal128_t decimal = { .high = random_next(), .low = random_next() };
        decimal.high &= ~(1ull << 48); /* the coefficient stays below 10^34 */
        if (round % 2 == 0)            /* an exponent near zero */
            decimal.high = (decimal.high & 0x8000ffffffffffff) | (6140 + random_next() % 60) << 49;
        assert_decimal(&decimal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_written_as_libbson_does),
        cmocka_unit_test(a_coefficient_beyond_34_digits_counts_as_zero),
        cmocka_unit_test(any_sixteen_bytes_are_some_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

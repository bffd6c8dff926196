/* test_amount.c -- amounts of money are exact, and what is none is refused. */
#include "core/base/amount.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct doc_value text_value(const char *text)
{
    return (struct doc_value){ .type = DOC_TEXT, .text = text_of(text) };
}

static void what_is_written_is_read_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t amount;
        const char *again;
    } rows[] = {
        { "0", 0, "0" },
        { "12.5", 125000, "12.50" },
        { "12.50", 125000, "12.50" },
        { "-3", -30000, "-3" },
        { "-0.05", -500, "-0.05" },
        { "0.125", 1250, "0.125" },
        { ".5", 5000, "0.50" },
        { "7.", 70000, "7" },
        { "1.00000", 10000, "1" },
        { "900000000000", 9000000000000000, "900000000000" },
    };
    char text[AMOUNT_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct doc_value value = text_value(rows[i].text);
        int64_t amount = 1;
        assert_int_equal(amount_read(&value, &amount, NULL), 0);
        assert_int_equal(amount, rows[i].amount);
        amount_format(amount, text);
        assert_string_equal(text, rows[i].again);
    }
}

static void numbers_are_amounts_as_far_as_they_are_exact(void **state)
{
    int64_t amount = 1;
    (void)state;
    struct doc_value value = { .type = DOC_INT64, .integer = 17 };
    assert_int_equal(amount_read(&value, &amount, NULL), 0);
    assert_int_equal(amount, 170000);
    value = (struct doc_value){ .type = DOC_DOUBLE, .number = 0.1 };
    assert_int_equal(amount_read(&value, &amount, NULL), 0);
    assert_int_equal(amount, 1000);
    value.number = 0.1 + 0.2; /* 0.30000000000000004 */
    assert_int_equal(amount_read(&value, &amount, NULL), E_INVALID);
    value.number = 1e300;
    assert_int_equal(amount_read(&value, &amount, NULL), E_INVALID);
    value.number = 1.0 / 0.0;
    assert_int_equal(amount_read(&value, &amount, NULL), E_INVALID);
    assert_int_equal(amount, 1000); /* untouched */
}

static void what_is_no_amount_is_refused(void **state)
{
    static const char *const wrong[] = { "",      "-",   ".",  "1,50",   "1.2.3",
                                         "EUR 5", "1e3", " 1", "1.00001" };
    int64_t amount = 7;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct doc_value value = text_value(wrong[i]);
        assert_int_equal(amount_read(&value, &amount, &err), E_INVALID);
    }
    struct doc_value value = text_value("900000000000.0001");
    assert_int_equal(amount_read(&value, &amount, &err), E_LIMIT);
    value = text_value("99999999999999999999999");
    assert_int_equal(amount_read(&value, &amount, &err), E_LIMIT);
    value = (struct doc_value){ .type = DOC_BOOL };
    assert_int_equal(amount_read(&value, &amount, &err), E_INVALID);
    assert_int_equal(amount, 7);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_exactly),
        cmocka_unit_test(numbers_are_amounts_as_far_as_they_are_exact),
        cmocka_unit_test(what_is_no_amount_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

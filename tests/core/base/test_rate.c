/* test_rate.c -- rates as admins write them. */
#include "core/base/rate.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void reads_a_count_and_its_period(void **state)
{
    static const struct {
        const char *text;
        struct rate rate;
    } good[] = {
        { "10/s", { 10, 1000, 10 } },
        { "600/min", { 600, 60000, 600 } },
        { "1000000/h", { 1000000, 3600000, 1000000 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct rate rate = { 0 };
        assert_int_equal(rate_parse(good[i].text, strlen(good[i].text), &rate, NULL), 0);
        assert_int_equal(rate.count, good[i].rate.count);
        assert_int_equal(rate.period_ms, good[i].rate.period_ms);
        assert_int_equal(rate.burst, good[i].rate.burst);
    }
}

static void refuses_all_else_and_says_what_is_one(void **state)
{
    static const char *const wrong[] = { "",
                                         "10",
                                         "/s",
                                         "10/",
                                         "10/d",
                                         "0/s",
                                         "-1/s",
                                         "1.5/s",
                                         " 10/s",
                                         "10 /s",
                                         "1000001/s",
                                         "10/s ",
                                         "99999999999999999999/s" };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct rate rate = { .count = 7 };
        struct err err;
        assert_int_equal(rate_parse(wrong[i], strlen(wrong[i]), &rate, &err), E_INVALID);
        assert_non_null(strstr(err.text, "600/min"));
        assert_int_equal(rate.count, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_count_and_its_period),
        cmocka_unit_test(refuses_all_else_and_says_what_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

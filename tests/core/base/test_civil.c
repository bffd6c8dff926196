/* test_civil.c -- what civil.h promises, one promise a test.
 *
 * The C library's gmtime_r() serves as the second opinion; it knows the same
 * calendar by other means.
 */
#include "core/base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static void every_day_of_ten_thousand_years_reads_back(void **state)
{
    (void)state;
    int64_t days = -719162;
    for (int year = 1; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= civil_month_days(year, month); day++, days++) {
                struct civil civil;
                civil_from_local_ms(days * CIVIL_DAY_MS, &civil);
                assert_true(civil_days(year, month, day) == days && civil.year == year &&
                            civil.month == month && civil.day == day);
            }
        }
    }
    assert_int_equal(days, 2932897);
}

static void agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t s = -62135596800; s <= 253402300799; s += 86400 * 13 + 3607) {
        struct civil civil;
        struct tm tm;
        time_t time = (time_t)s;
        civil_from_local_ms(s * 1000 + 7, &civil);
        assert_non_null(gmtime_r(&time, &tm));
        assert_int_equal(civil.year, tm.tm_year + 1900);
        assert_int_equal(civil.month, tm.tm_mon + 1);
        assert_int_equal(civil.day, tm.tm_mday);
        assert_int_equal(civil.hour, tm.tm_hour);
        assert_int_equal(civil.minute, tm.tm_min);
        assert_int_equal(civil.second, tm.tm_sec);
        assert_int_equal(civil.ms, 7);
        assert_int_equal(civil_weekday(civil_local_days(s * 1000)) % 7, tm.tm_wday);
        assert_true(civil_local_ms(&civil) == s * 1000 + 7);
    }
}

static void the_last_millisecond_before_1970_belongs_to_1969(void **state)
{
    (void)state;
    struct civil civil;
    civil_from_local_ms(-1, &civil);
    assert_int_equal(civil.year, 1969);
    assert_int_equal(civil.hour, 23);
    assert_int_equal(civil.ms, 999);
    assert_int_equal(civil_local_days(-1), -1);
}

static void dates_that_do_not_exist_are_not_valid(void **state)
{
    (void)state;
    assert_true(civil_is_valid(&(struct civil){ 2024, 2, 29, 23, 59, 59, 999 }));
    assert_false(civil_is_valid(&(struct civil){ 2023, 2, 29, 0, 0, 0, 0 }));
    assert_false(civil_is_valid(&(struct civil){ 1900, 2, 29, 0, 0, 0, 0 }));
    assert_false(civil_is_valid(&(struct civil){ 2026, 4, 31, 0, 0, 0, 0 }));
    assert_false(civil_is_valid(&(struct civil){ 2026, 13, 1, 0, 0, 0, 0 }));
    assert_false(civil_is_valid(&(struct civil){ 2026, 1, 1, 24, 0, 0, 0 }));
    assert_false(civil_is_valid(&(struct civil){ 0, 1, 1, 0, 0, 0, 0 }));
}

static void months_are_added_up_to_the_end_of_the_month(void **state)
{
    (void)state;
    int64_t january = civil_days(2026, 1, 31);
    assert_int_equal(civil_days_add_months(january, 1), civil_days(2026, 2, 28));
    assert_int_equal(civil_days_add_months(january, 25), civil_days(2028, 2, 29));
    assert_int_equal(civil_days_add_months(january, 2), civil_days(2026, 3, 31));
    assert_int_equal(civil_days_add_months(january, -2), civil_days(2025, 11, 30));
    assert_int_equal(civil_days_add_months(january, -13), civil_days(2024, 12, 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_ten_thousand_years_reads_back),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(the_last_millisecond_before_1970_belongs_to_1969),
        cmocka_unit_test(dates_that_do_not_exist_are_not_valid),
        cmocka_unit_test(months_are_added_up_to_the_end_of_the_month),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

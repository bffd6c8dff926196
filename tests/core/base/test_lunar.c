/* test_lunar.c -- what lunar.h promises, one promise a test.
 *
 * The dates written out are those of public calendars.  For the rest, the moon
 * is the second opinion: its mean motion and the largest of the disturbances by
 * sun and earth give the time of a new moon to a few minutes.
 */
#include "core/base/lunar.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/moment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void falls_on(int year, int month, bool is_leap, int day, const char *date)
{
    struct lunar lunar = { year, month, is_leap, day };
    char text[MOMENT_TEXT_SIZE];
    int64_t days = 0;
    assert_int_equal(lunar_to_days(&lunar, &days, NULL), 0);
    moment_format(days * CIVIL_DAY_MS, text);
    text[10] = '\0';
    assert_string_equal(text, date);
}

static int leap_month_of(int year)
{
    int found = 0;
    for (int month = 1; month <= 12; month++) {
        int64_t ordinary = 0, leap = 0;
        struct lunar lunar = { year, month, false, 1 };
        assert_int_equal(lunar_to_days(&lunar, &ordinary, NULL), 0);
        lunar.is_leap = true;
        assert_int_equal(lunar_to_days(&lunar, &leap, NULL), 0);
        if (leap != ordinary)
            found = found == 0 ? month : -1;
    }
    return found;
}

static void spring_festival_begins_the_year(void **state)
{
    (void)state;
    falls_on(1985, 1, false, 1, "1985-02-20");
    falls_on(2023, 1, false, 1, "2023-01-22");
    falls_on(2024, 1, false, 1, "2024-02-10");
    falls_on(2025, 1, false, 1, "2025-01-29");
    falls_on(2026, 1, false, 1, "2026-02-17");
    falls_on(2027, 1, false, 1, "2027-02-06");
    falls_on(2034, 1, false, 1, "2034-02-19");
}

static void festivals_fall_where_calendars_print_them(void **state)
{
    (void)state;
    falls_on(2023, 8, false, 15, "2023-09-29");
    falls_on(2024, 8, false, 15, "2024-09-17");
    falls_on(2025, 8, false, 15, "2025-10-06");
    falls_on(2026, 8, false, 15, "2026-09-25");
    falls_on(2026, 5, false, 5, "2026-06-19");
    falls_on(2025, 12, false, 29, "2026-02-16");
}

static void leap_months_are_where_calendars_print_them(void **state)
{
    (void)state;
    static const int table[][2] = {
        { 1917, 2 }, { 1984, 10 }, { 2017, 6 }, { 2020, 4 }, { 2023, 2 },  { 2024, 0 },
        { 2025, 6 }, { 2026, 0 },  { 2028, 5 }, { 2031, 3 }, { 2033, 11 },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(leap_month_of(table[i][0]), table[i][1]);
    falls_on(2025, 6, false, 1, "2025-06-25");
    falls_on(2025, 6, true, 1, "2025-07-25");
    falls_on(2025, 7, false, 1, "2025-08-23");
}

static void what_a_year_lacks_moves_to_what_it_has(void **state)
{
    (void)state;
    falls_on(2025, 12, false, 30, "2026-02-16");
    falls_on(2024, 12, false, 30, "2025-01-28");
    falls_on(2026, 6, true, 8, "2026-07-21");
    falls_on(2026, 6, false, 8, "2026-07-21");
}

static void every_day_reads_back(void **state)
{
    (void)state;
    int64_t last = civil_days(LUNAR_YEAR_MAX, 12, 31);
    for (int64_t days = civil_days(LUNAR_YEAR_MIN, 3, 1); days <= last; days++) {
        struct lunar lunar;
        int64_t back = 0;
        assert_int_equal(lunar_from_days(days, &lunar, NULL), 0);
        assert_int_equal(lunar_to_days(&lunar, &back, NULL), 0);
        assert_true(back == days && lunar.day >= 1 && lunar.day <= 30 && lunar.month >= 1 &&
                    lunar.month <= 12);
    }
}

/* One day is followed by the next of the same month or the first of the next
 * month, and that is the same number again only if it is a leap month. */
static void every_day_follows_from_the_one_before(void **state)
{
    (void)state;
    struct lunar before, lunar;
    int64_t days = civil_days(LUNAR_YEAR_MIN, 3, 1);
    assert_int_equal(lunar_from_days(days, &before, NULL), 0);
    while (++days < civil_days(LUNAR_YEAR_MAX, 12, 31)) {
        assert_int_equal(lunar_from_days(days, &lunar, NULL), 0);
        if (lunar.day == 1) {
            assert_true(before.day >= 29);
            assert_int_equal(lunar.year, before.year + (lunar.month == 1 && before.month == 12));
            assert_int_equal(lunar.month, lunar.is_leap ? before.month : before.month % 12 + 1);
        } else {
            assert_int_equal(lunar.day, before.day + 1);
            assert_int_equal(lunar.month, before.month);
            assert_int_equal(lunar.is_leap, before.is_leap);
        }
        before = lunar;
    }
}

/* The k-th new moon since 2000, in days since 1970-01-01T00:00Z. */
static double new_moon(double k)
{
    const double degree = acos(-1.0) / 180, t = k / 1236.85;
    double e = 1 - 0.002516 * t;
    double sun = (2.5534 + 29.10535670 * k) * degree;
    double moon = (201.5643 + 385.81693528 * k + 0.0107582 * t * t) * degree;
    double node = (160.7108 + 390.67050284 * k - 0.0016118 * t * t) * degree;
    return 10962.59766 + 29.530588861 * k + 0.00015437 * t * t - 0.40720 * sin(moon) +
           0.17241 * e * sin(sun) + 0.01608 * sin(2 * moon) + 0.01039 * sin(2 * node) +
           0.00739 * e * sin(moon - sun) - 0.00514 * e * sin(moon + sun) +
           0.00208 * e * e * sin(2 * sun) - 0.00111 * sin(moon - 2 * node) -
           0.00057 * sin(moon + 2 * node) + 0.00056 * e * sin(2 * moon + sun) -
           0.00042 * sin(3 * moon) + 0.00042 * e * sin(sun + 2 * node) +
           0.00038 * e * sin(sun - 2 * node) - 0.00024 * e * sin(2 * moon - sun);
}

static void every_month_begins_with_the_new_moon(void **state)
{
    (void)state;
    const double tolerance = 8.0 / CIVIL_DAY_MINUTES, east = 8.0 / 24;
    int months = 0;
    for (int k = -1222; k < 1247; k++) {
        double moon = new_moon(k) + east;
        struct lunar early, late;
        assert_int_equal(lunar_from_days((int64_t)floor(moon - tolerance), &early, NULL), 0);
        assert_int_equal(lunar_from_days((int64_t)floor(moon + tolerance), &late, NULL), 0);
        assert_true(early.day == 1 || late.day == 1);
        months++;
    }
    assert_int_equal(months, 2469);
}

/* The longitude of the sun in units of 30 degrees at midnight in China. */
static double sun_sign(int64_t days)
{
    const double degree = acos(-1.0) / 180;
    double t = ((double)days - 8.0 / 24 - 10957.5) / 36525;
    double anomaly = (357.52911 + 35999.05029 * t) * degree;
    double node = (125.04 - 1934.136 * t) * degree;
    double longitude = 280.46646 + 36000.76983 * t - 0.00569 - 0.00478 * sin(node) +
                       (1.914602 - 0.004817 * t) * sin(anomaly) +
                       (0.019993 - 0.000101 * t) * sin(2 * anomaly) + 0.000289 * sin(3 * anomaly);
    return longitude / 30;
}

/* A month of which the sun enters no new sign may be a leap month; the month in
 * which it enters the tenth is the eleventh.  0.0003 is a quarter of an hour. */
static void months_are_numbered_by_the_sun(void **state)
{
    (void)state;
    for (int year = LUNAR_YEAR_MIN; year < LUNAR_YEAR_MAX; year++) {
        struct lunar lunar = { year, 11, false, 1 };
        int64_t days = 0;
        assert_int_equal(lunar_to_days(&lunar, &days, NULL), 0);
        double winter = 12 * floor(sun_sign(days + 30) / 12) + 9;
        assert_true(sun_sign(days) < winter + 0.0003);
        assert_true(sun_sign(days + 30) > winter - 0.0003);

        int leap = leap_month_of(year);
        if (leap == 0)
            continue;
        lunar = (struct lunar){ year, leap, true, 1 };
        assert_int_equal(lunar_to_days(&lunar, &days, NULL), 0);
        assert_true(floor(sun_sign(days) + 0.0003) == floor(sun_sign(days + 29) - 0.0003));
    }
}

static void the_moon_just_before_or_after_midnight_is_on_its_own_day(void **state)
{
    (void)state;
    falls_on(1987, 8, false, 1, "1987-09-23");
    falls_on(2012, 7, false, 1, "2012-08-17");
    falls_on(2018, 10, false, 1, "2018-11-08");
    falls_on(2027, 1, false, 1, "2027-02-06");
    falls_on(2030, 1, false, 1, "2030-02-03");
    falls_on(2057, 9, false, 1, "2057-09-29");
}

static void refuses_what_lies_outside(void **state)
{
    (void)state;
    struct lunar lunar = { LUNAR_YEAR_MAX + 1, 1, false, 1 };
    int64_t days = 77;
    assert_int_equal(lunar_to_days(&lunar, &days, NULL), E_LIMIT);
    assert_int_equal(lunar_to_days(&(struct lunar){ 2026, 13, false, 1 }, &days, NULL), E_INVALID);
    assert_int_equal(lunar_to_days(&(struct lunar){ 2026, 1, false, 31 }, &days, NULL), E_INVALID);
    assert_int_equal(lunar_from_days(civil_days(1900, 12, 31), &lunar, NULL), E_LIMIT);
    assert_int_equal(lunar_from_days(civil_days(1901, 2, 18), &lunar, NULL), E_LIMIT);
    assert_int_equal(lunar_from_days(civil_days(2101, 1, 1), &lunar, NULL), E_LIMIT);
    assert_int_equal(lunar_from_days(INT64_MAX, &lunar, NULL), E_LIMIT);
    assert_int_equal(lunar_from_days(INT64_MIN, &lunar, NULL), E_LIMIT);
    assert_true(days == 77 && lunar.year == LUNAR_YEAR_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spring_festival_begins_the_year),
        cmocka_unit_test(festivals_fall_where_calendars_print_them),
        cmocka_unit_test(leap_months_are_where_calendars_print_them),
        cmocka_unit_test(what_a_year_lacks_moves_to_what_it_has),
        cmocka_unit_test(every_day_reads_back),
        cmocka_unit_test(every_day_follows_from_the_one_before),
        cmocka_unit_test(every_month_begins_with_the_new_moon),
        cmocka_unit_test(months_are_numbered_by_the_sun),
        cmocka_unit_test(the_moon_just_before_or_after_midnight_is_on_its_own_day),
        cmocka_unit_test(refuses_what_lies_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_yearly.c -- what yearly.h promises, one promise a test. */
#include "core/base/yearly.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/moment.h"
#include "core/base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define AT_NINE (9 * 60)

static const struct zone *open_zone(const char *name)
{
    const struct zone *zone = NULL;
    assert_int_equal(zone_open(name, &zone, NULL), 0);
    return zone;
}

static int64_t ms_of(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(moment_parse(text, strlen(text), &ms, NULL), 0);
    return ms;
}

static int64_t days_of(const char *text)
{
    return ms_of(text) / CIVIL_DAY_MS;
}

/* After the instant `after`, what began on `date` returns first at `next`. */
static void returns(const char *zone, enum yearly_calendar calendar, const char *date,
                    int at_minute, const char *after, const char *next)
{
    char text[MOMENT_TEXT_SIZE];
    struct err err = { 0 };
    int64_t ms = 0;
    if (yearly_next(open_zone(zone), calendar, days_of(date), at_minute, ms_of(after), &ms, &err) !=
        0)
        fail_msg("%s", err.text);
    moment_format(ms, text);
    text[16] = '\0';
    assert_string_equal(text, next);
}

static void gregorian(const char *date, const char *after, const char *next)
{
    returns("Europe/Berlin", YEARLY_GREGORIAN, date, AT_NINE, after, next);
}

static void chinese(const char *date, const char *after, const char *next)
{
    returns("Asia/Shanghai", YEARLY_CHINESE, date, AT_NINE, after, next);
}

static void a_birthday_returns_at_its_hour_in_the_zone(void **state)
{
    (void)state;
    gregorian("1990-07-01", "2026-01-01", "2026-07-01T07:00");
    gregorian("1990-01-15", "2026-01-01", "2026-01-15T08:00");
    gregorian("1990-01-15", "2026-06-01", "2027-01-15T08:00");
    returns("America/New_York", YEARLY_GREGORIAN, "1990-12-31", 1439, "2026-06-01",
            "2027-01-01T04:59");
    returns("Pacific/Kiritimati", YEARLY_GREGORIAN, "1990-01-01", 0, "2026-06-01",
            "2026-12-31T10:00");
}

static void next_means_strictly_after(void **state)
{
    (void)state;
    gregorian("1990-07-01", "2026-07-01T06:59:59.999Z", "2026-07-01T07:00");
    gregorian("1990-07-01", "2026-07-01T07:00Z", "2027-07-01T07:00");
    chinese("1990-10-03", "2026-09-25T00:59Z", "2026-09-25T01:00");
    chinese("1990-10-03", "2026-09-25T01:00Z", "2027-09-15T01:00");
}

static void nobody_has_a_birthday_before_birth(void **state)
{
    (void)state;
    gregorian("2030-07-01", "2026-01-01", "2030-07-01T07:00");
    gregorian("2026-07-01", "2026-07-01T12:00Z", "2027-07-01T07:00");
    chinese("2030-07-01", "2026-01-01", "2030-07-01T01:00");
}

static void the_29th_of_february_is_the_28th_in_common_years(void **state)
{
    (void)state;
    gregorian("2000-02-29", "2026-01-01", "2026-02-28T08:00");
    gregorian("2000-02-29", "2026-02-28T08:00Z", "2027-02-28T08:00");
    gregorian("2000-02-29", "2028-01-01", "2028-02-29T08:00");
    gregorian("2000-02-29", "2028-02-28T12:00Z", "2028-02-29T08:00");
}

static void a_gap_of_the_clock_is_resolved_forward(void **state)
{
    (void)state;
    returns("Europe/Berlin", YEARLY_GREGORIAN, "1990-03-29", 150, "2026-01-01", "2026-03-29T01:00");
    returns("Europe/Berlin", YEARLY_GREGORIAN, "1990-10-25", 150, "2026-01-01", "2026-10-25T01:30");
}

static void a_chinese_birthday_follows_the_moon(void **state)
{
    (void)state;
    chinese("1990-10-03", "2025-01-01", "2025-10-06T01:00");
    chinese("1990-10-03", "2026-01-01", "2026-09-25T01:00");
    chinese("1985-02-20", "2024-01-01", "2024-02-10T01:00");
    chinese("1985-02-20", "2025-02-01", "2026-02-17T01:00");
    chinese("1985-02-20", "2026-12-01", "2027-02-06T01:00");
}

/* The twelfth month lies in January or February of the following year, so that
 * one Gregorian year may see two such birthdays, or none. */
static void a_birthday_at_the_end_of_the_lunar_year_is_not_lost(void **state)
{
    (void)state;
    chinese("2025-01-28", "2025-06-01", "2026-02-16T01:00");
    chinese("2025-01-28", "2026-02-16T01:00Z", "2027-02-05T01:00");
}

static void born_in_a_leap_month_is_kept_in_it_when_it_returns(void **state)
{
    (void)state;
    chinese("2025-08-01", "2025-08-02", "2026-07-21T01:00");
    chinese("2025-08-01", "2036-01-01", "2036-07-30T01:00");
    chinese("2017-07-30", "2025-01-01", "2025-08-01T01:00");
    chinese("2023-03-22", "2024-01-01", "2024-03-10T01:00");
}

static void born_in_an_ordinary_month_is_never_kept_in_a_leap_month(void **state)
{
    (void)state;
    chinese("2026-07-21", "2036-01-01", "2036-07-01T01:00");
    chinese("2016-07-11", "2025-01-01", "2025-07-02T01:00");
    chinese("2016-07-11", "2025-07-03", "2026-07-21T01:00");
}

static void day_30_is_day_29_of_a_short_month(void **state)
{
    (void)state;
    chinese("2024-02-09", "2025-01-01", "2025-01-28T01:00");
    chinese("2024-02-09", "2026-01-01", "2026-02-16T01:00");
}

/* From one return to the next it is a year, of the moon or of the sun. */
static void returns_once_in_every_year(void **state)
{
    (void)state;
    const struct zone *zone = open_zone("Asia/Shanghai");
    for (int64_t date = days_of("1984-02-02"); date < days_of("1986-03-01"); date += 5) {
        int64_t ms = date * CIVIL_DAY_MS + CIVIL_DAY_MS, next_ms = 0;
        for (int i = 0; i < 60; i++, ms = next_ms) {
            assert_int_equal(yearly_next(zone, YEARLY_CHINESE, date, 0, ms, &next_ms, NULL), 0);
            int64_t days = (next_ms - ms) / CIVIL_DAY_MS;
            assert_true(i == 0 || (days >= 323 && days <= 414));
        }
        assert_int_equal(yearly_next(zone, YEARLY_GREGORIAN, date, 0, ms, &next_ms, NULL), 0);
        assert_true(next_ms - ms <= 366 * CIVIL_DAY_MS);
    }
}

static void refuses_what_lies_outside(void **state)
{
    (void)state;
    const struct zone *zone = open_zone("UTC");
    int64_t ms = 77, date = days_of("1990-07-01");
    assert_int_equal(yearly_next(zone, YEARLY_GREGORIAN, date, 1440, 0, &ms, NULL), E_INVALID);
    assert_int_equal(yearly_next(zone, YEARLY_GREGORIAN, date, -1, 0, &ms, NULL), E_INVALID);
    assert_int_equal(yearly_next(zone, YEARLY_GREGORIAN, date, 0, CIVIL_MS_MAX, &ms, NULL),
                     E_LIMIT);
    assert_int_equal(yearly_next(zone, YEARLY_GREGORIAN, INT64_MAX, 0, 0, &ms, NULL), E_LIMIT);
    assert_int_equal(yearly_next(zone, YEARLY_CHINESE, days_of("1700-01-01"), 0, 0, &ms, NULL),
                     E_LIMIT);
    assert_int_equal(yearly_next(zone, YEARLY_CHINESE, date, 0, ms_of("2200-01-01"), &ms, NULL),
                     E_LIMIT);
    assert_true(ms == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_birthday_returns_at_its_hour_in_the_zone),
        cmocka_unit_test(next_means_strictly_after),
        cmocka_unit_test(nobody_has_a_birthday_before_birth),
        cmocka_unit_test(the_29th_of_february_is_the_28th_in_common_years),
        cmocka_unit_test(a_gap_of_the_clock_is_resolved_forward),
        cmocka_unit_test(a_chinese_birthday_follows_the_moon),
        cmocka_unit_test(a_birthday_at_the_end_of_the_lunar_year_is_not_lost),
        cmocka_unit_test(born_in_a_leap_month_is_kept_in_it_when_it_returns),
        cmocka_unit_test(born_in_an_ordinary_month_is_never_kept_in_a_leap_month),
        cmocka_unit_test(day_30_is_day_29_of_a_short_month),
        cmocka_unit_test(returns_once_in_every_year),
        cmocka_unit_test(refuses_what_lies_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_moment.c -- what moment.h promises, one promise a test. */
#include "core/base/moment.h"

#include "core/base/civil.h"
#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOVEMBER INT64_C(1795219200000) /* 2026-11-21T00:00:00Z */
#define MORNING (NOVEMBER + 36672345)   /* 10:11:12.345 */

static void reads(const char *text, int64_t ms)
{
    int64_t out_ms = 0;
    struct err err = { 0 };
    if (moment_parse(text, strlen(text), &out_ms, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(out_ms == ms);
}

static void refuses(const char *text, const char *reason)
{
    int64_t ms = 77;
    struct err err = { 0 };
    assert_int_equal(moment_parse(text, strlen(text), &ms, &err), E_INVALID);
    assert_true(ms == 77);
    if (strstr(err.text, reason) == NULL)
        assert_string_equal(err.text, reason);
}

static void reads_the_forms_that_systems_send(void **state)
{
    (void)state;
    reads("2026-11-21T10:11:12.345Z", MORNING);
    reads("2026-11-21T11:11:12.345+01:00", MORNING);
    reads("2026-11-21T11:11:12.345+0100", MORNING);
    reads("2026-11-21T11:11:12.345+01", MORNING);
    reads("2026-11-21T04:41:12.345-05:30", MORNING);
    reads("2026-11-21t10:11:12,345z", MORNING);
    reads("2026-11-21 10:11:12.345", MORNING);
    reads("2026-11-21T10:11:12Z", MORNING - 345);
    reads("2026-11-21T10:11Z", MORNING - 12345);
    reads("2026-11-21T10:11", MORNING - 12345);
    reads("2026-11-21T10:11+0000", MORNING - 12345);
    reads("2026-11-21", NOVEMBER);
    reads("2026-11-20T23:00:00-01:00", NOVEMBER);
    reads("1970-01-01T00:00:00Z", 0);
    reads("1969-12-31T23:59:59.999Z", -1);
}

static void cuts_a_fraction_below_the_millisecond(void **state)
{
    (void)state;
    reads("2026-11-21T10:11:12.3Z", MORNING - 45);
    reads("2026-11-21T10:11:12.34Z", MORNING - 5);
    reads("2026-11-21T10:11:12.3459999999999999999999999999999999999999999Z", MORNING);
    reads("2026-11-21T23:59:59.9999999Z", NOVEMBER + CIVIL_DAY_MS - 1);
    refuses("2026-11-21T10:11:12.Z", "column 21: expected digits of a fraction");
}

static void a_leap_second_is_the_last_millisecond_of_its_minute(void **state)
{
    (void)state;
    reads("2016-12-31T23:59:60Z", INT64_C(1483228799999));
    reads("2016-12-31T23:59:60.5Z", INT64_C(1483228799999));
    refuses("2016-12-31T23:59:61Z", "column 18: expected a second");
}

static void leap_days_exist_in_leap_years_only(void **state)
{
    (void)state;
    reads("2024-02-29", INT64_C(1709164800000));
    reads("2000-02-29", INT64_C(951782400000));
    refuses("2023-02-29", "column 9: expected a day that this month has");
    refuses("1900-02-29", "column 9: expected a day that this month has");
}

static void reads_the_years_1_to_9999(void **state)
{
    (void)state;
    reads("0001-01-01T00:00:00Z", CIVIL_MS_MIN);
    reads("9999-12-31T23:59:59.999Z", CIVIL_MS_MAX);
    refuses("0000-12-31", "a year of four digits");
    refuses("0001-01-01T00:00:00+01:00", "within the years 1 to 9999");
    refuses("9999-12-31T23:59:59-01:00", "within the years 1 to 9999");
}

static void names_the_column_and_what_belongs_there(void **state)
{
    (void)state;
    refuses("", "time \"\", column 1: expected a year");
    refuses("21.11.2026", "column 3: expected a year");
    refuses("202", "column 3: expected a year");
    refuses("2026-13-01", "column 6: expected a month, 01 to 12");
    refuses("2026-00-01", "column 6: expected a month, 01 to 12");
    refuses("2026-1-1", "column 6: expected a month");
    refuses("2026-11-00", "column 9: expected a day");
    refuses("2026-11-31", "column 9: expected a day");
    refuses("20261121", "column 5: expected \"-\"");
    refuses("2026-W47-6", "column 6: expected a month");
    refuses("2026-11-21X10:11", "column 11: expected \"T\"");
    refuses("2026-11-21T", "column 12: expected an hour");
    refuses("2026-11-21T24:00:00Z", "column 12: expected an hour, 00 to 23 (24:00 is");
    refuses("2026-11-21T10", "column 14: expected \":\"");
    refuses("2026-11-21T10:60Z", "column 15: expected a minute");
    refuses("2026-11-21T10:11:12 Z", "column 20: expected an offset");
    refuses("2026-11-21T10:11:12+1", "column 21: expected hours of an offset");
    refuses("2026-11-21T10:11:12+24:00", "column 21: expected hours of an offset");
    refuses("2026-11-21T10:11:12+01:", "column 24: expected minutes of an offset");
    refuses("2026-11-21T10:11:12+01:60", "column 24: expected minutes of an offset");
    refuses("2026-11-21T10:11:12Zulu", "column 21: expected the end of the text");
}

static void tells_who_cares_whether_an_offset_was_given(void **state)
{
    (void)state;
    int64_t ms = 0;
    bool has_offset = true;
    assert_int_equal(moment_parse_loose("2026-11-21T10:11", 16, &ms, &has_offset, NULL), 0);
    assert_false(has_offset);
    assert_int_equal(moment_parse_loose("2026-11-21", 10, &ms, &has_offset, NULL), 0);
    assert_false(has_offset);
    assert_int_equal(moment_parse_loose("2026-11-21T10:11Z", 17, &ms, &has_offset, NULL), 0);
    assert_true(has_offset);
}

static void a_bare_date_is_a_number_of_days(void **state)
{
    (void)state;
    int64_t days = 77;
    assert_int_equal(moment_parse_date("2026-11-21", 10, &days, NULL), 0);
    assert_true(days == NOVEMBER / CIVIL_DAY_MS);
    assert_int_equal(moment_parse_date("1969-12-31", 10, &days, NULL), 0);
    assert_true(days == -1);
    assert_int_equal(moment_parse_date("2026-11-21T10:11", 16, &days, NULL), E_INVALID);
    assert_true(days == -1);
}

static void reads_no_byte_behind_the_size(void **state)
{
    (void)state;
    static const char text[] = "2026-11-21T10:11:12.345+01:00";
    int64_t ms = 0;
    for (size_t size = 0; size < sizeof text; size++) {
        char *copy = test_malloc(size + 1);
        memcpy(copy + 1, text, size);
        moment_parse(copy + 1, size, &ms, NULL);
        test_free(copy);
    }
    assert_int_equal(moment_parse("2026-11-21Txx", 10, &ms, NULL), 0);
    assert_true(ms == NOVEMBER);
}

static void reads_every_instant_that_it_writes(void **state)
{
    (void)state;
    char text[MOMENT_TEXT_SIZE];
    moment_format(MORNING, text);
    assert_string_equal(text, "2026-11-21T10:11:12.345Z");
    moment_format(CIVIL_MS_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000Z");
    moment_format(CIVIL_MS_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    for (int64_t ms = CIVIL_MS_MIN; ms <= CIVIL_MS_MAX; ms += INT64_C(7919001237)) {
        moment_format(ms, text);
        reads(text, ms);
    }
}

static void a_time_of_day_is_five_characters(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",      "9:00",  "09:0",  "09:000", "24:00", "23:60",
                                         "0900 ", "-1:00", "0a:00", "09;00",  " 9:00" };
    int minute = -1;
    assert_true(moment_parse_clock("00:00", 5, &minute));
    assert_int_equal(minute, 0);
    assert_true(moment_parse_clock("23:59", 5, &minute));
    assert_int_equal(minute, 1439);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(moment_parse_clock(wrong[i], strlen(wrong[i]), &minute));
    assert_int_equal(minute, 1439);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_forms_that_systems_send),
        cmocka_unit_test(cuts_a_fraction_below_the_millisecond),
        cmocka_unit_test(a_leap_second_is_the_last_millisecond_of_its_minute),
        cmocka_unit_test(leap_days_exist_in_leap_years_only),
        cmocka_unit_test(reads_the_years_1_to_9999),
        cmocka_unit_test(names_the_column_and_what_belongs_there),
        cmocka_unit_test(tells_who_cares_whether_an_offset_was_given),
        cmocka_unit_test(a_bare_date_is_a_number_of_days),
        cmocka_unit_test(reads_no_byte_behind_the_size),
        cmocka_unit_test(reads_every_instant_that_it_writes),
        cmocka_unit_test(a_time_of_day_is_five_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

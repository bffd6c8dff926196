/* test_when.c -- what when.h promises of dates, times and durations. */
#include "plugins/followup/when.h"

#include "plugins/followup/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int64_t time_of(const char *text)
{
    int64_t ms = -1;
    bool is_utc = false;
    assert_true(when_read_time(text, strlen(text), &ms, &is_utc));
    return ms;
}

static void assert_written(struct when when, const char *expected)
{
    struct buffer buffer = { 0 };
    when_write(&buffer, when);
    assert_string_equal(buffer_string(&buffer), expected);
    buffer_deinit(&buffer);
}

static void known_moments_are_read(void **state)
{
    (void)state;
    assert_int_equal(time_of("19700101T000000Z"), 0);
    assert_int_equal(time_of("20000229T235959"), INT64_C(951868799000));
    assert_int_equal(time_of("20270301T080000Z"), INT64_C(1803888000000));
    assert_int_equal(time_of("00010101T000000Z"), WHEN_MS_MIN);
    assert_int_equal(time_of("20161231T235960Z"), time_of("20161231T235959Z"));
}

static void every_day_of_nine_thousand_years_is_written_as_it_was_read(void **state)
{
    (void)state;
    struct buffer buffer = { 0 };
    for (int64_t ms = WHEN_MS_MIN; ms < WHEN_MS_MAX; ms += WHEN_DAY_MS) {
        int64_t back = 0;
        buffer.size = 0;
        when_write(&buffer, (struct when){ WHEN_DATE, ms });
        assert_true(when_read_date(buffer.data, buffer.size, &back));
        assert_int_equal(back, ms);
    }
    buffer_deinit(&buffer);
}

static void what_no_calendar_has_is_refused(void **state)
{
    (void)state;
    static const char *const dates[] = { "20270229", "21000229", "20271301", "20270100",
                                         "20270132", "00000101", "2027010",  "202701011",
                                         "2027-1-1", "" };
    static const char *const times[] = { "20270301T240000Z", "20270301T236000",  "20270301T235961Z",
                                         "20270301 080000",  "20270301T0800",    "20270301T080000X",
                                         "20270229T080000Z", "20270301T080000ZZ" };
    int64_t ms = 7;
    bool is_utc = false;
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++)
        assert_false(when_read_date(dates[i], strlen(dates[i]), &ms));
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_false(when_read_time(times[i], strlen(times[i]), &ms, &is_utc));
    assert_int_equal(ms, 7);
}

static void a_local_time_is_told_from_a_moment(void **state)
{
    (void)state;
    int64_t ms = 0;
    bool is_utc = true;
    assert_true(when_read_time("20270301T080000", 15, &ms, &is_utc));
    assert_false(is_utc);
    assert_true(when_read_time("20270301T080000Z", 16, &ms, &is_utc));
    assert_true(is_utc);
}

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = { { "P1W", 604800 },  { "P15DT5H0M20S", 1314020 },
                 { "-PT15M", -900 }, { "+PT1H", 3600 },
                 { "P1D", 86400 },   { "PT0S", 0 } };
    static const char *const wrong[] = { "",     "P",  "PT",   "1D",          "P1",   "P1H",
                                         "PT1D", "PD", "P1DT", "P123456789D", "P1D ", "PTT1S" };
    int64_t ms = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(when_read_duration(rows[i].text, strlen(rows[i].text), &ms));
        assert_int_equal(ms, rows[i].seconds * 1000);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(when_read_duration(wrong[i], strlen(wrong[i]), &ms));
}

static void what_four_digits_cannot_say_is_the_nearest_they_can(void **state)
{
    (void)state;
    assert_written((struct when){ WHEN_TIME, INT64_MAX }, "99991231T235959Z");
    assert_written((struct when){ WHEN_DATE, INT64_MIN }, "00010101");
    assert_written((struct when){ WHEN_TIME, -1 }, "19691231T235959Z");
    assert_written((struct when){ WHEN_NONE, 5 }, "");
}

static void http_has_its_own_form(void **state)
{
    (void)state;
    struct buffer buffer = { 0 };
    when_write_http(&buffer, time_of("19941106T084937Z"));
    assert_string_equal(buffer_string(&buffer), "Sun, 06 Nov 1994 08:49:37 GMT");
    buffer_deinit(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_are_read),
        cmocka_unit_test(every_day_of_nine_thousand_years_is_written_as_it_was_read),
        cmocka_unit_test(what_no_calendar_has_is_refused),
        cmocka_unit_test(a_local_time_is_told_from_a_moment),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(what_four_digits_cannot_say_is_the_nearest_they_can),
        cmocka_unit_test(http_has_its_own_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_duration.c -- what duration.h promises, one promise a test. */
#include "core/base/duration.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void reads(const char *text, int64_t count, enum duration_unit unit)
{
    struct duration duration = { 0, DURATION_SECONDS };
    assert_int_equal(duration_parse(text, strlen(text), &duration, NULL), 0);
    assert_true(duration.count == count);
    assert_int_equal(duration.unit, unit);
}

/* The reason for refusing `text` ends in `ending`, and nothing was written. */
static void refuses(const char *text, int code, const char *ending)
{
    struct duration duration = { 77, DURATION_WEEKS };
    struct err err = { 0 };
    assert_int_equal(duration_parse(text, strlen(text), &duration, &err), code);
    assert_int_equal(duration.count, 77);
    if (strlen(err.text) < strlen(ending) ||
        strcmp(err.text + strlen(err.text) - strlen(ending), ending) != 0)
        assert_string_equal(err.text, ending);
}

static void reads_a_whole_number_and_one_of_nine_units(void **state)
{
    (void)state;
    reads("45s", 45, DURATION_SECONDS);
    reads("30min", 30, DURATION_MINUTES);
    reads("2h", 2, DURATION_HOURS);
    reads("-30d", -30, DURATION_DAYS);
    reads("1w", 1, DURATION_WEEKS);
    reads("18mo", 18, DURATION_MONTHS);
    reads("3y", 3, DURATION_YEARS);
    reads("2wd", 2, DURATION_WORKDAYS);
    reads("8wh", 8, DURATION_WORKHOURS);
    reads("0d", 0, DURATION_DAYS);
    reads("-0d", 0, DURATION_DAYS);
    reads("090d", 90, DURATION_DAYS);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "45s",  "-30min", "2h",       "-36525d", "5217w",        "-1200mo",
        "100y", "2wd",    "876600wh", "0d",      "-3155760000s",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct duration duration;
        char text[DURATION_TEXT_SIZE];
        assert_int_equal(duration_parse(texts[i], strlen(texts[i]), &duration, NULL), 0);
        duration_format(duration, text);
        assert_string_equal(text, texts[i]);
    }
}

static void names_the_whole_number_nearest_to_a_fraction(void **state)
{
    (void)state;
    refuses("1.5h", E_INVALID, "\"1.5h\" is no duration: write \"90min\"");
    refuses("-1,25h", E_INVALID, "write \"-75min\"");
    refuses("0.5d", E_INVALID, "write \"12h\"");
    refuses("1.5w", E_INVALID, "write \"252h\"");
    refuses("2.0w", E_INVALID, "write \"2w\"");
    refuses("1.5y", E_INVALID, "write \"18mo\"");
    refuses("1.5mo", E_INVALID, "write \"2mo\"");
    refuses("1.5wd", E_INVALID, "write \"2wd\"");
    refuses("0.333h", E_INVALID, "write \"1h\"");
}

static void names_the_unit_that_was_meant(void **state)
{
    (void)state;
    refuses("90 days", E_INVALID, "write \"90d\"");
    refuses("+5D", E_INVALID, "write \"5d\"");
    refuses("2 Weeks ", E_INVALID, "write \"2w\"");
    refuses("3workdays", E_INVALID, "write \"3wd\"");
    refuses("5m", E_INVALID, "write \"5min\" for minutes or \"5mo\" for months");
}

static void says_what_a_duration_is_when_it_cannot_guess(void **state)
{
    (void)state;
    refuses("", E_INVALID, "such as \"90d\"");
    refuses("d", E_INVALID, "such as \"90d\"");
    refuses("90", E_INVALID, "such as \"90d\"");
    refuses("1h30min", E_INVALID, "such as \"90d\"");
    refuses("--1d", E_INVALID, "such as \"90d\"");
    refuses("9999999999999999999999d", E_INVALID, "such as \"90d\"");
    refuses("P30D", E_INVALID, "such as \"90d\"");
}

static void reads_all_of_the_text_and_no_more(void **state)
{
    (void)state;
    struct duration duration;
    assert_int_equal(duration_parse("90dx", 3, &duration, NULL), 0);
    assert_int_equal(duration_parse("90d\0", 4, &duration, NULL), E_INVALID);
    assert_int_equal(duration_parse("90dx", 4, &duration, NULL), E_INVALID);
}

static void refuses_more_than_a_hundred_years(void **state)
{
    (void)state;
    reads("100y", 100, DURATION_YEARS);
    reads("36525d", 36525, DURATION_DAYS);
    refuses("101y", E_LIMIT, "the limit is 100y, which is 100 years");
    refuses("-36526d", E_LIMIT, "the limit is 36525d, which is 100 years");
    refuses("3155760001s", E_LIMIT, "100 years");
    assert_int_equal(duration_check((struct duration){ 1, (enum duration_unit)9 }, NULL),
                     E_INVALID);
    assert_int_equal(duration_check((struct duration){ INT64_MIN, DURATION_HOURS }, NULL), E_LIMIT);
}

static void only_seconds_minutes_and_hours_are_elapsed_time(void **state)
{
    (void)state;
    for (int unit = DURATION_SECONDS; unit <= DURATION_WORKHOURS; unit++)
        assert_int_equal(duration_is_elapsed((struct duration){ 1, (enum duration_unit)unit }),
                         unit <= DURATION_HOURS);
    assert_true(duration_elapsed_ms((struct duration){ -2, DURATION_HOURS }) == -7200000);
    assert_true(duration_elapsed_ms((struct duration){ 3, DURATION_MINUTES }) == 180000);
    assert_true(duration_elapsed_ms((struct duration){ 4, DURATION_SECONDS }) == 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_number_and_one_of_nine_units),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(names_the_whole_number_nearest_to_a_fraction),
        cmocka_unit_test(names_the_unit_that_was_meant),
        cmocka_unit_test(says_what_a_duration_is_when_it_cannot_guess),
        cmocka_unit_test(reads_all_of_the_text_and_no_more),
        cmocka_unit_test(refuses_more_than_a_hundred_years),
        cmocka_unit_test(only_seconds_minutes_and_hours_are_elapsed_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

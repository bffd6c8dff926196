/* test_zone_rule.c -- what zone_rule.h promises, one promise a test. */
#include "core/base/zone_rule.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/moment.h"
#include "core/base/zone_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int64_t ms_of(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(moment_parse(text, strlen(text), &ms, NULL), 0);
    return ms;
}

/* A copy of exactly its size, so that a sanitizer sees who reads on. */
static int parse(const char *text, size_t size, struct zone_rule *out_rule, struct err *err)
{
    char *copy = mem_copy(text, size);
    int rc = zone_rule_parse(copy, size, out_rule, err);
    free(copy);
    return rc;
}

static struct zone_rule rule_of(const char *text)
{
    struct zone_rule rule = { 0 };
    struct err err = { 0 };
    if (parse(text, strlen(text), &rule, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return rule;
}

/* The first changes after an instant, with their offsets in minutes. */
static void list(const char *text, const char *after, size_t count_max, struct buf *out)
{
    struct zone_rule rule = rule_of(text);
    struct buf table = BUF_INIT;
    zone_rule_append(&rule, ms_of(after), &table);
    const struct zone_change *changes = (const void *)table.data;
    for (size_t i = 0; i < table.size / sizeof *changes && i < count_max; i++) {
        char moment[MOMENT_TEXT_SIZE];
        moment_format(changes[i].at_ms, moment);
        buf_printf(out, "%s%.16sZ %+d", i == 0 ? "" : " ", moment,
                   (int)(changes[i].offset_ms / CIVIL_MINUTE_MS));
    }
    buf_deinit(&table);
}

static void is_all(const char *text, const char *after, const char *wanted)
{
    struct buf found = BUF_INIT;
    list(text, after, SIZE_MAX, &found);
    assert_string_equal(buf_string(&found), wanted);
    buf_deinit(&found);
}

/* As many of them as `wanted` has. */
static void changes(const char *text, const char *after, const char *wanted)
{
    struct buf found = BUF_INIT;
    size_t count = 0;
    for (const char *at = strchr(wanted, 'Z'); at != NULL; at = strchr(at + 1, 'Z'))
        count++;
    list(text, after, count, &found);
    assert_string_equal(buf_string(&found), wanted);
    buf_deinit(&found);
}

static void a_weekday_is_counted_in_its_month(void **state)
{
    (void)state;
    changes("CET-1CEST,M3.5.0,M10.5.0/3", "2026-01-01",
            "2026-03-29T01:00Z +120 2026-10-25T01:00Z +60 2027-03-28T01:00Z +120");
    changes("EST5EDT,M3.2.0,M11.1.0", "2026-06-01",
            "2026-11-01T06:00Z -300 2027-03-14T07:00Z -240");
    changes("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01",
            "2026-04-04T16:00Z +600 2026-10-03T16:00Z +660");
    changes("AAA0BBB,M2.1.0/0,M2.5.6/0", "2026-01-01",
            "2026-02-01T00:00Z +60 2026-02-27T23:00Z +0 2027-02-07T00:00Z +60");
    changes("AAA0BBB,M2.4.4/0,M2.5.4/0", "2024-01-01",
            "2024-02-22T00:00Z +60 2024-02-28T23:00Z +0");
}

static void a_day_of_the_year_counts_the_leap_day_only_without_a_j(void **state)
{
    (void)state;
    changes("AAA0BBB,J59/0,J60/1", "2024-01-01", "2024-02-28T00:00Z +60 2024-03-01T00:00Z +0");
    changes("AAA0BBB,J59/0,J60/1", "2026-01-01", "2026-02-28T00:00Z +60 2026-03-01T00:00Z +0");
    changes("AAA0BBB,58/0,60/1", "2024-01-01", "2024-02-28T00:00Z +60 2024-03-01T00:00Z +0");
    changes("AAA0BBB,58/0,60/1", "2026-01-01", "2026-02-28T00:00Z +60 2026-03-02T00:00Z +0");
    changes("AAA0BBB,J1/0,J365/1", "2024-01-02",
            "2024-12-31T00:00Z +0 2025-01-01T00:00Z +60 2025-12-31T00:00Z +0");
    changes("AAA0BBB,0/0,365/1", "2024-01-02", "2024-12-31T00:00Z +0 2025-01-01T00:00Z +60");
}

static void hours_reach_a_week_either_way(void **state)
{
    (void)state;
    changes("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-01-01",
            "2026-03-29T01:00Z -60 2026-10-25T01:00Z -120");
    changes("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-01-01",
            "2026-03-28T00:00Z +180 2026-10-23T23:00Z +120");
    changes("AAA0BBB,M6.1.1/-167,M7.1.1/167", "2026-01-01",
            "2026-05-25T01:00Z +60 2026-07-12T22:00Z +0");
    changes("<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", "2026-01-01",
            "2026-04-04T14:00Z +765 2026-09-26T14:00Z +825");
}

/* The end of 2026 comes in January 2027, behind the beginning of 2027. */
static void changes_are_in_order_even_when_the_years_overlap(void **state)
{
    (void)state;
    changes("AAA0BBB,M1.1.1/-167,M12.5.1/167", "2026-01-05",
            "2026-12-28T01:00Z +60 2027-01-03T22:00Z +0 2027-12-27T01:00Z +60");
}

static void summer_time_may_be_behind_and_of_any_size(void **state)
{
    (void)state;
    changes("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01",
            "2026-03-29T01:00Z +60 2026-10-25T01:00Z +0");
    changes("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-01-01",
            "2026-04-04T15:00Z +630 2026-10-03T15:30Z +660");
}

/* It begins once and then never ends. */
static void summer_time_may_last_for_ever(void **state)
{
    (void)state;
    is_all("XXX3EDT4,0/0,J365/23", "1999-06-01", "2000-01-01T03:00Z -240");
    is_all("AAA0BBB,J1/0,J365/25", "1999-06-01", "2000-01-01T00:00Z +60");
}

static void without_summer_time_nothing_changes(void **state)
{
    (void)state;
    is_all("<+0330>-3:30", "1999-01-01", "");
    assert_int_equal(rule_of("<+0330>-3:30").standard_ms, 210 * CIVIL_MINUTE_MS);
    assert_int_equal(rule_of("<-0030>+0:30").standard_ms, -30 * CIVIL_MINUTE_MS);
    assert_int_equal(rule_of("ChST-10").standard_ms, 10 * CIVIL_HOUR_MS);
    assert_int_equal(rule_of("LMT-24:59:59").standard_ms, 25 * CIVIL_HOUR_MS - CIVIL_SECOND_MS);
    assert_int_equal(rule_of("AAA0").standard_ms, 0);
}

static void the_list_ends_with_the_table(void **state)
{
    (void)state;
    is_all("CET-1CEST,M3.5.0,M10.5.0/3", "2499-06-01", "2499-10-25T01:00Z +60");
    is_all("CET-1CEST,M3.5.0,M10.5.0/3", "2500-06-01", "");
    is_all("CET-1CEST,M3.5.0,M10.5.0/3", "9999-06-01", "");
}

/* As a zone has it whose file lists no change at all. */
static void the_list_may_begin_before_the_calendar(void **state)
{
    (void)state;
    struct zone_rule rule = rule_of("CET-1CEST,M3.5.0,M10.5.0/3");
    struct buf table = BUF_INIT;
    zone_rule_append(&rule, INT64_MIN, &table);
    const struct zone_change *first = (const void *)table.data;
    assert_true(first->at_ms < CIVIL_MS_MIN);
    assert_true(zone_table_ascends(&table));
    buf_deinit(&table);
}

static void refuses_what_is_no_rule(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } table[] = {
        { "", "a name of three letters or more expected in column 1" },
        { ":CET-1", "a name" },
        { "CE-1", "a name of three letters or more expected in column 3" },
        { "<+3>-3", "a name" },
        { "<+03-3", "> expected in column 7" },
        { "<+03", "> expected in column 5" },
        { "<CE/T>-1", "a name" },
        { "C\xc3\xa9T-1", "a name" },
        { "CET", "hours up to 24 expected in column 4" },
        { "CET-", "hours up to 24 expected in column 5" },
        { "CET--1", "hours up to 24" },
        { "CET-25", "hours up to 24" },
        { "CET-0001", "hours up to 24" },
        { "CET-99999999999999999999", "hours up to 24" },
        { "CET-1:", "minutes expected in column 7" },
        { "CET-1:60", "minutes" },
        { "CET-1:00:60", "seconds" },
        { "CET-1:00:00:00", "a name" },
        { "CET-1 ", "a name" },
        { "CET-1CEST", "a comma and a date expected in column 10" },
        { "CET-1CEST-2", "a comma and a date" },
        { "CET-1CEST-25,M3.5.0,M10.5.0", "hours up to 24" },
        { "CET-1CEST,", "a day from 0 to 365 expected in column 11" },
        { "CET-1CEST,M3.5.0", "a comma and a date" },
        { "CET-1CEST,M3.5.0,", "a day from 0 to 365" },
        { "CET-1CEST,M,M10.5.0", "a month" },
        { "CET-1CEST,M0.5.0,M10.5.0", "a month" },
        { "CET-1CEST,M13.5.0,M10.5.0", "a month" },
        { "CET-1CEST,M3,M10.5.0", ". and a week" },
        { "CET-1CEST,M3.0.0,M10.5.0", "a week from 1 to 5" },
        { "CET-1CEST,M3.6.0,M10.5.0", "a week from 1 to 5" },
        { "CET-1CEST,M3.5,M10.5.0", ". and a weekday" },
        { "CET-1CEST,M3.5.7,M10.5.0", "a weekday from 0 to 6" },
        { "CET-1CEST,M3.5.0,M10.5.", "a weekday from 0 to 6" },
        { "CET-1CEST,J0,J2", "a day from 1 to 365" },
        { "CET-1CEST,J1,J366", "a day from 1 to 365" },
        { "CET-1CEST,0,366", "a day from 0 to 365" },
        { "CET-1CEST,-1,3", "a day from 0 to 365" },
        { "CET-1CEST,M3.5.0/,M10.5.0", "hours up to 167" },
        { "CET-1CEST,M3.5.0/168,M10.5.0", "hours up to 167" },
        { "CET-1CEST,M3.5.0/-168,M10.5.0", "hours up to 167" },
        { "CET-1CEST,M3.5.0,M10.5.0/3,", "the end expected in column 27" },
        { "CET-1CEST,M3.5.0,M10.5.0/3\n", "the end" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct zone_rule rule = { .standard_ms = 77 };
        struct err err = { 0 };
        assert_int_equal(parse(table[i].text, strlen(table[i].text), &rule, &err), E_INVALID);
        assert_int_equal(rule.standard_ms, 77);
        if (strstr(err.text, table[i].reason) == NULL)
            assert_string_equal(err.text, table[i].reason);
    }
}

static void a_nul_is_no_end(void **state)
{
    (void)state;
    struct zone_rule rule;
    assert_int_equal(parse("CET-1\0", 6, &rule, NULL), E_INVALID);
    assert_int_equal(parse("CET-1", 5, &rule, NULL), 0);
}

/* No text is long enough to need more than to be looked at. */
static void every_piece_of_a_rule_is_judged_without_reading_on(void **state)
{
    (void)state;
    static const char text[] = "<+1245>-12:45:00<+1345>-13:45,M9.5.0/2:45:59,J100/-167:59:59";
    struct zone_rule rule;
    for (size_t from = 0; from < sizeof text; from++)
        for (size_t until = from; until < sizeof text; until++) {
            int rc = parse(text + from, until - from, &rule, NULL);
            assert_true(rc == 0 || rc == E_INVALID);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_weekday_is_counted_in_its_month),
        cmocka_unit_test(a_day_of_the_year_counts_the_leap_day_only_without_a_j),
        cmocka_unit_test(hours_reach_a_week_either_way),
        cmocka_unit_test(changes_are_in_order_even_when_the_years_overlap),
        cmocka_unit_test(summer_time_may_be_behind_and_of_any_size),
        cmocka_unit_test(summer_time_may_last_for_ever),
        cmocka_unit_test(without_summer_time_nothing_changes),
        cmocka_unit_test(the_list_ends_with_the_table),
        cmocka_unit_test(the_list_may_begin_before_the_calendar),
        cmocka_unit_test(refuses_what_is_no_rule),
        cmocka_unit_test(a_nul_is_no_end),
        cmocka_unit_test(every_piece_of_a_rule_is_judged_without_reading_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

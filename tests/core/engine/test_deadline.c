/* test_deadline.c -- deadlines worked out: weekends, holidays, changes of the clock, pauses. */
#include "core/base/moment.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/engine/deadline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Berlin, Monday to Friday 9 to 17; Easter Monday 2027 (29 March) is free. */
static int setup(void **state)
{
    struct workday_hours hours[5];
    const struct zone *zone;
    int64_t easter;
    assert_int_equal(zone_open("Europe/Berlin", &zone, NULL), 0);
    assert_int_equal(moment_parse_date("2027-03-29", 10, &easter, NULL), 0);
    for (int i = 0; i < 5; i++)
        hours[i] = (struct workday_hours){ i + 1, 9 * 60, 17 * 60 };
    struct workday_plan plan = { zone, hours, 5, &easter, 1, NULL, 0 };
    struct workweek *week;
    assert_int_equal(workday_new(&plan, &week, NULL), 0);
    *state = week;
    return 0;
}

static int teardown(void **state)
{
    workday_free(*state);
    return 0;
}

static int64_t at(const char *text)
{
    int64_t ms;
    assert_int_equal(moment_parse(text, strlen(text), &ms, NULL), 0);
    return ms;
}

static struct deadline_rule rule(void **state, const char *due, int at_minute)
{
    struct deadline_rule rule = { .at_minute = at_minute, .week = *state };
    assert_int_equal(duration_parse(due, strlen(due), &rule.due, NULL), 0);
    return rule;
}

static void expect(const struct deadline_rule *rule, const char *since,
                   const struct deadline_pause *pauses, size_t count, const char *due)
{
    struct deadline_due out;
    char text[MOMENT_TEXT_SIZE];
    assert_int_equal(deadline_due(rule, at(since), pauses, count, &out, NULL), 0);
    assert_false(out.is_paused);
    moment_format(out.due, text);
    assert_string_equal(text, due);
}

/* Berlin is an hour ahead of UTC until Sunday 2027-03-28, then two. */
static void working_time_passes_over_weekend_holiday_and_change_of_the_clock(void **state)
{
    struct deadline_rule hours = rule(state, "4wh", -1), days = rule(state, "1wd", -1);
    expect(&hours, "2027-03-25T14:30:00Z", NULL, 0, "2027-03-26T10:30:00.000Z");
    /* Friday 15:00 in Berlin: two hours, then Tuesday, by the new clock. */
    expect(&hours, "2027-03-26T14:00:00Z", NULL, 0, "2027-03-30T09:00:00.000Z");
    expect(&days, "2027-03-26T14:00:00Z", NULL, 0, "2027-03-30T15:00:00.000Z");
    struct deadline_rule morning = rule(state, "1wd", 10 * 60);
    expect(&morning, "2027-03-26T14:00:00Z", NULL, 0, "2027-03-30T08:00:00.000Z");
}

static void days_keep_the_clock_on_the_wall_and_hours_do_not(void **state)
{
    struct deadline_rule days = rule(state, "3d", -1), hours = rule(state, "72h", -1);
    expect(&days, "2027-03-26T14:00:00Z", NULL, 0, "2027-03-29T13:00:00.000Z");
    expect(&hours, "2027-03-26T14:00:00Z", NULL, 0, "2027-03-29T14:00:00.000Z");
    struct deadline_rule noon = rule(state, "3d", 12 * 60);
    expect(&noon, "2027-03-26T14:00:00Z", NULL, 0, "2027-03-29T10:00:00.000Z");
}

static void a_pause_keeps_what_was_left_of_working_time(void **state)
{
    struct deadline_rule hours = rule(state, "4wh", -1);
    /* Due Tuesday 11:00; it waits from Friday 16:00, three hours left, until Tuesday 16:30. */
    struct deadline_pause pause = { at("2027-03-26T15:00:00Z"), at("2027-03-30T14:30:00Z") };
    expect(&hours, "2027-03-26T14:00:00Z", &pause, 1, "2027-03-31T09:30:00.000Z");
    /* Waiting all of a weekend costs nothing. */
    pause = (struct deadline_pause){ at("2027-03-26T18:00:00Z"), at("2027-03-29T20:00:00Z") };
    expect(&hours, "2027-03-26T14:00:00Z", &pause, 1, "2027-03-30T09:00:00.000Z");
}

static void what_is_left_is_told_while_it_waits(void **state)
{
    struct deadline_rule hours = rule(state, "4wh", -1);
    struct deadline_pause pause = { at("2027-03-26T15:00:00Z"), INT64_MAX };
    struct deadline_due due;
    assert_int_equal(deadline_due(&hours, at("2027-03-26T14:00:00Z"), &pause, 1, &due, NULL), 0);
    assert_true(due.is_paused);
    assert_int_equal(due.left_ms, 3 * 3600000);
    struct deadline_rule days = rule(state, "3d", -1);
    assert_int_equal(deadline_due(&days, at("2027-03-26T14:00:00Z"), &pause, 1, &due, NULL), 0);
    assert_int_equal(due.left_ms, 71 * 3600000ll); /* on the wall, whatever the clock does */
}

static void pauses_that_do_not_matter_do_not(void **state)
{
    struct deadline_rule hours = rule(state, "4h", -1);
    struct deadline_pause pauses[] = {
        { at("2027-03-20T00:00:00Z"), at("2027-03-21T00:00:00Z") }, /* before it began */
        { at("2027-03-26T18:30:00Z"), INT64_MAX },                  /* when it was due already */
    };
    expect(&hours, "2027-03-26T14:00:00Z", pauses, 2, "2027-03-26T18:00:00.000Z");
    /* One that began before it counts from its beginning on. */
    pauses[0].until = at("2027-03-26T15:00:00Z");
    expect(&hours, "2027-03-26T14:00:00Z", pauses, 1, "2027-03-26T19:00:00.000Z");
}

static void several_pauses_add_up(void **state)
{
    struct deadline_rule hours = rule(state, "10h", -1);
    struct deadline_pause pauses[] = {
        { at("2027-03-26T15:00:00Z"), at("2027-03-26T16:00:00Z") },
        { at("2027-03-26T20:00:00Z"), at("2027-03-26T23:00:00Z") },
    };
    expect(&hours, "2027-03-26T14:00:00Z", pauses, 2, "2027-03-27T04:00:00.000Z");
}

static void open_time_is_counted_and_added_the_same_way(void **state)
{
    const struct workweek *week = *state;
    int64_t from = at("2027-03-26T14:00:00Z"), ms;
    assert_int_equal(workday_open_ms(week, from, from), 0);
    assert_int_equal(workday_open_ms(week, from, from - 1), 0);
    assert_int_equal(workday_open_ms(week, from, at("2027-03-30T09:00:00Z")), 4 * 3600000);
    for (int64_t open = 1; open < 40 * 3600000ll; open += 1234567) {
        assert_int_equal(workday_add_open(week, from, open, &ms, NULL), 0);
        assert_int_equal(workday_open_ms(week, from, ms), open);
    }
}

static void what_lies_beyond_the_calendar_is_refused(void **state)
{
    struct deadline_rule years = rule(state, "99y", -1);
    struct deadline_due due;
    assert_int_not_equal(deadline_due(&years, at("9990-01-01T00:00:00Z"), NULL, 0, &due, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(working_time_passes_over_weekend_holiday_and_change_of_the_clock),
        TEST(days_keep_the_clock_on_the_wall_and_hours_do_not),
        TEST(a_pause_keeps_what_was_left_of_working_time),
        TEST(what_is_left_is_told_while_it_waits),
        TEST(pauses_that_do_not_matter_do_not),
        TEST(several_pauses_add_up),
        TEST(open_time_is_counted_and_added_the_same_way),
        TEST(what_lies_beyond_the_calendar_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

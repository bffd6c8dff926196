/* test_workday.c -- what workday.h promises, one promise a test.
 *
 * The usual calendar of these tests is an office in Berlin: Monday to Friday
 * nine to noon and one to six, Friday until four, closed on 25 and 26 December
 * 2026 and on Friday 1 January 2027.
 */
#include "core/base/workday.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/moment.h"
#include "core/base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

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

static struct workweek *make(const struct workday_plan *plan)
{
    struct workweek *week = NULL;
    struct err err = { 0 };
    if (workday_new(plan, &week, &err) != 0)
        fail_msg("%s", err.text);
    return week;
}

static struct workweek *berlin(void)
{
    static const struct workday_hours hours[] = {
        { 5, 780, 960 }, { 1, 540, 720 },  { 1, 780, 1080 }, { 2, 540, 720 },  { 2, 780, 1080 },
        { 3, 540, 720 }, { 3, 780, 1080 }, { 4, 540, 720 },  { 4, 780, 1080 }, { 5, 540, 720 },
    };
    const int64_t holidays[] = { civil_days(2027, 1, 1), civil_days(2026, 12, 26),
                                 civil_days(2026, 12, 25) };
    return make(&(struct workday_plan){
        .zone = open_zone("Europe/Berlin"),
        .hours = hours,
        .hours_count = COUNT(hours),
        .holidays = holidays,
        .holidays_count = COUNT(holidays),
    });
}

/* Nine to six on weekdays; the National Day week of 2026 and its make-up days. */
static struct workweek *shanghai(void)
{
    struct workday_hours hours[5];
    int64_t holidays[7];
    const int64_t working[] = { civil_days(2026, 9, 20), civil_days(2026, 10, 10) };
    for (int i = 0; i < 5; i++)
        hours[i] = (struct workday_hours){ i + 1, 540, 1080 };
    for (int i = 0; i < 7; i++)
        holidays[i] = civil_days(2026, 10, 1 + i);
    return make(&(struct workday_plan){
        .zone = open_zone("Asia/Shanghai"),
        .hours = hours,
        .hours_count = COUNT(hours),
        .holidays = holidays,
        .holidays_count = COUNT(holidays),
        .working = working,
        .working_count = COUNT(working),
    });
}

static struct workweek *always(const char *zone)
{
    struct workday_hours hours[7];
    for (int i = 0; i < 7; i++)
        hours[i] = (struct workday_hours){ i + 1, 0, 1440 };
    return make(&(struct workday_plan){
        .zone = open_zone(zone), .hours = hours, .hours_count = COUNT(hours) });
}

static void is_utc(int64_t ms, const char *wanted)
{
    char text[MOMENT_TEXT_SIZE];
    moment_format(ms, text);
    text[16] = '\0';
    assert_string_equal(text, wanted);
}

static void days(const struct workweek *week, const char *from, int64_t n, int at_minute,
                 const char *due)
{
    int64_t ms = 0;
    assert_int_equal(workday_add_days(week, ms_of(from), n, at_minute, &ms, NULL), 0);
    is_utc(ms, due);
}

static void hours(const struct workweek *week, const char *from, int64_t n, const char *due)
{
    int64_t ms = 0;
    assert_int_equal(workday_add_hours(week, ms_of(from), n, &ms, NULL), 0);
    is_utc(ms, due);
}

static void one_working_day_is_the_closing_time_of_the_next(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    days(week, "2026-11-23T09:00Z", 1, WORKDAY_AT_CLOSING, "2026-11-24T17:00");
    days(week, "2026-11-26T09:00Z", 1, WORKDAY_AT_CLOSING, "2026-11-27T15:00");
    days(week, "2026-11-23T03:00Z", 1, WORKDAY_AT_CLOSING, "2026-11-24T17:00");
    days(week, "2026-11-23T22:00Z", 1, WORKDAY_AT_CLOSING, "2026-11-24T17:00");
    days(week, "2026-11-23T23:30Z", 1, WORKDAY_AT_CLOSING, "2026-11-25T17:00");
    days(week, "2026-11-23T09:00Z", 2, 540, "2026-11-25T08:00");
    workday_free(week);
}

static void weekends_and_holidays_do_not_count(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    days(week, "2026-11-27T09:00Z", 1, WORKDAY_AT_CLOSING, "2026-11-30T17:00");
    days(week, "2026-11-27T20:00Z", 1, WORKDAY_AT_CLOSING, "2026-11-30T17:00");
    days(week, "2026-11-28T09:00Z", 1, WORKDAY_AT_CLOSING, "2026-11-30T17:00");
    days(week, "2026-12-24T09:00Z", 1, WORKDAY_AT_CLOSING, "2026-12-28T17:00");
    days(week, "2026-12-31T09:00Z", 1, WORKDAY_AT_CLOSING, "2027-01-04T17:00");
    days(week, "2026-12-24T09:00Z", 5, WORKDAY_AT_CLOSING, "2027-01-04T17:00");
    workday_free(week);
}

static void no_working_days_means_today_while_it_lasts(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    days(week, "2026-11-23T03:00Z", 0, WORKDAY_AT_CLOSING, "2026-11-23T17:00");
    days(week, "2026-11-23T16:59Z", 0, WORKDAY_AT_CLOSING, "2026-11-23T17:00");
    days(week, "2026-11-23T17:00Z", 0, WORKDAY_AT_CLOSING, "2026-11-24T17:00");
    days(week, "2026-11-28T09:00Z", 0, WORKDAY_AT_CLOSING, "2026-11-30T17:00");
    days(week, "2026-11-23T07:00Z", 0, 540, "2026-11-23T08:00");
    days(week, "2026-11-23T08:00Z", 0, 540, "2026-11-24T08:00");
    workday_free(week);
}

static void working_days_are_counted_backwards_too(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    days(week, "2026-11-24T09:00Z", -1, WORKDAY_AT_CLOSING, "2026-11-23T17:00");
    days(week, "2026-11-30T09:00Z", -1, 540, "2026-11-27T08:00");
    days(week, "2026-11-29T09:00Z", -2, 540, "2026-11-26T08:00");
    days(week, "2026-12-28T09:00Z", -1, WORKDAY_AT_CLOSING, "2026-12-24T17:00");
    workday_free(week);
}

static void a_make_up_day_is_worked_with_usual_hours(void **state)
{
    (void)state;
    struct workweek *week = shanghai();
    assert_true(workday_is_working(week, civil_days(2026, 10, 10)));
    assert_false(workday_is_working(week, civil_days(2026, 10, 11)));
    assert_false(workday_is_working(week, civil_days(2026, 10, 7)));
    assert_true(workday_is_open(week, ms_of("2026-09-20T09:59Z")));
    assert_false(workday_is_open(week, ms_of("2026-09-20T10:00Z")));
    days(week, "2026-09-30T02:00Z", 1, WORKDAY_AT_CLOSING, "2026-10-08T10:00");
    days(week, "2026-10-09T02:00Z", 1, WORKDAY_AT_CLOSING, "2026-10-10T10:00");
    days(week, "2026-10-09T02:00Z", 2, WORKDAY_AT_CLOSING, "2026-10-12T10:00");
    workday_free(week);
}

static void open_means_from_opening_until_before_closing(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    assert_false(workday_is_open(week, ms_of("2026-11-23T07:59:59.999Z")));
    assert_true(workday_is_open(week, ms_of("2026-11-23T08:00Z")));
    assert_true(workday_is_open(week, ms_of("2026-11-23T10:59:59.999Z")));
    assert_false(workday_is_open(week, ms_of("2026-11-23T11:00Z")));
    assert_true(workday_is_open(week, ms_of("2026-11-23T12:00Z")));
    assert_false(workday_is_open(week, ms_of("2026-11-27T15:30Z")));
    assert_false(workday_is_open(week, ms_of("2026-12-25T09:00Z")));
    workday_free(week);
}

static void only_open_hours_count(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    hours(week, "2026-11-23T08:00Z", 1, "2026-11-23T09:00");
    hours(week, "2026-11-23T10:00Z", 2, "2026-11-23T13:00");
    hours(week, "2026-11-23T05:00Z", 2, "2026-11-23T10:00");
    hours(week, "2026-11-23T16:30Z", 1, "2026-11-24T08:30");
    hours(week, "2026-11-27T14:00Z", 2, "2026-11-30T09:00");
    hours(week, "2026-12-24T16:00Z", 2, "2026-12-28T09:00");
    hours(week, "2026-11-23T08:00Z", 38, "2026-11-27T15:00");
    workday_free(week);
}

static void hours_that_end_at_closing_are_due_at_closing(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    hours(week, "2026-11-23T08:00Z", 3, "2026-11-23T11:00");
    hours(week, "2026-11-23T08:00Z", 8, "2026-11-23T17:00");
    hours(week, "2026-11-23T17:00Z", -8, "2026-11-23T08:00");
    workday_free(week);
}

static void no_hours_means_now_or_the_next_opening(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    hours(week, "2026-11-23T08:30Z", 0, "2026-11-23T08:30");
    hours(week, "2026-11-23T11:30Z", 0, "2026-11-23T12:00");
    hours(week, "2026-11-27T15:00Z", 0, "2026-11-30T08:00");
    workday_free(week);
}

static void hours_are_counted_backwards_too(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    hours(week, "2026-11-23T13:00Z", -2, "2026-11-23T10:00");
    hours(week, "2026-11-23T08:30Z", -1, "2026-11-20T14:30");
    hours(week, "2026-11-29T00:00Z", -3, "2026-11-27T12:00");
    hours(week, "2026-11-29T00:00Z", -4, "2026-11-27T10:00");
    workday_free(week);
}

/* Forward and then backward by the same hours ends where it began, if it began
 * in open time. */
static void backward_undoes_forward(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    for (int64_t ms = ms_of("2026-10-20T08:07Z"); ms < ms_of("2026-11-02"); ms += 1234567) {
        for (int n = 1; n < 60 && workday_is_open(week, ms); n += 7) {
            int64_t there_ms = 0, back_ms = 0;
            assert_int_equal(workday_add_hours(week, ms, n, &there_ms, NULL), 0);
            assert_int_equal(workday_add_hours(week, there_ms, -n, &back_ms, NULL), 0);
            assert_true(back_ms == ms);
        }
    }
    workday_free(week);
}

static void hours_of_a_calendar_that_never_closes_are_elapsed_hours(void **state)
{
    (void)state;
    static const char *const zones[] = { "Europe/Berlin", "America/Havana", "America/St_Johns",
                                         "Pacific/Apia" };
    for (size_t i = 0; i < COUNT(zones); i++) {
        struct workweek *week = always(zones[i]);
        for (int64_t ms = ms_of("2010-10-25"); ms < ms_of("2012-04-10"); ms += 3599999) {
            int64_t there_ms = 0;
            assert_true(workday_is_open(week, ms));
            assert_int_equal(workday_add_hours(week, ms, 30, &there_ms, NULL), 0);
            assert_true(there_ms == ms + 30 * CIVIL_HOUR_MS);
        }
        workday_free(week);
    }
}

static void a_change_of_the_clock_moves_the_hours_with_it(void **state)
{
    (void)state;
    struct workweek *week = always("Europe/Berlin");
    days(week, "2026-03-28T12:00Z", 1, 150, "2026-03-29T01:00");
    days(week, "2026-10-24T12:00Z", 1, 150, "2026-10-25T01:30");
    days(week, "2026-03-28T12:00Z", 1, WORKDAY_AT_CLOSING, "2026-03-29T22:00");
    workday_free(week);
}

static void refused(const struct workday_plan *plan, int code, const char *reason)
{
    struct workweek *week = NULL;
    struct err err = { 0 };
    assert_int_equal(workday_new(plan, &week, &err), code);
    assert_null(week);
    if (strstr(err.text, reason) == NULL)
        assert_string_equal(err.text, reason);
}

static void hours_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct workday_hours table[WORKDAY_INTERVALS_MAX + 1] = { { 1, 540, 1080 } };
    struct workday_plan plan = { .zone = open_zone("UTC"), .hours = table };
    refused(&plan, E_INVALID, "no day of the week has hours");
    plan.hours_count = 1;
    table[0] = (struct workday_hours){ 8, 540, 1080 };
    refused(&plan, E_INVALID, "weekday 8: 1 is Monday");
    table[0] = (struct workday_hours){ 1, 1320, 120 };
    refused(&plan, E_INVALID, "across midnight, write two");
    table[0] = (struct workday_hours){ 1, 0, 1441 };
    refused(&plan, E_INVALID, "within one day");
    plan.hours_count = 2;
    table[0] = (struct workday_hours){ 1, 540, 720 };
    table[1] = (struct workday_hours){ 1, 719, 800 };
    refused(&plan, E_INVALID, "weekday 1 overlap at minute 719");
    for (int i = 0; i <= WORKDAY_INTERVALS_MAX; i++)
        table[i] = (struct workday_hours){ 3, i * 60, i * 60 + 30 };
    plan.hours_count = WORKDAY_INTERVALS_MAX + 1;
    refused(&plan, E_LIMIT, "more than 8 opening hours on weekday 3");
}

static void a_calendar_without_working_days_is_refused(void **state)
{
    (void)state;
    static int64_t mondays[53];
    const struct workday_hours table[] = { { 1, 540, 1080 } };
    struct workday_plan plan = { .zone = open_zone("UTC"),
                                 .hours = table,
                                 .hours_count = 1,
                                 .holidays = mondays,
                                 .holidays_count = 51 };
    for (int i = 0; i < 53; i++)
        mondays[i] = civil_days(2026, 1, 5) + 7 * i;
    workday_free(make(&plan));
    plan.holidays_count = 53;
    refused(&plan, E_INVALID, "2026-01-05: here begin or end more than 366 days");
}

static void dates_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const struct workday_hours table[] = { { 1, 540, 1080 } };
    int64_t date = civil_days(2026, 10, 10);
    struct workday_plan plan = {
        .zone = open_zone("UTC"),
        .hours = table,
        .hours_count = 1,
        .holidays = &date,
        .holidays_count = 1,
        .working = &date,
        .working_count = 1,
    };
    refused(&plan, E_INVALID, "2026-10-10: both a holiday and a working day");
    plan.working_count = 0;
    date = INT64_MAX;
    refused(&plan, E_INVALID, "outside the years 1 to 9999");
    plan.holidays_count = WORKDAY_DATES_MAX + 1;
    refused(&plan, E_LIMIT, "10001 holidays: the limit is 10000");
}

static void what_lies_too_far_is_refused(void **state)
{
    (void)state;
    struct workweek *week = berlin();
    int64_t ms = 77;
    assert_int_equal(workday_add_days(week, 0, 1, 1440, &ms, NULL), E_INVALID);
    assert_int_equal(workday_add_days(week, 0, 1, -2, &ms, NULL), E_INVALID);
    assert_int_equal(workday_add_days(week, 0, 36525, -1, &ms, NULL), E_LIMIT);
    assert_int_equal(workday_add_days(week, 0, INT64_MIN, -1, &ms, NULL), E_LIMIT);
    assert_int_equal(workday_add_days(week, CIVIL_MS_MAX, 1, -1, &ms, NULL), E_LIMIT);
    assert_int_equal(workday_add_hours(week, 0, 876600, &ms, NULL), E_LIMIT);
    assert_int_equal(workday_add_hours(week, CIVIL_MS_MIN, -8, &ms, NULL), E_LIMIT);
    assert_int_equal(workday_add_hours(week, INT64_MAX, 1, &ms, NULL), E_LIMIT);
    assert_true(ms == 77);
    workday_free(week);
}

static uint64_t print_of(const struct workday_plan *plan)
{
    struct workweek *week = make(plan);
    uint64_t print = workday_print(week);
    workday_free(week);
    return print;
}

/* Each difference, and none where the same is said in another order. */
static void two_weeks_are_told_apart(void **state)
{
    static const struct workday_hours hours[] = { { 1, 540, 720 }, { 2, 540, 720 } };
    static const struct workday_hours turned[] = { { 2, 540, 720 }, { 1, 540, 720 } };
    static const struct workday_hours longer[] = { { 1, 540, 721 }, { 2, 540, 720 } };
    static const struct workday_hours later[] = { { 1, 540, 720 }, { 3, 540, 720 } };
    static const int64_t days[] = { 20000, 20007 }, back[] = { 20007, 20000 };
    const struct workday_plan one = { open_zone("Europe/Berlin"), hours, 2, days, 2, NULL, 0 };
    struct workday_plan others[6];
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = one;
    others[0].zone = open_zone("Europe/Paris");
    others[1].hours = longer;
    others[2].hours = later;
    others[3].holidays_count = 1;
    others[4].holidays = NULL;
    others[4].holidays_count = 0;
    others[5] = others[4];
    others[5].working = days;
    others[5].working_count = 2;
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_true(print_of(&others[i]) != print_of(&one));
        for (size_t j = 0; j < i; j++)
            assert_true(print_of(&others[i]) != print_of(&others[j]));
    }
    others[0] = one;
    others[0].hours = turned;
    others[0].holidays = back;
    assert_true(print_of(&others[0]) == print_of(&one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_working_day_is_the_closing_time_of_the_next),
        cmocka_unit_test(weekends_and_holidays_do_not_count),
        cmocka_unit_test(no_working_days_means_today_while_it_lasts),
        cmocka_unit_test(working_days_are_counted_backwards_too),
        cmocka_unit_test(a_make_up_day_is_worked_with_usual_hours),
        cmocka_unit_test(open_means_from_opening_until_before_closing),
        cmocka_unit_test(only_open_hours_count),
        cmocka_unit_test(hours_that_end_at_closing_are_due_at_closing),
        cmocka_unit_test(no_hours_means_now_or_the_next_opening),
        cmocka_unit_test(hours_are_counted_backwards_too),
        cmocka_unit_test(backward_undoes_forward),
        cmocka_unit_test(hours_of_a_calendar_that_never_closes_are_elapsed_hours),
        cmocka_unit_test(a_change_of_the_clock_moves_the_hours_with_it),
        cmocka_unit_test(hours_that_make_no_sense_are_refused),
        cmocka_unit_test(a_calendar_without_working_days_is_refused),
        cmocka_unit_test(dates_that_make_no_sense_are_refused),
        cmocka_unit_test(what_lies_too_far_is_refused),
        cmocka_unit_test(two_weeks_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

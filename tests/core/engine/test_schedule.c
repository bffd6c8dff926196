/* test_schedule.c -- rules that start by the calendar, and the sweep that arms them. */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/zone.h"

#include <stdio.h>

/* When a rule ran, as the customer's wall clock shows it: the rule adds now() to `ran`. */
static const char *ran(struct play *play, const char *reference)
{
    struct customer customer;
    struct text times = { "", 0 };
    assert_true(customer_load(&customer, play->engine, play_customer(play, reference)));
    struct doc_value list = customer_trait(&customer, text_of("ran"));
    const struct zone *zone = customer_zone(&customer, play->engine, (struct doc){ NULL, 0 });
    if (list.type == DOC_NONE)
        return "";
    for (struct doc_iter it = doc_iter(list.doc); doc_next(&it);) {
        struct civil civil;
        zone_civil_from_ms(zone, it.value.integer, &civil);
        times = arena_printf(&play->arena, "%s%s%04d-%02d-%02d %02d:%02d", times.data,
                             times.size != 0 ? ", " : "", civil.year, civil.month, civil.day,
                             civil.hour, civil.minute);
    }
    return times.data;
}

static void rule_on(struct play *play, const char *trigger)
{
    char lua[400];
    snprintf(lua, sizeof lua,
             "rule 'r' { on = %s, run = function(event, customer)\n"
             "  customer:add('ran', now()) end }",
             trigger);
    play_rules(play, lua);
}

/* The play begins on 2026-10-28 at 01:00 in Berlin. */

static void every_counts_from_the_first_day(void **state)
{
    struct play *play = *state;
    rule_on(play, "every '1d'");
    play_identify(play, "u1", NULL);
    play_pass(play, 2 * DAY_MS + HOUR_MS);
    assert_string_equal(ran(play, "1"), "2026-10-29 01:00, 2026-10-30 01:00");
}

static void every_at_a_time_of_day_may_be_today(void **state)
{
    struct play *play = *state;
    rule_on(play, "every('1d', { at = '09:00' })");
    play_identify(play, "u1", NULL);
    play_pass(play, 2 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 09:00, 2026-10-29 09:00");
}

static void every_follows_the_customers_clock(void **state)
{
    struct play *play = *state;
    rule_on(play, "every('1d', { at = '09:00' })");
    play_identify(play, "u1", NULL);
    play_identify(play, "u1", "{'timezone':'America/New_York'}");
    play_pass(play, DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 09:00");
    assert_true(play->now > PLAY_START_MS + 13 * HOUR_MS);
}

static void saying_the_zone_again_does_not_put_it_off(void **state)
{
    struct play *play = *state;
    rule_on(play, "every('1w', { at = '09:00' })");
    play_identify(play, "u1", "{'timezone':'Europe/Berlin'}");
    for (int day = 0; day < 8; day++) {
        play_identify(play, "u1", "{'timezone':'Europe/Berlin'}");
        play_pass(play, DAY_MS);
    }
    assert_string_equal(ran(play, "1"), "2026-10-28 09:00, 2026-11-04 09:00");
}

static void an_hour_that_the_clocks_leave_out_makes_no_day_due_twice(void **state)
{
    struct play *play = *state;
    rule_on(play, "every('1d', { at = '02:30' })");
    play->now = 1806015600000; /* 2027-03-26 00:20 in Berlin */
    play_identify(play, "u1", NULL);
    play_pass(play, 4 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-03-26 02:30, 2027-03-27 02:30, 2027-03-28 03:00, "
                                        "2027-03-29 02:30");
}

static void after_an_outage_a_schedule_fires_once(void **state)
{
    struct play *play = *state;
    rule_on(play, "every('1d', { at = '09:00' })");
    play_identify(play, "u1", NULL);
    play->now += 10 * DAY_MS + 12 * HOUR_MS;
    play_ticks(play);
    assert_string_equal(ran(play, "1"), "2026-11-07 13:00");
    play_pass(play, DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-11-07 13:00, 2026-11-08 09:00");
}

static void a_date_counts_from_the_trait(void **state)
{
    struct play *play = *state;
    rule_on(play, "date('contract.end', '-30d', { at = '08:00' })");
    play_identify(play, "u1", "{'contract':{'end':'2026-12-31'}}");
    play_pass(play, 100 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-12-01 08:00");
}

static void a_date_that_changes_is_counted_anew(void **state)
{
    struct play *play = *state;
    rule_on(play, "date('end')");
    play_identify(play, "u1", "{'end':'2026-11-10'}");
    play_identify(play, "u1", "{'end':'2026-11-20T10:00:00Z'}");
    play_pass(play, 15 * DAY_MS);
    assert_string_equal(ran(play, "1"), "");
    play_pass(play, 15 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-11-20 11:00");
    play_identify(play, "u1", "{'end':'2026-01-01'}"); /* past */
    assert_true(engine_next_due(play->engine) == INT64_MAX);
}

static void a_date_that_is_removed_is_waited_for_no_more(void **state)
{
    struct play *play = *state;
    rule_on(play, "date('end')");
    play_identify(play, "u1", "{'end':'2026-11-10'}");
    play->now += 1000;
    play_identify(play, "u1", "{'end':null}");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
    assert_lacks(play_profile(play, 1), "'w'");
}

static void a_birthday_comes_every_year_at_nine(void **state)
{
    struct play *play = *state;
    rule_on(play, "yearly 'birthday'");
    play_identify(play, "u1", "{'birthday':'1992-02-29'}");
    play_pass(play, 2 * 366 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-02-28 09:00, 2028-02-29 09:00");
}

static void a_birthday_may_go_by_the_chinese_calendar(void **state)
{
    struct play *play = *state;
    rule_on(play, "yearly('birthday', { calendar = 'chinese', at = '10:00' })");
    play_identify(play, "u1", "{'birthday':'1990-01-27'}"); /* the first of the first month */
    play_pass(play, 2 * 366 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-02-06 10:00, 2028-01-26 10:00");
}

static void a_rule_on_every_event_sees_what_is_due(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'd' { on = every '1d', run = function() log('daily') end }\n"
                     "rule 'h' { on = every '1h', run = function() log('hourly') end }\n"
                     "rule 'a' { on = '*', run = function(event) log(event.type) end }");
    play_identify(play, "u1", NULL);
    play_pass(play, HOUR_MS);
    const char *row = play_timeline(play, 1, engine_seq(play->engine), 1);
    assert_has(row, "'by':'h'");
    assert_has(row, "'log':['hourly','schedule.due']");
}

/* -- Bundles and sweeps --------------------------------------------------- */

static void a_bundle_arms_the_customers_that_are_there_by_slices(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'sweep_per_tick':2}");
    for (int i = 0; i < 5; i++)
        play_entry(play, LOG_CLIENT, "{'type':'X','user':'u%d'}", i);
    rule_on(play, "every '1d'");
    assert_true(engine_next_due(play->engine) <= play->now);
    assert_int_equal(play_ticks(play), 3);
    assert_has(play_profile(play, 5), "'w':1");
    play_pass(play, DAY_MS);
    assert_string_equal(ran(play, "5"), "2026-10-29 01:00");
}

static void a_sweep_goes_on_after_a_start(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'sweep_per_tick':1}");
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    rule_on(play, "every '1d'");
    play_tick(play);
    play_reopen(play);
    assert_int_equal(play_ticks(play), 1);
    assert_has(play_profile(play, 2), "'w':1");
}

static void the_same_trigger_in_a_new_bundle_goes_on(void **state)
{
    struct play *play = *state;
    rule_on(play, "every '1d'");
    play_identify(play, "u1", NULL);
    play_pass(play, 12 * HOUR_MS);
    play_rules(play, "-- another text\n"
                     "rule 'r' { on = every '1d', run = function(event, customer)\n"
                     "  customer:add('ran', now()) end }");
    play_pass(play, 13 * HOUR_MS);
    assert_string_equal(ran(play, "1"), "2026-10-29 01:00");
}

static void another_trigger_of_the_same_name_begins_anew(void **state)
{
    struct play *play = *state;
    rule_on(play, "every '1d'");
    play_identify(play, "u1", NULL);
    rule_on(play, "every '2d'");
    play_pass(play, 3 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-30 01:00");
    assert_has(play_profile(play, 1), "'w':1");
}

static void a_schedule_that_is_gone_ends_in_silence(void **state)
{
    struct play *play = *state;
    rule_on(play, "every '1d'");
    play_identify(play, "u1", NULL);
    play_rules(play, "rule 'other' { on = 'X', run = function() end }");
    play_pass(play, 3 * DAY_MS);
    assert_lacks(play_types(play, 1), "schedule.due");
    assert_lacks(play_profile(play, 1), "'w'");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_counts_from_the_first_day),
        TEST(every_at_a_time_of_day_may_be_today),
        TEST(every_follows_the_customers_clock),
        TEST(saying_the_zone_again_does_not_put_it_off),
        TEST(an_hour_that_the_clocks_leave_out_makes_no_day_due_twice),
        TEST(after_an_outage_a_schedule_fires_once),
        TEST(a_date_counts_from_the_trait),
        TEST(a_date_that_changes_is_counted_anew),
        TEST(a_date_that_is_removed_is_waited_for_no_more),
        TEST(a_birthday_comes_every_year_at_nine),
        TEST(a_birthday_may_go_by_the_chinese_calendar),
        TEST(a_rule_on_every_event_sees_what_is_due),
        TEST(a_bundle_arms_the_customers_that_are_there_by_slices),
        TEST(a_sweep_goes_on_after_a_start),
        TEST(the_same_trigger_in_a_new_bundle_goes_on),
        TEST(another_trigger_of_the_same_name_begins_anew),
        TEST(a_schedule_that_is_gone_ends_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

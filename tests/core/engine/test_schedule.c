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

/* Whether a timer of rule `r` is set. */
static bool has_timer(struct play *play, uint64_t customer)
{
    struct key key;
    struct bytes due;
    key_customer(&key, customer, 'w');
    key_tail(&key, text_of("rule:r"));
    return state_get(play->state, &key, &due);
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

/* -- Rhythm --------------------------------------------------------------- */

#define JANUARY_31_MS 1801393200000ll /* 2027-01-31 12:00 in Berlin */

static void the_end_of_a_month_moves_one_time_and_no_other(void **state)
{
    struct play *play = *state;
    play->now = JANUARY_31_MS;
    rule_on(play, "every '1mo'");
    play_identify(play, "u1", NULL);
    play_pass(play, 125 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-02-28 12:00, 2027-03-31 12:00, 2027-04-30 12:00, "
                                        "2027-05-31 12:00");
}

static void the_end_of_a_month_at_a_time_of_day(void **state)
{
    struct play *play = *state;
    play->now = JANUARY_31_MS;
    rule_on(play, "every('1mo', { at = '18:00' })");
    play_identify(play, "u1", NULL);
    play_pass(play, 61 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-01-31 18:00, 2027-02-28 18:00, 2027-03-31 18:00");
}

static void a_leap_day_comes_back_every_four_years(void **state)
{
    struct play *play = *state;
    play->now = JANUARY_31_MS + 394 * DAY_MS; /* 2028-02-29 */
    rule_on(play, "every '1y'");
    play_identify(play, "u1", NULL);
    play_pass(play, 4 * 366 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2029-02-28 12:00, 2030-02-28 12:00, 2031-02-28 12:00, "
                                        "2032-02-29 12:00");
}

static void late_ticks_put_nothing_off(void **state)
{
    struct play *play = *state;
    rule_on(play, "every '1h'");
    play_identify(play, "u1", NULL);
    for (int hour = 0; hour < 5; hour++) {
        play->now += HOUR_MS + (hour == 0 ? 10 * MINUTE_MS : 0);
        play_ticks(play);
    }
    play->now -= 10 * MINUTE_MS;
    play_pass(play, HOUR_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 02:10, 2026-10-28 03:10, 2026-10-28 04:10, "
                                        "2026-10-28 05:10, 2026-10-28 06:10, 2026-10-28 07:00");
}

static void after_an_outage_a_rhythm_goes_on_as_it_was(void **state)
{
    struct play *play = *state;
    play->now = JANUARY_31_MS;
    rule_on(play, "every '1mo'");
    play_identify(play, "u1", NULL);
    play->now += 100 * DAY_MS; /* 11 May */
    play_ticks(play);
    play_pass(play, 60 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-05-11 13:00, 2027-05-31 12:00, 2027-06-30 12:00");
}

static void a_new_bundle_and_the_way_back_keep_the_rhythm(void **state)
{
    struct play *play = *state;
    const char *lua = "rule 'r' { on = every '1mo', run = function(event, customer)\n"
                      "  customer:add('ran', now()) end }";
    char other[300];
    snprintf(other, sizeof other, "%s\nrule 'other' { on = 'X', run = function() end }", lua);
    play->now = JANUARY_31_MS;
    play_rules(play, lua);
    play_identify(play, "u1", NULL);
    play_pass(play, 35 * DAY_MS);
    play_rules(play, other);
    play_pass(play, 5 * DAY_MS);
    play_rules(play, "rule 'none' { on = 'X', run = function() end }");
    play_reopen(play);
    play_pass(play, 5 * DAY_MS);
    play_rules(play, lua);
    play_pass(play, 50 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-02-28 12:00, 2027-03-31 12:00, 2027-04-30 12:00");
}

static void whoever_moves_keeps_the_day(void **state)
{
    struct play *play = *state;
    play->now = JANUARY_31_MS;
    rule_on(play, "every('1mo', { at = '18:00' })");
    play_identify(play, "u1", NULL);
    play_pass(play, 30 * DAY_MS);
    play_identify(play, "u1", "{'timezone':'Asia/Shanghai'}");
    play_pass(play, 61 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-02-01 01:00, 2027-03-01 01:00, 2027-03-31 18:00, "
                                        "2027-04-30 18:00"); /* as Shanghai's clock shows them */
}

static void whoever_moves_west_is_not_served_twice(void **state)
{
    struct play *play = *state;
    play_rules(play, "local function ran(event, customer) customer:add('ran', now()) end\n"
                     "rule 'e' { on = every('1d', { at = '09:00' }), run = ran }\n"
                     "rule 'd' { on = date('end', '0d', { at = '10:00' }), run = ran }\n"
                     "rule 'y' { on = yearly('birthday', { at = '11:00' }), run = ran }");
    play_identify(play, "u1", "{'end':'2026-10-28','birthday':'1990-10-28'}");
    play_pass(play, 11 * HOUR_MS); /* noon in Berlin, six in New York */
    play_identify(play, "u1", "{'timezone':'America/New_York'}");
    play_pass(play, 12 * HOUR_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 04:00, 2026-10-28 05:00, 2026-10-28 06:00");
    play_pass(play, DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 04:00, 2026-10-28 05:00, 2026-10-28 06:00, "
                                        "2026-10-29 09:00");
}

static void what_whoever_moves_east_has_missed_is_due_at_once(void **state)
{
    struct play *play = *state;
    play_rules(play, "local function ran(event, customer) customer:add('ran', now()) end\n"
                     "rule 'e' { on = every('1w', { at = '09:00' }), run = ran }\n"
                     "rule 'd' { on = date('end', '0d', { at = '10:00' }), run = ran }\n"
                     "rule 'y' { on = yearly('birthday', { at = '11:00' }), run = ran }");
    play_identify(play, "u1", "{'end':'2026-10-28','birthday':'1990-10-28'}");
    play_pass(play, 7 * HOUR_MS + HOUR_MS / 2); /* half past eight in Berlin, 15:30 in Shanghai */
    play_identify(play, "u1", "{'timezone':'Asia/Shanghai'}");
    play_pass(play, 8 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 15:30, 2026-11-04 09:00");
    assert_has(play_types(play, 1), "schedule.due schedule.due schedule.due schedule.due");
}

static void a_merge_keeps_the_rhythm(void **state)
{
    struct play *play = *state;
    play->now = JANUARY_31_MS;
    rule_on(play, "every '1mo'");
    play_identify(play, "u1", NULL);
    play_pass(play, 20 * DAY_MS);
    play_entry(play, LOG_CLIENT, "{'type':'X','anon':'a1'}");
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    play_pass(play, 45 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-02-28 12:00, 2027-03-31 12:00");
}

/* The merge is written at the moment at which the date is due, and before the tick. */
static void a_merge_loses_no_date_that_is_due(void **state)
{
    struct play *play = *state;
    play_rules(play, "local function ran(event, customer) customer:add('ran', now()) end\n"
                     "rule 'd' { on = date('end', '0d', { at = '10:00' }), run = ran }\n"
                     "rule 'y' { on = yearly('birthday', { at = '10:00' }), run = ran }");
    play_identify(play, "u1", "{'end':'2026-10-28','birthday':'1990-10-28'}");
    play_entry(play, LOG_CLIENT, "{'type':'X','anon':'a1'}");
    play->now += 9 * HOUR_MS;
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    play_pass(play, DAY_MS);
    assert_has(play_types(play, 1), "schedule.due schedule.due");
    assert_string_equal(ran(play, "1"), "2026-10-28 10:00");
}

static void a_merge_that_brings_another_date_counts_anew(void **state)
{
    struct play *play = *state;
    rule_on(play, "date('end', '0d', { at = '10:00' })");
    play_identify(play, "u1", "{'end':'2026-10-30'}");
    play_entry(play, LOG_CLIENT,
               "{'type':'identify','call':'identify','anon':'a1','data':{'end':'2026-10-20'}}");
    play->now += 1000;
    play_entry(play, LOG_CLIENT,
               "{'type':'identify','call':'identify','anon':'a1','data':{'end':'2026-11-02'}}");
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    play_pass(play, 10 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-11-02 10:00");
}

/* -- Working time --------------------------------------------------------- */

static const char company[] =
    "calendar 'company' { zone = 'Europe/Berlin', hours = '09:00-17:00',\n"
    "  holidays = { '2026-10-30' } }\n";

static void rule_on_workdays(struct play *play, const char *trigger)
{
    char lua[600];
    snprintf(lua, sizeof lua,
             "%srule 'r' { on = %s, run = function(event, customer)\n"
             "  customer:add('ran', now()) end }",
             company, trigger);
    play_rules(play, lua);
    play_identify(play, "u1", NULL);
}

static void every_working_day_ends_with_closing_time(void **state)
{
    struct play *play = *state;
    rule_on_workdays(play, "every '1wd'");
    play_pass(play, 7 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 17:00, 2026-10-29 17:00, 2026-11-02 17:00, "
                                        "2026-11-03 17:00");
}

static void every_second_working_day_at_a_time(void **state)
{
    struct play *play = *state;
    play->now += 10 * HOUR_MS;
    rule_on_workdays(play, "every('2wd', { at = '10:00' })");
    play_pass(play, 9 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-11-02 10:00, 2026-11-04 10:00, 2026-11-06 10:00");
}

static void every_few_working_hours(void **state)
{
    struct play *play = *state;
    rule_on_workdays(play, "every '6wh'");
    play_pass(play, 6 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 15:00, 2026-10-29 13:00, 2026-11-02 11:00, "
                                        "2026-11-02 17:00");
}

static void an_outage_of_working_days_is_not_made_up_for(void **state)
{
    struct play *play = *state;
    rule_on_workdays(play, "every('1wd', { at = '10:00' })");
    play->now += 5 * DAY_MS + 23 * HOUR_MS; /* Monday to Tuesday, midnight */
    play_ticks(play);
    play_pass(play, 2 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-11-03 00:00, 2026-11-03 10:00, 2026-11-04 10:00");
}

static void a_date_is_shifted_by_working_days(void **state)
{
    struct play *play = *state;
    rule_on_workdays(play, "date('end', '-2wd')");
    play_identify(play, "u1", "{'end':'2026-11-02'}"); /* Friday is a holiday */
    play_pass(play, 10 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 17:00");
    play_identify(play, "u1", "{'end':'2026-11-22','timezone':'Pacific/Kiritimati'}");
    play_pass(play, 30 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-29 06:00, 2026-11-20 06:00");
}

static void a_date_is_shifted_by_working_days_to_a_time(void **state)
{
    struct play *play = *state;
    rule_on_workdays(play, "date('end', '3wd', { at = '08:00' })");
    play_identify(play, "u1", "{'end':'2026-10-28'}");
    play_pass(play, 10 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-11-03 08:00");
}

static void a_date_is_shifted_by_working_hours(void **state)
{
    struct play *play = *state;
    rule_on_workdays(play, "date('end', '-3wh')");
    play_identify(play, "u1", "{'end':'2026-10-29 11:00'}");
    play_pass(play, 10 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-10-28 16:00");
}

/* -- Dates ---------------------------------------------------------------- */

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
    assert_false(has_timer(play, 1));
}

static void a_time_without_an_offset_is_the_customers(void **state)
{
    struct play *play = *state;
    rule_on(play, "date('end', '-1d')");
    play_identify(play, "u1", "{'end':'2026-12-31T12:00','timezone':'Asia/Shanghai'}");
    play_pass(play, 100 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2026-12-30 12:00");
}

static void a_birthday_may_lack_its_year(void **state)
{
    struct play *play = *state;
    rule_on(play, "yearly 'birthday'");
    play_identify(play, "u1", "{'birthday':'--02-29'}");
    play_identify(play, "u2", "{'birthday':'--1031'}");
    play_pass(play, 2 * 366 * DAY_MS);
    assert_string_equal(ran(play, "1"), "2027-02-28 09:00, 2028-02-29 09:00");
    assert_string_equal(ran(play, "2"), "2026-10-31 09:00, 2027-10-31 09:00");
}

/* -- What cannot be read -------------------------------------------------- */

static void a_date_that_nobody_can_read_is_told_where_it_is_set(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'renew' { on = date('contract.end', '-30d'), run = function() end }\n"
                     "rule 'set' { on = 'X', run = function(event, customer)\n"
                     "  customer:set('contract', { ['end'] = event.till }) end }");
    uint64_t seq = play_identify(play, "u1", "{'contract':{'end':'31.12.2020'}}");
    assert_has(play_timeline(play, 1, seq, 0),
               "'log':['rule \\'renew\\' cannot read contract.end (31.12.2020): a date is written "
               "\\'2026-12-31\\', \\'2026-12-31 10:00\\' or \\'2026-12-31T10:00Z\\'']");
    play->now += 1000;
    seq = play_track(play, "u1", "X", "{'till':'--12-31'}");
    assert_has(play_timeline(play, 1, seq, 0), "cannot read contract.end (--12-31)");
    play->now += 1000;
    seq = play_track(play, "u1", "X", "{'till':true}");
    assert_has(play_timeline(play, 1, seq, 0), "cannot read contract.end (no text)");
    play->now += 1000;
    seq = play_track(play, "u1", "X", "{'till':'2020-12-31'}"); /* past, and well written */
    assert_lacks(play_timeline(play, 1, seq, 0), "log");
    play->now += 1000;
    seq = play_track(play, "u1", "X", "{}");
    assert_lacks(play_timeline(play, 1, seq, 0), "log");
}

static void a_birthday_that_nobody_can_read_is_told(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'g' { on = yearly 'birthday', run = function() end }\n"
                     "rule 'c' { on = yearly('birthday', { calendar = 'chinese' }),\n"
                     "  run = function() end }");
    uint64_t seq = play_identify(play, "u1", "{'birthday':'--02-30'}");
    assert_has(play_timeline(play, 1, seq, 0),
               "['rule \\'g\\' cannot read birthday (--02-30): a day of the year is written "
               "\\'1992-02-29\\' or, without its year, \\'--02-29\\'','rule \\'c\\' cannot read");
    play->now += 1000;
    seq = play_identify(play, "u1", "{'birthday':'--02-29'}");
    assert_has(play_timeline(play, 1, seq, 0),
               "'log':['rule \\'c\\' cannot read birthday (--02-29): a day by the Chinese calendar "
               "is written as in the civil one, with its year: \\'1992-02-29\\'']");
    play->now += 1000;
    seq = play_identify(play, "u1", "{'birthday':'1850-02-01'}");
    assert_has(play_timeline(play, 1, seq, 0), "rule \\'c\\' cannot read birthday (1850-02-01): ");
}

static void a_zone_that_is_none_is_told(void **state)
{
    struct play *play = *state;
    uint64_t seq = play_identify(play, "u1", "{'timezone':'Mars/Base'}");
    assert_has(play_timeline(play, 1, seq, 0),
               "'log':['timezone (Mars/Base) is no zone and is not used: it is written "
               "\\'Europe/Berlin\\'']");
    play->now += 1000;
    seq = play_identify(play, "u1", "{'timezone':5}");
    assert_has(play_timeline(play, 1, seq, 0), "timezone (no text) is no zone");
    play->now += 1000;
    seq = play_identify(play, "u1", "{'timezone':'Asia/Shanghai'}");
    assert_lacks(play_timeline(play, 1, seq, 0), "log");
    play->now += 1000;
    seq = play_identify(play, "u1", "{'timezone':null}");
    assert_lacks(play_timeline(play, 1, seq, 0), "log");
}

/* -- Anniversaries -------------------------------------------------------- */

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
    assert_true(has_timer(play, 5));
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
    assert_true(has_timer(play, 2));
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
    assert_true(has_timer(play, 1));
}

static void a_schedule_that_is_gone_ends_in_silence(void **state)
{
    struct play *play = *state;
    rule_on(play, "every '1d'");
    play_identify(play, "u1", NULL);
    play_rules(play, "rule 'other' { on = 'X', run = function() end }");
    play_pass(play, 3 * DAY_MS);
    assert_lacks(play_types(play, 1), "schedule.due");
    assert_false(has_timer(play, 1));
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
        TEST(the_end_of_a_month_moves_one_time_and_no_other),
        TEST(the_end_of_a_month_at_a_time_of_day),
        TEST(a_leap_day_comes_back_every_four_years),
        TEST(late_ticks_put_nothing_off),
        TEST(after_an_outage_a_rhythm_goes_on_as_it_was),
        TEST(a_new_bundle_and_the_way_back_keep_the_rhythm),
        TEST(whoever_moves_keeps_the_day),
        TEST(whoever_moves_west_is_not_served_twice),
        TEST(what_whoever_moves_east_has_missed_is_due_at_once),
        TEST(a_merge_keeps_the_rhythm),
        TEST(a_merge_loses_no_date_that_is_due),
        TEST(a_merge_that_brings_another_date_counts_anew),
        TEST(every_working_day_ends_with_closing_time),
        TEST(every_second_working_day_at_a_time),
        TEST(every_few_working_hours),
        TEST(an_outage_of_working_days_is_not_made_up_for),
        TEST(a_date_is_shifted_by_working_days),
        TEST(a_date_is_shifted_by_working_days_to_a_time),
        TEST(a_date_is_shifted_by_working_hours),
        TEST(a_date_counts_from_the_trait),
        TEST(a_date_that_changes_is_counted_anew),
        TEST(a_date_that_is_removed_is_waited_for_no_more),
        TEST(a_time_without_an_offset_is_the_customers),
        TEST(a_birthday_may_lack_its_year),
        TEST(a_date_that_nobody_can_read_is_told_where_it_is_set),
        TEST(a_birthday_that_nobody_can_read_is_told),
        TEST(a_zone_that_is_none_is_told),
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

/* test_record_deadline.c -- deadlines of records: met, overdue, paused, moved. */
#include "tests/core/engine/engine_fixture.h"
#include "tests/core/engine/record_fixture.h"

#include <stdio.h>

/* The play begins on Wednesday 2026-10-28 at 00:00 UTC, 01:00 in Berlin; the 30th is a holiday. */
static void a_deadline_runs_over_a_holiday_and_a_weekend_and_reminds(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_pass(play, 10 * HOUR_MS);
    play_record_create(play, "{'subject':'late'}");
    assert_has(play_record_shown(play, "complaint", 1),
               "'deadlines':{'answer':{'status':'running','due':'2026-11-02T16:00:00.000Z'");
    assert_has(play_record_shown(play, "complaint", 1),
               "'rule':'2wd after it came into the state \\'received\\', by the company's "
               "calendar'");
    assert_has(play_task(play, 1), "'title':'complaint 1: answer (late)','state':'open',"
                                   "'assignee':'ann'");
    assert_has(play_task(play, 1), "'about':'complaint:1'");
    play_record_move(play, "acknowledge");
    assert_has(play_record_shown(play, "complaint", 1), "'status':'met'");
    assert_has(play_types(play, 1), "complaint.acknowledged reminder.closed complaint.met");
    assert_has(play_task(play, 1), "'state':'done'");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
}

static void what_is_not_met_is_overdue_and_escalated_at_its_exact_time(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_record_create(play, "{'subject':'late','severity':'high'}");
    /* 4wh from 01:00 on are over at 13:00 in Berlin, 12:00 UTC. */
    play_pass(play, 12 * HOUR_MS - 1);
    assert_lacks(play_types(play, 1), "complaint.overdue");
    play_pass(play, 1);
    assert_has(play_types(play, 1), "complaint.overdue reminder.due");
    assert_has(play_record_shown(play, "complaint", 1),
               "'status':'overdue','due':'2026-10-28T12:00:00.000Z'");
    play_pass(play, 2 * HOUR_MS - 1);
    assert_has(play_task(play, 1), "'assignee':'ann'");
    play_pass(play, 1);
    assert_has(play_task(play, 1), "'assignee':'bob'");
    /* The next working day closes at 17:00, 16:00 UTC. */
    play_pass(play, DAY_MS + 2 * HOUR_MS - 1);
    assert_has(play_task(play, 1), "'assignee':'bob'");
    play_pass(play, 1);
    assert_has(play_task(play, 1), "'assignee':'eve'");
    assert_has(play_record_shown(play, "complaint", 1), "'escalated':2");
    play_record_move(play, "acknowledge");
    assert_has(play_record_shown(play, "complaint", 1), "'status':'missed'");
    assert_has(play_types(play, 1), "complaint.missed");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
}

static void waiting_pauses_and_what_was_left_is_kept(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_pass(play, 9 * HOUR_MS);                                     /* 10:00 in Berlin */
    play_record_create(play, "{'subject':'late','severity':'high'}"); /* due at 14:00 */
    play_pass(play, HOUR_MS);
    play_record_move(play, "ask");
    play_record_done(play);
    assert_has(play_record_shown(play, "complaint", 1),
               "'status':'paused','left':'3h 0min of working time'");
    assert_has(play_task(play, 1), "'outcome':'paused'");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
    play_pass(play, 5 * HOUR_MS); /* 16:00 */
    play_record_move(play, "resume");
    /* One hour today, the 30th is free, two on Monday: but tomorrow is Thursday and open. */
    assert_has(play_record_shown(play, "complaint", 1),
               "'status':'running','due':'2026-10-29T10:00:00.000Z'");
    assert_has(play_record_shown(play, "complaint", 1),
               "'reason':'it waited from 2026-10-28T10:00:00.000Z until 2026-10-28T15:00:00.000Z'");
    assert_has(play_types(play, 1), "complaint.rescheduled");
    assert_has(play_task(play, 2), "'state':'open'");
    play_pass(play, 19 * HOUR_MS);
    assert_has(play_types(play, 1), "complaint.overdue");
}

/* What was left is the same time, but it will be another moment. */
static void another_calendar_is_noted_while_it_waits(void **state)
{
    struct play *play = *state;
    char lua[6000];
    play_record_begin(play, "");
    play_pass(play, 9 * HOUR_MS);
    play_record_create(play, "{'subject':'late','severity':'high'}"); /* due at 14:00 */
    play_pass(play, HOUR_MS);
    play_record_move(play, "ask");
    snprintf(lua, sizeof lua, "%s", play_record_rules);
    play_rules(play, lua); /* the same again */
    play_ticks(play);
    assert_lacks(play_record_shown(play, "complaint", 1), "is another");
    memcpy(strstr(lua, "2026-10-30"), "2026-10-29", 10);
    play_rules(play, lua);
    play_record_done(play);
    play_ticks(play);
    assert_has(play_record_shown(play, "complaint", 1),
               "'status':'paused','left':'3h 0min of working time'");
    assert_has(play_record_shown(play, "complaint", 1),
               "'reason':'the calendar or the policy is another (bundle ");
    play_ticks(play);
    play_pass(play, 5 * HOUR_MS); /* 16:00 */
    memcpy(strstr(lua, "2026-10-29"), "2026-12-24", 10);
    play_rules(play, lua); /* no tick has come to it yet */
    play_record_move(play, "resume");
    assert_has(play_record_shown(play, "complaint", 1),
               "until 2026-10-28T15:00:00.000Z, and the calendar is another (bundle ");
    assert_has(play_record_shown(play, "complaint", 1),
               "'status':'running','due':'2026-10-29T10:00:00.000Z'");
}

static void a_field_that_it_goes_by_moves_it(void **state)
{
    struct play *play = *state;
    play_record_begin(play, "");
    play_pass(play, 9 * HOUR_MS);
    play_record_create(play, "{'subject':'late'}");
    play_command(play, "record.change", NULL,
                 "{'kind':'complaint','record':1,'fields':{'severity':'high'}}");
    assert_has(play_record_shown(play, "complaint", 1), "'due':'2026-10-28T13:00:00.000Z'");
    assert_has(play_record_shown(play, "complaint", 1),
               "'reason':'severity is high: 4wh instead of 2wd'");
    assert_has(play_task(play, 1), "'due':1793192400000");
}

/* A bundle with another policy: by slices of ticks, and before anything is due by the old one. */
static void another_policy_moves_what_runs_and_says_so(void **state)
{
    struct play *play = *state;
    char lua[6000];
    play_world(play, 0, "{'sweep_per_tick':1}");
    play_record_begin(play, "");
    play_pass(play, 9 * HOUR_MS);
    for (int i = 0; i < 3; i++)
        play_record_create(play, "{'subject':'late'}");
    snprintf(lua, sizeof lua, "%s", play_record_rules);
    memcpy(strstr(lua, "'2wd'"), "'4wd'", 5);
    play_rules(play, lua);
    play_record_done(play);
    assert_true(play_ticks(play) >= 3);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_has(play_record_shown(play, "complaint", i), "'due':'2026-11-04T16:00:00.000Z'");
        assert_has(play_record_shown(play, "complaint", i),
                   "'was':'2026-11-02T16:00:00.000Z','due':'2026-11-04T16:00:00.000Z',"
                   "'reason':'the policy says 4wd instead of 2wd (bundle ");
    }
    memcpy(strstr(lua, "2026-10-30"), "2026-12-24", 10);
    play_rules(play, lua);
    play_ticks(play);
    assert_has(play_record_shown(play, "complaint", 1),
               "the calendar or the policy is another (bundle ");
    assert_has(play_record_shown(play, "complaint", 1), "'due':'2026-11-03T16:00:00.000Z','rule'");
    play_rules(play, "rule 'none' { on = 'X', run = function() end }");
    play_ticks(play);
    assert_has(play_record_shown(play, "complaint", 1), "'status':'dropped'");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
    play_record_move(play, "acknowledge");
    play_record_refused(play, E_NOTFOUND, "no kind is called \"complaint\"; there is none");
}

static void a_timer_that_fires_before_its_slice_goes_by_the_rules_of_now(void **state)
{
    struct play *play = *state;
    char lua[6000];
    play_world(play, 0, "{'sweep_per_tick':1}");
    play_record_begin(play, "");
    play_record_create(play, "{'subject':'a','severity':'high'}");
    play_record_create(play, "{'subject':'b','severity':'high'}");
    snprintf(lua, sizeof lua, "%s", play_record_rules);
    memcpy(strstr(lua, "'4wh'"), "'6wh'", 5);
    play_pass(play, 12 * HOUR_MS - 1);
    play_rules(play, lua);
    play->now += 2;
    play_tick(play); /* both timers, and one slice */
    assert_lacks(play_types(play, 1), "complaint.overdue");
    play_pass(play, 2 * HOUR_MS);
    assert_has(play_types(play, 1), "complaint.overdue");
}

static void a_deadline_crosses_a_change_of_the_clock(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "calendar 'round' { zone = 'Europe/Berlin', hours = { ['mon-sun'] = '00:00-24:00' } "
               "}\n"
               "kind 'case' { roles = { customer = { subject = true } }, states = { 'open',\n"
               "  { name = 'waiting', waiting = true }, { name = 'done', final = true } },\n"
               "  transitions = { wait = { from = 'open', to = 'waiting' },\n"
               "    go = { from = 'waiting', to = 'open' } },\n"
               "  deadlines = { days = { from = 'open', due = '3d' },\n"
               "    hours = { from = 'open', due = '72h' },\n"
               "    work = { from = 'open', due = '72wh', calendar = 'round' } } }");
    play_record_done(play);
    play_identify(play, "u1", NULL);
    play->now = 1805968800000ll; /* 2027-03-25 10:00 UTC; the clock goes forward on the 28th */
    play_command(play, "record.create", "1", "{'kind':'case'}");
    play_record_done(play);
    assert_has(play_record_shown(play, "case", 1),
               "'days':{'status':'running','due':'2027-03-28T09:00:00");
    assert_has(play_record_shown(play, "case", 1),
               "'hours':{'status':'running','due':'2027-03-28T10:00:00");
    assert_has(play_record_shown(play, "case", 1),
               "'work':{'status':'running','due':'2027-03-28T10:00:00");
    play->now += DAY_MS;
    play_command(play, "record.move", NULL, "{'kind':'case','record':1,'transition':'wait'}");
    assert_has(play_record_shown(play, "case", 1), "'days':{'status':'paused','left':'2d 0min'");
    play->now += DAY_MS;
    play_command(play, "record.move", NULL, "{'kind':'case','record':1,'transition':'go'}");
    assert_has(play_record_shown(play, "case", 1),
               "'days':{'status':'running','due':'2027-03-29T09:00:00");
    assert_has(play_record_shown(play, "case", 1),
               "'hours':{'status':'running','due':'2027-03-29T10:00:00");
}

static void a_deadline_counts_from_a_field_once_it_says_when(void **state)
{
    struct play *play = *state;
    play_rules(play, "kind 'promise' { roles = { customer = { subject = true } },\n"
                     "  fields = { until_ = 'time' }, states = { 'open', 'kept' },\n"
                     "  transitions = { keep = { from = 'open', to = 'kept' } },\n"
                     "  deadlines = { keep = { from = 'open', since = 'until_', due = '1h',\n"
                     "    to = 'ann' } } }");
    play_record_done(play);
    play_identify(play, "u1", NULL);
    play_command(play, "record.create", "1", "{'kind':'promise'}");
    assert_has(play_record_shown(play, "promise", 1), "'deadlines':{}");
    play_command(play, "record.change", NULL,
                 "{'kind':'promise','record':1,'fields':{'until_':'2026-10-28T10:00:00Z'}}");
    assert_has(play_record_shown(play, "promise", 1), "'due':'2026-10-28T11:00:00.000Z'");
    play_command(play, "record.change", NULL,
                 "{'kind':'promise','record':1,'fields':{'until_':'2026-10-28T12:00:00Z'}}");
    assert_has(play_record_shown(play, "promise", 1), "'reason':'until_ is another moment'");
    assert_has(play_record_shown(play, "promise", 1), "'due':'2026-10-28T13:00:00.000Z'");
    play_command(play, "record.change", NULL,
                 "{'kind':'promise','record':1,'fields':{'until_':null}}");
    assert_has(play_record_shown(play, "promise", 1), "'status':'dropped'");
}

static void a_record_about_nobody_has_deadlines_too(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "kind 'article' { fields = { name = 'text' }, states = { 'draft', 'public' },\n"
               "  transitions = { publish = { from = 'draft', to = 'public' } },\n"
               "  deadlines = { review = { from = 'draft', due = '1h', to = 'ann' } } }\n"
               "rule 'r' { on = 'article.overdue', run = function(event)\n"
               "  event.record:move('publish') end }");
    play_record_done(play);
    play_command(play, "record.create", NULL, "{'kind':'article','fields':{'name':'Tea'}}");
    play_record_done(play);
    play_pass(play, HOUR_MS);
    assert_has(play_record_shown(play, "article", 1), "'state':'public'");
    assert_has(play_record_shown(play, "article", 1), "'customer':null");
    assert_has(play_types(play, 0), "article.overdue article.public article.missed");
}

static void what_two_bundles_call_the_same_is_one_table(void **state)
{
    struct play *play = *state;
    assert_int_not_equal(
        play_load(play, "kind 'a' { states = { 'x' } } kind 'a' { states = { 'x' } }"), 0);
    assert_has(play->err.text, "a kind called \"a\" is declared already");
    assert_int_not_equal(play_load(play, "kind 'a' { states = { 'x' } }\n"
                                         "rule 'r' { on = 'a.y', run = function() end }"),
                         0);
    assert_has(play->err.text, "nothing is called \"a.y\"");
    assert_int_not_equal(play_load(play, "kind 'a' { states = { 'x' }, deadlines = { d = {\n"
                                         "  from = 'x', due = '1wd', calendar = 'moon' } } }"),
                         0);
    assert_has(play->err.text, "no calendar is called \"moon\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_deadline_runs_over_a_holiday_and_a_weekend_and_reminds),
        TEST(what_is_not_met_is_overdue_and_escalated_at_its_exact_time),
        TEST(waiting_pauses_and_what_was_left_is_kept),
        TEST(another_calendar_is_noted_while_it_waits),
        TEST(a_field_that_it_goes_by_moves_it),
        TEST(another_policy_moves_what_runs_and_says_so),
        TEST(a_timer_that_fires_before_its_slice_goes_by_the_rules_of_now),
        TEST(a_deadline_crosses_a_change_of_the_clock),
        TEST(a_deadline_counts_from_a_field_once_it_says_when),
        TEST(a_record_about_nobody_has_deadlines_too),
        TEST(what_two_bundles_call_the_same_is_one_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

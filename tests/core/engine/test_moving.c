/* test_moving.c -- what is due by a customer's clock on the wall moves with her. */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/moment.h"

#include <stdio.h>

/* Shanghai is at +08:00; New York at -04:00, from 1 November 2026, 06:00Z, on at -05:00. */
static const char rules[] =
    "rule 'remind' { on = 'Remind', run = function(event)\n"
    "  remind { title = 'call', to = event.to or 'ann', due = event.due, at = event.clock,\n"
    "    key = event.key, escalate = event.escalate } end }\n"
    "rule 'after' { on = 'After', run = function(event)\n"
    "  after { due = event.due, at = event.clock, key = event.key, emit = 'Late' } end }\n"
    "rule 'move' { on = 'Move', run = function(event, customer)\n"
    "  customer:set('timezone', event.zone)\n"
    "  if event.fails then error('no') end end }\n";

static void begin(struct play *play, const char *zone)
{
    char traits[80];
    play_rules(play, rules);
    snprintf(traits, sizeof traits, "{'timezone':'%s'}", zone);
    play_identify(play, "u1", traits);
}

static void move(struct play *play, const char *user, const char *zone)
{
    char traits[80];
    snprintf(traits, sizeof traits, "{'timezone':'%s'}", zone);
    play_identify(play, user, traits);
}

static int64_t ms_of(const char *text)
{
    int64_t ms = 0;
    assert_int_equal(moment_parse(text, strlen(text), &ms, NULL), 0);
    return ms;
}

static void assert_due(struct play *play, uint64_t task, const char *due)
{
    char wanted[40];
    snprintf(wanted, sizeof wanted, "'due':%lld,", (long long)ms_of(due));
    assert_has(play_task(play, task), wanted);
}

static void pass_to(struct play *play, const char *text)
{
    play_pass(play, ms_of(text) - play->now);
}

/* -- By the words --------------------------------------------------------- */

static void a_reminder_of_a_wall_clock_moves(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'2026-11-10 10:00'}");
    assert_due(play, 1, "2026-11-10T02:00Z");
    move(play, "u1", "America/New_York");
    assert_due(play, 1, "2026-11-10T15:00Z");
    assert_has(play_types(play, 1), "identify reminder.moved");
    pass_to(play, "2026-11-10T14:59:59.999Z");
    assert_lacks(play_types(play, 1), "reminder.due");
    play_pass(play, 1);
    assert_has(play_types(play, 1), "reminder.due");
}

static void a_reminder_in_days_counts_from_when_it_was_set(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai"); /* where it is eight in the morning of the 28th */
    play_track(play, "u1", "Remind", "{'due':'5d','clock':'10:00','key':'at'}");
    play_track(play, "u1", "Remind", "{'due':'5d','key':'same'}");
    assert_due(play, 1, "2026-11-02T02:00Z");
    assert_due(play, 2, "2026-11-02T00:00Z");
    play_pass(play, 2 * DAY_MS);
    move(play, "u1", "America/New_York"); /* where it was eight in the evening of the 27th */
    assert_due(play, 1, "2026-11-01T15:00Z");
    assert_due(play, 2, "2026-11-02T01:00Z"); /* the same wall clock, an hour set back */
    move(play, "u1", "Asia/Shanghai");
    assert_due(play, 1, "2026-11-02T02:00Z");
    assert_due(play, 2, "2026-11-02T00:00Z");
}

static void a_date_without_a_time_is_nine_in_her_morning(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'2026-11-10'}");
    move(play, "u1", "America/New_York");
    assert_due(play, 1, "2026-11-10T14:00Z");
}

static void what_follows_no_clock_of_hers_stays(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'30h','key':'a'}");
    play_track(play, "u1", "Remind", "{'due':'1wd','key':'b'}");
    play_track(play, "u1", "Remind", "{'due':'2026-11-10T10:00+01:00','key':'c'}");
    play_track(play, "u1", "Remind", "{'due':1794000000000,'key':'d'}");
    play_entry(play, LOG_STAFF,
               "{'type':'reminder.set','ref':'1','data':{'title':'t','civil':'2026-11-10 10:00',"
               "'due':%lld}}",
               (long long)ms_of("2026-11-10T09:00Z"));
    const char *before[5];
    for (uint64_t i = 0; i < 5; i++)
        before[i] = play_task(play, i + 1);
    move(play, "u1", "America/New_York");
    for (uint64_t i = 0; i < 5; i++)
        assert_string_equal(play_task(play, i + 1), before[i]);
    assert_lacks(play_types(play, 1), "reminder.moved");
}

static void a_timer_of_a_rule_moves(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "After", "{'due':'2026-11-10 10:00'}");
    play_track(play, "u1", "After", "{'due':'30h','key':'elapsed'}");
    move(play, "u1", "America/New_York");
    assert_has(play_profile(play, 1), "'w':2");
    pass_to(play, "2026-10-29T06:00Z");
    assert_has(play_types(play, 1), "Late");
    pass_to(play, "2026-11-10T14:59:59Z");
    assert_lacks(strstr(play_types(play, 1), "Late") + 4, "Late");
    play_pass(play, SECOND_MS);
    assert_has(strstr(play_types(play, 1), "Late") + 4, "Late");
    assert_lacks(play_profile(play, 1), "'w'");
}

static void a_moved_timer_is_still_found_by_its_key(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "After", "{'due':'2026-11-10 10:00','key':'k'}");
    move(play, "u1", "America/New_York");
    play_track(play, "u1", "After", "{'due':'2026-11-20 10:00','key':'k'}");
    assert_has(play_profile(play, 1), "'w':1");
    pass_to(play, "2026-11-19T00:00Z");
    assert_lacks(play_types(play, 1), "Late");
}

/* -- At the edges of time ------------------------------------------------- */

static void what_has_been_due_stays_due(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'2026-11-10 10:00'}");
    pass_to(play, "2026-11-10T03:00Z");
    assert_has(play_types(play, 1), "reminder.due");
    move(play, "u1", "America/New_York");
    assert_due(play, 1, "2026-11-10T02:00Z");
    play_pass(play, 2 * DAY_MS);
    assert_lacks(strstr(play_types(play, 1), "reminder.due") + 12, "reminder.due");
}

static void what_would_have_been_due_is_due_at_once(void **state)
{
    struct play *play = *state;
    begin(play, "America/New_York");
    play_track(play, "u1", "Remind", "{'due':'2026-11-10 10:00'}");
    play_track(play, "u1", "After", "{'due':'2026-11-10 10:00'}");
    pass_to(play, "2026-11-10T08:00Z");
    move(play, "u1", "Asia/Shanghai");
    assert_due(play, 1, "2026-11-10T02:00Z");
    assert_lacks(play_types(play, 1), "reminder.due");
    play_pass(play, SECOND_MS);
    assert_has(play_types(play, 1), "reminder.due");
    assert_has(play_types(play, 1), "Late");
}

static void an_escalation_keeps_its_distance(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind",
               "{'due':'2026-11-10 10:00','escalate':{'after':'2h','to':'boss'}}");
    move(play, "u1", "America/New_York");
    pass_to(play, "2026-11-10T16:59:59Z");
    assert_has(play_task(play, 1), "'assignee':'ann'");
    play_pass(play, SECOND_MS);
    assert_has(play_task(play, 1), "'assignee':'boss'");
}

/* Each move makes the timer due, and what it does makes the next: time must pass all the same. */
static void moving_to_and_fro_does_not_keep_the_clock_busy(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = { 'X', 'Late' }, run = function(event, customer)\n"
                     "  customer:set('timezone', 'America/New_York') end }\n"
                     "rule 's' { on = { 'X', 'Late' }, run = function(event, customer)\n"
                     "  after { due = '2026-10-28 10:00', emit = 'Late' }\n"
                     "  customer:set('timezone', 'Asia/Shanghai') end }");
    pass_to(play, "2026-10-28T05:00Z");
    play_track(play, "u1", "X", NULL);
    pass_to(play, "2026-10-28T06:00Z");
    unsigned count = 0;
    for (const char *at = play_types(play, 1); (at = strstr(at, "Late")) != NULL; at++)
        count++;
    assert_in_range(count, 1, 60 + 20);
}

/* -- Who says so ---------------------------------------------------------- */

static void a_rule_may_move_her(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'2026-11-10 10:00'}");
    play_pass(play, MINUTE_MS);
    play_track(play, "u1", "Move", "{'zone':'America/New_York','fails':true}");
    assert_due(play, 1, "2026-11-10T02:00Z"); /* what fails changes nothing */
    play_track(play, "u1", "Move", "{'zone':'America/New_York'}");
    assert_due(play, 1, "2026-11-10T15:00Z");
}

static void a_zone_that_is_none_is_the_companys(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'2026-11-10 10:00'}");
    play_pass(play, MINUTE_MS);
    move(play, "u1", "Mars/Olympus");
    assert_due(play, 1, "2026-11-10T09:00Z"); /* Berlin */
}

static void a_merge_gives_all_of_them_the_winners_zone(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_pass(play, MINUTE_MS);
    move(play, "u2", "America/New_York"); /* said later: it wins */
    play_track(play, "u1", "Remind", "{'due':'2026-11-10 10:00'}");
    play_track(play, "u2", "Remind", "{'due':'2026-11-10 10:00'}");
    assert_due(play, 1, "2026-11-10T02:00Z");
    play_command(play, "customer.merge", "user_id:u1", "{'absorbed':'user_id:u2'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_due(play, 1, "2026-11-10T15:00Z");
    assert_due(play, 2, "2026-11-10T15:00Z");
    play_command(play, "customer.unmerge", "2", NULL);
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_due(play, 1, "2026-11-10T02:00Z");
    assert_due(play, 2, "2026-11-10T15:00Z");
}

static void a_merge_moves_what_the_absorbed_had(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_entry(play, LOG_CLIENT,
               "{'type':'Remind','call':'track','anon':'a1','source':'web','data':{"
               "'due':'2026-11-10 10:00'}}");
    assert_due(play, 1, "2026-11-10T09:00Z"); /* nothing is known of her: Berlin */
    play_entry(play, LOG_CLIENT,
               "{'type':'identify','call':'identify','user':'u1','anon':'a1',"
               "'source':'web','data':{}}");
    assert_due(play, 1, "2026-11-10T02:00Z");
}

static void schedules_follow_the_zone_of_a_merge(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'daily' { on = every('1d', { at = '09:00' }), run = function()\n"
                     "  log('ran') end }");
    move(play, "u1", "Asia/Shanghai");
    play_pass(play, MINUTE_MS);
    move(play, "u2", "America/New_York");
    play_command(play, "customer.merge", "user_id:u1", "{'absorbed':'user_id:u2'}");
    pass_to(play, "2026-10-28T12:59Z");
    assert_lacks(play_types(play, 1), "schedule.due");
    pass_to(play, "2026-10-28T13:00Z");
    assert_has(play_types(play, 1), "schedule.due");
}

static void the_traits_of_a_group_call_move_the_organisation(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    static const char group[] =
        "{'type':'group','call':'group','user':'u1','source':'web','data':{'groupId':'g',"
        "'traits':{'timezone':'%s'}}}";
    play_entry(play, LOG_CLIENT, group, "Asia/Shanghai");
    play_entry(play, LOG_CLIENT,
               "{'type':'Remind','ref':'external:group:g','source':'web',"
               "'data':{'due':'2026-11-10 10:00'}}");
    assert_due(play, 1, "2026-11-10T02:00Z");
    play_pass(play, MINUTE_MS);
    play_entry(play, LOG_CLIENT, group, "America/New_York");
    assert_due(play, 1, "2026-11-10T15:00Z");
}

/* -- Slices --------------------------------------------------------------- */

static void many_timers_move_by_slices(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'moves_per_tick':2}");
    begin(play, "Asia/Shanghai");
    for (int i = 0; i < 4; i++)
        play_entry(play, LOG_CLIENT,
                   "{'type':'Remind','user':'u1','data':{'due':'2026-11-10 10:00','key':'%d'}}", i);
    play_track(play, "u1", "After", "{'due':'2026-11-10 10:00','key':'x'}");
    pass_to(play, "2026-11-10T01:59:59.999Z");
    move(play, "u1", "America/New_York");
    assert_due(play, 1, "2026-11-10T15:00Z");
    assert_due(play, 4, "2026-11-10T02:00Z"); /* not yet */
    assert_true(engine_next_due(play->engine) <= play->now);
    play->now += HOUR_MS; /* the next tick is late: what is due by now must not fire first */
    assert_int_equal(play_ticks(play), 2);
    assert_due(play, 4, "2026-11-10T15:00Z");
    assert_lacks(play_types(play, 1), "reminder.due");
    assert_lacks(play_types(play, 1), "Late");
    assert_has(play_profile(play, 1), "'w':5");
    pass_to(play, "2026-11-10T15:00Z");
    assert_has(play_types(play, 1), "reminder.due");
    assert_has(play_types(play, 1), "Late");
}

static void a_second_move_takes_the_place_of_the_first(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'moves_per_tick':1}");
    begin(play, "Asia/Shanghai");
    for (int i = 0; i < 4; i++)
        play_entry(play, LOG_CLIENT,
                   "{'type':'Remind','user':'u1','data':{'due':'2026-11-10 10:00','key':'%d'}}", i);
    play_pass(play, MINUTE_MS);
    move(play, "u1", "America/New_York");
    play->now++;
    move(play, "u1", "Europe/Berlin");
    play_ticks(play);
    for (uint64_t task = 1; task <= 4; task++)
        assert_due(play, task, "2026-11-10T09:00Z");
    assert_true(engine_next_due(play->engine) > play->now);
}

/* -- Snoozing ------------------------------------------------------------- */

static void a_snoozed_reminder_says_what_it_was_snoozed_by(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'3d'}");
    assert_has(play_task(play, 1), "'civil':'3d'");
    play_entry(play, LOG_STAFF,
               "{'type':'reminder.snooze','data':{'task':1,'due':%lld,'civil':'2d'}}",
               (long long)(play->now + 2 * DAY_MS));
    assert_has(play_task(play, 1), "'civil':'2d'");
    int64_t due = ms_of("2026-11-10T09:00Z");
    play_entry(play, LOG_STAFF, "{'type':'reminder.snooze','data':{'task':1,'due':%lld}}",
               (long long)due);
    assert_lacks(play_task(play, 1), "civil");
    move(play, "u1", "America/New_York"); /* staff said it, at their own clock */
    assert_due(play, 1, "2026-11-10T09:00Z");
}

static void the_next_one_says_what_it_was_set_by(void **state)
{
    struct play *play = *state;
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'3d'}");
    play_entry(play, LOG_STAFF,
               "{'type':'reminder.done','data':{'task':1,'next':%lld,'civil':'1wd'}}",
               (long long)(play->now + 2 * DAY_MS));
    assert_has(play_task(play, 2), "'civil':'1wd'");
}

static void a_snooze_needs_room_among_the_timers(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'timers':2}");
    begin(play, "Asia/Shanghai");
    play_track(play, "u1", "Remind", "{'due':'1h','key':'1'}");
    play_pass(play, 2 * HOUR_MS); /* its timer has fired */
    play_track(play, "u1", "Remind", "{'due':'1d','key':'2'}");
    play_track(play, "u1", "Remind", "{'due':'1d','key':'3'}");
    play_entry(play, LOG_STAFF, "{'type':'reminder.snooze','data':{'task':1,'due':%lld}}",
               (long long)(play->now + DAY_MS));
    assert_int_equal(play->result.code, E_LIMIT);
    play_world(play, 0, "{'timers':1}"); /* one that is set is moved, whatever the limit */
    play_entry(play, LOG_STAFF, "{'type':'reminder.snooze','data':{'task':2,'due':%lld}}",
               (long long)ms_of("2026-11-10T09:00Z"));
    assert_int_equal(play->result.status, ENGINE_DONE);
    pass_to(play, "2026-11-09T00:00Z");
    play_reports(play);
    pass_to(play, "2026-11-10T09:00Z");
    assert_has(play_timeline(play, 1, engine_seq(play->engine), 1), "'type':'reminder.due'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reminder_of_a_wall_clock_moves),
        TEST(a_reminder_in_days_counts_from_when_it_was_set),
        TEST(a_date_without_a_time_is_nine_in_her_morning),
        TEST(what_follows_no_clock_of_hers_stays),
        TEST(a_timer_of_a_rule_moves),
        TEST(a_moved_timer_is_still_found_by_its_key),
        TEST(what_has_been_due_stays_due),
        TEST(what_would_have_been_due_is_due_at_once),
        TEST(an_escalation_keeps_its_distance),
        TEST(moving_to_and_fro_does_not_keep_the_clock_busy),
        TEST(a_rule_may_move_her),
        TEST(a_zone_that_is_none_is_the_companys),
        TEST(a_merge_gives_all_of_them_the_winners_zone),
        TEST(a_merge_moves_what_the_absorbed_had),
        TEST(schedules_follow_the_zone_of_a_merge),
        TEST(the_traits_of_a_group_call_move_the_organisation),
        TEST(many_timers_move_by_slices),
        TEST(a_second_move_takes_the_place_of_the_first),
        TEST(a_snoozed_reminder_says_what_it_was_snoozed_by),
        TEST(the_next_one_says_what_it_was_set_by),
        TEST(a_snooze_needs_room_among_the_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

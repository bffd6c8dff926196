/* test_timer.c -- timers, ticks, reminders, staff. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

/* -- Timers and ticks ----------------------------------------------------- */

static const char after_rules[] =
    "rule 'after' { on = 'After', run = function(event)\n"
    "  after { due = event.due, key = event.key, emit = event.say, data = { n = event.n } } end }\n"
    "rule 'cancel' { on = 'Cancel', run = function(event)\n"
    "  log(tostring(cancel(event.key))) end }\n";

static void a_timer_comes_back_as_an_event_with_its_data(void **state)
{
    struct play *play = *state;
    play_rules(play, after_rules);
    play_track(play, "u1", "After", "{'due':'1h','say':'Late','n':7}");
    play_pass(play, HOUR_MS - 1);
    assert_lacks(play_types(play, 1), "Late");
    play_pass(play, 1);
    assert_has(play_types(play, 1), "Late");
    assert_has(play_timeline(play, 1, engine_seq(play->engine), 1), "'by':'after','data':{'n':7}");
    assert_lacks(play_profile(play, 1), "'w'");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
}

static void the_same_key_moves_a_timer(void **state)
{
    struct play *play = *state;
    play_rules(play, after_rules);
    play_track(play, "u1", "After", "{'due':'1h','key':'k','say':'Late'}");
    play_pass(play, 30 * MINUTE_MS);
    play_track(play, "u1", "After", "{'due':'1h','key':'k','say':'Later'}");
    assert_has(play_profile(play, 1), "'w':1");
    play_pass(play, 59 * MINUTE_MS);
    assert_lacks(play_types(play, 1), "Late");
    play_pass(play, MINUTE_MS);
    assert_has(play_types(play, 1), "Later");
}

static void a_cancelled_timer_does_not_come(void **state)
{
    struct play *play = *state;
    play_rules(play, after_rules);
    play_track(play, "u1", "After", "{'due':'1h','key':'k','say':'Late'}");
    uint64_t seq = play_track(play, "u1", "Cancel", "{'key':'k'}");
    assert_has(play_timeline(play, 1, seq, 0), "'log':['true']");
    seq = play_track(play, "u1", "Cancel", "{'key':'k'}");
    assert_has(play_timeline(play, 1, seq, 0), "'log':['false']");
    play_pass(play, DAY_MS);
    assert_lacks(play_types(play, 1), "Late");
}

static void a_tick_fires_in_order_of_due_owner_and_key(void **state)
{
    struct play *play = *state;
    play_rules(play, after_rules);
    play_identify(play, "u1", NULL);
    play_track(play, "u2", "After", "{'due':'1h','key':'b','say':'S'}");
    play_track(play, "u2", "After", "{'due':'1h','key':'a','say':'S'}");
    play_track(play, "u1", "After", "{'due':'1h','key':'z','say':'S'}");
    play_track(play, "u2", "After", "{'due':'30min','key':'late','say':'First'}");
    play->now += DAY_MS;
    uint64_t seq = play_tick(play);
    assert_has(play_timeline(play, 2, seq, 1), "'First'");
    assert_has(play_timeline(play, 1, seq, 2), "'S'");
    assert_has(play_timeline(play, 2, seq, 3), "'S'");
    assert_has(play_timeline(play, 2, seq, 4), "'S'");
}

static void a_tick_fires_a_bounded_number_and_asks_for_more(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'timers_per_tick':2}");
    play_rules(play, after_rules);
    for (int i = 0; i < 5; i++)
        play_entry(play, LOG_CLIENT,
                   "{'type':'After','user':'u%d','data':{'due':'1h','key':'k','say':'S'}}", i);
    play->now += 2 * HOUR_MS;
    assert_true(engine_next_due(play->engine) <= play->now);
    assert_int_equal(play_ticks(play), 3);
    assert_has(play_types(play, 5), "S");
}

static void only_a_tick_fires(void **state)
{
    struct play *play = *state;
    play_rules(play, after_rules);
    play_track(play, "u1", "After", "{'due':'1h','key':'k','say':'S'}");
    play->now += DAY_MS;
    play_track(play, "u1", "X", NULL);
    assert_lacks(play_types(play, 1), "S ");
    play_ticks(play);
    assert_has(play_types(play, 1), "X S");
}

static void a_customer_has_so_many_timers_and_no_more(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'timers':2}");
    play_rules(play, after_rules);
    for (int i = 0; i < 3; i++)
        play_entry(play, LOG_CLIENT,
                   "{'type':'After','user':'u1','data':{'due':'1h','key':'k%d','say':'S'}}", i);
    assert_has(play_types(play, 1), "rule.failed");
    assert_has(play_profile(play, 1), "'w':2");
    uint64_t seq = play_track(play, "u1", "After", "{'due':'2h','key':'k1','say':'S'}");
    assert_has(play_timeline(play, 1, seq, 0), "'rules':['after']"); /* moving is allowed */
}

static void a_timer_of_less_than_a_second_is_refused(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function()\n"
                     "  after { due = now() + 999, key = 'k', emit = 'Y' } end }");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 3),
               "rules.lua:2: after: due must lie at least a second ahead");
}

/* -- Reminders ------------------------------------------------------------ */

static const char remind_rules[] =
    "rule 'remind' { on = 'Remind', run = function(event)\n"
    "  remind { title = event.title or 'call', to = event.to or 'ann', due = event.due or '1d',\n"
    "    key = event.key, escalate = event.escalate, note = event.note } end }\n";

static size_t of_assignee(struct play *play, const char *assignee)
{
    struct key prefix;
    key_start(&prefix, 'o');
    key_text(&prefix, text_of(assignee));
    return play_count(play, &prefix);
}

static void a_reminder_is_due_in_time_and_stays_open(void **state)
{
    struct play *play = *state;
    play_rules(play, remind_rules);
    play_track(play, "u1", "Remind", NULL);
    assert_has(play_task(play, 1), "'title':'call','state':'open','assignee':'ann'");
    assert_has(play_task(play, 1), "'civil':'1d'");
    play_pass(play, DAY_MS + HOUR_MS);
    assert_has(play_types(play, 1), "reminder.created reminder.due");
    assert_has(play_task(play, 1), "'state':'open'");
    assert_int_equal(of_assignee(play, "ann"), 1);
}

static void the_same_key_moves_a_reminder(void **state)
{
    struct play *play = *state;
    play_rules(play, remind_rules);
    play_track(play, "u1", "Remind", "{'key':'k'}");
    play_track(play, "u1", "Remind", "{'key':'k','title':'write','to':'bob','due':'2d'}");
    assert_has(play_task(play, 1), "'title':'write','state':'open','assignee':'bob'");
    assert_string_equal(play_task(play, 2), "");
    assert_int_equal(of_assignee(play, "ann"), 0);
    assert_int_equal(of_assignee(play, "bob"), 1);
    play_track(play, "u1", "Remind", "{'key':'other'}");
    assert_has(play_task(play, 2), "'title':'call'");
    assert_has(play_types(play, 1), "reminder.moved");
}

static void what_is_done_is_open_no_more_and_comes_anew(void **state)
{
    struct play *play = *state;
    play_rules(play, remind_rules);
    play_track(play, "u1", "Remind", "{'key':'k'}");
    play_command(play, "reminder.done", NULL, "{'task':1,'outcome':'sold'}");
    assert_int_equal(play->result.task, 1);
    assert_int_equal(play->result.customer, 1);
    assert_has(play_task(play, 1), "'state':'done'");
    assert_has(play_task(play, 1), "'outcome':'sold'");
    assert_int_equal(of_assignee(play, "ann"), 0);
    play_pass(play, 3 * DAY_MS);
    assert_lacks(play_types(play, 1), "reminder.due");
    play_track(play, "u1", "Remind", "{'key':'k'}");
    assert_has(play_task(play, 2), "'state':'open'");
    play_command(play, "reminder.done", NULL, "{'task':1}");
    assert_int_equal(play->result.code, E_CONFLICT);
    play_command(play, "reminder.done", NULL, "{'task':9}");
    assert_int_equal(play->result.code, E_NOTFOUND);
}

static void done_may_name_the_next_one(void **state)
{
    struct play *play = *state;
    play_rules(play, remind_rules);
    play_track(play, "u1", "Remind", NULL);
    play_entry(play, LOG_STAFF, "{'type':'reminder.done','data':{'task':1,'next':%lld}}",
               (long long)(play->now + 7 * DAY_MS));
    assert_has(play_task(play, 2), "'title':'call','state':'open','assignee':'ann'");
    play_command(play, "reminder.done", NULL, "{'task':2,'next':-5}");
    assert_int_equal(play->result.code, E_INVALID);
    assert_has(play_task(play, 2), "'state':'open'");
}

static void a_snoozed_reminder_comes_later(void **state)
{
    struct play *play = *state;
    play_rules(play, remind_rules);
    play_track(play, "u1", "Remind", NULL);
    play_entry(play, LOG_STAFF, "{'type':'reminder.snooze','data':{'task':1,'due':%lld}}",
               (long long)(play->now + 3 * DAY_MS));
    play_pass(play, 2 * DAY_MS);
    assert_lacks(play_types(play, 1), "reminder.due");
    play_pass(play, DAY_MS);
    assert_has(play_types(play, 1), "reminder.snoozed reminder.due");
    play_command(play, "reminder.snooze", NULL, "{'task':1}");
    assert_int_equal(play->result.code, E_INVALID);
}

static void staff_sets_reminders_too(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_entry(play, LOG_STAFF,
               "{'type':'reminder.set','ref':'1','by':'ann','data':{'title':'t','to':'bob',"
               "'due':%lld}}",
               (long long)(play->now + DAY_MS));
    assert_int_equal(play->result.task, 1);
    assert_has(play_task(play, 1), "'by':'ann'");
    play_command(play, "reminder.set", "1", "{'title':'t','to':'bob'}");
    assert_int_equal(play->result.code, E_INVALID);
    play_command(play, "reminder.set", "1", "{'due':1793145700000}");
    assert_has(play->result.reason, "needs a title");
}

static void a_reminder_escalates_when_nobody_acts(void **state)
{
    struct play *play = *state;
    play_rules(play, remind_rules);
    play_track(play, "u1", "Remind", "{'escalate':{'after':'2h','to':'boss'}}");
    play_pass(play, DAY_MS + 3 * HOUR_MS);
    assert_has(play_types(play, 1), "reminder.due reminder.escalated");
    assert_has(play_task(play, 1), "'assignee':'boss'");
    assert_int_equal(of_assignee(play, "ann"), 0);
    assert_int_equal(of_assignee(play, "boss"), 1);
    play_track(play, "u1", "Remind", "{'escalate':{'after':'2h','to':'boss'}}");
    play_command(play, "reminder.done", NULL, "{'task':1}");
    play_command(play, "reminder.done", NULL, "{'task':2}");
    play_pass(play, 3 * DAY_MS);
    assert_lacks(strstr(play_types(play, 1), "reminder.escalated") + 10, "reminder.escalated");
}

static void an_escalation_needs_room_among_the_timers(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'timers':1}");
    play_rules(play, remind_rules);
    play_track(play, "u1", "Remind", "{'escalate':{'after':'2h','to':'boss'}}");
    assert_has(play_types(play, 1), "rule.failed");
    assert_string_equal(play_task(play, 1), "");
    play_track(play, "u1", "Remind", "{'key':'k'}");
    play_track(play, "u1", "Remind", "{'key':'k','title':'moved'}");
    assert_has(play_task(play, 1), "'title':'moved'");
}

static void a_rule_that_reminds_of_now_does_not_keep_the_clock_busy(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = { 'X', 'reminder.due' }, run = function()\n"
                     "  remind { title = 't', due = now(), key = 'k' } end }");
    play_track(play, "u1", "X", NULL);
    uint64_t before = engine_seq(play->engine);
    play_pass(play, 5 * SECOND_MS);
    assert_int_equal(engine_seq(play->engine) - before, 5); /* one tick a second */
}

static void what_does_not_fit_into_a_reminder_is_refused(void **state)
{
    struct play *play = *state;
    char name[200], text[9000];
    memset(name, 'n', sizeof name);
    memset(text, 't', sizeof text);
    name[199] = text[8999] = '\0';
    play_rules(play, remind_rules);
    play_entry(play, LOG_CLIENT, "{'type':'Remind','user':'u1','data':{'to':'%s'}}", name);
    play_entry(play, LOG_CLIENT, "{'type':'Remind','user':'u1','data':{'key':'%s'}}", name);
    play_entry(play, LOG_CLIENT, "{'type':'Remind','user':'u1','data':{'note':'%s'}}", text);
    play_entry(play, LOG_CLIENT, "{'type':'Remind','user':'u1','data':{'title':'%s'}}", text);
    assert_string_equal(play_task(play, 1), "");
    play_track(play, "u1", "Remind", NULL);
    play_entry(play, LOG_STAFF, "{'type':'reminder.done','data':{'task':1,'outcome':'%s'}}", text);
    assert_int_equal(play->result.status, ENGINE_REFUSED);
}

/* -- Staff and keys ------------------------------------------------------- */

static void work_of_somebody_absent_goes_to_the_deputy(void **state)
{
    struct play *play = *state;
    play_rules(play, remind_rules);
    play_entry(play, LOG_STAFF, "{'type':'staff.set','data':{'name':'bob'}}");
    play_entry(play, LOG_STAFF,
               "{'type':'staff.set','data':{'name':'ann','deputy':'bob','absences':[{'from':%lld,"
               "'until':%lld}]}}",
               (long long)play->now, (long long)(play->now + DAY_MS));
    play_track(play, "u1", "Remind", "{'key':'1','due':'23h'}");
    assert_has(play_task(play, 1), "'assignee':'bob','of':'ann'");
    play_pass(play, DAY_MS);
    play_track(play, "u1", "Remind", "{'key':'2'}");
    assert_has(play_task(play, 2), "'assignee':'ann'");
}

static void nobodys_work_goes_to_the_fallback_team(void **state)
{
    struct play *play = *state;
    play_rules(play, remind_rules);
    play_track(play, "u1", "Remind", "{'to':'owner'}");
    assert_has(play_task(play, 1), "'assignee':'desk'");
    play_command(play, "owner.changed", "1", "{'owner':'carl'}");
    play_track(play, "u1", "Remind", "{'to':'owner','key':'2'}");
    assert_has(play_task(play, 2), "'assignee':'carl'");
}

static void a_deputy_whose_name_fits_no_key_is_passed_over(void **state)
{
    struct play *play = *state;
    char name[600];
    memset(name, 'n', sizeof name);
    name[599] = '\0';
    play_rules(play, remind_rules);
    play_entry(play, LOG_STAFF,
               "{'type':'staff.set','data':{'name':'ann','deputy':'%s','absences':[{'from':0,"
               "'until':%lld}]}}",
               name, (long long)(play->now + DAY_MS));
    play_track(play, "u1", "Remind", NULL);
    assert_has(play_task(play, 1), "'assignee':'ann'");
}

static const char *by_hash(struct play *play, const char *hash)
{
    struct key key;
    struct bytes row;
    key_named(&key, 'h', text_of(hash));
    if (!state_get(play->state, &key, &row))
        return "";
    return arena_text(&play->arena, (struct text){ (const char *)row.data, (uint32_t)row.size })
        .data;
}

static void a_key_is_known_by_its_hash_until_it_is_removed(void **state)
{
    struct play *play = *state;
    play_command(play, "key.set", NULL, "{'name':'erp','hash':'aa','scopes':['write']}");
    assert_string_equal(by_hash(play, "aa"), "erp");
    play_command(play, "key.set", NULL, "{'name':'erp','hash':'bb'}");
    assert_string_equal(by_hash(play, "aa"), "");
    assert_string_equal(by_hash(play, "bb"), "erp");
    play_command(play, "key.set", NULL, "{'name':'shop','hash':'bb'}");
    assert_int_equal(play->result.code, E_CONFLICT);
    play_command(play, "key.removed", NULL, "{'name':'erp'}");
    assert_string_equal(by_hash(play, "bb"), "");
    play_command(play, "key.removed", NULL, "{'name':'erp'}");
    assert_int_equal(play->result.code, E_NOTFOUND);
    play_command(play, "key.set", NULL, "{'name':'x'}");
    assert_int_equal(play->result.code, E_INVALID);
}

static void a_record_larger_than_its_row_is_refused(void **state)
{
    struct play *play = *state;
    static char text[80000];
    memset(text, 'n', sizeof text);
    text[79999] = '\0';
    play_entry(play, LOG_STAFF, "{'type':'staff.set','data':{'name':'ann','x':'%s'}}", text);
    assert_int_equal(play->result.code, E_LIMIT);
    play_entry(play, LOG_STAFF, "{'type':'key.set','data':{'name':'a','hash':'h','x':'%s'}}", text);
    assert_int_equal(play->result.code, E_LIMIT);
    play_entry(play, LOG_STAFF,
               "{'type':'suppression.changed','data':{'channel':'a','value':'v','x':'%s'}}", text);
    assert_int_equal(play->result.status, ENGINE_REFUSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_timer_comes_back_as_an_event_with_its_data),
        TEST(the_same_key_moves_a_timer),
        TEST(a_cancelled_timer_does_not_come),
        TEST(a_tick_fires_in_order_of_due_owner_and_key),
        TEST(a_tick_fires_a_bounded_number_and_asks_for_more),
        TEST(only_a_tick_fires),
        TEST(a_customer_has_so_many_timers_and_no_more),
        TEST(a_timer_of_less_than_a_second_is_refused),
        TEST(a_reminder_is_due_in_time_and_stays_open),
        TEST(the_same_key_moves_a_reminder),
        TEST(what_is_done_is_open_no_more_and_comes_anew),
        TEST(done_may_name_the_next_one),
        TEST(a_snoozed_reminder_comes_later),
        TEST(staff_sets_reminders_too),
        TEST(a_reminder_escalates_when_nobody_acts),
        TEST(an_escalation_needs_room_among_the_timers),
        TEST(a_rule_that_reminds_of_now_does_not_keep_the_clock_busy),
        TEST(what_does_not_fit_into_a_reminder_is_refused),
        TEST(work_of_somebody_absent_goes_to_the_deputy),
        TEST(nobodys_work_goes_to_the_fallback_team),
        TEST(a_deputy_whose_name_fits_no_key_is_passed_over),
        TEST(a_key_is_known_by_its_hash_until_it_is_removed),
        TEST(a_record_larger_than_its_row_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

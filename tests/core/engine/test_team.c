/* test_team.c -- who does it: teams, turns, deputies, and work that comes back. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static const char rules[] =
    "rule 'remind' { on = 'Remind', run = function(event)\n"
    "  remind { title = 'call', to = event.to or 'team:care', due = event.due or '1d',\n"
    "    key = event.key or tostring(event.seq) } end }\n"
    "rule 'assign' { on = 'Assign', run = function(event, customer)\n"
    "  customer:set('got', customer:assign(event.to)) end }\n"
    "rule 'break' { on = 'Break', run = function(event, customer)\n"
    "  remind { title = 'call', to = 'team:care', due = '1d' } error('no') end }\n";

static void staff(struct play *play, const char *data)
{
    play_command(play, "staff.set", NULL, data);
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void team(struct play *play, const char *assign)
{
    char data[200];
    play_rules(play, rules);
    staff(play, "{'name':'ann','team':'care','languages':['de','en-GB']}");
    staff(play, "{'name':'bob','teams':['care'],'language':'zh-Hans-CN'}");
    staff(play, "{'name':'eve'}");
    staff(play, "{'name':'desk'}"); /* the fallback */
    snprintf(data, sizeof data, "{'name':'care','members':['eve'],'assign':[%s]}", assign);
    staff(play, data);
}

static void away(struct play *play, const char *name, int64_t from, int64_t until,
                 const char *deputy)
{
    char data[300];
    snprintf(data, sizeof data, "{'name':'%s','from':%lld,'until':%lld%s%s%s}", name,
             (long long)(play->now + from), (long long)(play->now + until),
             deputy != NULL ? ",'deputy':'" : "", deputy != NULL ? deputy : "",
             deputy != NULL ? "'" : "");
    play_command(play, "staff.absent", NULL, data);
    assert_int_equal(play->result.status, ENGINE_DONE);
    play_ticks(play);
}

static const char *next_task(struct play *play, const char *data)
{
    uint64_t task = play->engine->counters.task + 1;
    play_track(play, "u1", "Remind", data);
    return play_task(play, task);
}

static size_t in_list(struct play *play, char table, const char *name)
{
    struct key prefix;
    key_start(&prefix, table);
    key_text(&prefix, text_of(name));
    return play_count(play, &prefix);
}

static void work_goes_round_in_order_of_names(void **state)
{
    struct play *play = *state;
    static const char *const order[] = { "ann", "bob", "eve", "ann" };
    team(play, "'turn'");
    for (size_t i = 0; i < 4; i++) {
        char wanted[40];
        snprintf(wanted, sizeof wanted, "'assignee':'%s'", order[i]);
        const char *task = next_task(play, NULL);
        assert_has(task, wanted);
        assert_has(task, "'why':'team care: next in turn'");
    }
    staff(play, "{'name':'bob'}"); /* has left the team: the turn goes on behind her */
    assert_has(next_task(play, NULL), "'assignee':'eve'");
}

static void a_rule_that_fails_takes_no_turn(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    assert_has(next_task(play, NULL), "'assignee':'ann'");
    play_track(play, "u1", "Break", NULL);
    assert_has(next_task(play, NULL), "'assignee':'bob'");
}

static void the_same_key_stays_with_whoever_has_it(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    assert_has(next_task(play, "{'key':'k'}"), "'assignee':'ann'");
    play_track(play, "u1", "Remind", "{'key':'k','due':'2d'}");
    assert_has(play_task(play, 1), "'assignee':'ann'");
    assert_has(next_task(play, NULL), "'assignee':'bob'");
}

static void whoever_has_least_gets_the_next(void **state)
{
    struct play *play = *state;
    team(play, "'load'");
    next_task(play, "{'to':'ann'}");
    next_task(play, "{'to':'bob'}");
    assert_has(next_task(play, NULL), "'assignee':'eve','why':'team care: has the fewest open "
                                      "tasks (0)'");
    assert_has(next_task(play, NULL), "'assignee':'ann','why':'team care: has the fewest open "
                                      "tasks (1), next in turn'");
    play_command(play, "reminder.done", NULL, "{'task':2}");
    assert_has(next_task(play, NULL), "'assignee':'bob'");
}

static void language_decides_where_somebody_speaks_it(void **state)
{
    struct play *play = *state;
    team(play, "'language','turn'");
    play_identify(play, "u1", "{'language':'zh'}");
    assert_has(next_task(play, NULL), "'assignee':'bob','why':'team care: speaks zh'");
    assert_has(next_task(play, NULL), "'assignee':'bob'");
    play_identify(play, "u1", "{'language':'fr'}");
    assert_has(next_task(play, NULL), "'assignee':'eve','why':'team care: next in turn'");
    play_identify(play, "u1", "{'language':'en_US'}");
    assert_has(next_task(play, NULL), "'assignee':'ann','why':'team care: speaks en'");
}

static void the_owner_keeps_what_is_hers(void **state)
{
    struct play *play = *state;
    team(play, "'owner','load'");
    play_identify(play, "u1", NULL);
    play_command(play, "owner.changed", "1", "{'owner':'eve'}");
    next_task(play, NULL);
    assert_has(next_task(play, NULL), "'assignee':'eve','why':'team care: is the customer");
    play_command(play, "owner.changed", "1", "{'owner':'carl'}");
    assert_has(next_task(play, NULL), "'assignee':'ann'");
}

static void a_team_without_a_way_has_a_list(void **state)
{
    struct play *play = *state;
    team(play, "");
    assert_has(next_task(play, NULL), "'assignee':'care'");
    assert_has(next_task(play, "{'to':'care'}"), "'assignee':'care'");
    assert_int_equal(in_list(play, 'o', "care"), 2);
}

static void whoever_is_away_is_passed_over(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    away(play, "ann", 0, DAY_MS, NULL);
    assert_has(next_task(play, NULL), "'assignee':'bob','why':'team care: next in turn, 1 away'");
    away(play, "eve", 0, 2 * DAY_MS, NULL);
    assert_has(next_task(play, NULL),
               "'assignee':'bob','why':'team care: nobody else is there, 2 away'");
    away(play, "bob", 0, 2 * DAY_MS, NULL);
    const char *task = next_task(play, NULL);
    assert_has(task, "'assignee':'desk'");
    assert_has(task, "team care: everybody is away; the fallback of kith.lua");
    play_pass(play, DAY_MS);
    assert_has(next_task(play, NULL), "'assignee':'ann'");
}

static void what_falls_due_meanwhile_is_the_deputys_and_comes_back(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    next_task(play, "{'to':'ann','due':'2d'}");
    next_task(play, "{'to':'ann','due':'9d'}");
    away(play, "ann", DAY_MS, 5 * DAY_MS, "bob");
    assert_has(play_task(play, 1), "'assignee':'ann'");
    play_pass(play, DAY_MS);
    assert_has(play_task(play, 1), "'assignee':'bob','of':'ann','why':'ann is away until "
                                   "2026-11-02T00:00:00.000Z, deputy: bob'");
    assert_has(play_task(play, 2), "'assignee':'ann'");
    assert_has(next_task(play, "{'to':'ann','due':'1d'}"), "'assignee':'bob','of':'ann'");
    assert_has(next_task(play, "{'to':'ann','due':'8d'}"), "'assignee':'ann'");
    play_command(play, "reminder.snooze", NULL, "{'task':2,'due':1793404800000}"); /* 10-31 */
    assert_has(play_task(play, 2), "'assignee':'bob','of':'ann'");
    play_command(play, "reminder.done", NULL, "{'task':3}");
    play_pass(play, 4 * DAY_MS);
    assert_has(play_task(play, 1), "'assignee':'ann'");
    assert_lacks(play_task(play, 1), "'of'");
    assert_has(play_task(play, 2), "'assignee':'ann'");
    assert_has(play_task(play, 3), "'assignee':'bob'"); /* who did it */
    assert_int_equal(in_list(play, 'o', "bob"), 0);
    assert_int_equal(in_list(play, 'O', "ann"), 0);
}

static void deputies_of_deputies_are_found_and_circles_end(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    next_task(play, "{'to':'ann'}");
    away(play, "ann", 0, 9 * DAY_MS, "bob");
    assert_has(play_task(play, 1), "'assignee':'bob'");
    away(play, "bob", 0, 2 * DAY_MS, "eve");
    assert_has(play_task(play, 1), "'assignee':'eve','of':'ann'");
    away(play, "eve", 0, 3 * DAY_MS, "ann"); /* a circle: the fallback */
    assert_has(play_task(play, 1), "'assignee':'desk','of':'ann'");
    play_command(play, "staff.back", NULL, "{'name':'ann'}");
    play_ticks(play);
    assert_has(play_task(play, 1), "'assignee':'ann'");
    play_command(play, "staff.back", NULL, "{'name':'ann'}");
    assert_int_equal(play->result.code, E_CONFLICT);
}

static void a_deputy_may_be_a_team(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    staff(play, "{'name':'zoe','deputy':'team:care'}");
    next_task(play, "{'to':'zoe'}");
    away(play, "zoe", 0, 2 * DAY_MS, NULL);
    assert_has(play_task(play, 1), "'assignee':'ann','of':'zoe'");
    play_pass(play, 2 * DAY_MS);
    assert_has(play_task(play, 1), "'assignee':'zoe'");
}

static void much_work_moves_by_slices(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    play_world(play, 0, "{'moves_per_tick':3}");
    for (int i = 0; i < 10; i++)
        next_task(play, "{'to':'ann'}");
    char data[200];
    snprintf(data, sizeof data, "{'name':'ann','from':1,'until':%lld,'deputy':'bob'}",
             (long long)(play->now + DAY_MS + HOUR_MS));
    play_command(play, "staff.absent", NULL, data);
    play_tick(play);
    assert_int_equal(in_list(play, 'o', "bob"), 3);
    play_ticks(play);
    assert_int_equal(in_list(play, 'o', "bob"), 10);
    assert_int_equal(in_list(play, 'O', "ann"), 10);
    play_pass(play, 2 * DAY_MS);
    assert_int_equal(in_list(play, 'o', "ann"), 10);
    assert_int_equal(in_list(play, 'O', "ann"), 0);
}

static void whoever_has_work_with_a_deputy_is_not_removed(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    next_task(play, "{'to':'ann'}");
    away(play, "ann", 0, 9 * DAY_MS, "bob");
    play_command(play, "staff.removed", NULL, "{'name':'ann'}");
    assert_int_equal(play->result.code, E_CONFLICT);
    play_command(play, "reminder.change", NULL, "{'task':1,'to':'eve'}");
    play_command(play, "staff.removed", NULL, "{'name':'ann'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void the_fallback_is_not_removed_and_one_that_is_nobody_gets_nothing(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    play_command(play, "staff.removed", NULL, "{'name':'desk'}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_has(play->result.reason, "desk is the fallback of kith.lua");
    play_config(play, "{'zone':'Europe/Berlin','country':'DE','fallback':'gone',"
                      "'channels':{'log':{}}}");
    away(play, "eve", 0, 3 * DAY_MS, NULL);
    const char *task = next_task(play, "{'to':'eve'}");
    assert_has(task, "'assignee':'eve'");
    assert_lacks(task, "'of'");
    staff(play, "{'name':'gone'}");
    assert_has(next_task(play, "{'to':'eve'}"), "'assignee':'gone','of':'eve'");
}

static const char *row(struct play *play, const char *name)
{
    struct key key;
    key_named(&key, 's', text_of(name));
    return play_row(play, &key);
}

static void whoever_has_left_is_in_no_team_and_nobodys_deputy(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    staff(play, "{'name':'zoe','deputy':'team:care','absences':[{'from':1,'until':2,"
                "'deputy':'eve'}],'shoe':{'size':38}}");
    staff(play, "{'name':'carl','deputy':'eve','team':'care'}");
    play_command(play, "staff.removed", NULL, "{'name':'eve'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_string_equal(row(play, "care"), "{'name':'care','members':[],'assign':['turn']}");
    assert_string_equal(row(play, "carl"), "{'name':'carl','team':'care'}");
    assert_string_equal(row(play, "zoe"), "{'name':'zoe','deputy':'team:care','absences':"
                                          "[{'from':1,'until':2}],'shoe':{'size':38}}");
    staff(play, "{'name':'eve'}"); /* is back, and in no team by that */
    static const char *const order[] = { "ann", "bob", "carl", "ann" };
    for (size_t i = 0; i < 4; i++) {
        char wanted[40];
        snprintf(wanted, sizeof wanted, "'assignee':'%s'", order[i]);
        assert_has(next_task(play, NULL), wanted);
    }
}

static void a_team_that_is_removed_is_nobodys(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    staff(play, "{'name':'carl','deputy':'team:care'}");
    play_command(play, "staff.removed", NULL, "{'name':'care'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_string_equal(row(play, "ann"), "{'name':'ann','languages':['de','en-GB']}");
    assert_string_equal(row(play, "carl"), "{'name':'carl'}");
}

static void nobody_gets_work_who_is_not_on_the_staff(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    staff(play, "{'name':'care','members':['aaron','eve','zoee'],'assign':['turn']}");
    for (size_t i = 0; i < 4; i++)
        assert_lacks(next_task(play, NULL), i % 2 == 0 ? "aaron" : "zoee");
    assert_has(play_task(play, 4), "'assignee':'ann'");
    away(play, "ann", 0, DAY_MS, "benn");
    assert_has(next_task(play, "{'to':'ann','due':'1h'}"),
               "'assignee':'desk','of':'ann','why':'ann is away until 2026-10-29T00:00:00.000Z, "
               "deputy: benn; nobody is called benn; the fallback of kith.lua'");
    assert_has(next_task(play, "{'to':'carl'}"), "'assignee':'desk','why':'nobody is called carl");
    play_identify(play, "u1", NULL);
    play_command(play, "owner.changed", "1", "{'owner':'dora'}");
    assert_has(next_task(play, "{'to':'owner'}"), "'assignee':'desk'");
}

static void a_customer_is_given_to_whoever_is_there(void **state)
{
    struct play *play = *state;
    team(play, "'turn'");
    away(play, "ann", 0, 9 * DAY_MS, NULL);
    away(play, "bob", 0, 9 * DAY_MS, NULL);
    away(play, "eve", 0, DAY_MS, NULL);
    play_track(play, "u1", "Assign", "{'to':'team:care'}");
    assert_string_equal(play_trait(play, "user_id:u1", "got"), "'desk'"); /* the fallback */
    away(play, "desk", 0, 9 * DAY_MS, NULL);
    play_track(play, "u2", "Assign", "{'to':'team:care'}");
    assert_string_equal(play_trait(play, "user_id:u2", "got"), "'care'"); /* nobody is there */
    play_pass(play, DAY_MS);
    play_track(play, "u2", "Remind", "{'to':'owner'}");
    assert_has(play_task(play, 1), "'assignee':'eve'");
}

static void a_customer_is_given_to_a_member(void **state)
{
    struct play *play = *state;
    team(play, "'owner','turn'");
    play_track(play, "u1", "Assign", "{'to':'team:care'}");
    assert_string_equal(play_trait(play, "user_id:u1", "got"), "'ann'");
    play_track(play, "u2", "Assign", "{'to':'care'}");
    assert_string_equal(play_trait(play, "user_id:u2", "got"), "'bob'");
    play_command(play, "owner.changed", "user_id:u1", "{'owner':'team:care'}");
    assert_has(play_profile(play, 1), "'ann'");
    play_track(play, "u2", "Assign", NULL);
    assert_string_equal(play_trait(play, "user_id:u2", "got"), "");
    play_track(play, "u2", "Assign", "{'to':'team:nobodys'}");
    assert_has(play_types(play, 2), "rule.failed");
}

static void what_is_no_way_or_no_absence_is_refused(void **state)
{
    struct play *play = *state;
    play_command(play, "staff.set", NULL, "{'name':'care','assign':['chance']}");
    assert_has(play->result.reason, "\"assign\" is a list of owner, language, load, turn");
    play_command(play, "staff.set", NULL, "{'name':'care','assign':['turn','turn']}");
    assert_int_equal(play->result.code, E_INVALID);
    play_command(play, "staff.absent", NULL, "{'name':'ann','from':1,'until':2}");
    assert_int_equal(play->result.code, E_NOTFOUND);
    staff(play, "{'name':'ann'}");
    play_command(play, "staff.absent", NULL, "{'name':'ann','from':1,'until':2}");
    assert_has(play->result.reason, "over already");
    play_command(play, "staff.absent", NULL, "{'name':'ann','from':2,'until':1}");
    assert_has(play->result.reason, "ends after it begins");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(work_goes_round_in_order_of_names),
        TEST(a_rule_that_fails_takes_no_turn),
        TEST(the_same_key_stays_with_whoever_has_it),
        TEST(whoever_has_least_gets_the_next),
        TEST(language_decides_where_somebody_speaks_it),
        TEST(the_owner_keeps_what_is_hers),
        TEST(a_team_without_a_way_has_a_list),
        TEST(whoever_is_away_is_passed_over),
        TEST(what_falls_due_meanwhile_is_the_deputys_and_comes_back),
        TEST(deputies_of_deputies_are_found_and_circles_end),
        TEST(a_deputy_may_be_a_team),
        TEST(much_work_moves_by_slices),
        TEST(whoever_has_work_with_a_deputy_is_not_removed),
        TEST(the_fallback_is_not_removed_and_one_that_is_nobody_gets_nothing),
        TEST(whoever_has_left_is_in_no_team_and_nobodys_deputy),
        TEST(a_team_that_is_removed_is_nobodys),
        TEST(nobody_gets_work_who_is_not_on_the_staff),
        TEST(a_customer_is_given_to_whoever_is_there),
        TEST(a_customer_is_given_to_a_member),
        TEST(what_is_no_way_or_no_absence_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

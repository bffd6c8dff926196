/* test_merge.c -- two customers found to be one, and the way back. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static void make(struct play *play, int count)
{
    char user[16];
    for (int i = 1; i <= count; i++) {
        snprintf(user, sizeof user, "u%d", i);
        play_identify(play, user, NULL);
    }
}

static void merge(struct play *play, const char *survivor, const char *absorbed)
{
    char data[40];
    snprintf(data, sizeof data, "{'absorbed':'%s'}", absorbed);
    play_command(play, "customer.merge", survivor, data);
}

static uint64_t root(struct play *play, const char *reference)
{
    struct customer customer;
    assert_true(customer_load(&customer, play->engine, play_customer(play, reference)));
    return customer.number;
}

static void a_merge_links_and_moves_no_row(void **state)
{
    struct play *play = *state;
    make(play, 2);
    merge(play, "1", "2");
    assert_has(play_profile(play, 1), "'b':[2]");
    assert_has(play_profile(play, 2), "'m':1");
    assert_int_equal(play_customer(play, "user_id:u2"), 2);
    assert_int_equal(root(play, "user_id:u2"), 1);
    assert_has(play_types(play, 1), "customer.merge customer.merged");
}

static void what_comes_later_belongs_to_the_identity_it_came_by(void **state)
{
    struct play *play = *state;
    make(play, 2);
    merge(play, "1", "2");
    play_identify(play, "u2", "{'plan':'pro'}");
    assert_has(play_profile(play, 2), "'plan'");
    assert_lacks(play_profile(play, 1), "'plan'");
    assert_string_equal(play_trait(play, "1", "plan"), "'pro'");
    assert_has(play_types(play, 2), "identify");
    play_command(play, "customer.unmerge", "2", NULL);
    assert_string_equal(play_trait(play, "1", "plan"), "");
    assert_string_equal(play_trait(play, "2", "plan"), "'pro'");
}

static void what_comes_by_a_members_email_or_phone_belongs_to_that_member(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", "{'email':'b@x.de','phone':'030 901820'}");
    merge(play, "1", "2");
    assert_int_equal(play_customer(play, "email:B@x.de"), 2);
    play_command(play, "tag.changed", "email:b@x.de", "{'tag':'vip'}");
    play_command(play, "owner.changed", "phone:+4930901820", "{'owner':'ann'}");
    const char *copy = "{'type':'X','ref':'email:b@x.de','id':'m-1','source':'web'}";
    play_entry(play, LOG_CLIENT, "%s", copy);
    play_command(play, "customer.unmerge", "2", NULL);
    assert_has(play_profile(play, 2), "'g':['vip']");
    assert_lacks(play_profile(play, 1), "vip");
    assert_has(play_types(play, 2), "tag.changed owner.changed X");
    play_entry(play, LOG_CLIENT, "%s", copy);
    assert_int_equal(play->result.status, ENGINE_DUPLICATE); /* its mark went along */
}

static void an_email_that_two_members_have_is_the_survivors(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'email':'b@x.de'}");
    play_identify(play, "u2", "{'email':'b@x.de'}");
    make(play, 3);
    merge(play, "3", "1");
    merge(play, "3", "2");
    assert_int_equal(play_customer(play, "email:b@x.de"), 3);
}

static void merges_are_transitive(void **state)
{
    struct play *play = *state;
    make(play, 4);
    merge(play, "2", "3");
    merge(play, "1", "2");
    merge(play, "3", "4"); /* by any member */
    assert_has(play_profile(play, 1), "'b':[2,3,4]");
    assert_int_equal(root(play, "4"), 1);
    assert_int_equal(root(play, "3"), 1);
}

static void an_inner_member_leaves_with_what_it_had_absorbed(void **state)
{
    struct play *play = *state;
    make(play, 4);
    merge(play, "2", "3");
    merge(play, "1", "2");
    merge(play, "1", "4");
    play_command(play, "customer.unmerge", "2", NULL);
    assert_has(play_profile(play, 1), "'b':[4]");
    assert_has(play_profile(play, 2), "'b':[3]");
    assert_int_equal(root(play, "3"), 2);
    assert_int_equal(root(play, "2"), 2);
}

static void the_innermost_member_leaves_every_list(void **state)
{
    struct play *play = *state;
    make(play, 3);
    merge(play, "2", "3");
    merge(play, "1", "2");
    play_command(play, "customer.unmerge", "3", NULL);
    assert_has(play_profile(play, 1), "'b':[2]");
    assert_lacks(play_profile(play, 2), "'b'");
    assert_int_equal(root(play, "3"), 3);
    play_command(play, "customer.unmerge", "2", NULL);
    assert_int_equal(root(play, "2"), 2);
    assert_lacks(play_profile(play, 1), "'b'");
}

static void what_is_one_already_is_not_merged(void **state)
{
    struct play *play = *state;
    make(play, 2);
    merge(play, "1", "2");
    merge(play, "2", "1");
    assert_int_equal(play->result.code, E_CONFLICT);
    merge(play, "1", "1");
    assert_int_equal(play->result.code, E_CONFLICT);
    merge(play, "1", "9");
    assert_int_equal(play->result.code, E_NOTFOUND);
    play_command(play, "customer.unmerge", "1", NULL);
    assert_int_equal(play->result.code, E_CONFLICT);
}

static void a_group_has_a_limit(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'group':2}");
    make(play, 3);
    merge(play, "1", "2");
    merge(play, "1", "3");
    assert_int_equal(play->result.code, E_LIMIT);
    assert_int_equal(root(play, "3"), 3);
}

static void traits_are_folded_by_time_over_the_group(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'plan':'old','city':'Bonn'}");
    play->now += 1000;
    play_identify(play, "u2", "{'plan':'new'}");
    merge(play, "1", "2");
    assert_string_equal(play_trait(play, "1", "plan"), "'new'");
    assert_string_equal(play_trait(play, "2", "city"), "'Bonn'");
}

#define COUNTER                                                  \
    "rule 'count' { on = 'X', run = function(event, customer)\n" \
    "  customer:set('n', (customer.n or 0) + 1)\n"               \
    "  log('now ' .. customer.n) end }"

static void what_a_rule_sets_later_in_the_same_moment_counts(void **state)
{
    struct play *play = *state;
    play_rules(play, COUNTER);
    make(play, 3);
    merge(play, "1", "2");
    merge(play, "1", "3");
    play_track(play, "u1", "X", NULL);
    uint64_t seq = play_track(play, "u2", "X", NULL);
    assert_has(play_timeline(play, 2, seq, 0), "'log':['now 2']");
    seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'log':['now 3']");
    seq = play_track(play, "u3", "X", NULL);
    assert_has(play_timeline(play, 3, seq, 0), "'log':['now 4']");
    assert_string_equal(play_trait(play, "2", "n"), "4");
    play->now += 1;
    play_track(play, "u2", "X", NULL);
    assert_string_equal(play_trait(play, "1", "n"), "5");
}

static void what_a_rule_sets_counts_when_its_last_moment_lies_ahead(void **state)
{
    struct play *play = *state;
    play_rules(play, COUNTER);
    make(play, 2);
    merge(play, "1", "2");
    play_track(play, "u1", "X", NULL);
    play_track(play, "u2", "X", NULL);
    play_command(play, "customer.unmerge", "2", NULL);
    play_track(play, "u2", "X", NULL);
    assert_string_equal(play_trait(play, "2", "n"), "3");
    assert_string_equal(play_trait(play, "1", "n"), "1");
}

static void a_rule_after_a_merge_sees_one_customer(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  log(customer.id .. ' ' .. table.concat(customer.tags, ',') .. ' '\n"
                     "    .. tostring(customer:has_tag('b'))) end }");
    make(play, 2);
    play_command(play, "tag.changed", "1", "{'tag':'a'}");
    play_command(play, "tag.changed", "2", "{'tag':'a'}");
    play_command(play, "tag.changed", "2", "{'tag':'b'}");
    merge(play, "1", "2");
    uint64_t seq = play_track(play, "u2", "X", NULL);
    assert_has(play_timeline(play, 2, seq, 0), "'log':['1 a,b true']");
}

static void reminders_stay_with_the_customer_they_were_made_under(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function(event)\n"
                     "  remind { title = event.t, due = '1d', key = 'k', to = 'ann' } end }");
    play_track(play, "u1", "X", "{'t':'first'}");
    play_identify(play, "u2", NULL);
    merge(play, "2", "1");
    play_track(play, "u2", "X", "{'t':'moved'}"); /* the same key, of the same customer now */
    assert_has(play_task(play, 1), "'customer':1,'title':'moved'");
    assert_string_equal(play_task(play, 2), "");
    play_command(play, "customer.unmerge", "1", NULL);
    play_pass(play, 2 * DAY_MS);
    assert_has(play_types(play, 1), "reminder.due");
    assert_lacks(play_types(play, 2), "reminder.due");
}

static void a_timer_is_moved_and_cancelled_by_any_member(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function()\n"
                     "  after { due = '1h', key = 'k', emit = 'Late' } end }\n"
                     "rule 'c' { on = 'C', run = function() log(tostring(cancel('k'))) end }");
    make(play, 2);
    play_track(play, "u2", "X", NULL);
    merge(play, "1", "2");
    play_pass(play, 30 * MINUTE_MS);
    play_track(play, "u1", "X", NULL);
    play_pass(play, 40 * MINUTE_MS);
    assert_lacks(play_types(play, 2), "Late");
    uint64_t seq = play_track(play, "u2", "C", NULL);
    assert_has(play_timeline(play, 2, seq, 0), "'log':['true']");
    play_pass(play, DAY_MS);
    assert_lacks(play_types(play, 1), "Late");
    assert_lacks(play_profile(play, 1), "'w'");
    assert_lacks(play_profile(play, 2), "'w'");
}

static void a_date_that_comes_by_a_merge_is_waited_for(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'end' { on = date('end'), run = function(event, customer)\n"
                     "  customer:set('ended', customer.id) end }");
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", "{'end':'2026-11-10'}");
    merge(play, "1", "2");
    play_pass(play, 20 * DAY_MS);
    assert_string_equal(play_trait(play, "1", "ended"), "1");
    assert_lacks(play_types(play, 2), "schedule.due");
}

static void a_date_that_leaves_with_its_member_is_waited_for_there(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'end' { on = date('end'), run = function() end }");
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", "{'end':'2026-11-10'}");
    merge(play, "1", "2");
    play_command(play, "customer.unmerge", "2", NULL);
    play_pass(play, 20 * DAY_MS);
    assert_lacks(play_types(play, 1), "schedule.due");
    assert_has(play_types(play, 2), "schedule.due");
}

static void a_merge_does_not_put_off_what_comes_every_day(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = every '1d', run = function() end }");
    make(play, 3);
    play_pass(play, 20 * HOUR_MS);
    merge(play, "1", "2");
    play_pass(play, 4 * HOUR_MS + 1);
    assert_has(play_types(play, 1), "schedule.due");
    assert_lacks(play_types(play, 2), "schedule.due");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_merge_links_and_moves_no_row),
        TEST(what_comes_later_belongs_to_the_identity_it_came_by),
        TEST(what_comes_by_a_members_email_or_phone_belongs_to_that_member),
        TEST(an_email_that_two_members_have_is_the_survivors),
        TEST(merges_are_transitive),
        TEST(an_inner_member_leaves_with_what_it_had_absorbed),
        TEST(the_innermost_member_leaves_every_list),
        TEST(what_is_one_already_is_not_merged),
        TEST(a_group_has_a_limit),
        TEST(traits_are_folded_by_time_over_the_group),
        TEST(what_a_rule_sets_later_in_the_same_moment_counts),
        TEST(what_a_rule_sets_counts_when_its_last_moment_lies_ahead),
        TEST(a_rule_after_a_merge_sees_one_customer),
        TEST(reminders_stay_with_the_customer_they_were_made_under),
        TEST(a_timer_is_moved_and_cancelled_by_any_member),
        TEST(a_date_that_comes_by_a_merge_is_waited_for),
        TEST(a_date_that_leaves_with_its_member_is_waited_for_there),
        TEST(a_merge_does_not_put_off_what_comes_every_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_rules.c -- order, failure, cascades, events for others, verdicts, bundles. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* -- Order ---------------------------------------------------------------- */

static void files_run_by_path_and_rules_by_line_each_seeing_the_last(void **state)
{
    struct play *play = *state;
    const char *add = "rule '%s' { on = %s, run = function(event, customer)\n"
                      "  customer:add('order', '%s') end }\n";
    char a[300], b[300], all[300];
    snprintf(a, sizeof a, add, "first", "'X'", "1");
    snprintf(all, sizeof all, add, "every", "'*'", "2");
    snprintf(b, sizeof b, add, "last", "{ 'Y', 'X' }", "3");
    play_bundle(play, (const struct play_file[]){ { "a.lua", a },
                                                  { "a_test.lua", "this is no lua" },
                                                  { "b/a.lua", all },
                                                  { "b/b.lua", b },
                                                  { "notes.md", "text" },
                                                  { 0 } });
    assert_int_equal(play->result.status, ENGINE_DONE);
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1'}");
    assert_string_equal(play_trait(play, "1", "order"), "['1','2','3']");
}

static void derived_events_come_first_in_first_out(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'a' { on = 'A', run = function() emit('B') emit('C') end }\n"
                     "rule 'b' { on = 'B', run = function() emit('D') end }");
    play_identify(play, "u1", NULL);
    play_track(play, "u1", "A", NULL);
    assert_has(play_types(play, 1), "A B C D");
}

/* -- Failure -------------------------------------------------------------- */

static void a_rule_that_fails_leaves_nothing_behind(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'bad' { on = 'X', run = function(event, customer)\n"
                     "  customer:set('x', 1) customer:tag('t') emit('E')\n"
                     "  emit('F', {}, { to = 'user_id:u2' })\n"
                     "  remind { title = 'r', due = '1d', key = 'k' }\n"
                     "  after { due = '1h', key = 'k', emit = 'G' }\n"
                     "  send { channel = 'log', purpose = 'service', body = 'b' }\n"
                     "  log('l')\n"
                     "  error('on purpose') end }\n"
                     "rule 'good' { on = 'X', run = function(event, customer)\n"
                     "  customer:set('y', customer.x or 0)\n"
                     "  customer:set('task', remind { title = 'r', due = '1d' }) end }");
    play_identify(play, "u1", NULL);
    const char *before = play_profile(play, 1);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "'rule.failed'");
    assert_has(play_timeline(play, 1, seq, 1), "rules.lua:8: on purpose");
    assert_lacks(play_timeline(play, 1, seq, 0), "'x'");
    assert_has(play_timeline(play, 1, seq, 0), "'rules':['good']");
    assert_string_equal(play_trait(play, "1", "y"), "0");
    assert_string_equal(play_trait(play, "1", "task"), "1"); /* the counter was put back */
    assert_lacks(play_profile(play, 1), "'g'");
    assert_has(play_profile(play, 1), "'w':1");
    assert_lacks(play_reports(play), "outgoing");
    assert_int_equal(play_claim(play, "log"), 0);
    assert_has(before, "'user_id','u1'");
}

static void what_a_script_catches_is_no_failure(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  local ok, why = pcall(function() customer:set('id', 1) end)\n"
                     "  log(why) customer:set('y', 1) end }");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "\\'id\\' belongs to the system");
    assert_string_equal(play_trait(play, "1", "y"), "1");
}

static void a_rule_that_never_ends_is_ended(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'rule_instructions':20000}");
    play_rules(play, "rule 'r' { on = 'X', run = function() while true do end end }");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 3), "instructions");
}

static void work_inside_words_counts_as_work(void **state)
{
    struct play *play = *state;
    play_rules(play, "local big = {}\n"
                     "for i = 1, 2000 do big[i] = 'a text of some length' end\n"
                     "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  for i = 1, 10000 do pcall(customer.set, customer, 'x', big) end end }\n"
                     "rule 's' { on = 'X', run = function(event, customer)\n"
                     "  for i = 1, 100000 do customer:has_tag(event.text) end end }");
    uint64_t seq = play_track(play, "u1", "X", "{'text':'x'}");
    assert_has(play_timeline(play, 1, seq, 3), "instructions");
}

static void a_rule_on_every_event_that_fails_fails_once(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = '*', run = function() error('always') end }");
    play_identify(play, "u1", NULL);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "rule.failed");
    assert_has(play_timeline(play, 1, seq, 1),
               "'log':['rule \\'r\\' failed: rules.lua:1: always']");
    assert_string_equal(play_timeline(play, 1, seq, 2), "");
}

static void a_changed_local_is_put_back_and_told_of(void **state)
{
    struct play *play = *state;
    play_rules(play, "local seen = 0\n"
                     "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  seen = seen + 1 customer:set('seen', seen) end }");
    play_track(play, "u1", "X", NULL);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_string_equal(play_trait(play, "1", "seen"), "1");
    assert_has(play_timeline(play, 1, seq, 0), "changed the local \\'seen\\'");
}

/* -- Cascades ------------------------------------------------------------- */

static void a_cascade_ends_at_its_depth(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function() emit('A') end }");
    play_identify(play, "u1", NULL);
    uint64_t seq = play_track(play, "u1", "A", NULL);
    assert_has(play_timeline(play, 1, seq, 16), "'type':'A'");
    assert_has(play_timeline(play, 1, seq, 17), "'type':'rule.failed'");
    assert_has(play_timeline(play, 1, seq, 17),
               "emit: events cause events more than 16 deep (limit cascade_depth)");
    assert_string_equal(play_timeline(play, 1, seq, 18), "");
}

static void one_cause_makes_a_thousand_events_and_no_more(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'derived':20}");
    play_rules(play, "rule 'r' { on = 'A', run = function()\n"
                     "  emit('A') emit('A') emit('A') end }");
    play_identify(play, "u1", NULL);
    uint64_t seq = play_track(play, "u1", "A", NULL);
    assert_has(play_timeline(play, 1, seq, 20), "'at'");
    assert_string_equal(play_timeline(play, 1, seq, 21), "");
    play_track(play, "u1", "B", NULL); /* and the next cause begins anew */
    seq = play_track(play, "u1", "A", NULL);
    assert_has(play_timeline(play, 1, seq, 20), "'at'");
}

static void data_too_large_for_a_row_are_refused(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "local big = string.rep('x', 60000)\n"
               "rule 'a' { on = 'X', run = function() emit('Y', { t = big }) end }\n"
               "rule 'b' { on = 'X', run = function() emit('Y', { t = big }, { to = '1' }) end }\n"
               "rule 'c' { on = 'X', run = function()\n"
               "  after { due = '1h', emit = 'Y', data = { t = big } } end }\n"
               "rule 'd' { on = 'X', run = function() emit('Y', {}, { to = big }) end }");
    play_identify(play, "u1", NULL);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "emit: the data have 60");
    assert_has(play_timeline(play, 1, seq, 2), "bytes, more than 49152");
    assert_has(play_timeline(play, 1, seq, 3), "after: the data have");
    assert_has(play_timeline(play, 1, seq, 4), "is no customer: one is written 42");
}

/* -- Events for others ---------------------------------------------------- */

static size_t waiting(struct play *play)
{
    struct key prefix;
    key_start(&prefix, 'g');
    return play_count(play, &prefix);
}

static const char ping[] =
    "rule 'ping' { on = 'Ping', run = function(event)\n"
    "  emit('Pong', { n = event.n }, { to = event.to }) end }\n"
    "rule 'pong' { on = 'Pong', run = function(event, customer)\n"
    "  if customer then customer:set('pongs', (customer.pongs or 0) + 1) end end }\n";

static void an_event_for_another_goes_through_the_log(void **state)
{
    struct play *play = *state;
    play_rules(play, ping);
    play_identify(play, "u2", NULL);
    play->keeps_outgoing = true;
    uint64_t seq = play_track(play, "u1", "Ping", "{'to':'user_id:u2','n':7}");
    char wanted[60];
    snprintf(wanted, sizeof wanted, "outgoing %llu.3\n", (unsigned long long)seq);
    assert_string_equal(play_reports(play), wanted);
    assert_int_equal(waiting(play), 1);
    play->keeps_outgoing = false;
    seq = play_track(play, "u1", "X", NULL); /* lets it be appended */
    assert_int_equal(waiting(play), 0);
    assert_string_equal(play_trait(play, "1", "pongs"), "1");
    assert_has(play_types(play, 1), "Pong");
}

static void no_rule_sends_an_entry_of_the_system(void **state)
{
    static const char *const types[] = { "tick", "verdict", "world" };
    struct play *play = *state;
    play_identify(play, "u2", NULL);
    for (size_t i = 0; i < 3; i++) {
        char lua[200];
        snprintf(lua, sizeof lua,
                 "rule 'r' { on = 'X', run = function()\n"
                 "  emit('%s', {}, { to = 'user_id:u2' }) end }",
                 types[i]);
        play_rules(play, lua);
        uint64_t seq = play_track(play, "u2", "X", NULL);
        assert_has(play_timeline(play, 1, seq, 1), "is a type of the system");
    }
    assert_int_equal(waiting(play), 0);
}

/* An older build let such types pass. */
static void a_second_copy_of_it_is_dropped(void **state)
{
    struct play *play = *state;
    play_rules(play, ping);
    play_identify(play, "u2", NULL);
    uint64_t seq = play_track(play, "u1", "Ping", "{'to':'user_id:u2'}");
    play_entry(play, LOG_SYSTEM,
               "{'id':'%llu.3','type':'Pong','ref':'user_id:u2','source':'kith','by':'ping',"
               "'data':{}}",
               (unsigned long long)seq);
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    assert_string_equal(play_trait(play, "1", "pongs"), "1");
}

static void an_event_for_nobody_known_is_kept_with_nobody(void **state)
{
    struct play *play = *state;
    play_rules(play, ping);
    uint64_t seq = play_track(play, "u1", "Ping", "{'to':'user_id:u9'}");
    assert_has(play_timeline(play, 0, seq + 1, 0), "the customer it names is not known");
    assert_int_equal(waiting(play), 0);
    assert_int_equal(play_customer(play, "user_id:u9"), 0);
}

static void two_who_answer_each_other_come_to_an_end(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function(event, customer)\n"
                     "  emit('A', {}, { to = customer.id == 1 and 2 or 1 }) end }");
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    uint64_t seq = play_track(play, "u1", "A", NULL);
    assert_int_equal(engine_seq(play->engine), seq + 16);
}

static void what_lies_in_outgoing_is_reported_after_a_repeat(void **state)
{
    struct play *play = *state;
    play_rules(play, ping);
    play->keeps_outgoing = true;
    play_track(play, "u1", "Ping", "{'to':'1'}");
    play_reports(play);
    play_reopen(play);
    play_start(play);
    assert_has(play_reports(play), "outgoing");
}

/* -- Verdicts ------------------------------------------------------------- */

static const char hungry[] =
    "rule 'hungry' { on = { 'X', 'Y' }, run = function(event, customer)\n"
    "  customer:add('ran', event.type)\n"
    "  if event.hungry then local t = {} for i = 1, 1e6 do t[i] = { i } end end\n"
    "  if event.type == 'X' then emit('Y', { hungry = true }) end end }\n";

static void a_rule_killed_for_memory_is_remembered(void **state)
{
    struct play *play = *state;
    play_rules(play, hungry);
    uint64_t seq = play_track(play, "u1", "Y", "{'hungry':true}");
    char wanted[60];
    snprintf(wanted, sizeof wanted, "verdict %llu\n", (unsigned long long)seq);
    assert_string_equal(play_reports(play), wanted);
    assert_has(play_timeline(play, 1, seq, 3),
               "needed more than 8388608 bytes of memory (limit rule_memory_bytes); "
               "do less at a time");
    assert_string_equal(play_trait(play, "1", "ran"), "");
    play_track(play, "u1", "Y", NULL); /* it counts for that entry only */
    assert_string_equal(play_trait(play, "1", "ran"), "['Y']");
}

static void a_rule_killed_at_a_derived_event_has_run_before_it(void **state)
{
    struct play *play = *state;
    play_rules(play, hungry);
    play_track(play, "u1", "X", NULL);
    assert_string_equal(play_trait(play, "1", "ran"), "['X']");
    assert_has(play_reports(play), "verdict"); /* and a replay, with more room, finds the same */
}

/* -- Bundles -------------------------------------------------------------- */

static void a_bundle_that_does_not_load_changes_nothing(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function() log('old') end }");
    play_bundle(play, (const struct play_file[]){ { "a.lua", "rule 'x' { on = 5 }" }, { 0 } });
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_has(play->result.reason, "a.lua:1: on: an event type");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'log':['old']");
}

static void rules_are_in_force_from_the_next_entry_on(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = '*', run = function() log('first') end }");
    uint64_t seq = play_rules(play, "rule 'r' { on = '*', run = function() log('second') end }");
    assert_has(play_timeline(play, 0, seq, 0), "'log':['first']");
    seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'log':['second']");
    assert_has(play_timeline(play, 1, seq, 1), "'log':['second']");
}

static void the_active_bundle_is_found_again_after_a_start(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function() log('ran') end }");
    play_reopen(play);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'log':['ran']");
}

static void a_limit_of_a_later_world_holds_from_there_on(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function()\n"
                     "  for i = 1, 9 do log('line ' .. i) end end }");
    uint64_t before = play_track(play, "u1", "X", NULL);
    play_world(play, 0, "{'trace_lines':2}");
    uint64_t after = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, before, 0), "'line 9']");
    assert_has(play_timeline(play, 1, after, 0), "'line 2','(more lines");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_run_by_path_and_rules_by_line_each_seeing_the_last),
        TEST(derived_events_come_first_in_first_out),
        TEST(a_rule_that_fails_leaves_nothing_behind),
        TEST(what_a_script_catches_is_no_failure),
        TEST(a_rule_that_never_ends_is_ended),
        TEST(work_inside_words_counts_as_work),
        TEST(a_rule_on_every_event_that_fails_fails_once),
        TEST(a_changed_local_is_put_back_and_told_of),
        TEST(a_cascade_ends_at_its_depth),
        TEST(one_cause_makes_a_thousand_events_and_no_more),
        TEST(data_too_large_for_a_row_are_refused),
        TEST(an_event_for_another_goes_through_the_log),
        TEST(no_rule_sends_an_entry_of_the_system),
        TEST(a_second_copy_of_it_is_dropped),
        TEST(an_event_for_nobody_known_is_kept_with_nobody),
        TEST(two_who_answer_each_other_come_to_an_end),
        TEST(what_lies_in_outgoing_is_reported_after_a_repeat),
        TEST(a_rule_killed_for_memory_is_remembered),
        TEST(a_rule_killed_at_a_derived_event_has_run_before_it),
        TEST(a_bundle_that_does_not_load_changes_nothing),
        TEST(rules_are_in_force_from_the_next_entry_on),
        TEST(the_active_bundle_is_found_again_after_a_start),
        TEST(a_limit_of_a_later_world_holds_from_there_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

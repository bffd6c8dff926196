/* test_event.c -- what becomes of one event: its fields, its copy, its row, its rules. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

/* -- Fields --------------------------------------------------------------- */

static void a_rule_reads_the_envelope_first_and_then_the_data(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'Order', run = function(event, customer)\n"
                     "  customer:set('seen', { event.type, event.id, event.source, event.by,\n"
                     "    event.about, event.total, event.data.type, event.context.ip,\n"
                     "    event.at, event.logged, event.seq, event.customer }) end }");
    uint64_t seq = play_entry(
        play, LOG_CLIENT,
        "{'type':'Order','id':'m-1','user':'u1','source':'web','by':'bob','about':'task:7',"
        "'at':%lld,'data':{'total':5,'type':'inner'},'context':{'ip':'::1'}}",
        (long long)(play->now - 1000));
    char wanted[300];
    snprintf(wanted, sizeof wanted,
             "['Order','m-1','web','bob','task:7',5,'inner','::1',%lld,%lld,%llu,1]",
             (long long)(play->now - 1000), (long long)play->now, (unsigned long long)seq);
    assert_string_equal(play_trait(play, "1", "seen"), wanted);
}

static void an_event_never_happened_after_it_was_written(void **state)
{
    struct play *play = *state;
    uint64_t seq = play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','at':%lld}",
                              (long long)(play->now + DAY_MS));
    char wanted[40];
    snprintf(wanted, sizeof wanted, "'at':%lld", (long long)play->now);
    assert_has(play_timeline(play, 1, seq, 0), wanted);
}

static void a_hostile_time_does_no_harm(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = date('when'), run = function() end }\n"
                     "rule 'y' { on = yearly('when'), run = function() end }");
    play_entry(play, LOG_CLIENT,
               "{'type':'identify','call':'identify','user':'u1','at':-9223372036854775808,"
               "'data':{'when':-9223372036854775808}}");
    play_identify(play, "u1", "{'when':9223372036854775807}");
    assert_string_equal(play_trait(play, "1", "when"), "9223372036854775807");
    assert_true(engine_next_due(play->engine) == INT64_MAX);
}

static void an_event_without_a_type_is_refused(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_CLIENT, "{'user':'u1'}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_has(play->result.reason, "type of 0 bytes");
    assert_int_equal(play_customer(play, "user_id:u1"), 0);
}

static void an_overlong_by_or_about_is_refused(void **state)
{
    struct play *play = *state;
    char text[200];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','about':'%s'}", text);
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_int_equal(play->result.code, E_LIMIT);
}

static void an_event_without_a_customer_is_nobodys_and_runs_its_rules(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'Ping', run = function(event, customer)\n"
                     "  log(customer == nil and 'nobody' or 'somebody') end }");
    uint64_t seq = play_entry(play, LOG_CLIENT, "{'type':'Ping'}");
    assert_has(play_timeline(play, 0, seq, 0), "'log':['nobody']");
}

static void a_client_cannot_say_how_deep_its_event_is(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function() emit('B') end }");
    play_entry(play, LOG_CLIENT, "{'type':'A','user':'u1','depth':4294967295}");
    assert_has(play_types(play, 1), "A customer.created identity.linked B");
}

/* -- Forged types --------------------------------------------------------- */

static void a_client_cannot_forge_an_event_of_the_system(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'due' { on = 'reminder.due', run = function() log('due') end }\n"
                     "rule 'all' { on = '*', run = function() log('all') end }");
    uint64_t seq = play_track(play, "u1", "reminder.due", NULL);
    const char *row = play_timeline(play, 1, seq, 0);
    assert_has(row, "'foreign':true");
    assert_has(row, "'log':['all']");
}

static void a_client_cannot_start_a_schedule(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = every '1d', run = function() log('forged') end }");
    uint64_t seq = play_track(play, "u1", "schedule.due", NULL);
    assert_lacks(play_timeline(play, 1, seq, 0), "forged");
}

static void staff_cannot_forge_what_is_no_command(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'effect.sent', run = function() log('forged') end }");
    play_identify(play, "u1", NULL);
    uint64_t seq = play_command(play, "effect.sent", "1", NULL);
    const char *row = play_timeline(play, 1, seq, 0);
    assert_has(row, "'foreign':true");
    assert_lacks(row, "forged");
}

static void a_command_from_a_client_changes_nothing(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_entry(play, LOG_CLIENT, "{'type':'tag.changed','user':'u1','data':{'tag':'vip'}}");
    static const char *const types[] = { "tick", "verdict", "world" };
    for (size_t i = 0; i < 3; i++) {
        uint64_t seq = play_track(play, "u1", types[i], NULL);
        assert_has(play_timeline(play, 1, seq, 0), "'foreign':true");
    }
    assert_lacks(play_profile(play, 1), "vip");
}

static void rules_on_a_command_run_for_staff(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'tag.changed', run = function(event, customer)\n"
                     "  customer:set('last_tag', event.tag) end }");
    play_identify(play, "u1", NULL);
    play_command(play, "tag.changed", "1", "{'tag':'vip'}");
    assert_string_equal(play_trait(play, "1", "last_tag"), "'vip'");
}

static void a_refused_command_is_no_event_for_rules(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'role.changed', run = function() log('ran') end }");
    play_identify(play, "u1", NULL);
    uint64_t seq = play_command(play, "role.changed", "1", "{'role':'king'}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    const char *row = play_timeline(play, 1, seq, 0);
    assert_lacks(row, "ran");
    assert_has(row, "'refused':'a role is customer, lead");
}

/* -- Dedupe --------------------------------------------------------------- */

static uint64_t send_copy(struct play *play, const char *id, const char *source)
{
    return play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'%s','source':'%s'}", id,
                      source);
}

static void the_same_event_counts_once(void **state)
{
    struct play *play = *state;
    send_copy(play, "m-1", "web");
    uint64_t seq = send_copy(play, "m-1", "web");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    assert_int_equal(play->result.customer, 1);
    assert_string_equal(play_timeline(play, 1, seq, 0), "");
}

static void another_source_may_use_the_same_id(void **state)
{
    struct play *play = *state;
    send_copy(play, "m-1", "web");
    send_copy(play, "m-1", "app");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void a_copy_is_known_for_thirty_days_of_log_time(void **state)
{
    struct play *play = *state;
    send_copy(play, "m-1", "web");
    play_pass(play, 30 * DAY_MS);
    send_copy(play, "m-1", "web");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    play_pass(play, 1);
    send_copy(play, "m-1", "web");
    assert_int_equal(play->result.status, ENGINE_DONE);
    send_copy(play, "m-1", "web");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
}

static void an_import_is_known_for_ever(void **state)
{
    struct play *play = *state;
    for (int i = 0; i < 2; i++) {
        play_entry(play, LOG_STAFF,
                   "{'type':'X','user':'u1','id':'row-1','source':'f','forever':true}");
        assert_int_equal(play->result.status, i == 0 ? ENGINE_DONE : ENGINE_DUPLICATE);
        play_pass(play, 400 * DAY_MS);
    }
}

static void an_import_is_known_to_whatever_comes_later(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_STAFF,
               "{'type':'X','user':'u1','id':'m-1','source':'web','forever':true}");
    play_entry(play, LOG_STAFF, "{'type':'X','id':'m-2','source':'web','forever':true}");
    play_identify(play, "u2", NULL);
    play_command(play, "customer.merge", "2", "{'absorbed':'1'}");
    play_pass(play, 400 * DAY_MS);
    send_copy(play, "m-1", "web");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u2','id':'m-1','source':'web'}");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    play_entry(play, LOG_CLIENT, "{'type':'X','id':'m-2','source':'web'}"); /* nobody's */
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    send_copy(play, "m-3", "web");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_has(play_profile(play, 1), "'f':true");
    assert_lacks(play_profile(play, 2), "'f'");
}

static void a_long_id_is_told_from_one_with_the_same_beginning(void **state)
{
    struct play *play = *state;
    char id[1001];
    memset(id, 'x', sizeof id);
    id[1000] = '\0';
    send_copy(play, id, "web");
    send_copy(play, id, "web");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    id[999] = 'y';
    send_copy(play, id, "web");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static size_t marks(struct play *play, uint64_t customer)
{
    struct key prefix;
    key_customer(&prefix, customer, 'd');
    return play_count(play, &prefix);
}

static void old_marks_go_two_at_a_time(void **state)
{
    struct play *play = *state;
    for (int i = 0; i < 6; i++)
        play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'m-%d'}", i);
    assert_int_equal(marks(play, 1), 6);
    play_pass(play, 50 * DAY_MS);
    for (int i = 0; i < 4; i++) {
        static const size_t left[] = { 5, 4, 3, 4 }; /* one comes, two go, while there are */
        play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'n-%d'}", i);
        assert_int_equal(marks(play, 1), left[i]);
    }
}

/* What has gone lies deleted in the buffer until a checkpoint: it is not passed again. */
static void looking_for_old_marks_begins_where_there_are_any(void **state)
{
    struct play *play = *state;
    for (int i = 0; i < 9; i++) {
        play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'m-%d'}", i);
        play_entry(play, LOG_CLIENT, "{'type':'X','id':'m-%d'}", i);
    }
    play_pass(play, 50 * DAY_MS);
    for (int i = 0; i < 3; i++) {
        play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'n-%d'}", i);
        play_entry(play, LOG_CLIENT, "{'type':'X','id':'n-%d'}", i);
    }
    for (uint64_t customer = 0; customer <= 1; customer++) {
        const struct marks_place *place = &play->engine->marks[customer];
        struct key prefix;
        struct cursor cursor;
        key_customer(&prefix, customer, 'd');
        cursor_open(&cursor, play->state, &prefix);
        assert_true(cursor_next(&cursor));
        assert_int_equal(place->customer, customer);
        assert_int_equal(place->from.size, cursor.key.size);
        assert_memory_equal(place->from.data, cursor.key.data, cursor.key.size);
        cursor_close(&cursor);
        assert_int_equal(marks(play, customer), 9 - 6 + 3);
    }
}

static void a_mark_set_in_front_of_the_place_goes_too(void **state)
{
    struct play *play = *state;
    static const char *const ids[] = { "old", "m-7", "m-1" };
    for (int i = 0; i < 3; i++) {
        play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'%s'}", ids[i]);
        play_pass(play, i == 0 ? 50 * DAY_MS : MINUTE_MS);
    }
    play_pass(play, 50 * DAY_MS);
    for (int i = 0; i < 3; i++)
        play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'n-%d'}", i);
    assert_int_equal(marks(play, 1), 3);
}

static void nobodys_events_are_told_apart_too(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_CLIENT, "{'type':'X','id':'m-1'}");
    play_entry(play, LOG_CLIENT, "{'type':'X','id':'m-1'}");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    play_pass(play, 60 * DAY_MS);
    play_entry(play, LOG_CLIENT, "{'type':'X','id':'m-1'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_int_equal(marks(play, 0), 1);
}

static void a_copy_is_known_after_a_merge_and_after_its_undoing(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u2','id':'m-2'}");
    play_command(play, "customer.merge", "user_id:u1", "{'absorbed':'user_id:u2'}");
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'m-2'}");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    play_command(play, "customer.unmerge", "user_id:u2", NULL);
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u2','id':'m-2'}");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
}

/* -- The timeline and its trace ------------------------------------------- */

static void the_trace_says_what_changed_by_which_rule(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "rule 'idle' { on = 'Order', run = function() end }\n"
               "rule 'busy' { on = 'Order', run = function(event, customer)\n"
               "  customer:set('n', 1) customer:tag('vip') customer:set('n', 2) emit('Big')\n"
               "  log('hello') send { channel = 'log', purpose = 'service', body = 'b' } end }");
    uint64_t seq = play_track(play, "u1", "Order", NULL);
    const char *row = play_timeline(play, 1, seq, 0);
    assert_has(row, "'rules':['busy']");
    assert_has(row, "'changed':{'n':2,'tag:vip':true}");
    assert_has(row, "'log':['hello']");
    assert_has(row, "'effects':[4]");
    assert_has(row, "'made':1,'made_last':4");
    assert_has(row, "'bundle':");
}

static void a_rule_that_only_moves_a_timer_is_in_the_trace(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function()\n"
                     "  after { due = '1h', key = 'k', emit = 'Y' } end }");
    play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'1'}");
    uint64_t seq = play_entry(play, LOG_CLIENT, "{'type':'X','user':'u1','id':'2'}");
    assert_has(play_timeline(play, 1, seq, 0), "'rules':['r']");
}

static void an_assignment_that_changes_nothing_is_not_in_the_trace(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'plan':'pro'}");
    play->now += 1000;
    uint64_t seq = play_identify(play, "u1", "{'plan':'pro'}");
    assert_lacks(play_timeline(play, 1, seq, 0), "changed");
}

static void a_late_assignment_that_loses_is_not_in_the_trace(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'plan':'pro'}");
    uint64_t seq = play_entry(play, LOG_CLIENT,
                              "{'type':'identify','call':'identify','user':'u1','source':'app',"
                              "'at':%lld,'data':{'plan':'basic'}}",
                              (long long)(play->now - DAY_MS));
    assert_lacks(play_timeline(play, 1, seq, 0), "basic");
    assert_string_equal(play_trait(play, "1", "plan"), "'pro'");
}

static void a_derived_event_keeps_its_data_by_and_about(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function() emit('B', { x = 1 }) end }");
    uint64_t seq = play_track(play, "u1", "A", NULL);
    assert_has(play_timeline(play, 1, seq, 3), "'type':'B'");
    assert_has(play_timeline(play, 1, seq, 3), "'by':'r','data':{'x':1}");
}

static void the_trace_notes_every_trait_of_a_large_identify(void **state)
{
    struct play *play = *state;
    char json[8000] = "{'t0':0";
    for (int i = 1; i < 300; i++)
        snprintf(json + strlen(json), 20, ",'t%d':%d", i, i);
    memcpy(json + strlen(json), "}", 2);
    uint64_t seq = play_identify(play, "u1", json);
    assert_has(play_timeline(play, 1, seq, 0), "'t299':299");
}

static void a_trace_too_large_for_its_row_is_cut_and_says_so(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function(event, customer)\n"
                     "  emit('B', { text = string.rep('x', 40000) }) end }\n"
                     "rule 's' { on = 'B', run = function(event, customer)\n"
                     "  customer:set('a', string.rep('y', 40000)) customer:set('b', 1)\n"
                     "  log('kept') end }");
    uint64_t seq = play_track(play, "u1", "A", NULL);
    const char *row = play_timeline(play, 1, seq, 3);
    assert_has(row, "'type':'B'");
    assert_has(row, "'changed':{'b':1}");
    assert_has(row, "'log':['kept']");
    assert_has(row, "'cut':true");
}

static void lines_beyond_the_limit_are_dropped_and_it_says_so(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function()\n"
                     "  for i = 1, 30 do log('line ' .. i) end end }");
    uint64_t seq = play_track(play, "u1", "A", NULL);
    const char *row = play_timeline(play, 1, seq, 0);
    assert_has(row, "'line 20','(more lines were dropped: limit trace_lines)']");
    assert_lacks(row, "line 21");
}

static void what_a_failed_rule_logged_leaves_no_mark_at_the_limit(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function()\n"
                     "  for i = 1, 20 do log('line ' .. i) end end }\n"
                     "rule 's' { on = 'A', run = function() log('more') error('no') end }");
    uint64_t seq = play_track(play, "u1", "A", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'line 20']");
}

static void history_runs_no_rules(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = '*', run = function() log('ran') end }");
    uint64_t seq = play_entry(play, LOG_STAFF, "{'type':'X','user':'u1','historic':true}");
    assert_lacks(play_timeline(play, 1, seq, 0), "ran");
    assert_lacks(play_timeline(play, 1, seq, 1), "ran");
    assert_has(play_types(play, 1), "customer.created");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

static void what_was_sent_away_is_known_by_what_it_says(void **state)
{
    struct play *play = *state;
    struct key sent;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    play->keeps_outgoing = true;
    play_rules(play, "rule 'r' { on = 'X', run = function()\n"
                     "emit('ping', { n = 1 }, { to = 'user_id:u2' })\n"
                     "emit('ping', { n = 2 }, { to = 'user_id:u2' }) end }");
    unsigned long long seq = play_track(play, "u1", "X", NULL);
    key_start(&sent, 'g');
    assert_int_equal(play_count(play, &sent), 2);
    /* As another build had numbered them: its first is our second. */
    play_entry(play, LOG_SYSTEM,
               "{'id':'%llu.1','type':'ping','ref':'user_id:u2','source':'kith','by':'r',"
               "'data':{'n':2}}",
               seq);
    assert_int_equal(play_count(play, &sent), 1);
    play_entry(play, LOG_SYSTEM,
               "{'id':'%llu.7','type':'ping','ref':'user_id:u2','source':'kith','by':'r',"
               "'data':{'n':1}}",
               seq);
    assert_int_equal(play_count(play, &sent), 0);
}

/* The number alone would tell of a message that never arrived that it has been seen. */
static void what_has_the_number_of_something_else_that_arrived_is_not_lost(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    play_rules(play, "rule 'r' { on = 'X', run = function()\n"
                     "emit('ping', { n = 1 }, { to = 'user_id:u2' })\n"
                     "emit('ping', { n = 2 }, { to = 'user_id:u2' }) end }\n"
                     "rule 'p' { on = 'ping', run = function(event, customer)\n"
                     "customer:set('sum', (customer.sum or 0) + event.n) end }");
    play->keeps_outgoing = true;
    unsigned long long seq = play_track(play, "u1", "X", NULL);
    const struct {
        int number, n;
    } arrivals[] = { { 1, 2 }, { 1, 1 }, { 1, 2 }, { 1, 1 } }; /* the first by another build */
    for (size_t i = 0; i < sizeof arrivals / sizeof *arrivals; i++)
        play_entry(play, LOG_SYSTEM,
                   "{'id':'%llu.%d','type':'ping','ref':'user_id:u2','source':'kith','by':'r',"
                   "'data':{'n':%d}}",
                   seq, arrivals[i].number, arrivals[i].n);
    assert_string_equal(play_trait(play, "user_id:u2", "sum"), "3");
}

static void a_replayed_past_sends_nothing_and_an_outage_loses_nothing(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_rules(play, "rule 'r' { on = 'X', run = function()\n"
                     "send { channel = 'log', purpose = 'service', body = 'x', expires = '30d' } "
                     "end }");
    play_track(play, "u1", "X", NULL);
    play->now += 3 * DAY_MS;
    assert_int_equal(play_claim(play, "log"), 1);
    play_entry(play, LOG_SYSTEM, "{'type':'replay.started','data':{'until':%lld}}",
               (long long)(play->now + 2 * DAY_MS));
    play_identify(play, "u3", NULL);
    play_track(play, "u3", "X", NULL);
    play->now += 3 * DAY_MS;
    assert_int_equal(play_claim(play, "log"), 0);
    assert_has(play_types(play, 2), "effect.suppressed");
    play_track(play, "u3", "X", NULL);
    assert_int_equal(play_claim(play, "log"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_sent_away_is_known_by_what_it_says),
        TEST(what_has_the_number_of_something_else_that_arrived_is_not_lost),
        TEST(a_replayed_past_sends_nothing_and_an_outage_loses_nothing),
        TEST(a_rule_reads_the_envelope_first_and_then_the_data),
        TEST(an_event_never_happened_after_it_was_written),
        TEST(a_hostile_time_does_no_harm),
        TEST(an_event_without_a_type_is_refused),
        TEST(an_overlong_by_or_about_is_refused),
        TEST(an_event_without_a_customer_is_nobodys_and_runs_its_rules),
        TEST(a_client_cannot_say_how_deep_its_event_is),
        TEST(a_client_cannot_forge_an_event_of_the_system),
        TEST(a_client_cannot_start_a_schedule),
        TEST(staff_cannot_forge_what_is_no_command),
        TEST(a_command_from_a_client_changes_nothing),
        TEST(rules_on_a_command_run_for_staff),
        TEST(a_refused_command_is_no_event_for_rules),
        TEST(the_same_event_counts_once),
        TEST(another_source_may_use_the_same_id),
        TEST(a_copy_is_known_for_thirty_days_of_log_time),
        TEST(an_import_is_known_for_ever),
        TEST(an_import_is_known_to_whatever_comes_later),
        TEST(a_long_id_is_told_from_one_with_the_same_beginning),
        TEST(old_marks_go_two_at_a_time),
        TEST(looking_for_old_marks_begins_where_there_are_any),
        TEST(a_mark_set_in_front_of_the_place_goes_too),
        TEST(nobodys_events_are_told_apart_too),
        TEST(a_copy_is_known_after_a_merge_and_after_its_undoing),
        TEST(the_trace_says_what_changed_by_which_rule),
        TEST(a_rule_that_only_moves_a_timer_is_in_the_trace),
        TEST(an_assignment_that_changes_nothing_is_not_in_the_trace),
        TEST(a_late_assignment_that_loses_is_not_in_the_trace),
        TEST(a_derived_event_keeps_its_data_by_and_about),
        TEST(the_trace_notes_every_trait_of_a_large_identify),
        TEST(a_trace_too_large_for_its_row_is_cut_and_says_so),
        TEST(lines_beyond_the_limit_are_dropped_and_it_says_so),
        TEST(what_a_failed_rule_logged_leaves_no_mark_at_the_limit),
        TEST(history_runs_no_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

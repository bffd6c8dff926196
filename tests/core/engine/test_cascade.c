/* test_cascade.c -- what causes what comes to an end, whichever way it goes. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

#define DEPTH 16 /* limits.cascade_depth */

/* Claim what is ready on the channel and let it be sent, one by one, at most `most`; how many. */
static unsigned deliver(struct play *play, const char *channel, unsigned most)
{
    struct ready_effect ready;
    unsigned count = 0;
    for (; count < most && engine_ready(play->engine, text_of(channel), &ready, 1) == 1; count++) {
        play_entry(play, LOG_SYSTEM,
                   "{'type':'effect.claim','data':{'id':'%s','attempt':1,'run':2,'print':%lld}}",
                   ready.id, (long long)ready.print);
        if (strstr(play_effect(play, ready.id), "'state':'claimed'") != NULL)
            play_outcome(play, ready.id, 1, "sent");
    }
    return count;
}

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

static unsigned count_type(struct play *play, const char *type)
{
    return count_of(play_types(play, 1), type);
}

/* Whether a row of the customer's timeline says so. */
static void assert_told(struct play *play, const char *words)
{
    struct key prefix;
    struct cursor cursor;
    bool is_told = false;
    key_customer(&prefix, 1, 't');
    cursor_open(&cursor, play->state, &prefix);
    while (cursor_next(&cursor))
        is_told = is_told || memmem(cursor.value.data, cursor.value.size, words, strlen(words));
    cursor_close(&cursor);
    assert_true(is_told);
}

/* -- Messages ------------------------------------------------------------- */

#define SEND "send { channel = 'log', purpose = 'service', body = 'x' }"

static void a_rule_that_answers_each_message_comes_to_an_end(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'go' { on = 'Go', run = function() " SEND " end }\n"
                     "rule 's' { on = 'effect.sent', run = function() " SEND " end }");
    play_track(play, "u1", "Go", NULL);
    assert_int_equal(deliver(play, "log", 100), DEPTH);
    assert_int_equal(count_type(play, "rule.failed"), 1);
    assert_told(play, "rules.lua:2: send: events cause events more than 16 deep "
                      "(limit cascade_depth)");
    play_track(play, "u1", "Go", NULL); /* and the next event begins anew */
    assert_int_equal(deliver(play, "log", 100), DEPTH);
}

static void a_rule_that_answers_everything_comes_to_an_end(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_rules(play, "rule 's' { on = '*', run = function(event, customer)\n"
                     "  if customer then " SEND " end end }");
    play_track(play, "u1", "Go", NULL);
    assert_int_equal(deliver(play, "log", 100), DEPTH);
    assert_told(play, "send: events cause events more than 16 deep (limit cascade_depth)");
}

static void what_the_arbiter_refuses_is_no_way_around(void **state)
{
    struct play *play = *state;
    play_rules(play, "purpose 'news' { opt_in = true }\n"
                     "rule 's' { on = { 'Go', 'effect.suppressed' }, run = function()\n"
                     "  send { channel = 'log', purpose = 'news', body = 'x' } end }");
    play_track(play, "u1", "Go", NULL);
    assert_int_equal(deliver(play, "log", 100), DEPTH);
    assert_int_equal(count_type(play, "rule.failed"), 1);
}

static void a_message_in_doubt_is_no_way_around(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 's' { on = { 'Go', 'effect.uncertain' }, run = function()\n"
                     "  " SEND " end }");
    play_track(play, "u1", "Go", NULL);
    unsigned count = 0;
    for (; count < 100 && play_claim(play, "log") == 1; count++)
        play_start(play);
    assert_int_equal(count, DEPTH);
    assert_int_equal(count_type(play, "rule.failed"), 1);
}

static void a_retry_is_no_step_of_a_cascade(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 's' { on = { 'Go', 'effect.failed' }, run = function()\n"
                     "  " SEND " end }");
    play_world(play, 0, "{'effect_attempts':2,'cascade_depth':3}");
    play_track(play, "u1", "Go", NULL);
    unsigned attempts = 0;
    struct ready_effect ready;
    while (attempts < 100 && engine_ready(play->engine, text_of("log"), &ready, 1) == 1) {
        play_claim(play, "log");
        play_outcome(play, ready.id, (int)ready.attempt, "failed");
        attempts++;
        play_pass(play, HOUR_MS);
    }
    assert_int_equal(attempts, 3 * 2);
}

static void a_cascade_of_messages_that_branches_comes_to_an_end(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'derived':50}");
    play_rules(play, "rule 's' { on = { 'Go', 'effect.sent' }, run = function()\n"
                     "  " SEND " " SEND " end }");
    play_track(play, "u1", "Go", NULL);
    unsigned count = deliver(play, "log", 1000); /* by depth alone it would be 131070 */
    assert_in_range(count, 30, 50);
    assert_told(play, "send: what becomes of this message may lead to ");
    assert_told(play, " others, its share of the 50 of one cause (limit derived)");
}

static void one_event_sends_no_more_than_its_cause_may(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'derived':20}");
    play_rules(play, "rule 'go' { on = 'Go', run = function()\n"
                     "  for i = 1, 10 do emit('More') end end }\n"
                     "rule 'more' { on = 'More', run = function()\n"
                     "  " SEND " " SEND " " SEND " end }");
    play_track(play, "u1", "Go", NULL);
    assert_int_equal(deliver(play, "log", 100), 18); /* a rule that fails has sent nothing */
    assert_told(play, "send: more than 20 messages from one cause (limit derived)");
}

static void timers_of_one_tick_are_causes_of_their_own(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'derived':4}");
    play_rules(play, "rule 'go' { on = 'Go', run = function()\n"
                     "  after { due = '1h', emit = 'Fire' } end }\n"
                     "rule 's' { on = { 'Fire', 'effect.sent' }, run = function() " SEND " end }");
    for (int i = 0; i < 6; i++)
        play_entry(play, LOG_CLIENT, "{'type':'Go','user':'u%d','data':{}}", i);
    play->now += 2 * HOUR_MS;
    play_ticks(play);
    assert_int_equal(deliver(play, "log", 100), 6 * 4);
}

static void messages_in_doubt_at_a_start_do_not_share(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'derived':3}");
    play_rules(play, "rule 's' { on = { 'Go', 'effect.uncertain', 'effect.sent' },\n"
                     "  run = function() " SEND " end }");
    for (int i = 0; i < 5; i++)
        play_entry(play, LOG_CLIENT, "{'type':'Go','user':'u%d','data':{}}", i);
    assert_int_equal(play_claim(play, "log"), 5);
    play_start(play);
    assert_int_equal(play_claim(play, "log"), 5); /* an answer to each */
    play_start(play);
    assert_int_equal(play_claim(play, "log"), 5);
    play_start(play);
    assert_int_equal(play_claim(play, "log"), 0);
}

static void a_person_who_lets_a_message_go_begins_anew(void **state)
{
    struct play *play = *state;
    struct ready_effect ready;
    play_rules(play, "rule 'go' { on = 'Go', run = function() " SEND " end }\n"
                     "rule 's' { on = 'effect.sent', run = function() " SEND " end }");
    play_track(play, "u1", "Go", NULL);
    deliver(play, "log", 10);
    assert_int_equal(engine_ready(play->engine, text_of("log"), &ready, 1), 1);
    const char *id = arena_text(&play->arena, text_of(ready.id)).data;
    assert_has(play_effect(play, id), "'depth':10");
    play_claim(play, "log");
    play_outcome(play, id, 1, "uncertain");
    play_entry(play, LOG_STAFF, "{'type':'effect.release','data':{'id':'%s'}}", id);
    assert_lacks(play_effect(play, id), "'depth'");
}

static void a_message_names_the_limit_within_an_entry_too(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function() emit('A')\n"
                     "  remind { title = 't', due = '1d', key = 'k' } end }");
    play_track(play, "u1", "A", NULL);
    assert_told(play, "emit: events cause events more than 16 deep (limit cascade_depth)");
    play_rules(play, "rule 'r' { on = 'A', run = function() emit('B') end }\n"
                     "rule 's' { on = 'B', run = function()\n"
                     "  remind { title = 't', due = '1d', key = 'k' } end }");
    play_world(play, 0, "{'cascade_depth':1}");
    play_track(play, "u1", "A", NULL);
    assert_told(play, "not derived: reminder.created: events cause events more than 1 deep "
                      "(limit cascade_depth)");
}

/* -- Books ---------------------------------------------------------------- */

static void no_rule_hears_of_claims_outcomes_and_verdicts(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'go' { on = 'Go', run = function() " SEND " end }\n"
                     "rule 'all' { on = '*', run = function(event) log(event.type) end }");
    play_track(play, "u1", "Go", NULL);
    deliver(play, "log", 10);
    play_entry(play, LOG_SYSTEM, "{'type':'verdict','at_seq':1,'rules':[]}");
    assert_told(play, "effect.sent");
    uint64_t last = engine_seq(play->engine);
    assert_lacks(play_timeline(play, 0, last, 0), "'log'");
    assert_lacks(play_timeline(play, 1, last - 1, 0), "'log'"); /* the outcome */
    assert_lacks(play_timeline(play, 1, last - 2, 0), "'log'"); /* the claim */
    assert_has(play_timeline(play, 1, last - 1, 1), "'log':['effect.sent']");
}

/* Each death is told to the log, and a rule for everything must not die of that again. */
static void a_rule_that_always_dies_does_not_fill_the_log(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'rule_memory_bytes':200000}");
    play_identify(play, "u1", NULL);
    play_rules(play, "rule 'r' { on = '*', run = function()\n"
                     "  local t = {} for i = 1, 100000 do t[i] = { i } end end }");
    uint64_t before = engine_seq(play->engine);
    play_track(play, "u1", "X", NULL);
    assert_has(play_reports(play), "verdict");
    assert_int_equal(engine_seq(play->engine), before + 2); /* the event, and one verdict */
}

/* -- Timers --------------------------------------------------------------- */

static void a_timer_that_sets_itself_again_at_once_comes_to_an_end(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function()\n"
                     "  after { due = '1s', emit = 'A' } end }");
    play_track(play, "u1", "A", NULL);
    play_pass(play, HOUR_MS);
    assert_int_equal(count_type(play, "A"), 1 + DEPTH);
    assert_int_equal(count_type(play, "rule.failed"), 1);
    assert_told(play, "after: events cause events more than 16 deep (limit cascade_depth); a time "
                      "at least 60 s ahead begins anew");
}

static void a_timer_that_sets_itself_again_every_day_goes_on(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function()\n"
                     "  after { due = '1d', emit = 'A' } end }");
    play_track(play, "u1", "A", NULL);
    play_pass(play, 60 * DAY_MS + 2 * HOUR_MS); /* the clocks have changed in between, by an hour */
    assert_int_equal(count_type(play, "A"), 1 + 60);
    assert_lacks(play_types(play, 1), "rule.failed");
}

static void a_minute_is_rest_enough_and_less_is_not(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'A', run = function()\n"
                     "  after { due = '60s', emit = 'A' } end }\n"
                     "rule 's' { on = 'B', run = function()\n"
                     "  after { due = '59s', emit = 'B' } end }");
    play_track(play, "u1", "A", NULL);
    play_track(play, "u1", "B", NULL);
    play_pass(play, HOUR_MS);
    assert_int_equal(count_type(play, "A"), 1 + 60);
    assert_int_equal(count_type(play, "B"), 1 + DEPTH);
}

static void a_reminder_of_now_at_each_reminder_comes_to_an_end(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = { 'X', 'reminder.due' }, run = function()\n"
                     "  remind { title = 't', due = now(), key = 'k' } end }");
    play_track(play, "u1", "X", NULL);
    play_pass(play, HOUR_MS);
    assert_int_equal(count_type(play, "reminder.due"), DEPTH);
    assert_told(play, "remind: events cause events more than 16 deep (limit cascade_depth)");
}

static void a_reminder_of_the_past_is_one_of_now(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = { 'X', 'reminder.due' }, run = function()\n"
                     "  remind { title = 't', due = '2026-10-28 00:30' } end }");
    play_track(play, "u1", "X", NULL);
    play_pass(play, HOUR_MS);
    assert_int_equal(count_type(play, "reminder.due"), 1); /* said again it is the same */
}

static void a_reminder_every_day_goes_on(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = { 'X', 'reminder.due' }, run = function()\n"
                     "  remind { title = 't', due = '1d', at = '10:00', key = 'k' } end }");
    play_track(play, "u1", "X", NULL);
    play_pass(play, 60 * DAY_MS + 12 * HOUR_MS);
    assert_int_equal(count_type(play, "reminder.due"), 60);
    assert_lacks(play_types(play, 1), "rule.failed");
}

static void messages_and_timers_are_one_cascade(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'a' { on = { 'Go', 'Late' }, run = function() " SEND " end }\n"
                     "rule 'b' { on = 'effect.sent', run = function()\n"
                     "  after { due = '1s', emit = 'Late' } end }");
    play_track(play, "u1", "Go", NULL);
    unsigned count = 0;
    for (int i = 0; i < 100; i++, play_pass(play, 2 * SECOND_MS))
        count += deliver(play, "log", 10);
    assert_int_equal(count, DEPTH / 2);
}

static void a_date_that_a_rule_moves_on_rests_in_between(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'set' { on = 'X', run = function(event, customer)\n"
                     "  customer:set('next', now() + 1) end }\n"
                     "rule 'r' { on = date('next'), run = function(event, customer)\n"
                     "  customer:set('next', now() + 1) end }");
    play_track(play, "u1", "X", NULL);
    play_pass(play, 10 * MINUTE_MS);
    assert_in_range(count_type(play, "schedule.due"), 10, 11 * (DEPTH + 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rule_that_answers_each_message_comes_to_an_end),
        TEST(a_rule_that_answers_everything_comes_to_an_end),
        TEST(what_the_arbiter_refuses_is_no_way_around),
        TEST(a_message_in_doubt_is_no_way_around),
        TEST(a_retry_is_no_step_of_a_cascade),
        TEST(a_cascade_of_messages_that_branches_comes_to_an_end),
        TEST(one_event_sends_no_more_than_its_cause_may),
        TEST(timers_of_one_tick_are_causes_of_their_own),
        TEST(messages_in_doubt_at_a_start_do_not_share),
        TEST(a_person_who_lets_a_message_go_begins_anew),
        TEST(a_message_names_the_limit_within_an_entry_too),
        TEST(no_rule_hears_of_claims_outcomes_and_verdicts),
        TEST(a_rule_that_always_dies_does_not_fill_the_log),
        TEST(a_timer_that_sets_itself_again_at_once_comes_to_an_end),
        TEST(a_timer_that_sets_itself_again_every_day_goes_on),
        TEST(a_minute_is_rest_enough_and_less_is_not),
        TEST(a_reminder_of_now_at_each_reminder_comes_to_an_end),
        TEST(a_reminder_of_the_past_is_one_of_now),
        TEST(a_reminder_every_day_goes_on),
        TEST(messages_and_timers_are_one_cascade),
        TEST(a_date_that_a_rule_moves_on_rests_in_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_memory.c -- what one event may take of the daemon's memory, and that it is given back.
 *
 * A spy stands between engine and rules and looks at how much is taken when a rule begins.
 */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static enum rule_outcome (*real_run)(struct ruleset *rules, size_t index, struct step *step,
                                     struct rule_failure *out_failure);
static size_t runs, most_bytes;

static enum rule_outcome spy_run(struct ruleset *rules, size_t index, struct step *step,
                                 struct rule_failure *out_failure)
{
    size_t bytes = engine_bytes(step->engine);
    runs++;
    most_bytes = bytes > most_bytes ? bytes : most_bytes;
    return real_run(rules, index, step, out_failure);
}

static void watch(struct play *play)
{
    real_run = play->engine->rules->run;
    play->engine->rules->run = spy_run;
    runs = most_bytes = 0;
}

#define MIB ((size_t)1 << 20)
/* Takes 5 MiB: each change leaves the section before it behind. */
#define GREEDY "for i = 1, 500 do customer:set('big', string.rep('x', 10000) .. i) end\n"

static void a_rule_that_takes_too_much_fails_with_words_and_leaves_nothing(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'rule_arena_bytes':1000000}");
    play_rules(play, "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  customer:tag('t') " GREEDY " end }\n"
                     "rule 's' { on = 'X', run = function() log('ran') end }");
    play_identify(play, "u1", NULL);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "'type':'rule.failed'");
    assert_has(play_timeline(play, 1, seq, 1),
               "over the 1000000 bytes that one rule may make the engine take (limit "
               "rule_arena_bytes)");
    assert_lacks(play_profile(play, 1), "'t'");
    assert_has(play_timeline(play, 1, seq, 0), "'rules':['s']");
    assert_has(play_timeline(play, 1, seq, 0), "'log':['ran']");
    assert_true(play->engine->verdict.data == NULL); /* the same in every replay */
}

static void it_cannot_be_caught(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'rule_arena_bytes':100000}");
    play_rules(play, "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  for i = 1, 1000 do\n"
                     "    pcall(customer.set, customer, 'a', string.rep('x', 1000) .. i) end\n"
                     "  log('survived') end }");
    play_identify(play, "u1", NULL);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 1), "rule_arena_bytes");
    assert_lacks(play_timeline(play, 1, seq, 0), "survived");
}

static void every_word_is_charged(void **state)
{
    static const char *const words[] = {
        "remind { title = 't', to = 'ann', due = '1wd', key = 'k' }",
        "after { due = '1h', key = 'k', emit = 'Y', data = { t = 'some text' } }",
        "customer:tag('t') customer:untag('t')",
        "customer:add('list', i)",
        "customer:has_tag('a tag that nobody has')",
        "cancel('k')",
    };
    struct play *play = *state;
    play_world(play, 0, "{'rule_arena_bytes':65536}");
    play_identify(play, "u1", NULL);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char lua[300];
        snprintf(lua, sizeof lua,
                 "rule 'r' { on = 'X', run = function(event, customer)\n"
                 "for i = 1, 5000 do %s end end }",
                 words[i]);
        play_rules(play, lua);
        uint64_t seq = play_track(play, "u1", "X", NULL);
        assert_has(play_timeline(play, 1, seq, 1), "rule_arena_bytes");
    }
}

static void a_derived_event_gives_back_what_it_took(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'x' { on = 'X', run = function() for i = 1, 20 do emit('Y') end end }\n"
                     "rule 'y' { on = 'Y', run = function(event, customer)\n" GREEDY " end }");
    watch(play);
    play_track(play, "u1", "X", NULL);
    assert_int_equal(runs, 21);
    assert_true(most_bytes < MIB);
    assert_true(play->engine->arena.chunks <= ARENA_CHUNKS_KEPT);
}

static void a_timer_gives_back_what_it_took(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'x' { on = 'X', run = function() for i = 1, 20 do\n"
                     "  after { due = '1h', key = 'k' .. i, emit = 'Y' } end end }\n"
                     "rule 'y' { on = 'Y', run = function(event, customer)\n" GREEDY " end }");
    play_track(play, "u1", "X", NULL);
    watch(play);
    play->now += HOUR_MS;
    assert_int_equal(play_ticks(play), 1);
    assert_int_equal(runs, 20);
    assert_true(most_bytes < MIB);
}

static void a_rule_that_fails_gives_back_what_it_took(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'a' { on = 'X', run = function(event, customer)\n" GREEDY
                     "  error('no') end }\n"
                     "rule 'b' { on = 'X', run = function() end }");
    play_identify(play, "u1", NULL);
    watch(play);
    play_track(play, "u1", "X", NULL);
    assert_int_equal(runs, 2);
    assert_true(most_bytes < MIB);
}

static void many_rules_of_one_event_share_the_room_and_lose_nothing(void **state)
{
    struct play *play = *state;
    struct buf lua = BUF_INIT;
    for (int i = 1; i <= 12; i++)
        buf_printf(&lua,
                   "rule 'r%d' { on = 'X', run = function(event, customer)\n"
                   "  customer:set('sum', (customer.sum or 0) + %d) customer:tag('t%d')\n"
                   "  log('line %d') customer:set('list', { %d, 'of', { n = 12 } })\n" GREEDY
                   "  emit('Y', { by = %d }) end }\n",
                   i, i, i, i, i, i);
    play_identify(play, "u1", "{'email':'a@x.de','name':'Ann'}");
    play_command(play, "owner.changed", "1", "{'owner':'bob'}");
    play_rules(play, buf_string(&lua));
    buf_deinit(&lua);
    watch(play);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_int_equal(runs, 12);
    assert_true(most_bytes < 2 * MIB);
    assert_string_equal(play_trait(play, "1", "sum"), "78");
    assert_string_equal(play_trait(play, "1", "list"), "[12,'of',{'n':12}]");
    assert_string_equal(play_trait(play, "1", "name"), "'Ann'");
    const char *profile = play_profile(play, 1);
    assert_has(profile, "'o':'bob'");
    assert_has(profile, "'t1','t2','t3','t4','t5','t6','t7','t8','t9','t10','t11','t12'");
    assert_has(profile, "'i':['user_id','u1','email','a@x.de']");
    const char *row = play_timeline(play, 1, seq, 0);
    assert_has(row, "'rules':['r1','r2'");
    assert_has(row, "'sum':78");
    assert_has(row, "'tag:t1':true");
    assert_has(row, "'log':['line 1','line 2'");
    assert_has(play_timeline(play, 1, seq, 12), "'type':'Y'");
    assert_has(play_timeline(play, 1, seq, 12), "'by':'r12','data':{'by':12}");
}

/* They wait in memory that outlives whoever made them. */
static void events_that_wait_keep_their_data(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "rule 'x' { on = 'X', run = function(event, customer)\n"
               "  for i = 1, 5 do emit('Y', { i = i, text = string.rep(tostring(i), 40000) }) end\n"
               "  after { due = '1h', key = 'k', emit = 'Y', data = { i = 6, text = '6' } }\n"
               "  " GREEDY " end }\n"
               "rule 'y' { on = 'Y', run = function(event, customer)\n" GREEDY
               "  emit('Z', { i = event.i, size = #event.text, last = event.text:sub(-1) }) end }\n"
               "rule 'z' { on = 'Z', run = function(event, customer)\n"
               "  customer:add('got', event.i .. ':' .. event.size .. ':' .. event.last) end }");
    play_track(play, "u1", "X", NULL);
    play_pass(play, 2 * HOUR_MS);
    assert_string_equal(play_trait(play, "1", "got"),
                        "['1:40000:1','2:40000:2','3:40000:3','4:40000:4','5:40000:5','6:1:6']");
}

static void a_verdict_is_kept_through_all_that_follows(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'rule_memory_bytes':65536}");
    play_rules(play, "rule 'x' { on = 'X', run = function(event, customer)\n"
                     "  for i = 1, 3 do emit('Y', { i = i }) end end }\n"
                     "rule 'y' { on = 'Y', run = function(event, customer)\n"
                     "  local t = {} for i = 1, 100000 do t[i] = { i } end end }");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_reports(play), "verdict");
    assert_has(play_types(play, 1), "rule.failed");
    assert_true(play->engine->seq >= seq);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rule_that_takes_too_much_fails_with_words_and_leaves_nothing),
        TEST(it_cannot_be_caught),
        TEST(every_word_is_charged),
        TEST(a_derived_event_gives_back_what_it_took),
        TEST(a_timer_gives_back_what_it_took),
        TEST(a_rule_that_fails_gives_back_what_it_took),
        TEST(many_rules_of_one_event_share_the_room_and_lose_nothing),
        TEST(events_that_wait_keep_their_data),
        TEST(a_verdict_is_kept_through_all_that_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_declare.c -- what a bundle declares: in both forms of a call, and never lost. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static void expect_no_load(struct play *play, const char *lua, const char *wanted)
{
    if (play_load(play, lua) == 0)
        fail_msg("loaded: %s", lua);
    assert_has(play->err.text, wanted);
}

static void a_word_takes_name_and_table_in_one_call(void **state)
{
    struct play *play = *state;
    play_rules(play, "purpose('news', { opt_in = true })\n"
                     "calendar('company', { zone = 'Europe/Berlin', hours = '10:00-11:00' })\n"
                     "rule('r', { on = 'X', run = function()\n"
                     "  remind { title = 't', due = '1wd' }\n"
                     "  send { channel = 'log', purpose = 'news', body = 'b' } end })");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    char wanted[60];
    snprintf(wanted, sizeof wanted, "'due':%lld,", (long long)(PLAY_START_MS + 34 * HOUR_MS));
    assert_has(play_task(play, 1), wanted);
    assert_has(play_timeline(play, 1, seq, 0), "'rules':['r'],'effects':[");
}

static void a_name_without_its_table_is_told_with_its_place(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "rule 'a' { on = 'X', run = function() end }\n\nrule 'x'\nlocal y = 1",
                   "rules.lua:3: rule \"x\" declares nothing: a table must follow, rule \"x\" {");
    expect_no_load(play, "\npurpose 'x'", "rules.lua:2: purpose \"x\" declares nothing");
    expect_no_load(play, "calendar('x')", "rules.lua:1: calendar \"x\" declares nothing");
    expect_no_load(play, "local r = rule 'x'\npcall(r, { on = 'X' })",
                   "rules.lua:1: rule \"x\" declares nothing");
    expect_no_load(play, "local function make(n)\n  return rule(n)\nend\nmake 'x'",
                   "declares nothing");
}

static void what_is_no_table_is_refused_in_both_forms(void **state)
{
    struct play *play = *state;
    const char *wanted = "rules.lua:1: a table { ... } is expected behind rule \"x\"";
    expect_no_load(play, "rule('x', nil)", wanted);
    expect_no_load(play, "rule('x', 5)", wanted);
    expect_no_load(play, "rule('x', { on = 'X', run = function() end }, 5)", wanted);
    expect_no_load(play, "rule('x')()", wanted);
    expect_no_load(play, "rule 'x' 'y'", wanted);
}

/* Both are declarations of their own: the second has the name of the first. */
static void a_declaration_is_made_once(void **state)
{
    struct play *play = *state;
    expect_no_load(play,
                   "local r = rule 'x'\nlocal t = { on = 'X', run = function() end }\nr(t)\nr(t)",
                   "rules.lua:4: a rule called \"x\" stands in this bundle already");
}

static void a_table_may_come_from_another_file(void **state)
{
    struct play *play = *state;
    const struct play_file files[] = {
        { "a.lua", "later = rule 'x'" },
        { "b.lua", "later { on = 'X', run = function() log('ran') end }" },
        { NULL, NULL },
    };
    play_bundle(play, files);
    assert_int_equal(play->result.status, ENGINE_DONE);
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'log':['ran']");
}

static void hours_are_read_in_the_order_of_the_days(void **state)
{
    struct play *play = *state;
    for (int i = 0; i < 5; i++)
        expect_no_load(play, "calendar 'a' { hours = { sun = 'x', fri = 'y', ['tue-wed'] = 'z' } }",
                       "hours are written \"09:00-17:30\", not \"z\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_word_takes_name_and_table_in_one_call),
        TEST(a_name_without_its_table_is_told_with_its_place),
        TEST(what_is_no_table_is_refused_in_both_forms),
        TEST(a_declaration_is_made_once),
        TEST(a_table_may_come_from_another_file),
        TEST(hours_are_read_in_the_order_of_the_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

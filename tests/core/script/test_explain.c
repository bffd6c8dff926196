/* test_explain.c -- Lua's messages in the words of those who write rules. */
#include "core/script/explain.h"

#include "core/base/buf.h"
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void expect_no_load(struct play *play, const char *lua, const char *wanted)
{
    if (play_load(play, lua) == 0)
        fail_msg("loaded: %s", lua);
    assert_string_equal(play->err.text, wanted);
}

/* A rule fails with this at its only line. */
static void expect_failure(struct play *play, const char *code, const char *wanted)
{
    char *lua = NULL;
    char full[400];
    int size =
        asprintf(&lua, "rule 'r' { on = 'X', run = function(event, customer) %s end }", code);
    assert_true(size > 0);
    play_rules(play, lua);
    free(lua);
    play_identify(play, "u1", NULL);
    uint64_t seq = play_track(play, "u1", "X", "{'name':'x','address':{}}");
    snprintf(full, sizeof full, "'message':'rules.lua:1: %s'", wanted);
    assert_has(play_timeline(play, 1, seq, 1), full);
}

static void a_misspelt_word_is_told_with_the_right_one(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "\nrulle 'x' {}",
                   "rules.lua:2: there is no \"rulle\"; did you mean \"rule\"?");
    expect_failure(play, "remnd { title = 't' }",
                   "there is no \\'remnd\\'; did you mean \\'remind\\'?");
    expect_failure(play, "local x = ipiars({})",
                   "there is no \\'ipiars\\'; did you mean \\'ipairs\\'?");
    expect_failure(play, "log(strng.rep('x', 5))",
                   "there is no \\'strng\\'; did you mean \\'string\\'?");
    expect_failure(play, "customer:untga('x')",
                   "there is no method \\'untga\\'; did you mean \\'untag\\'?");
}

static void a_word_of_a_later_version_is_told_as_that(void **state)
{
    static const char *const words[] = {
        "segment", "journey", "campaign", "cut",   "control", "lookup", "entered",
        "left",    "changed", "split",    "event", "exit",    "table",
    };
    struct play *play = *state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char lua[60], wanted[120];
        snprintf(lua, sizeof lua, "%s 'x'", words[i]);
        snprintf(wanted, sizeof wanted,
                 "rules.lua:1: \"%s\" is a word of a later version: this one does not have it",
                 words[i]);
        expect_no_load(play, lua, wanted);
    }
    expect_no_load(
        play, "rule 'x' { on = entered 'gold', run = function() end }",
        "rules.lua:1: \"entered\" is a word of a later version: this one does not have it");
}

static void what_people_try_is_told_as_it_is_written_here(void **state)
{
    struct play *play = *state;
    expect_no_load(play, "trait 'x' { value = '1' }",
                   "rules.lua:1: there is no \"trait\" here: customer.NAME reads a trait, "
                   "customer:set(\"NAME\", value) sets one");
    expect_failure(play, "print('x')",
                   "there is no \\'print\\' here: log(...) writes a line that the timeline shows");
    expect_failure(play, "local t = os.time()",
                   "there is no \\'os\\' here: now() is the time, and ago(\\'3d\\') one before it");
    expect_failure(play, "if has_tag('x') then end",
                   "there is no \\'has_tag\\' here: write customer:has_tag(tag)");
    expect_failure(
        play, "help_me_please()",
        "there is no \\'help_me_please\\': neither a word nor a function of these scripts");
}

static void an_argument_that_was_not_taken_is_told(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function() customer:set('x', 1) end }");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 3),
               "rules.lua:1: \\'customer\\' is an argument of the rule's function: "
               "run = function(event, customer)");
}

static void an_event_of_nobody_is_told(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'X', run = function(event, customer)\n"
                     "  customer:set('x', 1) end }");
    uint64_t seq = play_entry(play, LOG_CLIENT, "{'type':'X'}");
    assert_has(play_timeline(play, 0, seq, 1),
               "this event has no customer; ask first, as in: if customer then ...");
}

static void a_missing_field_is_named(void **state)
{
    struct play *play = *state;
    expect_failure(play, "if event.total > 5 then end",
                   "attempt to compare number with nil: missing here: event.total; ask first, as "
                   "in: if known(event.total) then ...");
    expect_failure(play, "customer:set('sum', (customer.sum or 0) + event.total)",
                   "attempt to perform arithmetic on a nil value (field 'total'): missing "
                   "here: event.total; ask first, as in: if known(event.total) then ...");
    expect_failure(play, "log('Order ' .. event.order_id)",
                   "attempt to concatenate a nil value (field 'order_id'): missing "
                   "here: event.order_id; ask first, as in: if known(event.order_id) then ...");
    expect_failure(
        play, "local t, c = event.total, customer.limit if t < 5 then end",
        "attempt to compare nil with number: missing here: customer.limit and event.total; "
        "ask first, as in: if known(customer.limit) then ...");
}

/* What is not known to have caused it is not blamed. */
static void a_message_without_a_better_one_stays(void **state)
{
    struct play *play = *state;
    expect_failure(play, "local n = event.nothing log(event.address.city.name)",
                   "attempt to index a nil value (field 'city')");
    expect_failure(play, "local n = event.nothing local t = {} t.x()",
                   "attempt to call a nil value (field 'x')");
    expect_failure(play, "local t = {} t:frobnicate()",
                   "attempt to call a nil value (method 'frobnicate')");
    expect_failure(play, "error('attempt to do nothing')", "attempt to do nothing");
    expect_failure(play, "local t = nil .. 'x'", "attempt to concatenate a nil value");
}

static void only_this_rules_fields_are_named(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'a' { on = 'X', run = function(event) local x = event.other end }\n"
                     "rule 'b' { on = 'X', run = function(event) local x = nil < 5 end }");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 3), "rules.lua:2: attempt to compare nil with number'");
}

/* -- The pieces ----------------------------------------------------------- */

static void a_name_is_near_when_little_of_it_is_wrong(void **state)
{
    static const char *const names[] = { "title", "to", "due", NULL };
    (void)state;
    assert_string_equal(explain_near("titel", names), "title");
    assert_string_equal(explain_near("tot", names), "to");
    assert_null(explain_near("escalation", names));
    assert_null(explain_near("", (const char *const[]){ NULL }));
}

static void a_list_reads_as_people_write_it(void **state)
{
    struct buf out = BUF_INIT;
    (void)state;
    explain_list((const char *const[]){ "a", NULL }, &out);
    explain_list((const char *const[]){ "b", "c", NULL }, &out);
    explain_list((const char *const[]){ "d", "e", "f", NULL }, &out);
    assert_string_equal(buf_string(&out), "ab and cd, e and f");
    buf_deinit(&out);
}

static void hostile_messages_pass(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const messages[] = {
        "",
        "attempt to call a nil value",
        "attempt to call a nil value (",
        "attempt to call a nil value (global '",
        "attempt to call a nil value (global ')",
        "attempt to index a nil value (field '')",
        "attempt to compare nil",
    };
    struct explain_context context = { none, none, none, true };
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct buf out = BUF_INIT;
        explain_message(messages[i], &context, &out);
        assert_string_equal(buf_string(&out), messages[i]);
        buf_deinit(&out);
    }
}

static void an_overlong_name_is_cut(void **state)
{
    static const char *const none[] = { NULL };
    struct explain_context context = { none, none, none, true };
    struct buf message = BUF_INIT, out = BUF_INIT;
    (void)state;
    buf_text(&message, "attempt to call a nil value (global '");
    for (int i = 0; i < 1000; i++)
        buf_text(&message, "\xc3\xa4");
    buf_text(&message, "')");
    explain_message(buf_string(&message), &context, &out);
    char text[200];
    explain_copy(&out, text, sizeof text);
    assert_non_null(strstr(text, "there is no \"\xc3\xa4\xc3\xa4"));
    assert_true(strlen(text) < sizeof text);
    buf_deinit(&message);
    buf_deinit(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_misspelt_word_is_told_with_the_right_one),
        TEST(a_word_of_a_later_version_is_told_as_that),
        TEST(what_people_try_is_told_as_it_is_written_here),
        TEST(an_argument_that_was_not_taken_is_told),
        TEST(an_event_of_nobody_is_told),
        TEST(a_missing_field_is_named),
        TEST(a_message_without_a_better_one_stays),
        TEST(only_this_rules_fields_are_named),
        cmocka_unit_test(a_name_is_near_when_little_of_it_is_wrong),
        cmocka_unit_test(a_list_reads_as_people_write_it),
        cmocka_unit_test(hostile_messages_pass),
        cmocka_unit_test(an_overlong_name_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

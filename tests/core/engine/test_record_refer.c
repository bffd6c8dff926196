/* test_record_refer.c -- records that name another one of the same subject. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static const char rules[] =
    "kind 'case' { fields = { subject = 'text',\n"
    "    of = { type = 'record:case', same_subject = true },\n"
    "    order = { type = 'record:order', same_subject = true } },\n"
    "  roles = { customer = { subject = true } },\n"
    "  states = { 'open', { name = 'closed', final = true } },\n"
    "  transitions = { merge = { from = '*', to = 'closed', fields = { 'of' } } } }\n"
    "kind 'order' { states = { 'open' } }\n"
    "rule 'r' { on = 'X', run = function(event) record('case', 1):set('of', event.of) end }\n";

/* Cases 1 and 2, and order 1, are about customer 1; case 3 and order 2 about customer 2; order 3
 * about nobody. */
static void begin(struct play *play)
{
    play_rules(play, rules);
    assert_int_equal(play->result.status, ENGINE_DONE);
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    for (int i = 0; i < 3; i++)
        play_command(play, "record.create", i < 2 ? "1" : "2", "{'kind':'case'}");
    play_command(play, "record.create", "1", "{'kind':'order'}");
    play_command(play, "record.create", "2", "{'kind':'order'}");
    play_command(play, "record.create", NULL, "{'kind':'order'}");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static const char *change(struct play *play, int number, const char *fields)
{
    char data[200];
    snprintf(data, sizeof data, "{'kind':'case','record':%d,'fields':{%s}}", number, fields);
    play_command(play, "record.change", "1", data);
    return play->result.status == ENGINE_DONE ? "" : play->result.reason;
}

static const char *merge(struct play *play, const char *fields)
{
    char data[200];
    snprintf(data, sizeof data, "{'kind':'case','record':1,'transition':'merge','fields':{%s}}",
             fields);
    play_command(play, "record.move", "1", data);
    return play->result.status == ENGINE_DONE ? "" : play->result.reason;
}

static void another_customers_is_refused(void **state)
{
    struct play *play = *state;
    begin(play);
    assert_string_equal(change(play, 1, "'of':3"), "\"of\": case 3 is not about the same customer");
    assert_string_equal(merge(play, "'of':3"), "\"of\": case 3 is not about the same customer");
    assert_has(change(play, 1, "'order':2"), "order 2 is not about the same customer");
    assert_has(change(play, 1, "'order':3"), "order 3 is not about the same customer");
    assert_string_equal(change(play, 1, "'of':2,'order':1"), "");
    play_command(play, "record.create", "1", "{'kind':'case','fields':{'of':3}}");
    assert_has(play->result.reason, "is not about the same customer");
    uint64_t seq = play_track(play, "u1", "X", "{'of':3}");
    assert_has(play_timeline(play, 1, seq, 1), "case 3 is not about the same customer");
}

static void no_circle_closes(void **state)
{
    struct play *play = *state;
    begin(play);
    assert_string_equal(change(play, 1, "'of':1"), "\"of\": case 1 is this one itself");
    assert_string_equal(change(play, 2, "'of':1"), "");
    assert_string_equal(change(play, 1, "'of':2"), "\"of\": case 2 leads back to this one");
    assert_string_equal(merge(play, "'of':2"), "\"of\": case 2 leads back to this one");
    assert_string_equal(change(play, 2, "'of':null"), "");
    assert_string_equal(merge(play, "'of':2"), "");
}

static void what_they_were_as_one_is_looked_at_again_before_it_counts(void **state)
{
    struct play *play = *state;
    begin(play);
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    assert_string_equal(change(play, 1, "'of':3"), "");
    play_command(play, "customer.unmerge", "2", NULL);
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_string_equal(change(play, 1, "'of':3,'subject':'x'"), "");
    assert_has(merge(play, ""), "case 3 is not about the same customer");
    assert_string_equal(merge(play, "'of':2"), "");
}

static void a_way_is_followed_so_far(void **state)
{
    struct play *play = *state;
    char fields[40];
    begin(play);
    for (int i = 4; i <= 103; i++)
        play_command(play, "record.create", "1", "{'kind':'case'}");
    for (int i = 4; i <= 103; i++) {
        snprintf(fields, sizeof fields, "'of':%d", i == 4 ? 1 : i - 1);
        assert_string_equal(change(play, i, fields), "");
    }
    assert_string_equal(change(play, 2, "'of':103"),
                        "\"of\": case 103 leads on over more than 100 others");
    assert_string_equal(change(play, 2, "'of':102"), "");
    assert_string_equal(change(play, 1, "'of':102"), "\"of\": case 102 leads back to this one");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_customers_is_refused),
        TEST(no_circle_closes),
        TEST(what_they_were_as_one_is_looked_at_again_before_it_counts),
        TEST(a_way_is_followed_so_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_record_owner.c -- whose a record is, and whose the reminders of its deadlines are. */
#include "core/engine/read.h"
#include "tests/core/engine/engine_fixture.h"
#include "tests/core/engine/record_fixture.h"

#include <stdio.h>

static const char rules[] = "kind 'case' { fields = { subject = 'text' },\n"
                            "  roles = { customer = { subject = true } },\n"
                            "  states = { 'open', { name = 'closed', final = true } },\n"
                            "  transitions = { close = { from = 'open', to = 'closed' } },\n"
                            "  deadlines = { answer = { from = 'open', due = '2d', to = 'owner',\n"
                            "    escalate = { { after = '1d', to = 'team:care' } } } },\n"
                            "  owner = 'owner', title = 'subject' }\n"
                            "rule 'give' { on = 'Give', run = function(event)\n"
                            "  create('case', {}, { owner = event.to }) end }\n";

static void command(struct play *play, const char *type, const char *data)
{
    play_command(play, type, NULL, data);
    if (play->result.status != ENGINE_DONE)
        fail_msg("%s %s: %s", type, data, play->result.reason);
}

/* Five of staff, and a team of three of them that assigns by `assign`. */
static void begin(struct play *play, const char *assign)
{
    static const char *const names[] = { "ann", "bob", "eve", "ben", "carl" };
    char data[200];
    play_rules(play, rules);
    assert_int_equal(play->result.status, ENGINE_DONE);
    for (size_t i = 0; i < 5; i++) {
        snprintf(data, sizeof data, "{'name':'%s'}", names[i]);
        command(play, "staff.set", data);
    }
    snprintf(data, sizeof data, "{'name':'care','members':['ann','bob','eve'],'assign':[%s]}",
             assign);
    command(play, "staff.set", data);
    play_identify(play, "u1", NULL);
}

/* Returns what the reminder of its deadline looks like. */
static const char *create(struct play *play, const char *owner)
{
    char data[200];
    uint64_t task = play->engine->counters.task + 1;
    snprintf(data, sizeof data, "{'kind':'case','owner':'%s'}", owner);
    play_command(play, "record.create", "1", data);
    return play->result.status == ENGINE_DONE ? play_task(play, task) : play->result.reason;
}

static const char *change(struct play *play, const char *owner)
{
    char data[200];
    snprintf(data, sizeof data, "{'kind':'case','record':1,'owner':'%s'}", owner);
    play_command(play, "record.assign", "1", data);
    return play->result.status == ENGINE_DONE ? "" : play->result.reason;
}

static void a_record_of_a_team_is_a_members_in_turn(void **state)
{
    struct play *play = *state;
    static const char *const order[] = { "ann", "bob", "eve", "ann" };
    char wanted[40];
    begin(play, "'turn'");
    for (size_t i = 0; i < 4; i++) {
        snprintf(wanted, sizeof wanted, "'assignee':'%s'", order[i]);
        assert_has(create(play, "team:care"), wanted);
    }
    assert_string_equal(change(play, "team:care"), "");
    assert_has(play_task(play, 1), "'assignee':'bob'");
    assert_string_equal(change(play, "ben"), "");
    assert_has(play_task(play, 1), "'assignee':'ben'");
}

static void a_team_without_a_way_keeps_its_records(void **state)
{
    struct play *play = *state;
    begin(play, "");
    assert_has(create(play, "team:care"), "'assignee':'care'");
    assert_has(play_task(play, 1), "'to':'team:care'");
}

static void an_escalation_to_a_team_takes_turns_and_says_why(void **state)
{
    struct play *play = *state;
    begin(play, "'turn'");
    create(play, "ben");
    create(play, "ben");
    play->now += 3 * DAY_MS + HOUR_MS;
    play_ticks(play);
    assert_has(play_task(play, 1), "'assignee':'ann'");
    assert_has(play_task(play, 1), "'why':'team care: next in turn'");
    assert_has(play_task(play, 2), "'assignee':'bob'");
}

static void the_reminder_of_somebody_away_is_her_deputys_for_her_and_comes_back(void **state)
{
    struct play *play = *state;
    char data[200];
    begin(play, "'turn'");
    snprintf(data, sizeof data, "{'name':'ben','from':%lld,'until':%lld,'deputy':'carl'}",
             (long long)play->now, (long long)(play->now + 5 * DAY_MS));
    command(play, "staff.absent", data);
    play_ticks(play);
    assert_has(create(play, "ben"), "'assignee':'carl','of':'ben','why':'ben is away until ");
    command(play, "staff.back", "{'name':'ben'}");
    play_ticks(play);
    assert_has(play_task(play, 1), "'assignee':'ben'");
    assert_lacks(play_task(play, 1), "'of'");
}

static void an_owner_is_somebody(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_identify(play, "u1", NULL);
    assert_has(create(play, "anybody"), "'assignee':'anybody'"); /* nobody works there yet */
    command(play, "staff.set", "{'name':'ann','team':'desk'}");
    assert_has(create(play, "bert"), "nobody on the staff is called \"bert\"");
    assert_has(create(play, "team:moon"), "no team is called \"moon\"");
    assert_has(change(play, "bert"), "nobody on the staff is called \"bert\"");
    assert_string_equal(change(play, "anybody"), ""); /* as it is */
    assert_string_equal(change(play, "team:desk"), "");
    assert_string_equal(change(play, "owner"), "");
    assert_has(create(play, "ann"), "'assignee':'ann'");
    play_track(play, "u1", "Give", "{'to':'bert'}");
    uint64_t seq = engine_seq(play->engine);
    assert_has(play_timeline(play, 1, seq, 1), "create: nobody on the staff is called ");
}

static void a_kind_whose_owner_is_nobody_gives_its_records_to_the_fallback(void **state)
{
    static const char said[] = "the owner of kind \\'typo\\': nobody on the staff is "
                               "called \\'benn\\'; did you mean \\'ben\\'?; ";
    struct play *play = *state;
    char shown[200];
    play_rules(play, "kind 'typo' { states = { 'open' }, owner = 'benn' }\n");
    play_identify(play, "u1", NULL);
    play_command(play, "record.create", "1", "{'kind':'typo'}");
    assert_has(play_record_shown(play, "typo", 1), "'owner':'benn'"); /* nobody works there yet */
    command(play, "staff.set", "{'name':'ben'}");
    play_command(play, "record.create", "1", "{'kind':'typo'}");
    assert_has(play_record_shown(play, "typo", 2), "'owner':null");
    snprintf(shown, sizeof shown, "%sit is nobody's", said);
    assert_has(play_timeline(play, 1, engine_seq(play->engine), 0), shown);
    command(play, "staff.set", "{'name':'eve','team':'desk'}");
    play_command(play, "record.create", "1", "{'kind':'typo'}");
    assert_has(play_record_shown(play, "typo", 3), "'owner':'desk'");
    snprintf(shown, sizeof shown, "%sit is the fallback's, desk", said);
    assert_has(play_timeline(play, 1, engine_seq(play->engine), 0), shown);
    command(play, "staff.set", "{'name':'benn'}");
    play_command(play, "record.create", "1", "{'kind':'typo'}");
    assert_has(play_record_shown(play, "typo", 4), "'owner':'benn'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_of_a_team_is_a_members_in_turn),
        TEST(a_team_without_a_way_keeps_its_records),
        TEST(an_escalation_to_a_team_takes_turns_and_says_why),
        TEST(the_reminder_of_somebody_away_is_her_deputys_for_her_and_comes_back),
        TEST(an_owner_is_somebody),
        TEST(a_kind_whose_owner_is_nobody_gives_its_records_to_the_fallback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_organisation.c -- what a group call says of where somebody works, and of the place. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static uint64_t group(struct play *play, const char *user, const char *data)
{
    return play_entry(play, LOG_CLIENT,
                      "{'type':'group','call':'group','user':'%s','source':'web','data':%s}", user,
                      data);
}

static size_t relations(struct play *play, uint64_t customer)
{
    struct key prefix;
    key_customer(&prefix, customer, 'l');
    return play_count(play, &prefix);
}

static void a_group_call_says_where_somebody_works(void **state)
{
    struct play *play = *state;
    struct key key;
    uint64_t seq = group(play, "u1", "{'groupId':'acme'}");
    assert_int_equal(play_customer(play, "external:group:acme"), 2);
    assert_has(play_profile(play, 2), "'k':1");
    key_customer(&key, 1, 'l');
    key_text(&key, text_of("works at"));
    key_number(&key, 2);
    assert_has(play_row(play, &key), "'since'");
    assert_has(play_timeline(play, 1, seq, 0), "'changed':{'relation:works at:2':true}");
}

static void the_organisation_is_touched_as_by_an_identify(void **state)
{
    struct play *play = *state;
    uint64_t seq = group(play, "u1",
                         "{'groupId':'acme','traits':{'name':'Acme','owner':'eve',"
                         "'email':'Info@Acme.de','phone':'030 901820'}}");
    assert_string_equal(play_types(play, 2),
                        "member.group customer.created identity.linked identity.linked "
                        "identity.linked");
    assert_int_equal(play_customer(play, "email:info@acme.de"), 2);
    assert_int_equal(play_customer(play, "phone:+49 30 901820"), 2);
    const char *profile = play_profile(play, 2);
    assert_has(profile, "{'channel':'email','value':'info@acme.de'}");
    assert_has(profile, "{'channel':'sms','value':'+4930901820'}");
    assert_lacks(profile, "eve");

    const char *row = play_timeline(play, 2, seq, 3);
    assert_has(row, "'type':'member.group'");
    assert_has(row, "'data':{'groupId':'acme','member':1}");
    assert_has(row, "'name':'Acme'");
    assert_has(row, "'address:email':'info@acme.de'");
    assert_has(row, "group tried to set owner, which belongs to the system");
    assert_lacks(play_timeline(play, 1, seq, 0), "Acme");
}

static void the_organisations_rules_run_when_its_traits_are_known(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "rule 'g' { on = 'member.group', run = function(event, customer)\n"
               "  log(event.groupId .. ' by ' .. event.member .. ' is ' .. customer.kind)\n"
               "  customer:tag(customer.industry) end }\n"
               "rule 'c' { on = 'customer.created', run = function(event, customer)\n"
               "  if customer.industry then log('made with ' .. customer.industry) end end }");
    uint64_t seq = group(play, "u1", "{'groupId':'acme','traits':{'industry':'tools'}}");
    assert_has(play_timeline(play, 2, seq, 3), "'log':['acme by 1 is organisation']");
    assert_has(play_profile(play, 2), "'g':['tools']");
    assert_has(play_timeline(play, 2, seq, 4), "made with tools");
}

static void what_is_said_late_loses_as_everywhere(void **state)
{
    struct play *play = *state;
    group(play, "u1", "{'groupId':'acme','traits':{'size':7}}");
    play_entry(play, LOG_CLIENT,
               "{'type':'group','call':'group','user':'u1','source':'app','at':%lld,"
               "'data':{'groupId':'acme','traits':{'size':3}}}",
               (long long)(play->now - DAY_MS));
    assert_string_equal(play_trait(play, "2", "size"), "7");
}

static void history_touches_the_organisation_and_runs_no_rule_there(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'g' { on = '*', run = function() log('ran') end }");
    uint64_t seq = play_entry(play, LOG_STAFF,
                              "{'type':'group','call':'group','user':'u1','historic':true,"
                              "'data':{'groupId':'acme','traits':{'size':3}}}");
    assert_string_equal(play_trait(play, "2", "size"), "3");
    assert_lacks(play_timeline(play, 2, seq, 3), "ran");
}

static void a_person_is_no_organisation_because_they_share_an_email(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'email':'info@acme.de'}");
    group(play, "u1", "{'groupId':'acme','traits':{'email':'info@acme.de'}}");
    assert_lacks(play_profile(play, 1), "'b'");
    assert_lacks(play_profile(play, 2), "'m'");
    assert_has(play_types(play, 2), "duplicate.suspected");
}

static void somebody_new_does_not_become_the_organisation_whose_email_they_use(void **state)
{
    struct play *play = *state;
    group(play, "u1", "{'groupId':'acme','traits':{'email':'info@acme.de'}}");
    play_identify(play, "u2", "{'email':'info@acme.de'}");
    assert_int_equal(play_customer(play, "user_id:u2"), 3);
    assert_lacks(play_profile(play, 2), "'u2'");
    assert_has(play_types(play, 3), "duplicate.suspected");
}

static void an_organisation_that_groups_itself_loses_nothing(void **state)
{
    struct play *play = *state;
    group(play, "u1", "{'groupId':'acme'}");
    play_entry(play, LOG_CLIENT,
               "{'type':'group','call':'group','ref':'2','id':'m','data':{'groupId':'acme',"
               "'traits':{'size':7}}}");
    assert_string_equal(play_trait(play, "2", "size"), "7");
}

static void an_organisation_that_cannot_be_called_so_is_not_made(void **state)
{
    struct play *play = *state;
    struct buf body = BUF_INIT;
    struct doc_writer w;
    char data[300] = "{'groupId':'";
    memset(data + strlen(data), 'x', 255);
    memcpy(data + 12 + 255, "'}", 3);
    play_identify(play, "u1", NULL);
    for (int i = 0; i < 3; i++) {
        uint64_t seq = group(play, "u1", "{'groupId':'none','traits':{'name':'x'}}"); /* blocked */
        assert_has(play_timeline(play, 1, seq, 0), "its groupId is blocked or is no valid");
        group(play, "u1", data);
    }
    doc_begin(&w, &body);
    doc_put_string(&w, "type", "group");
    doc_put_string(&w, "call", "group");
    doc_put_string(&w, "user", "u1");
    doc_open(&w, "data");
    doc_put_text(&w, "groupId", (struct text){ "a\0b", 3 });
    doc_close(&w);
    play_doc(play, LOG_CLIENT, doc_end(&w));
    buf_deinit(&body);
    assert_int_equal(play->engine->counters.customer, 1);
    assert_int_equal(relations(play, 1), 0);
}

static void an_organisations_id_may_be_as_long_as_any_identity(void **state)
{
    struct play *play = *state;
    char data[300] = "{'groupId':'";
    memset(data + strlen(data), 'x', IDENTITY_BYTES_MAX);
    memcpy(data + 12 + IDENTITY_BYTES_MAX, "'}", 3);
    group(play, "u1", data);
    group(play, "u1", data);
    assert_int_equal(play->engine->counters.customer, 2);
    assert_int_equal(relations(play, 1), 1);
}

static void traits_that_are_no_names_and_values_are_none(void **state)
{
    struct play *play = *state;
    group(play, "u1", "{'groupId':'acme','traits':['a','b']}");
    assert_lacks(play_profile(play, 2), "'t'");
}

static void more_traits_than_a_row_takes_do_no_harm(void **state)
{
    struct play *play = *state;
    struct buf json = BUF_INIT;
    buf_text(&json, "{'groupId':'acme','traits':{'t0':0");
    for (int i = 1; i <= 20; i++)
        buf_printf(&json, ",'t%d':'%05000d'", i, i);
    buf_text(&json, "}}");
    uint64_t seq = group(play, "u1", buf_string(&json));
    buf_deinit(&json);
    assert_has(play_profile(play, 2), "'t9'");
    assert_lacks(play_profile(play, 2), "'t10'");
    assert_has(play_timeline(play, 2, seq, 3),
               "the profile would exceed 49152 bytes (limit profile_bytes)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_group_call_says_where_somebody_works),
        TEST(the_organisation_is_touched_as_by_an_identify),
        TEST(the_organisations_rules_run_when_its_traits_are_known),
        TEST(what_is_said_late_loses_as_everywhere),
        TEST(history_touches_the_organisation_and_runs_no_rule_there),
        TEST(a_person_is_no_organisation_because_they_share_an_email),
        TEST(somebody_new_does_not_become_the_organisation_whose_email_they_use),
        TEST(an_organisation_that_groups_itself_loses_nothing),
        TEST(an_organisation_that_cannot_be_called_so_is_not_made),
        TEST(an_organisations_id_may_be_as_long_as_any_identity),
        TEST(traits_that_are_no_names_and_values_are_none),
        TEST(more_traits_than_a_row_takes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

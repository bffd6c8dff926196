/* test_customer.c -- who somebody is: identities, traits, and what belongs to the record. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* -- Identities ----------------------------------------------------------- */

static void an_email_is_found_however_it_is_written(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'email':' Ann@Example.COM '}");
    assert_int_equal(play_customer(play, "email:ann@example.com"), 1);
    assert_int_equal(play_customer(play, "email:ANN@EXAMPLE.COM"), 1);
}

static void a_phone_is_found_nationally_and_internationally(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'phone':'030 901820'}");
    assert_has(play_profile(play, 1), "'phone','+4930901820'");
    assert_int_equal(play_customer(play, "phone:+49 30 901820"), 1);
}

static void what_is_no_email_is_not_linked_and_the_trace_says_so(void **state)
{
    struct play *play = *state;
    uint64_t seq = play_identify(play, "u1", "{'email':'nonsense'}");
    assert_has(play_timeline(play, 1, seq, 0), "email is not a valid identity");
    assert_lacks(play_profile(play, 1), "'email','nonsense'");
}

static void a_blocked_value_identifies_nobody(void **state)
{
    struct play *play = *state;
    uint64_t seq = play_identify(play, "u1", "{'email':'test@test.com'}");
    assert_int_equal(play_customer(play, "email:test@test.com"), 0);
    assert_has(play_timeline(play, 1, seq, 0), "is blocked");
    seq = play_track(play, "none", "X", NULL);
    assert_int_equal(play->result.customer, 0);
    assert_has(play_timeline(play, 0, seq, 0), "blocked");
}

static void a_blocked_value_is_blocked_however_it_is_written(void **state)
{
    struct play *play = *state;
    char text[IDENTITY_BYTES_MAX + 1] = "", config[512];
    memset(text, 'x', IDENTITY_BYTES_MAX);
    snprintf(config, sizeof config,
             "{'country':'DE','blocked':[' Test@Test.COM','030 / 901820','%s']}", text);
    play_config(play, config);
    uint64_t seq = play_identify(play, "u1", "{'email':'TEST@test.com','phone':'+49 30 901820'}");
    const char *row = play_timeline(play, 1, seq, 0);
    assert_has(row, "test@test.com is blocked");
    assert_has(row, "+4930901820 is blocked");
    play_track(play, text, "X", NULL);
    assert_int_equal(play->result.customer, 0);
}

static void an_identity_of_zero_bytes_in_a_row_harms_nothing(void **state)
{
    struct play *play = *state;
    char nul[254];
    struct buf body = BUF_INIT;
    struct doc_writer w;
    memset(nul, 0, sizeof nul);
    doc_begin(&w, &body);
    doc_put_string(&w, "type", "X");
    doc_put_text(&w, "user", (struct text){ nul, sizeof nul });
    play_doc(play, LOG_CLIENT, doc_end(&w));
    buf_deinit(&body);
    assert_int_equal(play->result.customer, 0);
}

static void a_reference_of_any_length_finds_nobody(void **state)
{
    struct play *play = *state;
    char ref[700];
    memset(ref, 'x', sizeof ref);
    memcpy(ref + 600, ":v", 3);
    play_command(play, "tag.changed", ref, "{'tag':'t'}");
    assert_int_equal(play->result.code, E_NOTFOUND);
    memcpy(ref, "external:", 9);
    play_command(play, "tag.changed", ref, "{'tag':'t'}");
    assert_int_equal(play->result.code, E_NOTFOUND);
}

static void a_visitor_who_logs_in_stays_one_customer(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_CLIENT, "{'type':'page','call':'page','anon':'a1'}");
    play_entry(play, LOG_CLIENT, "{'type':'identify','call':'identify','anon':'a1','user':'u1'}");
    assert_int_equal(play_customer(play, "user_id:u1"), 1);
    assert_int_equal(play_customer(play, "anonymous_id:a1"), 1);
    assert_int_equal(play_customer(play, "2"), 0);
}

static void a_track_call_links_no_anonymous_id_to_a_user(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_CLIENT, "{'type':'X','call':'track','anon':'a1','user':'u1'}");
    assert_int_equal(play_customer(play, "anonymous_id:a1"), 0);
}

static void alias_joins_what_was_known_before(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_CLIENT, "{'type':'page','call':'page','anon':'a1'}");
    play_entry(play, LOG_CLIENT,
               "{'type':'alias','call':'alias','user':'u1','data':{'previousId':'a1'}}");
    assert_has(play_profile(play, 1), "'m':2"); /* the one with a user_id survives */
    assert_has(play_profile(play, 2), "'b':[1]");
}

static void two_user_ids_are_two_people_whatever_they_share(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'email':'a@example.com'}");
    uint64_t seq = play_identify(play, "u2", "{'email':'a@example.com'}");
    assert_has(play_types(play, 2), "duplicate.suspected");
    assert_lacks(play_profile(play, 1), "'b'");
    assert_has(play_timeline(play, 2, seq, 4),
               "{'namespace':'email','value':'a@example.com','other':1}");
    assert_int_equal(play_customer(play, "email:a@example.com"), 0); /* two have it */
}

static void an_email_that_only_one_has_joins_when_nothing_contradicts(void **state)
{
    struct play *play = *state;
    play_entry(play, LOG_CLIENT,
               "{'type':'identify','call':'identify','anon':'a1','data':{'email':'a@x.com'}}");
    play_identify(play, "u1", "{'email':'a@x.com'}");
    assert_int_equal(play_customer(play, "user_id:u1"), 1);
    play_entry(play, LOG_CLIENT,
               "{'type':'identify','call':'identify','anon':'a2','data':{'email':'A@x.com'}}");
    assert_has(play_types(play, 1), "customer.merged");
    assert_has(play_profile(play, 2), "'m':1");
}

static void a_customer_has_a_hundred_identities_at_most(void **state)
{
    struct play *play = *state;
    uint64_t seq = 0;
    for (int i = 0; i < 101; i++)
        seq = play_entry(play, LOG_CLIENT,
                         "{'type':'identify','call':'identify','user':'u1','anon':'a-%d'}", i);
    assert_has(play_timeline(play, 1, seq, 0), "the customer has 100 identities");
    assert_int_equal(play_customer(play, "anonymous_id:a-98"), 1);
    assert_int_equal(play_customer(play, "anonymous_id:a-100"), 0);
}

/* -- Traits --------------------------------------------------------------- */

static void identify_as(struct play *play, const char *source, int64_t at, const char *plan)
{
    play_entry(play, LOG_CLIENT,
               "{'type':'identify','call':'identify','user':'u1','source':'%s','at':%lld,"
               "'data':{'plan':%s}}",
               source, (long long)at, plan);
}

static void the_newest_assignment_of_any_source_is_read(void **state)
{
    struct play *play = *state;
    identify_as(play, "web", play->now - 2000, "'a'");
    identify_as(play, "erp", play->now - 1000, "'b'");
    identify_as(play, "app", play->now - 3000, "'c'");
    assert_string_equal(play_trait(play, "1", "plan"), "'b'");
    assert_has(play_profile(play, 1), "'plan':['b',"); /* the winner first, all kept */
    assert_has(play_profile(play, 1), "'web','c',");
    identify_as(play, "erp", play->now - 1500, "'old'");
    assert_string_equal(play_trait(play, "1", "plan"), "'b'");
}

static void of_one_moment_the_later_assignment_is_read(void **state)
{
    struct play *play = *state;
    identify_as(play, "web", play->now, "'a'");
    identify_as(play, "erp", play->now, "'b'");
    identify_as(play, "web", play->now, "'a'"); /* said again, and after the other */
    assert_string_equal(play_trait(play, "1", "plan"), "'a'");
    identify_as(play, "erp", play->now - 1, "'b'");
    assert_string_equal(play_trait(play, "1", "plan"), "'a'");
}

static void what_was_removed_does_not_come_back_late(void **state)
{
    struct play *play = *state;
    identify_as(play, "web", play->now - 1000, "null");
    identify_as(play, "web", play->now - 2000, "'late'");
    assert_string_equal(play_trait(play, "1", "plan"), "");
}

static void a_trait_keeps_eight_sources(void **state)
{
    struct play *play = *state;
    for (int i = 0; i < 12; i++) {
        char source[16];
        snprintf(source, sizeof source, "s%d", i);
        identify_as(play, source, play->now - 100 + i, "1");
    }
    assert_has(play_profile(play, 1), "'s11'");
    assert_has(play_profile(play, 1), "'s4'");
    assert_lacks(play_profile(play, 1), "'s3'");
}

static void the_systems_names_are_not_set_by_identify_and_the_trace_tells(void **state)
{
    struct play *play = *state;
    uint64_t seq = play_identify(play, "u1", "{'owner':'eve','tags':['vip'],'id':9}");
    assert_has(play_timeline(play, 1, seq, 0), "identify tried to set owner");
    assert_has(play_timeline(play, 1, seq, 0), "identify tried to set tags");
    assert_lacks(play_profile(play, 1), "eve");
}

static void a_nested_field_is_read_by_a_dotted_name(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'contract':{'end':'2027-01-01'},'a.b':1}");
    assert_string_equal(play_trait(play, "1", "contract.end"), "'2027-01-01'");
    assert_string_equal(play_trait(play, "1", "a.b"), "1");
    assert_string_equal(play_trait(play, "1", "contract.end.day"), "");
}

static void a_trait_too_many_is_refused_by_name_of_the_limit(void **state)
{
    struct play *play = *state;
    play_world(play, 0, "{'traits':3}");
    uint64_t seq = play_identify(play, "u1", "{'a':1,'b':2,'c':3,'d':4}");
    assert_has(play_timeline(play, 1, seq, 0), "has 3 traits: no more (limit traits)");
    assert_string_equal(play_trait(play, "1", "d"), "");
}

static char *long_text(size_t size)
{
    char *text = mem_zero(size + 1);
    memset(text, 'x', size);
    return text;
}

static void no_profile_outgrows_its_row_by_whatever_means(void **state)
{
    struct play *play = *state;
    char *text = long_text(46000), *name = long_text(120);
    play_entry(play, LOG_CLIENT,
               "{'type':'identify','call':'identify','user':'u1','data':{'big':'%s'}}", text);
    for (int i = 0; i < 30; i++) {
        play_command(play, "role.changed", "1",
                     i % 2 == 0 ? "{'role':'lead'}" : "{'role':'lead','on':false}");
        play_entry(play, LOG_CLIENT,
                   "{'type':'identify','call':'identify','user':'u1','anon':'%s%d'}", name, i);
        play_entry(play, LOG_STAFF, "{'type':'tag.changed','ref':'1','data':{'tag':'%d%.100s'}}", i,
                   text);
        play_entry(play, LOG_STAFF,
                   "{'type':'consent.changed','ref':'1','data':{'purpose':'p%d','channel':'sms',"
                   "'state':'granted','proof':'%.900s'}}",
                   i, text);
        play_entry(play, LOG_STAFF,
                   "{'type':'address.changed','ref':'1','data':{'channel':'mail',"
                   "'value':'%d%.200s','label':'%.100s'}}",
                   i, text, text);
    }
    assert_int_equal(play->result.code, E_LIMIT);
    assert_has(play->result.reason, "the profile would exceed 49152 bytes (limit profile_bytes)");
    free(text);
    free(name);
}

/* -- Tags, owner, roles, relations, addresses, consents ------------------- */

static void a_tag_stands_once_and_goes_from_the_whole_group(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    play_command(play, "tag.changed", "2", "{'tag':'vip'}");
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    play_command(play, "tag.changed", "1", "{'tag':'vip'}");
    assert_lacks(play_profile(play, 1), "vip");
    uint64_t seq = play_command(play, "tag.changed", "1", "{'tag':'vip','on':false}");
    assert_lacks(play_profile(play, 2), "vip");
    assert_has(play_timeline(play, 1, seq, 0), "'tag:vip':false");
}

static void a_bad_tag_is_refused(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_command(play, "tag.changed", "1", "{'tag':''}");
    assert_int_equal(play->result.code, E_INVALID);
    play_command(play, "tag.changed", "9", "{'tag':'x'}");
    assert_int_equal(play->result.code, E_NOTFOUND);
    assert_string_equal(play->result.reason, "no such customer: 9");
}

static void the_owner_is_the_whole_customers(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_command(play, "owner.changed", "1", "{'owner':'ann'}");
    assert_has(play_profile(play, 1), "'o':'ann'");
    play_command(play, "owner.changed", "1", "{'owner':''}");
    assert_lacks(play_profile(play, 1), "ann");
}

static void a_role_has_its_dates(void **state)
{
    struct play *play = *state;
    char wanted[100];
    play_identify(play, "u1", NULL);
    int64_t since = play->now;
    play_command(play, "role.changed", "1", "{'role':'lead'}");
    play_command(play, "role.changed", "1", "{'role':'lead'}"); /* once is enough */
    snprintf(wanted, sizeof wanted, "'r':[{'role':'lead','since':%lld}]", (long long)since);
    assert_has(play_profile(play, 1), wanted);
    play_pass(play, DAY_MS);
    play_command(play, "role.changed", "1", "{'role':'lead','on':false}");
    snprintf(wanted, sizeof wanted, "'r':[{'role':'lead','since':%lld,'until':%lld}]",
             (long long)since, (long long)play->now);
    assert_has(play_profile(play, 1), wanted);
}

static void a_role_ends_with_whoever_of_the_group_has_it(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    play_command(play, "role.changed", "2", "{'role':'dealer'}");
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    play_command(play, "role.changed", "1", "{'role':'dealer','on':false}");
    assert_has(play_profile(play, 2), "'until'");
}

static void a_relation_keeps_when_it_began(void **state)
{
    struct play *play = *state;
    struct key key;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    int64_t since = play->now;
    play_command(play, "relation.changed", "1", "{'type':'referred by','other':'user_id:u2'}");
    play_pass(play, DAY_MS);
    play_command(play, "relation.changed", "1",
                 "{'type':'referred by','other':'2','until':1793300000000}");
    key_customer(&key, 1, 'l');
    key_text(&key, text_of("referred by"));
    key_number(&key, 2);
    char wanted[100];
    snprintf(wanted, sizeof wanted, "{'since':%lld,'until':1793300000000,'by':'crm'}",
             (long long)since);
    assert_string_equal(play_row(play, &key), wanted);
    play_command(play, "relation.changed", "1", "{'type':'x','other':'77'}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
}

static void saying_an_address_again_does_not_make_it_reachable(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'email':'a@x.com'}");
    play_command(play, "address.changed", "1",
                 "{'channel':'email','value':'A@x.com','state':'bounced','verified':true}");
    play_identify(play, "u1", "{'email':'a@x.com'}");
    assert_has(play_profile(play, 1),
               "{'channel':'email','value':'a@x.com','state':'bounced','verified':true}");
    play_command(play, "address.changed", "1", "{'channel':'email','value':'a@x','state':'odd'}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
}

static const char *written_to(struct play *play, uint64_t number)
{
    struct customer customer;
    struct address address;
    assert_true(customer_load(&customer, play->engine, number));
    assert_true(customer_address(&customer, text_of("email"), &address));
    return arena_text(&play->arena, address.value).data;
}

static void the_address_preferred_last_is_the_preferred_one(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    play_command(play, "address.changed", "2",
                 "{'channel':'email','value':'a@x.com','label':'home','preferred':true}");
    play_command(play, "address.changed", "2",
                 "{'channel':'sms','value':'030 901820','preferred':true}");
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    play_command(play, "address.changed", "1",
                 "{'channel':'email','value':'b@x.com','preferred':true}");
    assert_string_equal(written_to(play, 1), "b@x.com");
    assert_has(play_profile(play, 2), "{'channel':'email','value':'a@x.com','label':'home'}");
    assert_has(play_profile(play, 2), "'value':'+4930901820','preferred':true");
    play_command(play, "address.changed", "2",
                 "{'channel':'email','value':'a@x.com','preferred':true}");
    assert_string_equal(written_to(play, 1), "a@x.com");
}

static void the_preferred_address_is_written_to(void **state)
{
    struct play *play = *state;
    struct customer customer;
    struct address address;
    play_identify(play, "u1", "{'email':'a@x.com'}");
    play_command(play, "address.changed", "1",
                 "{'channel':'email','value':'b@x.com','preferred':true}");
    assert_true(customer_load(&customer, play->engine, 1));
    assert_true(customer_address(&customer, text_of("email"), &address));
    assert_true(text_is(address.value, "b@x.com"));
    play_command(play, "address.changed", "1",
                 "{'channel':'email','value':'b@x.com','preferred':true,'state':'complained'}");
    assert_true(customer_load(&customer, play->engine, 1));
    assert_true(customer_address(&customer, text_of("email"), &address));
    assert_true(text_is(address.value, "a@x.com"));
}

static uint64_t consent(struct play *play, const char *ref, const char *word, int64_t at)
{
    return play_entry(play, LOG_STAFF,
                      "{'type':'consent.changed','ref':'%s','at':%lld,'source':'form','data':{"
                      "'purpose':'news','channel':'sms','state':'%s','proof':'page 3'}}",
                      ref, (long long)at, word);
}

static enum consent_state consent_now(struct play *play, const char *ref)
{
    struct customer customer;
    assert_true(customer_load(&customer, play->engine, play_customer(play, ref)));
    return customer_consent(&customer, text_of("news"), text_of("sms"));
}

static void consent_is_what_was_said_last(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    consent(play, "1", "granted", play->now - 1000);
    consent(play, "1", "withdrawn", play->now - 500);
    consent(play, "1", "granted", play->now - 700);
    assert_int_equal(play->result.code, E_CONFLICT);
    assert_int_equal(consent_now(play, "1"), CONSENT_WITHDRAWN);
    assert_has(play_profile(play, 1), "'source':'form','proof':'page 3'");
    consent(play, "1", "maybe", play->now);
    assert_int_equal(play->result.code, E_INVALID);
}

static void of_a_group_the_strictest_consent_holds(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    consent(play, "1", "granted", play->now);
    assert_int_equal(consent_now(play, "1"), CONSENT_GRANTED);
    consent(play, "2", "withdrawn", play->now);
    play_command(play, "customer.merge", "1", "{'absorbed':'2'}");
    assert_int_equal(consent_now(play, "1"), CONSENT_WITHDRAWN);
    play_command(play, "customer.unmerge", "2", NULL);
    assert_int_equal(consent_now(play, "1"), CONSENT_GRANTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_email_is_found_however_it_is_written),
        TEST(a_phone_is_found_nationally_and_internationally),
        TEST(what_is_no_email_is_not_linked_and_the_trace_says_so),
        TEST(a_blocked_value_identifies_nobody),
        TEST(a_blocked_value_is_blocked_however_it_is_written),
        TEST(an_identity_of_zero_bytes_in_a_row_harms_nothing),
        TEST(a_reference_of_any_length_finds_nobody),
        TEST(a_visitor_who_logs_in_stays_one_customer),
        TEST(a_track_call_links_no_anonymous_id_to_a_user),
        TEST(alias_joins_what_was_known_before),
        TEST(two_user_ids_are_two_people_whatever_they_share),
        TEST(an_email_that_only_one_has_joins_when_nothing_contradicts),
        TEST(a_customer_has_a_hundred_identities_at_most),
        TEST(the_newest_assignment_of_any_source_is_read),
        TEST(of_one_moment_the_later_assignment_is_read),
        TEST(what_was_removed_does_not_come_back_late),
        TEST(a_trait_keeps_eight_sources),
        TEST(the_systems_names_are_not_set_by_identify_and_the_trace_tells),
        TEST(a_nested_field_is_read_by_a_dotted_name),
        TEST(a_trait_too_many_is_refused_by_name_of_the_limit),
        TEST(no_profile_outgrows_its_row_by_whatever_means),
        TEST(a_tag_stands_once_and_goes_from_the_whole_group),
        TEST(a_bad_tag_is_refused),
        TEST(the_owner_is_the_whole_customers),
        TEST(a_role_has_its_dates),
        TEST(a_role_ends_with_whoever_of_the_group_has_it),
        TEST(a_relation_keeps_when_it_began),
        TEST(saying_an_address_again_does_not_make_it_reachable),
        TEST(the_address_preferred_last_is_the_preferred_one),
        TEST(the_preferred_address_is_written_to),
        TEST(consent_is_what_was_said_last),
        TEST(of_a_group_the_strictest_consent_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

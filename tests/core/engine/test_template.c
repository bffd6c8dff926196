/* test_template.c -- what template.h promises: which text, what stands in it, and when. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static const char rules[] =
    "rule 'send' { on = 'Send', run = function(event)\n"
    "  send { channel = event.channel or 'log', purpose = 'service',\n"
    "         template = event.template or 'hello', data = event.values } end }\n";

static const struct play_file files[] = {
    { "rules.lua", rules },
    { "templates/footer.log.de.md", "Gruß\n" },
    { "templates/footer.log.md", "Regards\n" },
    { "templates/hello.log.de.md",
      "---\nsubject: Hallo {{customer.name}}\n---\n{{customer.total | number 2}}\n{{> footer}}\n" },
    { "templates/hello.log.md",
      "---\nsubject: Hello {{customer.name}}\n---\n{{customer.total | number 2}}\n{{> footer}}\n" },
    { "templates/hello.md", "anywhere" },
    { "templates/large.log.md", "{{#list}}{{customer.note}}{{/list}}" },
    { "templates/odd.log.en.md", "only English" },
    { "templates/who.log.md",
      "{{customer.id}} {{customer.kind}} {{customer.tags}} {{owner.name}} {{owner.phone}} "
      "{{coupon}} {{data.coupon}} {{customer.orders.count}} {{now | date}}" },
    { NULL, NULL },
};

static void begin(struct play *play, const char *traits)
{
    play_bundle(play, files);
    assert_int_equal(play->result.status, ENGINE_DONE);
    play_identify(play, "u1", traits);
}

/* One message to u1, claimed; its row. */
static const char *sent(struct play *play, const char *data)
{
    uint64_t seq = play_track(play, "u1", "Send", data);
    const char *id = arena_printf(&play->arena, "%llu.1", (unsigned long long)seq).data;
    play_claim(play, "log");
    const char *row = play_effect(play, id);
    play_outcome(play, id, 1, "sent");
    return row;
}

/* -- Which text ----------------------------------------------------------- */

static void a_customer_gets_the_text_of_her_language(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann','locale':'de-AT','total':1234.5}");
    const char *row = sent(play, NULL);
    assert_has(row, "'message':{'id':'");
    assert_has(row, "'template':'hello','locale':'de','subject':'Hallo Ann',"
                    "'body':'1.234,50\\nGruß\\n'}");
}

static void the_trait_language_serves_where_there_is_no_locale(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann','language':'DE_de','locale':'?'}");
    assert_has(sent(play, NULL), "'subject':'Hallo Ann'");
}

static void without_a_text_in_her_language_she_gets_that_for_everybody(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann','locale':'fr','total':1234.5}");
    const char *row = sent(play, NULL);
    assert_has(row, "'template':'hello','subject':'Hello Ann',");
    assert_has(row, "'body':'1\xe2\x80\xaf"
                    "234,50\\nRegards\\n'}");
}

static void the_companys_language_comes_before_that_for_everybody(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann','locale':'fr','total':1}");
    play_config(play, "{'zone':'UTC','locale':'de-CH','channels':{'log':{}}}");
    assert_has(sent(play, NULL), "'locale':'de','subject':'Hallo Ann','body':'1,00\\nGruß\\n'");
}

static void a_text_without_a_channel_serves_all_that_have_none_of_their_own(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann'}");
    play_track(play, "u1", "Send", "{'channel':'hook'}");
    play_claim(play, "hook");
    assert_has(play_reports(play), "'template':'hello','body':'anywhere'");
}

static void a_template_without_a_text_for_her_fails_the_rule(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann','locale':'de'}");
    uint64_t seq = play_track(play, "u1", "Send", "{'template':'odd'}");
    assert_has(play_timeline(play, 1, seq, 1),
               "the template \\'odd\\' has no text for channel \\'log\\' in the language "
               "\\'de\\'");
}

static void a_template_that_is_unknown_fails_the_rule_and_names_the_nearest(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann'}");
    uint64_t seq = play_track(play, "u1", "Send", "{'template':'helo'}");
    assert_has(play_timeline(play, 1, seq, 1),
               "send: no template is called \\'helo\\'; did you mean \\'hello\\'?");
}

/* -- What stands in it ---------------------------------------------------- */

static void a_template_reads_the_customer_the_data_and_the_owner(void **state)
{
    struct play *play = *state;
    play_command(play, "staff.set", NULL, "{'name':'anna','phone':'030 1'}");
    begin(play, "{'name':'Ann','orders.count':3}");
    play_command(play, "tag.changed", "user_id:u1", "{'tag':'vip'}");
    play_command(play, "owner.changed", "user_id:u1", "{'owner':'anna'}");
    assert_has(sent(play, "{'template':'who','values':{'coupon':'X1','customer':'no'}}"),
               "'body':'1 person [\\'vip\\'] anna 030 1 X1 X1 3 2026-10-28'");
}

static void what_is_missing_is_left_out(void **state)
{
    struct play *play = *state;
    begin(play, "{}");
    assert_has(sent(play, NULL), "'subject':'Hello ','body':'\\nRegards\\n'");
}

static void a_subject_stays_one_line_whatever_the_customer_is_called(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann\\r\\nBcc: all@example.com'}");
    assert_has(sent(play, NULL), "'subject':'Hello Ann  Bcc: all@example.com'");
}

static void values_are_escaped_as_the_channel_wants_it_and_never_in_a_subject(void **state)
{
    struct play *play = *state;
    static const struct play_file html[] = {
        { "rules.lua", rules },
        { "templates/hello.md",
          "---\nsubject: \"<{{customer.name}}>\"\n---\n<b>{{customer.name}}" },
        { NULL, NULL },
    };
    begin(play, "{'name':'A&B'}");
    play_bundle(play, html);
    assert_has(sent(play, NULL), "'subject':'<A&B>','body':'<b>A&B'");
    play_config(play, "{'channels':{'log':{'html':true}}}");
    assert_has(sent(play, NULL), "'subject':'<A&B>','body':'<b>A&amp;B'");
    play_config(play, "{'channels':{'log':{'markdown':true}}}");
    assert_has(sent(play, NULL), "'subject':'<A&B>','body':'<b>A\\\\&B'");
}

/* -- When ----------------------------------------------------------------- */

static void a_template_is_rendered_at_the_claim_and_never_again(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann'}");
    uint64_t seq = play_track(play, "u1", "Send", NULL);
    const char *id = arena_printf(&play->arena, "%llu.1", (unsigned long long)seq).data;
    assert_has(play_effect(play, id), "'content':{'template':'hello'}");
    play_identify(play, "u1", "{'name':'Bea'}");
    assert_int_equal(play_claim(play, "log"), 1);
    assert_has(play_effect(play, id), "'subject':'Hello Bea'");
    play_outcome(play, id, 1, "failed");
    play_identify(play, "u1", "{'name':'Cis'}");
    play_rules(play, rules); /* the template is gone */
    play_pass(play, HOUR_MS);
    play_reports(play);
    assert_int_equal(play_claim(play, "log"), 1);
    assert_has(play_reports(play), "'subject':'Hello Bea'");
}

static void a_message_that_waits_for_its_rule_is_not_rendered_before_it_goes(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann'}");
    uint64_t seq = play_track(play, "u1", "Send", NULL);
    const char *id = arena_printf(&play->arena, "%llu.1", (unsigned long long)seq).data;
    play_command(play, "rule.paused", NULL, "{'rule':'send'}");
    assert_int_equal(play_claim(play, "log"), 0);
    assert_has(play_effect(play, id), "'parked':true");
    assert_lacks(play_effect(play, id), "'message':");
    play_command(play, "rule.resumed", NULL, "{'rule':'send'}");
    play_identify(play, "u1", "{'name':'Bea'}");
    play_pass(play, 1);
    assert_int_equal(play_claim(play, "log"), 1);
    assert_has(play_effect(play, id), "'subject':'Hello Bea'");
}

static void a_template_that_is_gone_at_the_claim_rejects_the_message(void **state)
{
    struct play *play = *state;
    begin(play, "{'name':'Ann'}");
    uint64_t seq = play_track(play, "u1", "Send", NULL);
    const char *id = arena_printf(&play->arena, "%llu.1", (unsigned long long)seq).data;
    play_rules(play, rules);
    assert_int_equal(play_claim(play, "log"), 0);
    assert_has(play_effect(play, id),
               "'state':'rejected','reason':'no template is called \\'hello\\''");
    assert_has(play_types(play, 1), "effect.claim effect.rejected");
}

static void a_rendering_over_the_limit_rejects_the_message(void **state)
{
    struct play *play = *state;
    begin(play, "{'note':'0123456789'}");
    play_world(play, 0, "{'effect_bytes':300}");
    const char *row =
        sent(play, "{'template':'large','values':{'list':[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}}");
    assert_has(row, "'state':'rejected','reason':'the rendering has more than");
    assert_has(row, "(limit effect_bytes)");
    assert_has(sent(play, "{'template':'large','values':{'list':[1,2]}}"),
               "'body':'01234567890123456789'");
}

static void a_link_is_marked_for_whoever_knows_its_address(void **state)
{
    struct play *play = *state;
    static const struct play_file linked[] = {
        { "rules.lua", "rule 'send' { on = 'Send', run = function(event)\n"
                       "  send { channel = 'log', purpose = 'service', template = 'hello',\n"
                       "         links = { yes = { event = 'Yes' } } } end }\n" },
        { "templates/hello.log.md", "Click {{links.yes}}{{links.no}}" },
        { NULL, NULL },
    };
    begin(play, "{}");
    play_bundle(play, linked);
    assert_has(sent(play, NULL), "'body':'Click {{links.yes}}','links':{'yes':{'event':'Yes'");
}

/* -- Tests ---------------------------------------------------------------- */

static void a_test_goes_to_its_address_and_nothing_follows(void **state)
{
    struct play *play = *state;
    static const struct play_file more[] = {
        { "rules.lua", "rule 'all' { on = '*', run = function(event, customer)\n"
                       "  customer:set('last', event.type) end }\n" },
        { "templates/hello.mail.md", "Hello {{customer.name}} {{code}}" },
        { NULL, NULL },
    };
    play_bundle(play, more);
    play_identify(play, "u1", "{'name':'Ann'}"); /* she has no address of that channel */
    uint64_t seq = play_command(play, "effect.test", "user_id:u1",
                                "{'template':'hello','to':'Me','data':{'code':7}}");
    const char *id = arena_printf(&play->arena, "%llu.1", (unsigned long long)seq).data;
    assert_int_equal(play_claim(play, "mail"), 1);
    assert_has(play_effect(play, id), "'test':true");
    assert_has(play_effect(play, id), "'customer':1,'address':'Me','test':true,'template':'hello',"
                                      "'body':'Hello Ann 7'");
    play_outcome(play, id, 1, "sent");
    assert_string_equal(play_trait(play, "user_id:u1", "last"), "'identity.linked'");
    assert_lacks(play_types(play, 1), "effect.sent");
}

static void a_test_is_refused_whole(void **state)
{
    struct play *play = *state;
    static const char *const wrong[] = {
        "{'template':'helo','to':'me','channel':'log'}",     "{'template':'hello','to':'me'}",
        "{'template':'hello','to':'me','channel':'pigeon'}", "{'template':'hello','channel':'log'}",
        "{'template':'odd','to':'me','locale':'de'}",        "{}"
    };
    begin(play, "{'name':'Ann'}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint64_t seq = play_command(play, "effect.test", "user_id:u1", wrong[i]);
        assert_int_equal(play->result.status, ENGINE_REFUSED);
        const char *id = arena_printf(&play->arena, "%llu.1", (unsigned long long)seq).data;
        assert_string_equal(play_effect(play, id), "");
    }
}

/* -- Bundles that are refused --------------------------------------------- */

static void a_template_that_cannot_be_read_keeps_its_bundle_out(void **state)
{
    struct play *play = *state;
    static const struct play_file bad[] = {
        { "rules.lua", rules },
        { "templates/hello.log.md", "ok\n{{#a}}" },
        { NULL, NULL },
    };
    begin(play, "{'name':'Ann'}");
    play_bundle(play, bad);
    assert_has(sent(play, NULL), "'subject':'Hello Ann'"); /* the one before is in force */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_customer_gets_the_text_of_her_language),
        TEST(the_trait_language_serves_where_there_is_no_locale),
        TEST(without_a_text_in_her_language_she_gets_that_for_everybody),
        TEST(the_companys_language_comes_before_that_for_everybody),
        TEST(a_text_without_a_channel_serves_all_that_have_none_of_their_own),
        TEST(a_template_without_a_text_for_her_fails_the_rule),
        TEST(a_template_that_is_unknown_fails_the_rule_and_names_the_nearest),
        TEST(a_template_reads_the_customer_the_data_and_the_owner),
        TEST(what_is_missing_is_left_out),
        TEST(a_subject_stays_one_line_whatever_the_customer_is_called),
        TEST(values_are_escaped_as_the_channel_wants_it_and_never_in_a_subject),
        TEST(a_template_is_rendered_at_the_claim_and_never_again),
        TEST(a_message_that_waits_for_its_rule_is_not_rendered_before_it_goes),
        TEST(a_template_that_is_gone_at_the_claim_rejects_the_message),
        TEST(a_rendering_over_the_limit_rejects_the_message),
        TEST(a_link_is_marked_for_whoever_knows_its_address),
        TEST(a_test_goes_to_its_address_and_nothing_follows),
        TEST(a_test_is_refused_whole),
        TEST(a_template_that_cannot_be_read_keeps_its_bundle_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

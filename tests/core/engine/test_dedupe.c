/* test_dedupe.c -- what a plugin has said once, it has said: for ever, and whoever it was about. */
#include "core/engine/read.h"
#include "tests/core/engine/engine_fixture.h"

#include <string.h>

/* A call of the plugin "hook" about somebody, who is made known by it. */
static enum engine_status call(struct play *play, const char *id, const char *who)
{
    play_entry(play, LOG_PLUGIN,
               "{'type':'hook.call','id':'%s','source':'plugin:hook','ref':'%s','creates':true}",
               id, who);
    return play->result.status;
}

static size_t marks(struct play *play, uint64_t customer, char table)
{
    struct key prefix;
    key_customer(&prefix, customer, table);
    return play_count(play, &prefix);
}

static void erase(struct play *play, const char *who)
{
    play_command(play, "erase.requested", who, NULL);
    play_ticks(play);
}

static void a_plugins_call_is_known_for_ever(void **state)
{
    struct play *play = *state;
    assert_int_equal(call(play, "c-1", "email:ann@example.com"), ENGINE_DONE);
    play_pass(play, 400 * DAY_MS);
    assert_int_equal(call(play, "c-1", "email:ann@example.com"), ENGINE_DUPLICATE);
    assert_int_equal(call(play, "c-2", "email:ann@example.com"), ENGINE_DONE);
}

static void a_plugins_call_is_known_whoever_it_is_about_by_then(void **state)
{
    struct play *play = *state;
    static const char stop[] = "{'type':'message.%s','id':'%s','source':'plugin:sms',"
                               "'ref':'phone:+491701234567',"
                               "'data':{'channel':'sms','address':'+491701234567'}}";
    play_entry(play, LOG_PLUGIN, stop, "resubscribed", "c-1");
    play_entry(play, LOG_PLUGIN, stop, "unsubscribed", "c-2");
    play_identify(play, "bob", "{'phone':'+491701234567'}");
    play_entry(play, LOG_PLUGIN, stop, "resubscribed", "c-1");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    assert_int_equal(call(play, "c-1", "user_id:bob"), ENGINE_DONE); /* of another plugin */
    assert_int_equal(call(play, "c-1", "user_id:eva"), ENGINE_DUPLICATE);
    assert_int_equal(play_customer(play, "user_id:eva"), 0);
}

static void a_plugins_call_brings_nobody_back_who_was_erased(void **state)
{
    struct play *play = *state;
    call(play, "c-1", "email:ann@example.com");
    assert_int_equal(marks(play, 0, 'D'), 1);
    assert_int_equal(marks(play, 1, 'd') + marks(play, 1, 'D'), 0);
    erase(play, "email:ann@example.com");
    assert_int_equal(call(play, "c-1", "email:ann@example.com"), ENGINE_DUPLICATE);
    assert_int_equal(play_customer(play, "email:ann@example.com"), 0);
    assert_int_equal(play_customer(play, "2"), 0);
    call(play, "c-2", "email:ann@example.com"); /* she has come again herself */
    assert_int_equal(play_customer(play, "email:ann@example.com"), 2);
}

static void what_a_plugin_has_said_is_kept_as_a_hash(void **state)
{
    struct play *play = *state;
    struct key prefix;
    struct cursor cursor;
    call(play, "ann@example.com", "email:ann@example.com");
    key_customer(&prefix, 0, 'D');
    cursor_open(&cursor, engine_state(play->engine), &prefix);
    assert_true(cursor_next(&cursor));
    assert_int_equal(cursor.key.size, prefix.size + 32);
    cursor_close(&cursor);
}

static void a_client_says_nothing_in_a_plugins_name(void **state)
{
    struct play *play = *state;
    static const char forged[] = "{'type':'X','id':'c-1','source':'plugin:hook'}";
    play_entry(play, LOG_CLIENT, "%s", forged);
    assert_int_equal(marks(play, 0, 'D'), 0);
    play_entry(play, LOG_CLIENT,
               "{'type':'X','id':'c-2','ref':'email:ann@example.com','creates':true}");
    assert_int_equal(play_customer(play, "email:ann@example.com"), 0);
}

static void what_a_plugin_has_said_can_be_asked_for(void **state)
{
    struct play *play = *state;
    struct text source = text_of("plugin:hook");
    call(play, "c-1", "email:ann@example.com");
    assert_true(read_plugin_said(play->engine, source, text_of("c-1")));
    assert_false(read_plugin_said(play->engine, source, text_of("c-2")));
    assert_false(read_plugin_said(play->engine, text_of("plugin:sms"), text_of("c-1")));
    assert_false(read_plugin_said(play->engine, source, text_of("")));
}

static void a_plugins_mark_of_an_older_version_counts(void **state)
{
    struct play *play = *state;
    play_identify(play, "ann", NULL);
    /* As level 8 left it: with her, and as it is said. */
    play_entry(play, LOG_STAFF,
               "{'type':'X','user':'ann','id':'c-1','source':'plugin:hook','forever':true}");
    assert_int_equal(marks(play, 1, 'D'), 1);
    assert_int_equal(call(play, "c-1", "user_id:ann"), ENGINE_DUPLICATE);
}

/* -- Made known ----------------------------------------------------------- */

static void a_plugins_call_makes_somebody_known(void **state)
{
    struct play *play = *state;
    call(play, "c-1", "email:Ann@Example.com");
    assert_int_equal(play_customer(play, "email:ann@example.com"), 1);
    assert_string_equal(play_trait(play, "1", "email"), "'Ann@Example.com'");
    assert_has(play_types(play, 1), "customer.created");
    assert_has(play_types(play, 1), "hook.call");
    call(play, "c-2", "phone:+491701234567");
    assert_int_equal(play_customer(play, "phone:+491701234567"), 2);
    call(play, "c-3", "user_id:u-3");
    assert_int_equal(play_customer(play, "user_id:u-3"), 3);
    call(play, "c-4", "email:ann@example.com");
    assert_int_equal(play->result.customer, 1);
}

static void whom_a_plugins_call_makes_known_has_the_traits_that_it_gives(void **state)
{
    struct play *play = *state;
    static const char traits[] = "'traits':{'name':'Ann','email':'eve@example.com','id':7}";
    play_entry(play, LOG_PLUGIN,
               "{'type':'hook.call','id':'c-1','source':'plugin:hook','creates':true,"
               "'ref':'email:ann@example.com',%s}",
               traits);
    assert_string_equal(play_trait(play, "1", "name"), "'Ann'");
    assert_string_equal(play_trait(play, "1", "email"), "'ann@example.com'");
    assert_int_equal(play_customer(play, "email:eve@example.com"), 0);
    play_entry(play, LOG_PLUGIN,
               "{'type':'hook.call','id':'c-2','source':'plugin:hook','creates':true,"
               "'ref':'email:ann@example.com','traits':{'name':'Eve'}}");
    assert_string_equal(play_trait(play, "1", "name"), "'Ann'"); /* nobody was made by it */
    play_entry(play, LOG_PLUGIN,
               "{'type':'hook.call','id':'c-3','source':'plugin:hook','creates':true,"
               "'ref':'user_id:u-2','traits':{'name':'Bob','email':'bob@example.com'}}");
    assert_int_equal(play_customer(play, "email:bob@example.com"), 2);
    play_entry(play, LOG_CLIENT,
               "{'type':'X','user':'u-3','traits':{'name':'Eve'},'creates':true}");
    assert_string_equal(play_trait(play, "user_id:u-3", "name"), "");
}

static void what_nobody_can_be_called_by_makes_nobody(void **state)
{
    struct play *play = *state;
    static const char *const wrong[] = { "email:ann", "phone:x", "user_id:", "17", "name:ann", "" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char id[2] = { (char)('a' + i), '\0' };
        assert_int_equal(call(play, id, wrong[i]), ENGINE_DONE);
        assert_int_equal(play->result.customer, 0);
    }
    assert_int_equal(play->engine->counters.customer, 0);
}

static void of_several_who_have_an_address_who_is_known_longest_is_meant(void **state)
{
    struct play *play = *state;
    play_identify(play, "u1", "{'email':'family@example.com'}");
    play_identify(play, "u2", "{'email':'family@example.com'}");
    call(play, "c-1", "email:family@example.com");
    assert_int_equal(play->result.customer, 1);
    assert_int_equal(play->engine->counters.customer, 2);
    erase(play, "user_id:u1");
    call(play, "c-2", "email:family@example.com");
    assert_int_equal(play->result.customer, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plugins_call_is_known_for_ever),
        TEST(a_plugins_call_is_known_whoever_it_is_about_by_then),
        TEST(a_plugins_call_brings_nobody_back_who_was_erased),
        TEST(what_a_plugin_has_said_is_kept_as_a_hash),
        TEST(a_client_says_nothing_in_a_plugins_name),
        TEST(what_a_plugin_has_said_can_be_asked_for),
        TEST(a_plugins_mark_of_an_older_version_counts),
        TEST(a_plugins_call_makes_somebody_known),
        TEST(whom_a_plugins_call_makes_known_has_the_traits_that_it_gives),
        TEST(what_nobody_can_be_called_by_makes_nobody),
        TEST(of_several_who_have_an_address_who_is_known_longest_is_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

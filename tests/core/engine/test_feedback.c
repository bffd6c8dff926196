/* test_feedback.c -- what a plugin says became of a message, and what follows from it. */
#include "tests/core/engine/engine_fixture.h"

#include <stdio.h>

static const char rules[] =
    "purpose 'news' { opt_in = true }\n"
    "rule 'send' { on = 'Send', run = function(event)\n"
    "  send { channel = event.channel or 'email', purpose = event.purpose or 'service',\n"
    "         body = 'hello' } end }\n"
    "rule 'hear' { on = { 'message.bounced', 'message.replied', 'shop.paid' },\n"
    "  run = function(event, customer)\n"
    "  customer:set('heard', event.type) end }\n"
    "rule 'answer' { on = 'message.opened', run = function(event)\n"
    "  send { channel = 'email', purpose = 'service', body = 'again' } end }\n";

static void begin(struct play *play)
{
    play_rules(play, rules);
    play_identify(play, "u1", "{'email':'Ann@example.com'}");
}

/* The effect that entry `seq` has made. */
static const char *effect_of(struct play *play, uint64_t seq)
{
    for (uint64_t n = 1; n < 5; n++) {
        const char *id =
            arena_printf(&play->arena, "%llu.%llu", (unsigned long long)seq, (unsigned long long)n)
                .data;
        if (play_effect(play, id)[0] != '\0')
            return id;
    }
    return "0.0";
}

/* One message to u1, which has gone out unless `outcome` is another. */
static const char *message(struct play *play, const char *data, const char *outcome)
{
    uint64_t seq = play_track(play, "u1", "Send", data);
    const char *id = effect_of(play, seq);
    assert_has(play_effect(play, id), "'state':'pending'");
    if (outcome == NULL)
        return id;
    assert_int_equal(play_claim(play, "email"), 1);
    play_outcome(play, id, 1, outcome);
    return id;
}

static uint64_t feedback(struct play *play, const char *word, const char *id, const char *more)
{
    return play_entry(play, LOG_PLUGIN,
                      "{'type':'message.%s','source':'plugin:email','by':'plugin:email',"
                      "'data':{'effect':'%s'%s}}",
                      word, id, more);
}

static void a_hard_bounce_marks_the_address_and_no_other(void **state)
{
    struct play *play = *state;
    begin(play);
    play_identify(play, "u1", "{'phone':'+49301234567'}");
    const char *id = message(play, NULL, "sent");
    feedback(play, "bounced", id, ",'address':'ann@EXAMPLE.com','hard':true");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_has(play_profile(play, 1), "'state':'bounced'");
    assert_has(play_effect(play, id), "'feedback':{'bounced':");
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "'message.bounced'");
    const char *next = message(play, NULL, NULL);
    assert_int_equal(play_claim(play, "email"), 0);
    assert_has(play_effect(play, next), "no address for this channel");
}

static void a_soft_bounce_is_only_told_of(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = message(play, NULL, "sent");
    feedback(play, "bounced", id, ",'detail':'mailbox full'");
    assert_lacks(play_profile(play, 1), "'state':'bounced'");
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "'message.bounced'");
}

static void a_complaint_suppresses_the_address(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = message(play, NULL, "sent");
    feedback(play, "complained", id, "");
    assert_has(play_profile(play, 1), "'state':'complained'");
    play_identify(play, "u2", "{'name':'Bob'}");
    play_command(play, "address.changed", "user_id:u2",
                 "{'channel':'email','value':'ann@example.com'}");
    uint64_t seq = play_track(play, "u2", "Send", NULL);
    assert_int_equal(play_claim(play, "email"), 0);
    const char *other = effect_of(play, seq);
    assert_has(play_effect(play, other), "on the suppression list");
}

static void who_unsubscribes_withdraws_the_consent_to_the_purpose(void **state)
{
    struct play *play = *state;
    begin(play);
    play_command(play, "consent.changed", "user_id:u1",
                 "{'purpose':'news','channel':'email','state':'granted'}");
    const char *id = message(play, "{'purpose':'news'}", "sent");
    feedback(play, "unsubscribed", id, "");
    assert_has(play_profile(play, 1), "'state':'withdrawn'");
    const char *next = message(play, "{'purpose':'news'}", NULL);
    assert_int_equal(play_claim(play, "email"), 0);
    assert_has(play_effect(play, next), "consent withdrawn");
    message(play, NULL, "sent"); /* another purpose is not touched */
}

static void of_address(struct play *play, const char *word, const char *more)
{
    play_entry(play, LOG_PLUGIN,
               "{'type':'message.%s','source':'plugin:email','by':'plugin:email',"
               "'ref':'email:ann@example.com',"
               "'data':{'channel':'email','address':'ANN@example.com'}%s}",
               word, more);
}

static void who_answers_stop_gets_nothing_on_any_purpose_until_she_answers_start(void **state)
{
    struct play *play = *state;
    begin(play);
    of_address(play, "unsubscribed", "");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_int_equal(play->result.customer, 1);
    const char *silent = message(play, NULL, NULL);
    assert_int_equal(play_claim(play, "email"), 0);
    assert_has(play_effect(play, silent), "on the suppression list");
    of_address(play, "resubscribed", ",'id':'start-1'");
    message(play, NULL, "sent");
    of_address(play, "unsubscribed", "");
    of_address(play, "resubscribed", ",'id':'start-1'");
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    silent = message(play, NULL, NULL);
    assert_int_equal(play_claim(play, "email"), 0);
    assert_has(play_effect(play, silent), "on the suppression list");
}

static void stop_counts_of_whomever_the_address_is(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    of_address(play, "unsubscribed", "");
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_int_equal(play->result.customer, 0);
    begin(play);
    const char *silent = message(play, NULL, NULL);
    assert_int_equal(play_claim(play, "email"), 0);
    assert_has(play_effect(play, silent), "on the suppression list");
    play_entry(play, LOG_PLUGIN,
               "{'type':'message.unsubscribed','data':{'channel':'email','address':'nobody'}}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
}

static void stop_of_somebody_who_was_forgotten_keeps_nothing_more_of_her(void **state)
{
    struct play *play = *state;
    struct key key, hidden;
    struct bytes row;
    begin(play);
    of_address(play, "unsubscribed", "");
    play_command(play, "erase.requested", "user_id:u1", NULL);
    for (int i = 0; i < 5; i++)
        play_tick(play);
    of_address(play, "unsubscribed", "");
    key_suppression(&key, text_of("email"), text_of("ann@example.com"));
    key_suppression_hidden(&hidden, text_of("email"), text_of("ann@example.com"));
    assert_false(state_get(play->engine->state, &key, &row));
    assert_true(state_get(play->engine->state, &hidden, &row));
    of_address(play, "resubscribed", "");
    assert_false(state_get(play->engine->state, &hidden, &row));
}

static void what_is_forged_changes_nothing_and_is_refused(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *sent = message(play, NULL, "sent");
    feedback(play, "complained", "999.1", ",'address':'ann@example.com'");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_int_equal(play->result.code, E_NOTFOUND);
    feedback(play, "complained", sent, ",'address':'bob@example.com'");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_lacks(play->result.reason, "bob");
    const char *waits = message(play, NULL, NULL);
    feedback(play, "complained", waits, "");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_has(play->result.reason, "it has not gone out");
    assert_lacks(play_profile(play, 1), "complained");
    assert_lacks(play_effect(play, sent), "feedback");
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "");
}

static void clients_and_staff_cannot_say_it(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = message(play, NULL, "sent");
    for (int class = LOG_CLIENT; class <= LOG_STAFF; class ++) {
        uint64_t seq = play_entry(play, (enum log_class) class,
                                  "{'type':'message.bounced','ref':'user_id:u1',"
                                  "'data':{'effect':'%s','hard':true}}",
                                  id);
        assert_has(play_timeline(play, 1, seq, 0), "'foreign':true");
    }
    assert_lacks(play_profile(play, 1), "bounced");
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "");
}

static void a_second_copy_has_no_effect_and_the_first_time_is_kept(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = message(play, NULL, "sent");
    feedback(play, "replied", id, "");
    const char *first = play_effect(play, id);
    play->now += HOUR_MS;
    feedback(play, "replied", id, "");
    assert_string_equal(play_effect(play, id), first);
    for (int i = 0; i < 2; i++)
        play_entry(play, LOG_PLUGIN,
                   "{'type':'message.delivered','id':'d-1','source':'plugin:email',"
                   "'data':{'effect':'%s'}}",
                   id);
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
}

static void what_was_uncertain_has_arrived_when_somebody_speaks_of_it(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = message(play, NULL, "uncertain");
    assert_has(play_effect(play, id), "'state':'uncertain'");
    feedback(play, "delivered", id, "");
    assert_has(play_effect(play, id), "'state':'sent'");
    assert_has(play_effect(play, id), "'feedback':{'delivered':");
}

static void an_answer_to_every_opening_ends(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = message(play, NULL, "sent");
    unsigned depth = 0;
    for (; depth < 40; depth++) {
        uint64_t seq = feedback(play, "opened", id, "");
        id = effect_of(play, seq);
        if (play_claim(play, "email") == 0)
            break;
        play_outcome(play, id, 1, "sent");
    }
    assert_in_range(depth, 5, 20); /* limits.cascade_depth */
}

static void an_event_of_a_plugin_is_its_own_to_say(void **state)
{
    struct play *play = *state;
    begin(play);
    play_config(play, "{'channels':{'email':{'address':true}},'plugins':{'shop':{}}}");
    uint64_t seq = play_track(play, "u1", "shop.paid", NULL);
    assert_has(play_timeline(play, 1, seq, 0), "'foreign':true");
    seq = play_entry(play, LOG_PLUGIN,
                     "{'type':'shop.paid','ref':'user_id:u1','source':'plugin:other'}");
    assert_has(play_timeline(play, 1, seq, 0), "'foreign':true");
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "");
    seq = play_entry(play, LOG_PLUGIN,
                     "{'type':'shop.paid','ref':'user_id:u1','source':'plugin:shop'}");
    assert_lacks(play_timeline(play, 1, seq, 0), "foreign");
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "'shop.paid'");
}

static void a_plugin_that_says_what_is_kiths_is_not_heard(void **state)
{
    struct play *play = *state;
    begin(play);
    uint64_t seq = play_entry(play, LOG_PLUGIN,
                              "{'type':'effect.sent','ref':'user_id:u1','source':'plugin:shop'}");
    assert_has(play_timeline(play, 1, seq, 0), "'foreign':true");
    seq = play_entry(play, LOG_PLUGIN,
                     "{'type':'consent.changed','ref':'user_id:u1','source':'plugin:shop',"
                     "'data':{'purpose':'service','channel':'email','state':'withdrawn'}}");
    assert_lacks(play_profile(play, 1), "withdrawn");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hard_bounce_marks_the_address_and_no_other),
        TEST(a_soft_bounce_is_only_told_of),
        TEST(a_complaint_suppresses_the_address),
        TEST(who_unsubscribes_withdraws_the_consent_to_the_purpose),
        TEST(who_answers_stop_gets_nothing_on_any_purpose_until_she_answers_start),
        TEST(stop_counts_of_whomever_the_address_is),
        TEST(stop_of_somebody_who_was_forgotten_keeps_nothing_more_of_her),
        TEST(what_is_forged_changes_nothing_and_is_refused),
        TEST(clients_and_staff_cannot_say_it),
        TEST(a_second_copy_has_no_effect_and_the_first_time_is_kept),
        TEST(what_was_uncertain_has_arrived_when_somebody_speaks_of_it),
        TEST(an_answer_to_every_opening_ends),
        TEST(an_event_of_a_plugin_is_its_own_to_say),
        TEST(a_plugin_that_says_what_is_kiths_is_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

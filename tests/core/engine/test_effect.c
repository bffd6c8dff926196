/* test_effect.c -- messages from intent to outcome: lines, claims, the arbiter, doubt. */
#include "tests/core/engine/engine_fixture.h"

#include "core/engine/effect.h"

#include <stdio.h>

static const char rules[] =
    "purpose 'news' { opt_in = true }\n"
    "purpose 'tips' { }\n"
    "rule 'send' { on = 'Send', run = function(event)\n"
    "  send { channel = event.channel or 'log', purpose = event.purpose or 'service',\n"
    "         body = event.body or 'hello', key = event.key, expires = event.expires } end }\n"
    "rule 'notify' { on = 'Notify', run = function(event)\n"
    "  notify { to = event.to, text = 'look' } end }\n";

/* One message to u1; its id. */
static const char *sent(struct play *play, const char *data)
{
    uint64_t seq = play_track(play, "u1", "Send", data);
    for (uint64_t n = 1; n < 5; n++) {
        const char *id =
            arena_printf(&play->arena, "%llu.%llu", (unsigned long long)seq, (unsigned long long)n)
                .data;
        if (play_effect(play, id)[0] != '\0')
            return id;
    }
    fail_msg("no effect of entry %llu", (unsigned long long)seq);
    return "";
}

static void begin(struct play *play)
{
    play_rules(play, rules);
    play_identify(play, "u1", "{'email':'ann@example.com'}");
    play_reports(play);
}

/* -- From intent to outcome ----------------------------------------------- */

static void a_message_goes_from_intent_to_sent(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = sent(play, NULL);
    assert_has(play_effect(play, id), "'state':'pending'");
    assert_string_equal(play_reports(play), "ready log\n");
    assert_int_equal(play_claim(play, "log"), 1);
    char wanted[100];
    snprintf(wanted, sizeof wanted, "go %s 1 log {'id':'%s','customer':1,'body':'hello'}\n", id,
             id);
    assert_string_equal(play_reports(play), wanted);
    play_outcome(play, id, 1, "sent");
    assert_has(play_effect(play, id), "'state':'sent'");
    assert_has(play_types(play, 1), "effect.claim effect.outcome effect.sent");
    assert_int_equal(play_claim(play, "log"), 0);
}

static void a_claim_of_another_run_or_attempt_is_refused(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = sent(play, NULL);
    play_entry(play, LOG_SYSTEM, "{'type':'effect.claim','data':{'id':'%s','attempt':1,'run':1}}",
               id);
    play_entry(play, LOG_SYSTEM, "{'type':'effect.claim','data':{'id':'%s','attempt':2,'run':2}}",
               id);
    assert_has(play_effect(play, id), "'state':'pending'");
    assert_has(play_reports(play), "no_go");
}

static void of_two_claims_one_goes(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = sent(play, NULL);
    assert_int_equal(play_claim(play, "log"), 1);
    play_reports(play);
    play_entry(play, LOG_SYSTEM, "{'type':'effect.claim','data':{'id':'%s','attempt':1,'run':2}}",
               id);
    assert_has(play_reports(play), "no_go");
    assert_has(play_effect(play, id), "'attempt':1");
}

static void order_holds_per_customer_and_channel(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *first = sent(play, "{'body':'1'}"), *second = sent(play, "{'body':'2'}");
    play_track(play, "u2", "Send", NULL); /* nobody waits for another's */
    assert_int_equal(play_claim(play, "log"), 2);
    assert_has(play_effect(play, first), "'state':'claimed'");
    assert_has(play_effect(play, second), "'state':'pending'");
    assert_int_equal(play_claim(play, "log"), 0);
    play_outcome(play, first, 1, "rejected");
    assert_int_equal(play_claim(play, "log"), 1);
    assert_has(play_effect(play, second), "'state':'claimed'");
}

static void one_channel_does_not_wait_for_another(void **state)
{
    struct play *play = *state;
    begin(play);
    sent(play, "{'channel':'log'}");
    const char *id = sent(play, "{'channel':'hook'}");
    play_claim(play, "hook");
    assert_has(play_effect(play, id), "'state':'claimed'");
}

static void a_failure_is_tried_again_later_and_later_with_the_same_bytes(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = sent(play, NULL);
    int64_t before = 0;
    for (int attempt = 1; attempt < 8; attempt++) {
        assert_int_equal(play_claim(play, "log"), 1);
        assert_has(play_reports(play), "'body':'hello'}");
        play_outcome(play, id, attempt, "failed");
        assert_has(play_effect(play, id), "'state':'pending'");
        assert_int_equal(play_claim(play, "log"), 0);
        int64_t wait = engine_next_due(play->engine) - play->now;
        assert_true(wait >= before + before / 2 && wait <= 6 * HOUR_MS + 90 * MINUTE_MS);
        before = wait;
        play_pass(play, wait);
        assert_has(play_reports(play), "ready log");
    }
    play_claim(play, "log");
    play_outcome(play, id, 8, "failed");
    assert_has(play_effect(play, id), "'state':'failed'");
    assert_has(play_types(play, 1), "effect.failed");
    assert_lacks(play_profile(play, 1), "'w'"); /* its timers were not the customer's */
}

static void the_line_waits_behind_a_failure(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *first = sent(play, NULL), *second = sent(play, NULL);
    play_claim(play, "log");
    play_outcome(play, first, 1, "failed");
    assert_int_equal(play_claim(play, "log"), 0);
    play_pass(play, MINUTE_MS);
    assert_int_equal(play_claim(play, "log"), 1);
    play_outcome(play, first, 2, "sent");
    assert_int_equal(play_claim(play, "log"), 1);
    assert_has(play_effect(play, second), "'state':'claimed'");
}

static void an_outcome_of_an_earlier_attempt_changes_nothing(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = sent(play, NULL);
    play_claim(play, "log");
    play_outcome(play, id, 1, "failed");
    play_pass(play, MINUTE_MS);
    play_claim(play, "log");
    play_outcome(play, id, 1, "sent");
    assert_has(play_effect(play, id), "'state':'claimed'");
}

static void a_large_message_is_kept_once(void **state)
{
    struct play *play = *state;
    play_rules(play, "rule 'r' { on = 'Big', run = function()\n"
                     "  send { channel = 'log', purpose = 'service',\n"
                     "    body = string.rep('x', 47000) } end }");
    play_track(play, "u1", "Big", NULL);
    struct ready_effect ready;
    assert_int_equal(engine_ready(play->engine, text_of("log"), &ready, 1), 1);
    play_entry(play, LOG_SYSTEM,
               "{'type':'effect.claim','data':{'id':'%s','attempt':1,'run':2,'print':%lld}}",
               ready.id, (long long)ready.print);
    assert_has(play_effect(play, ready.id), "'message':{");
    assert_lacks(play_effect(play, ready.id), "'content':{");
    play_reports(play);
    play_outcome(play, ready.id, 1, "sent"); /* found by the same print */
    assert_has(play_effect(play, ready.id), "'state':'sent'");
}

static void what_is_too_long_is_refused_with_its_limit(void **state)
{
    struct play *play = *state;
    play_rules(play,
               "local long = string.rep('x', 200)\n"
               "rule 'a' { on = 'X', run = function() send { channel = 'log', purpose = 'service',"
               " body = string.rep('x', 49200) } end }\n"
               "rule 'b' { on = 'X', run = function() send { channel = 'log', purpose = 'service',"
               " body = 'b', key = long } end }\n"
               "rule 'c' { on = 'X', run = function() for i = 1, 65 do send { channel = 'log',"
               " purpose = 'service', body = 'b' } end end }\n"
               "rule 'd' { on = 'X', run = function() send { channel = 'fax',"
               " purpose = 'service', body = 'b' } end }\n"
               "rule 'e' { on = 'X', run = function() send { channel = 'log',"
               " purpose = 'nwes', body = 'b' } end }\n");
    uint64_t seq = play_track(play, "u1", "X", NULL);
    assert_has(play_timeline(play, 1, seq, 3), "bytes, more than 49152");
    assert_has(play_timeline(play, 1, seq, 4), "purpose, key and to have at most 128 bytes");
    assert_has(play_timeline(play, 1, seq, 5), "one event makes at most 64 messages");
    assert_has(play_timeline(play, 1, seq, 6), "no channel is called \\'fax\\'");
    assert_has(play_timeline(play, 1, seq, 7), "no purpose is called \\'nwes\\'");
    assert_string_equal(play_reports(play), "ready log\n");
    assert_int_equal(play_claim(play, "log"), 0);
}

static void a_reason_of_any_length_is_cut(void **state)
{
    struct play *play = *state;
    char detail[5000];
    begin(play);
    const char *id = sent(play, NULL);
    play_claim(play, "log");
    memset(detail, 'x', sizeof detail);
    detail[4999] = '\0';
    play_entry(play, LOG_SYSTEM,
               "{'type':'effect.outcome','data':{'id':'%s','attempt':1,'outcome':'rejected',"
               "'detail':'%s'}}",
               id, detail);
    detail[500] = '\0';
    assert_has(play_effect(play, id), detail);
    detail[500] = 'x';
    detail[501] = '\0';
    assert_lacks(play_effect(play, id), detail);
}

/* -- The arbiter ---------------------------------------------------------- */

static void expect_claim(struct play *play, const char *data, const char *channel,
                         const char *wanted)
{
    const char *id = sent(play, data);
    play_claim(play, channel);
    assert_has(play_effect(play, id), wanted);
    if (strstr(wanted, "claimed") != NULL)
        play_outcome(play, id, 1, "sent");
}

static void consent(struct play *play, const char *purpose, const char *word)
{
    play_entry(play, LOG_STAFF,
               "{'type':'consent.changed','ref':'1','data':{'purpose':'%s','channel':'log',"
               "'state':'%s'}}",
               purpose, word);
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void consent_is_asked_when_the_message_is_claimed(void **state)
{
    struct play *play = *state;
    begin(play);
    expect_claim(play, "{'purpose':'news'}", "log", "'reason':'no consent'");
    consent(play, "news", "pending");
    expect_claim(play, "{'purpose':'news'}", "log", "'reason':'no consent'");
    consent(play, "news", "granted");
    expect_claim(play, "{'purpose':'news'}", "log", "'state':'claimed'");
    const char *id = sent(play, "{'purpose':'news'}");
    consent(play, "news", "withdrawn"); /* between intent and claim */
    play_claim(play, "log");
    assert_has(play_effect(play, id), "'state':'suppressed','reason':'consent withdrawn'");
    assert_has(play_types(play, 1), "effect.suppressed");
    expect_claim(play, "{'purpose':'tips'}", "log", "'state':'claimed'");
    expect_claim(play, NULL, "log", "'state':'claimed'");
    consent(play, "service", "withdrawn");
    expect_claim(play, NULL, "log", "'state':'suppressed'");
}

static void a_purpose_that_is_gone_allows_nothing(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = sent(play, "{'purpose':'tips'}");
    play_rules(play, "rule 'other' { on = 'Other', run = function() end }");
    play_claim(play, "log");
    assert_has(play_effect(play, id), "'reason':'no purpose is called tips'");
}

static void without_an_address_nothing_is_mailed(void **state)
{
    struct play *play = *state;
    begin(play);
    expect_claim(play, "{'channel':'sms'}", "sms",
                 "'state':'rejected','reason':'no address for this channel'");
    const char *id = sent(play, "{'channel':'email'}");
    play_claim(play, "email");
    assert_has(play_effect(play, id), "'address':'ann@example.com'");
}

static void a_suppressed_address_gets_nothing(void **state)
{
    struct play *play = *state;
    begin(play);
    play_command(play, "suppression.changed", NULL,
                 "{'channel':'email','value':'ann@example.com','reason':'complained'}");
    expect_claim(play, "{'channel':'email'}", "email", "'reason':'on the suppression list'");
    play_command(play, "suppression.changed", NULL,
                 "{'channel':'email','value':'ann@example.com','state':'removed'}");
    expect_claim(play, "{'channel':'email'}", "email", "'state':'claimed'");
    play_command(play, "suppression.changed", NULL, "{'channel':'email'}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
}

/* A further attempt is the same message: another address would not be written to. */
static void a_further_attempt_asks_for_the_address_that_it_goes_to(void **state)
{
    static const struct {
        const char *type, *data, *why;
    } changes[] = {
        { "suppression.changed", "{'channel':'email','value':'ann@example.com'}",
          "'state':'suppressed','reason':'on the suppression list'" },
        { "address.changed", "{'channel':'email','value':'ann@example.com','state':'bounced'}",
          "'state':'rejected','reason':'its address has bounced or complained since'" },
    };
    struct play *play = *state;
    begin(play);
    for (size_t i = sizeof changes / sizeof *changes; i-- > 0;) {
        play_command(play, "address.changed", "user_id:u1",
                     "{'channel':'email','value':'ann@example.com','preferred':true}");
        const char *id = sent(play, "{'channel':'email'}");
        assert_int_equal(play_claim(play, "email"), 1);
        play_outcome(play, id, 1, "failed");
        play_command(play, "address.changed", "user_id:u1",
                     "{'channel':'email','value':'ann@example.org','preferred':true}");
        play_command(play, changes[i].type, "user_id:u1", changes[i].data);
        play_pass(play, HOUR_MS);
        assert_int_equal(play_claim(play, "email"), 0);
        assert_has(play_effect(play, id), changes[i].why);
    }
    const char *id = sent(play, "{'channel':'email'}");
    assert_int_equal(play_claim(play, "email"), 1);
    assert_has(play_effect(play, id), "'address':'ann@example.org'");
}

static void what_waited_too_long_expires(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *usual = sent(play, NULL);
    play_pass(play, DAY_MS + 1);
    play_claim(play, "log");
    assert_has(play_effect(play, usual), "'state':'expired'");
    const char *own = sent(play, "{'expires':'1h'}");
    play_pass(play, HOUR_MS);
    play_claim(play, "log");
    assert_has(play_effect(play, own), "'state':'claimed'");
}

static void staff_is_notified_whatever_the_customer_allows(void **state)
{
    struct play *play = *state;
    begin(play);
    consent(play, "service", "withdrawn");
    play_command(play, "owner.changed", "1", "{'owner':'ann'}");
    play_track(play, "u1", "Notify", "{'to':'owner'}");
    assert_int_equal(play_claim(play, "log"), 1);
    assert_has(play_reports(play), "'staff':'ann','body':'look'}");
}

static void staff_is_notified_of_what_concerns_nobody(void **state)
{
    struct play *play = *state;
    begin(play);
    play_entry(play, LOG_CLIENT, "{'type':'Notify','data':{'to':''}}");
    assert_int_equal(play_claim(play, "log"), 1);
    assert_has(play_reports(play), "'customer':0,'staff':'desk'");
}

/* -- Doubt ---------------------------------------------------------------- */

static void an_open_claim_of_an_earlier_run_is_uncertain(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *first = sent(play, NULL), *second = sent(play, NULL);
    play_claim(play, "log");
    play_start(play);
    assert_has(play_effect(play, first), "'state':'uncertain'");
    assert_has(play_types(play, 1), "effect.uncertain");
    assert_int_equal(play_claim(play, "log"), 1); /* the line goes on without it */
    assert_has(play_effect(play, second), "'state':'claimed'");
    play_outcome(play, first, 1, "failed"); /* says nothing certain */
    assert_has(play_effect(play, first), "'state':'uncertain'");
    play_outcome(play, first, 1, "sent");
    assert_has(play_effect(play, first), "'state':'sent'");
}

static void an_idempotent_channel_is_asked_again(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = sent(play, "{'channel':'hook'}");
    play_claim(play, "hook");
    play_start(play);
    assert_has(play_effect(play, id), "'state':'pending'");
    assert_int_equal(play_claim(play, "hook"), 1);
    assert_has(play_effect(play, id), "'attempt':2");
}

static void a_person_releases_what_is_uncertain(void **state)
{
    struct play *play = *state;
    char data[40];
    begin(play);
    const char *id = sent(play, NULL);
    play_claim(play, "log");
    play_outcome(play, id, 1, "uncertain");
    snprintf(data, sizeof data, "{'id':'%s'}", id);
    play_pass(play, 3 * DAY_MS);
    play_command(play, "effect.release", NULL, data);
    assert_int_equal(play->result.customer, 1);
    assert_int_equal(play_claim(play, "log"), 1);
    play_command(play, "effect.release", NULL, data);
    assert_int_equal(play->result.code, E_CONFLICT);
    play_command(play, "effect.release", NULL, "{'id':'99.1'}");
    assert_int_equal(play->result.code, E_NOTFOUND);
}

static int64_t expiry(struct play *play, const char *id)
{
    struct effect effect;
    assert_true(effect_load(&effect, play->engine, text_of(id)));
    return effect.expires - play->now;
}

static void each_release_gives_the_same_time_again(void **state)
{
    struct play *play = *state;
    char data[40];
    begin(play);
    const char *id = sent(play, "{'expires':'2h'}");
    snprintf(data, sizeof data, "{'id':'%s'}", id);
    for (int attempt = 1; attempt <= 3; attempt++) {
        play_claim(play, "log");
        play_outcome(play, id, attempt, "uncertain");
        play_pass(play, DAY_MS);
        play_command(play, "effect.release", NULL, data);
        assert_int_equal(expiry(play, id), 2 * HOUR_MS);
    }
}

static void what_is_released_waits_for_its_turn(void **state)
{
    struct play *play = *state;
    char data[40];
    begin(play);
    const char *first = sent(play, NULL), *second = sent(play, NULL);
    play_claim(play, "log");
    play_outcome(play, first, 1, "uncertain");
    assert_int_equal(play_claim(play, "log"), 1);
    snprintf(data, sizeof data, "{'id':'%s'}", first);
    play_command(play, "effect.release", NULL, data);
    assert_int_equal(play_claim(play, "log"), 0); /* the second is under way */
    play_outcome(play, second, 1, "failed");
    assert_int_equal(play_claim(play, "log"), 0);
    play_pass(play, MINUTE_MS);
    assert_int_equal(play_claim(play, "log"), 1);
    play_outcome(play, second, 2, "sent");
    assert_int_equal(play_claim(play, "log"), 1);
    assert_has(play_effect(play, first), "'state':'claimed'");
}

static void a_person_drops_with_a_reason(void **state)
{
    struct play *play = *state;
    char data[60];
    begin(play);
    const char *id = sent(play, NULL);
    play_claim(play, "log");
    play_outcome(play, id, 1, "uncertain");
    snprintf(data, sizeof data, "{'id':'%s','reason':'too late'}", id);
    play_command(play, "effect.drop", NULL, data);
    assert_has(play_effect(play, id), "'state':'dropped','reason':'too late'");
    assert_has(play_types(play, 1), "effect.drop effect.dropped");
}

/* -- Another world -------------------------------------------------------- */

static void what_a_repeat_under_another_world_makes_is_held(void **state)
{
    struct play *play = *state;
    char data[40];
    begin(play);
    play->is_behind = true;
    uint64_t seq = play_track(play, "u1", "Send", NULL);
    play_world(play, seq, NULL);
    play_start(play);
    play_catch_up(play);
    snprintf(data, sizeof data, "%llu.1", (unsigned long long)seq);
    assert_has(play_effect(play, data), "'state':'held'");
    assert_int_equal(play_claim(play, "log"), 0);
    snprintf(data, sizeof data, "{'id':'%llu.1'}", (unsigned long long)seq);
    play_command(play, "effect.release", NULL, data);
    assert_int_equal(play_claim(play, "log"), 1);
}

static void a_claim_in_the_log_proves_that_a_held_one_went_out(void **state)
{
    struct play *play = *state;
    begin(play);
    play->is_behind = true;
    uint64_t seq = play_track(play, "u1", "Send", NULL);
    char id[30];
    snprintf(id, sizeof id, "%llu.1", (unsigned long long)seq);
    play_entry(play, LOG_SYSTEM, "{'type':'effect.claim','data':{'id':'%s','attempt':1,'run':2}}",
               id);
    play_world(play, seq, NULL);
    play_start(play);
    play_catch_up(play);
    assert_has(play_effect(play, id), "'state':'uncertain'");
}

static void a_claim_finds_its_message_under_another_number(void **state)
{
    struct play *play = *state;
    begin(play);
    const char *id = sent(play, NULL);
    struct effect effect;
    char other[30];
    assert_true(effect_load(&effect, play->engine, text_of(id)));
    snprintf(other, sizeof other, "%llu.40", (unsigned long long)effect.seq);
    play_entry(play, LOG_SYSTEM,
               "{'type':'effect.claim','data':{'id':'%s','attempt':1,'run':2,'print':%lld}}", other,
               (long long)effect_print(&effect));
    assert_has(play_effect(play, id), "'state':'claimed'");
    uint64_t seq = play_entry(play, LOG_SYSTEM,
                              "{'type':'effect.claim','data':{'id':'%s','attempt':1,'run':2,"
                              "'print':77}}",
                              id); /* the number is right and the message another */
    assert_has(play_timeline(play, 0, seq, 0), "this replay did not make");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_from_intent_to_sent),
        TEST(a_claim_of_another_run_or_attempt_is_refused),
        TEST(of_two_claims_one_goes),
        TEST(order_holds_per_customer_and_channel),
        TEST(one_channel_does_not_wait_for_another),
        TEST(a_failure_is_tried_again_later_and_later_with_the_same_bytes),
        TEST(the_line_waits_behind_a_failure),
        TEST(an_outcome_of_an_earlier_attempt_changes_nothing),
        TEST(a_large_message_is_kept_once),
        TEST(what_is_too_long_is_refused_with_its_limit),
        TEST(a_reason_of_any_length_is_cut),
        TEST(consent_is_asked_when_the_message_is_claimed),
        TEST(a_purpose_that_is_gone_allows_nothing),
        TEST(without_an_address_nothing_is_mailed),
        TEST(a_suppressed_address_gets_nothing),
        TEST(a_further_attempt_asks_for_the_address_that_it_goes_to),
        TEST(what_waited_too_long_expires),
        TEST(staff_is_notified_whatever_the_customer_allows),
        TEST(staff_is_notified_of_what_concerns_nobody),
        TEST(an_open_claim_of_an_earlier_run_is_uncertain),
        TEST(an_idempotent_channel_is_asked_again),
        TEST(a_person_releases_what_is_uncertain),
        TEST(each_release_gives_the_same_time_again),
        TEST(what_is_released_waits_for_its_turn),
        TEST(a_person_drops_with_a_reason),
        TEST(what_a_repeat_under_another_world_makes_is_held),
        TEST(a_claim_in_the_log_proves_that_a_held_one_went_out),
        TEST(a_claim_finds_its_message_under_another_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

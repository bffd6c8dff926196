/* test_pause.c -- channels that nothing is claimed for; receivers that ask for patience; messages
 * for programs. */
#include "tests/core/engine/engine_fixture.h"

#include "core/engine/effect.h"
#include "core/engine/read.h"

#include "core/base/json_write.h"

#include <stdio.h>

static const char rules[] =
    "rule 'send' { on = 'Send', run = function(event)\n"
    "  send { channel = 'hook', purpose = 'service', body = 'x' } end }\n"
    "rule 'mail' { on = 'Send', run = function(event)\n"
    "  send { channel = 'log', purpose = 'service', body = 'x' } end }\n"
    "rule 'heard' { on = { 'channel.paused', 'channel.resumed' }, run = function(event)\n"
    "  notify { to = 'anna', text = event.type .. ' ' .. event.channel } end }\n";

static const char program[] =
    "rule 'tell' { on = { 'Sold', 'Nobody' }, run = function(event)\n"
    "  send { channel = 'erp', data = { total = event.total } } end }\n"
    "rule 'named' { on = 'Named', run = function(event)\n"
    "  send { channel = 'erp', type = 'order.named', body = 'also' } end }\n"
    "rule 'wrong' { on = 'Wrong', run = function(event)\n"
    "  send { channel = 'log', purpose = 'service', body = 'x', type = 'y' } end }\n";

static const char *last_id(struct play *play, uint64_t seq)
{
    for (uint64_t n = 9; n > 0; n--) {
        const char *id =
            arena_printf(&play->arena, "%llu.%llu", (unsigned long long)seq, (unsigned long long)n)
                .data;
        if (play_effect(play, id)[0] != '\0')
            return id;
    }
    fail_msg("no effect of entry %llu", (unsigned long long)seq);
    return "";
}

static const char *channels(struct play *play)
{
    struct buf out = BUF_INIT, json = BUF_INIT;
    read_channels(play->engine, &out);
    json_write_doc(&json, (struct doc){ out.data, (uint32_t)out.size });
    for (size_t i = 0; i < json.size; i++)
        json.data[i] = json.data[i] == '"' ? '\'' : json.data[i];
    const char *text =
        arena_text(&play->arena, (struct text){ buf_string(&json), (uint32_t)json.size }).data;
    buf_deinit(&out);
    buf_deinit(&json);
    return text;
}

static void gone(struct play *play)
{
    play_entry(play, LOG_SYSTEM,
               "{'type':'channel.paused','by':'kithd','data':{'channel':'hook','reason':'410'}}");
}

/* -- Pauses --------------------------------------------------------------- */

static void nothing_is_claimed_while_a_channel_is_paused(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    gone(play);
    play_track(play, "u1", "Send", NULL);
    assert_int_equal(play_claim(play, "hook"), 0);
    assert_true(play_claim(play, "log") > 0); /* no other channel minds */
    assert_has(channels(play), "'hook':{'waiting':1,'paused':{");
    assert_has(channels(play), "'reason':'410','by':'kithd'");
    assert_has(channels(play), "'mail':{'waiting':0}");
}

static void a_resumed_channel_goes_on_with_what_waited(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    gone(play);
    play_track(play, "u1", "Send", NULL);
    play_track(play, "u2", "Send", NULL);
    play_reports(play);
    play_command(play, "channel.resumed", NULL, "{'channel':'hook'}");
    assert_has(play_reports(play), "ready hook\n");
    assert_int_equal(play_claim(play, "hook"), 2);
    assert_lacks(channels(play), "paused");
}

static void a_pause_outlives_the_run(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_command(play, "channel.paused", NULL, "{'channel':'hook','reason':'moving house'}");
    play_track(play, "u1", "Send", NULL);
    play_reopen(play);
    play_start(play);
    assert_int_equal(play_claim(play, "hook"), 0);
    assert_has(channels(play), "moving house");
}

static void the_first_reason_is_kept(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    gone(play);
    play_command(play, "channel.paused", NULL, "{'channel':'hook','reason':'another'}");
    play_command(play, "channel.paused", NULL, "{'channel':'sms','reason':'no money'}");
    assert_has(channels(play), "'reason':'410'");
    assert_lacks(channels(play), "another");
    play_command(play, "channel.resumed", NULL, "{'channel':'sms'}");
    assert_has(channels(play), "'reason':'410'");
    assert_lacks(channels(play), "no money");
}

static void a_channel_that_is_none_cannot_be_paused(void **state)
{
    struct play *play = *state;
    play_command(play, "channel.paused", NULL, "{'channel':'fax'}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    assert_has(play->result.reason, "no channel is called \"fax\"");
    play_command(play, "channel.resumed", NULL, "{}");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
}

static void a_client_cannot_pause(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_track(play, "u1", "channel.paused", "{'channel':'hook'}");
    assert_lacks(channels(play), "paused");
}

static void rules_hear_of_a_pause(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    uint64_t seq = play_command(play, "channel.paused", NULL, "{'channel':'hook'}");
    assert_has(play_effect(play, last_id(play, seq)), "channel.paused hook");
}

/* -- All channels --------------------------------------------------------- */

static void all_channels_are_paused_at_once_and_each_is_then_as_it_was(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    gone(play);
    play_command(play, "channel.paused", NULL, "{'channel':'*','reason':'fire'}");
    play_track(play, "u1", "Send", NULL);
    assert_int_equal(play_claim(play, "log"), 0);
    assert_int_equal(play_claim(play, "hook"), 0);
    assert_has(channels(play), "fire");
    assert_has(channels(play), "'reason':'410'");
    play_reopen(play);
    play_start(play);
    assert_int_equal(play_claim(play, "log"), 0);
    play_reports(play);
    play_command(play, "channel.resumed", NULL, "{'channel':'*'}");
    assert_has(play_reports(play), "ready log\n");
    assert_true(play_claim(play, "log") > 0);
    assert_int_equal(play_claim(play, "hook"), 0);
    assert_lacks(channels(play), "fire");
}

/* -- Patience ------------------------------------------------------------- */

static void fail_with(struct play *play, const char *id, int attempt, const char *more)
{
    struct effect effect;
    assert_true(effect_load(&effect, play->engine, text_of(id)));
    play_entry(play, LOG_SYSTEM,
               "{'type':'effect.outcome','data':{'id':'%s','attempt':%d,'outcome':'failed',"
               "'print':%lld%s}}",
               id, attempt, (long long)effect_print(&effect), more);
}

static void the_next_attempt_waits_for_as_long_as_was_asked(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    const char *id = last_id(play, play_track(play, "u1", "Send", NULL) /* log's */);
    assert_has(play_effect(play, id), "'log'");
    assert_int_equal(play_claim(play, "log"), 1);
    fail_with(play, id, 1, ",'wait_ms':7200000");
    play_pass(play, 2 * HOUR_MS - 5 * MINUTE_MS);
    assert_int_equal(play_claim(play, "log"), 0);
    play_pass(play, 6 * MINUTE_MS);
    assert_int_equal(play_claim(play, "log"), 1);
}

static void a_wait_that_is_shorter_than_the_schedule_changes_nothing(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    const char *id = last_id(play, play_track(play, "u1", "Send", NULL));
    play_claim(play, "log");
    fail_with(play, id, 1, ",'wait_ms':5");
    play_pass(play, 29 * SECOND_MS);
    assert_int_equal(play_claim(play, "log"), 0);
    play_pass(play, 10 * SECOND_MS);
    assert_int_equal(play_claim(play, "log"), 1);
}

static void nobody_is_waited_for_longer_than_the_limit(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    const char *id = last_id(play, play_track(play, "u1", "Send", NULL));
    play_claim(play, "log");
    fail_with(play, id, 1, ",'wait_ms':9223372036854775807");
    play_pass(play, EFFECT_WAIT_MS_MAX + MINUTE_MS);
    play_claim(play, "log"); /* too late for it, but it has an end */
    assert_has(play_effect(play, id), "'state':'expired'");
}

/* -- Programs ------------------------------------------------------------- */

static void begin_program(struct play *play)
{
    play_config(play, "{'channels':{'log':{},'erp':{'idempotent':true,'machine':true}}}");
    play_start(play);
    play_rules(play, program);
    play_reports(play);
}

static void a_program_is_told_what_happened_and_when(void **state)
{
    struct play *play = *state;
    begin_program(play);
    const char *id = last_id(play, play_track(play, "u1", "Sold", "{'total':5}"));
    assert_int_equal(play_claim(play, "erp"), 1);
    const char *effect = play_effect(play, id);
    assert_has(effect, "'purpose':'service'");
    assert_has(effect, "'customer':1,'type':'Sold','timestamp':'2026-10-2");
    assert_has(effect, "'data':{'total':5}}");
    assert_lacks(effect, "'body'");
}

static void the_type_may_be_another_and_a_body_may_come_along(void **state)
{
    struct play *play = *state;
    begin_program(play);
    const char *id = last_id(play, play_track(play, "u1", "Named", NULL));
    assert_has(play_effect(play, id), "'type':'order.named'");
    assert_has(play_effect(play, id), "'body':'also'");
}

static void a_program_may_be_told_about_nobody(void **state)
{
    struct play *play = *state;
    begin_program(play);
    uint64_t seq = play_entry(play, LOG_CLIENT, "{'type':'Nobody','data':{'total':7}}");
    const char *id = last_id(play, seq);
    assert_int_equal(play_claim(play, "erp"), 1);
    assert_lacks(play_effect(play, id), "'message':{'id':'x','customer'");
    assert_has(play_reports(play), "'type':'Nobody'");
    fail_with(play, id, 1, "");
    play_pass(play, MINUTE_MS);
    assert_int_equal(play_claim(play, "erp"), 1);
    play_outcome(play, id, 2, "sent");
    assert_has(play_effect(play, id), "'state':'sent'");
}

static void what_she_withdrew_is_not_told_to_a_program_either(void **state)
{
    struct play *play = *state;
    begin_program(play);
    const char *id = last_id(play, play_track(play, "u1", "Sold", "{'total':5}"));
    play_command(play, "consent.changed", "user_id:u1",
                 "{'purpose':'service','channel':'erp','state':'withdrawn'}");
    assert_int_equal(play_claim(play, "erp"), 0);
    assert_has(play_effect(play, id), "consent withdrawn");
}

static void people_read_no_types(void **state)
{
    struct play *play = *state;
    begin_program(play);
    uint64_t seq = play_track(play, "u1", "Wrong", NULL);
    const char *failure = "";
    for (uint64_t n = 1; n < 6 && strstr(failure, "rule.failed") == NULL; n++)
        failure = play_timeline(play, 1, seq, n);
    assert_has(failure, "type is for webhooks");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_claimed_while_a_channel_is_paused),
        TEST(a_resumed_channel_goes_on_with_what_waited),
        TEST(a_pause_outlives_the_run),
        TEST(the_first_reason_is_kept),
        TEST(a_channel_that_is_none_cannot_be_paused),
        TEST(a_client_cannot_pause),
        TEST(rules_hear_of_a_pause),
        TEST(all_channels_are_paused_at_once_and_each_is_then_as_it_was),
        TEST(the_next_attempt_waits_for_as_long_as_was_asked),
        TEST(a_wait_that_is_shorter_than_the_schedule_changes_nothing),
        TEST(nobody_is_waited_for_longer_than_the_limit),
        TEST(a_program_is_told_what_happened_and_when),
        TEST(the_type_may_be_another_and_a_body_may_come_along),
        TEST(a_program_may_be_told_about_nobody),
        TEST(what_she_withdrew_is_not_told_to_a_program_either),
        TEST(people_read_no_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_pause_rule.c -- rules that do not run for a while, and what becomes of what they sent. */
#include "tests/core/engine/engine_fixture.h"

#include "core/engine/effect.h"
#include "core/engine/read.h"

#include "core/base/json_write.h"

#include <stdio.h>

static const char rules[] =
    "rule 'thank' { on = 'Order', run = function(event, customer)\n"
    "  customer:set('thanked', (customer.thanked or 0) + 1)\n"
    "  send { channel = 'log', purpose = 'service', body = 'thanks' } end }\n"
    "rule 'count' { on = 'Order', run = function(event, customer)\n"
    "  customer:set('orders', (customer.orders or 0) + 1)\n"
    "  send { channel = 'log', purpose = 'service', body = 'counted' } end }\n"
    "rule 'daily' { on = every('1d', { at = '09:00' }), run = function(event, customer)\n"
    "  customer:set('days', (customer.days or 0) + 1) end }\n"
    "rule 'wish' { on = yearly('birthday', { at = '10:00', calendar = 'chinese' }),\n"
    "  run = function() end }\n"
    "rule 'warn' { on = date('contract.end', '-30d'), run = function() end }\n"
    "rule 'all' { on = '*', run = function() end }\n";

static const char hearing[] =
    "rule 'daily' { on = every('1d'), run = function() end }\n"
    "rule 'heard' { on = { 'rule.paused', 'rule.resumed' }, run = function(event)\n"
    "  notify { to = 'anna', text = event.type .. ' ' .. event.rule } end }\n";

static void pause_rule(struct play *play, const char *name)
{
    const char *data =
        arena_printf(&play->arena, "{'rule':'%s','reason':'wrong words'}", name).data;
    play_command(play, "rule.paused", NULL, data);
}

static void resume(struct play *play, const char *name)
{
    play_command(play, "rule.resumed", NULL,
                 arena_printf(&play->arena, "{'rule':'%s'}", name).data);
}

static const char *shown(struct play *play)
{
    struct buf out = BUF_INIT, json = BUF_INIT;
    read_rules(play->engine, &out);
    json_write_doc(&json, (struct doc){ out.data, (uint32_t)out.size });
    for (size_t i = 0; i < json.size; i++)
        json.data[i] = json.data[i] == '"' ? '\'' : json.data[i];
    const char *text =
        arena_text(&play->arena, (struct text){ buf_string(&json), (uint32_t)json.size }).data;
    buf_deinit(&out);
    buf_deinit(&json);
    return text;
}

/* The message with this number in it; those of the first order of a customer begin with 3. */
static const char *id_of(struct play *play, uint64_t seq, unsigned n)
{
    return arena_printf(&play->arena, "%llu.%u", (unsigned long long)seq, n).data;
}

static const char *bodies(struct play *play)
{
    const char *reports = play_reports(play);
    static char out[400];
    out[0] = '\0';
    for (const char *at = reports; (at = strstr(at, "'body':'")) != NULL;) {
        at += strlen("'body':'");
        size_t size = strlen(out);
        snprintf(out + size, sizeof out - size, "%s%.*s", size != 0 ? " " : "",
                 (int)strcspn(at, "'"), at);
    }
    return out;
}

/* -- Running -------------------------------------------------------------- */

static void a_paused_rule_does_not_run_and_others_do(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_track(play, "u1", "Order", NULL);
    pause_rule(play, "thank");
    uint64_t seq = play_track(play, "u1", "Order", NULL);
    assert_string_equal(play_trait(play, "user_id:u1", "thanked"), "1");
    assert_string_equal(play_trait(play, "user_id:u1", "orders"), "2");
    assert_has(play_timeline(play, 1, seq, 0), "rule \\'thank\\' is paused");
    resume(play, "thank");
    play_track(play, "u1", "Order", NULL);
    assert_string_equal(play_trait(play, "user_id:u1", "thanked"),
                        "2"); /* nothing is made up for */
}

static void a_pause_outlives_the_run_and_the_bundle(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    pause_rule(play, "thank");
    play_reopen(play);
    play_start(play);
    play_track(play, "u1", "Order", NULL);
    play_rules(play, "rule 'other' { on = 'Order', run = function() end }\n");
    assert_has(shown(play), "{'name':'thank','state':'paused'");
    play_rules(play, rules);
    play_track(play, "u1", "Order", NULL);
    assert_string_equal(play_trait(play, "user_id:u1", "thanked"), "");
    assert_string_equal(play_trait(play, "user_id:u1", "orders"), "2");
}

static void what_comes_due_meanwhile_passes_the_rule_by(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_identify(play, "u1", NULL);
    play_pass(play, DAY_MS);
    assert_string_equal(play_trait(play, "user_id:u1", "days"), "1");
    pause_rule(play, "daily");
    play_pass(play, 3 * DAY_MS);
    assert_string_equal(play_trait(play, "user_id:u1", "days"), "1");
    resume(play, "daily");
    play_ticks(play);
    assert_string_equal(play_trait(play, "user_id:u1", "days"), "1");
    play_pass(play, DAY_MS);
    assert_string_equal(play_trait(play, "user_id:u1", "days"), "2"); /* at its old hour */
}

static void a_rule_hears_of_its_end_and_not_of_its_pause(void **state)
{
    struct play *play = *state;
    play_rules(play, hearing);
    uint64_t seq = play_command(play, "rule.paused", NULL, "{'rule':'heard'}");
    assert_string_equal(play_effect(play, id_of(play, seq, 1)), "");
    seq = play_command(play, "rule.resumed", NULL, "{'rule':'heard'}");
    assert_has(play_effect(play, id_of(play, seq, 1)), "rule.resumed heard");
    seq = play_command(play, "rule.paused", NULL, "{'rule':'daily'}");
    assert_has(play_effect(play, id_of(play, seq, 1)), "rule.paused daily");
}

/* -- Deciding ------------------------------------------------------------- */

static void a_rule_that_is_none_can_be_neither_paused_nor_resumed(void **state)
{
    struct play *play = *state;
    pause_rule(play, "thank"); /* before there is a bundle */
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    play_rules(play, rules);
    pause_rule(play, "thanks");
    assert_int_equal(play->result.code, E_NOTFOUND);
    assert_has(play->result.reason, "no rule is called \"thanks\"");
    resume(play, "thanks");
    assert_int_equal(play->result.status, ENGINE_REFUSED);
    resume(play, "thank"); /* it runs: that is what was asked for */
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void the_first_reason_is_kept(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    pause_rule(play, "thank");
    play_command(play, "rule.paused", NULL, "{'rule':'thank','reason':'another'}");
    pause_rule(play, "daily");
    assert_has(shown(play), "'reason':'wrong words'");
    assert_lacks(shown(play), "another");
    resume(play, "daily");
    assert_has(shown(play), "'name':'daily','trigger':'every 1d at 09:00','state':'active'");
    assert_has(shown(play), "'name':'thank','trigger':'Order','on':['Order'],'state':'paused'");
}

static void rules_are_shown_with_what_starts_them(void **state)
{
    struct play *play = *state;
    assert_has(shown(play), "{'items':[],");
    play_rules(play, rules);
    assert_has(shown(play), "'trigger':'yearly birthday chinese at 10:00'");
    assert_has(shown(play), "'trigger':'date contract.end -30d'");
    assert_has(shown(play), "'name':'all','trigger':'*','on':['*']");
    play_rules(play, hearing);
    assert_has(shown(play), "'trigger':'rule.paused, rule.resumed'");
}

static void a_client_cannot_pause(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_track(play, "u1", "rule.paused", "{'rule':'thank'}");
    assert_lacks(shown(play), "'state':'paused'");
}

static void so_many_may_be_paused(void **state)
{
    struct play *play = *state;
    struct buf lua = BUF_INIT;
    for (int i = 0; i <= PAUSED_RULES_MAX; i++)
        buf_printf(&lua, "rule 'r%d' { on = 'X', run = function() end }\n", i);
    play_rules(play, buf_string(&lua));
    buf_deinit(&lua);
    for (int i = 0; i < PAUSED_RULES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%d", i);
        pause_rule(play, name);
        assert_int_equal(play->result.status, ENGINE_DONE);
    }
    char last[16];
    snprintf(last, sizeof last, "r%d", PAUSED_RULES_MAX);
    pause_rule(play, last);
    assert_int_equal(play->result.code, E_LIMIT);
    resume(play, "r7");
    pause_rule(play, last);
    assert_int_equal(play->result.status, ENGINE_DONE);
}

/* -- What it had sent ----------------------------------------------------- */

static void its_messages_wait_and_hold_up_no_other(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    uint64_t seq = play_track(play, "u1", "Order", NULL); /* thanks, then counted, in one line */
    pause_rule(play, "thank");
    play_reports(play);
    assert_int_equal(play_claim(play, "log"), 0);
    assert_int_equal(play_claim(play, "log"), 1);
    assert_string_equal(bodies(play), "counted");
    assert_has(play_effect(play, id_of(play, seq, 3)), "'reason':'rule \\'thank\\' is paused'");
    assert_has(play_effect(play, id_of(play, seq, 3)), "'state':'pending'");
    assert_has(shown(play), "'waiting':1");
    assert_int_equal(play_claim(play, "log"), 0);
}

static void resumed_they_go_out_behind_what_waits(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_world(play, 0, "{'sweep_per_tick':2}");
    pause_rule(play, "count");
    for (int i = 0; i < 5; i++) {
        char user[8];
        snprintf(user, sizeof user, "u%d", i);
        play_track(play, user, "Order", NULL);
    }
    pause_rule(play, "thank");
    assert_int_equal(play_claim(play, "log"), 0);
    resume(play, "count");
    play_track(play, "u0", "Order", NULL); /* counted: thanks of before is behind it now */
    resume(play, "thank");
    play_reopen(play);
    assert_true(engine_next_due(play->engine) <= play->now);
    assert_int_equal(play_ticks(play), 3);
    play_start(play);
    play_reports(play);
    assert_int_equal(play_claim(play, "log"), 5);
    assert_string_equal(bodies(play), "thanks thanks thanks thanks counted");
}

static void paused_again_before_all_are_back_the_rest_stays(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    play_world(play, 0, "{'sweep_per_tick':1}");
    pause_rule(play, "count");
    play_track(play, "u1", "Order", NULL);
    play_track(play, "u2", "Order", NULL);
    pause_rule(play, "thank");
    play_claim(play, "log");
    resume(play, "thank");
    play_tick(play);
    pause_rule(play, "thank");
    assert_int_equal(engine_next_due(play->engine) <= play->now, false);
    assert_int_equal(play_claim(play, "log"), 0);
    assert_has(shown(play), "'waiting':2");
    resume(play, "thank");
    play_ticks(play);
    assert_int_equal(play_claim(play, "log"), 2);
}

static void what_waited_too_long_has_expired(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    pause_rule(play, "count");
    uint64_t seq = play_track(play, "u1", "Order", NULL);
    pause_rule(play, "thank");
    play_claim(play, "log");
    play_pass(play, 2 * DAY_MS);
    resume(play, "thank");
    play_ticks(play);
    play_claim(play, "log");
    assert_has(play_effect(play, id_of(play, seq, 3)), "'state':'expired'");
    assert_lacks(play_effect(play, id_of(play, seq, 3)), "parked");
}

static void what_may_not_go_out_at_all_does_not_wait(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    uint64_t seq = play_track(play, "u1", "Order", NULL);
    pause_rule(play, "thank");
    play_command(play, "consent.changed", "user_id:u1",
                 "{'purpose':'service','channel':'log','state':'withdrawn'}");
    play_claim(play, "log");
    assert_has(play_effect(play, id_of(play, seq, 3)), "'state':'suppressed'");
}

static void a_waiting_one_can_be_dropped_and_not_released(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    const char *id = id_of(play, play_track(play, "u1", "Order", NULL), 3);
    const char *data = arena_printf(&play->arena, "{'id':'%s'}", id).data;
    pause_rule(play, "thank");
    play_claim(play, "log");
    play_command(play, "effect.release", NULL, data);
    assert_int_equal(play->result.code, E_CONFLICT);
    play_command(play, "effect.drop", NULL, data);
    assert_has(play_effect(play, id), "'state':'dropped'");
    assert_has(shown(play), "'waiting':0");
    resume(play, "thank");
    assert_int_equal(engine_next_due(play->engine) <= play->now, false); /* nothing to put back */
}

static void the_next_attempt_of_one_waits_too(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    pause_rule(play, "count");
    const char *id = id_of(play, play_track(play, "u1", "Order", NULL), 3);
    assert_int_equal(play_claim(play, "log"), 1);
    play_outcome(play, id, 1, "failed");
    pause_rule(play, "thank");
    play_pass(play, HOUR_MS);
    assert_int_equal(play_claim(play, "log"), 0);
    resume(play, "thank");
    play_ticks(play);
    assert_int_equal(play_claim(play, "log"), 1);
    play_outcome(play, id, 2, "sent");
    assert_has(play_effect(play, id), "'state':'sent'");
}

static void what_is_under_way_goes_on_to_its_outcome(void **state)
{
    struct play *play = *state;
    play_rules(play, rules);
    const char *id = id_of(play, play_track(play, "u1", "Order", NULL), 3);
    assert_int_equal(play_claim(play, "log"), 1);
    pause_rule(play, "thank");
    play_outcome(play, id, 1, "sent");
    assert_has(play_effect(play, id), "'state':'sent'");
}

static void somebody_erased_takes_hers_along(void **state)
{
    struct play *play = *state;
    struct key prefix;
    play_rules(play, rules);
    play_track(play, "u1", "Order", NULL);
    pause_rule(play, "thank");
    play_claim(play, "log");
    play_command(play, "erase.requested", "user_id:u1", NULL);
    play_ticks(play);
    assert_has(shown(play), "'waiting':0");
    key_parked_prefix(&prefix, text_of("thank"));
    assert_int_equal(play_count(play, &prefix), 0);
    resume(play, "thank");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_paused_rule_does_not_run_and_others_do),
        TEST(a_pause_outlives_the_run_and_the_bundle),
        TEST(what_comes_due_meanwhile_passes_the_rule_by),
        TEST(a_rule_hears_of_its_end_and_not_of_its_pause),
        TEST(a_rule_that_is_none_can_be_neither_paused_nor_resumed),
        TEST(the_first_reason_is_kept),
        TEST(rules_are_shown_with_what_starts_them),
        TEST(a_client_cannot_pause),
        TEST(so_many_may_be_paused),
        TEST(its_messages_wait_and_hold_up_no_other),
        TEST(resumed_they_go_out_behind_what_waits),
        TEST(paused_again_before_all_are_back_the_rest_stays),
        TEST(what_waited_too_long_has_expired),
        TEST(what_may_not_go_out_at_all_does_not_wait),
        TEST(a_waiting_one_can_be_dropped_and_not_released),
        TEST(the_next_attempt_of_one_waits_too),
        TEST(what_is_under_way_goes_on_to_its_outcome),
        TEST(somebody_erased_takes_hers_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

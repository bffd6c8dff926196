/* test_subject.c -- shared subjects: a pool gives no code twice, a budget is never overspent. */
#include "tests/core/engine/engine_fixture.h"

#include "core/engine/read.h"
#include "core/engine/subject.h"

#include <stdio.h>

static const char rules[] =
    "pool 'spring' { low = 2, to = 'team:shop' }\n"
    "pool 'short' { reserve = '2d' }\n"
    "budget 'kind' { amount = '100.00', currency = 'EUR', per = '1mo' }\n"
    "rule 'ask' { on = 'Ask', run = function(event)\n"
    "  ask(event.of or 'pool:spring', event.word or 'take', { key = event.key, code = event.code,\n"
    "    amount = event.amount, currency = event.currency }) end }\n"
    "rule 'hear' { on = { 'pool.taken', 'pool.empty', 'pool.refused', 'pool.used', "
    "'pool.expired',\n"
    "    'budget.granted', 'budget.refused', 'budget.released' }, run = function(event, customer)\n"
    "  customer:set('heard', event.type .. ' ' .. (event.code or event.amount or '') .. ' ' ..\n"
    "    (event.reason or '') .. (event.again and ' again' or '')\n"
    "    .. (event.own == false and ' not hers' or '') ..\n"
    "    (event.budget and ' left ' .. event.left or '')) end }\n"
    "rule 'low' { on = 'pool.low', run = function(event)\n"
    "  notify { to = event.to, text = 'left ' .. event.left } end }\n";

static void load(struct play *play, const char *pool, const char *codes)
{
    char data[300];
    snprintf(data, sizeof data, "{'pool':'%s','codes':[%s]}", pool, codes);
    play_command(play, "pool.load", NULL, data);
}

static void begin(struct play *play)
{
    play_rules(play, rules);
    assert_int_equal(play->result.status, ENGINE_DONE);
    load(play, "spring", "'A','B','C'");
    assert_int_equal(play->result.status, ENGINE_DONE);
}

/* What she heard in the end. */
static const char *ask(struct play *play, const char *user, const char *data)
{
    char name[40];
    play->now += SECOND_MS;
    play_track(play, user, "Ask", data);
    snprintf(name, sizeof name, "user_id:%s", user);
    return play_trait(play, name, "heard");
}

static const char *figures(struct play *play, const char *kind, const char *name)
{
    struct buf out = BUF_INIT;
    assert_int_equal(read_subject(play->engine, kind, text_of(name), &out, &play->err), 0);
    struct doc doc = { out.data, (uint32_t)out.size };
    const char *text =
        arena_printf(&play->arena, "left %lld reserved %lld used %lld expired %lld",
                     (long long)doc_int(doc, "left", -1), (long long)doc_int(doc, "reserved", -1),
                     (long long)doc_int(doc, "used", -1), (long long)doc_int(doc, "expired", -1))
            .data;
    buf_deinit(&out);
    return text;
}

static void a_code_is_given_once_and_again_to_the_same(void **state)
{
    struct play *play = *state;
    begin(play);
    assert_string_equal(ask(play, "u1", NULL), "'pool.taken A '");
    assert_string_equal(ask(play, "u1", NULL), "'pool.taken A  again'");
    assert_string_equal(ask(play, "u1", "{'key':'other'}"), "'pool.taken B '");
    assert_string_equal(ask(play, "u2", NULL), "'pool.taken C '");
    assert_string_equal(ask(play, "u3", NULL), "'pool.empty  '");
    assert_string_equal(figures(play, "pool", "spring"), "left 0 reserved 3 used 0 expired 0");
    load(play, "spring", "'A','D'"); /* A is known */
    assert_string_equal(ask(play, "u3", NULL), "'pool.taken D '");
}

static void what_was_appended_twice_takes_one(void **state)
{
    struct play *play = *state;
    begin(play);
    play->keeps_outgoing = true;
    play_track(play, "u1", "Ask", NULL);
    const char *sent = "{'id':'%llu.%d','type':'pool.take','ref':'pool:spring','source':'kith',"
                       "'by':'ask','depth':1,'from':1,'data':{'pool':'spring'}}";
    unsigned long long seq = play->engine->seq;
    play_entry(play, LOG_SYSTEM, sent, seq, 2);
    assert_int_equal(play->result.status, ENGINE_DONE);
    play_entry(play, LOG_SYSTEM, sent, seq, 2);
    assert_int_equal(play->result.status, ENGINE_DUPLICATE);
    assert_string_equal(figures(play, "pool", "spring"), "left 2 reserved 1 used 0 expired 0");
}

static void a_client_cannot_ask(void **state)
{
    struct play *play = *state;
    begin(play);
    play_entry(play, LOG_CLIENT,
               "{'type':'pool.take','ref':'pool:spring','data':{'pool':'spring'}}");
    play_track(play, "u1", "pool.taken", "{'code':'X'}");
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "");
    assert_string_equal(figures(play, "pool", "spring"), "left 3 reserved 0 used 0 expired 0");
}

static void a_rule_that_fails_asks_nothing(void **state)
{
    struct play *play = *state;
    begin(play);
    ask(play, "u1", "{'of':'pool:sprign'}");
    assert_has(play_types(play, 1), "rule.failed");
    assert_has(play_timeline(play, 1, play->engine->seq, 3), "did you mean \\'pool:spring\\'");
    ask(play, "u1", "{'word':'give'}");
    assert_has(play_timeline(play, 1, play->engine->seq, 1), "it knows take, use");
    ask(play, "u1", "{'of':'budget:kind','word':'spend','key':'k','amount':0.00001}");
    assert_has(play_timeline(play, 1, play->engine->seq, 1), "amount: ");
}

static void a_code_is_used_once_by_key_or_as_it_is_shown(void **state)
{
    struct play *play = *state;
    begin(play);
    ask(play, "u1", NULL);
    assert_string_equal(ask(play, "u2", "{'word':'use','code':'A'}"), "'pool.used A  not hers'");
    assert_string_equal(ask(play, "u1", "{'word':'use'}"), "'pool.refused  used'");
    assert_string_equal(ask(play, "u1", "{'word':'use','code':'B'}"), "'pool.refused B not taken'");
    assert_string_equal(ask(play, "u1", "{'word':'use','code':'Z'}"), "'pool.refused Z unknown'");
    ask(play, "u1", "{'key':'two'}");
    assert_string_equal(ask(play, "u1", "{'word':'use','key':'two'}"), "'pool.used B '");
    assert_string_equal(figures(play, "pool", "spring"), "left 1 reserved 0 used 2 expired 0");
    assert_string_equal(ask(play, "u1", NULL), "'pool.taken A  again'");
}

static void a_reservation_ends_and_its_code_is_nobodys(void **state)
{
    struct play *play = *state;
    begin(play);
    load(play, "short", "'S','T'");
    ask(play, "u1", "{'of':'pool:short'}");
    ask(play, "u2", "{'of':'pool:short'}");
    ask(play, "u2", "{'of':'pool:short','word':'use'}");
    play_pass(play, 2 * DAY_MS + HOUR_MS);
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "'pool.expired S '");
    assert_string_equal(play_trait(play, "user_id:u2", "heard"), "'pool.used T '");
    assert_string_equal(figures(play, "pool", "short"), "left 0 reserved 0 used 1 expired 1");
    assert_string_equal(ask(play, "u1", "{'of':'pool:short'}"), "'pool.refused  expired'");
}

static void a_pool_says_once_that_it_runs_low(void **state)
{
    struct play *play = *state;
    struct key prefix;
    begin(play);
    key_start(&prefix, 'e');
    ask(play, "u1", NULL);
    assert_int_equal(play_count(play, &prefix), 0);
    ask(play, "u2", NULL);
    ask(play, "u3", NULL);
    assert_int_equal(play_count(play, &prefix), 1);
    load(play, "spring", "'X','Y'");
    ask(play, "u4", NULL);
    assert_int_equal(play_count(play, &prefix), 2);
}

static void merged_members_have_one_code_for_a_key(void **state)
{
    struct play *play = *state;
    begin(play);
    ask(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    play_command(play, "customer.merge", "user_id:u1", "{'absorbed':'user_id:u2'}");
    assert_string_equal(ask(play, "u2", NULL), "'pool.taken A  again'");
    play_command(play, "customer.unmerge", "user_id:u2", NULL);
    assert_string_equal(ask(play, "u2", NULL), "'pool.taken B '");
    play_command(play, "customer.merge", "user_id:u1", "{'absorbed':'user_id:u2'}");
    play_track(play, "u2", "Ask", NULL); /* each keeps her own */
    assert_has(play_profile(play, play_customer(play, "user_id:u2")), "pool.taken B  again");
}

static void a_code_of_somebody_erased_stays_used_and_her_number_goes(void **state)
{
    struct play *play = *state;
    struct key key;
    begin(play);
    load(play, "short", "'S'");
    ask(play, "u1", NULL);
    ask(play, "u1", "{'of':'pool:short'}");
    ask(play, "u1", "{'of':'budget:kind','word':'spend','key':'k','amount':'30.00'}");
    play_command(play, "erase.requested", "user_id:u1", NULL);
    play_ticks(play);
    assert_string_equal(figures(play, "pool", "spring"), "left 2 reserved 0 used 1 expired 0");
    assert_string_equal(figures(play, "pool", "short"), "left 0 reserved 0 used 1 expired 0");
    key_start(&key, 'S');
    key_text(&key, text_of("pool:spring"));
    key_byte(&key, 'c');
    key_tail(&key, text_of("A"));
    assert_lacks(play_row(play, &key), "customer");
    key_start(&key, 'S');
    key_text(&key, text_of("pool:spring"));
    key_byte(&key, 'a');
    assert_int_equal(play_count(play, &key), 0);
    play_pass(play, 3 * DAY_MS);
    assert_has(ask(play, "u2", "{'of':'budget:kind','word':'spend','key':'k','amount':'80'}"),
               "budget.refused");
}

static void a_budget_is_spent_exactly_and_not_beyond(void **state)
{
    struct play *play = *state;
    begin(play);
    static const char *const spends[][2] = {
        { "{'of':'budget:kind','word':'spend','key':'1','amount':'33.3333'}",
          "'budget.granted 33.3333  left 66.6667'" },
        { "{'of':'budget:kind','word':'spend','key':'1','amount':'99'}",
          "'budget.granted 33.3333  again left 66.6667'" },
        { "{'of':'budget:kind','word':'spend','key':'2','amount':66.6668}",
          "'budget.refused 66.6668 spent left 66.6667'" },
        { "{'of':'budget:kind','word':'spend','key':'2','amount':66.6667}",
          "'budget.granted 66.6667  left 0'" },
        { "{'of':'budget:kind','word':'spend','key':'3','amount':'0.0001'}",
          "'budget.refused 0.0001 spent left 0'" },
        { "{'of':'budget:kind','word':'release','key':'1'}",
          "'budget.released 33.3333  left 33.3333'" },
        { "{'of':'budget:kind','word':'release','key':'1'}",
          "'budget.refused  unknown left 33.3333'" },
        { "{'of':'budget:kind','word':'spend','key':'3','amount':1,'currency':'USD'}",
          "'budget.refused 1 currency left 33.3333'" },
        { "{'of':'budget:kind','word':'spend','key':'1','amount':'20.10'}",
          "'budget.granted 20.10  left 13.2333'" },
    };
    for (size_t i = 0; i < sizeof spends / sizeof *spends; i++)
        assert_string_equal(ask(play, "u1", spends[i][0]), spends[i][1]);
}

static void a_month_ends_and_another_begins(void **state)
{
    struct play *play = *state; /* 2026-10-28 00:00 UTC, in Berlin */
    begin(play);
    ask(play, "u1", "{'of':'budget:kind','word':'spend','key':'1','amount':'100'}");
    play_pass(play, 3 * DAY_MS + 22 * HOUR_MS); /* 2026-10-31 23:00 in Berlin */
    assert_has(ask(play, "u1", "{'of':'budget:kind','word':'spend','key':'2','amount':'1'}"),
               "refused");
    play_pass(play, HOUR_MS);
    assert_has(ask(play, "u1", "{'of':'budget:kind','word':'spend','key':'2','amount':'1'}"),
               "granted 1  left 99");
    /* what was granted in October is not November's */
    assert_has(ask(play, "u1", "{'of':'budget:kind','word':'release','key':'1'}"), "left 99");
    struct key prefix;
    key_start(&prefix, 'S');
    key_text(&prefix, text_of("budget:kind"));
    key_byte(&prefix, 't');
    assert_int_equal(play_count(play, &prefix), 5); /* four asks, and the end of October */
}

static void declare(struct play *play, const char *currency)
{
    char own[sizeof rules + 100];
    const char *at = strstr(rules, "'EUR'");
    snprintf(own, sizeof own, "%.*s'%s'%s", (int)(at - rules), rules, currency, at + 5);
    play_rules(play, own);
    assert_int_equal(play->result.status, ENGINE_DONE);
}

static void what_another_currency_granted_gives_nothing_back(void **state)
{
    struct play *play = *state;
    begin(play);
    ask(play, "u1", "{'of':'budget:kind','word':'spend','key':'x','amount':'30'}");
    declare(play, "USD");
    assert_has(ask(play, "u2", "{'of':'budget:kind','word':'spend','key':'m','amount':'1'}"),
               "granted 1  left 99");
    declare(play, "EUR"); /* the same month, and the same currency, and another account */
    assert_has(ask(play, "u2", "{'of':'budget:kind','word':'spend','key':'n','amount':'2'}"),
               "granted 2  left 98");
    assert_has(ask(play, "u2", "{'of':'budget:kind','word':'release','key':'m'}"), "left 98");
    assert_has(ask(play, "u1", "{'of':'budget:kind','word':'release','key':'x'}"), "left 98");
    assert_has(ask(play, "u2", "{'of':'budget:kind','word':'spend','key':'o','amount':'98.01'}"),
               "refused");
}

static void what_a_bundle_no_longer_declares_is_refused(void **state)
{
    struct play *play = *state;
    begin(play);
    play->keeps_outgoing = true;
    play_track(play, "u1", "Ask", NULL);
    unsigned long long seq = play->engine->seq;
    play_rules(play, "rule 'hear' { on = 'pool.refused', run = function(event, customer)\n"
                     "  customer:set('heard', event.reason) end }");
    play->keeps_outgoing = false;
    play_entry(play, LOG_SYSTEM,
               "{'id':'%llu.2','type':'pool.take','ref':'pool:spring','source':'kith','by':'ask',"
               "'depth':1,'from':1,'data':{'pool':'spring'}}",
               seq);
    assert_string_equal(play_trait(play, "user_id:u1", "heard"), "'not declared'");
    load(play, "spring", "'Q'");
    assert_int_equal(play->result.code, E_NOTFOUND);
}

static void wrong_declarations_are_refused_at_their_line(void **state)
{
    static const char *const wrong[][2] = {
        { "pool 'x' { reserve = '2wd' }", "reserve is a duration" },
        { "pool 'x' { low = -1 }", "low is a whole number" },
        { "pool 'x' {} pool 'x' {}", "declared already" },
        { "pool 'x' { lwo = 1 }", "did you mean" },
        { "budget 'x' { amount = '1' }", "currency is a code of three letters" },
        { "budget 'x' { amount = 'much', currency = 'EUR' }", "is no amount" },
        { "budget 'x' { amount = 0, currency = 'EUR' }", "more than 0" },
        { "budget 'x' { amount = 1, currency = 'EUR', per = '5min' }", "counted in d, w, mo or y" },
    };
    struct play *play = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_not_equal(play_load(play, wrong[i][0]), 0);
        assert_has(play->err.text, "rules.lua:1: ");
        assert_has(play->err.text, wrong[i][1]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_code_is_given_once_and_again_to_the_same),
        TEST(what_was_appended_twice_takes_one),
        TEST(a_client_cannot_ask),
        TEST(a_rule_that_fails_asks_nothing),
        TEST(a_code_is_used_once_by_key_or_as_it_is_shown),
        TEST(a_reservation_ends_and_its_code_is_nobodys),
        TEST(a_pool_says_once_that_it_runs_low),
        TEST(merged_members_have_one_code_for_a_key),
        TEST(a_code_of_somebody_erased_stays_used_and_her_number_goes),
        TEST(a_budget_is_spent_exactly_and_not_beyond),
        TEST(a_month_ends_and_another_begins),
        TEST(what_another_currency_granted_gives_nothing_back),
        TEST(what_a_bundle_no_longer_declares_is_refused),
        TEST(wrong_declarations_are_refused_at_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

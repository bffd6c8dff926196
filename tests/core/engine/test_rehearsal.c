/* test_rehearsal.c -- what an engine without a log tells, and that nothing of it stays. */
#include "core/engine/rehearsal.h"

#include "core/script/host.h"
#include "tests/core/engine/engine_fixture.h"

#define MIB (1u << 20)

static const char rules[] =
    "rule 'thank' { on = 'Order', run = function(event, customer)\n"
    "  customer:set('orders', (customer.orders or 0) + 1)\n"
    "  send { channel = 'log', purpose = 'service', body = 'thanks' }\n"
    "  after { due = '3d', emit = 'Later' }\n"
    "  if event.friend then emit('Friend', {}, { to = 'user_id:' .. event.friend }) end\n"
    "end }\n"
    "rule 'sent' { on = 'effect.sent', run = function(_, customer) customer:tag('written') end }\n"
    "rule 'later' { on = 'Later', run = function()\n"
    "  remind { title = 'Ask', to = 'anna', due = '1d' } end }\n"
    "rule 'friend' { on = 'Friend', run = function(_, customer) customer:tag('friend') end }\n"
    "rule 'bad' { on = 'Bad', run = function() error('no') end }\n";

/* The bundle as play_rules() has made it. */
static int find_blob(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                     struct err *err)
{
    struct doc_writer w;
    (void)arg;
    (void)hash;
    (void)err;
    doc_begin(&w, out);
    doc_open(&w, "files");
    doc_put_string(&w, "rules.lua", rules);
    doc_close(&w);
    doc_end(&w);
    return 0;
}

/* Two customers, u1 and u2, the rules in force, and all of it in a checkpoint. */
static struct rehearsal *begin(struct play *play)
{
    struct rehearsal_options options = {
        .bytes_max = 16 * MIB,
        .blob = find_blob,
        .load_rules = script_load,
        .keeps_entries = true,
    };
    struct rehearsal *rehearsal = NULL;
    play_rules(play, rules);
    play_identify(play, "u1", NULL);
    play_identify(play, "u2", NULL);
    play_reopen(play);
    options.base = play->state;
    if (rehearsal_open(&options, &rehearsal, &play->err) != 0)
        fail_msg("%s", play->err.text);
    return rehearsal;
}

static void track(struct rehearsal *rehearsal, const char *type, const char *friend, int64_t logged)
{
    struct buf body = BUF_INIT;
    struct engine_result result;
    struct doc_writer w;
    doc_begin(&w, &body);
    doc_put_string(&w, "type", type);
    doc_put_string(&w, "call", "track");
    doc_put_string(&w, "user", "u1");
    doc_open(&w, "data");
    if (friend != NULL)
        doc_put_string(&w, "friend", friend);
    doc_close(&w);
    int rc = rehearsal_fold(rehearsal, LOG_CLIENT, doc_end(&w), logged, &result, NULL);
    assert_int_equal(rc, 0);
    assert_int_equal(result.status, ENGINE_DONE);
    buf_deinit(&body);
}

static size_t count_of(struct rehearsal *rehearsal,
                       void (*list)(struct rehearsal *rehearsal, uint64_t number, struct buf *out),
                       uint64_t number, const char *state)
{
    struct buf out = BUF_INIT;
    size_t count = 0;
    list(rehearsal, number, &out);
    struct doc doc = { out.data, (uint32_t)out.size };
    for (struct doc_iter it = doc_iter(doc_child(doc, "items")); doc_next(&it);)
        count += text_is(doc_text(it.value.doc, "state"), state);
    buf_deinit(&out);
    return count;
}

static bool has_tag(struct rehearsal *rehearsal, uint64_t number, const char *tag)
{
    struct customer customer;
    struct engine *engine = rehearsal_engine(rehearsal);
    bool is_there = customer_load(&customer, engine, number);
    assert_true(is_there);
    bool has = customer_has_tag(&customer, text_of(tag));
    arena_clear(&engine->arena);
    return has;
}

static void what_is_rehearsed_does_not_happen(void **state)
{
    struct play *play = *state;
    struct rehearsal *rehearsal = begin(play);
    uint64_t seq = engine_seq(play->engine);
    track(rehearsal, "Order", NULL, play->now);
    assert_int_equal(engine_seq(rehearsal_engine(rehearsal)), seq + 1);
    assert_int_equal(count_of(rehearsal, rehearsal_effects, 1, "pending"), 1);
    rehearsal_close(rehearsal);
    assert_int_equal(engine_seq(play->engine), seq);
    assert_string_equal(play_trait(play, "1", "orders"), "");
}

static void a_message_is_sent_and_heard_of(void **state)
{
    struct play *play = *state;
    struct rehearsal *rehearsal = begin(play);
    track(rehearsal, "Order", NULL, play->now);
    assert_false(has_tag(rehearsal, 1, "written"));
    assert_false(rehearsal_send(rehearsal, text_of("mail"), play->now));
    assert_true(rehearsal_send(rehearsal, text_of("log"), play->now));
    assert_false(rehearsal_send(rehearsal, text_of("log"), play->now));
    assert_int_equal(count_of(rehearsal, rehearsal_effects, 1, "sent"), 1);
    assert_int_equal(count_of(rehearsal, rehearsal_effects, 2, "sent"), 0);
    assert_true(has_tag(rehearsal, 1, "written"));
    rehearsal_close(rehearsal);
}

static void what_goes_to_another_customer_arrives(void **state)
{
    struct play *play = *state;
    struct rehearsal *rehearsal = begin(play);
    track(rehearsal, "Order", "u2", play->now);
    assert_true(has_tag(rehearsal, 2, "friend"));
    assert_false(has_tag(rehearsal, 1, "friend"));
    rehearsal_close(rehearsal);
}

static void a_tick_comes_when_something_is_due_and_no_sooner(void **state)
{
    struct play *play = *state;
    struct rehearsal *rehearsal = begin(play);
    while (rehearsal_tick(rehearsal, play->now)) { /* rules that go by the calendar are armed */
    }
    track(rehearsal, "Order", NULL, play->now);
    assert_false(rehearsal_tick(rehearsal, play->now + 2 * DAY_MS));
    assert_int_equal(count_of(rehearsal, rehearsal_reminders, 1, "open"), 0);
    assert_true(rehearsal_tick(rehearsal, play->now + 3 * DAY_MS));
    assert_int_equal(count_of(rehearsal, rehearsal_reminders, 1, "open"), 1);
    assert_int_equal(engine_now(rehearsal_engine(rehearsal)), play->now + 3 * DAY_MS);
    rehearsal_close(rehearsal);
}

static void the_timeline_tells_of_entries_that_no_log_has(void **state)
{
    struct play *play = *state;
    struct rehearsal *rehearsal = begin(play);
    struct buf out = BUF_INIT;
    track(rehearsal, "Order", "nobody", play->now);
    assert_int_equal(rehearsal_timeline(rehearsal, 1, 1, &out, NULL), 0);
    struct doc doc = { out.data, (uint32_t)out.size };
    struct doc_iter it = doc_iter(doc_child(doc, "items"));
    assert_true(doc_next(&it));
    assert_true(text_is(doc_text(it.value.doc, "type"), "Order"));
    assert_true(text_is(doc_text(doc_child(it.value.doc, "data"), "friend"), "nobody"));
    assert_int_equal(doc_count(doc_child(doc_child(it.value.doc, "trace"), "rules")), 1);
    assert_false(doc_next(&it));
    buf_clear(&out);
    assert_int_equal(rehearsal_timeline(rehearsal, 77, 1, &out, NULL), E_NOTFOUND);
    buf_deinit(&out);
    rehearsal_close(rehearsal);
}

static void the_first_failure_of_a_rule_is_told(void **state)
{
    struct play *play = *state;
    struct rehearsal *rehearsal = begin(play);
    struct buf out = BUF_INIT;
    track(rehearsal, "Order", NULL, play->now);
    assert_false(rehearsal_failure(rehearsal, &out));
    track(rehearsal, "Bad", NULL, play->now);
    track(rehearsal, "Bad", NULL, play->now);
    assert_true(rehearsal_failure(rehearsal, &out));
    struct doc data = { out.data, (uint32_t)out.size };
    assert_true(text_is(doc_text(data, "rule"), "bad"));
    assert_true(text_is(doc_text(data, "message"), "rules.lua:11: no"));
    buf_deinit(&out);
    rehearsal_close(rehearsal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_rehearsed_does_not_happen, play_setup,
                                        play_teardown),
        cmocka_unit_test_setup_teardown(a_message_is_sent_and_heard_of, play_setup, play_teardown),
        cmocka_unit_test_setup_teardown(what_goes_to_another_customer_arrives, play_setup,
                                        play_teardown),
        cmocka_unit_test_setup_teardown(a_tick_comes_when_something_is_due_and_no_sooner,
                                        play_setup, play_teardown),
        cmocka_unit_test_setup_teardown(the_timeline_tells_of_entries_that_no_log_has, play_setup,
                                        play_teardown),
        cmocka_unit_test_setup_teardown(the_first_failure_of_a_rule_is_told, play_setup,
                                        play_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

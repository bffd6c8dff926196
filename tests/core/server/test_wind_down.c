/* test_wind_down.c -- a daemon that is to end ends, whatever its rules still want to do. */
#include "tests/core/engine/house_fixture.h"

#include "core/base/mem.h"

#include <string.h>

static const char rules[] = "rule 'go' { on = { 'Go', 'effect.sent' }, run = function()\n"
                            "  send { channel = 'mail', purpose = 'service', body = 'x' } end }\n"
                            "rule 'tick' { on = every('1min'), run = function(event, customer)\n"
                            "  customer:set('ticks', (customer.ticks or 0) + 1) end }\n"
                            "rule 'tell' { on = 'Tell', run = function()\n"
                            "  emit('Told', {}, { to = 'user_id:u2' }) end }\n"
                            "rule 'told' { on = 'Told', run = function(event, customer)\n"
                            "  customer:set('told', true) end }\n";

/* What the thread of the log and that of the engine have to do. */
static void write_and_apply(struct house *house)
{
    while (sequencer_step(node_sequencer(house->node)) || fold_step(node_fold(house->node)))
        ;
}

static void run_until_idle(struct house *house)
{
    for (int i = 0; i < 10000; i++)
        if (!sequencer_step(node_sequencer(house->node)) && !fold_step(node_fold(house->node)) &&
            !node_step_loop(house->node))
            return;
    fail_msg("it does not come to rest");
}

static void ignore(void *arg, const struct submission *submission)
{
    if (arg != NULL)
        *(int *)arg = submission->code;
}

static struct submission *event(const char *user, const char *type, int *out_code)
{
    struct submission *submission = submission_new(LOG_CLIENT);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", type);
    doc_put_string(&w, "call", "track");
    doc_put_string(&w, "user", user);
    doc_put_string(&w, "source", "web");
    submission_end(submission, &w);
    submission->starts_clock = true;
    submission->done = ignore;
    submission->arg = out_code;
    return submission;
}

static void post(struct house *house, const char *user, const char *type)
{
    sequencer_post_own(node_sequencer(house->node), event(user, type, NULL));
}

static const char *effects(struct house *house)
{
    struct snapshot *snapshot = house_snapshot(house);
    struct read_effects which = { .state = { "", 0 } };
    struct read_page page = { 100, { "", 0 } };
    int rc = read_effects(snapshot, &which, &page, &house->out, &house->err);
    snapshot_close(snapshot);
    return page_values(house_answer(house, rc), "state");
}

static const char *customer(struct house *house, const char *reference)
{
    int rc = read_customer(house->engine, text_of(reference), &house->out, &house->err);
    return house_answer(house, rc);
}

static uint64_t end_of_log(struct house *house)
{
    uint64_t seq;
    int64_t logged;
    log_end(node_log(house->node), &seq, &logged);
    return seq;
}

static void nothing_more_is_claimed(void **state)
{
    struct house *house = *state;
    house_deploy(house, rules);
    post(house, "u1", "Go");
    write_and_apply(house); /* the deliverer has not heard of it yet */
    node_wind_down(house->node);
    run_until_idle(house);
    assert_string_equal(effects(house), "pending");
}

static void what_is_claimed_comes_to_its_end(void **state)
{
    struct house *house = *state;
    house_deploy(house, rules);
    post(house, "u1", "Go");
    write_and_apply(house);
    node_step_loop(house->node); /* asks what there is */
    fold_step(node_fold(house->node));
    node_step_loop(house->node); /* claims it */
    node_wind_down(house->node);
    run_until_idle(house);
    assert_string_equal(effects(house), "pending sent"); /* the newest first: the answer waits */
    assert_int_equal(deliver_pending(node_deliverer(house->node)), 0);
}

static void no_timer_fires_any_more(void **state)
{
    struct house *house = *state;
    house_deploy(house, rules);
    house_identify(house, "u1", "{}");
    house_pass(house, 61000);
    assert_in(customer(house, "user_id:u1"), "'ticks':1");
    node_wind_down(house->node);
    uint64_t before = end_of_log(house);
    house_pass(house, DAY_MS);
    assert_int_equal(end_of_log(house), before);
    assert_int_equal(sequencer_idle_ms(node_sequencer(house->node)), -1);
    house_reopen(house); /* and then they go on */
    assert_in(customer(house, "user_id:u1"), "'ticks':2");
}

static void events_for_others_wait_for_the_next_start(void **state)
{
    struct house *house = *state;
    house_deploy(house, rules);
    house_identify(house, "u2", "{}");
    post(house, "u1", "Tell");
    node_wind_down(house->node);
    run_until_idle(house);
    assert_not_in(customer(house, "user_id:u2"), "'told'");
    house_reopen(house);
    assert_in(customer(house, "user_id:u2"), "'told':true");
}

static void an_import_of_the_past_is_told_to_go_on_later(void **state)
{
    struct house *house = *state;
    int code = 0;
    house_deploy(house, rules);
    house_identify(house, "u1", "{}");
    node_wind_down(house->node);
    struct submission *announcement = event("u1", "Go", NULL);
    struct submission *submission = event("u1", "Go", &code);
    announcement->must_not_fail = true;
    announcement->replay_at = house->now + DAY_MS; /* a day's worth of timers lies before it */
    submission->replay_at = house->now + DAY_MS;
    sequencer_post_own(node_sequencer(house->node), announcement);
    sequencer_post_own(node_sequencer(house->node), submission);
    run_until_idle(house);
    assert_int_equal(code, E_BUSY);
}

static void what_was_acknowledged_is_applied_before_the_end(void **state)
{
    struct house *house = *state;
    house_deploy(house, rules);
    for (int i = 0; i < 20; i++)
        post(house, "u1", "Go");
    house_reopen(house);
    assert_in(effects(house), "sent sent"); /* all of them went out at the next start */
    assert_not_in(effects(house), "uncertain");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_more_is_claimed),
        TEST(what_is_claimed_comes_to_its_end),
        TEST(no_timer_fires_any_more),
        TEST(events_for_others_wait_for_the_next_start),
        TEST(an_import_of_the_past_is_told_to_go_on_later),
        TEST(what_was_acknowledged_is_applied_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_verdict.c -- crashes of plugins in the log; and a start that leaves an entry alone. */
#include "core/server/verdict.h"

#include "core/base/err.h"
#include "core/engine/engine_inside.h"
#include "core/plugin/breadcrumb.h"
#include "tests/core/engine/house_fixture.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t end_of(struct house *house)
{
    uint64_t seq;
    int64_t logged;
    log_end(node_log(house->node), &seq, &logged);
    return seq;
}

static const char *verdict_at(struct house *house, uint64_t seq)
{
    struct buf row = BUF_INIT;
    int rc = log_get_verdict(node_log(house->node), seq, &row, &house->err);
    if (rc == 0) {
        struct doc last = verdict_last(&row);
        buf_append(&house->out, last.data, last.size);
    }
    buf_deinit(&row);
    return house_answer(house, rc);
}

/* Another run, before which these crashed. */
static void crash(struct house *house, const struct breadcrumb_crash *crashes, size_t count)
{
    house->blames = crashes;
    house->blame_count = count;
    house_reopen(house);
    house->blames = NULL;
    house->blame_count = 0;
}

#define AHEAD 12 /* an entry that is not applied yet */

static void a_crash_becomes_a_verdict_on_its_entry(void **state)
{
    struct house *house = *state;
    const struct breadcrumb_crash one = { .plugin = "alpha",
                                          .function = "order",
                                          .seq = AHEAD,
                                          .call = BREADCRUMB_EVENT,
                                          .signal = SIGSEGV };
    crash(house, &one, 1);
    assert_string_equal(verdict_at(house, AHEAD),
                        "{'type':'verdict','at_seq':12,"
                        "'plugins':[{'plugin':'alpha','kind':'crash','call':'event',"
                        "'reason':'it crashed (SIGSEGV) in its handler order'}]}");
    assert_true(node_is_ready(house->node));
}

static void a_second_verdict_names_the_first(void **state)
{
    struct house *house = *state;
    const struct breadcrumb_crash one = { .plugin = "alpha",
                                          .seq = AHEAD,
                                          .call = BREADCRUMB_EVENT },
                                  other = { .plugin = "beta",
                                            .seq = AHEAD,
                                            .call = BREADCRUMB_TIMER };
    crash(house, &one, 1);
    crash(house, &other, 1);
    assert_in(verdict_at(house, AHEAD), "'plugin':'alpha'");
    assert_in(verdict_at(house, AHEAD), "'plugin':'beta','kind':'crash','call':'timer'");
    uint64_t end = end_of(house);
    crash(house, &one, 1); /* known: said again, once */
    assert_int_equal(end_of(house), end + 2);
    assert_string_equal(page_values(verdict_at(house, AHEAD), "plugin"), "alpha beta");
}

static void what_was_said_of_rules_stays_said(void **state)
{
    struct house *house = *state;
    const struct breadcrumb_crash one = { .plugin = "alpha",
                                          .seq = AHEAD,
                                          .call = BREADCRUMB_EVENT };
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "verdict");
    doc_put_int(&w, "at_seq", AHEAD);
    doc_open_array(&w, "rules");
    doc_open(&w, "");
    doc_put_string(&w, "rule", "r");
    doc_close(&w);
    doc_close(&w);
    submission_end(submission, &w);
    submission->index = INDEX_VERDICT;
    submission->index_seq = AHEAD;
    atomic_fetch_add(&node_sequencer(house->node)->verdicts_open, 1);
    sequencer_post_own(node_sequencer(house->node), submission);
    house_pass(house, 1000);
    crash(house, &one, 1);
    assert_in(verdict_at(house, AHEAD), "'rules':[{'rule':'r'}]");
    assert_in(verdict_at(house, AHEAD), "'plugin':'alpha'");
}

static void two_at_one_entry_share_a_verdict(void **state)
{
    struct house *house = *state;
    const struct breadcrumb_crash both[] = { { .plugin = "alpha", .seq = AHEAD },
                                             { .plugin = "beta", .seq = AHEAD, .is_hang = true } };
    uint64_t end = end_of(house);
    crash(house, both, 2);
    assert_int_equal(end_of(house), end + 2); /* and daemon.started */
    assert_string_equal(page_values(verdict_at(house, AHEAD), "plugin"), "alpha beta");
    assert_string_equal(page_values(verdict_at(house, AHEAD), "kind"), "crash hang");
    assert_in(verdict_at(house, AHEAD), "'reason':'it did not come back within 10000 ms");
}

static void a_crash_at_no_entry_counts_from_now_on(void **state)
{
    struct house *house = *state;
    const struct breadcrumb_crash one = { .plugin = "alpha", .about = 2, .call = BREADCRUMB_SEND };
    uint64_t end = end_of(house);
    crash(house, &one, 1);
    assert_in(verdict_at(house, end + 1), "'plugin':'alpha','kind':'crash','call':'send'");
    assert_int_equal(verdict_at(house, 2)[0], '-'); /* E_NOTFOUND */
}

static void what_was_applied_all_the_same_stays_as_it_is(void **state)
{
    struct house *house = *state;
    const struct breadcrumb_crash one = { .plugin = "alpha", .seq = 2, .call = BREADCRUMB_EVENT };
    uint64_t end = end_of(house);
    crash(house, &one, 1);
    assert_int_equal(verdict_at(house, 2)[0], '-');
    assert_in(verdict_at(house, end + 1), "'plugin':'alpha'");
}

static void the_engine_has_it_at_hand(void **state)
{
    struct house *house = *state;
    const struct breadcrumb_crash one = { .plugin = "alpha", .seq = end_of(house) + 3 };
    crash(house, &one, 1);
    house_identify(house, "u1", "{}"); /* the entry that the verdict is on */
    assert_int_equal(engine_seq(house->engine), one.seq);
    assert_non_null(house->engine->plugin_verdict.data);
    house_identify(house, "u2", "{}");
    assert_null(house->engine->plugin_verdict.data);
}

/* -- A start that leaves an entry alone -------------------------------------------------------- */

static const char *customer(struct house *house, const char *reference)
{
    int rc = read_customer(house->engine, text_of(reference), &house->out, &house->err);
    return house_answer(house, rc);
}

/* Open the log with a state that is not made yet, and all of it applied but what is behind. */
static void open_refusing(struct house *house, uint64_t seq)
{
    char path[128];
    node_close(house->node);
    snprintf(path, sizeof path, "%s/state/data.mdb", house->dir);
    assert_int_equal(unlink(path), 0);
    house->refused_seq = seq;
    assert_int_equal(house_open(house), 0);
    house_pass(house, 1000);
}

static void an_entry_that_is_refused_is_not_applied_and_nothing_is_written(void **state)
{
    struct house *house = *state;
    house_identify(house, "u1", "{'name':'Ann'}");
    uint64_t seq = end_of(house) + 1;
    house_identify(house, "u2", "{'name':'Bob'}");
    house_remind(house, "user_id:u1", "anna", house->now + 5000);
    uint64_t end = end_of(house);
    open_refusing(house, seq);
    assert_int_equal(node_refused_seq(house->node), seq);
    assert_false(node_is_ready(house->node));
    assert_int_equal(node_health(house->node, &house->err), E_CORRUPT);
    assert_int_equal(engine_seq(house->engine), seq - 1);
    assert_in(customer(house, "user_id:u1"), "'Ann'");
    assert_in(customer(house, "user_id:u2"), "-5:"); /* nobody */
    house_pass(house, DAY_MS);
    assert_int_equal(end_of(house), end);
    house->refused_seq = 0;
    house_reopen(house); /* as after a repair */
    assert_true(node_is_ready(house->node));
    assert_in(customer(house, "user_id:u2"), "'Bob'");
}

static void what_is_applied_already_is_not_refused(void **state)
{
    struct house *house = *state;
    house_identify(house, "u1", "{'name':'Ann'}");
    house->refused_seq = end_of(house);
    house_reopen(house);
    assert_int_equal(node_refused_seq(house->node), 0);
    assert_true(node_is_ready(house->node));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_crash_becomes_a_verdict_on_its_entry),
        TEST(a_second_verdict_names_the_first),
        TEST(what_was_said_of_rules_stays_said),
        TEST(two_at_one_entry_share_a_verdict),
        TEST(a_crash_at_no_entry_counts_from_now_on),
        TEST(what_was_applied_all_the_same_stays_as_it_is),
        TEST(the_engine_has_it_at_hand),
        TEST(an_entry_that_is_refused_is_not_applied_and_nothing_is_written),
        TEST(what_is_applied_already_is_not_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

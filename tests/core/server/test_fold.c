/* test_fold.c -- the engine goes on when the disk refuses what makes a checkpoint valid, and lets
 * no more wait for it than it can do. */
#include "tests/core/engine/house_fixture.h"

#include "core/base/err.h"
#include "core/server/fold.h"
#include "core/server/sequencer.h"
#include "core/server/submission.h"
#include "tests/storage/state_fixture.h"

#include <errno.h>
#include <string.h>

static const char *customer(struct house *house, const char *reference)
{
    int rc = read_customer(house->engine, text_of(reference), &house->out, &house->err);
    return house_answer(house, rc);
}

/* The meta page is the last write of a checkpoint. */
static void lose_state(struct house *house)
{
    struct fold *fold = node_fold(house->node);
    fold_freeze_if_wanted(fold, true);
    for (unsigned n = 1; !state_is_lost(node_state(house->node)); n++) {
        assert_true(n < 100);
        disk_fail(DISK_WRITE, n, EIO, false);
        assert_false(fold_checkpoint(fold, &house->err));
        disk_fail(DISK_ANY, 0, 0, false);
    }
    assert_int_not_equal(node_health(house->node, &house->err), 0);
}

static void a_lost_state_is_opened_again_with_all_that_was_applied(void **arg)
{
    struct house *house = *arg;
    house_identify(house, "u1", "{'name':'Ann'}");
    lose_state(house);
    house_identify(house, "u2", "{'name':'Bob'}"); /* it was in the queue already */
    assert_false(state_is_lost(node_state(house->node)));
    snapshot_close(house_snapshot(house));
    assert_int_equal(node_health(house->node, &house->err), 0);
    assert_in(customer(house, "user_id:u1"), "'Ann'");
    assert_in(customer(house, "user_id:u2"), "'Bob'");
    house_reopen(house);
    assert_in(customer(house, "user_id:u1"), "'Ann'");
    assert_in(customer(house, "user_id:u2"), "'Bob'");
}

static void a_state_lost_at_the_end_is_there_at_the_next_start(void **arg)
{
    struct house *house = *arg;
    house_identify(house, "u1", "{'name':'Ann'}");
    lose_state(house);
    house_reopen(house);
    assert_in(customer(house, "user_id:u1"), "'Ann'");
}

static void a_disk_that_goes_on_refusing_leaves_the_engine_reading(void **arg)
{
    struct house *house = *arg;
    house_identify(house, "u1", "{'name':'Ann'}");
    lose_state(house);
    for (int i = 0; i < 3; i++) {
        disk_fail(DISK_FLUSH, 1, EIO, true);
        fold_step(node_fold(house->node));
        fold_checkpoint(node_fold(house->node), &house->err);
        disk_fail(DISK_ANY, 0, 0, false);
        assert_true(state_is_lost(node_state(house->node)));
        assert_in(customer(house, "user_id:u1"), "'Ann'");
    }
    fold_step(node_fold(house->node));
    assert_false(state_is_lost(node_state(house->node)));
}

static void queue_event(struct house *house)
{
    struct submission *submission = submission_new(LOG_CLIENT);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "Visit");
    doc_put_string(&w, "call", "track");
    doc_put_string(&w, "user", "u1");
    submission_end(submission, &w);
    sequencer_post_own(node_sequencer(house->node), submission);
    assert_true(sequencer_step(node_sequencer(house->node)));
}

static void an_engine_that_is_slow_lets_less_wait(void **arg)
{
    struct house *house = *arg;
    struct fold *fold = node_fold(house->node);
    struct mailbox *queue = &fold->inbox;
    assert_int_equal(queue->bytes_max, FOLD_QUEUE_BYTES);
    for (int i = 0; i < 5; i++)
        queue_event(house);
    assert_true(fold_step(fold)); /* measured from here on */
    assert_int_equal(queue->bytes_max, FOLD_QUEUE_BYTES);
    house->now += 1000;
    assert_true(fold_step(fold));
    assert_true(queue->bytes_max < FOLD_QUEUE_BYTES);
    assert_true(queue->bytes < queue->bytes_max); /* it never refuses all */
    while (!mailbox_is_empty(queue))
        assert_true(fold_step(fold));
    assert_int_equal(queue->bytes_max, FOLD_QUEUE_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lost_state_is_opened_again_with_all_that_was_applied),
        TEST(a_state_lost_at_the_end_is_there_at_the_next_start),
        TEST(a_disk_that_goes_on_refusing_leaves_the_engine_reading),
        TEST(an_engine_that_is_slow_lets_less_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

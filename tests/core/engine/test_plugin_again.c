/* test_plugin_again.c -- a replay and the processes of plugins: it has others than the run had,
 * and makes of the log what that run made.
 *
 * One plugin, alpha, keeps of each order its mark, in a process that ends at its second call,
 * however good the call is; the order "deadly" ends any, and while `is_ill` every order does.
 *
 * Each test is folded again, twice, when it ends: the state is the same, or it fails.
 */
#include "tests/core/engine/engine_fixture.h"

#include "core/base/err.h"
#include "core/engine/plugins.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"

#include <stdio.h>

#define CALLS 2 /* that a process has; it ends in the last */

static const struct text names[] = { { "alpha", 5 } };
static struct text order[] = { { "order", 5 } };
static struct rule handlers[] = { {
    .name = { "alpha.keep", 10 },
    .trigger = RULE_ON_TYPES,
    .types = order,
    .type_count = 1,
    .at_minute = -1,
} };
static const size_t owners[] = { 0 };

/* -- The host --------------------------------------------------------------------------------- */

static int calls_left;
static unsigned begun; /* processes */
static bool is_ill;

static bool renew(struct plugins *plugins, size_t plugin)
{
    (void)plugins;
    (void)plugin;
    calls_left = CALLS;
    begun++;
    return true;
}

static enum plugin_outcome run(struct plugins *plugins, size_t index, struct step *step,
                               struct err *err)
{
    struct text mark = doc_text(step_event(step)->data, "mark"), key = text_of("log");
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    (void)index;
    if (calls_left == 0)
        return PLUGIN_CRASHED;
    if (--calls_left == 0 || is_ill || text_is(mark, "deadly")) {
        calls_left = 0;
        return PLUGIN_CRASHED;
    }
    doc_begin(&w, &bytes);
    doc_put_text(&w, "mark", mark);
    step_set_plugin(step, plugins->names[0]);
    int rc = step_keep_document(step, plugins->names[0], key, 1, doc_end(&w), err);
    step_set_plugin(step, (struct text){ "", 0 });
    buf_deinit(&bytes);
    return rc == 0 ? PLUGIN_OK : PLUGIN_FAILED;
}

static int64_t version(struct plugins *plugins, size_t plugin, struct text key)
{
    (void)plugins;
    (void)plugin;
    (void)key;
    return 1;
}

static enum plugin_outcome fold(struct plugins *plugins, size_t plugin, enum plugin_fold what,
                                struct text key, struct doc arguments, struct arena *arena,
                                struct doc *out, struct err *err)
{
    (void)plugins;
    (void)plugin;
    (void)what;
    (void)key;
    (void)arguments;
    (void)arena;
    (void)err;
    *out = (struct doc){ NULL, 0 };
    return PLUGIN_OK;
}

static struct plugins alpha = {
    .names = names,
    .count = 1,
    .handlers = handlers,
    .owners = owners,
    .handler_count = 1,
    .run = run,
    .version = version,
    .fold = fold,
    .renew = renew,
};

/* -- Helpers ---------------------------------------------------------------------------------- */

static int setup(void **arg)
{
    int rc = play_setup(arg);
    is_ill = false;
    renew(NULL, 0);
    play_config(*arg, "{'zone':'Europe/Berlin','fallback':'desk','channels':{'log':{}},"
                      "'plugins':{'alpha':{}},'limits':{}}");
    play_plugins(*arg, &alpha);
    play_start(*arg);
    play_reports(*arg);
    return rc;
}

static void shop(struct play *play, const char *mark)
{
    char data[100];
    snprintf(data, sizeof data, "{'mark':'%s'}", mark);
    play_track(play, "u-1", "order", data);
}

static const char *document(struct play *play)
{
    struct key key;
    key_customer(&key, 1, 'P');
    key_text(&key, text_of("alpha"));
    key_tail(&key, text_of("log"));
    return play_row(play, &key);
}

static const char *standings(struct play *play)
{
    struct key key;
    key_start(&key, 'm');
    key_tail(&key, text_of("plugins"));
    return play_row(play, &key);
}

/* As the nurse does: the process is there before the entry is written. */
static void enable(struct play *play)
{
    renew(NULL, 0);
    play_command(play, "plugin.enabled", NULL, "{'plugin':'alpha'}");
}

/* -- Tests ------------------------------------------------------------------------------------ */

static void a_fold_has_a_new_process_where_the_run_had_one(void **state)
{
    struct play *play = *state;
    shop(play, "one");
    shop(play, "two");
    assert_has(standings(play), "'alpha':{'kind':'crash'");
    enable(play);
    play_ticks(play);
    assert_has(document(play), "'mark':'two'");
    shop(play, "three");
    assert_has(standings(play), "'alpha':{'kind':'crash'");
    enable(play);
    play_ticks(play);
    assert_has(document(play), "'mark':'three'");
    assert_string_equal(standings(play), "");
}

static void a_call_that_only_a_fold_loses_is_made_again(void **state)
{
    struct play *play = *state;
    for (int i = 0; i < 5; i++) { /* each in a process of its own, as after as many starts */
        renew(NULL, 0);
        shop(play, "good");
    }
    shop(play, "lost");
    assert_has(document(play), "'mark':'good'");
    calls_left = 0; /* and the first one of the fold is dead */
}

static void a_run_does_not_make_a_call_again(void **state)
{
    struct play *play = *state;
    shop(play, "one");
    unsigned before = begun;
    shop(play, "two");
    assert_int_equal(begun, before);
    assert_has(play_reports(play), "verdict");
}

static void what_is_lost_in_every_process_and_was_not_applied_is_a_verdict(void **state)
{
    struct play *play = *state;
    engine_set_live(play->engine, 0);
    unsigned before = begun;
    shop(play, "deadly");
    assert_int_equal(begun, before + PLUGIN_TRIES_MAX);
    assert_int_equal(play->result.status, ENGINE_DONE);
    assert_has(play_reports(play), "verdict");
    assert_has(standings(play), "'alpha':{'kind':'crash'");
}

static void what_is_lost_in_every_process_and_was_applied_is_no_verdict(void **state)
{
    struct play *play = *state;
    shop(play, "one");
    play_reports(play);
    play_reopen(play);
    engine_set_live(play->engine, 0);
    play->was_applied = is_ill = true;
    shop(play, "two");
    assert_int_equal(play->result.status, ENGINE_STUCK);
    assert_has(play->result.reason, "the process of plugin alpha ended or did not answer at entry");
    assert_string_equal(play_reports(play), "");

    is_ill = false;
    play_give_up(play);
    shop(play, "three");
    assert_has(document(play), "'mark':'three'");
    assert_string_equal(standings(play), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fold_has_a_new_process_where_the_run_had_one),
        TEST(a_call_that_only_a_fold_loses_is_made_again),
        TEST(a_run_does_not_make_a_call_again),
        TEST(what_is_lost_in_every_process_and_was_not_applied_is_a_verdict),
        TEST(what_is_lost_in_every_process_and_was_applied_is_no_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

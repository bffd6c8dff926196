/* test_change.c -- plugins that are others from one entry on, whatever happens at that moment. */
#include "core/server/change.h"

#include "core/base/mem.h"
#include "core/engine/plugins.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"
#include "core/script/host.h"
#include "core/server/purge.h"
#include "core/server/refold.h"
#include "core/server/world_log.h"
#include "tests/core/engine/house_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS 160 /* more than a change needs */

/* -- A plugin that counts orders, in two versions ---------------------------------- */

struct counter {
    struct plugins plugins; /* first */
    const char *version;    /* what it says of itself */
    int weight;             /* of one order */
};

static enum plugin_outcome count(struct plugins *plugins, size_t index, struct step *step,
                                 struct err *err)
{
    const struct counter *counter = (struct counter *)plugins;
    struct doc_value before = step_customer_field(step, text_of("tally.orders"));
    struct doc_value orders = { .type = DOC_INT64,
                                .integer = before.type == DOC_INT64 ? before.integer : 0 };
    struct doc_value by = { .type = DOC_TEXT, .text = text_of(counter->version) };
    (void)index;
    orders.integer += counter->weight;
    step_set_plugin(step, text_of("tally"));
    int rc = step_set(step, text_of("tally.orders"), &orders, err);
    if (rc == 0)
        rc = step_set(step, text_of("tally.by"), &by, err);
    step_set_plugin(step, (struct text){ "", 0 });
    return rc == 0 ? PLUGIN_OK : PLUGIN_FAILED;
}

static struct plugins *version(int number)
{
    static struct text name = { "tally", 5 }, types[1] = { { "order", 5 } };
    static const size_t owners[1] = { 0 };
    static struct rule handler = { .trigger = RULE_ON_TYPES, .types = types, .type_count = 1 };
    static struct counter counters[] = { { .version = "first", .weight = 1 },
                                         { .version = "second", .weight = 1 } };
    struct counter *counter = &counters[number - 1];
    handler.name = text_of("tally.order");
    handler.at_minute = -1;
    counter->plugins = (struct plugins){ .names = &name,
                                         .count = 1,
                                         .handlers = &handler,
                                         .owners = owners,
                                         .handler_count = 1,
                                         .run = count };
    return &counter->plugins;
}

static const char *const codes[] = { NULL, "{'level':1}", "{'level':1,'plugins':'second'}" };

/* -- A change ----------------------------------------------------------------------- */

struct asked {
    struct house *house;
    int calls, code; /* of `done` */
    int overs;
    struct err err;
    int check_code;
    int met; /* times that the engine was about to use them */
};

static int check_rules(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct err *err)
{
    const struct asked *asked = arg;
    (void)hash;
    return asked->check_code == 0 ? 0 : err_set(err, asked->check_code, "told to refuse");
}

static void in_force(void *arg)
{
    ((struct asked *)arg)->met++;
}

static void on_done(void *arg, int code, const struct err *err)
{
    struct asked *asked = arg;
    asked->calls++;
    asked->code = code;
    if (code != 0)
        asked->err = *err;
}

static void on_over(void *arg)
{
    struct asked *asked = arg;
    assert_int_equal(asked->calls, 1);
    asked->overs++;
    change_give_back(node_change(asked->house->node));
}

static struct doc code_of(int number, struct buf *out)
{
    struct doc_writer w;
    buf_clear(out);
    doc_begin(&w, out);
    doc_put_int(&w, "level", 1);
    if (number == 2)
        doc_put_string(&w, "plugins", "second");
    return doc_end(&w);
}

static void begin(struct house *house, struct asked *asked, int number)
{
    struct change *change = node_change(house->node);
    struct buf code = BUF_INIT;
    *asked = (struct asked){ .house = house, .check_code = asked->check_code };
    assert_int_equal(change_reserve(change, &house->err), 0);
    struct change_wanted wanted = {
        .code = code_of(number, &code),
        .config = { house->config.data, (uint32_t)house->config.size },
        .plugins = version(number),
        .check = check_rules,
        .in_force = in_force,
        .done = on_done,
        .over = on_over,
        .arg = asked,
    };
    change_begin(change, &wanted);
    buf_deinit(&code);
}

/* One step of one of the threads. */
static bool turn(struct house *house, int number)
{
    struct fold *fold = node_fold(house->node);
    struct err err;
    switch (number % 6) {
    case 0:
        return sequencer_step(node_sequencer(house->node));
    case 1:
        return fold_step(fold);
    case 2:
        return node_step_loop(house->node);
    case 3:
        fold_freeze_if_wanted(fold, true);
        fold_checkpoint(fold, &err);
        return false;
    case 4:
        return fold_do_chore(fold);
    default:
        house->now++;
        node_tick(house->node);
        return false;
    }
}

static void settle(struct house *house)
{
    for (int idle = 0, i = 0; idle < 60; i++)
        idle = turn(house, i) ? 0 : idle + 1;
}

static void post_order(struct house *house, submission_done_fn *done, void *arg)
{
    struct submission *submission = submission_new(LOG_CLIENT);
    struct doc_writer w;
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "order");
    doc_put_string(&w, "call", "track");
    doc_put_string(&w, "user", "ann");
    doc_put_string(&w, "source", "web");
    doc_open(&w, "data");
    doc_close(&w);
    submission_end(submission, &w);
    submission->starts_clock = true;
    submission->done = done;
    submission->arg = arg;
    sequencer_post_own(node_sequencer(house->node), submission);
}

static void order(struct house *house)
{
    post_order(house, NULL, NULL);
    settle(house);
}

/* -- What is looked at ---------------------------------------------------------------- */

static const char *ann(struct house *house)
{
    int rc = read_customer(house->engine, text_of("user_id:ann"), &house->out, &house->err);
    return house_answer(house, rc);
}

static uint64_t end_of(struct house *house)
{
    uint64_t seq;
    int64_t logged;
    log_end(node_log(house->node), &seq, &logged);
    return seq;
}

static struct base base_now(struct house *house)
{
    struct base base, floor;
    assert_int_equal(world_base(node_log(house->node), &base, &floor, &house->err), 0);
    return base;
}

static void hash_of(struct state *state, uint8_t out_hash[16])
{
    struct snapshot *snapshot = NULL;
    struct err err;
    assert_int_equal(snapshot_open(state, &snapshot, &err), 0);
    snapshot_hash(snapshot, out_hash);
    snapshot_close(snapshot);
}

/* Folding from the base by the plugins in force gives the state that there is. */
static void verify(struct house *house, int number)
{
    uint8_t there[16], fresh[16];
    struct state *state = NULL;
    struct base base = base_now(house);
    char path[128], command[160];
    snapshot_close(house_snapshot(house));
    hash_of(node_state(house->node), there);
    snprintf(path, sizeof path, "%s/fresh", house->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    struct state_options options = { .dir = path, .map_bytes = (size_t)1 << 28 };
    assert_int_equal(state_open(&options, &state, &house->err), 0);
    assert_int_equal(base_load(house->dir, &base, state, &house->err), 0);
    struct refold_options fold = { .log = node_log(house->node),
                                   .state = state,
                                   .seq = end_of(house),
                                   .plugins = version(number),
                                   .load_rules = script_load };
    assert_int_equal(refold(&fold, &house->err), 0);
    hash_of(state, fresh);
    state_close(state);
    snprintf(command, sizeof command, "rm -r %s", path);
    assert_int_equal(system(command), 0);
    assert_memory_equal(there, fresh, sizeof there);
}

static void reopen(struct house *house, int number)
{
    house->plugins = version(number);
    house->world_code = codes[number];
    house_reopen(house);
    settle(house);
}

/* -- Tests ------------------------------------------------------------------------------ */

static void from_one_entry_on_the_engine_has_the_new_ones(void **arg)
{
    struct house *house = *arg;
    struct asked asked = { 0 };
    reopen(house, 1);
    order(house);
    assert_in(ann(house), "'tally.by':'first'");
    uint64_t end = end_of(house);
    begin(house, &asked, 2);
    settle(house);
    assert_int_equal(asked.calls, 1);
    assert_int_equal(asked.code, 0);
    assert_int_equal(asked.met, 1);
    assert_int_equal(asked.overs, 1);
    assert_int_equal(end_of(house), end + 2);
    assert_int_equal(base_now(house).seq, end);
    assert_int_equal(log_world_of(node_log(house->node), end + 1), end + 1);
    assert_in(ann(house), "'tally.by':'first'");
    order(house);
    assert_in(ann(house), "'tally.by':'second'");
    assert_in(ann(house), "'tally.orders':2");
    verify(house, 2);
    reopen(house, 2);
    verify(house, 2);
}

static void what_comes_meanwhile_waits_and_is_for_the_new_ones(void **arg)
{
    struct house *house = *arg;
    struct asked asked = { 0 };
    reopen(house, 1);
    order(house);
    begin(house, &asked, 2);
    sequencer_step(node_sequencer(house->node)); /* it is held */
    uint64_t end = end_of(house);
    for (int i = 0; i < 3; i++)
        post_order(house, NULL, NULL);
    assert_false(sequencer_step(node_sequencer(house->node)));
    assert_int_equal(end_of(house), end);
    settle(house);
    assert_int_equal(asked.code, 0);
    assert_int_equal(base_now(house).seq, end);
    assert_in(ann(house), "'tally.by':'second'");
    assert_in(ann(house), "'tally.orders':4");
    verify(house, 2);
}

static void no_tick_comes_between_the_base_and_the_entry(void **arg)
{
    struct house *house = *arg;
    struct asked asked = { 0 };
    reopen(house, 1);
    order(house);
    house_remind(house, "user_id:ann", "anna", house->now + 1000);
    begin(house, &asked, 2);
    sequencer_step(node_sequencer(house->node));
    uint64_t end = end_of(house);
    house->now += DAY_MS;
    settle(house);
    assert_int_equal(asked.code, 0);
    assert_int_equal(base_now(house).seq, end);
    assert_true(end_of(house) > end + 2); /* the tick */
    verify(house, 2);
}

static void rules_that_do_not_load_leave_everything_as_it_was(void **arg)
{
    struct house *house = *arg;
    struct asked asked = { .check_code = E_INVALID };
    reopen(house, 1);
    house_deploy(house, "rule 'r' { on = 'order', run = function() end }");
    order(house);
    uint64_t end = end_of(house);
    begin(house, &asked, 2);
    settle(house);
    assert_int_equal(asked.code, E_INVALID);
    assert_string_equal(asked.err.text, "told to refuse");
    assert_int_equal(asked.met, 0);
    assert_int_equal(end_of(house), end);
    order(house);
    assert_in(ann(house), "'tally.by':'first'");
    asked.check_code = 0;
    begin(house, &asked, 2);
    settle(house);
    assert_int_equal(asked.code, 0);
    order(house);
    assert_in(ann(house), "'tally.orders':3");
    assert_in(ann(house), "'tally.by':'second'");
    verify(house, 2);
}

/* The state on the disk stays what the base is to be, and a start makes it of that. */
static void a_base_that_cannot_be_kept_is_kept_later(void **arg)
{
    struct house *house = *arg;
    char path[128];
    for (int is_restarted = 0; is_restarted < 2; is_restarted++) {
        struct asked asked = { 0 };
        reopen(house, 1);
        order(house);
        snprintf(path, sizeof path, "%s/base", house->dir);
        char command[160];
        snprintf(command, sizeof command, "rm -rf %s", path);
        assert_int_equal(system(command), 0);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        close(fd);
        begin(house, &asked, 2);
        settle(house);
        assert_int_equal(asked.calls, 1);
        assert_int_equal(asked.code, 0);
        assert_int_equal(asked.overs, 0);
        order(house);
        assert_in(ann(house), "'tally.by':'second'");
        if (is_restarted) {
            node_close(house->node);
            house->node = NULL;
            assert_int_equal(asked.overs, 1);
        }
        unlink(path);
        if (is_restarted) {
            house->plugins = version(2);
            house->world_code = codes[2];
            assert_int_equal(house_open(house), 0);
        }
        house->now += 1000;
        settle(house);
        assert_int_equal(asked.overs, 1);
        assert_in(ann(house), "'tally.by':'second'");
        verify(house, 2);
    }
}

static void the_same_code_needs_no_entry(void **arg)
{
    struct house *house = *arg;
    struct asked asked = { 0 };
    reopen(house, 1);
    uint64_t end = end_of(house);
    begin(house, &asked, 1);
    settle(house);
    assert_int_equal(asked.calls, 1);
    assert_int_equal(asked.code, 0);
    assert_int_equal(asked.met, 1);
    assert_int_equal(end_of(house), end);
}

static void purges_and_others_who_hold_them_keep_away(void **arg)
{
    struct house *house = *arg;
    struct change *change = node_change(house->node);
    struct purge *purge = node_purge(house->node);
    assert_true(purge_hold(purge));
    assert_int_equal(change_reserve(change, &house->err), E_CONFLICT);
    purge_release(purge);
    assert_int_equal(change_reserve(change, &house->err), 0);
    assert_int_equal(change_reserve(change, &house->err), E_CONFLICT);
    assert_false(purge_hold(purge));
    change_give_back(change);
    assert_true(purge_hold(purge));
    purge_release(purge);
}

static void a_purge_afterwards_names_the_new_world(void **arg)
{
    struct house *house = *arg;
    struct asked asked = { 0 };
    reopen(house, 1);
    order(house);
    house_identify(house, "eve", "{'name':'Eve'}");
    begin(house, &asked, 2);
    settle(house);
    uint64_t world = log_world_of(node_log(house->node), end_of(house));
    house_command(house, "erase.requested", "user_id:eve", "{}");
    settle(house);
    assert_true(log_world_of(node_log(house->node), end_of(house)) > world);
    uint64_t end = end_of(house);
    house->plugins = version(2);
    house->world_code = codes[2];
    house_reopen(house);
    assert_int_equal(end_of(house), end + 1); /* daemon.started: the world is the same */
    order(house);
    verify(house, 2);
}

static void told_to_stop_at_any_step_it_is_one_or_the_other(void **arg)
{
    struct house *house = *arg;
    int changed = 0, orders = 0;
    for (int steps = 0; steps < STEPS; steps += 3) {
        struct asked asked = { 0 };
        char text[32];
        reopen(house, 1);
        order(house);
        begin(house, &asked, 2);
        post_order(house, NULL, NULL);
        for (int i = 0; i < steps; i++)
            turn(house, i);
        node_close(house->node);
        assert_int_equal(asked.calls, 1);
        orders += 2;
        changed += asked.code == 0;
        house->plugins = version(asked.code == 0 ? 2 : 1);
        house->world_code = codes[asked.code == 0 ? 2 : 1];
        assert_int_equal(house_open(house), 0);
        settle(house);
        snprintf(text, sizeof text, "'tally.orders':%d", orders);
        assert_in(ann(house), text);
    }
    verify(house, 2);
    assert_true(changed > 0 && changed * 3 < STEPS);
}

/* What a process that is killed has told its clients. */
struct told {
    int posted, acknowledged;
};

static void acknowledge(void *arg, const struct submission *submission)
{
    struct told *told = arg;
    told->acknowledged += submission->code == 0;
}

/* A life that ends after so many steps, without a word. */
static void live(struct house *house, int steps, struct told *told)
{
    struct asked asked = { 0 };
    house->plugins = version(1);
    house->world_code = codes[1];
    if (house_open(house) != 0)
        _exit(1);
    settle(house);
    for (int i = 0; i < 2; i++, told->posted++)
        post_order(house, acknowledge, told);
    begin(house, &asked, 2);
    for (int i = 0; i < steps; i++) {
        turn(house, i);
        if (i % 20 == 0) {
            told->posted++;
            post_order(house, acknowledge, told);
        }
    }
    _exit(0);
}

static int64_t orders_of(struct house *house)
{
    const char *at = strstr(ann(house), "'tally.orders':");
    return at != NULL ? strtoll(at + strlen("'tally.orders':"), NULL, 10) : 0;
}

static void killed_at_any_step_it_is_one_or_the_other(void **arg)
{
    struct house *house = *arg;
    struct told *told =
        mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int64_t before = 0;
    assert_true(told != MAP_FAILED);
    for (int steps = 0; steps < STEPS; steps += 2) {
        int status, next = 1 + steps / 2 % 2;
        node_close(house->node);
        house->node = NULL;
        *told = (struct told){ 0 };
        pid_t pid = fork();
        if (pid == 0)
            live(house, steps, told);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        house->plugins = version(next);
        house->world_code = codes[next];
        if (house_open(house) != 0)
            fail_msg("after %d steps: %s", steps, house->err.text);
        settle(house);
        int64_t orders = orders_of(house) - before;
        if (orders < told->acknowledged || orders > told->posted)
            fail_msg("after %d steps: %d of %d were acknowledged, %lld counted", steps,
                     told->acknowledged, told->posted, (long long)orders);
        before += orders;
        verify(house, next);
    }
    munmap(told, sizeof *told);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_one_entry_on_the_engine_has_the_new_ones),
        TEST(what_comes_meanwhile_waits_and_is_for_the_new_ones),
        TEST(no_tick_comes_between_the_base_and_the_entry),
        TEST(rules_that_do_not_load_leave_everything_as_it_was),
        TEST(a_base_that_cannot_be_kept_is_kept_later),
        TEST(the_same_code_needs_no_entry),
        TEST(purges_and_others_who_hold_them_keep_away),
        TEST(a_purge_afterwards_names_the_new_world),
        TEST(told_to_stop_at_any_step_it_is_one_or_the_other),
        TEST(killed_at_any_step_it_is_one_or_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

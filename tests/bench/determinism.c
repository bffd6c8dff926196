/* determinism.c -- `bench determinism COUNT SEED`: the same past gives the same state.
 *
 * A node lives through COUNT entries of a history (history.h) with virtual time, timers,
 * deliveries and restarts; what it wrote is then folded anew, once in one go and once
 * with the state closed and opened at places that the seed chooses.  All three states must
 * have one hash, which is printed: other builds, and the same build on another processor,
 * must print the same (determinism.py).
 *
 * The log is part of the comparison: what the engine emits to other customers and which
 * effects it lets out come back as entries, so that a difference in one state would show
 * in the entries behind it.
 */
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/script/bundle.h"
#include "core/script/host.h"
#include "core/server/node.h"
#include "core/server/refold.h"
#include "tests/bench/bench.h"
#include "tests/bench/history.h"
#include "tests/bench/store.h"
#include "tests/sim/dice.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 1774652400000ll /* 2026-03-28T00:00+01:00: Berlin's clocks change on the 29th */
#define GROUP_MAX_ENTRIES 64
#define PAUSE_MAX_MS 60000
#define LIVES 8  /* of the node */
#define PIECES 6 /* of the second fold */

struct life {
    struct history history;
    const char *data, *rules;
    int64_t wall, boot;
    uint64_t random_count, sent;
    struct node *node;
};

/* -- The node's surroundings ------------------------------------------------------------ */

static int64_t wall_ms(void *arg)
{
    return ((struct life *)arg)->wall;
}

static int64_t boot_ms(void *arg)
{
    return ((struct life *)arg)->boot;
}

static void fill_random(void *arg, void *data, size_t size)
{
    struct life *life = arg;
    uint8_t *out = data;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)dice_roll(life->history.seed, ++life->random_count, 200);
}

static void wake(void *arg)
{
    (void)arg; /* the one thread looks by itself */
}

static void deliver(void *self, struct deliverer *deliverer, struct text id, int64_t attempt,
                    struct doc message)
{
    static const enum outcome outcomes[] = { OUTCOME_REJECTED, OUTCOME_FAILED, OUTCOME_UNCERTAIN };
    struct life *life = self;
    uint64_t dice = dice_roll(life->history.seed, ++life->sent, 201);
    (void)message;
    if (dice % 64 == 63)
        return; /* never answered */
    deliver_answer(deliverer, id, attempt, dice % 16 < 3 ? outcomes[dice % 16] : OUTCOME_SENT,
                   (struct text){ "", 0 });
}

/* The zone changes from life to life: entries are folded under the one they were written in. */
static struct doc config_of(unsigned number, struct buf *out)
{
    static const char *const zones[] = { "Europe/Berlin", "Asia/Shanghai" };
    struct doc_writer w;
    doc_begin(&w, out);
    doc_put_string(&w, "zone", zones[number / 2 % 2]);
    doc_put_string(&w, "country", "DE");
    doc_put_string(&w, "fallback", "team");
    doc_open(&w, "limits");
    doc_put_int(&w, "rule_instructions", 20000);
    doc_close(&w);
    doc_open(&w, "channels");
    doc_open(&w, "sms");
    doc_close(&w);
    doc_open(&w, "hook");
    doc_put_bool(&w, "idempotent", true);
    doc_close(&w);
    doc_open(&w, "mail");
    doc_put_bool(&w, "address", true);
    doc_close(&w);
    doc_close(&w);
    return doc_end(&w);
}

static struct doc code_of(struct buf *out)
{
    struct doc_writer w;
    doc_begin(&w, out);
    doc_put_int(&w, "level", ENGINE_LEVEL);
    return doc_end(&w);
}

static void open_node(struct life *life, unsigned number)
{
    struct channel channels[] = {
        { .name = "sms", .self = life, .send = deliver },
        { .name = "hook", .is_idempotent = true, .self = life, .send = deliver },
        { .name = "mail", .needs_address = true, .self = life, .send = deliver },
    };
    struct buf code = BUF_INIT, config = BUF_INIT;
    char boot[32];
    struct err err = { 0 };
    snprintf(boot, sizeof boot, "life-%u", number);
    struct node_options options = {
        .dir = life->data,
        .clock = { wall_ms, boot_ms, life },
        .random = fill_random,
        .random_arg = life,
        .code = code_of(&code),
        .config = config_of(number, &config),
        .boot = boot,
        .channels = channels,
        .channel_count = sizeof channels / sizeof *channels,
        .load_rules = script_load,
        .wake = wake,
    };
    bench_check(node_open(&options, &life->node, &err), &err);
    while (node_step_loop(life->node) || fold_step(node_fold(life->node)))
        ;
    buf_deinit(&code);
    buf_deinit(&config);
}

/* -- Living ---------------------------------------------------------------------------------- */

static void deploy(struct life *life)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc bundle;
    struct doc_writer w;
    struct err err = { 0 };
    bench_check(bundle_read_dir(life->rules, &submission->blob, &bundle, &err), &err);
    bundle_hash(bundle, submission->blob_hash);
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "bundle.activated");
    doc_open(&w, "data");
    doc_put_binary(&w, "hash", submission->blob_hash, LOG_HASH_BYTES);
    doc_close(&w);
    submission_end(submission, &w);
    sequencer_post_own(node_sequencer(life->node), submission);
}

/* Entries from `first` on that come through the same door; how many. */
static size_t post(struct life *life, size_t first, size_t most)
{
    enum log_class class = history_class(&life->history, first);
    struct submission *submission = submission_new(class);
    struct doc_writer w;
    size_t count = 0;
    submission->starts_clock = true;
    while (count < most && history_class(&life->history, first + count) == class) {
        submission_begin(submission, &w);
        history_write(&life->history, first + count++, life->wall, &w);
        submission_end(submission, &w);
    }
    sequencer_post_own(node_sequencer(life->node), submission);
    return count;
}

static void work(struct life *life, uint64_t dice)
{
    struct err err = { 0 };
    struct fold *fold = node_fold(life->node);
    do {
        while (sequencer_step(node_sequencer(life->node)) || fold_step(fold) ||
               node_step_loop(life->node))
            ;
        deliver_tick(node_deliverer(life->node));
    } while (sequencer_step(node_sequencer(life->node)));
    fold_freeze_if_wanted(fold, dice % 64 == 0);
    if (!fold_checkpoint(fold, &err))
        bench_die("%s", err.text);
    while (fold_step(fold) || node_step_loop(life->node))
        ;
}

static void live(struct life *life)
{
    unsigned number = 0;
    size_t next = 0;
    open_node(life, number);
    deploy(life);
    while (next < life->history.count) {
        uint64_t dice = dice_roll(life->history.seed, next, 202);
        size_t left = life->history.count - next, most = 1 + dice % GROUP_MAX_ENTRIES;
        next += post(life, next, most < left ? most : left);
        work(life, dice >> 8);
        int64_t pause = (int64_t)((dice >> 16) % PAUSE_MAX_MS);
        life->wall += pause;
        life->boot += pause;
        if (next * LIVES / life->history.count > number && next < life->history.count) {
            node_close(life->node);
            open_node(life, ++number);
        }
    }
    work(life, 0);
    node_close(life->node);
}

/* -- Comparing --------------------------------------------------------------------------------- */

static void hash_state(struct state *state, char out_text[HEX_SIZE(16)])
{
    struct snapshot *snapshot = NULL;
    struct err err = { 0 };
    uint8_t hash[16];
    bench_check(snapshot_open(state, &snapshot, &err), &err);
    snapshot_hash(snapshot, hash);
    hex_encode(hash, sizeof hash, out_text);
    snapshot_close(snapshot);
}

static void fold_to(struct log *log, const char *dir, uint64_t seq, char out_text[HEX_SIZE(16)])
{
    struct state *state = store_open_state(dir);
    struct refold_options options = {
        .log = log, .state = state, .seq = seq, .load_rules = script_load
    };
    struct err err = { 0 };
    bench_check(refold(&options, &err), &err);
    hash_state(state, out_text);
    state_close(state);
}

static void compare(const char *what, const char *live_hash, const char *hash)
{
    if (strcmp(live_hash, hash) != 0)
        bench_die("the state of the live node is %s; %s it is %s", live_hash, what, hash);
}

static void check(struct life *life)
{
    char dir[4096], hash[HEX_SIZE(16)], live_hash[HEX_SIZE(16)];
    uint64_t end;
    int64_t logged;
    snprintf(dir, sizeof dir, "%s/state", life->data);
    struct state *state = store_open_state(dir);
    hash_state(state, live_hash);
    state_close(state);
    snprintf(dir, sizeof dir, "%s/log", life->data);
    struct log *log = store_open_log(dir);
    log_end(log, &end, &logged);

    snprintf(dir, sizeof dir, "%s/whole", life->data);
    fold_to(log, dir, end, hash);
    compare("folded in one go", live_hash, hash);
    snprintf(dir, sizeof dir, "%s/pieces", life->data);
    for (uint64_t i = 1; i <= PIECES; i++) {
        uint64_t about = dice_roll(life->history.seed, i, 203) % (end / PIECES);
        uint64_t seq = i < PIECES ? end * i / PIECES - about / 2 : end;
        fold_to(log, dir, seq, hash);
    }
    compare("folded with restarts", live_hash, hash);
    printf("%llu entries %s\n", (unsigned long long)end, live_hash);
    log_close(log);
}

int bench_determinism(int argc, char **argv)
{
    static const struct option options[] = {
        { "rules", 1, NULL, 'r' },
        { "data", 1, NULL, 'd' },
        { NULL, 0, NULL, 0 },
    };
    struct life life = { .rules = "tests/bench/determinism", .wall = START_MS, .boot = 1000 };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'r')
            life.rules = optarg;
        else if (option == 'd')
            life.data = optarg;
        else
            return 2;
    }
    if (optind + 2 != argc || life.data == NULL)
        bench_die("determinism COUNT SEED --data DIR: an empty directory");
    history_init(&life.history, bench_number(argv[optind + 1], "SEED"),
                 bench_number(argv[optind], "COUNT"));
    live(&life);
    check(&life);
    return 0;
}

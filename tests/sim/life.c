/* life.c -- one life of a simulated daemon, and ways to look at what it left.
 *
 *     life run    one life: starts from what lies in --data, ends by itself, by a crash
 *                 at a disk call, or by a clean stop
 *     life dump   the log as NDJSON
 *     life effects  the effects, reminders and whose files are, as NDJSON
 *     life events  the stream, and the rows of all timelines, as NDJSON
 *     life hash   the hash of the state
 *     life bundle the name of --bundle in the log
 *     life fold   folds the log of --data into the state in --into, up to --seq
 *
 * Everything above the operating system's edge is the real thing: LMDB, log, state,
 * engine, Lua, sequencer, deliverer.  One thread; every choice is a roll of dice.
 * KITH_SIM_LEVEL is the engine level this binary pretends to be: level 2 computes more
 * than level 1, as a later build would (tests/sim/level2).
 */
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/engine/effect.h"
#include "core/engine/read.h"
#include "core/engine/rules.h"
#include "core/plugin/set.h"
#include "core/script/bundle.h"
#include "core/script/host.h"
#include "core/server/node.h"
#include "core/server/refold.h"
#include "core/server/world_log.h"
#include "tests/sim/dice.h"
#include "tests/sim/disk.h"
#include "tests/sim/life_attic.h"
#include "tests/sim/life_change.h"
#include "tests/sim/life_files.h"
#include "tests/sim/life_flaky.h"
#include "tests/sim/life_plugin.h"
#include "tests/sim/life_subjects.h"
#include "tests/sim/outside.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef KITH_SIM_LEVEL
#define KITH_SIM_LEVEL 1
#endif

#define MAP_BYTES ((size_t)1 << 30)
#define EXIT_CANNOT_START 3 /* the disk refused: as a daemon that ends with a message */

struct plan { /* the command line */
    const char *data, *journal, *outside, *bundle, *level, *config, *into, *attic;
    uint64_t seed, seq, crash_call;
    unsigned life, steps;
    bool is_power_cut, is_quiet, is_lying, has_faults, from_base, from_floor;
    int64_t skew_ms;
    struct life_plugin plugin;
};

static void die(const struct err *err)
{
    fprintf(stderr, "life: %s\n", err->text);
    exit(EXIT_CANNOT_START);
}

/* -- The world ------------------------------------- */

/* The same bundle, for level 2 with the files of level2 behind it. */
static int load_rules(void *arg, struct doc bundle, const struct config *config,
                      struct ruleset **out_rules, struct err *err)
{
    const struct plan *plan = arg;
    if (KITH_SIM_LEVEL == 1) {
        int code = script_load(NULL, bundle, config, out_rules, err);
        if (code == 0)
            flaky_make(*out_rules);
        return code;
    }
    struct buf more = BUF_INIT, both = BUF_INIT;
    struct doc level;
    struct doc_writer w;
    int rc = bundle_read_dir(plan->level, &more, &level, err);
    if (rc == 0) {
        doc_begin(&w, &both);
        doc_open(&w, "files");
        for (struct doc_iter it = doc_iter(doc_child(bundle, "files")); doc_next(&it);)
            doc_put_value_text(&w, it.name, &it.value);
        for (struct doc_iter it = doc_iter(doc_child(level, "files")); doc_next(&it);)
            doc_put_value_text(&w, it.name, &it.value);
        doc_close(&w);
        rc = script_load(NULL, doc_end(&w), config, out_rules, err);
    }
    if (rc == 0)
        flaky_make(*out_rules);
    buf_deinit(&more);
    buf_deinit(&both);
    return rc;
}

static struct doc config_from_json(const char *json, struct buf *buf)
{
    struct json_reader *reader = json_reader_new();
    struct json_limits limits = { .depth_max = 8 };
    struct doc config;
    struct err err = { 0 };
    if (json_to_doc(reader, json, strlen(json), &limits, buf, &config, &err) != 0)
        die(&err);
    json_reader_free(reader);
    return config;
}

struct randomness {
    uint64_t seed, count;
};

static void fill_random(void *arg, void *data, size_t size)
{
    struct randomness *randomness = arg;
    uint8_t *out = data;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)dice_roll(randomness->seed, ++randomness->count, 5);
}

static void wake(void *arg)
{
    (void)arg; /* the one thread looks by itself */
}

/* A line of the dump.  Of an erased one the rest is in the attic. */
static void put_entry(struct buf *out, struct log *log, const struct log_entry *entry)
{
    if (entry->is_tombstone) {
        buf_printf(out, "{\"seq\":%llu,\"logged\":%lld,\"tombstone\":%llu}\n",
                   (unsigned long long)entry->seq, (long long)entry->logged,
                   (unsigned long long)entry->customer);
        return;
    }
    buf_printf(out, "{\"seq\":%llu,\"logged\":%lld,\"class\":%d,\"world\":%llu,\"body\":",
               (unsigned long long)entry->seq, (long long)entry->logged, (int)entry->class,
               (unsigned long long)log_world_of(log, entry->seq));
    json_write_doc(out, (struct doc){ entry->body, (uint32_t)entry->size });
    buf_text(out, "}\n");
}

/* -- Running ------------------------------------- */

static void deploy(struct node *node, const char *dir)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc bundle;
    struct err err = { 0 };
    struct doc_writer w;
    if (bundle_read_dir(dir, &submission->blob, &bundle, &err) != 0)
        die(&err);
    bundle_hash(bundle, submission->blob_hash);
    submission_begin(submission, &w);
    doc_put_string(&w, "type", "bundle.activated");
    doc_open(&w, "data");
    doc_put_binary(&w, "hash", submission->blob_hash, LOG_HASH_BYTES);
    doc_close(&w);
    submission_end(submission, &w);
    sequencer_post_own(node_sequencer(node), submission);
}

static void plan_fault(const struct plan *plan, unsigned step, uint64_t dice)
{
    if (!plan->has_faults || dice % 97 != 0)
        return;
    switch ((dice >> 8) % 6) {
    case 0:
        disk_fail_next(DISK_FAULT_WRITE, (unsigned)(dice >> 16) % 4, 1, EIO);
        break;
    case 1:
        disk_fail_next(DISK_FAULT_FLUSH, (unsigned)(dice >> 16) % 3, 1, EIO);
        break;
    case 2:
        disk_fail_next(DISK_FAULT_SHORT, (unsigned)(dice >> 16) % 4, 1, 0);
        break;
    case 3:
        disk_set_room((dice >> 16) % 65536);
        break;
    case 4: /* the log is opened again after it, or the state */
        disk_fail_next(DISK_FAULT_SYNCED, (unsigned)(dice >> 16) % 4, 1, EIO);
        break;
    default:
        disk_set_room(DISK_ROOM_UNLIMITED);
    }
    (void)step;
}

static void pass_time(struct outside *outside, uint64_t dice)
{
    static const int64_t most_ms[] = { 3, 50, 1000, 20000, 120000, 300000 };
    outside_pass(outside, (int64_t)((dice >> 8) % (uint64_t)most_ms[dice % 6]) + 1);
}

static void step(struct node *node, struct outside *outside, uint64_t dice)
{
    struct err err = { 0 };
    uint64_t more = dice >> 8;
    switch (dice % 32) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
        sequencer_step(node_sequencer(node));
        break;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
        fold_step(node_fold(node));
        break;
    case 14:
        fold_freeze_if_wanted(node_fold(node), true);
        if (more % 2 == 0)
            fold_checkpoint(node_fold(node), &err);
        break;
    case 15:
        fold_checkpoint(node_fold(node), &err);
        fold_do_chore(node_fold(node));
        break;
    case 16:
    case 17:
    case 18:
    case 19:
    case 20:
        node_step_loop(node);
        break;
    case 21:
        life_plugin_act(more);
        break;
    case 22:
    case 23:
        outside_provide(outside);
        node_tick(node);
        life_plugin_tick();
        break;
    case 24:
    case 25:
        pass_time(outside, more);
        break;
    default:
        outside_act(outside, dice_mix(dice)); /* all its bits */
    }
}

/* Let everything that is under way come to its end. */
static void settle(struct node *node, struct outside *outside)
{
    struct err err = { 0 };
    for (unsigned round = 0; round < 4000; round++) {
        while (sequencer_step(node_sequencer(node)) || fold_step(node_fold(node)) ||
               node_step_loop(node))
            ;
        outside_finish(outside);
        outside_provide(outside);
        node_tick(node);
        life_plugin_tick();
        if (round % 64 == 0)
            life_plugin_finish();
        fold_freeze_if_wanted(node_fold(node), true);
        fold_checkpoint(node_fold(node), &err);
        fold_do_chore(node_fold(node));
        if (round > 3000 && outside_is_done(outside) && deliver_pending(node_deliverer(node)) == 0)
            break;
        outside_pass(outside, round % 8 == 0 ? 600000 : 50);
    }
    ASSERT(!state_is_lost(node_state(node)));
}

static struct node *start(const struct plan *plan, struct outside *outside,
                          struct randomness *randomness, struct plugin_set *set, struct buf *config)
{
    struct buf code = BUF_INIT;
    struct channel channels[2];
    struct node *node = NULL;
    struct err err = { 0 };
    char boot[32], blames[4096];
    size_t blame_count;
    snprintf(blames, sizeof blames, "%s.blames", plan->outside);
    if (plan->is_power_cut) /* the parent is gone too, and what it knew */
        life_plugin_blamed(blames);
    snprintf(boot, sizeof boot, "life-%u", plan->life);
    struct node_options options = {
        .dir = plan->data,
        .map_bytes = MAP_BYTES,
        .clock = outside_clock(outside),
        .random = fill_random,
        .random_arg = randomness,
        .code = life_code(plan->outside, KITH_SIM_LEVEL, set, plan->plugin.version, &code),
        .config = config_from_json(plan->config, config),
        .boot = boot,
        .channels = channels,
        .channel_count = outside_channels(outside, channels),
        .load_rules = load_rules,
        .load_arg = (void *)(uintptr_t)plan,
        .wake = wake,
        .blames = life_plugin_blames(blames, &blame_count),
        .plugins = plugin_set_engine(set),
        .takes_older = true,
        .plugin_lost = life_plugin_lost,
    };
    options.blame_count = blame_count;
    if (node_open(&options, &node, &err) != 0)
        die(&err);
    life_plugin_blamed(blames);
    life_plugin_attach(node, set, options.clock);
    return node; /* the documents live as long as the process */
}

static int run(const struct plan *plan)
{
    struct outside *outside = outside_new(plan->outside, plan->seed, plan->life, plan->is_quiet);
    uint64_t seed = dice_roll(plan->seed, plan->life, 1);
    struct randomness randomness = { .seed = seed };
    flaky_begin(seed);
    struct life_plugin good = plan->plugin; /* for what is folded beside it */
    good.is_isolated = false;
    good.fate = NULL;
    struct plugin_set *beside = life_plugin_load(&good), *set = life_plugin_load(&plan->plugin);
    disk_recover(plan->data, plan->journal, seed, plan->is_power_cut);
    if (plan->is_power_cut)
        outside_reboot(outside);
    if (plan->skew_ms != 0)
        outside_skew(outside, plan->skew_ms);
    disk_start(plan->data, plan->journal, seed);
    disk_lie_about_flush(plan->is_lying);
    disk_crash_at(plan->crash_call);
    if (dice_roll(seed, 0, 9) % 4 == 0)
        life_plugin_kill(set); /* while it catches up, or at its first call in this life */
    struct buf config = BUF_INIT;
    struct node *node = start(plan, outside, &randomness, set, &config);
    outside_attach(outside, node);
    attic_open(&(struct attic){ .path = plan->attic,
                                .data = plan->data,
                                .load_rules = load_rules,
                                .load_arg = (void *)(uintptr_t)plan,
                                .print = put_entry,
                                .plugins = plugin_set_engine(beside),
                                .is_past = flaky_is_past() });
    if (plan->bundle != NULL)
        deploy(node, plan->bundle);
    for (unsigned i = 0; i < plan->steps; i++) {
        uint64_t dice = dice_roll(seed, i, 2);
        plan_fault(plan, i, dice_roll(seed, i, 4));
        step(node, outside, dice);
        life_change(node, (struct doc){ config.data, (uint32_t)config.size },
                    dice_roll(seed, i, 8));
    }
    if (!plan->is_quiet && dice_roll(seed, 0, 6) % 4 != 0)
        disk_crash();
    disk_set_room(DISK_ROOM_UNLIMITED);
    if (plan->is_quiet)
        settle(node, outside);
    if (plan->is_quiet)
        life_plugin_export(plan->outside);
    node_close(node);
    plugin_set_free(set);
    plugin_set_free(beside);
    outside_free(outside);
    disk_stop();
    return 0;
}

/* -- Looking ------------------------------------- */

static struct log *open_log(const struct plan *plan)
{
    char dir[4096];
    struct randomness randomness = { 0 };
    struct log *log = NULL;
    struct err err = { 0 };
    snprintf(dir, sizeof dir, "%s/log", plan->data);
    struct log_options options = {
        .dir = dir, .map_bytes = MAP_BYTES, .random = fill_random, .random_arg = &randomness
    };
    if (log_open(&options, &log, &err) != 0)
        die(&err);
    return log;
}

static struct state *open_state(const char *data)
{
    char dir[4096];
    struct state *state = NULL;
    struct err err = { 0 };
    snprintf(dir, sizeof dir, "%s/state", data);
    mkdir(data, 0700);
    mkdir(dir, 0700);
    struct state_options options = { .dir = dir, .map_bytes = MAP_BYTES };
    if (state_open(&options, &state, &err) != 0)
        die(&err);
    return state;
}

static int print_entry(void *arg, const struct log_entry *entry)
{
    struct buf line = BUF_INIT;
    put_entry(&line, arg, entry);
    fwrite(line.data, 1, line.size, stdout);
    buf_deinit(&line);
    return 0;
}

static int dump(const struct plan *plan)
{
    struct log *log = open_log(plan);
    struct err err = { 0 };
    if (log_read(log, 1, SIZE_MAX, print_entry, log, NULL, &err) != 0 ||
        log_verify(log, NULL, NULL, &err) != 0)
        die(&err);
    log_close(log);
    return 0;
}

/* With its print, by which claims and outcomes find it under another number. */
static void put_effect(struct buf *line, uint64_t seq, uint64_t n, struct doc row)
{
    struct effect effect;
    effect_read(&effect, seq, n, row);
    buf_printf(line, "{\"id\":\"%llu.%llu\",\"seq\":%llu,\"print\":%lld,\"effect\":",
               (unsigned long long)seq, (unsigned long long)n, (unsigned long long)seq,
               (long long)effect_print(&effect));
}

/* A row of table `e` (two numbers for a key) or `k` (one). */
static int print_row(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct buf line = BUF_INIT;
    struct doc row = { value.data, (uint32_t)value.size };
    uint64_t seq = 0, n = 0;
    (void)arg;
    if (!key_read_number(&reader, &seq))
        abort();
    if (key_read_number(&reader, &n))
        put_effect(&line, seq, n, row);
    else
        buf_printf(&line, "{\"id\":%llu,\"task\":", (unsigned long long)seq);
    json_write_doc(&line, row);
    buf_text(&line, "}\n");
    fwrite(line.data, 1, line.size, stdout);
    buf_deinit(&line);
    return 0;
}

/* A row of table `y`: what is listed as under way or waiting for a person. */
static int print_listed(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct buf state = BUF_INIT;
    uint64_t seq = 0, n = 0;
    (void)arg;
    (void)value;
    if (!key_read_text(&reader, &state) || !key_read_number(&reader, &seq) ||
        !key_read_number(&reader, &n))
        abort();
    printf("{\"listed\":\"%s\",\"id\":\"%llu.%llu\"}\n", buf_string(&state),
           (unsigned long long)seq, (unsigned long long)n);
    buf_deinit(&state);
    return 0;
}

/* A row of table `z`: of an erasure that is not done. */
static int print_erasing(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { key.data + 1, key.data + key.size };
    uint64_t customer = 0;
    (void)arg;
    (void)value;
    if (!key_read_number(&reader, &customer))
        abort();
    printf("{\"erasing\":%llu}\n", (unsigned long long)customer);
    return 0;
}

static int effects(const struct plan *plan)
{
    struct state *state = open_state(plan->data);
    struct snapshot *snapshot = NULL;
    struct err err = { 0 };
    struct key prefix;
    if (snapshot_open(state, &snapshot, &err) != 0)
        die(&err);
    key_start(&prefix, 'e');
    snapshot_visit(snapshot, &prefix, NULL, print_row, NULL);
    key_start(&prefix, 'k');
    snapshot_visit(snapshot, &prefix, NULL, print_row, NULL);
    key_start(&prefix, 'y');
    snapshot_visit(snapshot, &prefix, NULL, print_listed, NULL);
    key_start(&prefix, 'z');
    snapshot_visit(snapshot, &prefix, NULL, print_erasing, NULL);
    life_files(snapshot);
    life_plugin_rows(snapshot);
    life_subjects(snapshot);
    snapshot_close(snapshot);
    state_close(state);
    return 0;
}

/* -- The stream, read in pieces ------------------------------------- */

#define PIECE_EVENTS 7

static int print_event(void *arg, const struct read_place *place, struct text type,
                       struct doc event)
{
    (void)arg;
    (void)place;
    (void)type;
    struct buf line = BUF_INIT;
    buf_text(&line, "{\"told\":");
    json_write_doc(&line, event);
    buf_text(&line, "}\n");
    fwrite(line.data, 1, line.size, stdout);
    buf_deinit(&line);
    return 0;
}

/* A customer's row; those of her timeline are printed. */
static int print_happened(void *arg, struct bytes key, struct bytes value)
{
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct doc row = { value.data, (uint32_t)value.size };
    uint64_t customer = 0, seq = 0, n = 0;
    uint8_t table = 0;
    (void)arg;
    if (!key_read_number(&reader, &customer) || !key_read_byte(&reader, &table))
        abort();
    if (table != 't' || doc_text(row, "refused").size != 0)
        return 0;
    if (!key_read_number_down(&reader, &seq) || !key_read_number_down(&reader, &n))
        abort();
    printf("{\"happened\":[%llu,%llu,%llu]}\n", (unsigned long long)seq, (unsigned long long)n,
           (unsigned long long)customer);
    return 0;
}

static void print_stream(struct snapshot *snapshot, struct log *log)
{
    struct read_place place = { 0, 0 };
    struct buf rows = BUF_INIT;
    struct err err = { 0 };
    bool has_more = true;
    while (has_more) {
        buf_clear(&rows);
        read_stream_stored(snapshot, &place, PIECE_EVENTS, &rows);
        struct doc piece = { rows.data, (uint32_t)rows.size };
        if (read_stream_each(log, piece, print_event, NULL, &err) != 0)
            die(&err);
        place.seq = (uint64_t)doc_int(piece, "seq", 0);
        place.n = (uint64_t)doc_int(piece, "n", 0);
        has_more = doc_bool(piece, "more", false);
    }
    buf_deinit(&rows);
}

static int events(const struct plan *plan)
{
    struct state *state = open_state(plan->data);
    struct log *log = open_log(plan);
    struct snapshot *snapshot = NULL;
    struct err err = { 0 };
    struct key prefix;
    if (snapshot_open(state, &snapshot, &err) != 0)
        die(&err);
    print_stream(snapshot, log);
    key_start(&prefix, 'c');
    snapshot_visit(snapshot, &prefix, NULL, print_happened, NULL);
    snapshot_close(snapshot);
    log_close(log);
    state_close(state);
    return 0;
}

static void print_hash(struct state *state)
{
    struct snapshot *snapshot = NULL;
    struct err err = { 0 };
    uint8_t hash[16];
    char text[HEX_SIZE(16)];
    uint64_t seq;
    int64_t logged;
    if (snapshot_open(state, &snapshot, &err) != 0)
        die(&err);
    snapshot_hash(snapshot, hash);
    snapshot_applied(snapshot, &seq, &logged);
    hex_encode(hash, sizeof hash, text);
    printf("%llu %s\n", (unsigned long long)seq, text);
    snapshot_close(snapshot);
}

static int hash(const struct plan *plan)
{
    struct state *state = open_state(plan->data);
    print_hash(state);
    state_close(state);
    return 0;
}

static int fold(const struct plan *plan)
{
    struct log *log = open_log(plan);
    struct state *state = open_state(plan->into);
    struct plugin_set *set = life_plugin_load(&plan->plugin);
    struct err err = { 0 };
    struct refold_options options = {
        .log = log,
        .state = state,
        .seq = plan->seq,
        .plugins = plugin_set_engine(set),
        .load_rules = load_rules,
        .load_arg = (void *)(uintptr_t)plan,
    };
    struct base base = { 0 }, floor = { 0 };
    if (world_base(log, &base, &floor, &err) != 0)
        die(&err);
    if ((plan->from_base && base_load(plan->data, &base, state, &err) != 0) ||
        (plan->from_floor && base_load(plan->data, &floor, state, &err) != 0))
        die(&err);
    life_plugin_kill(set);
    if (refold(&options, &err) != 0)
        die(&err);
    print_hash(state);
    state_close(state);
    log_close(log);
    plugin_set_free(set);
    return 0;
}

/* How the log names a bundle, as JSON shows it. */
static int bundle(const struct plan *plan)
{
    struct buf bytes = BUF_INIT, text = BUF_INIT;
    struct doc doc;
    struct err err = { 0 };
    uint8_t name[LOG_HASH_BYTES];
    if (bundle_read_dir(plan->bundle, &bytes, &doc, &err) != 0)
        die(&err);
    bundle_hash(doc, name);
    struct doc_value value = { .type = DOC_BINARY, .binary = { name, sizeof name, 0 } };
    json_write_value(&text, &value);
    printf("%.*s\n", (int)text.size - 2, (const char *)text.data + 1);
    buf_deinit(&bytes);
    buf_deinit(&text);
    return 0;
}

/* -- The command line ------------------------------------- */

/* Those of the plugin, and those without a value. */
static void read_flag(struct plan *plan, int option)
{
    switch (option) {
    case 'P':
        plan->plugin.dir = optarg;
        break;
    case 't':
        plan->plugin.version = (unsigned)strtoul(optarg, NULL, 10);
        break;
    case 'f':
        plan->plugin.fate = optarg;
        break;
    case 'p':
        plan->is_power_cut = true;
        break;
    case 'Q':
        plan->is_quiet = true;
        break;
    case 'L':
        plan->is_lying = true;
        break;
    case 'F':
        plan->has_faults = true;
        break;
    case 'B':
        plan->from_base = true;
        break;
    case 'G':
        plan->from_floor = true;
        break;
    case 'I':
        plan->plugin.is_isolated = true;
        break;
    default:
        exit(2);
    }
}

static void read_plan(struct plan *plan, int argc, char **argv)
{
    static const struct option options[] = {
        { "data", 1, NULL, 'd' },   { "journal", 1, NULL, 'j' },    { "outside", 1, NULL, 'o' },
        { "bundle", 1, NULL, 'b' }, { "level", 1, NULL, 'v' },      { "config", 1, NULL, 'c' },
        { "into", 1, NULL, 'i' },   { "seed", 1, NULL, 's' },       { "life", 1, NULL, 'l' },
        { "steps", 1, NULL, 'n' },  { "crash", 1, NULL, 'x' },      { "seq", 1, NULL, 'q' },
        { "skew", 1, NULL, 'k' },   { "power-cut", 0, NULL, 'p' },  { "quiet", 0, NULL, 'Q' },
        { "lie", 0, NULL, 'L' },    { "faults", 0, NULL, 'F' },     { "from-base", 0, NULL, 'B' },
        { "attic", 1, NULL, 'a' },  { "from-floor", 0, NULL, 'G' }, { "plugins", 1, NULL, 'P' },
        { "tally", 1, NULL, 't' },  { "fate", 1, NULL, 'f' },       { "isolated", 0, NULL, 'I' },
        { NULL, 0, NULL, 0 },
    };
    *plan = (struct plan){ .config = "{}", .crash_call = DISK_NEVER, .steps = 300 };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'd':
            plan->data = optarg;
            break;
        case 'j':
            plan->journal = optarg;
            break;
        case 'o':
            plan->outside = optarg;
            break;
        case 'a':
            plan->attic = optarg;
            break;
        case 'b':
            plan->bundle = optarg;
            break;
        case 'v':
            plan->level = optarg;
            break;
        case 'c':
            plan->config = optarg;
            break;
        case 'i':
            plan->into = optarg;
            break;
        case 's':
            plan->seed = strtoull(optarg, NULL, 10);
            break;
        case 'l':
            plan->life = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'n':
            plan->steps = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'x':
            plan->crash_call = strtoull(optarg, NULL, 10);
            break;
        case 'q':
            plan->seq = strtoull(optarg, NULL, 10);
            break;
        case 'k':
            plan->skew_ms = strtoll(optarg, NULL, 10);
            break;
        default:
            read_flag(plan, option);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(const struct plan *plan);
    } words[] = { { "run", run },   { "dump", dump }, { "effects", effects }, { "events", events },
                  { "hash", hash }, { "fold", fold }, { "bundle", bundle } };
    struct plan plan;
    if (argc < 2)
        return 2;
    if (life_plugin_is_process(argv[1]))
        return life_plugin_process();
    read_plan(&plan, argc - 1, argv + 1);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(argv[1], words[i].word) == 0)
            return words[i].run(&plan);
    return 2;
}

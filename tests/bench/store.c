/* store.c -- see store.h. */
#include "tests/bench/store.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/engine.h"
#include "core/script/bundle.h"
#include "core/script/host.h"
#include "storage/log.h"
#include "storage/state.h"
#include "tests/bench/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

static void make_dir(const char *dir)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        bench_die("cannot make %s: %s", dir, strerror(errno));
}

static void fill_random(void *arg, void *data, size_t size)
{
    (void)arg;
    ASSERT(getrandom(data, size, 0) == (ssize_t)size);
}

struct log *store_open_log(const char *dir)
{
    struct log_options options = { .dir = dir, .random = fill_random };
    struct log *log = NULL;
    struct err err = { 0 };
    make_dir(dir);
    bench_check(log_open(&options, &log, &err), &err);
    return log;
}

struct state *store_open_state(const char *dir)
{
    struct state_options options = { .dir = dir };
    struct state *state = NULL;
    struct err err = { 0 };
    make_dir(dir);
    bench_check(state_open(&options, &state, &err), &err);
    return state;
}

static void add_world(struct log *log, int64_t logged)
{
    struct buf body = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &body);
    doc_put_string(&w, "type", "world");
    doc_open(&w, "data");
    doc_open(&w, "code");
    doc_put_int(&w, "level", ENGINE_LEVEL);
    doc_close(&w);
    doc_open(&w, "config");
    doc_open(&w, "channels");
    doc_open(&w, "log");
    doc_close(&w);
    doc_close(&w);
    doc_close(&w);
    doc_close(&w);
    struct doc doc = doc_end(&w);
    uint64_t seq = log_add(log, LOG_SYSTEM, logged, doc.data, doc.size);
    log_index_world(log, seq, seq);
    buf_deinit(&body);
}

static void add_bundle(struct log *log, int64_t logged, const char *dir)
{
    struct buf bytes = BUF_INIT, body = BUF_INIT;
    struct doc bundle;
    struct doc_writer w;
    uint8_t hash[LOG_HASH_BYTES];
    struct err err = { 0 };
    bench_check(bundle_read_dir(dir, &bytes, &bundle, &err), &err);
    bundle_hash(bundle, hash);
    log_put_blob(log, hash, bundle.data, bundle.size);
    doc_begin(&w, &body);
    doc_put_string(&w, "type", "bundle.activated");
    doc_open(&w, "data");
    doc_put_binary(&w, "hash", hash, sizeof hash);
    doc_close(&w);
    struct doc doc = doc_end(&w);
    log_add(log, LOG_SYSTEM, logged, doc.data, doc.size);
    buf_deinit(&body);
    buf_deinit(&bytes);
}

void store_begin(struct log *log, int64_t logged, const char *rules_dir)
{
    add_world(log, logged);
    add_bundle(log, logged, rules_dir);
}

/* -- The engine ------------------------------------------------------------------------ */

static int hook_verdict(void *arg, uint64_t at_seq, struct buf *out)
{
    return log_has_verdicts(arg) ? log_get_verdict(arg, at_seq, out, NULL) : E_NOTFOUND;
}

static int hook_blob(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                     struct err *err)
{
    return log_get_blob(arg, hash, out, err);
}

static int hook_load_rules(void *arg, struct doc bundle, const struct config *config,
                           struct ruleset **out_rules, struct err *err)
{
    (void)arg;
    return script_load(NULL, bundle, config, out_rules, err);
}

/* Whatever the log activates has no rules: what remains is the engine's own work. */
static int hook_load_nothing(void *arg, struct doc bundle, const struct config *config,
                             struct ruleset **out_rules, struct err *err)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    (void)arg;
    (void)bundle;
    doc_begin(&w, &bytes);
    doc_open(&w, "files");
    doc_close(&w);
    int rc = script_load(NULL, doc_end(&w), config, out_rules, err);
    buf_deinit(&bytes);
    return rc;
}

static void hook_verdict_made(void *arg, uint64_t at_seq, struct doc verdict)
{
    (void)arg;
    (void)verdict;
    bench_die("a rule ran out of memory at entry %llu", (unsigned long long)at_seq);
}

static int keep_world(void *arg, const struct log_entry *entry)
{
    struct err err = { 0 };
    struct doc body = { entry->body, (uint32_t)entry->size };
    bench_check(engine_set_world(arg, entry->seq, doc_child(body, "data"), &err), &err);
    return 0;
}

static int apply(void *arg, const struct log_entry *entry)
{
    struct engine_result result;
    engine_apply(arg, entry, &result);
    if (result.status != ENGINE_DONE)
        bench_die("entry %llu was refused: %s", (unsigned long long)entry->seq, result.reason);
    return 0;
}

void store_catch_up(struct log *log, struct engine *engine, uint64_t seq)
{
    struct err err = { 0 };
    uint64_t first = engine_seq(engine) + 1;
    bench_check(log_read(log, first, (size_t)(seq + 1 - first), apply, engine, NULL, &err), &err);
}

struct engine *store_open_engine(struct log *log, struct state *state, bool has_rules)
{
    static const struct engine_hooks with_rules = {
        .verdict = hook_verdict,
        .blob = hook_blob,
        .load_rules = hook_load_rules,
        .verdict_made = hook_verdict_made,
    };
    static const struct engine_hooks without = {
        .verdict = hook_verdict,
        .blob = hook_blob,
        .load_rules = hook_load_nothing,
        .verdict_made = hook_verdict_made,
    };
    struct engine_options options = { .state = state,
                                      .hooks = has_rules ? &with_rules : &without,
                                      .arg = log };
    struct engine *engine = NULL;
    struct err err = { 0 };
    bench_check(engine_open(&options, &engine, &err), &err);
    bench_check(log_read(log, 1, 1, keep_world, engine, NULL, &err), &err);
    store_catch_up(log, engine, 2);
    return engine;
}

void store_checkpoint(struct state *state, struct engine *engine)
{
    struct err err = { 0 };
    state_settle(state);
    if (state_freeze(state, engine_seq(engine), engine_now(engine)))
        bench_check(state_checkpoint(state, &err), &err);
    while (state_settle(state))
        ;
}

/* api_care.c -- is all well?  The hash of the state, and the log folded anew beside it.
 *
 * Both look at a snapshot, and want one of the present: the engine is asked to freeze what
 * it has, again and again until that has been written.  A little waiting in between, on a
 * worker, is simpler than a list of those to be told, and this is asked by hand.
 */
#include "core/server/api_care.h"

#include "core/base/hash.h"
#include "core/plugin/set.h"
#include "core/script/host.h"
#include "core/script/settings.h"
#include "core/server/api_command.h"
#include "core/server/change.h"
#include "core/server/dir.h"
#include "core/server/fold.h"
#include "core/server/node.h"
#include "core/server/purge.h"
#include "core/server/refold.h"
#include "core/server/world_log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 5
#define WAITS_MAX 6000 /* half a minute */
#define FAULTS_MAX 100 /* told */

struct care {
    void (*run)(struct call *call); /* on a worker, when the checkpoint is there */
    uint64_t wanted;                /* the checkpoint stands for this entry or a later one */
    bool is_written;
    unsigned waits;
    int code;
    struct err err;

    uint64_t seq; /* of the snapshot */
    uint8_t hash[HASH128_BYTES];

    /* verify */
    struct buf faults; /* array */
    struct doc_writer w;
    size_t fault_count;
    bool has_fresh, is_unable; /* to fold anew, whatever the log is like */
    uint8_t fresh[HASH128_BYTES];
};

/* -- A checkpoint of the present ------------------------------------------------------- */

static void ask_checkpoint(struct engine *engine, struct call *call)
{
    struct care *care = call->data;
    struct state *state = engine_state(engine);
    struct state_stats stats;
    uint64_t seq;
    int64_t logged;
    if (care->wanted == 0)
        care->wanted = engine_seq(engine);
    fold_freeze_if_wanted(node_fold(call->api->node), true);
    state_applied(state, &seq, &logged);
    state_stats(state, &stats);
    /* Entries that change nothing make no checkpoint. */
    bool is_same = !state_is_dirty(state) && stats.frozen_rows == 0;
    care->is_written = seq >= care->wanted || is_same;
}

static void pause_work(struct call *call)
{
    const struct timespec pause = { .tv_nsec = WAIT_MS * 1000000L };
    (void)call;
    nanosleep(&pause, NULL);
}

static void answer(struct call *call);
static void have_checkpoint(struct call *call);

static void ask_again(struct call *call)
{
    call_ask(call, ask_checkpoint, have_checkpoint);
}

static void have_checkpoint(struct call *call)
{
    struct care *care = call->data;
    if (care->is_written) {
        call_work(call, care->run, answer);
    } else if (++care->waits > WAITS_MAX) {
        care->code = err_set(&care->err, E_IO, "no checkpoint could be written: see /readyz");
        answer(call);
    } else {
        call_work(call, pause_work, ask_again);
    }
}

static struct care *care_begin(struct call *call, void (*run)(struct call *call))
{
    struct care *care = arena_zero(&call->arena, sizeof *care);
    care->run = run;
    call->data = care;
    return care;
}

static int read_hash(struct state *state, uint64_t *out_seq, uint8_t out_hash[HASH128_BYTES],
                     struct err *err)
{
    struct snapshot *snapshot = NULL;
    int64_t logged;
    int rc = snapshot_open(state, &snapshot, err);
    if (rc != 0)
        return rc;
    snapshot_applied(snapshot, out_seq, &logged);
    snapshot_hash(snapshot, out_hash);
    snapshot_close(snapshot);
    return 0;
}

/* -- The hash -------------------------------------------------------------------------- */

static void hash_state(struct call *call)
{
    struct care *care = call->data;
    care->code = read_hash(node_state(call->api->node), &care->seq, care->hash, &care->err);
}

void get_state_hash(struct call *call)
{
    care_begin(call, hash_state);
    ask_again(call);
}

/* -- The log, and what comes of it ----------------------------------------------------- */

static bool is_verifying; /* the loop's; a daemon folds anew once at a time */

static void add_fault(struct care *care, const char *fault)
{
    if (care->fault_count++ < FAULTS_MAX)
        doc_put_string(&care->w, "", fault);
}

static void note_fault(void *arg, uint64_t seq_first, uint64_t seq_last, const char *fault)
{
    char line[ERR_TEXT_MAX + 80];
    snprintf(line, sizeof line, "entries %llu to %llu: %s", (unsigned long long)seq_first,
             (unsigned long long)seq_last, fault);
    add_fault(arg, line);
}

static void remove_dir(const char *path)
{
    dir_clear(path);
    rmdir(path);
}

static int fold_anew(struct care *care, struct call *call, const char *dir)
{
    struct state *state = NULL;
    struct state_options state_options = { .dir = dir };
    struct plugin_set *plugins = NULL;
    int rc = plugin_set_view(call->api->plugins, &plugins, &care->err);
    struct script_surroundings around = { .plugins = plugin_set_engine(plugins) };
    struct refold_options options = { .log = node_log(call->api->node),
                                      .seq = care->seq,
                                      .plugins = plugin_set_engine(plugins),
                                      .load_rules = script_load,
                                      .load_arg = &around };
    struct base base, floor;
    uint64_t seq;
    care->is_unable = rc != 0;
    dir_clear(dir); /* what a verification that was killed has left */
    if (rc == 0)
        rc = dir_make(dir, &care->err);
    if (rc == 0)
        rc = state_open(&state_options, &state, &care->err);
    options.state = state;
    if (rc == 0)
        rc = world_base(options.log, &base, &floor, &care->err);
    if (rc == 0)
        rc = base_load(call->api->settings->data, &base, state, &care->err);
    if (rc == 0)
        rc = refold(&options, &care->err);
    care->is_unable = care->is_unable || rc == E_BUSY;
    if (rc == 0)
        rc = read_hash(state, &seq, care->fresh, &care->err);
    state_close(state);
    plugin_set_free(plugins);
    remove_dir(dir);
    care->has_fresh = rc == 0;
    return rc;
}

static void compare(struct care *care)
{
    if (care->has_fresh && memcmp(care->hash, care->fresh, sizeof care->hash) != 0)
        add_fault(care, "folding the log anew gives another state: stop the daemon, keep a copy "
                        "of its data, and start it with --rebuild");
}

static void verify(struct call *call)
{
    struct care *care = call->data;
    struct err err;
    char dir[4096];
    snprintf(dir, sizeof dir, "%s/verify", call->api->settings->data);
    doc_begin(&care->w, &care->faults);
    doc_open_array(&care->w, "faults");
    int rc = log_verify(node_log(call->api->node), note_fault, care, &err);
    if (rc != 0 && care->fault_count == 0)
        add_fault(care, err.text);
    rc = read_hash(node_state(call->api->node), &care->seq, care->hash, &care->err);
    if (rc == 0)
        rc = fold_anew(care, call, dir);
    if (care->is_unable && care->fault_count == 0) {
        struct err why = care->err;
        care->code = err_set(&care->err, E_IO, "the log could not be verified: %s", why.text);
        buf_deinit(&care->faults); /* there are none, and they are not answered */
        return;
    }
    if (rc != 0)
        add_fault(care, care->err.text);
    compare(care);
    doc_close(&care->w);
    doc_end(&care->w);
}

static void answer_verify(struct call *call, struct doc_writer *w)
{
    struct care *care = call->data;
    struct doc faults = { care->faults.data, (uint32_t)care->faults.size };
    char text[HEX_SIZE(HASH128_BYTES)];
    doc_put_bool(w, "ok", care->fault_count == 0);
    doc_put_int(w, "entries", (int64_t)care->seq);
    doc_put_array(w, "faults", doc_child(faults, "faults"));
    if (care->fault_count > FAULTS_MAX)
        doc_put_int(w, "fault_count", (int64_t)care->fault_count);
    hex_encode(care->hash, sizeof care->hash, text);
    doc_put_string(w, "hash", text);
    hex_encode(care->fresh, sizeof care->fresh, text);
    if (care->has_fresh)
        doc_put_string(w, "fresh", text);
    else
        doc_put_null(w, "fresh");
    buf_deinit(&care->faults);
}

void post_verify(struct call *call)
{
    if (is_verifying) {
        call_problem(call, 409, "a verification is under way: wait for it");
        return;
    }
    if (change_is_reserved(node_change(call->api->node))) {
        call_problem(call, 409, "a plugin is being reloaded: try again in a moment");
        return;
    }
    if (!purge_hold(node_purge(call->api->node))) {
        call_problem(call, 409,
                     "customers are just being erased from the files: try again in a minute");
        return;
    }
    is_verifying = true;
    care_begin(call, verify);
    ask_again(call);
}

static void answer_hash(struct call *call, struct doc_writer *w)
{
    const struct care *care = call->data;
    char text[HEX_SIZE(HASH128_BYTES)];
    hex_encode(care->hash, sizeof care->hash, text);
    doc_put_int(w, "seq", (int64_t)care->seq);
    doc_put_string(w, "hash", text);
}

static void answer(struct call *call)
{
    struct care *care = call->data;
    struct doc_writer w;
    if (care->run == verify) {
        is_verifying = false;
        purge_release(node_purge(call->api->node)); /* which takes what is folded here */
    }
    if (care->code != 0) {
        call_error(call, care->code, &care->err);
        return;
    }
    doc_begin(&w, &call->out);
    if (care->run == verify)
        answer_verify(call, &w);
    else
        answer_hash(call, &w);
    call_reply(call, 200, doc_end(&w));
}

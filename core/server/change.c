/* change.c -- see change.h for the phases. */
#include "core/server/change.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/plugins.h"
#include "core/engine/rules.h"
#include "core/server/base.h"
#include "core/server/chore.h"
#include "core/server/fold.h"
#include "core/server/purge.h"
#include "core/server/say.h"
#include "core/server/sequencer.h"
#include "core/server/world_log.h"
#include "storage/state.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_PAUSE_MS 2 /* a checkpoint of little takes about as long */

enum phase { PHASE_IDLE, PHASE_HOLD, PHASE_LOOK, PHASE_KEEP, PHASE_NOTE, PHASE_SWEEP, PHASE_SWAP };

struct change {
    struct chore chore; /* first */
    struct change_options options;
    struct change_wanted wanted;
    struct buf code, config;         /* wanted */
    struct buf code_now, config_now; /* in force */
    bool is_reserved, is_winding_down;
    enum phase phase;
    struct job job;
    int64_t look_at; /* boot ms; -1: not now */
    int64_t late_at;
    bool is_quiet; /* state, log and engine stand at the same entry ... */
    bool has_bundle;
    uint8_t bundle[LOG_HASH_BYTES]; /* ... where these rules are in force */
    struct base base, floor;
    atomic_bool is_coming; /* the entry is on its way to the engine */
    int code_of_step;
    struct err err;
};

static int64_t now_ms(const struct change *change)
{
    return change->options.clock.boot_ms(change->options.clock.arg);
}

static struct doc doc_of(const struct buf *buf)
{
    return (struct doc){ buf->data, (uint32_t)buf->size };
}

static bool is_same(const struct buf *buf, struct doc doc)
{
    return buf->size == doc.size && memcmp(buf->data, doc.data, doc.size) == 0;
}

struct change *change_new(const struct change_options *options)
{
    struct change *change = mem_zero(sizeof *change);
    change->options = *options;
    change->look_at = -1;
    buf_append(&change->code_now, options->code.data, options->code.size);
    buf_append(&change->config_now, options->config.data, options->config.size);
    return change;
}

void change_free(struct change *change)
{
    if (change == NULL)
        return;
    buf_deinit(&change->code);
    buf_deinit(&change->config);
    buf_deinit(&change->code_now);
    buf_deinit(&change->config_now);
    free(change);
}

/* -- Whose it is ----------------------------------------------------------------- */

int change_reserve(struct change *change, struct err *err)
{
    if (change->is_winding_down)
        return err_set(err, E_CONFLICT, "the daemon is stopping");
    if (change->is_reserved)
        return err_set(err, E_CONFLICT, "a plugin is being reloaded: wait for it");
    if (!purge_hold_alone(change->options.purge))
        return err_set(err, E_CONFLICT,
                       "a backup or a verification is under way, or customers are being erased "
                       "from the files: try again in a minute");
    change->is_reserved = true;
    return 0;
}

void change_give_back(struct change *change)
{
    ASSERT(change->is_reserved && change->phase == PHASE_IDLE);
    change->is_reserved = false;
    purge_release(change->options.purge);
}

bool change_is_reserved(const struct change *change)
{
    return change->is_reserved;
}

/* -- Its end --------------------------------------------------------------------- */

static void release(struct change *change)
{
    struct sequencer *sequencer = change->options.sequencer;
    atomic_store(&sequencer->is_held, false);
    mailbox_nudge(&sequencer->inbox);
}

static void end(struct change *change, int code)
{
    change->phase = PHASE_IDLE;
    change->look_at = -1;
    change->wanted.done(change->wanted.arg, code, &change->err);
}

static void give_up(struct change *change)
{
    release(change);
    end(change, change->code_of_step);
}

/* Between two steps of those that change nothing yet. */
static bool must_end(struct change *change)
{
    if (change->code_of_step == 0 && change->is_winding_down)
        change->code_of_step = err_set(&change->err, E_BUSY, "the daemon is stopping");
    return change->code_of_step != 0;
}

static void give(struct change *change, struct chore_slot *slot, struct mailbox *sleeper,
                 void (*run)(struct chore *chore), void (*handle)(struct mail *mail, void *reader))
{
    change->chore = (struct chore){ .mail = { .handle = handle }, .run = run };
    change->code_of_step = 0;
    chore_give(slot, &change->chore);
    mailbox_nudge(sleeper);
}

static void give_to_checkpoints(struct change *change, void (*run)(struct chore *chore),
                                void (*handle)(struct mail *mail, void *reader))
{
    struct fold *fold = change->options.fold;
    give(change, &fold->chore, &fold->checkpoint, run, handle);
}

static void ask(struct change *change, void (*run)(struct engine *engine, void *arg),
                void (*handle)(struct mail *mail, void *reader))
{
    change->job = (struct job){ .mail = { .handle = handle }, .run = run, .arg = change };
    fold_ask(change->options.fold, &change->job);
}

static struct change *change_of(struct mail *job)
{
    return ((struct job *)job)->arg;
}

/* -- Sweep ----------------------------------------------------------------------- */

static void sweep(struct chore *chore)
{
    struct change *change = (struct change *)chore;
    struct err err;
    if (base_sweep(change->options.dir, &change->base, &change->floor, &err) != 0)
        say("old files in %s/base were not removed: %s", change->options.dir, err.text);
}

static void on_swept(struct mail *mail, void *reader)
{
    (void)reader;
    end((struct change *)mail, 0);
}

/* -- Note ------------------------------------------------------------------------ */

static void put_in_force(struct change *change, struct engine *engine)
{
    change->wanted.in_force(change->wanted.arg);
    engine_set_plugins(engine, change->wanted.plugins);
}

void change_meet(struct change *change, struct engine *engine, struct doc world)
{
    if (!atomic_load(&change->is_coming) || !is_same(&change->code, doc_child(world, "code")) ||
        !is_same(&change->config, doc_child(world, "config")))
        return;
    put_in_force(change, engine);
    atomic_store(&change->is_coming, false);
}

static void note_in_force(struct change *change)
{
    struct buf code = change->code_now, config = change->config_now;
    change->code_now = change->code;
    change->config_now = change->config;
    change->code = code;
    change->config = config;
    purge_set_world(change->options.purge, doc_of(&change->code_now), doc_of(&change->config_now));
}

static void on_applied(void *arg, const struct submission *submission)
{
    struct change *change = arg;
    ASSERT(submission->code == 0 && !atomic_load(&change->is_coming));
    release(change);
    note_in_force(change);
    if (change->is_winding_down) {
        end(change, 0);
        return;
    }
    change->phase = PHASE_SWEEP;
    give_to_checkpoints(change, sweep, on_swept);
}

static void note(struct change *change)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    world_put(&w, doc_of(&change->code), doc_of(&change->config), &change->base, &change->floor);
    submission_end(submission, &w);
    submission->index = INDEX_WORLD;
    submission->must_not_fail = true;
    submission->wants_applied = true;
    submission->done = on_applied;
    submission->arg = change;
    change->phase = PHASE_NOTE;
    atomic_store(&change->is_coming, true);
    sequencer_post_own(change->options.sequencer, submission);
    mailbox_nudge(&change->options.sequencer->inbox);
}

/* -- Keep ------------------------------------------------------------------------ */

static void keep(struct chore *chore)
{
    struct change *change = (struct change *)chore;
    const struct change_options *options = &change->options;
    struct base before;
    int rc = 0;
    if (change->has_bundle && change->wanted.check != NULL)
        rc = change->wanted.check(change->wanted.arg, change->bundle, &change->err);
    if (rc == 0)
        rc = world_base(options->log, &before, &change->floor, &change->err);
    if (rc == 0)
        rc = base_write(options->dir, options->state, &change->base, &change->err);
    change->code_of_step = rc;
}

static void on_kept(struct mail *mail, void *reader)
{
    struct change *change = (struct change *)mail;
    uint64_t end_seq;
    int64_t logged;
    (void)reader;
    log_end(change->options.log, &end_seq, &logged);
    ASSERT(change->code_of_step != 0 || change->base.seq == end_seq);
    if (must_end(change))
        give_up(change);
    else
        note(change);
}

/* -- Look ------------------------------------------------------------------------ */

/* Entries that change nothing make no checkpoint by themselves. */
static void look(struct engine *engine, void *arg)
{
    struct change *change = arg;
    const struct ruleset *rules = engine_rules(engine);
    uint64_t end_seq, kept;
    int64_t logged;
    log_end(change->options.log, &end_seq, &logged);
    state_applied(change->options.state, &kept, &logged);
    change->is_quiet = engine_seq(engine) == end_seq && kept == end_seq;
    if (!change->is_quiet)
        fold_freeze(change->options.fold);
    change->has_bundle = rules != NULL;
    if (rules != NULL)
        memcpy(change->bundle, rules->hash, sizeof change->bundle);
}

static void on_looked(struct mail *mail, void *reader)
{
    struct change *change = change_of(mail);
    (void)reader;
    change->code_of_step = 0;
    if (!change->is_quiet && now_ms(change) >= change->late_at)
        change->code_of_step =
            err_set(&change->err, E_BUSY,
                    "the state does not come to the end of the log in %d s: see /readyz, and try "
                    "again",
                    CHANGE_PATIENCE_MS / 1000);
    if (must_end(change)) {
        give_up(change);
    } else if (change->is_quiet) {
        change->phase = PHASE_KEEP;
        give_to_checkpoints(change, keep, on_kept);
    } else {
        change->look_at = now_ms(change) + LOOK_PAUSE_MS;
        change->options.wake(change->options.wake_arg);
    }
}

int64_t change_tick(struct change *change)
{
    int64_t now = now_ms(change);
    if (change->look_at < 0)
        return -1;
    if (now < change->look_at)
        return change->look_at - now;
    change->look_at = -1;
    ask(change, look, on_looked);
    return -1;
}

/* -- Hold ------------------------------------------------------------------------ */

static void hold(struct chore *chore)
{
    struct change *change = (struct change *)chore;
    atomic_store(&change->options.sequencer->is_held, true);
}

static void on_held(struct mail *mail, void *reader)
{
    struct change *change = (struct change *)mail;
    (void)reader;
    if (must_end(change)) {
        give_up(change);
        return;
    }
    change->phase = PHASE_LOOK;
    change->late_at = now_ms(change) + CHANGE_PATIENCE_MS;
    ask(change, look, on_looked);
}

/* -- The same code --------------------------------------------------------------- */

static void swap(struct engine *engine, void *arg)
{
    put_in_force(arg, engine);
}

static void on_swapped(struct mail *mail, void *reader)
{
    (void)reader;
    end(change_of(mail), 0);
}

/* -- From outside ---------------------------------------------------------------- */

void change_begin(struct change *change, const struct change_wanted *wanted)
{
    struct sequencer *sequencer = change->options.sequencer;
    ASSERT(change->is_reserved && change->phase == PHASE_IDLE);
    change->wanted = *wanted;
    change->err = (struct err){ 0 };
    if (is_same(&change->code_now, wanted->code) && is_same(&change->config_now, wanted->config)) {
        change->phase = PHASE_SWAP;
        ask(change, swap, on_swapped);
        return;
    }
    buf_clear(&change->code);
    buf_clear(&change->config);
    buf_append(&change->code, wanted->code.data, wanted->code.size);
    buf_append(&change->config, wanted->config.data, wanted->config.size);
    change->phase = PHASE_HOLD;
    give(change, &sequencer->chore, &sequencer->inbox, hold, on_held);
}

/* A chore that nobody has begun is not begun any more. */
void change_wind_down(struct change *change)
{
    bool is_at_log = change->phase == PHASE_HOLD;
    bool is_at_state = change->phase == PHASE_KEEP || change->phase == PHASE_SWEEP;
    change->is_winding_down = true;
    if ((is_at_log && chore_take(&change->options.sequencer->chore) == &change->chore) ||
        (is_at_state && chore_take(&change->options.fold->chore) == &change->chore)) {
        if (change->phase == PHASE_SWEEP)
            end(change, 0);
        else if (must_end(change))
            give_up(change);
    } else if (change->look_at >= 0 && must_end(change)) {
        give_up(change);
    }
}

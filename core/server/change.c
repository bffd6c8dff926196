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
#include <sys/statvfs.h>

#define LOOK_PAUSE_MS 2 /* a checkpoint of little takes about as long */

#define RETRY_MS 1000

enum phase {
    PHASE_IDLE,
    PHASE_HOLD,
    PHASE_LOOK,
    PHASE_CHECK,
    PHASE_NOTE,
    PHASE_KEEP,
    PHASE_NAME,
    PHASE_SWEEP,
    PHASE_SWAP
};

struct change {
    struct chore chore; /* first */
    struct change_options options;
    struct change_wanted wanted;
    struct buf code, config;         /* wanted */
    struct buf code_now, config_now; /* in force */
    bool is_reserved, is_winding_down;
    enum phase phase;
    struct job job;
    int64_t look_at; /* boot ms, of the next attempt to look or to keep; -1: not now */
    int64_t late_at;
    bool is_quiet; /* state, log and engine stand at the same entry ... */
    bool has_bundle;
    uint8_t bundle[LOG_HASH_BYTES]; /* ... where these rules are in force */
    struct base base, floor;
    atomic_bool is_coming; /* the entry is on its way to the engine */
    int code_of_step;
    struct err err, told;
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

static void tell(struct change *change, int code)
{
    change->wanted.done(change->wanted.arg, code, &change->err);
}

static void end(struct change *change)
{
    change->phase = PHASE_IDLE;
    change->look_at = -1;
    change->wanted.over(change->wanted.arg);
}

static void give_up(struct change *change)
{
    release(change);
    tell(change, change->code_of_step);
    end(change);
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
    end((struct change *)mail);
}

/* -- Name ------------------------------------------------------------------------ */

static void on_named(void *arg, const struct submission *submission)
{
    struct change *change = arg;
    (void)submission;
    change->phase = PHASE_SWEEP;
    if (change->is_winding_down)
        end(change);
    else
        give_to_checkpoints(change, sweep, on_swept);
}

/* A `world` entry, which is written before anything else is told to clients. */
static void write_world(struct change *change, struct doc code, struct doc config,
                        submission_done_fn *done)
{
    struct submission *submission = submission_new(LOG_SYSTEM);
    struct doc_writer w;
    submission_begin(submission, &w);
    world_put(&w, code, config, &change->base, &change->floor);
    submission_end(submission, &w);
    submission->index = INDEX_WORLD;
    submission->must_not_fail = true;
    submission->wants_applied = true;
    submission->done = done;
    submission->arg = change;
    sequencer_post_own(change->options.sequencer, submission);
    mailbox_nudge(&change->options.sequencer->inbox);
}

/* -- Keep ------------------------------------------------------------------------ */

static void keep(struct chore *chore)
{
    struct change *change = (struct change *)chore;
    const struct change_options *options = &change->options;
    struct base base;
    change->code_of_step = base_write(options->dir, options->state, &base, &change->err);
    if (change->code_of_step != 0)
        return;
    ASSERT(base.seq == change->base.seq);
    change->base = base;
}

static void begin_to_keep(struct change *change);

static void on_kept(struct mail *mail, void *reader)
{
    struct change *change = (struct change *)mail;
    struct fold *fold = change->options.fold;
    (void)reader;
    if (change->code_of_step != 0 && strcmp(change->told.text, change->err.text) != 0)
        say("the state that the reloaded plugin began from cannot be kept, which is tried every "
            "second; until then there is no checkpoint: %s",
            change->err.text);
    if (change->code_of_step != 0) {
        change->told = change->err;
        change->look_at = now_ms(change) + RETRY_MS;
        change->options.wake(change->options.wake_arg);
        return;
    }
    change->told = (struct err){ 0 };
    atomic_store(&fold->keeps_base, false);
    mailbox_nudge(&fold->inbox);
    change->phase = PHASE_NAME;
    write_world(change, doc_of(&change->code_now), doc_of(&change->config_now), on_named);
}

static void begin_to_keep(struct change *change)
{
    change->phase = PHASE_KEEP;
    give_to_checkpoints(change, keep, on_kept);
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
    tell(change, 0);
    if (change->is_winding_down)
        end(change); /* the next start keeps the base: the state stays where it is */
    else
        begin_to_keep(change);
}

/* From here on no checkpoint may go beyond the base. */
static void note(struct change *change)
{
    change->phase = PHASE_NOTE;
    atomic_store(&change->options.fold->keeps_base, true);
    atomic_store(&change->is_coming, true);
    write_world(change, doc_of(&change->code), doc_of(&change->config), on_applied);
}

/* -- Check ----------------------------------------------------------------------- */

static int check_room(struct change *change)
{
    struct state_stats stats;
    struct statvfs disk;
    state_stats(change->options.state, &stats);
    if (statvfs(change->options.dir, &disk) != 0)
        return 0; /* then it shows when it is written */
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes > stats.used_bytes)
        return 0;
    return err_set(&change->err, E_FULL,
                   "a copy of the state is kept, of up to %zu MiB, and the disk has %llu MiB free",
                   (stats.used_bytes >> 20) + 1, (unsigned long long)(free_bytes >> 20));
}

static void check(struct chore *chore)
{
    struct change *change = (struct change *)chore;
    struct base before;
    int rc = check_room(change);
    if (rc == 0 && change->has_bundle && change->wanted.check != NULL)
        rc = change->wanted.check(change->wanted.arg, change->bundle, &change->err);
    if (rc == 0)
        rc = world_base(change->options.log, &before, &change->floor, &change->err);
    change->code_of_step = rc;
}

static void on_checked(struct mail *mail, void *reader)
{
    struct change *change = (struct change *)mail;
    int64_t logged;
    (void)reader;
    change->base = (struct base){ 0 };
    log_end(change->options.log, &change->base.seq, &logged);
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
        change->phase = PHASE_CHECK;
        give_to_checkpoints(change, check, on_checked);
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
    if (change->phase == PHASE_KEEP)
        begin_to_keep(change);
    else
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
    struct change *change = change_of(mail);
    (void)reader;
    tell(change, 0);
    end(change);
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

/* Whether what was to be done on a thread has not been begun there, and is not any more. */
static bool was_waiting(struct change *change)
{
    struct chore_slot *log = &change->options.sequencer->chore,
                      *state = &change->options.fold->chore;
    switch (change->phase) {
    case PHASE_HOLD:
        return chore_take(log) == &change->chore;
    case PHASE_CHECK:
    case PHASE_KEEP:
    case PHASE_SWEEP:
        return change->look_at >= 0 || chore_take(state) == &change->chore;
    default:
        return change->look_at >= 0;
    }
}

void change_wind_down(struct change *change)
{
    change->is_winding_down = true;
    if (!was_waiting(change))
        return;
    change->code_of_step = 0;
    if (change->phase == PHASE_KEEP || change->phase == PHASE_SWEEP)
        end(change);
    else if (must_end(change))
        give_up(change);
}

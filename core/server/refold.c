/* refold.c -- see refold.h. */
#include "core/server/refold.h"

#include "core/base/err.h"
#include "core/server/fold.h"
#include "core/server/sequencer.h"
#include "storage/log.h"
#include "storage/state.h"

static int hook_verdict(void *arg, uint64_t at_seq, struct buf *out)
{
    const struct refold_options *options = arg;
    return log_has_verdicts(options->log) ? log_get_verdict(options->log, at_seq, out, NULL)
                                          : E_NOTFOUND;
}

static int hook_blob(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                     struct err *err)
{
    return log_get_blob(((const struct refold_options *)arg)->log, hash, out, err);
}

static int hook_load_rules(void *arg, struct doc bundle, const struct config *config,
                           struct ruleset **out_rules, struct err *err)
{
    const struct refold_options *options = arg;
    return options->load_rules(options->load_arg, bundle, config, out_rules, err);
}

/* A rule that exceeds its memory only here: reported by the difference in the hash. */
static void hook_verdict_made(void *arg, uint64_t at_seq, struct doc verdict)
{
    (void)arg;
    (void)at_seq;
    (void)verdict;
}

/* Its daemon has, and what it lost then is in the log. */
static bool hook_was_applied(void *arg, uint64_t seq)
{
    (void)arg;
    (void)seq;
    return true;
}

static int64_t no_time(void *arg)
{
    (void)arg;
    return 0;
}

static int fold_all(struct fold *fold, const struct refold_options *options, struct err *err)
{
    int rc = fold_catch_up(fold, options->seq, err);
    if (rc != 0)
        return rc;
    rc = state_checkpoint(options->state, err); /* one that a full buffer began */
    state_settle(options->state);
    if (rc == 0 && state_freeze(options->state, engine_seq(fold->engine), engine_now(fold->engine)))
        rc = state_checkpoint(options->state, err);
    state_settle(options->state);
    return rc;
}

int refold(const struct refold_options *options, struct err *err)
{
    /* Live reports cannot come: the engine is never set live. */
    static const struct engine_hooks hooks = {
        .verdict = hook_verdict,
        .blob = hook_blob,
        .load_rules = hook_load_rules,
        .was_applied = hook_was_applied,
        .verdict_made = hook_verdict_made,
    };
    struct engine_options engine_options = {
        .state = options->state,
        .plugins = options->plugins,
        .hooks = &hooks,
        .arg = (void *)(uintptr_t)options,
    };
    struct engine *engine = NULL;
    int rc = engine_open(&engine_options, &engine, err);
    if (rc != 0)
        return rc;
    struct fold fold = {
        .engine = engine,
        .state = options->state,
        .log = options->log,
        .clock = { no_time, no_time, NULL },
        .dirty_since = -1,
    };
    mailbox_init(&fold.inbox, 0);
    mailbox_init(&fold.checkpoint, 0);
    rc = fold_all(&fold, options, err);
    engine_close(engine);
    fold_deinit(&fold);
    return rc;
}

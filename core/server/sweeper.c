/* sweeper.c -- see sweeper.h.
 *
 *     idle --start, a day--> waiting for a checkpoint --> at work --> idle
 *
 * The answer about the checkpoint may come when nobody wants it any more, or never: so it is an
 * allocation of its own, and the sweeper knows it.
 */
#include "core/server/sweeper.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/server/files.h"
#include "core/server/node.h"
#include "core/server/say.h"

#include <stdlib.h>
#include <uv.h>

struct sweeper {
    struct sweeper_options options;
    uv_timer_t timer;
    uv_work_t work;
    struct awaited *awaited; /* the checkpoint; NULL: none */
    bool is_at_work, is_stopped, is_wanted;
    int code;
    size_t left;
    struct err err;
};

struct awaited {
    struct job job;          /* first */
    struct sweeper *sweeper; /* NULL: nobody waits any more */
};

static void set_timer(struct sweeper *sweeper);

static void sweep(uv_work_t *work)
{
    struct sweeper *sweeper = work->data;
    const struct sweeper_options *options = &sweeper->options;
    sweeper->code =
        files_sweep(options->files, node_state(options->node),
                    options->clock.wall_ms(options->clock.arg), &sweeper->left, &sweeper->err);
}

static void on_swept(uv_work_t *work, int status)
{
    struct sweeper *sweeper = work->data;
    ASSERT(status == 0); /* nothing here is ever cancelled */
    sweeper->is_at_work = false;
    if (sweeper->code != 0)
        say("files that nobody names are not removed, which is tried again in a day: %s",
            sweeper->err.text);
    if (sweeper->code != 0 || sweeper->left != 0 || sweeper->is_wanted)
        set_timer(sweeper);
    sweeper->options.on_rest(sweeper->options.arg);
}

static void on_checkpoint(struct mail *mail, void *reader)
{
    struct awaited *awaited = (struct awaited *)mail;
    struct sweeper *sweeper = awaited->sweeper;
    (void)reader;
    free(awaited);
    if (sweeper == NULL)
        return;
    sweeper->awaited = NULL;
    sweeper->is_at_work = true;
    sweeper->work.data = sweeper;
    int rc = uv_queue_work(sweeper->options.loop, &sweeper->work, sweep, on_swept);
    ASSERT(rc == 0);
}

static void begin(struct sweeper *sweeper)
{
    if (sweeper->is_stopped || sweeper->is_at_work || sweeper->awaited != NULL)
        return;
    sweeper->is_wanted = false;
    sweeper->awaited = mem_zero(sizeof *sweeper->awaited);
    sweeper->awaited->job.mail.handle = on_checkpoint;
    sweeper->awaited->sweeper = sweeper;
    fold_await(node_fold(sweeper->options.node), &sweeper->awaited->job);
}

static void on_timer(uv_timer_t *timer)
{
    begin(timer->data);
}

static void set_timer(struct sweeper *sweeper)
{
    if (!sweeper->is_stopped && !uv_is_active((uv_handle_t *)&sweeper->timer))
        uv_timer_start(&sweeper->timer, on_timer, FILE_UNNAMED_MS, 0);
}

struct sweeper *sweeper_open(const struct sweeper_options *options)
{
    struct sweeper *sweeper = mem_zero(sizeof *sweeper);
    sweeper->options = *options;
    uv_timer_init(options->loop, &sweeper->timer);
    sweeper->timer.data = sweeper;
    return sweeper;
}

void sweeper_start(struct sweeper *sweeper)
{
    begin(sweeper);
}

void sweeper_wanted(struct sweeper *sweeper)
{
    sweeper->is_wanted = true;
    if (!sweeper->is_at_work && sweeper->awaited == NULL)
        set_timer(sweeper);
}

void sweeper_stop(struct sweeper *sweeper)
{
    sweeper->is_stopped = true;
    uv_timer_stop(&sweeper->timer);
    if (sweeper->awaited != NULL)
        sweeper->awaited->sweeper = NULL;
    sweeper->awaited = NULL;
}

bool sweeper_is_at_rest(const struct sweeper *sweeper)
{
    return !sweeper->is_at_work;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void sweeper_close(struct sweeper *sweeper)
{
    if (sweeper == NULL)
        return;
    ASSERT(!sweeper->is_at_work);
    sweeper_stop(sweeper);
    uv_close((uv_handle_t *)&sweeper->timer, on_closed);
}

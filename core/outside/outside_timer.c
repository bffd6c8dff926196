/* outside_timer.c -- timers and jobs.
 *
 * The newest timer stands first in its list, which is where those that are cancelled mostly stand:
 * a time-out is set for what then happens.  A timer is out of the list before it runs.
 */
#include "core/outside/outside_inside.h"

#include <stdlib.h>

struct timer {
    struct outside_item item; /* first */
    uv_timer_t handle;
    uint64_t id;
    void (*run)(void *arg);
    void *arg;
};

static void timer_close(struct timer *timer)
{
    timer->item.outside->timer_count--;
    outside_close_item(&timer->item, (uv_handle_t *)&timer->handle);
}

static void on_due(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    struct outside *outside = timer->item.outside;
    void (*run)(void *arg) = timer->run;
    void *arg = timer->arg;
    timer_close(timer);
    int64_t began = outside_enter(outside, CALL_TIMER);
    run(arg);
    outside_leave(outside, CALL_TIMER, began);
}

static int32_t set_timer(struct outside *outside, int64_t ms, void (*run)(void *arg), void *arg,
                         uint64_t *out_timer)
{
    if (run == NULL || ms < 0)
        return outside_refuse(outside, KITH_INVALID, "a timer needs a function, and no time ago");
    if (outside->timer_count >= PLUGIN_TIMERS_MAX)
        return outside_refuse(outside, KITH_LIMIT, "%d timers are set", PLUGIN_TIMERS_MAX);
    struct timer *timer = mem_zero(sizeof *timer);
    timer->id = ++outside->next_number;
    timer->run = run;
    timer->arg = arg;
    outside_link(&outside->timers, &timer->item, outside);
    outside->timer_count++;
    outside_hold(outside);
    uv_timer_init(outside->loop, &timer->handle);
    timer->handle.data = timer;
    uv_timer_start(&timer->handle, on_due, (uint64_t)ms, 0);
    if (out_timer != NULL)
        *out_timer = timer->id;
    return KITH_OK;
}

static int32_t host_timer(struct kith *kith, int64_t ms, void (*run)(void *arg), void *arg,
                          uint64_t *out_timer)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, NULL);
    if (code == KITH_OK)
        code = set_timer(outside, ms, run, arg, out_timer);
    return outside_end(outside, CALL_SET_TIMER, code);
}

static void host_cancel(struct kith *kith, uint64_t id)
{
    for (struct outside_item *item = kith->outside->timers; item != NULL; item = item->next)
        if (((struct timer *)item)->id == id) {
            timer_close((struct timer *)item);
            return;
        }
}

void outside_timers_host(struct kith_host *host)
{
    host->timer = host_timer;
    host->cancel = host_cancel;
}

void outside_timers_drop(struct outside *outside)
{
    while (outside->timers != NULL)
        timer_close((struct timer *)outside->timers);
}

/* -- Jobs -------------------------------------------------------------------------------------- */

struct job_timer {
    struct outside_item item; /* first */
    uv_timer_t handle;
    const struct kith_job *job;
};

static void on_job(uv_timer_t *handle)
{
    struct job_timer *timer = handle->data;
    struct outside *outside = timer->item.outside;
    int64_t began = outside_enter(outside, CALL_JOB);
    timer->job->run(outside->self);
    outside_leave(outside, CALL_JOB, began);
}

void outside_jobs_start(struct outside *outside)
{
    for (size_t i = 0; i < outside->plugin->job_count; i++) {
        const struct kith_job *job = &outside->plugin->jobs[i];
        struct job_timer *timer = mem_zero(sizeof *timer);
        timer->job = job;
        outside_link(&outside->jobs, &timer->item, outside);
        outside_hold(outside);
        uv_timer_init(outside->loop, &timer->handle);
        timer->handle.data = timer;
        uv_timer_start(&timer->handle, on_job, (uint64_t)job->every_ms, (uint64_t)job->every_ms);
    }
}

void outside_jobs_stop(struct outside *outside)
{
    while (outside->jobs != NULL) {
        struct job_timer *timer = (struct job_timer *)outside->jobs;
        outside_close_item(&timer->item, (uv_handle_t *)&timer->handle);
    }
}

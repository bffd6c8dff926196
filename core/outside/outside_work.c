/* outside_work.c -- threads of the host's on which a plugin may block.
 *
 * Not libuv's pool: there Kith's own reads of snapshots wait, and a plugin that hangs in a name
 * server would have them wait for it.  A plugin has PLUGIN_THREADS_MAX of its own, made when they
 * are wanted first, which sleep until the end.
 *
 *     work() --first--> waiting --take()--> a thread runs it --done--> the loop tells
 */
#include "core/outside/outside_inside.h"
#include "core/plugin/breadcrumb.h"

#include <stdlib.h>

struct outside_work {
    struct outside_work *next;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

/* -- On the threads ---------------------------------------------------------------------------- */

/* NULL: it is over. */
static struct outside_work *take(struct outside_works *works)
{
    works->idle++;
    while (works->first == NULL && !works->is_closed)
        pthread_cond_wait(&works->wanted, &works->mutex);
    works->idle--;
    struct outside_work *work = works->is_closed ? NULL : works->first;
    if (work != NULL) {
        works->first = work->next;
        if (works->first == NULL)
            works->last = &works->first;
        works->running++;
    }
    return work;
}

/* The place at which it is shown; OUTSIDE_WORKS_SHOWN: there is none. */
static size_t show(struct outside *outside)
{
    int64_t now = outside->clock.boot_ms(outside->clock.arg);
    for (size_t i = 0; i < OUTSIDE_WORKS_SHOWN; i++) {
        int64_t none = 0;
        if (atomic_compare_exchange_strong(&outside->numbers->works[i], &none, now))
            return i;
    }
    return OUTSIDE_WORKS_SHOWN;
}

static void unshow(struct outside *outside, size_t place)
{
    if (place < OUTSIDE_WORKS_SHOWN)
        atomic_store(&outside->numbers->works[place], 0);
}

size_t outside_works_count(const struct outside_numbers *numbers, int64_t now, int64_t *out_oldest)
{
    size_t count = 0;
    *out_oldest = 0;
    for (size_t i = 0; i < OUTSIDE_WORKS_SHOWN; i++) {
        int64_t since = atomic_load(&numbers->works[i]);
        if (since == 0)
            continue;
        count++;
        if (now - since > *out_oldest)
            *out_oldest = now - since;
    }
    return count;
}

/* With the mutex: the loop tells of it, where it is not kithd's own. */
static void wake(struct outside_works *works)
{
    if (works->has_wake)
        uv_async_send(&works->wake);
}

static void *serve(void *arg)
{
    struct outside *outside = arg;
    struct outside_works *works = &outside->works;
    struct outside_work *work;
    unsigned slot = breadcrumb_slot();
    pthread_mutex_lock(&works->mutex);
    while ((work = take(works)) != NULL) {
        size_t place = show(outside);
        wake(works);
        pthread_mutex_unlock(&works->mutex);
        int64_t began = clock_ns();
        breadcrumb_enter(slot, outside->plugin->number, 0, BREADCRUMB_WORK);
        work->work(work->arg);
        breadcrumb_leave(slot);
        unshow(outside, place);
        atomic_fetch_add(&outside->numbers->nanoseconds[CALL_WORK], (uint64_t)(clock_ns() - began));
        atomic_fetch_add(&outside->numbers->calls[CALL_WORK], 1);
        pthread_mutex_lock(&works->mutex);
        works->running--;
        work->next = works->done;
        works->done = work;
        wake(works);
    }
    pthread_mutex_unlock(&works->mutex);
    return NULL;
}

/* -- On the loop ------------------------------------------------------------------------------- */

/* What has run, the first first. */
static struct outside_work *collect(struct outside_works *works)
{
    struct outside_work *first = NULL, *next;
    pthread_mutex_lock(&works->mutex);
    struct outside_work *work = works->done;
    works->done = NULL;
    pthread_mutex_unlock(&works->mutex);
    for (; work != NULL; work = next) {
        next = work->next;
        work->next = first;
        first = work;
    }
    return first;
}

static void on_wake(uv_async_t *async)
{
    struct outside *outside = async->data;
    struct outside_work *work = collect(&outside->works), *next;
    for (; work != NULL; work = next) {
        next = work->next;
        outside->works.open--;
        if (work->done != NULL && !outside->is_over) {
            int64_t began = outside_enter(outside, CALL_DONE);
            work->done(work->arg);
            outside_leave(outside, CALL_DONE, began);
        }
        free(work);
    }
}

void outside_works_init(struct outside *outside)
{
    struct outside_works *works = &outside->works;
    pthread_mutex_init(&works->mutex, NULL);
    pthread_cond_init(&works->wanted, NULL);
    works->last = &works->first;
}

static void open_wake(struct outside *outside)
{
    struct outside_works *works = &outside->works;
    int rc = uv_async_init(outside->loop, &works->wake, on_wake);
    ASSERT(rc == 0);
    works->wake.data = outside;
    works->has_wake = true;
    outside_hold(outside);
}

/* With the mutex. */
static void add_thread(struct outside *outside)
{
    struct outside_works *works = &outside->works;
    if (works->idle != 0 || works->thread_count == PLUGIN_THREADS_MAX)
        return;
    if (pthread_create(&works->threads[works->thread_count], NULL, serve, outside) == 0)
        works->thread_count++;
}

static int32_t give(struct outside *outside, void (*run)(void *arg), void (*done)(void *arg),
                    void *arg)
{
    struct outside_works *works = &outside->works;
    if (run == NULL)
        return outside_refuse(outside, KITH_INVALID, "a work needs a function");
    if (works->is_closed)
        return outside_refuse(outside, KITH_BUSY, "the plugin comes to its end");
    if (works->open >= PLUGIN_WORKS_MAX)
        return outside_refuse(outside, KITH_BUSY, "%d works are under way", PLUGIN_WORKS_MAX);
    if (!works->has_wake)
        open_wake(outside);
    struct outside_work *work = mem_zero(sizeof *work);
    *work = (struct outside_work){ .work = run, .done = done, .arg = arg };
    works->open++;
    pthread_mutex_lock(&works->mutex);
    *works->last = work;
    works->last = &work->next;
    add_thread(outside);
    size_t threads = works->thread_count;
    pthread_cond_signal(&works->wanted);
    pthread_mutex_unlock(&works->mutex);
    ASSERT(threads != 0); /* a process that cannot make one can do nothing else either */
    return KITH_OK;
}

static int32_t host_work(struct kith *kith, void (*run)(void *arg), void (*done)(void *arg),
                         void *arg)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, "work");
    if (code == KITH_OK)
        code = give(outside, run, done, arg);
    return outside_end(outside, CALL_GIVE_WORK, code);
}

void outside_works_host(struct kith_host *host)
{
    host->work = host_work;
}

/* -- The end ----------------------------------------------------------------------------------- */

bool outside_works_close(struct outside *outside)
{
    struct outside_works *works = &outside->works;
    pthread_mutex_lock(&works->mutex);
    works->is_closed = true;
    bool is_at_rest = works->running == 0;
    pthread_cond_broadcast(&works->wanted);
    pthread_mutex_unlock(&works->mutex);
    return is_at_rest;
}

static void free_list(struct outside_work *work)
{
    for (struct outside_work *next; work != NULL; work = next) {
        next = work->next;
        free(work);
    }
}

static void on_wake_closed(uv_handle_t *handle)
{
    outside_release(handle->data);
}

/* Of one that is stuck the threads are left to themselves. */
void outside_works_drop(struct outside *outside)
{
    struct outside_works *works = &outside->works;
    pthread_mutex_lock(&works->mutex);
    bool has_wake = works->has_wake, is_stuck = works->running != 0;
    works->has_wake = false;
    pthread_mutex_unlock(&works->mutex);
    for (size_t i = 0; i < works->thread_count; i++)
        if (is_stuck)
            pthread_detach(works->threads[i]);
        else
            pthread_join(works->threads[i], NULL);
    if (has_wake)
        uv_close((uv_handle_t *)&works->wake, on_wake_closed);
    if (is_stuck)
        return;
    free_list(works->first);
    free_list(works->done);
    works->first = works->done = NULL;
}

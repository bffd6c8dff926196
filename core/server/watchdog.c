/* watchdog.c -- see watchdog.h. */
#include "core/server/watchdog.h"

#include "core/base/mem.h"
#include "core/server/node.h"
#include "core/server/notify.h"

#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#define TIMES 3 /* in the time that the manager waits */

struct watchdog {
    uv_timer_t timer;
    struct node *node;
    uint64_t writer, folder; /* turns, when they were last asked for one */
};

/* In ms; 0: nobody watches, or another process. */
static uint64_t period_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (usec == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    unsigned long long value = strtoull(usec, NULL, 10);
    return value == 0 ? 0 : value / 1000 / TIMES + 1;
}

static void ask(struct watchdog *watchdog)
{
    struct sequencer *sequencer = node_sequencer(watchdog->node);
    struct fold *fold = node_fold(watchdog->node);
    watchdog->writer = atomic_load(&sequencer->turns);
    watchdog->folder = atomic_load(&fold->turns);
    mailbox_nudge(&sequencer->inbox);
    mailbox_nudge(&fold->inbox);
}

static void on_timer(uv_timer_t *timer)
{
    struct watchdog *watchdog = timer->data;
    bool writer_lives = atomic_load(&node_sequencer(watchdog->node)->turns) != watchdog->writer;
    bool folder_lives = atomic_load(&node_fold(watchdog->node)->turns) != watchdog->folder;
    if (!writer_lives || !folder_lives)
        return; /* asked already */
    notify("WATCHDOG=1");
    ask(watchdog);
}

struct watchdog *watchdog_open(struct uv_loop_s *loop, struct node *node)
{
    uint64_t period = period_ms();
    if (period == 0)
        return NULL;
    struct watchdog *watchdog = mem_zero(sizeof *watchdog);
    watchdog->node = node;
    uv_timer_init(loop, &watchdog->timer);
    watchdog->timer.data = watchdog;
    uv_timer_start(&watchdog->timer, on_timer, period, period);
    ask(watchdog);
    return watchdog;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void watchdog_close(struct watchdog *watchdog)
{
    if (watchdog != NULL)
        uv_close((uv_handle_t *)&watchdog->timer, on_closed);
}

/* rule_watch.c -- see rule_watch.h. */
#include "core/server/rule_watch.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/server/node.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

struct rule_watch {
    uv_signal_t signal;
    struct node *node;
    atomic_bool *interrupt;
    timer_t timer;
    uint64_t turns; /* of the engine, at the look before */
};

static void look(uv_signal_t *signal, int number)
{
    struct rule_watch *watch = signal->data;
    uint64_t turns = atomic_load(&node_fold(watch->node)->turns);
    (void)number;
    if (turns == watch->turns)
        atomic_store(watch->interrupt, true);
    watch->turns = turns;
}

static void start(struct rule_watch *watch, int64_t cpu_ms)
{
    struct timespec period = { .tv_sec = cpu_ms / 1000, .tv_nsec = cpu_ms % 1000 * 1000000 };
    struct itimerspec times = { .it_interval = period, .it_value = period };
    int rc = timer_settime(watch->timer, 0, &times, NULL);
    ASSERT(rc == 0);
}

int rule_watch_open(struct uv_loop_s *loop, struct node *node, int64_t cpu_ms,
                    atomic_bool *interrupt, struct rule_watch **out_watch, struct err *err)
{
    struct rule_watch *watch = mem_zero(sizeof *watch);
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM };
    watch->node = node;
    watch->interrupt = interrupt;
    if (timer_create(node_engine_cpu(node), &event, &watch->timer) != 0) {
        free(watch);
        return err_set(err, E_IO, "cannot watch how long rules compute: %s", strerror(errno));
    }
    uv_signal_init(loop, &watch->signal);
    uv_unref((uv_handle_t *)&watch->signal);
    watch->signal.data = watch;
    uv_signal_start(&watch->signal, look, SIGVTALRM);
    start(watch, cpu_ms);
    *out_watch = watch;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void rule_watch_close(struct rule_watch *watch)
{
    if (watch == NULL)
        return;
    timer_delete(watch->timer);
    uv_close((uv_handle_t *)&watch->signal, on_closed);
}

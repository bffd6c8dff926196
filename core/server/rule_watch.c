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

#define LOOKS 2 /* in rule_cpu_ms: so a rule is ended before twice that */

struct rule_watch {
    uv_signal_t signal;
    struct node *node;
    atomic_bool *interrupt;
    timer_t timer;
    clockid_t cpu; /* of the engine's thread */
    int64_t cpu_ms;
    uint64_t turns; /* of the engine, when they were last seen to change ... */
    int64_t since;  /* ... and what the clock said then */
};

static int64_t read_ms(clockid_t clock)
{
    struct timespec now = { 0 };
    int rc = clock_gettime(clock, &now);
    ASSERT(rc == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Signals may come late and several at once, when the loop was held up: so it is the clock that
 * says how long the engine has been at it, and not their number. */
static void look(uv_signal_t *signal, int number)
{
    struct rule_watch *watch = signal->data;
    uint64_t turns = atomic_load(&node_fold(watch->node)->turns);
    int64_t now = read_ms(watch->cpu);
    (void)number;
    if (turns != watch->turns) {
        watch->turns = turns;
        watch->since = now;
    } else if (now - watch->since >= watch->cpu_ms) {
        atomic_store(watch->interrupt, true);
    }
}

static void start(struct rule_watch *watch)
{
    int64_t ms = watch->cpu_ms / LOOKS;
    struct timespec period = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
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
    watch->cpu = node_engine_cpu(node);
    watch->cpu_ms = cpu_ms;
    watch->since = read_ms(watch->cpu);
    if (timer_create(watch->cpu, &event, &watch->timer) != 0) {
        free(watch);
        return err_set(err, E_IO, "cannot watch how long rules compute: %s", strerror(errno));
    }
    uv_signal_init(loop, &watch->signal);
    uv_unref((uv_handle_t *)&watch->signal);
    watch->signal.data = watch;
    uv_signal_start(&watch->signal, look, SIGVTALRM);
    start(watch);
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

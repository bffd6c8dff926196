/* http_deadline.c -- queues sorted by construction; see http_deadline.h.
 *
 * Disarming never touches the timer.  It may then fire with nothing due, finds the
 * next deadline and sets itself to that; so a busy connection costs no timer work at
 * all, against a heap operation for each request with one uv_timer per connection.
 */
#include "core/http/http_deadline.h"

#include "core/base/mem.h"

#include <stddef.h>
#include <string.h>

static void on_timer(uv_timer_t *timer);

static void timer_set(struct http_deadlines *deadlines, uint64_t due_ms)
{
    uint64_t now_ms = uv_now(deadlines->timer.loop);
    deadlines->timer_due_ms = due_ms;
    int rc = uv_timer_start(&deadlines->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
    ASSERT(rc == 0);
}

static uint64_t next_due(const struct http_deadlines *deadlines)
{
    uint64_t due_ms = UINT64_MAX;
    for (int i = 0; i < HTTP_DEADLINE_KINDS; i++) {
        const struct http_deadline *first = deadlines->queues[i].next;
        if (first != &deadlines->queues[i] && first->due_ms < due_ms)
            due_ms = first->due_ms;
    }
    return due_ms;
}

static void expire(struct http_deadlines *deadlines, enum http_deadline_kind kind, uint64_t now_ms)
{
    struct http_deadline *queue = &deadlines->queues[kind];
    while (queue->next != queue && queue->next->due_ms <= now_ms) {
        struct http_deadline *first = queue->next;
        http_deadline_disarm(first);
        deadlines->fn(first->owner, kind);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct http_deadlines *deadlines = timer->data;
    uint64_t now_ms = uv_now(timer->loop);
    deadlines->timer_due_ms = UINT64_MAX;
    for (int i = 0; i < HTTP_DEADLINE_KINDS; i++)
        expire(deadlines, (enum http_deadline_kind)i, now_ms);
    uint64_t due_ms = next_due(deadlines);
    if (due_ms < deadlines->timer_due_ms && !uv_is_closing((uv_handle_t *)timer))
        timer_set(deadlines, due_ms);
}

void http_deadlines_init(struct http_deadlines *deadlines, uv_loop_t *loop,
                         const uint32_t durations[HTTP_DEADLINE_KINDS], http_expired_fn *fn)
{
    uv_timer_init(loop, &deadlines->timer);
    deadlines->timer.data = deadlines;
    deadlines->fn = fn;
    deadlines->timer_due_ms = UINT64_MAX;
    memcpy(deadlines->duration_ms, durations, sizeof deadlines->duration_ms);
    for (int i = 0; i < HTTP_DEADLINE_KINDS; i++) {
        deadlines->queues[i].prev = &deadlines->queues[i];
        deadlines->queues[i].next = &deadlines->queues[i];
    }
}

void http_deadline_arm(struct http_deadlines *deadlines, struct http_deadline *deadline,
                       enum http_deadline_kind kind, void *owner)
{
    struct http_deadline *queue = &deadlines->queues[kind];
    http_deadline_disarm(deadline);
    deadline->kind = kind;
    deadline->owner = owner;
    deadline->due_ms = uv_now(deadlines->timer.loop) + deadlines->duration_ms[kind];
    deadline->next = queue;
    deadline->prev = queue->prev;
    queue->prev->next = deadline;
    queue->prev = deadline;
    if (deadline->due_ms < deadlines->timer_due_ms)
        timer_set(deadlines, deadline->due_ms);
}

void http_deadline_disarm(struct http_deadline *deadline)
{
    if (deadline->next == NULL)
        return;
    deadline->prev->next = deadline->next;
    deadline->next->prev = deadline->prev;
    deadline->prev = NULL;
    deadline->next = NULL;
}

bool http_deadline_is(const struct http_deadline *deadline, enum http_deadline_kind kind)
{
    return deadline->next != NULL && deadline->kind == kind;
}

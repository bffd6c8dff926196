/* http_deadline.h -- time limits of a few fixed lengths, on one timer.
 *
 * There is one queue for each kind of limit.  As all limits of a kind last equally
 * long, appending keeps a queue sorted: arming and disarming are a few pointer
 * writes, and the loop's timer is touched only when an earlier limit appears.
 * An idle server with ten thousand connections wakes once per idle limit, not
 * once per connection.
 *
 * A deadline lives in its owner's memory, zeroed before first use.  Loop thread.
 */
#ifndef CORE_HTTP_HTTP_DEADLINE_H
#define CORE_HTTP_HTTP_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum http_deadline_kind {
    HTTP_DEADLINE_IDLE,    /* nothing under way between two requests */
    HTTP_DEADLINE_REQUEST, /* from the first to the last byte of a request */
    HTTP_DEADLINE_LINGER,  /* for the peer to close after us */
    HTTP_DEADLINE_WRITE,   /* for the peer to take a byte */
    HTTP_DEADLINE_ACCEPT,  /* until accepting is tried again */
    HTTP_DEADLINE_GRACE,   /* until a closing server cuts what is left */
    HTTP_DEADLINE_KINDS,
};

struct http_deadline {
    struct http_deadline *prev, *next; /* NULL when not armed */
    void *owner;
    uint64_t due_ms;
    enum http_deadline_kind kind;
};

/* A deadline has passed and is disarmed; it may be armed again at once. */
typedef void http_expired_fn(void *owner, enum http_deadline_kind kind);

struct http_deadlines {
    uv_timer_t timer;
    http_expired_fn *fn;
    struct http_deadline queues[HTTP_DEADLINE_KINDS]; /* ring heads */
    uint32_t duration_ms[HTTP_DEADLINE_KINDS];
    uint64_t timer_due_ms; /* UINT64_MAX while the timer is off */
};

/* `durations` in the order of the kinds; one left 0 may be set later, before its first
 * use.  `fn` gets every deadline that passes. */
void http_deadlines_init(struct http_deadlines *deadlines, uv_loop_t *loop,
                         const uint32_t durations[HTTP_DEADLINE_KINDS], http_expired_fn *fn);

/* Begin to count anew, whatever was armed before. */
void http_deadline_arm(struct http_deadlines *deadlines, struct http_deadline *deadline,
                       enum http_deadline_kind kind, void *owner);
void http_deadline_disarm(struct http_deadline *deadline);
bool http_deadline_is(const struct http_deadline *deadline, enum http_deadline_kind kind);

#endif

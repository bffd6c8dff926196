/* far.h -- the outside side of a plugin in a process of its own, seen from kithd.
 *
 * What home hands down goes over a socket (courier.h), and what the plugin sends up comes from
 * there; the process has an outside (outside.h) of its own.  Nothing of it is believed: a kind that
 * there is not, or a text longer than a plugin may send, ends it.
 *
 *     far_start() --begun()--> serving --far_stop()--> done()
 *                |                |
 *                +----------------+--> lost(): the process crashed, does not answer, talks rubbish
 *
 * A process that was handed something, and whose loop has not turned for FAR_PATIENCE_MS, hangs: it
 * is killed.  So is one that does not come to its end.  The loop's thread.
 */
#ifndef CORE_SERVER_FAR_H
#define CORE_SERVER_FAR_H

#include "core/outside/outside.h"

#define FAR_START_MS 10000   /* for start() */
#define FAR_LOOK_MS 1000     /* so long after something was handed down it is looked ... */
#define FAR_PATIENCE_MS 5000 /* ... whether it turns, and that has to be answered by then */
#define FAR_STOP_MS 2000     /* for stop(), beyond what works have */
#define FAR_END_MS 50        /* behind the end of its socket, for that of the process */

/* On the socket, beside what outside.h has: down ... */
enum far_down {
    FAR_START = 100, /* `number`: what goes up is numbered from there on */
    FAR_WIND_DOWN,
    FAR_STOP,
    FAR_PING, /* `number`: for the answer */
};

/* ... and up. */
enum far_up {
    FAR_STARTED = 200, /* {code, reason}: of start() */
    FAR_STOPPED,       /* {timers, watchers, works, fetches, wishes, stuck} */
    FAR_STATUS,        /* `number` of the channel; {window, wait_ms, target} */
    FAR_NUMBERS,       /* {calls, failures, nanoseconds: [...], slow}: since it began; {works} */
    FAR_PONG,
};

struct far;
struct remote_ends;

struct far_options {
    struct uv_loop_s *loop;
    const struct plugin *plugin; /* must outlive it */
    struct outside_ports ports;
    struct outside_numbers *numbers; /* added to; must outlive it */
    uint64_t first_number;           /* beyond any that the process before has used */
    /* start() has said so; else err->text says why not: then it is all over, and the process goes
     * on without an outside. */
    void (*begun)(void *arg, int code, const struct err *err);
    void (*lost)(void *arg, const char *why); /* the last that is heard of it */
    void *arg;
};

/* The ends are taken over. */
struct far *far_start(const struct far_options *options, const struct remote_ends *ends);

void far_down(struct far *far, enum outside_down kind, uint64_t number, struct doc doc);
void far_status(struct far *far, size_t channel, struct channel_status *out_status);
void far_wind_down(struct far *far);
/* As outside_stop(); also before it has begun. */
void far_stop(struct far *far, void (*done)(void *arg, const struct outside_rest *rest), void *arg);
/* Nothing is heard of it any more; what it has under way is lost.  NULL is allowed. */
void far_close(struct far *far);

#endif

/* outside_inside.h -- what the files of the outside share; nobody else includes this.
 *
 * Whatever has a handle of the loop is an item of a list, so that the end can find what was left.
 * A handle's memory goes when it has closed; the outside goes when its last handle has, after its
 * end.
 *
 * A function of kith_host begins with outside_allow(), which says no to whoever was not granted it
 * or has come to its end, and returns over outside_end(), which counts it and keeps the words of a
 * refusal.
 */
#ifndef CORE_OUTSIDE_OUTSIDE_INSIDE_H
#define CORE_OUTSIDE_OUTSIDE_INSIDE_H

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/outside/outside.h"
#include "core/plugin/plugin.h"

#include <pthread.h>
#include <uv.h>

struct fetch;
struct json_reader;

struct kith { /* what the plugin has in its hands */
    struct outside *outside;
};

struct outside_item { /* embed it first */
    struct outside_item *next, **link;
    struct outside *outside;
};

struct outside_works {
    pthread_mutex_t mutex;
    pthread_cond_t wanted;
    pthread_t threads[PLUGIN_THREADS_MAX];
    size_t thread_count, idle;
    struct outside_work *first, **last; /* that wait */
    struct outside_work *done;          /* that have run, the last first */
    size_t running, open;               /* open: given and not told of; the loop's */
    bool is_closed;
    uv_async_t wake;
    bool has_wake;
};

struct outside {
    struct kith kith;
    uv_loop_t *loop;
    const struct plugin *plugin;
    struct outside_ports ports;
    struct outside_numbers *numbers;
    struct kith_host host;
    void *self;
    bool is_inside; /* of a call into the plugin */
    bool is_winding_down;
    bool is_over;   /* it is called no more, and may call no more */
    struct err err; /* of the last call of the plugin's that was refused */
    struct clock clock;
    struct buf scratch;
    uint64_t next_number;
    struct outside_item *wishes, *timers, *jobs, *watchers, *listeners, *fetches, *requests,
        *parcels;
    size_t wish_count, timer_count, watcher_count, listener_count, fetch_count;
    struct outside_works works;
    struct fetch *public_fetch, *private_fetch;
    struct json_reader *reader;    /* of JSON; NULL: none was read yet */
    struct buf json, parsed, form; /* what came out of to_json(), from_json() and from_form() */
    uv_timer_t patience;           /* of the end ... */
    unsigned looks; /* ... and how often it was looked whether the works have ended */
    void (*stopped)(void *arg, const struct outside_rest *rest);
    void *stopped_arg;
    size_t handles; /* not closed yet */
    bool is_freed;  /* as soon as they are */
};

void outside_link(struct outside_item **list, struct outside_item *item, struct outside *outside);
void outside_unlink(struct outside_item *item);

/* A handle is the loop's from here on, until its memory goes. */
void outside_hold(struct outside *outside);
void outside_release(struct outside *outside);
/* Close a handle that is the first thing behind an item; then the item is freed. */
void outside_close_item(struct outside_item *item, uv_handle_t *handle);

/* -- Around calls ------------------------------------------------------------------------------ */

/* Every call into the plugin.  The time it begins, for outside_leave(). */
int64_t outside_enter(struct outside *outside, enum outside_call call);
void outside_leave(struct outside *outside, enum outside_call call, int64_t began_ns);
void outside_failed(struct outside *outside, enum outside_call call);

/* KITH_OK, or KITH_DENIED; `need` NULL: none. */
int32_t outside_allow(struct outside *outside, const char *need);
/* The words of a refusal, which the operator is told. */
__attribute__((format(printf, 3, 4))) int32_t outside_refuse(struct outside *outside, int32_t code,
                                                             const char *format, ...);
int32_t outside_end(struct outside *outside, enum outside_call call, int32_t code);

/* A document of the plugin's.  KITH_INVALID says what is wrong with it. */
int32_t outside_check(struct outside *outside, const char *what, struct kith_doc doc,
                      struct doc *out_doc);

/* Read a struct of theirs into a zeroed one of ours: as many bytes as both know. */
void outside_read(void *ours, size_t size, const void *theirs);
#define OUTSIDE_READ(ours, theirs) outside_read(&(ours), sizeof(ours), theirs)

/* Send it up, from the scratch buffer. */
int32_t outside_up(struct outside *outside, enum outside_up kind, uint64_t number, struct doc doc);

void outside_say(struct outside *outside, int32_t level, const char *line); /* any thread */

/* -- What there is, by file -------------------------------------------------------------------- */

void outside_wishes_host(struct kith_host *host); /* append, ask, files, deliver, pause, reply */
void outside_answer(struct outside *outside, uint64_t number, struct doc doc);
void outside_wishes_drop(struct outside *outside);

/* The request has been answered: what it pointed to goes. */
void outside_request_end(struct outside *outside, uint64_t number);
bool outside_request_is_open(const struct outside *outside, uint64_t number);
void outside_requests_drop(struct outside *outside);
void outside_parcels_drop(struct outside *outside);

void outside_timers_host(struct kith_host *host);
void outside_timers_drop(struct outside *outside);
void outside_jobs_start(struct outside *outside);
void outside_jobs_stop(struct outside *outside);

void outside_sockets_host(struct kith_host *host);
void outside_sockets_drop(struct outside *outside);
void outside_listen_host(struct kith_host *host);
void outside_listen_drop(struct outside *outside);

void outside_works_init(struct outside *outside);
void outside_works_host(struct kith_host *host);
bool outside_works_close(struct outside *outside); /* no more of them; whether none runs */
void outside_works_drop(struct outside *outside);  /* none runs */

void outside_fetch_host(struct kith_host *host);
void outside_fetch_drop(struct outside *outside);

void outside_json_host(struct kith_host *host);
void outside_json_drop(struct outside *outside);

#endif

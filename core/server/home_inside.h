/* home_inside.h -- what the files of the home share; nobody else includes this. */
#ifndef CORE_SERVER_HOME_INSIDE_H
#define CORE_SERVER_HOME_INSIDE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/event.h"
#include "core/plugin/set.h"
#include "core/server/api.h"
#include "core/server/fold.h"
#include "core/server/home.h"

#include <stdatomic.h>
#include <uv.h>

#define HOME_NAME_SIZE (sizeof "plugin:" + PLUGIN_NAME_MAX)

struct home_counter {
    char name[PLUGIN_NAME_MAX + 1];
    uint64_t value;
};

enum guest_state {
    GUEST_NEW,
    GUEST_QUARANTINED, /* it has crashed, and waits for a person */
    GUEST_STARTING,    /* its process has been told to */
    GUEST_SERVING,
    GUEST_LEAVING,  /* it is loaded anew: what is under way comes to its end ... */
    GUEST_CHANGING, /* ... and has, the next one has not begun */
    GUEST_AWAY,     /* its process was lost, another is to come */
    GUEST_FAILED,   /* it did not start */
    GUEST_STOPPED,
};

struct home_line { /* a channel */
    struct home_guest *guest;
    size_t index;
};

struct home_route { /* of route.plugin */
    struct home_guest *guest;
    const struct plugin *plugin; /* whose route it is: the guest's, as it was then */
    size_t index;
    struct buf openapi_bytes;
    struct doc openapi; /* what the plugin says of its operation; none: nothing */
};

/* All routes of a set.  Calls under way point into it, so it stays when another succeeds it. */
struct home_table {
    struct home_table *former;
    struct route *routes;
    struct home_route *owners;
    size_t count;
};

struct home_guest {
    struct home *home;
    const struct plugin *plugin;
    char name[HOME_NAME_SIZE]; /* "plugin:NAME" */
    struct outside_numbers numbers;
    int64_t works_told[OUTSIDE_WORKS_SHOWN]; /* that have not ended: numbers.works, as it was */
    struct outside *outside;                 /* that lives here; NULL: elsewhere */
    struct far *far;                         /* that lives elsewhere; NULL: nowhere now */
    uint64_t processes;                      /* that it has had */
    int pid; /* of its process, for /proc; 0: it has none of its own */
    struct home_face face;
    enum guest_state state;
    /* Why it did not start; NULL: it did, or was not to.  Any thread may look, so it stays where it
     * is for as long as the home. */
    const char *_Atomic failed;
    size_t wishes; /* events and requests under way */
    struct home_request *requests;
    size_t request_count;
    struct home_line *lines;  /* by channel */
    struct home_given *given; /* messages that it has not spoken of, the last first */
    size_t given_count;
    struct home_counter counters[PLUGIN_COUNTERS_MAX];
    size_t counter_count;
    _Atomic int64_t lines_since; /* boot ms of the minute that log() is counted in ... */
    _Atomic int64_t line_count;  /* ... and how many there were */
    bool is_forgetting;          /* it was asked to, and not all guests have */
    struct buf forgotten;        /* those who are being erased, whom it has forgotten: uint64_t */
};

struct home {
    struct home_options options;
    struct api *api; /* NULL: not started */
    struct home_guest *guests;
    size_t guest_count;
    struct home_table *table;
    struct home_table *coming; /* of the set that was tried; NULL: none was */
    uint64_t next_request;
    struct deliverer *deliverer;
    struct job look; /* who is quarantined */
    size_t starting; /* guests whose first start is under way */
    void (*started)(void *arg);
    void *started_arg;
    size_t stopping;      /* guests whose stop is under way */
    struct arena reasons; /* of those that did not start */
    bool is_winding_down;
    bool is_stopping; /* nobody answers any more */
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct buf scratch;
};

/* Hand it the answer to what went up under `number`; `result` none: an empty one. */
void home_answer(struct home_guest *guest, uint64_t number, int32_t status, struct doc result);
/* The same with {error}. */
void home_answer_error(struct home_guest *guest, uint64_t number, int32_t status,
                       const char *reason);

/* One more is under way: KITH_BUSY words when there are too many. */
int home_wish_begin(struct home_guest *guest, struct err *err);
void home_wish_end(struct home_guest *guest);

int home_append(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err);
int home_ask(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err);
int home_file_read(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err);
int home_file_write(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err);

int home_deliver(struct home_guest *guest, struct doc doc, struct err *err);
int home_pause(struct home_guest *guest, struct doc doc, struct err *err);

void home_forget_given(struct home_guest *guest);
void home_doubt_given(struct home_guest *guest, const char *why); /* nobody knows of any of it */
size_t home_under_way(const struct home_guest *guest); /* messages that wait for their outcome */

/* What a route says of itself in JSON.  E_INVALID. */
int home_read_openapi(struct home_route *route, struct err *err);
/* With `plugin` in the place of the one that `guest` is; both NULL: as they are. */
int home_make_table(struct home *home, const struct home_guest *guest, const struct plugin *plugin,
                    struct home_table **out_table, struct err *err);
void home_table_free(struct home_table *table); /* and those before it; NULL is allowed */
int home_reply(struct home_guest *guest, uint64_t number, struct doc doc, struct err *err);
size_t home_requests_at(const struct home_guest *guest); /* that it was handed */
/* The next one serves, or does not: those that came meanwhile. */
void home_requests_go_on(struct home_guest *guest);
void home_requests_hurry(struct home_guest *guest);             /* they have PLUGIN_STOP_MS */
void home_requests_end(struct home_guest *guest, bool is_lost); /* that it was handed: with 503 */

/* A wish of the guest that `arg` is. */
int32_t home_up(void *arg, enum outside_up kind, uint64_t number, struct doc doc, struct err *err);

/* home_life.c: where a guest lives */
bool home_has_outside(const struct plugin *plugin);
bool home_is_there(const struct home_guest *guest); /* it can be handed something, or will be */
void home_begin_guest(struct home_guest *guest);
void home_say_quarantined(const struct home_guest *guest); /* if it is */
void home_say_left(const struct home_guest *guest, const struct outside_rest *rest);

int home_count(struct home_guest *guest, struct doc doc, struct err *err);

#endif

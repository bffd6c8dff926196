/* outside.h -- the outside side of one plugin: what it may ask of its host, and what it is given.
 *
 * The same code runs in two places: on the loop of kithd, and on the loop of the process that an
 * isolated plugin has for itself.  So it is cut in two.  What needs nothing of the daemon is done
 * here with libuv, in whatever process that is: timers, jobs, descriptors, works, fetches.  All
 * else goes up to the daemon, or comes down from it, as a kind, a number and a document:
 *
 *     plugin --kith_host--> outside --up()--------> home: append, ask, files, deliver, reply ...
 *     plugin <--functions-- outside <--outside_down()-- home: messages, requests, answers ...
 *
 * At home `up` is a function (outside_home.h); in a child it writes to a socket, and what it reads
 * there goes into outside_down().
 *
 * A plugin is called from one thread, the loop's, but for its works, and never from inside of a
 * call of its own.  Every call into it passes outside_enter() and outside_leave()
 * (outside_inside.h): there it is counted, timed, and blamed.
 *
 * The loop's thread, but for the functions of kith_host that are for any thread.
 */
#ifndef CORE_OUTSIDE_OUTSIDE_H
#define CORE_OUTSIDE_OUTSIDE_H

#include "core/base/doc.h"
#include "core/outside/outside_numbers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel_status;
struct err;
struct outside;
struct plugin;
struct uv_loop_s;

/* What goes up.  Of the first four `number` comes back with the answer. */
enum outside_up {
    OUTSIDE_APPEND,     /* {type, customer, id, at, data, about} */
    OUTSIDE_ASK,        /* {method, path, body, staff, key, match} */
    OUTSIDE_FILE_READ,  /* {hash} */
    OUTSIDE_FILE_WRITE, /* {type, data} */
    OUTSIDE_DELIVER,    /* {effect, attempt, outcome, detail, wait_ms} */
    OUTSIDE_PAUSE,      /* {channel, reason} */
    OUTSIDE_REPLY,      /* `number` of the request; {status, headers: [[name, value]], body} */
    OUTSIDE_ERASED,     /* {customer, status} */
    OUTSIDE_LOG,        /* {level, line}; any thread */
    OUTSIDE_COUNT,      /* {name, by} */
};

/* What comes down. */
enum outside_down {
    OUTSIDE_ANSWER,  /* `number` of what went up; {status, result}; what was written or refused */
    OUTSIDE_SEND,    /* `number` of the channel; {effect, attempt, message} */
    OUTSIDE_REQUEST, /* `number`: for the answer; {route, method, path, query, params, headers,
                        body, key, staff, peer} */
    OUTSIDE_LATE,    /* `number` of a request that has been answered for the plugin */
    OUTSIDE_ERASE,   /* {customer} */
    OUTSIDE_REREAD,  /* the files of secrets may have changed */
};

struct outside_ports {
    void *arg;
    /* KITH_OK, or a refusal in words.  An answer never comes from inside.  `doc` is borrowed and
     * has been checked to be one. */
    int32_t (*up)(void *arg, enum outside_up kind, uint64_t number, struct doc doc,
                  struct err *err);
};

struct outside_options {
    struct uv_loop_s *loop;
    const struct plugin *plugin; /* must outlive it */
    struct outside_ports ports;
    struct outside_numbers *numbers; /* added to; must outlive it */
    uint64_t first_number;           /* what goes up has numbers beyond this one */
};

/* What was still there when stop() had returned; all of it has been removed. */
struct outside_rest {
    size_t timers, watchers, works, fetches, wishes;
    bool is_stuck;    /* a work does not end: stop() was not called, and its memory is lost */
    const char *hung; /* else what does not return, of one far away: "its start()"; NULL: nothing */
    const char *loss; /* how its process ended before stop() had returned; NULL: it has returned */
};

/* Call the plugin's start().  E_IO: it says that it cannot work, and why; then all is over, but the
 * loop must run once more for what is left.  A plugin without start() has no outside. */
int outside_start(const struct outside_options *options, struct outside **out_outside,
                  struct err *err);

/* Nothing new: jobs do not run any more.  What is under way goes on. */
void outside_wind_down(struct outside *outside);

/* Wait for works, at most PLUGIN_STOP_MS, call stop(), remove what is left; `done`, from the loop
 * or from inside, is the last that is heard of it.  Once. */
void outside_stop(struct outside *outside, void (*done)(void *arg, const struct outside_rest *rest),
                  void *arg);

/* Hand the plugin what came from home. */
void outside_down(struct outside *outside, enum outside_down kind, uint64_t number, struct doc doc);

/* How much a channel takes.  `target` lives until it is asked again. */
void outside_status(struct outside *outside, size_t index, struct channel_status *out_status);

/* How many things are asked for and unanswered, of the kinds that rest counts. */
void outside_open(const struct outside *outside, struct outside_rest *out_rest);

/* KITH_* for a code of ours. */
int32_t outside_code(int code);

/* {left behind} in words: "2 timers, 1 watched descriptor"; empty: nothing. */
#define OUTSIDE_REST_TEXT 200
void outside_rest_text(const struct outside_rest *rest, char out[OUTSIDE_REST_TEXT]);

#endif

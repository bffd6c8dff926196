/* restart.h -- what to do about a daemon that has crashed.
 *
 * The parent's judgement, apart from processes and clocks so that every case can be tried: is a
 * plugin to blame, must an entry be refused, how long to wait, when to give up.
 *
 * A crash of its own doing (SIGSEGV, SIGABRT, an exit() ...) in a plugin is the plugin's, at
 * once.  A signal from outside (the operator's; SIGKILL of a kernel short of memory) may meet a
 * plugin by chance, and of an _exit() it may be unknown whose it was: then it is blamed when the
 * same happens again at the same place.  Outside of entries a plugin may be at work for most of the
 * time, and two SIGKILLs say something only when they are less than CRASH_WINDOW_MS apart.  A
 * plugin that was blamed takes no part any more; if the daemon dies there once more all the same,
 * or dies twice at an entry in no plugin, then it is the entry, and nothing is applied from it on.
 *
 * Times are of one clock that goes on while the machine sleeps, in milliseconds.
 */
#ifndef CORE_SERVER_RESTART_H
#define CORE_SERVER_RESTART_H

#include "core/plugin/breadcrumb.h"

#define RESTART_PLACES_MAX 16 /* of crashes, that are remembered */

struct restart_history {
    struct breadcrumb_crash places[RESTART_PLACES_MAX]; /* the latest is written last */
    bool was_blamed[RESTART_PLACES_MAX];
    int64_t place_times[RESTART_PLACES_MAX]; /* of the last crash there */
    size_t place_count;
    int64_t starts[RESTART_PLACES_MAX]; /* private: when the last crashes were */
    size_t crash_count;                 /* of them, within the window */
    size_t idle_count; /* of those in a row that had not served, and shut nobody out */
    uint64_t refused_seq;
};

struct restart_decision {
    bool gives_up;
    bool is_plugins;      /* the plugin that `crash` names is to blame */
    int64_t pause_ms;     /* before the next start */
    uint64_t refused_seq; /* apply nothing from there on; 0: all */
};

/* The daemon has died at `now`.  `crash` says where; its `count` is set.  `served_since`: -1: it
 * never served. */
void restart_decide(struct restart_history *history, struct breadcrumb_crash *crash,
                    int64_t served_since, int64_t now, struct restart_decision *out_decision);

/* Whether a process that `signal` ended is one that crashed, and was not told to end. */
bool restart_is_crash(int signal);

#endif

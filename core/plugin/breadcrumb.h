/* breadcrumb.h -- where the daemon stands, in memory that outlives it.
 *
 * A plugin that crashes takes the whole process with it.  What must survive is which plugin it
 * was, at which entry and in which call: the breadcrumb.  It lies in one page that kithd's parent
 * (core/server/parent.h) shares with the daemon it forked, so that writing one is a few stores
 * and reading it needs nothing of the process that died.
 *
 *     slot of a thread:   which plugin, which call, which entry; up to three nested
 *     the engine:         which entry it applies, with or without a plugin
 *     the handler:        which thread it was that crashed
 *     from the parent:    what became of the runs before this one
 *
 * Without a parent (tests, the simulator, --no-parent) the crumbs go into memory of the process
 * itself, and nobody reads them.  Every call is cheap enough to be made always.
 *
 * Threads: each writes its own slot.  breadcrumb_applying() is for the thread that applies.  Names
 * and what is told to the parent are the loop's.  What the parent said does not change while the
 * daemon lives.
 */
#ifndef CORE_PLUGIN_BREADCRUMB_H
#define CORE_PLUGIN_BREADCRUMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BREADCRUMB_PLUGINS_MAX 32    /* that can be told apart */
#define BREADCRUMB_NAME_BYTES 64     /* of a plugin, with the NUL; what is longer is cut */
#define BREADCRUMB_FUNCTION_BYTES 40 /* of the name of one of its functions, likewise */
#define BREADCRUMB_BLAMES_MAX 4      /* plugins that crashed and are not in the log yet */

enum breadcrumb_slot {
    BREADCRUMB_ENGINE,
    BREADCRUMB_LOOP,
    BREADCRUMB_WORKER, /* the first of them */
    BREADCRUMB_SLOTS = 12,
    BREADCRUMB_NO_SLOT = BREADCRUMB_SLOTS /* of a thread too many: its crumbs are not kept */
};

struct breadcrumb_crash;

/* What the host has the plugin do. */
enum breadcrumb_call {
    BREADCRUMB_DESCRIBE, /* loading it: its constructors, and its one exported function */
    BREADCRUMB_START,
    BREADCRUMB_STOP,
    BREADCRUMB_EVENT,    /* a handler of the deterministic side ... */
    BREADCRUMB_TIMER,    /* ... a timer of it; or one of the outside side */
    BREADCRUMB_REDUCE,   /* ... a reducer */
    BREADCRUMB_FUNCTION, /* ... a function that Lua calls */
    BREADCRUMB_STATE,    /* ... merge, unmerge, export, erase, migrate */
    BREADCRUMB_SEND,     /* a channel */
    BREADCRUMB_SOURCE,
    BREADCRUMB_ROUTE,
    BREADCRUMB_JOB,
    BREADCRUMB_WATCH, /* a descriptor or a socket of the outside side */
    BREADCRUMB_WORK,  /* a blocking function, on a worker */
    BREADCRUMB_DONE,  /* what is called when a wish or a work has come to its end */
    BREADCRUMB_CALLS
};

const char *breadcrumb_call_name(enum breadcrumb_call call); /* "event", as a verdict says it */

/* -- Every thread that calls plugins ----------------------------------------------------------- */

/* The calling thread has this slot from here on, and a stack of its own for the handler that notes
 * who crashed, also when its stack has run over. */
void breadcrumb_attach(unsigned slot);

/* The slot of the calling thread; one without takes a free one of the workers' and keeps it. */
unsigned breadcrumb_slot(void);

/* Around each call into a plugin: its number, as it was named, and the entry at which it is
 * called (0: none).  May be nested.  Some nanoseconds. */
void breadcrumb_enter(unsigned slot, unsigned plugin, uint64_t seq, enum breadcrumb_call call);
void breadcrumb_leave(unsigned slot);

/* Behind breadcrumb_enter(): which of the plugin's functions it is, "visit".  The name is kept by
 * reference, and looked at when the process crashes. */
void breadcrumb_say(unsigned slot, const char *name);

/* The call in which the thread of a slot is, also from another thread: `turn` is this call's.
 * False: in none. */
bool breadcrumb_look(unsigned slot, struct breadcrumb_crash *out_call, uint32_t *out_turn);

/* End this process by SIGABRT, as hung in the call of that slot. */
_Noreturn void breadcrumb_end_hung(unsigned slot);

/* The engine begins to apply entry `seq`; 0: it has applied it. */
void breadcrumb_applying(uint64_t seq);

/* -- The daemon, at its start ------------------------------------------------------------------ */

struct breadcrumb_crash {
    char plugin[BREADCRUMB_NAME_BYTES];       /* "": none was on the stack */
    char function[BREADCRUMB_FUNCTION_BYTES]; /* "": not known which of its functions */
    uint64_t seq;                             /* the entry that was being applied; 0: none */
    uint64_t about;                           /* for which entry the plugin was called; 0: none */
    uint32_t call;                            /* enum breadcrumb_call, of a plugin */
    uint32_t count;                           /* crashes at this place, this one included */
    int32_t signal;                           /* 0: it called exit() or its like ... */
    uint8_t exit_code;                        /* ... with this code */
    bool is_own;  /* the thread's own doing, as far as the kernel says; else sent from outside */
    bool is_hang; /* sent by a watchdog, or by the daemon itself */
};

/* Once for each plugin that is loaded, before it is called: names are what outlives a run. */
void breadcrumb_name(unsigned plugin, const char *name);

/* The crash that ended the run before this one; NULL: this is the first run of the parent. */
const struct breadcrumb_crash *breadcrumb_last(void);
uint64_t breadcrumb_crashes(void); /* since the parent began */

/* The plugins that are to blame for crashes and are not in the log yet.  Each becomes a verdict
 * before anything is replayed; until they are, they come again at every start. */
const struct breadcrumb_crash *breadcrumb_blames(size_t *out_count);

/* The entry that ends the daemon whoever is called at it: it and all behind it must not be applied.
 * 0: none. */
uint64_t breadcrumb_refused_seq(void);

/* For the parent and the next run: the log has this run's beginning, with the verdicts, so that a
 * rebuild is not begun a second time; the daemon serves, since `boot_ms`, on `port`. */
void breadcrumb_note_opened(void);
bool breadcrumb_was_opened(void);
void breadcrumb_note_serving(int64_t boot_ms, uint16_t port);
uint16_t breadcrumb_port(void);             /* of the run before; 0: none */
void breadcrumb_note_data(const char *dir); /* a path that is longer than 400 bytes is not noted */
void breadcrumb_note_ended(void); /* all is written: a signal that comes now undoes nothing */

/* The daemon has come to its end by itself, with or without success, and what it exits with is its
 * own.  Whoever exits before that was not asked to: a plugin, most likely. */
void breadcrumb_note_returned(void);

/* Have it noted which thread crashes or exits, in processes whose parent reads it.  What was
 * installed for these signals (a sanitizer's, or nothing) follows, so that reports and core dumps
 * stay. */
void breadcrumb_watch_crashes(void);
bool breadcrumb_is_watched(void);

/* -- The parent -------------------------------------------------------------------------------- */

/* Have the page; before the first fork. */
void breadcrumb_share(void);

/* Before each fork: what the run before wrote is gone, what was said to it stays. */
void breadcrumb_begin(void);

/* Where the run that has ended by `signal` stood, with `count` 0 (and `exit_code` 0); signal 0: it
 * has exited.  And since when it had served, by the boot clock; -1: it never did. */
void breadcrumb_read(int signal, struct breadcrumb_crash *out_crash);
int64_t breadcrumb_serving_since(void);

bool breadcrumb_has_ended(void);
bool breadcrumb_has_returned(void);
const char *breadcrumb_data(void); /* "": not known */

/* What the next run is told. */
void breadcrumb_tell(const struct breadcrumb_crash *last, uint64_t refused_seq);
/* One more; false: that plugin is blamed already, or there are too many. */
bool breadcrumb_tell_blame(const struct breadcrumb_crash *crash);

#endif

/* kit_inside.h -- what the parts of the kit have in common; see kit.h. */
#ifndef CORE_PLUGIN_KIT_INSIDE_H
#define CORE_PLUGIN_KIT_INSIDE_H

#include "core/base/arena.h"
#include "core/plugin/call.h"
#include "core/plugin/kit.h"

struct err;

/* Everything in a plugin that can be called by the engine, in one list. */
enum kit_kind { KIT_HANDLER, KIT_FUNCTION, KIT_MERGE, KIT_UNMERGE, KIT_MIGRATE, KIT_GIVE };

struct kit_callee {
    enum kit_kind kind;
    size_t index; /* in the plugin's list of handlers, functions or states */
    kith_fn *run;
    const struct plugin_reads *reads; /* NULL: none */
    char who[80];                     /* "handler visit" */
    uint32_t told;                    /* findings of which kinds, by bit: each is told once */
    size_t calls, failures;
    size_t first_try, tries, left_out; /* in the list of tries; how many; of these not made */
    int64_t *ns; /* processor time of the calls, as many as there is room for */
};

#define KIT_TIMES_MAX 4096
#define KIT_CALLEES_MAX (PLUGIN_HANDLERS_MAX + PLUGIN_FUNCTIONS_MAX + 4 * PLUGIN_STATES_MAX)

enum kit_finding {
    KIT_DENIED,
    KIT_REFUSED,
    KIT_SILENT,
    KIT_DIFFERS,
    KIT_SLOW,
    KIT_HANGS,
    KIT_GROWS,
    KIT_HUNGRY,
    KIT_FAILS,
    KIT_ANSWERS,
    KIT_LATE,
    KIT_ENDLESS
};

struct probe {
    const struct kit_options *options;
    int out_fd;
    struct plugin plugin;
    struct kit_callee *callees;
    size_t callee_count;
    struct kith_call calls[2], *call; /* the last one that was made; NULL: none was */
    struct buf late;                  /* what the one before it was told after its end */
    struct arena arena;               /* of one call */
    struct buf writes, answer;
    long peak_kib;    /* the most memory so far; 0: not looked yet */
    int64_t clock_ns; /* of the processor, that looking at its clock takes */
    char step[32];    /* the one that is being made; "": none that could be left out */
    struct buf message, out;
    struct buf states[PLUGIN_STATES_MAX];  /* what the functions have kept, in one try */
    struct buf learned[PLUGIN_STATES_MAX]; /* what they have kept on an ordinary day */
};

/* One way to call one of them. */
struct kit_try {
    struct kit_callee *callee;
    size_t style, type; /* of a handler: the place in its types */
    bool is_row;        /* KIT_ROUNDS calls, each with what the one before has kept */
};

/* -- Telling (kit_probe.c) --------------------------------------------------------------------- */

/* Begin a message, in probe->message; and send it. */
struct doc_writer *kit_message(struct probe *probe, struct doc_writer *w);
void kit_say(struct probe *probe, struct doc_writer *w);

void kit_say_at(struct probe *probe, const char *who, const char *given);
/* `callee` NULL: of the whole, and always told. */
__attribute__((format(printf, 6, 7))) void kit_find(struct probe *probe, struct kit_callee *callee,
                                                    enum kit_finding kind, const char *given,
                                                    const char *todo, const char *format, ...);

/* A check that is not made: of whom, which, and why not. */
void kit_leave_out(struct probe *probe, const char *who, const char *given, const char *why);

/* What a try wanted, in probe->out. */
void kit_say_result(struct probe *probe, uint64_t number, const char *who, const char *given);

/* -- The description (kit_about.c) ------------------------------------------------------------- */

/* Who it is, and all that it declares: how many, and which. */
void kit_say_about(struct probe *probe);

/* -- Steps (kit_step.c) ------------------------------------------------------------------------ */

/* By whom a step is, and its number there: of what can be called, ... */
#define KIT_CALLEE 'c'
#define KIT_START 's'
#define KIT_STOP 'z'
#define KIT_CHANNEL 'n'
#define KIT_ROUTE 'r'
#define KIT_JOB 'j'
#define KIT_ERASED 'e'
#define KIT_ENTRY 'l' /* of a log, whose place is its number there */
#define KIT_FIRST 0        /* start() and stop(), the first time ... */
#define KIT_AGAIN 1        /* ... and again, to see what is left */
#define KIT_LEARN 0        /* ... of a callee, before its tries, which count from 1 ... */
#define KIT_MEMORY 1000000 /* ... and behind them: its memory, ... */
#define KIT_EVENTS 1000001 /* ... and what follows from each of its types */
#define KIT_STATUS 1000    /* of a channel ... */
#define KIT_LOOP 1001      /* ... what it does when it has been given everything */

/* Whether this step is to be made, which is then the one that is being made.  False: it has ended a
 * process before, or whoever it is of has too often. */
bool kit_step(struct probe *probe, char group, size_t index, size_t number);
bool kit_has_died(const struct probe *probe, char group, size_t index, size_t number);
/* `count` steps of `all` were not made: say so, but for those that have been told as crashes. */
void kit_tell_left_out(struct probe *probe, char group, size_t index, const char *who, size_t count,
                       size_t all, const char *calls);

/* -- One call (kit_one.c) ---------------------------------------------------------------------- */

struct kit_one {
    const struct plugin_source *source;
    const struct plugin_reads *reads; /* NULL: none */
    kith_fn *run;
    struct doc arguments;
    int64_t now;
};

/* plugin_call() in probe->call; what it wants is in probe->writes. */
int kit_call_one(struct probe *probe, const struct kit_one *one, struct err *err);
/* Whether the last one used the call before it. */
bool kit_was_late(const struct probe *probe);

/* -- Calling (kit_call.c) ---------------------------------------------------------------------- */

void kit_list_callees(struct probe *probe);
void kit_free_callees(struct probe *probe);
/* "Shop Visited, given texts" */
const char *kit_given(struct probe *probe, const struct kit_try *try);
/* The type of the event that a handler is given. */
struct text kit_type(const struct probe *probe, const struct kit_try *try);
bool kit_hears(const struct kith_handler *handler, struct text type);
/* The engine's time of call `round` of a try. */
int64_t kit_now(size_t round);
/* What is read in it. */
struct doc_value kit_read(struct probe *probe, const struct kit_try *try, size_t round,
                          const struct plugin_read *read);
/* Whether every event has this field, whatever the client sent. */
bool kit_is_given(struct text name);
/* What the last call keeps goes into `states`. */
void kit_keep_states(struct probe *probe, struct buf *states);
/* The next of what a call wanted: documents one behind another.  *at begins with 0. */
bool kit_next_write(const struct buf *writes, size_t *at, struct doc *out);
/* Make the calls of a try; what they wanted is in probe->out. */
void kit_run_try(struct probe *probe, const struct kit_try *try);
/* Remember what the handlers keep on an ordinary day. */
void kit_learn(struct probe *probe);
/* Whether the process has needed much more since the last time. */
void kit_watch_peak(struct probe *probe, const struct kit_try *try);
void kit_measure_clock(struct probe *probe);
/* Make the same call over and over: does memory grow? */
void kit_watch_memory(struct probe *probe, const struct kit_try *try);

/* -- What a call wants (kit_writes.c) ---------------------------------------------------------- */

/* Tell what the engine will refuse of it when it is done. */
void kit_judge_write(struct probe *probe, const struct kit_try *try, struct doc write);

/* -- What follows from events (kit_chain.c) -------------------------------------------------- */

/* Do the events that a handler's types lead to come to an end? */
void kit_follow_events(struct probe *probe, struct kit_callee *callee);

/* -- The outside side (kit_outside.c) ---------------------------------------------------------- */

/* From start() to stop(): the first time with all that it offers asked of it, again with its jobs.
 * False: it did not start. */
bool kit_live(struct probe *probe, bool is_first);

/* Its lives, and what is left after them (kit_rests.c). */
void kit_try_outside(struct probe *probe);

/* -- A log (kit_replay.c) ---------------------------------------------------------------------- */

/* Call the handlers for all that is in probe->options->log, and tell what they want. */
int kit_replay(struct probe *probe, struct err *err);

#endif

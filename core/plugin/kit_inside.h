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
    KIT_GROWS,
    KIT_HUNGRY,
    KIT_FAILS,
    KIT_ANSWERS
};

struct probe {
    const struct kit_options *options;
    int out_fd;
    struct plugin plugin;
    struct kit_callee *callees;
    size_t callee_count;
    struct kith_call call;
    struct arena arena; /* of one call */
    struct buf writes, answer;
    long peak_kib;    /* the most memory so far; 0: not looked yet */
    int64_t clock_ns; /* of the processor, that looking at its clock takes */
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

void kit_say_at(struct probe *probe, const char *who, const char *given);
/* `callee` NULL: of the whole, and always told. */
__attribute__((format(printf, 6, 7))) void kit_find(struct probe *probe, struct kit_callee *callee,
                                                    enum kit_finding kind, const char *given,
                                                    const char *todo, const char *format, ...);

/* What a try wanted, in probe->out. */
void kit_say_result(struct probe *probe, uint64_t number, const char *who, const char *given);

/* -- Calling (kit_call.c) ---------------------------------------------------------------------- */

void kit_list_callees(struct probe *probe);
void kit_free_callees(struct probe *probe);
/* "Shop Visited, given texts" */
const char *kit_given(struct probe *probe, const struct kit_try *try);
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

/* -- The outside side (kit_outside.c) ---------------------------------------------------------- */

/* From start() to stop(), with all that it offers asked of it. */
void kit_try_outside(struct probe *probe);

/* -- A log (kit_replay.c) ---------------------------------------------------------------------- */

/* Call the handlers for all that is in probe->options->log, and tell what they want. */
int kit_replay(struct probe *probe, struct err *err);

#endif

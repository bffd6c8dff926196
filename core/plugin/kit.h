/* kit.h -- trying a plugin out, in a process of its own.
 *
 * `kith plugin check` starts this process, because what it runs may crash, hang or scribble.  Here
 * everything that the plugin can be called for is called, with values as they come and as nobody
 * expects them (kit_cases.h), and what is seen is told through a pipe, a document at a time:
 *
 *     {at, given, step}                    about to call this: the last before a death is its cause
 *     {about: {name, version, about, handlers, functions, ..., declares: {handlers: [...], ...}}}
 *     {finding: {level, who, given, what, todo}}       level: "error", "warning", "not made"
 *     {result: N, who, given, out}         what the try number N wanted, for a comparison
 *     {times: [{who, calls, median_ns, longest_ns}]}
 *     {end: BOOL}                          it has come through; false: it could not be loaded
 *
 * Whoever hears of a death begins a new process, which makes all steps but those that died
 * (kit_step.c).  Over a log a step is an entry: whoever crashes at one goes on behind it, with what
 * was kept before it.
 *
 * That a function is pure is tried in four ways: each call is made twice; all are made in another
 * process, whose addresses, order of calls, fresh memory, zone and folder are others; that process
 * begins seconds later; and memory must not grow.  One thread.
 */
#ifndef CORE_PLUGIN_KIT_H
#define CORE_PLUGIN_KIT_H

#include "core/base/doc.h"

#define KIT_CALL_MS 5000      /* without a word from it a process hangs */
#define KIT_SLOW_NS 10000000  /* of the processor: half of all calls take longer */
#define KIT_HANG_NS 100000000 /* the same: in a process of its own no call may take so long */
#define KIT_MEMORY_BYTES (64u << 20)
#define KIT_ROUNDS 12 /* of calls after each other, each with what the one before has kept */
#define KIT_GROWTH_CALLS 2000
#define KIT_GROWTH_MS 200
#define KIT_DEATHS_MAX 40            /* processes that a plugin may end before it is enough */
#define KIT_LOG_DEATHS_MAX 20        /* the same over a log: each begins it anew */
#define KIT_TRY_BYTES_MAX (1u << 20) /* of what a try wanted that is told; of more a digest */

struct err;
struct kith_reply;
struct plugin;

/* What a daemon says of what a plugin asks of it: core/outside/asked.h; `scope` is
 * core/server/plugin_ask.h. */
struct kit_asked {
    int (*event)(const struct plugin *plugin, struct text type, int64_t at, struct doc data,
                 struct err *err);
    int (*request)(const struct plugin *plugin, struct text method, struct text path,
                   struct text staff, struct err *err);
    int (*scope)(const struct plugin *plugin, struct text method, struct text path,
                 struct err *err); /* of a request */
    int (*reply)(const struct kith_reply *reply, struct err *err);
    int (*file)(struct text hash, struct err *err);
    int (*pause)(const struct plugin *plugin, struct text channel, struct err *err);
    int (*count)(const char *name, int64_t by, struct err *err);
};

struct kit_options {
    const char *path; /* of the plugin */
    struct doc
        configs;   /* {NAME: config}, as operators write it; what is needed besides is made up */
    bool is_again; /* the second process */
    const char *deaths; /* the steps that ended a process, "c3.17 n0.4!", "!": by hanging; NULL */
    /* Whether the daemon would serve route `index` of it.  NULL: nobody knows. */
    int (*check_route)(const struct plugin *plugin, size_t index, struct err *err);
    const struct kit_asked *asked;
    const char *log; /* folder of a log whose events it is to hear of instead; NULL: made-up ones */
};

/* Returns the exit code of the process: 0 when the last document was written. */
int kit_probe(const struct kit_options *options, int out_fd);

#endif

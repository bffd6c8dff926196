/* call.h -- one call of a plugin's deterministic function: what it reads in, what it wants out.
 *
 * A call is pure.  What it may read comes from a source: the step of the engine, or a message that
 * came over a wire, or a test.  What it wants is written down, one document behind another, and
 * nothing happens; whoever called does it afterwards, or does not (writes.h).  So a plugin in the
 * daemon, one in a process of its own and one under test run through the same code, and two runs
 * can be compared byte for byte.
 *
 * One thread a call.
 */
#ifndef CORE_PLUGIN_CALL_H
#define CORE_PLUGIN_CALL_H

#include "core/engine/plugins.h"
#include "core/plugin/plugin.h"

struct err;

#define PLUGIN_WRITES_BYTES_MAX (1u << 20) /* of all that one call wants */
#define PLUGIN_CALL_WORDS 256

_Static_assert(PLUGIN_STATES_MAX <= 32, "kith_call.converted_states has a bit for each");

/* Where the values of a call come from.  What is returned is borrowed until the call has ended. */
struct plugin_source {
    void *arg;
    struct doc_value (*read)(void *arg, const struct plugin_read *read);
    /* The document under plugin->states[index], as it was kept by its version. */
    struct doc (*state)(void *arg, size_t index, int64_t *out_version);
};

/* kith.h gives it its name; nobody but call.c looks inside. */
struct kith_call {
    const struct plugin *plugin;
    const struct plugin_reads *reads;
    const struct plugin_source *source;
    struct doc arguments; /* none: it has none */
    int64_t now;
    struct buf *writes; /* what it wants; cleared by plugin_call() */
    struct buf *answer; /* {answer: VALUE}; cleared, and empty when it has not answered */
    /* States of an older version, as they are today, by their place; made when asked for. */
    struct buf converted[PLUGIN_STATES_MAX];
    uint32_t converted_states; /* bits of those that are */
    uint32_t hooks_failed;     /* of those that were to convert them; set by plugin_call() */
    uint8_t decimals[PLUGIN_READS_MAX][16];
    int32_t refused; /* what the last call was answered that was refused, KITH_OK: none was */
    char words[PLUGIN_CALL_WORDS];
};

/* Run `fn` inside of `call`, whose members up to `answer` are the caller's.  Returns 0, or
 * E_INVALID with the plugin's words; then `writes` is empty. */
int plugin_call(struct kith_call *call, kith_fn *fn, struct err *err);

/* The hook of a state for that; NULL: it has none. */
kith_fn *plugin_state_hook(const struct kith_state *state, enum plugin_fold what);

/* What the last call answered; of type DOC_NONE: nothing. */
struct doc_value plugin_answer(const struct kith_call *call);

#endif

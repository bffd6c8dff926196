/* plugins.h -- what the engine knows of plugins, whoever loaded them.
 *
 * Handlers hear of an event before any rule does, in order of the plugins' names, each inside a
 * savepoint as rules are.  How a plugin computes, in this process or in another, is its host's
 * business; what it wants it asks of step.h, and keeps in documents that lie with the customer.
 *
 * A plugin that crashed or hung is **quarantined**: from the event on at which it did so it takes
 * no part in anything.  What it should have heard of is parked, and handed to it in order when it
 * is enabled again; until the last of these it hears of nothing new.  When it crashed is not for a
 * replay to find out: a verdict says so (docs/log.md).  So where a replay loses one and no verdict
 * says so, it makes the call again in another process, as a call is a pure function.
 *
 * Engine thread only.
 */
#ifndef CORE_ENGINE_PLUGINS_H
#define CORE_ENGINE_PLUGINS_H

#include "core/base/doc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct kind;
struct log_entry;
struct rule;
struct step;

enum plugin_outcome {
    PLUGIN_OK,
    PLUGIN_FAILED,  /* its own error, or what it wanted makes no sense: deterministic */
    PLUGIN_CRASHED, /* these two become verdicts */
    PLUGIN_HUNG,
};

/* What becomes of a document of a customer's when she is merged, or the plugin is another. */
enum plugin_fold { PLUGIN_MERGE, PLUGIN_UNMERGE, PLUGIN_MIGRATE, PLUGIN_GIVE };

/* A function that rules call as PLUGIN.NAME { ... }. */
struct plugin_function {
    struct text name;
    size_t plugin;            /* the place of its plugin */
    const char *const *takes; /* the names that its table may have; NULL: any */
};

/* The plugins of one moment.  All of it is the host's memory, and lives until the engine is given
 * others. */
struct plugins {
    const struct text *names; /* in order */
    size_t count;
    struct rule *handlers; /* "PLUGIN.HANDLER", those of one plugin together, in order of names */
    const size_t *owners;  /* by handler: the place in `names` */
    size_t handler_count;
    const struct plugin_function *functions; /* of all plugins, those of one together */
    size_t function_count;
    const struct kind *kinds;  /* of records, that they declare, those of one plugin together */
    const size_t *kind_owners; /* by kind: the place in `names` */
    size_t kind_count;

    /* Run handlers[index] on what `step` hears of. */
    enum plugin_outcome (*run)(struct plugins *plugins, size_t index, struct step *step,
                               struct err *err);
    /* Handler `index` will probably be run on what `step` hears of, before anything else happens to
     * this customer (`is_first`), or behind something that does; begin with it if that helps.  Then
     * post(), once.  Both NULL: it does not help. */
    void (*foresee)(struct plugins *plugins, size_t index, struct step *step, bool is_first);
    void (*post)(struct plugins *plugins);
    /* Call function number `function` of all plugins' for a rule of the step.  The answer lies in
     * the step's arena. */
    enum plugin_outcome (*call)(struct plugins *plugins, size_t function, struct step *step,
                                struct doc arguments, struct doc_value *out_answer,
                                struct err *err);
    /* The version that documents under `key` are kept with; 0: the plugin has none of that name. */
    int64_t (*version)(struct plugins *plugins, size_t plugin, struct text key);
    /* What the plugin makes of its document under `key`; none: it leaves that to us.  The answer
     * lies in `arena`. */
    enum plugin_outcome (*fold)(struct plugins *plugins, size_t plugin, enum plugin_fold what,
                                struct text key, struct doc arguments, struct arena *arena,
                                struct doc *out, struct err *err);
    /* That hook is not called, as the plugin is away: whether there is one.  NULL: there is. */
    bool (*pass_over)(struct plugins *plugins, size_t plugin, enum plugin_fold what,
                      struct text key);
    /* Another process for the plugin, of the same file, with nothing left of what the one before
     * did; false: it has none of its own, or none can be begun.  NULL: none of them has. */
    bool (*renew)(struct plugins *plugins, size_t plugin);
};

/* How a plugin was lost and in which function, for people; with the NUL, what is longer is cut. */
#define PLUGIN_REASON_BYTES 160

/* How many more processes a fold tries a call in that was lost without a verdict. */
#define PLUGIN_TRIES_MAX 2

struct engine;

/* From the next entry on; NULL: none.  The caller frees the ones before, when it has loaded the
 * rules in force anew: they hold numbers of functions. */
void engine_set_plugins(struct engine *engine, struct plugins *plugins);

/* These entries will be applied next, in this order: plugins that live elsewhere may begin with
 * them.  Changes nothing but when they are asked.  At most ENGINE_FORESEEN_MAX are looked at. */
#define ENGINE_FORESEEN_MAX 100
bool engine_foresees(const struct engine *engine); /* whether there is any use in it */
void engine_foresee(struct engine *engine, const struct log_entry *entries, size_t count);

/* Whether this plugin may be called now: it is not quarantined, nor behind. */
bool engine_plugin_is_there(const struct engine *engine, struct text name);

size_t plugins_quarantined(struct engine *engine); /* loaded or not */

/* Whether the plugins in force can read what is kept.  E_CONFLICT: a document is of a later version
 * than its plugin declares; names both.  Looks at every customer. */
int plugins_check_kept(struct engine *engine, struct err *err);

/* Append {plugins: [{name, quarantined: {seq, n, kind, reason, since}, parked, missed}, ...]} to an
 * open document: those of which there is anything to say. */
void plugins_show(struct engine *engine, struct doc_writer *w);

/* -- For the host, on behalf of a plugin, inside run() or a rule that called it ---------------- */

/* From here on what is asked of the step is asked by this plugin; empty: by the rule again. */
void step_set_plugin(struct step *step, struct text plugin);

/* The plugin's document of the step's subject, in the arena; none: there is none.  *out_version is
 * that of the plugin that kept it. */
void step_document(struct step *step, struct text plugin, struct text key, struct doc *out_doc,
                   int64_t *out_version);
/* E_LIMIT: larger than limits.plugin_state_bytes.  None removes it. */
int step_keep_document(struct step *step, struct text plugin, struct text key, int64_t version,
                       struct doc doc, struct err *err);

/* A field of the customer as rules read it: id, kind, owner, tags, roles, else a trait. */
struct doc_value step_customer_field(struct step *step, struct text name);

/* For a rule that is running: call functions[function].
 * E_BUSY: it is quarantined, or is so from now on; else the plugin's own error. */
int step_call_plugin(struct step *step, size_t function, struct doc arguments,
                     struct doc_value *out_answer, struct err *err);

#endif

/* set_inside.h -- what the files of a set share; nobody else includes this. */
#ifndef CORE_PLUGIN_SET_INSIDE_H
#define CORE_PLUGIN_SET_INSIDE_H

#include "core/base/err.h"
#include "core/engine/event.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"
#include "core/plugin/call.h"
#include "core/plugin/remote.h"
#include "core/plugin/set.h"

struct place { /* where a handler or function counted over all plugins stands */
    size_t plugin, index;
};

struct plugin_set {
    struct plugins engine; /* first */
    struct plugin *plugins[PLUGINS_MAX];
    struct remote *remotes[PLUGINS_MAX]; /* NULL: in this process */
    bool is_isolated[PLUGINS_MAX];
    size_t count;
    struct text names[PLUGINS_MAX];
    struct rule *handlers;
    size_t *owners;
    struct place *handler_places, *function_places;
    struct plugin_function *functions;
    bool is_view;
    bool is_shared[PLUGINS_MAX];     /* the plugin is freed with a former set */
    struct plugin_set *former;       /* freed with this one; NULL: none */
    struct buf writes, answer, item; /* of the call in progress */
    struct arena arena;              /* names */
};

/* -- set_call.c: what the engine calls --------------------------------------------------------- */
enum plugin_outcome set_run(struct plugins *plugins, size_t index, struct step *step,
                            struct err *err);
void set_foresee(struct plugins *plugins, size_t index, struct step *step, bool is_first);
void set_post(struct plugins *plugins);
enum plugin_outcome set_call(struct plugins *plugins, size_t function, struct step *step,
                             struct doc arguments, struct doc_value *out_answer, struct err *err);
int64_t set_version(struct plugins *plugins, size_t index, struct text key);
enum plugin_outcome set_fold(struct plugins *plugins, size_t index, enum plugin_fold what,
                             struct text key, struct doc arguments, struct arena *arena,
                             struct doc *out, struct err *err);
bool set_pass_over(struct plugins *plugins, size_t index, enum plugin_fold what, struct text key);
bool set_renew(struct plugins *plugins, size_t index); /* set.c */

/* So many migrate hooks failed in one call, as whoever made it says. */
void set_count_hooks(struct plugin *plugin, int64_t failed);

/* The step as a source of values. */
struct step_source {
    struct step *step;
    const struct plugin *plugin;
};
struct doc_value step_source_read(void *arg, const struct plugin_read *read);
struct doc step_source_state(void *arg, size_t index, int64_t *out_version);

/* -- set_far.c: the same, in another process.  All leave what is wanted in set->writes. -------- */
enum plugin_outcome far_call(struct plugin_set *set, size_t place, int kind, size_t index,
                             struct step *step, struct doc arguments, struct err *err);
enum plugin_outcome far_fold(struct plugin_set *set, size_t place, size_t state,
                             enum plugin_fold what, struct doc arguments, struct err *err);

#endif

/* set.h -- the plugins of a daemon, as its engine sees them.
 *
 * A set is made once, of plugins in the order of their names, and constant.  What runs in it
 * belongs to the thread that has the set: the engine's.  When one of its plugins is loaded anew
 * another set succeeds it, in the same order, so that a place means the same plugin in both.
 */
#ifndef CORE_PLUGIN_SET_H
#define CORE_PLUGIN_SET_H

#include "core/engine/plugins.h"
#include "core/plugin/plugin.h"

#define PLUGINS_MAX 32

struct err;
struct plugin_set;
struct remote;
struct remote_ends;

struct plugin_member {
    struct plugin *plugin;
    struct remote *remote; /* NULL: in this process */
};

/* Takes the members over.  E_INVALID: two have one name; E_LIMIT: more than PLUGINS_MAX. Then they
 * are still the caller's. */
int plugin_set_new(const struct plugin_member *members, size_t count, struct plugin_set **out_set,
                   struct err *err);
void plugin_set_free(struct plugin_set *set); /* and its plugins; NULL is allowed */

/* The same plugins for another engine, whichever thread has that: a log is folded anew, an import
 * is tried, while the first goes on.  Those that are isolated get further processes, so it may take
 * a while and fail as remote_open() does.  It must be freed before `set`; of NULL it is NULL. */
int plugin_set_view(const struct plugin_set *set, struct plugin_set **out_view, struct err *err);

/* Another process for isolated plugin `index`, as it was loaded; E_CONFLICT: its file is another.
 * Any thread. */
int plugin_set_another(const struct plugin_set *set, size_t index, struct remote **out_remote,
                       struct err *err);
/* Use it from now on; the one before is closed.  The thread that has the set. */
void plugin_set_replace(struct plugin_set *set, size_t index, struct remote *remote);
/* Of isolated plugin `index`: its remote_ends().  As long as nobody replaces it. */
int plugin_set_ends(const struct plugin_set *set, size_t index, struct remote_ends *out_ends,
                    struct err *err);
bool plugin_set_is_isolated(const struct plugin_set *set, size_t index);

/* The same plugins, but `index`, which is `member`, of the same name and taken over.  Until it
 * succeeds it can be looked at and given to deploy_check(), but not run. */
struct plugin_set *plugin_set_exchange(const struct plugin_set *set, size_t index,
                                       const struct plugin_member *member);
/* `set` takes over the processes of those that are in both; `former`, which is freed with it, runs
 * no more, but whoever looks at it still can.  The thread that has them. */
void plugin_set_succeed(struct plugin_set *set, struct plugin_set *former);

struct plugins *plugin_set_engine(struct plugin_set *set);
size_t plugin_set_count(const struct plugin_set *set); /* NULL: 0 */
const struct plugin *plugin_set_at(const struct plugin_set *set, size_t index);

/* For the world: {NAME: {version, config}, ...} for its config, {NAME: hash, ...} for its code, as
 * fields `plugins` of an open document; without plugins nothing.  A plugin is configured when it is
 * loaded, and computes with that whatever world an entry is of, so the hash is one of both. */
void plugin_set_put_config(const struct plugin_set *set, struct doc_writer *w);
void plugin_set_put_code(const struct plugin_set *set, struct doc_writer *w);

#endif

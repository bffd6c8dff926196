/* plugins.h -- the plugins that kith.lua names, loaded before anything else is opened.
 *
 * What they are is part of the world: a hash of each file and of what it is configured with of its
 * code, what each is configured with of its config, and so are the channels that they bring.
 *
 * One thread; in the daemon the loop's, once at the start.
 */
#ifndef CORE_SERVER_PLUGINS_H
#define CORE_SERVER_PLUGINS_H

#include <stddef.h>

struct err;
struct plugin_member;
struct plugin_set;
struct plugin_settings;
struct settings;

/* Load them all, or none; `settings` is finished anew with what they add.  *out_set is NULL when
 * there are none.  E_INVALID, E_VERSION, E_DENIED, E_IO, E_CONFLICT: words for the operator. */
int plugins_load(struct settings *settings, struct plugin_set **out_set, struct err *err);

/* The same for who only wants to know what rules meet: each plugin is in a process of its own,
 * whatever the operator says, so that none can take this one along, and no secret is read. */
int plugins_load_for_trial(struct settings *settings, struct plugin_set **out_set, struct err *err);

/* Whether a start with these settings would load them all, secrets and everything: in processes of
 * their own again, while those that are in force go on.  Any thread, for as long as it takes to
 * begin so many processes. */
int plugins_try(struct settings *settings, struct plugin_set **out_set, struct err *err);

/* Load one of them from the folder, as breadcrumb `number`, into this process or into one of its
 * own.  Errors are those of plugin_load() and remote_open().  Any thread. */
int plugins_open(const char *dir, const struct plugin_settings *wanted, unsigned number,
                 struct plugin_member *out_member, struct err *err);

/* Append "visits reads records.repairs, ..." of each kind that neither the engine nor one of these
 * plugins knows: a bundle may declare it later, or it is misspelt.  How many; `plugins` may be
 * NULL.  Engine's thread. */
struct buf;
struct engine;
size_t plugins_lack_kinds(const struct plugin_set *plugins, struct engine *engine, struct buf *out);

/* Whether `wanted` could read what `now`, the same plugin, keeps.  E_CONFLICT: a state of it has an
 * earlier version. */
struct plugin;
int plugins_check_states(const struct plugin *now, const struct plugin *wanted, struct err *err);

/* Whether no two of them declare a kind of one name, nor one that is called as another plugin is.
 * E_CONFLICT, E_LIMIT. */
int plugins_check_kinds(struct plugin_set *plugins, struct err *err);

/* Finish `settings` anew with what the plugins add.  E_CONFLICT: with a channel of kith.lua's;
 * E_INVALID: one of them is to send by a channel that nobody brings.
 * Whichever thread has the settings. */
int plugins_add_to_config(struct settings *settings, const struct plugin_set *set, struct err *err);

/* The settings with what the plugins of `loaded` have added to those, so that the two can be
 * compared. */
void plugins_carry_over(struct settings *settings, const struct settings *loaded);

#endif

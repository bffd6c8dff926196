/* plugins.h -- the plugins that kith.lua names, loaded before anything else is opened.
 *
 * What they are is part of the world: the hash of each file of its code, what each is configured
 * with of its config, and so are the channels that they bring.
 *
 * One thread; in the daemon the loop's, once at the start.
 */
#ifndef CORE_SERVER_PLUGINS_H
#define CORE_SERVER_PLUGINS_H

struct err;
struct plugin_set;
struct settings;

/* Load them all, or none; `settings` is finished anew with what they add.  *out_set is NULL when
 * there are none.  E_INVALID, E_VERSION, E_DENIED, E_IO, E_CONFLICT: words for the operator. */
int plugins_load(struct settings *settings, struct plugin_set **out_set, struct err *err);

/* The same for who only wants to know what rules meet: each plugin is in a process of its own,
 * whatever the operator says, so that none can take this one along, and no secret is read. */
int plugins_load_for_trial(struct settings *settings, struct plugin_set **out_set, struct err *err);

/* The settings with what the plugins of `loaded` have added to those, so that the two can be
 * compared. */
void plugins_carry_over(struct settings *settings, const struct settings *loaded);

#endif

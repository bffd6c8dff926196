/* plugin_ask.h -- what a plugin may ask of the HTTP interface: by what it needs it has scopes, as a
 * key has.  A daemon answers 403 to all else, and `kith plugin check` says so without one.
 *
 * Pure; any thread.
 */
#ifndef CORE_SERVER_PLUGIN_ASK_H
#define CORE_SERVER_PLUGIN_ASK_H

#include "core/base/doc.h"

struct err;
struct plugin;

uint32_t plugin_ask_scopes(const struct plugin *plugin);

/* Whether a route of Kith's own can be asked with them; of others nothing is known.  E_DENIED. */
int plugin_ask_check(const struct plugin *plugin, struct text method, struct text path,
                     struct err *err);

#endif

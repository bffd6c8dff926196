/* writes.h -- what a plugin's function wanted, done on the step that it was called for.
 *
 * The engine's thread, inside struct plugins' run() or call().
 */
#ifndef CORE_PLUGIN_WRITES_H
#define CORE_PLUGIN_WRITES_H

#include "core/base/buf.h"

struct err;
struct plugin;
struct step;

/* In order; the first that cannot be done ends it, and the caller undoes what came before.  Words
 * are for the plugin's author. */
int plugin_do(const struct plugin *plugin, const struct buf *writes, struct step *step,
              struct err *err);

/* Whether these bytes, from another process, are what a function of this plugin could want: else
 * the process cannot be believed.  E_INVALID. */
int plugin_check_writes(const struct plugin *plugin, const struct buf *writes, struct err *err);

#endif

/* configure.h -- what the operator wrote for a plugin, held against what the plugin declares. */
#ifndef CORE_PLUGIN_CONFIGURE_H
#define CORE_PLUGIN_CONFIGURE_H

#include "core/base/doc.h"

struct err;
struct plugin;

/* Check `given` (a document; none: empty) against plugin->fields, fill in what they are without
 * being given, and set plugin->config and plugin->secrets.  Durations become milliseconds.
 * E_INVALID names the field, what it may be, and the nearest name; E_IO: the file of a secret
 * cannot be read. */
int plugin_configure(struct plugin *plugin, struct doc given, struct err *err);

#endif

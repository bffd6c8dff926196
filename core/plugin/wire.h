/* wire.h -- a plugin's description as a document, and back.
 *
 * An isolated plugin is loaded by a process of its own, which checks what it says and sends it on.
 * What comes back is the same struct plugin, but for its functions: whether it has one is told, and
 * a call goes to where it is (remote.h).  Pure; any thread.
 */
#ifndef CORE_PLUGIN_WIRE_H
#define CORE_PLUGIN_WIRE_H

#include "core/base/doc.h"

struct err;
struct plugin;

/* The fields of an open document: all but configuration, path and numbers. */
void wire_put_plugin(struct doc_writer *w, const struct plugin *plugin);

/* Into a zeroed plugin, whose arena has all of it afterwards.  Where a function was there is now
 * one that must not be called.  E_INVALID: this is no description. */
int wire_get_plugin(struct doc doc, struct plugin *plugin, struct err *err);

#endif

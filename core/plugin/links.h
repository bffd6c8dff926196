/* links.h -- the signed links that a plugin's message carries, as the engine keeps them.
 *
 * {NAME: {event, data, title, expires} or {purpose, channel, state, title, expires}}: what rules
 * may write (docs/lua-reference.md), checked as theirs is, and each with the moment at which it
 * expires.  The engine's thread.
 */
#ifndef CORE_PLUGIN_LINKS_H
#define CORE_PLUGIN_LINKS_H

#include "core/base/doc.h"

struct err;
struct step;

/* What is wrong with them by themselves: E_INVALID. */
int plugin_links_check(struct doc links, struct err *err);

/* In the step's arena; none: there are none.  E_INVALID.  They have been checked. */
int plugin_links(struct step *step, struct doc links, struct doc *out_links, struct err *err);

#endif

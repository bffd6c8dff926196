/* link_terms.h -- what may be asked of a signed link, by whoever asks it: a rule, or staff.
 *
 * {event, data, title} or {purpose, channel, state, title}: docs/links.md.  Pure; any thread.
 */
#ifndef CORE_ENGINE_LINK_TERMS_H
#define CORE_ENGINE_LINK_TERMS_H

#include "core/base/doc.h"

#include <stdbool.h>

/* NULL, or what is wrong.  Other fields are not looked at, nor are types. */
const char *link_terms_wrong(struct doc terms);

bool link_terms_are_withdrawal(struct doc terms); /* else an event, or a consent that is granted */

#endif

/* care.h -- the deterministic side: promises that are broken by the clock, counts of them, the
 * reminder to see somebody again, and tasks that were done already when they were written.
 *
 * Everything here is a pure function of what the engine gives (kith.h): nothing is kept but
 * documents of the host, and words of the configuration go back to it as they are.
 */
#ifndef PLUGINS_FOLLOWUP_CARE_H
#define PLUGINS_FOLLOWUP_CARE_H

#include "kith.h"

extern const struct kith_handler *const care_handlers[];
extern const struct kith_function *const care_functions[];
extern const struct kith_state *const care_states[];
extern const struct kith_trait *const care_traits[];

#endif

/* life_flaky.h -- a rule that now and then dies, as no repetition could know.
 *
 * In some lives often.  It dies for want of memory or of time, only while the entry is new, and by
 * dice that no other life repeats: what became of it is in the verdict, or nowhere.
 */
#ifndef TESTS_SIM_LIFE_FLAKY_H
#define TESTS_SIM_LIFE_FLAKY_H

#include "core/engine/rules.h"

#include <stdbool.h>
#include <stdint.h>

void flaky_begin(uint64_t seed);
void flaky_make(struct ruleset *rules); /* its rule "visit" */
bool *flaky_is_past(void);              /* whether what is applied is a repetition */

#endif

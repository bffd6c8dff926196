/* applied.h -- which entries an earlier run has applied, and whatever it lost of plugins at them is
 * in the log.
 *
 * There is no saying of all: what is behind the last checkpoint may have been applied or not.
 */
#ifndef CORE_SERVER_APPLIED_H
#define CORE_SERVER_APPLIED_H

#include <stdbool.h>
#include <stdint.h>

struct log;
struct state_options;

/* Up to this entry, by a state that nobody has open; 0: it cannot be read, or there is none. */
uint64_t applied_in(const struct state_options *options);

/* Whether what the log has behind it says so.  Reads all of that, so not for every entry. */
bool applied_is_proven(struct log *log, uint64_t seq);

#endif

/* interrupt.h -- the person pressed Ctrl-C: end between two batches, not within one.
 *
 * A second Ctrl-C ends the process at once, as it would have without this.
 */
#ifndef CORE_CLI_INTERRUPT_H
#define CORE_CLI_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

void interrupt_watch(void);
bool interrupt_seen(void);
/* Sleep, or less if interrupted. */
void interrupt_sleep(int64_t ms);

#endif

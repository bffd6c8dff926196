/* interrupt.h -- the person pressed Ctrl-C: end between two batches, not within one.
 *
 * A second Ctrl-C ends the process at once, as it would have without this.  One thread, and
 * one import a process.
 */
#ifndef CORE_CLI_INTERRUPT_H
#define CORE_CLI_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

void interrupt_watch(void); /* from now on */
bool interrupt_seen(void);  /* since then */
/* Sleep, or a tenth of a second at most from the interrupt on. */
void interrupt_sleep(int64_t ms);

#endif

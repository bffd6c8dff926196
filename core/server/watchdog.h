/* watchdog.h -- telling the service manager that the daemon lives, while it does.
 *
 * As sd_watchdog_enabled(3) describes it: with WATCHDOG_USEC in the environment, WATCHDOG=1 is
 * sent three times in that time.  It is sent by the loop, and only when the threads of the log
 * and of the engine have come round since the last time: one that hangs in the kernel, or waits
 * for a lock that nobody gives back, is noticed although the other two are well.  A disk that is
 * full stops no thread, and is no reason to be killed: /readyz tells of it.
 *
 * Without the variable nothing happens, and nothing wakes the daemon.  The loop's thread.
 */
#ifndef CORE_SERVER_WATCHDOG_H
#define CORE_SERVER_WATCHDOG_H

struct node;
struct uv_loop_s;
struct watchdog;

/* NULL: nobody watches.  The node must outlive it. */
struct watchdog *watchdog_open(struct uv_loop_s *loop, struct node *node);
void watchdog_close(struct watchdog *watchdog); /* NULL is allowed; freed by the loop */

#endif

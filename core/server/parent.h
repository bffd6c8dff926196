/* parent.h -- the process above the daemon, which starts it again when it crashes.
 *
 *     kithd (parent)    one thread, no loop, no file of its own: sleeps until a signal comes
 *       |               forks before anything is opened, and shares the breadcrumb
 *     kithd (daemon)    everything else (core/plugin/breadcrumb.h); dies with its parent
 *
 * To whoever started it the two are one: TERM, INT, HUP, QUIT and ABRT go on to the daemon, and its
 * exit code comes back.  A crash that nobody asked for is read from the breadcrumb, told, and
 * followed by a start (core/server/restart.h); a daemon that crashes again and again without
 * getting anywhere ends the parent with PARENT_GIVES_UP.
 *
 * Sockets that a service manager handed over stay open here, so that who connects meanwhile waits
 * instead of being refused.  The manager is told by the daemon itself (NotifyAccess=all).
 */
#ifndef CORE_SERVER_PARENT_H
#define CORE_SERVER_PARENT_H

#define PARENT_GIVES_UP 70 /* EX_SOFTWARE of sysexits.h */
/* A daemon's, that had no room to begin: a full disk or quota.  After a crash it is tried again
 * until somebody has made room. */
#define PARENT_NO_ROOM 75 /* EX_TEMPFAIL */

/* In the child: run(arg), and its result.  In the parent: the exit code, when all is over; or it
 * ends by the signal that ended a daemon that was told to end.  Called first of all: no thread may
 * be there and nothing open that two processes cannot share. */
int parent_run(int (*run)(void *arg), void *arg);

/* Of the two processes or the only one: signals that end the daemon or have it read its
 * configuration wait while it cannot hear them; parent_hear() when it can. */
void parent_hold_signals(void);
void parent_hear(void);

#endif

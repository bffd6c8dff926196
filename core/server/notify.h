/* notify.h -- telling the service manager, as sd_notify(3) describes it.
 *
 * One datagram to the socket named by NOTIFY_SOCKET, abstract ones ("@name") included.
 * Without the variable, or when nobody listens, nothing happens: a daemon does not
 * depend on being watched.  Does not block and cannot fail.  Any thread, but not while
 * another one changes the environment.
 */
#ifndef CORE_SERVER_NOTIFY_H
#define CORE_SERVER_NOTIFY_H

/* `state` is what the datagram holds: "READY=1", "STOPPING=1". */
void notify(const char *state);

#endif

/* notify.h -- telling the service manager, as sd_notify(3) describes it.
 *
 * One datagram to the socket named by NOTIFY_SOCKET, abstract ones ("@name") included.
 * Without the variable, or when nobody listens, nothing happens: a daemon does not
 * depend on being watched.
 */
#ifndef CORE_SERVER_NOTIFY_H
#define CORE_SERVER_NOTIFY_H

void notify(const char *state); /* "READY=1" */

#endif

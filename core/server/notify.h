/* notify.h -- telling the service manager, as sd_notify(3) describes it.
 *
 * One datagram to the socket named by NOTIFY_SOCKET, abstract ones ("@name") included.
 * Without the variable, or when nobody listens, nothing happens: a daemon does not
 * depend on being watched.  Does not block and cannot fail.  Any thread, but not while
 * another one changes the environment.
 *
 * And what it gives us, as sd_listen_fds(3) describes it: a socket that listens already.
 */
#ifndef CORE_SERVER_NOTIFY_H
#define CORE_SERVER_NOTIFY_H

struct err;

/* `state` is what the datagram holds: "READY=1", "STOPPING=1". */
void notify(const char *state);
void notify_reloading(void); /* READY=1 says that it is over */

/* The socket we were started with, which is ours from here on; -1: none.  The variables are
 * removed, for they are not meant for whoever we start.  E_INVALID: there are several. */
int notify_socket(int *out_fd, struct err *err);

#endif

/* notify.c -- see notify.h. */
#include "core/server/notify.h"

#include "core/base/err.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FIRST_FD 3 /* of those that we are started with */

void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t size = path != NULL ? strlen(path) : 0;
    if (size < 2 || size > sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, size);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    socklen_t address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    ssize_t sent =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, address_size);
    (void)sent; /* nobody is left to be told */
    close(fd);
}

void notify_reloading(void)
{
    char state[80];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    notify(state);
}

int notify_socket(int *out_fd, struct err *err)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    bool is_ours = pid != NULL && count != NULL && strtoll(pid, NULL, 10) == getpid();
    long long fds = is_ours ? strtoll(count, NULL, 10) : 0;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (fds > 1)
        return err_set(err, E_INVALID,
                       "started with %lld sockets, but there is use for one: give the unit one "
                       "ListenStream=",
                       fds);
    *out_fd = fds == 1 ? FIRST_FD : -1;
    if (fds == 1)
        fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC);
    return 0;
}

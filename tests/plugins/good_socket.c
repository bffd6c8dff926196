/* good_socket.c -- listens, and gives back what it is told, in upper case; ends with a line "bye".
 *
 * Its counter `port` says where it listens.
 */
#include "kith.h"

#include <stdlib.h>
#include <unistd.h>

struct self {
    const struct kith_host *host;
    struct kith *kith;
    uint16_t port;
};

static void end(struct self *self, int fd)
{
    self->host->watch(self->kith, fd, 0, NULL, NULL);
    close(fd);
    self->host->count(self->kith, "closed", 1);
}

static void on_ready(void *arg, int fd, uint32_t events)
{
    struct self *self = arg;
    char bytes[512];
    (void)events;
    ssize_t size = read(fd, bytes, sizeof bytes);
    if (size <= 0 || (size >= 3 && memcmp(bytes, "bye", 3) == 0)) {
        end(self, fd);
        return;
    }
    for (ssize_t i = 0; i < size; i++)
        if (bytes[i] >= 'a' && bytes[i] <= 'z')
            bytes[i] = (char)(bytes[i] - 'a' + 'A');
    if (write(fd, bytes, (size_t)size) != size)
        end(self, fd);
}

static void on_connection(void *arg, int fd, const char *peer)
{
    struct self *self = arg;
    (void)peer;
    self->host->count(self->kith, "accepted", 1);
    if (self->host->watch(self->kith, fd, KITH_READABLE, on_ready, self) != KITH_OK)
        close(fd);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct self *self = calloc(1, sizeof *self);
    (void)reason;
    if (self == NULL)
        return KITH_FAILED;
    self->host = host;
    self->kith = kith;
    *out_self = self;
    int32_t code = host->listen(kith, "127.0.0.1:0", on_connection, self, &self->port);
    if (code == KITH_OK)
        host->count(kith, "port", self->port);
    if (host->listen(kith, "example.com:25", on_connection, self, NULL) == KITH_INVALID)
        host->count(kith, "refused", 1);
    if (host->watch(kith, 4711, KITH_READABLE, on_ready, self) == KITH_INVALID)
        host->count(kith, "refused", 1);
    return code;
}

static void stop(void *self)
{
    free(self);
}

static const char *const needs[] = { "sockets", NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "good_socket",
    .version = "1",
    .about = "Says everything again, louder",
    .needs = needs,
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}

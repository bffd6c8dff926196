/* outside_socket.c -- descriptors that a plugin watches.
 *
 * The descriptor is the plugin's; only the watching is ours.  It is stopped at once when it is
 * asked to, because the plugin is about to close the descriptor, and its number may be taken again
 * in the next moment.
 */
#include "core/outside/outside_inside.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct watcher {
    struct outside_item item; /* first */
    uv_poll_t handle;
    int fd;
    void (*ready)(void *arg, int fd, uint32_t events);
    void *arg;
};

static void watcher_close(struct watcher *watcher)
{
    uv_poll_stop(&watcher->handle);
    watcher->item.outside->watcher_count--;
    outside_close_item(&watcher->item, (uv_handle_t *)&watcher->handle);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct watcher *watcher = handle->data;
    struct outside *outside = watcher->item.outside;
    uint32_t what = status < 0 ? KITH_READABLE | KITH_WRITABLE : 0;
    if ((events & (UV_READABLE | UV_DISCONNECT)) != 0)
        what |= KITH_READABLE;
    if ((events & UV_WRITABLE) != 0)
        what |= KITH_WRITABLE;
    int64_t began = outside_enter(outside, CALL_SOCKET);
    watcher->ready(watcher->arg, watcher->fd, what);
    outside_leave(outside, CALL_SOCKET, began);
}

static struct watcher *find(const struct outside *outside, int fd)
{
    for (struct outside_item *item = outside->watchers; item != NULL; item = item->next)
        if (((struct watcher *)item)->fd == fd)
            return (struct watcher *)item;
    return NULL;
}

static struct watcher *watcher_new(struct outside *outside, int fd)
{
    struct watcher *watcher = mem_zero(sizeof *watcher);
    int rc = fcntl(fd, F_GETFD) >= 0 ? uv_poll_init(outside->loop, &watcher->handle, fd) : UV_EBADF;
    if (rc != 0) {
        free(watcher);
        outside_refuse(outside, KITH_INVALID, "descriptor %d cannot be watched: %s", fd,
                       uv_strerror(rc));
        return NULL;
    }
    watcher->fd = fd;
    watcher->handle.data = watcher;
    outside_link(&outside->watchers, &watcher->item, outside);
    outside->watcher_count++;
    outside_hold(outside);
    return watcher;
}

static int32_t watch(struct outside *outside, int fd, uint32_t events,
                     void (*ready)(void *arg, int fd, uint32_t events), void *arg)
{
    struct watcher *watcher = find(outside, fd);
    if (events == 0) {
        if (watcher != NULL)
            watcher_close(watcher);
        return KITH_OK;
    }
    if (ready == NULL || (events & ~(uint32_t)(KITH_READABLE | KITH_WRITABLE)) != 0)
        return outside_refuse(outside, KITH_INVALID, "watch needs a function, and known events");
    if (watcher == NULL && outside->watcher_count >= PLUGIN_WATCHERS_MAX)
        return outside_refuse(outside, KITH_LIMIT, "%d descriptors are watched",
                              PLUGIN_WATCHERS_MAX);
    if (watcher == NULL)
        watcher = watcher_new(outside, fd);
    if (watcher == NULL)
        return KITH_INVALID;
    watcher->ready = ready;
    watcher->arg = arg;
    uv_poll_start(&watcher->handle,
                  ((events & KITH_READABLE) != 0 ? UV_READABLE : 0) |
                      ((events & KITH_WRITABLE) != 0 ? UV_WRITABLE : 0),
                  on_ready);
    return KITH_OK;
}

static int32_t host_watch(struct kith *kith, int fd, uint32_t events,
                          void (*ready)(void *arg, int fd, uint32_t events), void *arg)
{
    struct outside *outside = kith->outside;
    int32_t code = outside_allow(outside, "sockets");
    if (code == KITH_OK)
        code = watch(outside, fd, events, ready, arg);
    return outside_end(outside, CALL_WATCH, code);
}

void outside_sockets_host(struct kith_host *host)
{
    host->watch = host_watch;
}

void outside_sockets_drop(struct outside *outside)
{
    while (outside->watchers != NULL)
        watcher_close((struct watcher *)outside->watchers);
}

/* watch.c -- see watch.h.
 *
 * The kernel watches single folders.  So after every change the tree is looked through
 * again and what is new is watched; a folder that has gone takes its watch along.  Names
 * of changed files are not used: the reader of the bundle looks at all of them anyway.
 */
#include "core/server/watch.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#define QUIET_MS 100

struct folder {
    uv_fs_event_t event;
    struct folder *next;
    struct watch *watch;
    char path[];
};

struct watch {
    uv_timer_t quiet;
    struct uv_loop_s *loop;
    struct folder *folders; /* the directory itself first */
    size_t open_handles;
    void (*on_change)(void *arg);
    void *arg;
};

static void handle_closed(struct watch *watch)
{
    if (--watch->open_handles == 0)
        free(watch);
}

static void on_quiet(uv_timer_t *timer);

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct folder *folder = event->data;
    (void)name;
    (void)events;
    (void)status;
    uv_timer_start(&folder->watch->quiet, on_quiet, QUIET_MS, 0);
}

static bool is_watched(const struct watch *watch, const char *path)
{
    for (const struct folder *folder = watch->folders; folder != NULL; folder = folder->next)
        if (strcmp(folder->path, path) == 0)
            return true;
    return false;
}

static void on_folder_closed(uv_handle_t *handle)
{
    struct folder *folder = handle->data;
    struct watch *watch = folder->watch;
    free(folder);
    handle_closed(watch);
}

/* Returns a libuv error. */
static int add_folder(struct watch *watch, struct folder ***last, const char *path)
{
    size_t size = strlen(path) + 1;
    struct folder *folder = mem_zero(sizeof *folder + size);
    memcpy(folder->path, path, size);
    folder->watch = watch;
    folder->event.data = folder;
    int rc = uv_fs_event_init(watch->loop, &folder->event);
    ASSERT(rc == 0);
    watch->open_handles++;
    rc = uv_fs_event_start(&folder->event, on_event, path, 0);
    if (rc != 0) {
        uv_close((uv_handle_t *)&folder->event, on_folder_closed);
        return rc;
    }
    **last = folder;
    *last = &folder->next;
    return 0;
}

/* Watch what is new in one folder. */
static void look_into(struct watch *watch, const struct folder *folder, struct folder ***last,
                      size_t *count)
{
    DIR *dir = opendir(folder->path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[4096];
        struct stat stat;
        if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &stat, 0) != 0 ||
            !S_ISDIR(stat.st_mode))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder->path, entry->d_name);
        if (*count < BUNDLE_FILES_MAX && !is_watched(watch, path) &&
            add_folder(watch, last, path) == 0)
            ++*count;
    }
    if (dir != NULL)
        closedir(dir);
}

/* The list grows while it is walked, so folders in folders are reached. */
static void watch_all(struct watch *watch)
{
    struct folder **last = &watch->folders;
    size_t count = 0;
    while (*last != NULL) {
        last = &(*last)->next;
        count++;
    }
    for (struct folder *folder = watch->folders; folder != NULL; folder = folder->next)
        look_into(watch, folder, &last, &count);
}

/* Folders that are no longer there: the kernel has dropped their watches. */
static void drop_gone(struct watch *watch)
{
    struct folder **at = &watch->folders->next;
    while (*at != NULL) {
        struct folder *folder = *at;
        struct stat stat_buf;
        if (stat(folder->path, &stat_buf) == 0) {
            at = &folder->next;
            continue;
        }
        *at = folder->next;
        uv_close((uv_handle_t *)&folder->event, on_folder_closed);
    }
}

static void on_quiet(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    drop_gone(watch);
    watch_all(watch);
    watch->on_change(watch->arg);
}

int watch_open(struct uv_loop_s *loop, const char *dir, void (*on_change)(void *arg), void *arg,
               struct watch **out_watch, struct err *err)
{
    struct watch *watch = mem_zero(sizeof *watch);
    struct folder **last = &watch->folders;
    watch->loop = loop;
    watch->on_change = on_change;
    watch->arg = arg;
    uv_timer_init(loop, &watch->quiet);
    watch->quiet.data = watch;
    watch->open_handles = 1;
    int rc = add_folder(watch, &last, dir);
    if (rc != 0) {
        watch_close(watch);
        return err_set(err, E_IO, "cannot watch %s: %s", dir, uv_strerror(rc));
    }
    watch_all(watch);
    *out_watch = watch;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

void watch_close(struct watch *watch)
{
    if (watch == NULL)
        return;
    for (struct folder *folder = watch->folders; folder != NULL; folder = folder->next)
        uv_close((uv_handle_t *)&folder->event, on_folder_closed);
    uv_close((uv_handle_t *)&watch->quiet, on_timer_closed);
}

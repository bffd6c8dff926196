/* disk_name.c -- the calls that create, rename and remove.
 *
 * A call's path is cut into an open directory and a last part, which answers whether it
 * lies below the watched directory and gives names.c what it needs.  Opening without O_CREAT
 * or O_TRUNC changes nothing and goes straight on.
 */
#include "tests/sim/call.h"

#include "tests/sim/real.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- Names ------------------------------------- */

/* A path cut into its directory, opened, and its last part. */
struct target {
    int dir; /* -1: not below the watched directory */
    char text[NAME_MAX + 1];
};

/* "a/b/" names what "a/b" names. */
static bool split(const char *path, char out_parent[PATH_MAX], char out_text[NAME_MAX + 1])
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (end == start || end - start > NAME_MAX || start >= PATH_MAX - 1)
        return false;
    memcpy(out_text, path + start, end - start);
    out_text[end - start] = '\0';
    memcpy(out_parent, path, start);
    memcpy(out_parent + start, ".", 2);
    return true;
}

static struct target target_open(int dir, const char *path)
{
    struct target target = { -1, "" };
    char parent[PATH_MAX];
    if (disk.platter == NULL || !split(path, parent, target.text))
        return target;
    target.dir = real()->openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (target.dir >= 0 && !platter_has(disk.platter, target.dir)) {
        close(target.dir);
        target.dir = -1;
    }
    return target;
}

static void target_close(struct target *target)
{
    if (target->dir >= 0)
        close(target->dir);
}

static bool target_exists(const struct target *target)
{
    return faccessat(target->dir, target->text, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct name name_of(const struct target *target)
{
    return (struct name){ target->dir, target->text };
}

static int name_fault(void)
{
    int error = call_fault(DISK_FAULT_NAME);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

static int create(const struct target *target, int flags, mode_t mode)
{
    enum point point = call_enter_whole();
    int fd = name_fault();
    if (fd == 0)
        fd = real()->openat(target->dir, target->text, flags, mode);
    if (fd >= 0)
        platter_created(disk.platter, fd, name_of(target));
    call_leave(point);
    return fd;
}

/* Emptying an existing file is a change of its own, with its own call. */
static int open_and_empty(int dir, const char *path, int flags, mode_t mode)
{
    int fd = real()->openat(dir, path, flags & ~O_TRUNC, mode);
    struct trail *trail = fd >= 0 ? call_begin(fd) : NULL;
    if (fd < 0 || (trail == NULL ? real()->ftruncate(fd, 0) : call_resize(trail, fd, 0)) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int open_target(int dir, const char *path, int flags, mode_t mode)
{
    if ((flags & (O_CREAT | O_TRUNC)) == 0 || (flags & O_TMPFILE) == O_TMPFILE)
        return real()->openat(dir, path, flags, mode);

    pthread_mutex_lock(&disk.lock);
    struct target target = target_open(dir, path);
    bool is_ours = target.dir >= 0;
    bool is_new = is_ours && (flags & O_CREAT) != 0 && !target_exists(&target);
    int fd = -1;
    if (is_new)
        fd = create(&target, flags, mode);
    else
        pthread_mutex_unlock(&disk.lock);
    if (!is_new && is_ours && (flags & (O_TRUNC | O_EXCL)) == O_TRUNC)
        fd = open_and_empty(dir, path, flags, mode);
    else if (!is_new)
        fd = real()->openat(dir, path, flags, mode);
    target_close(&target);
    return fd;
}

/* The mode is passed exactly when the flags say so. */
#define MODE_OF(flags, mode)                                              \
    do {                                                                  \
        if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) { \
            va_list args;                                                 \
            va_start(args, flags);                                        \
            (mode) = va_arg(args, mode_t);                                \
            va_end(args);                                                 \
        }                                                                 \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_target(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_target(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_target(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_target(dir, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_target(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return creat(path, mode);
}

static int rename_target(const struct target *from, const struct target *to)
{
    enum point point = call_enter_whole();
    struct names *names = platter_names(disk.platter);
    int result = name_fault();
    if (result == 0 && target_exists(from)) {
        names_renaming(names, name_of(from), name_of(to));
        result = real()->renameat(from->dir, from->text, to->dir, to->text);
        if (result != 0)
            names_cancel(names);
    } else if (result == 0) {
        errno = ENOENT;
        result = -1;
    }
    call_leave(point);
    return result;
}

int renameat(int from_dir, const char *from_path, int to_dir, const char *to_path)
{
    pthread_mutex_lock(&disk.lock);
    struct target from = target_open(from_dir, from_path);
    struct target to = target_open(to_dir, to_path);
    int result = -1;
    if (from.dir >= 0 && to.dir >= 0) {
        result = rename_target(&from, &to);
    } else {
        pthread_mutex_unlock(&disk.lock);
        result = real()->renameat(from_dir, from_path, to_dir, to_path);
    }
    target_close(&from);
    target_close(&to);
    return result;
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static int unlink_target(const struct target *target, int flags)
{
    enum point point = call_enter_whole();
    struct names *names = platter_names(disk.platter);
    int result = name_fault();
    if (result == 0 && target_exists(target)) {
        names_unlinking(names, name_of(target));
        result = real()->unlinkat(target->dir, target->text, flags);
        if (result != 0)
            names_cancel(names);
    } else if (result == 0) {
        errno = ENOENT;
        result = -1;
    }
    call_leave(point);
    return result;
}

int unlinkat(int dir, const char *path, int flags)
{
    pthread_mutex_lock(&disk.lock);
    struct target target = target_open(dir, path);
    int result = -1;
    if (target.dir >= 0) {
        result = unlink_target(&target, flags);
    } else {
        pthread_mutex_unlock(&disk.lock);
        result = real()->unlinkat(dir, path, flags);
    }
    target_close(&target);
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    pthread_mutex_lock(&disk.lock);
    struct target target = target_open(dir, path);
    if (target.dir < 0) {
        pthread_mutex_unlock(&disk.lock);
        return real()->mkdirat(dir, path, mode);
    }

    enum point point = call_enter_whole();
    int result = name_fault();
    if (result == 0)
        result = real()->mkdirat(target.dir, target.text, mode);
    if (result == 0)
        names_created(platter_names(disk.platter), name_of(&target));
    call_leave(point);
    target_close(&target);
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

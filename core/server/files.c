/* files.c -- see files.h.
 *
 * A file is written beside, under a name of its own, and renamed: two who put the same at the same
 * time do not meet.  The lock holds off a sweep that has just found a file old from the one who
 * puts it anew; nobody waits for a disk under it but them.
 */
#include "core/server/files.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/file.h"
#include "core/server/dir.h"
#include "storage/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "kith-file 1 "
#define BESIDE ".new-"
#define PATH_BYTES 4096
#define HEAD_BYTES (sizeof MARK + FILE_TYPE_SIZE)
#define ANY_TYPE "application/octet-stream"

struct files {
    char dir[PATH_BYTES - 2 * FILE_HASH_SIZE];
    pthread_mutex_t lock;
    atomic_uint count; /* of names given to what is being written */
};

/* -- Opening ----------------------------------------------------------------------------------- */

static void remove_half_written(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strncmp(entry->d_name, BESIDE, sizeof BESIDE - 1) == 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
}

int files_open(const char *dir, struct files **out_files, struct err *err)
{
    struct files *files = mem_zero(sizeof *files);
    pthread_mutex_init(&files->lock, NULL);
    snprintf(files->dir, sizeof files->dir, "%s/files", dir);
    int rc = dir_make(files->dir, err);
    if (rc == 0)
        rc = dir_flush(dir, err);
    if (rc != 0) {
        files_close(files);
        return rc;
    }
    remove_half_written(files->dir);
    *out_files = files;
    return 0;
}

void files_close(struct files *files)
{
    if (files == NULL)
        return;
    pthread_mutex_destroy(&files->lock);
    free(files);
}

static void path_of(const struct files *files, const char *name, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s", files->dir, name);
}

static int failed(struct err *err, const char *what, const char *path)
{
    int code = errno;
    return err_set(err, code == ENOSPC || code == EDQUOT ? E_FULL : E_IO, "cannot %s %s: %s", what,
                   path, strerror(code));
}

/* -- Reading ----------------------------------------------------------------------------------- */

static int read_all(const char *path, struct buf *out, struct err *err)
{
    struct stat stat_of;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? err_set(err, E_NOTFOUND, "there is no file of this hash")
                               : failed(err, "read", path);
    int rc = fstat(fd, &stat_of) == 0 ? 0 : failed(err, "read", path);
    size_t left = rc == 0 ? (size_t)stat_of.st_size : 0;
    if (left > FILE_BYTES_MAX + HEAD_BYTES)
        rc = err_set(err, E_CORRUPT, "%s is larger than any file is", path);
    while (rc == 0 && left > 0) {
        ssize_t count = read(fd, buf_reserve(out, left), left);
        if (count == 0)
            break;
        if (count < 0 && errno != EINTR)
            rc = failed(err, "read", path);
        left -= count > 0 ? (size_t)count : 0;
        out->size += count > 0 ? (size_t)count : 0;
    }
    close(fd);
    return rc;
}

/* The first line; what follows it is what the hash is of. */
static bool split(const struct buf *file, const uint8_t wanted[DIGEST_32_BYTES],
                  char out_type[FILE_TYPE_SIZE], size_t *out_at)
{
    size_t mark = sizeof MARK - 1;
    uint8_t digest[DIGEST_32_BYTES];
    if (file->size < mark || memcmp(file->data, MARK, mark) != 0)
        return false;
    const uint8_t *end = memchr(file->data + mark, '\n', file->size - mark);
    size_t type_size = end != NULL ? (size_t)(end - file->data) - mark : FILE_TYPE_SIZE;
    if (type_size >= FILE_TYPE_SIZE)
        return false;
    memcpy(out_type, file->data + mark, type_size);
    out_type[type_size] = '\0';
    *out_at = mark + type_size + 1;
    digest_32(file->data + *out_at, file->size - *out_at, digest);
    return memcmp(digest, wanted, sizeof digest) == 0;
}

/* -- Putting ----------------------------------------------------------------------------------- */

/* A type and what it is a kind of: "image/png". */
static bool is_type(const char *type)
{
    size_t size = type != NULL ? strlen(type) : 0, kind = size != 0 ? strcspn(type, "/; ") : 0;
    if (kind == 0 || type[kind] != '/' || strcspn(type + kind + 1, "/; ") == 0)
        return false;
    for (size_t i = 0; i < size; i++)
        if (type[i] < 0x20 || type[i] > 0x7e)
            return false;
    return size != 0 && size < FILE_TYPE_SIZE;
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        data += count;
        size -= (size_t)count;
    }
    return true;
}

static int write_beside(const char *path, const char *type, const void *data, size_t size,
                        struct err *err)
{
    char head[HEAD_BYTES];
    int head_size = snprintf(head, sizeof head, MARK "%s\n", type);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failed(err, "make", path);
    bool is_good =
        write_all(fd, head, (size_t)head_size) && write_all(fd, data, size) && fsync(fd) == 0;
    int rc = is_good ? 0 : failed(err, "write", path);
    if (close(fd) != 0 && rc == 0)
        rc = failed(err, "write", path);
    if (rc != 0)
        unlink(path);
    return rc;
}

static bool is_whole(const char *path, const uint8_t digest[DIGEST_32_BYTES])
{
    char type[FILE_TYPE_SIZE];
    struct buf file = BUF_INIT;
    size_t at;
    bool is_good = read_all(path, &file, NULL) == 0 && split(&file, digest, type, &at);
    buf_deinit(&file);
    return is_good;
}

/* It has been put before: its day begins anew.  E_NOTFOUND: it has not, or the disk has lost it. */
static int renew(const char *path, const uint8_t digest[DIGEST_32_BYTES], struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? E_NOTFOUND : failed(err, "open", path);
    int rc = futimens(fd, NULL) == 0 && fsync(fd) == 0 ? 0 : failed(err, "flush", path);
    close(fd);
    return rc == 0 && !is_whole(path, digest) ? E_NOTFOUND : rc;
}

static int put_new(struct files *files, const char *type, const void *data, size_t size,
                   const char *path, struct err *err)
{
    char name[32], beside[PATH_BYTES];
    snprintf(name, sizeof name, BESIDE "%u", atomic_fetch_add(&files->count, 1));
    path_of(files, name, beside);
    int rc = write_beside(beside, type, data, size, err);
    if (rc != 0)
        return rc;
    if (rename(beside, path) == 0)
        return 0;
    rc = failed(err, "make", path);
    unlink(beside);
    return rc;
}

int files_put(struct files *files, const char *type, const void *data, size_t size,
              char out_hash[FILE_HASH_SIZE], struct err *err)
{
    uint8_t digest[DIGEST_32_BYTES];
    char hash[FILE_HASH_SIZE], path[PATH_BYTES];
    digest_32(data, size, digest);
    hex_encode(digest, sizeof digest, hash);
    path_of(files, hash, path);
    pthread_mutex_lock(&files->lock);
    int rc = renew(path, digest, err);
    pthread_mutex_unlock(&files->lock);
    if (rc == E_NOTFOUND)
        rc = put_new(files, is_type(type) ? type : ANY_TYPE, data, size, path, err);
    if (rc == 0) /* also of one that is there: who put it may not have come to this */
        rc = dir_flush(files->dir, err);
    if (rc == 0)
        memcpy(out_hash, hash, sizeof hash);
    return rc;
}

/* -- Getting ---------------------------------------------------------------------------------- */

int files_get(struct files *files, struct text hash, char out_type[FILE_TYPE_SIZE], struct buf *out,
              struct err *err)
{
    uint8_t digest[DIGEST_32_BYTES];
    char name[FILE_HASH_SIZE], path[PATH_BYTES];
    struct buf file = BUF_INIT;
    size_t at = 0;
    if (!hex_decode(hash.data, hash.size, digest, sizeof digest))
        return err_set(err, E_INVALID, "a file is called by its hash: 64 hexadecimal digits");
    hex_encode(digest, sizeof digest, name);
    path_of(files, name, path);
    int rc = read_all(path, &file, err);
    if (rc == 0 && !split(&file, digest, out_type, &at))
        rc = err_set(err, E_CORRUPT,
                     "%s is not what was put there: put it there again, or back from a backup",
                     path);
    if (rc == 0)
        buf_append(out, file.data + at, file.size - at);
    buf_deinit(&file);
    return rc;
}

/* -- Sweeping ---------------------------------------------------------------------------------- */

/* When it was put last, in ms since 1970 UTC.  False: it is not there. */
static bool put_ms(const char *path, int64_t *out_ms)
{
    struct stat stat_of;
    if (stat(path, &stat_of) != 0)
        return false;
    *out_ms = (int64_t)stat_of.st_mtim.tv_sec * 1000 + stat_of.st_mtim.tv_nsec / 1000000;
    return true;
}

/* Whether it is left, and nobody names it yet. */
static bool sweep_one(struct files *files, struct snapshot *snapshot, const char *name,
                      int64_t now_ms)
{
    uint8_t hash[DIGEST_32_BYTES];
    char path[PATH_BYTES];
    int64_t erased_ms = INT64_MIN, ms;
    if (!hex_decode(name, strlen(name), hash, sizeof hash))
        return false; /* not ours: somebody put it there */
    enum file_names names = file_names(snapshot, hash, &erased_ms);
    if (names == FILE_NAMED)
        return false;
    path_of(files, name, path);
    pthread_mutex_lock(&files->lock);
    bool is_left = put_ms(path, &ms) && ms > erased_ms && ms + FILE_UNNAMED_MS > now_ms;
    if (!is_left)
        unlink(path);
    pthread_mutex_unlock(&files->lock);
    return is_left;
}

int files_sweep(struct files *files, struct state *state, int64_t now_ms, size_t *out_left,
                struct err *err)
{
    struct snapshot *snapshot = NULL;
    struct dirent *entry;
    size_t left = 0;
    int rc = snapshot_open(state, &snapshot, err);
    if (rc != 0)
        return rc;
    DIR *dir = opendir(files->dir);
    if (dir == NULL)
        rc = failed(err, "read", files->dir);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            left += sweep_one(files, snapshot, entry->d_name, now_ms);
    snapshot_close(snapshot);
    if (dir != NULL)
        closedir(dir);
    if (rc == 0)
        rc = dir_flush(files->dir, err);
    if (rc == 0)
        *out_left = left;
    return rc;
}

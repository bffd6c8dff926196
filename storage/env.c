/* env.c -- LMDB environments; see env.h.
 *
 * What LMDB leaves to its user is done here once.
 *
 * Birth and compaction.  A file gets its name only when it is complete and flushed: it is
 * written as data.mdb.new and renamed.  So there is no moment, not even in the life of
 * an empty file, at which a power cut leaves something that LMDB refuses to open.
 *
 * One opener.  LMDB loses its locks when a process opens a file twice.  An flock() on
 * the directory, held as long as the environment is open, refuses the second opening, be
 * it in this process or in another.  A list of open files in static memory would see only
 * the first case.
 *
 * Files that were cut.  LMDB reads through a map and dies of SIGBUS beyond the end of a
 * file that is shorter than its meta page says.  Such a file is extended with zeros at
 * opening: then reads meet a page that is none (MDB_CORRUPTED) or a value whose
 * checksum is wrong, and both have an error code.
 *
 * The lock file.  LMDB makes it as long as it must be, with a hole for content, and maps it
 * for writing: on a full disk the first store into it ends the process by SIGBUS.  So its
 * bytes are allocated before LMDB sees it.
 *
 * A full disk.  LMDB calls a write that stopped short EIO, and it does so just when the disk is
 * filling up.  What the file system says of itself tells the two apart.
 */
#include "storage/env_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/unshared.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FILE_MODE 0600                      /* customers' data: the daemon's user alone */
#define LOCK_NAME "lock.mdb"                /* LMDB's own choice, */
#define LOCK_BYTES 8192                     /* its size for as many readers as LMDB allows, */
#define DISK_FULL_BYTES ((uint64_t)1 << 20) /* less is no room for a commit */
#define META_BYTES 8192                     /* the first two pages: LMDB's two roots */
#define FREE_LIST ((MDB_dbi)0)              /* LMDB's own table of free pages */

/* -- Errors ----------------------------------------------------------------- */

static int code_of(int rc)
{
    switch (rc) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return E_FULL;
    case MDB_NOTFOUND:
        return E_NOTFOUND;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
        return E_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return E_VERSION;
    default:
        return E_IO;
    }
}

/* Of the two sources of text, LMDB's is a table of its own and fit for threads;
 * for the system's codes it would go through strerror(), which is not. */
static const char *reason_of(int rc)
{
    const char *reason = rc < 0 ? mdb_strerror(rc) : strerrordesc_np(rc);
    return reason != NULL ? reason : "unknown error";
}

int env_fail(struct err *err, int rc, const char *action)
{
    return err_set(err, code_of(rc), "cannot %s: %s", action, reason_of(rc));
}

static bool is_disk_full(const struct env *env)
{
    struct statfs status;
    return fstatfs(env->dir_fd, &status) == 0 &&
           (uint64_t)status.f_bavail * (uint64_t)status.f_bsize < DISK_FULL_BYTES;
}

int env_fail_at(const struct env *env, struct err *err, int rc, const char *action)
{
    if (rc == MDB_MAP_FULL)
        return err_set(err, E_FULL,
                       "cannot %s in %s: MDB_MAP_FULL, the file has reached the %zu bytes of its "
                       "map; build kithd with a larger ENV_MAP_BYTES",
                       action, env->options.dir, env->options.map_bytes);
    if (rc == EIO && is_disk_full(env))
        rc = ENOSPC;
    return err_set(err, code_of(rc), "cannot %s in %s: %s", action, env->options.dir,
                   reason_of(rc));
}

int env_fail_path(struct err *err, int rc, const char *action, const char *path)
{
    return err_set(err, code_of(rc), "cannot %s %s: %s", action, path, reason_of(rc));
}

/* -- Files ------------------------------------------------------------------ */

char *env_path(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s/%s", dir, name);
    return path;
}

int env_remove_file(int dir_fd, const char *name)
{
    return unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT ? 0 : errno;
}

bool env_has_file(int dir_fd, const char *name)
{
    struct stat status;
    return fstatat(dir_fd, name, &status, 0) == 0;
}

/* Give a complete and flushed file its name, for good. */
int env_publish(int dir_fd)
{
    if (renameat(dir_fd, ENV_FILE_NAME_NEW, dir_fd, ENV_FILE_NAME) != 0)
        return errno;
    return fsync(dir_fd) == 0 ? 0 : errno;
}

/* Neither the shared map nor the locks work when another machine can write too. */
static bool is_on_network(int dir_fd)
{
    static const uint32_t magics[] = { NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
                                       SMB2_SUPER_MAGIC };
    struct statfs status;
    if (fstatfs(dir_fd, &status) != 0)
        return false;
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if ((uint32_t)status.f_type == magics[i])
            return true;
    return false;
}

int env_lock_dir(const char *dir, int *out_fd, struct err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return env_fail_path(err, errno, "open the directory", dir);
    int rc = 0;
    if (is_on_network(fd))
        rc = err_set(err, E_INVALID, "%s is on a network file system; use a local disk", dir);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        rc = errno == EWOULDBLOCK
                 ? err_set(err, E_CONFLICT, "%s is open already; close the other user first", dir)
                 : env_fail_path(err, errno, "lock the directory", dir);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    unshared_add(fd); /* what is forked would hold the lock beyond our end */
    *out_fd = fd;
    return 0;
}

/* -- Opening ---------------------------------------------------------------- */

static int raw_open(const char *path, unsigned flags, size_t map_bytes, MDB_env **out_raw)
{
    MDB_env *raw = NULL;
    int rc = mdb_env_create(&raw);
    if (rc == 0)
        rc = mdb_env_set_mapsize(raw, map_bytes);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(raw, ENV_TABLES_MAX);
    if (rc == 0)
        rc = mdb_env_open(raw, path, flags | MDB_NOTLS, FILE_MODE);
    if (rc == 0)
        *out_raw = raw;
    else if (raw != NULL)
        mdb_env_close(raw);
    return rc;
}

static int open_tables(MDB_env *raw, const struct env_options *options, MDB_dbi *tables)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(raw, NULL, 0, &txn);
    for (unsigned i = 0; rc == 0 && i < options->tables_count; i++)
        rc = mdb_dbi_open(txn, options->tables[i], MDB_CREATE, &tables[i]);
    return env_finish(txn, rc);
}

/* An environment at `path` that nobody else knows of yet: no locks, no lock file. */
int env_open_private(const char *path, const struct env_options *options, MDB_env **out_raw,
                     MDB_dbi *tables)
{
    MDB_env *raw = NULL;
    int rc = raw_open(path, MDB_NOSUBDIR | MDB_NOLOCK, options->map_bytes, &raw);
    if (rc == 0)
        rc = open_tables(raw, options, tables);
    if (rc == 0)
        *out_raw = raw;
    else if (raw != NULL)
        mdb_env_close(raw);
    return rc;
}

static int create_file(int dir_fd, const struct env_options *options)
{
    char *path = env_path(options->dir, ENV_FILE_NAME_NEW);
    MDB_dbi tables[ENV_TABLES_MAX];
    MDB_env *raw = NULL;
    int rc = env_open_private(path, options, &raw, tables);
    if (rc == 0) {
        mdb_env_close(raw);
        rc = env_publish(dir_fd);
    }
    free(path);
    return rc;
}

/* See the essay: what the meta page counts must exist, if only as zeros. */
static int extend_file(MDB_env *raw, size_t bytes)
{
    int fd = -1;
    struct stat status;
    int rc = mdb_env_get_fd(raw, &fd);
    if (rc != 0)
        return rc;
    if (fstat(fd, &status) != 0)
        return errno;
    if ((size_t)status.st_size >= bytes)
        return 0;
    return ftruncate(fd, (off_t)bytes) == 0 ? 0 : errno;
}

/* See the essay.  A file that is there already may have been cut off by an earlier full disk. */
static int allocate_lock(int dir_fd)
{
    int fd = openat(dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return errno;
    int rc = fallocate(fd, 0, 0, LOCK_BYTES) == 0 ? 0 : errno;
    if (rc == EOPNOTSUPP) /* then by writing a byte into each block */
        rc = posix_fallocate(fd, 0, LOCK_BYTES);
    close(fd);
    return rc;
}

static int open_file(struct env *env)
{
    int rc = env_remove_file(env->dir_fd, ENV_FILE_NAME_NEW);
    if (rc == 0 && !env_has_file(env->dir_fd, ENV_FILE_NAME))
        rc = create_file(env->dir_fd, &env->options);
    if (rc == 0)
        rc = allocate_lock(env->dir_fd);
    if (rc == 0)
        rc = raw_open(env->options.dir, 0, env->options.map_bytes, &env->raw);
    if (rc == 0)
        rc = extend_file(env->raw, env_file_bytes(env));
    if (rc == 0)
        rc = mdb_reader_check(env->raw, NULL);
    if (rc == 0)
        rc = open_tables(env->raw, &env->options, env->tables);
    return rc;
}

int env_open(const struct env_options *options, struct env **out_env, struct err *err)
{
    ASSERT(options->tables_count >= 1 && options->tables_count <= ENV_TABLES_MAX);
    int dir_fd = -1;
    int code = env_lock_dir(options->dir, &dir_fd, err);
    if (code != 0)
        return code;

    struct env *env = mem_zero(sizeof *env);
    env->options = *options;
    env->options.dir = mem_string(options->dir);
    if (env->options.map_bytes == 0)
        env->options.map_bytes = ENV_MAP_BYTES;
    env->dir_fd = dir_fd;
    env->pid = getpid();
    int rc = open_file(env);
    if (rc != 0) {
        code = env_fail_at(env, err, rc, "open the store");
        env_close(env);
        return code;
    }
    *out_env = env;
    return 0;
}

void env_close(struct env *env)
{
    if (env == NULL)
        return;
    env_compact_drop(env);
    if (env->raw != NULL)
        mdb_env_close(env->raw);
    unshared_close(env->dir_fd);
    free((char *)env->options.dir);
    free(env);
}

/* Make the platter agree with what we are about to believe.  A meta page whose write failed, or
 * whose writer was killed, may be seen by us and yet not be durable, with its pages marked clean so
 * that no flush would write them; or the reverse.  Writing both meta pages as they are seen and
 * flushing them leaves one truth. */
static int settle_meta(int dir_fd)
{
    uint8_t pages[META_BYTES];
    int fd = openat(dir_fd, ENV_FILE_NAME, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int rc = 0;
    ssize_t size = pread(fd, pages, sizeof pages, 0);
    if (size < 0 || pwrite(fd, pages, (size_t)size, 0) != size || fdatasync(fd) != 0)
        rc = errno != 0 ? errno : EIO;
    close(fd);
    return rc;
}

int env_flush(struct env *env)
{
    int rc = settle_meta(env->dir_fd);
    if (rc == 0)
        rc = mdb_env_sync(env->raw, 1);
    if (rc == 0 && fsync(env->dir_fd) != 0)
        rc = errno;
    return rc;
}

MDB_env *env_raw(const struct env *env)
{
    return env->raw;
}

MDB_dbi env_table(const struct env *env, unsigned index)
{
    ASSERT(index < env->options.tables_count);
    return env->tables[index];
}

const char *env_dir(const struct env *env)
{
    return env->options.dir;
}

/* -- Transactions ----------------------------------------------------------- */

int env_begin(struct env *env, unsigned flags, MDB_txn **out_txn)
{
    ASSERT(env->pid == getpid());
    *out_txn = NULL;
    return mdb_txn_begin(env->raw, NULL, flags, out_txn);
}

int env_finish(MDB_txn *txn, int rc)
{
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

/* -- Room ------------------------------------------------------------------- */

static size_t page_bytes(MDB_env *raw)
{
    MDB_stat stat;
    mdb_env_stat(raw, &stat);
    return stat.ms_psize;
}

size_t env_file_bytes(const struct env *env)
{
    MDB_envinfo info;
    mdb_env_info(env->raw, &info);
    return (info.me_last_pgno + 1) * page_bytes(env->raw);
}

/* Each row of the free list is an array of page numbers behind its own length. */
static size_t free_pages(struct env *env)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    size_t pages = 0;
    int rc = env_begin(env, MDB_RDONLY, &txn);
    if (rc == 0)
        rc = mdb_cursor_open(txn, FREE_LIST, &cursor);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (rc == 0) {
        size_t count = 0;
        memcpy(&count, value.mv_data, sizeof count);
        pages += count;
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return pages;
}

size_t env_used_bytes(struct env *env)
{
    size_t file_bytes = env_file_bytes(env);
    size_t free_bytes = free_pages(env) * page_bytes(env->raw);
    return file_bytes > free_bytes ? file_bytes - free_bytes : 0;
}

bool env_has_room(struct env *env, size_t quota_bytes, size_t more_bytes)
{
    if (quota_bytes == 0)
        return true;
    if (more_bytes > quota_bytes)
        return false;
    size_t limit_bytes = quota_bytes - more_bytes;
    return env_file_bytes(env) <= limit_bytes || env_used_bytes(env) <= limit_bytes;
}

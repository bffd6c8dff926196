/* env_copy.c -- copies of an environment, elsewhere and in its own place.
 *
 * Copies are made row by row and not with MDB_CP_COMPACT, which copies pages: the unused
 * part of a page still holds the bytes of rows deleted from it, and a compaction is what
 * makes an erasure complete.  Also, this needs no second thread.
 *
 * In steps.  A file that is appended to may be large, and whoever writes to it must not wait for a
 * copy of all of it: rows that nobody changes are copied while writing goes on, in steps that the
 * writing thread makes itself.  So there is no lock and no list of what has changed since: the copy
 * is behind the file by what lies behind its own last row.  The alternative, a second thread with a
 * snapshot, needs such a list, and the same catching up at its end.
 */
#include "storage/env_inside.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/unshared.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DIR_MODE 0700
#define COPY_BATCH_BYTES ((size_t)16 << 20) /* of one transaction of a copy */

/* -- Copies ----------------------------------------------------------------- */

struct copy {
    struct env *from;
    MDB_txn *from_txn;
    MDB_env *to;
    MDB_dbi to_tables[ENV_TABLES_MAX];
    MDB_txn *to_txn; /* NULL: the next row begins one */
    size_t batch_bytes;
};

static int copy_flush(struct copy *copy)
{
    if (copy->to_txn == NULL)
        return 0;
    int rc = mdb_txn_commit(copy->to_txn);
    copy->to_txn = NULL;
    copy->batch_bytes = 0;
    return rc;
}

static int copy_row(struct copy *copy, MDB_dbi table, MDB_val *key, MDB_val *value)
{
    int rc = 0;
    if (copy->to_txn == NULL)
        rc = mdb_txn_begin(copy->to, NULL, 0, &copy->to_txn);
    if (rc == 0)
        rc = mdb_put(copy->to_txn, table, key, value, MDB_APPEND);
    copy->batch_bytes += key->mv_size + value->mv_size;
    if (rc == 0 && copy->batch_bytes >= COPY_BATCH_BYTES)
        rc = copy_flush(copy);
    return rc;
}

static int copy_table(struct copy *copy, unsigned index)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int rc = mdb_cursor_open(copy->from_txn, copy->from->tables[index], &cursor);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (rc == 0) {
        rc = copy_row(copy, copy->to_tables[index], &key, &value);
        if (rc == 0 && copy->from->is_cancelled)
            rc = ECANCELED;
        if (rc == 0)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int copy_tables(struct copy *copy)
{
    int rc = env_begin(copy->from, MDB_RDONLY, &copy->from_txn);
    for (unsigned i = 0; rc == 0 && i < copy->from->options.tables_count; i++)
        rc = copy_table(copy, i);
    if (rc == 0)
        rc = copy_flush(copy);
    mdb_txn_abort(copy->to_txn);
    mdb_txn_abort(copy->from_txn);
    return rc;
}

/* The copy as data.mdb.new in `dir`; complete and flushed, or not there at all. */
static int copy_to(struct env *env, const char *dir, int dir_fd)
{
    struct copy copy = { .from = env };
    int rc = env_remove_file(dir_fd, ENV_FILE_NAME_NEW);
    char *path = env_path(dir, ENV_FILE_NAME_NEW);
    if (rc == 0)
        rc = env_open_private(path, &env->options, &copy.to, copy.to_tables);
    if (rc == 0)
        rc = copy_tables(&copy);
    if (copy.to != NULL)
        mdb_env_close(copy.to);
    free(path);
    if (rc != 0)
        env_remove_file(dir_fd, ENV_FILE_NAME_NEW);
    return rc;
}

static int fail_copy(struct err *err, int rc, const char *dir)
{
    if (rc == ECANCELED)
        return err_set(err, E_BUSY, "the copy to %s was cancelled; make it again", dir);
    return env_fail_path(err, rc, "write a copy to", dir);
}

/* Also flushes the directory above: the new name stands there. */
static int create_dir(const char *dir)
{
    if (mkdir(dir, DIR_MODE) != 0)
        return errno == EEXIST ? 0 : errno;
    char *above = env_path(dir, "..");
    int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(above);
    if (fd < 0)
        return errno;
    int rc = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return rc;
}

int env_copy(struct env *env, const char *dir, struct err *err)
{
    int rc = create_dir(dir);
    if (rc != 0)
        return env_fail_path(err, rc, "create the directory", dir);
    int dir_fd = -1;
    int code = env_lock_dir(dir, &dir_fd, err);
    if (code != 0)
        return code;

    if (env_has_file(dir_fd, ENV_FILE_NAME)) {
        code = err_set(err, E_CONFLICT, "%s holds a store already; name an empty directory", dir);
    } else {
        rc = copy_to(env, dir, dir_fd);
        if (rc == 0)
            rc = env_publish(dir_fd);
        code = rc == 0 ? 0 : fail_copy(err, rc, dir);
    }
    unshared_close(dir_fd);
    return code;
}

void env_copy_cancel(struct env *env)
{
    env->is_cancelled = true;
}

/* -- Compaction ------------------------------------------------------------- */

/* A copy that does not fit would take the last room from the commits of others: so nothing is
 * begun then.  What is written meanwhile is not counted, and a copy that fails gives all back. */
static int check_room(struct env *env, struct err *err)
{
    struct statfs status;
    uint64_t bytes = env_used_bytes(env) + COPY_ROOM_BYTES;
    if (fstatfs(env->dir_fd, &status) != 0)
        return env_fail_path(err, errno, "see how much room there is for", env->options.dir);
    uint64_t free_bytes = (uint64_t)status.f_bavail * (uint64_t)status.f_bsize;
    if (free_bytes >= bytes)
        return 0;
    return err_set(err, E_FULL,
                   "a copy of %s without what was deleted needs %" PRIu64
                   " MiB and the disk has %" PRIu64 " MiB left: make room",
                   env->options.dir, bytes >> 20, free_bytes >> 20);
}

int env_compact_prepare(struct env *env, struct err *err)
{
    int code = check_room(env, err);
    if (code != 0)
        return code;
    int rc = copy_to(env, env->options.dir, env->dir_fd);
    return rc == 0 ? 0 : fail_copy(err, rc, env->options.dir);
}

/* The copy is the only memory of how far it has come: a step goes on behind its last rows. */
struct compaction {
    struct copy copy;
    const enum env_change *changes; /* of each table */
};

static int copy_begin(struct copy *copy)
{
    if (copy->to_txn == NULL)
        return mdb_txn_begin(copy->to, NULL, 0, &copy->to_txn);
    return 0;
}

/* Stand on the first row behind those that the copy has. */
static int seek_behind(struct copy *copy, unsigned index, MDB_cursor *cursor, MDB_val *key,
                       MDB_val *value)
{
    MDB_cursor *done = NULL;
    MDB_val last;
    int rc = copy_begin(copy);
    if (rc == 0)
        rc = mdb_cursor_open(copy->to_txn, copy->to_tables[index], &done);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(done, &last, value, MDB_LAST);
    mdb_cursor_close(done);
    if (rc == MDB_NOTFOUND)
        return mdb_cursor_get(cursor, key, value, MDB_FIRST);
    if (rc != 0)
        return rc;
    *key = last;
    rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (rc == 0 && mdb_cmp(copy->from_txn, copy->from->tables[index], key, &last) == 0)
        rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
    return rc;
}

/* Rows until `*bytes` are used up, and one at least.  MDB_NOTFOUND: there are no more. */
static int copy_behind(struct copy *copy, unsigned index, size_t *bytes)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int rc = mdb_cursor_open(copy->from_txn, copy->from->tables[index], &cursor);
    if (rc == 0)
        rc = seek_behind(copy, index, cursor, &key, &value);
    while (rc == 0 && *bytes > 0) {
        size_t size = key.mv_size + value.mv_size;
        *bytes -= size < *bytes ? size : *bytes;
        rc = copy_row(copy, copy->to_tables[index], &key, &value);
        if (rc == 0)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return rc;
}

/* Rows that came in between those that the copy has.  Only the keys of the others are read. */
static int copy_missing(struct copy *copy, unsigned index)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int rc = mdb_cursor_open(copy->from_txn, copy->from->tables[index], &cursor);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (rc == 0)
        rc = copy_begin(copy);
    while (rc == 0) {
        rc = mdb_put(copy->to_txn, copy->to_tables[index], &key, &value, MDB_NOOVERWRITE);
        if (rc == 0 || rc == MDB_KEYEXIST)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* End the transactions of a step. */
static int copy_pause(struct copy *copy, int rc)
{
    if (rc == 0)
        rc = copy_flush(copy);
    mdb_txn_abort(copy->to_txn);
    mdb_txn_abort(copy->from_txn);
    copy->to_txn = copy->from_txn = NULL;
    copy->batch_bytes = 0;
    return rc;
}

static int fail_step(struct env *env, int rc, struct err *err)
{
    if (rc == 0)
        return 0;
    env_compact_drop(env);
    return fail_copy(err, rc, env->options.dir);
}

int env_compact_begin(struct env *env, const enum env_change *changes, struct err *err)
{
    ASSERT(env->compaction == NULL);
    int code = check_room(env, err);
    if (code != 0)
        return code;
    env->compaction = mem_zero(sizeof *env->compaction);
    env->compaction->copy.from = env;
    env->compaction->changes = changes;
    struct copy *copy = &env->compaction->copy;
    char *path = env_path(env->options.dir, ENV_FILE_NAME_NEW);
    int rc = env_remove_file(env->dir_fd, ENV_FILE_NAME_NEW);
    if (rc == 0)
        rc = env_open_private(path, &env->options, &copy->to, copy->to_tables);
    free(path);
    return fail_step(env, rc, err);
}

bool env_compact_is_begun(const struct env *env)
{
    return env->compaction != NULL;
}

int env_compact_step(struct env *env, size_t bytes, bool *out_is_level, struct err *err)
{
    struct compaction *compaction = env->compaction;
    struct copy *copy = &compaction->copy;
    bool is_level = true;
    int rc = env_begin(env, MDB_RDONLY, &copy->from_txn);
    for (unsigned i = 0; rc == 0 && i < env->options.tables_count; i++) {
        if (compaction->changes[i] == ENV_ANYHOW)
            continue;
        rc = copy_behind(copy, i, &bytes);
        is_level = is_level && rc == MDB_NOTFOUND;
        rc = rc == MDB_NOTFOUND ? 0 : rc;
    }
    rc = copy_pause(copy, rc);
    if (rc == 0)
        *out_is_level = is_level;
    return fail_step(env, rc, err);
}

static int copy_rest(struct compaction *compaction, unsigned index)
{
    size_t bytes = SIZE_MAX;
    struct copy *copy = &compaction->copy;
    if (compaction->changes[index] == ENV_ANYHOW)
        return copy_table(copy, index);
    if (compaction->changes[index] == ENV_BETWEEN)
        return copy_missing(copy, index);
    int rc = copy_behind(copy, index, &bytes);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int env_compact_end(struct env *env, struct err *err)
{
    struct copy *copy = &env->compaction->copy;
    int rc = env_begin(env, MDB_RDONLY, &copy->from_txn);
    for (unsigned i = 0; rc == 0 && i < env->options.tables_count; i++)
        rc = copy_rest(env->compaction, i);
    rc = copy_pause(copy, rc);
    if (rc != 0)
        return fail_step(env, rc, err);
    mdb_env_close(copy->to);
    free(env->compaction);
    env->compaction = NULL;
    return 0;
}

void env_compact_drop(struct env *env)
{
    if (env->compaction == NULL)
        return;
    if (env->compaction->copy.to != NULL)
        mdb_env_close(env->compaction->copy.to);
    env_remove_file(env->dir_fd, ENV_FILE_NAME_NEW);
    free(env->compaction);
    env->compaction = NULL;
}

/* Once the rename is done, if flushed or not, the old file is nobody's. */
int env_compact_swap(struct env **env, struct err *err)
{
    struct env *old = *env;
    int rc = env_publish(old->dir_fd);
    if (rc != 0 && env_has_file(old->dir_fd, ENV_FILE_NAME_NEW))
        return env_fail_path(err, rc, "rename the compacted file in", old->options.dir);

    struct env_options options = old->options;
    options.dir = mem_string(old->options.dir);
    *env = NULL;
    env_close(old);
    int code = env_open(&options, env, err);
    if (code == 0 && rc != 0)
        code = env_fail_path(err, rc, "flush the directory", options.dir);
    free((char *)options.dir);
    return code;
}

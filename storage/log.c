/* log.c -- the log's life, and writing; see log.h, and log_inside.h for who locks what.
 *
 * A group is collected in memory as the bytes that its blocks will hold, and committed in
 * one transaction.  Memory believes nothing of a commit until LMDB has answered 0.
 *
 * When a write fails.  A flush that failed may have reached the disk or not, and the
 * page cache may show what the disk does not have.  So the environment is closed and
 * opened anew, the end is read, and then one small commit (the fence) is made: LMDB
 * alternates between two meta pages, so after the fence the disk has a root that
 * contains whatever was read before it.  Only then is that the truth, and log_end()
 * tells it.  Until the fence has succeeded the log takes no group; readers go on with
 * the end they knew.
 *
 * The alternative, to stop the process at the first failed flush, reads the same page cache
 * after the restart and is no wiser.
 */
#include "storage/log_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

/* What a commit may need beside the group: the pages on the way to the new rows,
 * and LMDB's own bookkeeping. */
#define COMMIT_BYTES_EXTRA ((size_t)256 << 10)

/* A row for a table other than blocks, in the group's `rows`; key and value follow. */
struct group_row {
    uint32_t table;
    uint32_t key_size;
    uint64_t value_size;
};

/* -- Life ------------------------------------------------------------------- */

/* Reading takes the lock too, but changes nothing that the caller can see. */
static pthread_mutex_t *guard_of(const struct log *log)
{
    return (pthread_mutex_t *)&log->guard;
}

/* A writer waiting for the gate goes first: readers that overlap for ever must not keep
 * a failed log from being reopened. */
static void init_locks(struct log *log)
{
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&log->gate, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    pthread_mutex_init(&log->guard, NULL);
    pthread_cond_init(&log->reopened, NULL);
}

int log_open(const struct log_options *options, struct log **out_log, struct err *err)
{
    ASSERT(options->random != NULL);
    if (sodium_init() < 0) /* which also chooses the fast BLAKE2b of this machine */
        return err_set(err, E_IO, "cannot prepare the hash functions of libsodium");
    struct env *env = NULL;
    struct log_shape shape;
    int code = log_store_open(options, &env, &shape, err);
    if (code != 0)
        return code;
    int rc = env_flush(env);
    if (rc != 0) {
        code = env_fail_at(env, err, rc, "flush the log before its end is believed");
        free(shape.worlds.rows);
        env_close(env);
        return code;
    }

    struct log *log = mem_zero(sizeof *log);
    log->options = *options;
    log->options.dir = mem_string(options->dir);
    log->env = env;
    log->shape = shape;
    log->has_verdicts = shape.has_verdicts;
    log->is_writable = true;
    log->cache = log_cache_new();
    log->zstd = ZSTD_createCCtx();
    ASSERT(log->zstd != NULL);
    init_locks(log);
    *out_log = log;
    return 0;
}

void log_close(struct log *log)
{
    if (log == NULL)
        return;
    env_close(log->env);
    log_cache_free(log->cache);
    ZSTD_freeCCtx(log->zstd);
    pthread_rwlock_destroy(&log->gate);
    pthread_mutex_destroy(&log->guard);
    pthread_cond_destroy(&log->reopened);
    buf_deinit(&log->group.body);
    buf_deinit(&log->group.rows);
    buf_deinit(&log->packed);
    buf_deinit(&log->digests);
    free(log->group.cuts);
    free(log->shape.worlds.rows);
    free((char *)log->options.dir);
    free(log);
}

void log_end(const struct log *log, uint64_t *out_seq, int64_t *out_logged)
{
    pthread_mutex_lock(guard_of(log));
    *out_seq = log->shape.end_seq;
    *out_logged = log->shape.end_logged;
    pthread_mutex_unlock(guard_of(log));
}

uint64_t log_base(const struct log *log)
{
    pthread_mutex_lock(guard_of(log));
    uint64_t seq = log->shape.base.seq;
    pthread_mutex_unlock(guard_of(log));
    return seq;
}

void log_base_snapshot(const struct log *log, uint8_t out_snapshot[LOG_HASH_BYTES])
{
    pthread_mutex_lock(guard_of(log));
    memcpy(out_snapshot, log->shape.base.snapshot, LOG_HASH_BYTES);
    pthread_mutex_unlock(guard_of(log));
}

/* -- When a write failed ---------------------------------------------------- */

/* Close the file and open it again, with no reader inside. `env` is NULL if that fails. */
static int swap_env(struct log *log, struct log_shape *out_shape, struct err *err)
{
    if (log->env != NULL)
        env_copy_cancel(log->env);
    pthread_rwlock_wrlock(&log->gate);
    env_close(log->env);
    log->env = NULL;
    int code = log_store_open(&log->options, &log->env, out_shape, err);
    pthread_rwlock_unlock(&log->gate);

    pthread_mutex_lock(&log->guard);
    log->openings++;
    pthread_cond_broadcast(&log->reopened);
    pthread_mutex_unlock(&log->guard);
    return code;
}

/* The fence; see the essay. Its content does not matter. */
static int fence(struct log *log, const struct log_shape *shape, struct err *err)
{
    if (shape->end_seq < log->shape.end_seq)
        return err_set(err, E_CORRUPT,
                       "the log ends at entry %" PRIu64 ", but %" PRIu64
                       " was acknowledged: the disk has lost what it had made durable",
                       shape->end_seq, log->shape.end_seq);
    int rc = env_flush(log->env);
    if (rc == 0)
        rc = log_format_write(log->env);
    return rc == 0 ? 0 : env_fail_at(log->env, err, rc, "write to the log after reopening it");
}

static void adopt(struct log *log, const struct log_shape *shape)
{
    pthread_mutex_lock(&log->guard);
    free(log->shape.worlds.rows);
    log->shape = *shape;
    log->has_verdicts = shape->has_verdicts;
    pthread_mutex_unlock(&log->guard);
    log_cache_drop(log->cache);
}

/* A failed fence leaves an environment that LMDB refuses to read from: open another. */
static void reopen_for_readers(struct log *log)
{
    struct log_shape shape = { 0 };
    if (swap_env(log, &shape, NULL) == 0)
        free(shape.worlds.rows);
}

static int reopen(struct log *log, struct err *err)
{
    struct log_shape shape = { 0 };
    log->is_writable = false;
    int code = swap_env(log, &shape, err);
    if (code != 0)
        return code;
    code = fence(log, &shape, err);
    if (code != 0) {
        free(shape.worlds.rows);
        reopen_for_readers(log);
        return code;
    }
    adopt(log, &shape);
    log->is_writable = true;
    return 0;
}

int log_ready(struct log *log, struct err *err)
{
    if (log->is_writable)
        return 0;
    uint64_t seq = log->shape.end_seq;
    int code = reopen(log, err);
    if (code == 0 && log->shape.end_seq != seq)
        code = err_set(err, E_CONFLICT,
                       "the log ends at entry %" PRIu64 " and not at %" PRIu64
                       ": an earlier write did land; apply it and repeat",
                       log->shape.end_seq, seq);
    return code;
}

/* The reason of the failure is the caller's; why reopening failed is told by the next
 * attempt to write, which repeats it. */
int log_failed(struct log *log, int rc, const char *action, struct err *err)
{
    int code = env_fail_at(log->env, err, rc, action);
    reopen(log, NULL);
    return code;
}

/* -- Adding ----------------------------------------------------------------- */

bool log_group_is_empty(const struct log *log)
{
    return log->group.count == 0 && log->group.rows.size == 0;
}

static void group_clear(struct log_group *group)
{
    buf_clear(&group->body);
    buf_clear(&group->rows);
    group->cuts_count = 0;
    group->count = 0;
}

/* Salts in advance: one call for randomness is dearer than the salt. */
static const uint8_t *next_salt(struct log *log)
{
    if (log->salts_left == 0) {
        log->options.random(log->options.random_arg, log->salts, sizeof log->salts);
        log->salts_left = LOG_SALTS_COUNT;
    }
    return log->salts[--log->salts_left];
}

static struct log_cut *new_cut(struct log_group *group, uint64_t seq, int64_t logged)
{
    if (group->cuts_count == group->cuts_capacity) {
        group->cuts_capacity = group->cuts_capacity != 0 ? group->cuts_capacity * 2 : 16;
        group->cuts = mem_resize(group->cuts, group->cuts_capacity * sizeof *group->cuts);
    }
    struct log_cut *cut = &group->cuts[group->cuts_count++];
    *cut = (struct log_cut){ .seq_first = seq, .logged_first = logged, .at = group->body.size };
    return cut;
}

/* The block for a record of `size` bytes: the last one while it has room. */
static struct log_cut *cut_for(struct log_group *group, uint64_t seq, int64_t logged, size_t size)
{
    if (group->cuts_count > 0) {
        struct log_cut *last = &group->cuts[group->cuts_count - 1];
        if (last->size + size <= LOG_BLOCK_BYTES_MAX)
            return last;
    }
    return new_cut(group, seq, logged);
}

uint64_t log_add(struct log *log, enum log_class class, int64_t logged, const void *body,
                 size_t size)
{
    struct log_group *group = &log->group;
    int64_t logged_before = group->count > 0 ? group->logged : log->shape.end_logged;
    ASSERT(class >= LOG_CLIENT && class <= LOG_SYSTEM);
    ASSERT(size <= LOG_ENTRY_BYTES_MAX && logged >= logged_before);

    uint64_t seq = log->shape.end_seq + 1 + group->count;
    size_t record_size = LOG_BLOCK_RECORD_BYTES + size;
    struct log_cut *cut = cut_for(group, seq, logged, record_size);
    log_record_put(&group->body, &(struct log_record){ .kind = LOG_RECORD_ENTRY,
                                                       .class = (uint8_t) class,
                                                       .logged = logged,
                                                       .salt = next_salt(log),
                                                       .body = body,
                                                       .size = (uint32_t)size });
    cut->size += (uint32_t)record_size;
    cut->count++;
    group->count++;
    group->logged = logged;
    return seq;
}

static void add_row(struct log *log, uint32_t table, const void *key, size_t key_size,
                    const void *value, size_t value_size)
{
    struct group_row row = { table, (uint32_t)key_size, value_size };
    buf_append(&log->group.rows, &row, sizeof row);
    buf_append(&log->group.rows, key, key_size);
    buf_append(&log->group.rows, value, value_size);
}

void log_put_blob(struct log *log, const uint8_t hash[LOG_HASH_BYTES], const void *data,
                  size_t size)
{
    add_row(log, TABLE_BLOBS, hash, LOG_HASH_BYTES, data, size);
}

void log_index_verdict(struct log *log, uint64_t at_seq, const void *verdict, size_t size)
{
    struct log_key key = log_key_of(at_seq);
    add_row(log, TABLE_VERDICTS, key.bytes, sizeof key.bytes, verdict, size);
}

void log_index_world(struct log *log, uint64_t seq, uint64_t since)
{
    struct log_world world = { seq, since };
    add_row(log, TABLE_WORLDS, NULL, 0, &world, sizeof world);
}

/* -- Committing ------------------------------------------------------------- */

/* What a commit changes in memory, once it has succeeded. */
struct commit {
    struct log *log;
    MDB_txn *txn;
    uint64_t world;
    uint8_t chain[LOG_BLOCK_CHAIN_BYTES];
    uint64_t stored_bytes;
};

static int put_block(struct commit *commit, const struct log_cut *cut)
{
    struct log *log = commit->log;
    const uint8_t *body = log->group.body.data + cut->at;
    buf_clear(&log->digests);
    log_block_digest(&log->digests, body, cut->size, cut->count);
    struct log_block block = {
        .world = commit->world,
        .seq_first = cut->seq_first,
        .logged_first = cut->logged_first,
        .count = cut->count,
        .raw_size = cut->size,
        .chain = commit->chain,
        .digests = log->digests.data,
    };
    log_block_chain(commit->chain, &block, commit->chain);
    log_block_pack(&block, body, log->zstd, &log->packed);

    struct log_key key = log_key_of(cut->seq_first);
    MDB_val key_val = log_key_val(&key);
    MDB_val value = { log->packed.size, log->packed.data };
    commit->stored_bytes += log->packed.size;
    return mdb_put(commit->txn, env_table(log->env, TABLE_BLOCKS), &key_val, &value, MDB_APPEND);
}

/* A second verdict on an entry stands beside the first: two rules may fail there. */
static int put_verdict(struct commit *commit, MDB_val key, MDB_val value)
{
    MDB_dbi table = env_table(commit->log->env, TABLE_VERDICTS);
    MDB_val before = { 0, NULL };
    int rc = mdb_get(commit->txn, table, &key, &before);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    struct buf both = BUF_INIT;
    buf_append(&both, before.mv_data, before.mv_size);
    buf_append(&both, value.mv_data, value.mv_size);
    MDB_val both_val = { both.size, both.data };
    rc = mdb_put(commit->txn, table, &key, &both_val, 0);
    buf_deinit(&both);
    return rc;
}

static int put_row(struct commit *commit, uint32_t table, MDB_val key, MDB_val value)
{
    if (table == TABLE_VERDICTS)
        return put_verdict(commit, key, value);
    if (table == TABLE_WORLDS) {
        struct log_world world;
        memcpy(&world, value.mv_data, sizeof world);
        return log_world_put(commit->txn, env_table(commit->log->env, TABLE_WORLDS), &world);
    }
    int rc =
        mdb_put(commit->txn, env_table(commit->log->env, table), &key, &value, MDB_NOOVERWRITE);
    return rc == MDB_KEYEXIST ? 0 : rc; /* of a blob: the same bytes by its hash */
}

/* Take the row at *at apart; false behind the last one. */
static bool next_row(const struct buf *rows, size_t *at, struct group_row *out_row,
                     MDB_val *out_key, MDB_val *out_value)
{
    if (*at == rows->size)
        return false;
    memcpy(out_row, rows->data + *at, sizeof *out_row);
    *at += sizeof *out_row;
    *out_key = (MDB_val){ out_row->key_size, rows->data + *at };
    *at += out_row->key_size;
    *out_value = (MDB_val){ out_row->value_size, rows->data + *at };
    *at += out_row->value_size;
    return true;
}

static int put_rows(struct commit *commit)
{
    struct group_row row;
    MDB_val key, value;
    int rc = 0;
    for (size_t at = 0; rc == 0 && next_row(&commit->log->group.rows, &at, &row, &key, &value);)
        rc = put_row(commit, row.table, key, value);
    return rc;
}

static int write_group(struct commit *commit)
{
    const struct log_group *group = &commit->log->group;
    int rc = env_begin(commit->log->env, 0, &commit->txn);
    for (size_t i = 0; rc == 0 && i < group->cuts_count; i++)
        rc = put_block(commit, &group->cuts[i]);
    if (rc == 0)
        rc = put_rows(commit);
    return env_finish(commit->txn, rc);
}

static void believe_rows(struct log *log)
{
    struct group_row row;
    MDB_val key, value;
    for (size_t at = 0; next_row(&log->group.rows, &at, &row, &key, &value);) {
        if (row.table == TABLE_VERDICTS) {
            log->has_verdicts = true;
        } else if (row.table == TABLE_WORLDS) {
            struct log_world world;
            memcpy(&world, value.mv_data, sizeof world);
            log_worlds_add(&log->shape.worlds, world);
        }
    }
}

static void believe(const struct commit *commit, int64_t duration_ns)
{
    struct log *log = commit->log;
    const struct log_group *group = &log->group;
    pthread_mutex_lock(&log->guard);
    log->shape.end_seq += group->count;
    if (group->count > 0)
        log->shape.end_logged = group->logged;
    memcpy(log->shape.chain, commit->chain, sizeof log->shape.chain);
    believe_rows(log);
    log->stats.commits++;
    log->stats.entries += group->count;
    log->stats.raw_bytes += group->body.size;
    log->stats.stored_bytes += commit->stored_bytes;
    log->stats.commit_ns_last = duration_ns;
    pthread_mutex_unlock(&log->guard);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int commit_group(struct log *log, uint64_t world, struct err *err)
{
    int code = log_ready(log, err);
    if (code != 0)
        return code;
    size_t bytes = log->group.body.size + log->group.rows.size + COMMIT_BYTES_EXTRA;
    if (!env_has_room(log->env, log->options.quota_bytes, bytes))
        return err_set(err, E_FULL,
                       "the log has reached its quota of %zu bytes; raise the quota and restart",
                       log->options.quota_bytes);

    struct commit commit = { .log = log, .world = world };
    memcpy(commit.chain, log->shape.chain, sizeof commit.chain);
    int64_t start_ns = now_ns();
    int rc = write_group(&commit);
    if (rc != 0)
        return log_failed(log, rc, "write to the log", err);
    believe(&commit, now_ns() - start_ns);
    return 0;
}

int log_commit(struct log *log, uint64_t world, struct err *err)
{
    if (log_group_is_empty(log))
        return log_ready(log, err);
    int code = commit_group(log, world, err);
    group_clear(&log->group);
    return code;
}

void log_stats(struct log *log, struct log_stats *out_stats)
{
    struct log_stats room = { .quota_bytes = log->options.quota_bytes };
    pthread_rwlock_rdlock(&log->gate);
    if (log->env != NULL) {
        room.file_bytes = env_file_bytes(log->env);
        room.used_bytes = env_used_bytes(log->env);
    }
    pthread_rwlock_unlock(&log->gate);

    pthread_mutex_lock(&log->guard);
    *out_stats = log->stats;
    pthread_mutex_unlock(&log->guard);
    out_stats->file_bytes = room.file_bytes;
    out_stats->used_bytes = room.used_bytes;
    out_stats->quota_bytes = room.quota_bytes;
}

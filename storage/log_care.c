/* log_care.c -- erasing, rebasing, copies, and blobs that nothing names.
 *
 * Everything here is called again after a crash and then goes on where it stopped: an entry
 * that is a tombstone already is left alone, a block that has been removed is not found, a
 * copy that did not get its name is deleted.  Work is done in transactions of bounded size
 * and each leaves a log that verifies.
 *
 * The base's chain is by definition the chain of the block before the first one
 * present, and is written together with the removal of that block.  So a rebase that dies
 * half-way leaves blocks below the base that nobody sees, and no broken chain.
 */
#include "storage/log_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <inttypes.h>
#include <string.h>
#include <zstd.h>

#define ERASE_BLOCKS_MAX 64                  /* rewritten in one transaction: 4 MiB raw */
#define REBASE_BLOCKS_MAX 256                /* removed in one transaction */
#define COMPACT_STEP_BYTES ((size_t)2 << 20) /* copied while nobody else writes */

/* -- Erasing ---------------------------------------------------------------- */

struct erase {
    struct log *log;
    MDB_txn *txn;
    const uint64_t *seqs; /* what is left to do */
    size_t count;
    uint64_t customer;
    ZSTD_DCtx *zstd;
    struct buf before, after; /* bodies */
    int fault_code;           /* of the first block that could not be read */
    struct err fault;
};

/* Drop the seqs up to `last` from what is left. */
static void erase_skip(struct erase *erase, uint64_t last)
{
    while (erase->count > 0 && erase->seqs[0] <= last) {
        erase->seqs++;
        erase->count--;
    }
}

/* The body of a block with tombstones in it, in `after`. False: nothing changed. */
static bool erase_body(struct erase *erase, const struct log_block *block, const uint8_t *body)
{
    const uint8_t *at = body;
    const uint8_t *start = body;
    struct log_record record;
    bool is_changed = false;
    buf_clear(&erase->after);
    for (uint64_t seq = block->seq_first; log_record_next(&at, body + block->raw_size, &record);
         seq++, start = at) {
        bool is_meant = erase->count > 0 && erase->seqs[0] == seq;
        if (is_meant && record.kind == LOG_RECORD_ENTRY) {
            log_record_put_tombstone(&erase->after, &record, erase->customer);
            is_changed = true;
        } else {
            buf_append(&erase->after, start, (size_t)(at - start));
        }
        erase_skip(erase, seq);
    }
    return is_changed;
}

static int erase_put(struct erase *erase, struct log_block block)
{
    struct log *log = erase->log;
    struct log_key key = log_key_of(block.seq_first);
    MDB_val key_val = log_key_val(&key);
    block.raw_size = (uint32_t)erase->after.size;
    log_block_pack(&block, erase->after.data, log->zstd, &log->packed);
    MDB_val value = { log->packed.size, log->packed.data };
    return mdb_put(erase->txn, env_table(log->env, TABLE_BLOCKS), &key_val, &value, 0);
}

/* A block that cannot be read keeps its bytes and is reported; the others go on. */
static int erase_fault(struct erase *erase, uint64_t last, int code, const struct err *why)
{
    if (erase->fault_code == 0)
        erase->fault_code =
            err_set(&erase->fault, code, "entry %" PRIu64 " of the log cannot be erased: %s",
                    erase->seqs[0], why->text);
    erase_skip(erase, last);
    return 0;
}

static int erase_block(struct erase *erase, uint64_t last, MDB_val value)
{
    struct log_block block;
    struct err why = { 0 };
    int code = log_block_parse(value.mv_data, value.mv_size, &block, &why);
    if (code == 0) {
        buf_clear(&erase->before);
        buf_reserve(&erase->before, block.raw_size);
        code = log_block_unpack(&block, erase->zstd, erase->before.data, &why);
    }
    if (code == 0 && block.seq_first + block.count - 1 > last)
        code = err_set(&why, E_CORRUPT, "its block does not end before the next");
    if (code != 0)
        return erase_fault(erase, last, code, &why);
    bool is_changed = erase_body(erase, &block, erase->before.data);
    erase_skip(erase, last);
    return is_changed ? erase_put(erase, block) : 0;
}

/* The block that holds the next seq.  LMDB's codes. */
static int erase_next(struct erase *erase)
{
    struct log *log = erase->log;
    MDB_val key, value;
    MDB_cursor *cursor = NULL;
    uint64_t last = 0;
    int rc = mdb_cursor_open(erase->txn, env_table(log->env, TABLE_BLOCKS), &cursor);
    if (rc != 0)
        return rc;
    rc = log_seek(cursor, erase->seqs[0], &key, &value);
    if (rc == 0 && log_place_end(cursor, log->shape.end_seq, &last, NULL) != 0)
        rc = MDB_CORRUPTED;
    mdb_cursor_close(cursor);
    return rc == 0 ? erase_block(erase, last, value) : rc;
}

static int erase_batch(struct erase *erase)
{
    int rc = env_begin(erase->log->env, 0, &erase->txn);
    for (unsigned i = 0; rc == 0 && erase->count > 0 && i < ERASE_BLOCKS_MAX; i++)
        rc = erase_next(erase);
    return env_finish(erase->txn, rc);
}

static int check_seqs(const struct log *log, const uint64_t *seqs, size_t count, struct err *err)
{
    for (size_t i = 1; i < count; i++)
        if (seqs[i] <= seqs[i - 1])
            return err_set(err, E_INVALID, "the entries to erase do not ascend at %" PRIu64,
                           seqs[i]);
    if (count > 0 && seqs[count - 1] > log->shape.end_seq)
        return err_set(err, E_INVALID, "entry %" PRIu64 " to erase is behind the end, %" PRIu64,
                       seqs[count - 1], log->shape.end_seq);
    return 0;
}

int log_erase(struct log *log, const uint64_t *seqs, size_t count, uint64_t customer,
              struct err *err)
{
    ASSERT(log_group_is_empty(log));
    int code = log_ready(log, err);
    if (code == 0)
        code = check_seqs(log, seqs, count, err);
    if (code != 0)
        return code;

    env_compact_drop(log->env); /* it may have what is erased now */
    struct erase erase = { .log = log, .seqs = seqs, .count = count, .customer = customer };
    erase.zstd = log_cache_lend(log->cache);
    erase_skip(&erase, log->shape.base.seq);
    while (code == 0 && erase.count > 0) {
        int rc = erase_batch(&erase);
        log_cache_drop(log->cache);
        if (rc != 0)
            code = log_failed(log, rc, "erase entries of the log", err);
    }
    log_cache_return(log->cache, erase.zstd);
    buf_deinit(&erase.before);
    buf_deinit(&erase.after);
    if (code == 0 && erase.fault_code != 0)
        code = err_set(err, erase.fault_code, "%s", erase.fault.text);
    return code;
}

/* -- Rebasing --------------------------------------------------------------- */

struct rebase {
    struct log *log;
    MDB_txn *txn;
    struct log_base base; /* as it will be after this transaction */
    bool is_done;
};

/* The chain is taken from a block on its way out without checking it: a block that is
 * damaged is one more reason to be rid of it, and a wrong chain shows when the log is
 * verified. */
static void take_chain(struct rebase *rebase, MDB_val value)
{
    const uint8_t *data = value.mv_data;
    if (value.mv_size >= LOG_BLOCK_CHAIN_AT + LOG_BLOCK_CHAIN_BYTES)
        memcpy(rebase->base.chain, data + LOG_BLOCK_CHAIN_AT, LOG_BLOCK_CHAIN_BYTES);
}

/* The first block, if it lies wholly up to the base. */
static int remove_block(struct rebase *rebase, MDB_cursor *cursor)
{
    MDB_val key, value;
    uint64_t last = 0;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (rc != 0)
        return rc;
    if (log_place_end(cursor, rebase->log->shape.end_seq, &last, NULL) != 0)
        return MDB_CORRUPTED;
    if (last > rebase->base.seq)
        return MDB_NOTFOUND;
    take_chain(rebase, value);
    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    return rc == 0 ? mdb_cursor_del(cursor, 0) : rc;
}

/* The first verdict, if it is of an entry that is gone. */
static int remove_verdict(struct rebase *rebase, MDB_cursor *cursor)
{
    MDB_val key, value;
    uint64_t seq = 0;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (rc != 0)
        return rc;
    if (log_key_read(key, &seq, NULL) != 0)
        return MDB_CORRUPTED;
    return seq > rebase->base.seq ? MDB_NOTFOUND : mdb_cursor_del(cursor, 0);
}

/* Remove rows from the front of a table while there are such, at most a batch of them. */
static int remove_front(struct rebase *rebase, unsigned table,
                        int (*remove_one)(struct rebase *, MDB_cursor *))
{
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(rebase->txn, env_table(rebase->log->env, table), &cursor);
    for (unsigned i = 0; rc == 0 && i < REBASE_BLOCKS_MAX; i++) {
        rc = remove_one(rebase, cursor);
        if (rc == 0)
            rebase->is_done = false;
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Batches go on until one finds nothing to remove.  That last, empty one is needed:
 * LMDB uses freed pages again only two commits later, and a full log is what is being
 * rebased. */
static int rebase_batch(struct rebase *rebase)
{
    struct log *log = rebase->log;
    rebase->is_done = true;
    int rc = env_begin(log->env, 0, &rebase->txn);
    if (rc == 0)
        rc = remove_front(rebase, TABLE_BLOCKS, remove_block);
    if (rc == 0)
        rc = remove_front(rebase, TABLE_VERDICTS, remove_verdict);
    if (rc == 0)
        rc = log_base_put(rebase->txn, env_table(log->env, TABLE_META), &rebase->base);
    return env_finish(rebase->txn, rc);
}

static void believe_base(struct log *log, const struct log_base *base)
{
    pthread_mutex_lock(&log->guard);
    log->shape.base = *base;
    pthread_mutex_unlock(&log->guard);
    log_cache_drop(log->cache);
}

static int count_verdicts(struct log *log, struct err *err)
{
    MDB_stat stat;
    MDB_txn *txn = NULL;
    int code = log_enter(log, &txn, err);
    if (code == 0 && mdb_stat(txn, env_table(log->env, TABLE_VERDICTS), &stat) == 0)
        log->has_verdicts = stat.ms_entries > 0;
    log_leave(log, txn);
    return code;
}

int log_rebase(struct log *log, uint64_t seq, const uint8_t snapshot[LOG_HASH_BYTES],
               struct err *err)
{
    ASSERT(log_group_is_empty(log));
    int code = log_ready(log, err);
    if (code != 0)
        return code;
    if (seq < log->shape.base.seq || seq > log->shape.end_seq)
        return err_set(err, E_INVALID,
                       "the log cannot begin behind entry %" PRIu64 ": it holds %" PRIu64
                       " to %" PRIu64,
                       seq, log->shape.base.seq + 1, log->shape.end_seq);

    env_compact_drop(log->env);
    struct rebase rebase = { .log = log, .base = log->shape.base };
    rebase.base.seq = seq;
    rebase.base.logged = log->shape.end_logged;
    memcpy(rebase.base.snapshot, snapshot, LOG_HASH_BYTES);
    believe_base(log, &rebase.base); /* first: nobody may miss what is being removed */
    while (!rebase.is_done) {
        int rc = rebase_batch(&rebase);
        if (rc != 0)
            return log_failed(log, rc, "remove old blocks of the log", err);
        believe_base(log, &rebase.base);
    }
    return count_verdicts(log, err);
}

/* -- Copies ----------------------------------------------------------------- */

int log_copy(struct log *log, const char *dir, struct err *err)
{
    pthread_rwlock_rdlock(&log->gate);
    int code = log->env != NULL ? env_copy(log->env, dir, err)
                                : err_set(err, E_IO, "the log is closed after a failed write");
    pthread_rwlock_unlock(&log->gate);
    return code;
}

void log_copy_cancel(struct log *log)
{
    pthread_rwlock_rdlock(&log->gate);
    if (log->env != NULL)
        env_copy_cancel(log->env);
    pthread_rwlock_unlock(&log->gate);
}

/* What nobody changes is copied while groups are written between the steps. */
static const enum env_change changes[TABLES_COUNT] = {
    [TABLE_BLOCKS] = ENV_BEHIND, [TABLE_BLOBS] = ENV_BETWEEN, [TABLE_VERDICTS] = ENV_ANYHOW,
    [TABLE_WORLDS] = ENV_ANYHOW, [TABLE_META] = ENV_ANYHOW,
};

/* Further than what was added since the last step, or a busy log would never be level. */
static size_t step_bytes(struct log *log)
{
    uint64_t added = log->stats.stored_bytes - log->copied_at;
    log->copied_at = log->stats.stored_bytes;
    return COMPACT_STEP_BYTES + 2 * added;
}

static int compact_step(struct log *log, bool *out_is_level, struct err *err)
{
    int code = 0;
    if (!env_compact_is_begun(log->env)) {
        log->copied_at = log->stats.stored_bytes;
        code = env_compact_begin(log->env, changes, err);
    }
    return code == 0 ? env_compact_step(log->env, step_bytes(log), out_is_level, err) : code;
}

static int compact_swap(struct log *log, struct err *err)
{
    env_copy_cancel(log->env);
    pthread_rwlock_wrlock(&log->gate);
    int code = env_compact_swap(&log->env, err);
    log->is_writable = code == 0;
    pthread_rwlock_unlock(&log->gate);
    return code;
}

int log_compact(struct log *log, bool *out_is_done, struct err *err)
{
    ASSERT(log_group_is_empty(log));
    bool is_level = false;
    int code = log_ready(log, err);
    if (code == 0)
        code = compact_step(log, &is_level, err);
    if (code == 0 && is_level)
        code = env_compact_end(log->env, err);
    if (code == 0 && is_level)
        code = compact_swap(log, err);
    if (code == 0)
        *out_is_done = is_level;
    return code;
}

/* -- Blobs ------------------------------------------------------------------ */

/* Append the hashes of all blobs to `out`. */
static int list_blobs(struct log *log, struct buf *out, struct err *err)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = log_enter(log, &txn, err);
    int rc =
        code == 0 ? mdb_cursor_open(txn, env_table(log->env, TABLE_BLOBS), &cursor) : MDB_NOTFOUND;
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (rc == 0) {
        if (key.mv_size == LOG_HASH_BYTES)
            buf_append(out, key.mv_data, key.mv_size);
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    log_leave(log, txn);
    return rc == MDB_NOTFOUND ? code : env_fail(err, rc, "list the blobs of the log");
}

static int remove_blobs(struct log *log, const struct buf *hashes)
{
    MDB_txn *txn = NULL;
    int rc = env_begin(log->env, 0, &txn);
    for (size_t at = 0; rc == 0 && at < hashes->size; at += LOG_HASH_BYTES) {
        MDB_val key = { LOG_HASH_BYTES, hashes->data + at };
        rc = mdb_del(txn, env_table(log->env, TABLE_BLOBS), &key, NULL);
    }
    return env_finish(txn, rc);
}

/* Move the hashes that nothing names to the front and keep only these. */
static void keep_unnamed(struct buf *hashes, log_names_fn *names, void *arg)
{
    size_t kept = 0;
    for (size_t at = 0; at < hashes->size; at += LOG_HASH_BYTES) {
        if (names(arg, hashes->data + at))
            continue;
        memmove(hashes->data + kept, hashes->data + at, LOG_HASH_BYTES);
        kept += LOG_HASH_BYTES;
    }
    hashes->size = kept;
}

int log_collect_blobs(struct log *log, log_names_fn *names, void *arg, struct err *err)
{
    ASSERT(log_group_is_empty(log));
    struct buf hashes = BUF_INIT;
    int code = log_ready(log, err);
    if (code == 0)
        env_compact_drop(log->env);
    if (code == 0)
        code = list_blobs(log, &hashes, err);
    if (code == 0)
        keep_unnamed(&hashes, names, arg);
    if (code == 0 && hashes.size > 0) {
        int rc = remove_blobs(log, &hashes);
        if (rc != 0)
            code = log_failed(log, rc, "remove blobs of the log", err);
    }
    buf_deinit(&hashes);
    return code;
}

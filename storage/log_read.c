/* log_read.c -- visiting entries, and the look-ups beside them.
 *
 * A read takes one block at a time: under the gate, in a transaction of its own, the
 * block is checked and decoded into memory; then both are given up and the visitor is
 * called.  So no foreign code runs inside a transaction, no read keeps old pages alive,
 * a visitor may itself read the log, and a writer that must reopen the file waits for
 * one block at most.  What it costs is a copy that decompressing makes anyway.
 *
 * A read sees nothing beyond log_end(), also when LMDB has it already: what has not been
 * acknowledged does not exist.
 *
 * A block that cannot be read is named by the keys around it and not by its own header,
 * which is among the things that cannot be believed.
 */
#include "storage/log_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zstd.h>

/* -- Transactions ----------------------------------------------------------- */

/* LMDB refuses new transactions from the moment its meta page could not be written. The
 * writing thread is about to reopen the file; the caller must not notice.  Gives up the
 * gate. */
static void await_reopening(struct log *log)
{
    pthread_mutex_lock(&log->guard);
    uint64_t openings = log->openings; /* cannot change before the gate is given up */
    pthread_rwlock_unlock(&log->gate);
    while (log->openings == openings)
        pthread_cond_wait(&log->reopened, &log->guard);
    pthread_mutex_unlock(&log->guard);
}

int log_enter(struct log *log, MDB_txn **out_txn, struct err *err)
{
    *out_txn = NULL;
    for (;;) {
        pthread_rwlock_rdlock(&log->gate);
        if (log->env == NULL)
            return err_set(err, E_IO,
                           "the log could not be reopened after a failed write; "
                           "the next commit tries again");
        int rc = env_begin(log->env, MDB_RDONLY, out_txn);
        if (rc != MDB_PANIC)
            return rc == 0 ? 0 : env_fail(err, rc, "read the log");
        await_reopening(log);
    }
}

void log_leave(struct log *log, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    pthread_rwlock_unlock(&log->gate);
}

/* -- Finding a block -------------------------------------------------------- */

int log_seek(MDB_cursor *cursor, uint64_t seq, MDB_val *out_key, MDB_val *out_value)
{
    struct log_key wanted = log_key_of(seq);
    MDB_val exact = log_key_val(&wanted);
    *out_key = exact;
    int rc = mdb_cursor_get(cursor, out_key, out_value, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND)
        return mdb_cursor_get(cursor, out_key, out_value, MDB_LAST);
    if (rc != 0 || mdb_cmp(mdb_cursor_txn(cursor), mdb_cursor_dbi(cursor), out_key, &exact) == 0)
        return rc;
    rc = mdb_cursor_get(cursor, out_key, out_value, MDB_PREV);
    return rc == MDB_NOTFOUND ? mdb_cursor_get(cursor, out_key, out_value, MDB_FIRST) : rc;
}

/* A place in the log: a block, or the hole where one should be. */
struct place {
    uint64_t first, last; /* seqs, by the keys */
    MDB_val value;        /* of a hole: no data */
};

int log_place_end(MDB_cursor *cursor, uint64_t end_seq, uint64_t *out_last, struct err *err)
{
    MDB_val key, value;
    uint64_t seq = 0;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    if (rc == MDB_NOTFOUND) {
        *out_last = end_seq;
        return 0;
    }
    if (rc != 0)
        return env_fail(err, rc, "read the log");
    int code = log_key_read(key, &seq, err);
    if (code == 0)
        *out_last = seq - 1;
    return code;
}

static int place_of(MDB_cursor *cursor, uint64_t seq, uint64_t end_seq, struct place *out_place,
                    struct err *err)
{
    MDB_val key, value;
    uint64_t first = 0;
    *out_place = (struct place){ seq, end_seq, { 0, NULL } };
    int rc = log_seek(cursor, seq, &key, &value);
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return env_fail(err, rc, "read the log");
    int code = log_key_read(key, &first, err);
    if (code != 0)
        return code;
    if (first > seq) {
        out_place->last = first - 1;
        return 0;
    }
    out_place->first = first;
    out_place->value = value;
    return log_place_end(cursor, end_seq, &out_place->last, err);
}

/* -- Decoding --------------------------------------------------------------- */

/* The block at a place that holds `seq`.  If it ends before `seq`, the place shrinks to
 * the hole behind it. */
static int parse_place(struct place *place, uint64_t seq, struct log_block *out_block,
                       struct err *err)
{
    if (place->value.mv_data == NULL)
        return err_set(err, E_CORRUPT, "no block holds them");
    int code = log_block_parse(place->value.mv_data, place->value.mv_size, out_block, err);
    if (code != 0)
        return code;
    if (out_block->seq_first != place->first || out_block->count > place->last - place->first + 1)
        return err_set(err, E_CORRUPT,
                       "their block calls itself %" PRIu64 " with %" PRIu32 " entries",
                       out_block->seq_first, out_block->count);
    if (seq - place->first < out_block->count)
        return 0;
    place->first += out_block->count;
    return err_set(err, E_CORRUPT, "no block holds them");
}

static int decode(struct log *log, struct place *place, uint64_t seq,
                  struct log_decoded **out_decoded, struct err *err)
{
    struct log_block block;
    int code = parse_place(place, seq, &block, err);
    if (code != 0)
        return code;

    struct log_decoded *decoded = mem_alloc(sizeof *decoded + block.raw_size);
    *decoded = (struct log_decoded){
        .refs = 1, .seq_first = block.seq_first, .count = block.count, .size = block.raw_size
    };
    ZSTD_DCtx *zstd = log_cache_lend(log->cache);
    code = log_block_unpack(&block, zstd, decoded->body, err);
    log_cache_return(log->cache, zstd);
    if (code == 0)
        *out_decoded = decoded;
    else
        free(decoded);
    return code;
}

/* A read in progress: entries next to stop - 1. */
struct walk {
    struct log *log;
    uint64_t next, stop;
    uint64_t end_seq;
};

/* A rebase may have removed what the read was about to reach: go on behind it. */
static bool skip_base(struct walk *walk)
{
    uint64_t base = log_base(walk->log);
    if (walk->next > base)
        return false;
    walk->next = base + 1;
    return true;
}

static int decode_place(struct walk *walk, MDB_txn *txn, struct log_decoded **out_decoded,
                        struct err *err)
{
    struct place place;
    struct err why = { 0 };
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(txn, env_table(walk->log->env, TABLE_BLOCKS), &cursor);
    if (rc != 0)
        return env_fail(err, rc, "read the log");
    int code = place_of(cursor, walk->next, walk->end_seq, &place, err);
    mdb_cursor_close(cursor);
    if (code != 0)
        return code;
    code = decode(walk->log, &place, walk->next, out_decoded, &why);
    if (code == 0 || skip_base(walk))
        return 0;
    walk->next = place.last + 1;
    return err_set(err, code, "entries %" PRIu64 " to %" PRIu64 " of the log cannot be read: %s",
                   place.first, place.last, why.text);
}

static int decode_stored(struct walk *walk, struct log_decoded **out_decoded, struct err *err)
{
    MDB_txn *txn = NULL;
    int code = log_enter(walk->log, &txn, err);
    if (code == 0)
        code = decode_place(walk, txn, out_decoded, err);
    log_leave(walk->log, txn);
    return code;
}

/* The block with entry walk->next, with a reference; NULL: next has moved, try again. */
static int decoded_get(struct walk *walk, struct log_decoded **out_decoded, struct err *err)
{
    struct log_cache *cache = walk->log->cache;
    uint64_t age = 0;
    *out_decoded = log_cache_get(cache, walk->next, &age);
    if (*out_decoded != NULL)
        return 0;
    int code = decode_stored(walk, out_decoded, err);
    if (code != 0 || *out_decoded == NULL)
        return code;
    const struct log_decoded *decoded = *out_decoded;
    if (walk->next > decoded->seq_first || walk->stop < decoded->seq_first + decoded->count)
        log_cache_put(cache, *out_decoded, age);
    return 0;
}

/* -- Visiting --------------------------------------------------------------- */

static int visit_record(const struct log_record *record, uint64_t seq, log_visit_fn *visit,
                        void *arg)
{
    bool is_tombstone = record->kind == LOG_RECORD_TOMBSTONE;
    struct log_entry entry = {
        .seq = seq,
        .logged = record->logged,
        .class = record->class,
        .is_tombstone = is_tombstone,
        .customer = is_tombstone ? log_record_customer(record) : 0,
        .body = is_tombstone ? NULL : record->body,
        .size = is_tombstone ? 0 : record->size,
    };
    return visit(arg, &entry);
}

static int visit_block(struct walk *walk, const struct log_decoded *decoded, log_visit_fn *visit,
                       void *arg)
{
    const uint8_t *at = decoded->body;
    struct log_record record;
    int result = 0;
    for (uint64_t seq = decoded->seq_first; result == 0 && seq < walk->stop; seq++) {
        if (!log_record_next(&at, decoded->body + decoded->size, &record))
            break;
        if (seq < walk->next)
            continue;
        walk->next = seq + 1;
        result = visit_record(&record, seq, visit, arg);
    }
    return result;
}

static struct walk walk_start(struct log *log, uint64_t seq_first, size_t count_max)
{
    struct walk walk = { .log = log, .next = seq_first };
    pthread_mutex_lock(&log->guard);
    walk.end_seq = log->shape.end_seq;
    if (walk.next <= log->shape.base.seq)
        walk.next = log->shape.base.seq + 1;
    pthread_mutex_unlock(&log->guard);
    walk.stop = walk.end_seq + 1;
    if (walk.next < walk.stop && count_max < walk.stop - walk.next)
        walk.stop = walk.next + count_max;
    return walk;
}

int log_read(struct log *log, uint64_t seq_first, size_t count_max, log_visit_fn *visit, void *arg,
             uint64_t *out_next, struct err *err)
{
    struct walk walk = walk_start(log, seq_first, count_max);
    int result = 0;
    while (result == 0 && walk.next < walk.stop) {
        struct log_decoded *decoded = NULL;
        result = decoded_get(&walk, &decoded, err);
        if (decoded == NULL)
            continue;
        result = visit_block(&walk, decoded, visit, arg);
        log_cache_unref(log->cache, decoded);
    }
    if (out_next != NULL)
        *out_next = walk.next;
    return result;
}

/* -- Look-ups --------------------------------------------------------------- */

static int get_row(struct log *log, unsigned table, MDB_val key, struct buf *out, const char *what,
                   struct err *err)
{
    MDB_txn *txn = NULL;
    MDB_val value;
    int code = log_enter(log, &txn, err);
    if (code == 0) {
        int rc = mdb_get(txn, env_table(log->env, table), &key, &value);
        if (rc == 0)
            buf_append(out, value.mv_data, value.mv_size);
        else
            code = env_fail(err, rc, what);
    }
    log_leave(log, txn);
    return code;
}

int log_get_blob(struct log *log, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                 struct err *err)
{
    MDB_val key = { LOG_HASH_BYTES, (void *)hash }; /* LMDB only reads it */
    return get_row(log, TABLE_BLOBS, key, out, "read a blob of the log", err);
}

int log_get_verdict(struct log *log, uint64_t at_seq, struct buf *out, struct err *err)
{
    struct log_key key = log_key_of(at_seq);
    return get_row(log, TABLE_VERDICTS, log_key_val(&key), out, "read a verdict of the log", err);
}

bool log_has_verdicts(const struct log *log)
{
    return log->has_verdicts;
}

/* The rows ascend in `since`: the last one at or below `seq`. */
static uint64_t world_in(const struct log_worlds *worlds, uint64_t seq)
{
    size_t low = 0, high = worlds->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (worlds->rows[middle].since <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? worlds->rows[low - 1].seq : 0;
}

uint64_t log_world_of(struct log *log, uint64_t seq)
{
    pthread_mutex_lock(&log->guard);
    uint64_t world = world_in(&log->shape.worlds, seq);
    pthread_mutex_unlock(&log->guard);
    return world;
}

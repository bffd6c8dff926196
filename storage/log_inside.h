/* log_inside.h -- what the files of the log share; nobody else includes it.
 *
 *   log.c        the log's life; adding and committing; what a failed write leads to
 *   log_open.c   reading the shape of a log: base, end, worlds
 *   log_read.c   visiting entries, look-ups
 *   log_cache.c  decoded blocks that are likely to be asked for again
 *   log_verify.c checking all of it
 *   log_care.c   erasing, rebasing, copies, blobs that nothing names
 *   log_block.c  one block as bytes
 *
 * Locks.  `gate` guards the pointer `env`: readers hold it shared while they are in a
 * transaction, and the writing thread holds it alone while it closes and reopens the
 * file. The writing thread is the only one to change `env` and so reads it without the
 * gate; a commit and its flush run outside all locks.  `guard` is held for a few
 * instructions and covers what a reader sees of the log's shape: end, base, worlds,
 * counters.  The cache has its own.  Nobody waits for the gate with the guard or the
 * cache's lock in hand.
 */
#ifndef STORAGE_LOG_INSIDE_H
#define STORAGE_LOG_INSIDE_H

#include "core/base/buf.h"
#include "storage/env.h"
#include "storage/log.h"
#include "storage/log_block.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TABLE_BLOCKS, TABLE_BLOBS, TABLE_VERDICTS, TABLE_WORLDS, TABLE_META, TABLES_COUNT };

#define LOG_FORMAT 1
#define LOG_KEY_BYTES 8 /* a seq, big-endian */
#define LOG_SALTS_COUNT 256

struct log_base {
    uint64_t seq;
    int64_t logged;                       /* of the end at that time: an empty log's clock */
    uint8_t chain[LOG_BLOCK_CHAIN_BYTES]; /* of the block before the first one present */
    uint8_t snapshot[LOG_HASH_BYTES];
};

/* Rows of the table `worlds` that still decide about some entry. Ascending in both
 * members: a world hides every earlier one whose `since` is not below its own. */
struct log_world {
    uint64_t seq, since;
};
struct log_worlds {
    struct log_world *rows;
    size_t count, capacity;
};

/* Everything that opening reads; replaced as a whole by reopening. */
struct log_shape {
    struct log_base base;
    uint64_t end_seq;
    int64_t end_logged;
    uint8_t chain[LOG_BLOCK_CHAIN_BYTES]; /* of the last block */
    struct log_worlds worlds;
    bool has_verdicts;
};

/* A block to be: `count` records in the group's body. */
struct log_cut {
    uint64_t seq_first;
    int64_t logged_first;
    size_t at;
    uint32_t size, count;
};

/* What log_add() and its like collected since the last commit. */
struct log_group {
    struct buf body; /* records */
    struct buf rows; /* for the other tables: struct group_row, key, value */
    struct log_cut *cuts;
    size_t cuts_count, cuts_capacity;
    uint64_t count;     /* of entries */
    uint64_t after_seq; /* the end when the group was begun */
    int64_t logged;     /* of the last entry */
};

struct log_cache;

struct log {
    struct env *env; /* NULL: a reopening failed; see `gate` */
    pthread_rwlock_t gate;
    pthread_mutex_t guard;
    pthread_cond_t reopened;  /* `openings` has changed */
    uint64_t openings;        /* under guard: of the file, by this log */
    struct log_shape shape;   /* under guard; the writing thread reads it without */
    struct log_stats stats;   /* under guard */
    atomic_bool has_verdicts; /* of the shape, for readers without a lock */
    struct log_cache *cache;

    /* The writing thread's own. */
    struct log_options options; /* dir: our own copy */
    bool is_writable;           /* false: the end is not known to be on disk */
    struct log_group group;
    struct ZSTD_CCtx_s *zstd;
    struct buf packed, digests; /* scratch of a block */
    uint64_t copied_at;         /* stats.stored_bytes at the last step of a compaction */
    uint8_t salts[LOG_SALTS_COUNT][LOG_BLOCK_SALT_BYTES];
    size_t salts_left;
};

/* -- log.c ------------------------------------------------------------------ */

bool log_group_is_empty(const struct log *log);

/* Before writing: if the last write failed, reopen.  E_CONFLICT: the end moved by that. */
int log_ready(struct log *log, struct err *err);
/* A write failed with LMDB's `rc`: record that in `err`, reopen, and return the code. */
int log_failed(struct log *log, int rc, const char *action, struct err *err);

/* -- log_open.c: keys and rows ------------------------------------------------ */

struct log_key {
    uint8_t bytes[LOG_KEY_BYTES];
};
struct log_key log_key_of(uint64_t seq);
MDB_val log_key_val(struct log_key *key);
/* E_CORRUPT unless the key is a seq. */
int log_key_read(MDB_val key, uint64_t *out_seq, struct err *err);

/* Untouched when there is no base: zeros are one. */
int log_base_read(MDB_txn *txn, MDB_dbi meta, struct log_base *out_base, struct err *err);
/* LMDB's codes. */
int log_base_put(MDB_txn *txn, MDB_dbi meta, const struct log_base *base);
int log_world_put(MDB_txn *txn, MDB_dbi worlds, const struct log_world *world);

/* -- log_open.c: opening ------------------------------------------------------ */

/* The environment and what is in it; a new log is begun.  The caller owns both outputs: the
 * shape's worlds are freed with free(). */
int log_store_open(const struct log_options *options, struct env **out_env,
                   struct log_shape *out_shape, struct err *err);
void log_worlds_add(struct log_worlds *worlds, struct log_world world);
/* Write the format row, in a commit of its own.  LMDB's codes. */
int log_format_write(struct env *env);

/* -- log_read.c ------------------------------------------------------------- */

/* Begin a read transaction inside the gate; log_leave() ends both, also after a failure.
 * Waits while a commit that failed is being followed by a reopening. */
int log_enter(struct log *log, MDB_txn **out_txn, struct err *err);
void log_leave(struct log *log, MDB_txn *txn);

/* Position the cursor on the last block that begins at or before `seq`, or else on the
 * first one. LMDB's codes; MDB_NOTFOUND: there are no blocks. */
int log_seek(MDB_cursor *cursor, uint64_t seq, MDB_val *out_key, MDB_val *out_value);
/* The last seq of the block the cursor stands on, which moves: one before the next
 * key, or `end_seq` of the log. */
int log_place_end(MDB_cursor *cursor, uint64_t end_seq, uint64_t *out_last, struct err *err);

/* -- log_cache.c ------------------------------------------------------------- */

/* A decoded block, shared and never changed. */
struct log_decoded {
    unsigned refs; /* under the cache's lock */
    uint64_t seq_first;
    uint32_t count;
    uint32_t size;
    uint8_t body[];
};

struct log_cache *log_cache_new(void);
void log_cache_free(struct log_cache *cache);

/* The decoded block that holds `seq`, with a reference, or NULL. *out_age is to be
 * handed to log_cache_put() with what the caller is going to read instead. */
struct log_decoded *log_cache_get(struct log_cache *cache, uint64_t seq, uint64_t *out_age);
/* Offer a block.  Refused if the cache was dropped since `age`. */
void log_cache_put(struct log_cache *cache, struct log_decoded *decoded, uint64_t age);
void log_cache_unref(struct log_cache *cache, struct log_decoded *decoded);
/* Forget all, also what is being read just now: blocks on disk have changed. */
void log_cache_drop(struct log_cache *cache);

/* A decompressor, given back with log_cache_return(). */
struct ZSTD_DCtx_s *log_cache_lend(struct log_cache *cache);
void log_cache_return(struct log_cache *cache, struct ZSTD_DCtx_s *zstd);

#endif

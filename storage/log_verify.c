/* log_verify.c -- checking the whole log: checksums, digests, chain, dense numbers.
 *
 * Block by block, each in a transaction of its own, so that a check of a large log
 * holds up nobody and may run while entries are appended, erased or rebased away.  A
 * fault does not end the check: whoever must decide about a damaged log wants to know
 * all of it.
 *
 * Behind a faulty block the chain is not known; it is taken up again from the next sound
 * one.  So one fault in the file is one line of the report and not two.
 */
#include "storage/log_inside.h"

#include "core/base/err.h"

#include <inttypes.h>
#include <string.h>
#include <zstd.h>

struct verify {
    struct log *log;
    ZSTD_DCtx *zstd;
    struct buf body;
    uint64_t next; /* seq that must come next; 0: at the first block */
    uint64_t end_seq;
    uint8_t chain[LOG_BLOCK_CHAIN_BYTES]; /* of the block before */
    bool is_chain_known;
    bool is_done;
};

struct fault {
    uint64_t first, last;
    struct err why; /* code 0: none */
};

static int check_body(struct verify *verify, const struct log_block *block, struct err *why)
{
    buf_clear(&verify->body);
    uint8_t *body = buf_reserve(&verify->body, block->raw_size);
    int code = log_block_unpack(block, verify->zstd, body, why);
    return code == 0 ? log_block_check_digests(block, body, why) : code;
}

static int check_chain(const struct verify *verify, const struct log_block *block, struct err *why)
{
    uint8_t chain[LOG_BLOCK_CHAIN_BYTES];
    if (!verify->is_chain_known)
        return 0;
    log_block_chain(verify->chain, block, chain);
    if (memcmp(chain, block->chain, sizeof chain) == 0)
        return 0;
    return err_set(why, E_CORRUPT, "the chain of hashes is broken before this block");
}

/* One block that by the keys may hold `fault->first` to `fault->last`.  A sound one
 * says itself where it ends: a hole behind it is the next fault and not this one. */
static void check_block(struct verify *verify, MDB_val value, struct fault *fault)
{
    struct log_block block;
    struct err *why = &fault->why;
    int code = log_block_parse(value.mv_data, value.mv_size, &block, why);
    if (code == 0 &&
        (block.seq_first != fault->first || block.count > fault->last - fault->first + 1))
        code =
            err_set(why, E_CORRUPT, "the block calls itself %" PRIu64 " with %" PRIu32 " entries",
                    block.seq_first, block.count);
    if (code == 0)
        code = check_body(verify, &block, why);
    if (code == 0)
        code = check_chain(verify, &block, why);
    if (code == 0) {
        fault->last = block.seq_first + block.count - 1;
        memcpy(verify->chain, block.chain, sizeof verify->chain);
    }
    verify->is_chain_known = code == 0;
}

/* At the beginning, and when a rebase has removed what came next, the base says what
 * the first block continues. */
static void take_base(struct verify *verify, const struct log_base *base, uint64_t first)
{
    bool is_removed = first > verify->next && verify->next <= base->seq;
    if (verify->next != 0 && !is_removed)
        return;
    verify->next = first <= base->seq ? first : base->seq + 1;
    verify->is_chain_known = true;
    memcpy(verify->chain, base->chain, sizeof verify->chain);
}

/* Behind the last block: nothing that was acknowledged may be missing. */
static void check_end(struct verify *verify, const struct log_base *base, struct fault *fault)
{
    verify->is_done = true;
    if (verify->next <= base->seq)
        verify->next = base->seq + 1;
    if (verify->next > verify->end_seq)
        return;
    *fault = (struct fault){ .first = verify->next, .last = verify->end_seq };
    err_set(&fault->why, E_CORRUPT, "no block holds them");
}

static int check_at(struct verify *verify, MDB_cursor *cursor, MDB_val key, MDB_val value,
                    const struct log_base *base, struct fault *fault, struct err *err)
{
    uint64_t first = 0;
    int code = log_key_read(key, &first, err);
    if (code != 0)
        return code;
    take_base(verify, base, first);
    if (first > verify->next) {
        *fault = (struct fault){ .first = verify->next, .last = first - 1 };
        err_set(&fault->why, E_CORRUPT, "no block holds them");
        verify->next = first;
        verify->is_chain_known = false;
        return 0;
    }
    *fault = (struct fault){ .first = first };
    uint64_t last = verify->end_seq > first ? verify->end_seq : first;
    code = log_place_end(cursor, last, &fault->last, err);
    if (code == 0) {
        check_block(verify, value, fault);
        verify->next = fault->last + 1;
    }
    return code;
}

static int check_next(struct verify *verify, MDB_txn *txn, struct fault *fault, struct err *err)
{
    struct log *log = verify->log;
    struct log_base base = { 0 };
    struct log_key wanted = log_key_of(verify->next);
    MDB_val key = log_key_val(&wanted);
    MDB_val value;
    MDB_cursor *cursor = NULL;
    int code = log_base_read(txn, env_table(log->env, TABLE_META), &base, err);
    if (code != 0)
        return code;
    int rc = mdb_cursor_open(txn, env_table(log->env, TABLE_BLOCKS), &cursor);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (rc == 0)
        code = check_at(verify, cursor, key, value, &base, fault, err);
    else if (rc == MDB_NOTFOUND)
        check_end(verify, &base, fault);
    else
        code = env_fail(err, rc, "verify the log");
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return code;
}

static int check_step(struct verify *verify, struct fault *fault, struct err *err)
{
    MDB_txn *txn = NULL;
    int code = log_enter(verify->log, &txn, err);
    if (code == 0)
        code = check_next(verify, txn, fault, err);
    log_leave(verify->log, txn);
    return code;
}

int log_verify(struct log *log, log_fault_fn *fault, void *arg, struct err *err)
{
    struct verify verify = { .log = log, .zstd = log_cache_lend(log->cache) };
    int64_t logged;
    int code = 0, result = 0;
    log_end(log, &verify.end_seq, &logged);
    while (code == 0 && !verify.is_done) {
        struct fault found = { .why = { 0 } };
        code = check_step(&verify, &found, err);
        if (code != 0 || found.why.code == 0)
            continue;
        if (result == 0)
            result = err_set(err, E_CORRUPT, "entries %" PRIu64 " to %" PRIu64 " of the log: %s",
                             found.first, found.last, found.why.text);
        if (fault != NULL)
            fault(arg, found.first, found.last, found.why.text);
    }
    log_cache_return(log->cache, verify.zstd);
    buf_deinit(&verify.body);
    return code != 0 ? code : result;
}

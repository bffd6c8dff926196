/* log_open.c -- from a directory to the shape of a log: base, end, worlds.
 *
 * Opening at the start and reopening after a failed write are the same reading. It goes by
 * what is in the file and by nothing that memory remembers: after a failed flush memory
 * does not know.  The last block is checked whole, digests included, since all that is
 * added continues its chain; the others are checked when they are read.
 *
 * An environment without a format row is a new one if it has no blocks, and else not ours.
 */
#include "storage/log_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
    BASE_AT_SEQ = 0,
    BASE_AT_LOGGED = 8,
    BASE_AT_CHAIN = 16,
    BASE_AT_SNAPSHOT = BASE_AT_CHAIN + LOG_BLOCK_CHAIN_BYTES,
    BASE_BYTES = BASE_AT_SNAPSHOT + LOG_HASH_BYTES,
};

static char format_name[] = "format";
static char base_name[] = "base";

static MDB_val name_val(char *name)
{
    return (MDB_val){ strlen(name), name };
}

/* -- Keys and rows ---------------------------------------------------------- */

struct log_key log_key_of(uint64_t seq)
{
    struct log_key key;
    uint64_t big = htobe64(seq);
    memcpy(key.bytes, &big, sizeof key.bytes);
    return key;
}

MDB_val log_key_val(struct log_key *key)
{
    return (MDB_val){ sizeof key->bytes, key->bytes };
}

int log_key_read(MDB_val key, uint64_t *out_seq, struct err *err)
{
    uint64_t big;
    if (key.mv_size != sizeof big)
        return err_set(err, E_CORRUPT, "a row of the log has a key of %zu bytes", key.mv_size);
    memcpy(&big, key.mv_data, sizeof big);
    *out_seq = be64toh(big);
    return 0;
}

static void put_le64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static uint64_t get_le64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

int log_world_put(MDB_txn *txn, MDB_dbi worlds, const struct log_world *world)
{
    struct log_key key = log_key_of(world->seq);
    MDB_val key_val = log_key_val(&key);
    uint8_t since[8];
    put_le64(since, world->since);
    MDB_val value = { sizeof since, since };
    return mdb_put(txn, worlds, &key_val, &value, 0);
}

int log_base_put(MDB_txn *txn, MDB_dbi meta, const struct log_base *base)
{
    uint8_t bytes[BASE_BYTES];
    put_le64(bytes + BASE_AT_SEQ, base->seq);
    put_le64(bytes + BASE_AT_LOGGED, (uint64_t)base->logged);
    memcpy(bytes + BASE_AT_CHAIN, base->chain, sizeof base->chain);
    memcpy(bytes + BASE_AT_SNAPSHOT, base->snapshot, sizeof base->snapshot);
    MDB_val key = name_val(base_name);
    MDB_val value = { sizeof bytes, bytes };
    return mdb_put(txn, meta, &key, &value, 0);
}

int log_base_read(MDB_txn *txn, MDB_dbi meta, struct log_base *out_base, struct err *err)
{
    MDB_val key = name_val(base_name);
    MDB_val value;
    int rc = mdb_get(txn, meta, &key, &value);
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return env_fail(err, rc, "read the base of the log");
    if (value.mv_size != BASE_BYTES)
        return err_set(err, E_CORRUPT, "the base of the log has %zu bytes", value.mv_size);
    const uint8_t *bytes = value.mv_data;
    out_base->seq = get_le64(bytes + BASE_AT_SEQ);
    out_base->logged = (int64_t)get_le64(bytes + BASE_AT_LOGGED);
    memcpy(out_base->chain, bytes + BASE_AT_CHAIN, sizeof out_base->chain);
    memcpy(out_base->snapshot, bytes + BASE_AT_SNAPSHOT, sizeof out_base->snapshot);
    return 0;
}

/* -- Format ----------------------------------------------------------------- */

int log_format_write(struct env *env)
{
    uint32_t format = htole32(LOG_FORMAT);
    MDB_val key = name_val(format_name);
    MDB_val value = { sizeof format, &format };
    MDB_txn *txn = NULL;
    int rc = env_begin(env, 0, &txn);
    if (rc == 0)
        rc = mdb_put(txn, env_table(env, TABLE_META), &key, &value, 0);
    return env_finish(txn, rc);
}

static int format_judge(MDB_val value, const char *dir, struct err *err)
{
    uint32_t format = 0;
    if (value.mv_size == sizeof format)
        memcpy(&format, value.mv_data, sizeof format);
    format = le32toh(format);
    if (format == LOG_FORMAT)
        return 0;
    return err_set(err, E_VERSION, "the log in %s has format %" PRIu32 "; this version reads %d",
                   dir, format, LOG_FORMAT);
}

/* `out_is_new`: no format row, and no blocks either. */
static int format_check(struct env *env, bool *out_is_new, struct err *err)
{
    MDB_val key = name_val(format_name);
    MDB_val value;
    MDB_stat blocks = { 0 };
    MDB_txn *txn = NULL;
    int code = 0;
    int rc = env_begin(env, MDB_RDONLY, &txn);
    if (rc == 0)
        rc = mdb_stat(txn, env_table(env, TABLE_BLOCKS), &blocks);
    if (rc == 0)
        rc = mdb_get(txn, env_table(env, TABLE_META), &key, &value);
    *out_is_new = rc == MDB_NOTFOUND && blocks.ms_entries == 0;
    if (rc == 0)
        code = format_judge(value, env_dir(env), err);
    else if (rc == MDB_NOTFOUND && !*out_is_new)
        code = err_set(err, E_CORRUPT, "the log in %s has blocks but no format", env_dir(env));
    else if (rc != MDB_NOTFOUND)
        code = env_fail(err, rc, "read the format of the log");
    mdb_txn_abort(txn);
    return code;
}

static int format_ensure(struct env *env, struct err *err)
{
    bool is_new = false;
    int code = format_check(env, &is_new, err);
    if (code != 0 || !is_new)
        return code;
    int rc = log_format_write(env);
    return rc == 0 ? 0 : env_fail_at(env, err, rc, "begin the log");
}

/* -- Worlds and verdicts ---------------------------------------------------- */

void log_worlds_add(struct log_worlds *worlds, struct log_world world)
{
    while (worlds->count > 0 && worlds->rows[worlds->count - 1].since >= world.since)
        worlds->count--;
    if (worlds->count == worlds->capacity) {
        worlds->capacity = worlds->capacity != 0 ? worlds->capacity * 2 : 16;
        worlds->rows = mem_resize(worlds->rows, worlds->capacity * sizeof *worlds->rows);
    }
    worlds->rows[worlds->count++] = world;
}

static int worlds_read(MDB_txn *txn, MDB_dbi table, struct log_worlds *worlds, struct err *err)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = 0;
    int rc = mdb_cursor_open(txn, table, &cursor);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (rc == 0 && code == 0) {
        struct log_world world = { 0, 0 };
        code = log_key_read(key, &world.seq, err);
        if (code == 0 && value.mv_size != sizeof world.since)
            code = err_set(err, E_CORRUPT, "the index row of world %" PRIu64 " has %zu bytes",
                           world.seq, value.mv_size);
        if (code == 0) {
            world.since = get_le64(value.mv_data);
            log_worlds_add(worlds, world);
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND)
        code = env_fail(err, rc, "read the index of worlds");
    return code;
}

static int verdicts_count(MDB_txn *txn, MDB_dbi table, bool *out_has_verdicts, struct err *err)
{
    MDB_stat stat;
    int rc = mdb_stat(txn, table, &stat);
    if (rc != 0)
        return env_fail(err, rc, "count the verdicts");
    *out_has_verdicts = stat.ms_entries > 0;
    return 0;
}

/* -- The last block --------------------------------------------------------- */

static int64_t logged_last(const struct log_block *block, const uint8_t *body)
{
    const uint8_t *at = body;
    struct log_record record;
    int64_t logged = block->logged_first;
    while (log_record_next(&at, body + block->raw_size, &record))
        logged = record.logged;
    return logged;
}

static int end_from_block(const struct log_block *block, struct log_shape *shape, struct err *err)
{
    uint8_t *body = mem_alloc(block->raw_size);
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    ASSERT(zstd != NULL);
    int code = log_block_unpack(block, zstd, body, err);
    if (code == 0)
        code = log_block_check_digests(block, body, err);
    if (code == 0) {
        shape->end_seq = block->seq_first + block->count - 1;
        shape->end_logged = logged_last(block, body);
        memcpy(shape->chain, block->chain, sizeof shape->chain);
    }
    ZSTD_freeDCtx(zstd);
    free(body);
    return code;
}

static int end_from_value(MDB_val key, MDB_val value, struct log_shape *shape, struct err *err)
{
    uint64_t seq = 0;
    struct log_block block;
    struct err why = { 0 };
    int code = log_key_read(key, &seq, err);
    if (code != 0)
        return code;
    code = log_block_parse(value.mv_data, value.mv_size, &block, &why);
    if (code == 0 && block.seq_first != seq)
        code = err_set(&why, E_CORRUPT, "it calls itself %" PRIu64, block.seq_first);
    if (code == 0)
        code = end_from_block(&block, shape, &why);
    if (code == 0)
        return 0;
    return err_set(err, code,
                   "the last block of the log, from entry %" PRIu64 ", cannot be read: %s", seq,
                   why.text);
}

/* After a rebase up to the end there is no block, and the base is the end. One that lies
 * wholly under the base awaits its removal, and ends no later than the base. */
static int end_read(MDB_txn *txn, MDB_dbi blocks, struct log_shape *shape, struct err *err)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = 0;
    int rc = mdb_cursor_open(txn, blocks, &cursor);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    if (rc == 0)
        code = end_from_value(key, value, shape, err);
    else if (rc != MDB_NOTFOUND)
        code = env_fail(err, rc, "read the end of the log");
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (rc == MDB_NOTFOUND) {
        shape->end_seq = shape->base.seq;
        shape->end_logged = shape->base.logged;
        memcpy(shape->chain, shape->base.chain, sizeof shape->chain);
    }
    return code;
}

static int shape_read(struct env *env, struct log_shape *shape, struct err *err)
{
    MDB_txn *txn = NULL;
    int rc = env_begin(env, MDB_RDONLY, &txn);
    if (rc != 0)
        return env_fail(err, rc, "read the log");
    int code = log_base_read(txn, env_table(env, TABLE_META), &shape->base, err);
    if (code == 0)
        code = end_read(txn, env_table(env, TABLE_BLOCKS), shape, err);
    if (code == 0)
        code = worlds_read(txn, env_table(env, TABLE_WORLDS), &shape->worlds, err);
    if (code == 0)
        code = verdicts_count(txn, env_table(env, TABLE_VERDICTS), &shape->has_verdicts, err);
    mdb_txn_abort(txn);
    return code;
}

/* -- Both together ---------------------------------------------------------- */

int log_store_open(const struct log_options *options, struct env **out_env,
                   struct log_shape *out_shape, struct err *err)
{
    static const char *const tables[TABLES_COUNT] = {
        [TABLE_BLOCKS] = "blocks", [TABLE_BLOBS] = "blobs", [TABLE_VERDICTS] = "verdicts",
        [TABLE_WORLDS] = "worlds", [TABLE_META] = "meta",
    };
    struct env_options env_options = { options->dir, options->map_bytes, tables, TABLES_COUNT };
    struct log_shape shape = { 0 };
    struct env *env = NULL;
    int code = env_open(&env_options, &env, err);
    if (code == 0)
        code = format_ensure(env, err);
    if (code == 0)
        code = shape_read(env, &shape, err);
    if (code == 0) {
        *out_env = env;
        *out_shape = shape;
    } else {
        free(shape.worlds.rows);
        env_close(env);
    }
    return code;
}

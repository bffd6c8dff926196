/* snapshot.c -- reading the last checkpoint from any thread.
 *
 * A snapshot is a read transaction of LMDB with a count around it: it needs no lock
 * to read, nothing that the engine or a checkpoint does changes what it sees, and
 * all it costs others is that pages freed after it cannot be used again while it
 * lives.
 *
 * The lock is taken to open and to close, because a compaction may be about to
 * put another file in this one's place.
 */
#include "storage/state_inside.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct snapshot {
    struct state *state;
    MDB_txn *txn;
    MDB_dbi table;
    uint64_t seq;
    int64_t logged;
};

static int count_up(struct state *state, struct err *err)
{
    state_lock(state);
    bool is_full = state->snapshots >= STATE_SNAPSHOTS_MAX;
    if (!is_full) {
        state->snapshots++;
        state->users++;
    }
    state_unlock(state);
    if (is_full)
        return err_set(err, E_BUSY, "%d snapshots of the state are open; try again later",
                       STATE_SNAPSHOTS_MAX);
    return 0;
}

static void count_down(struct state *state)
{
    state_lock(state);
    state->snapshots--;
    state->users--;
    state_unlock(state);
}

int snapshot_open(struct state *state, struct snapshot **out_snapshot, struct err *err)
{
    int code = count_up(state, err);
    if (code != 0)
        return code;
    struct snapshot *snapshot = mem_zero(sizeof *snapshot);
    snapshot->state = state;
    int rc = MDB_PANIC; /* a compaction that failed has left no file open */
    if (state->env != NULL) {
        snapshot->table = env_table(state->env, STATE_TABLE);
        rc = env_begin(state->env, MDB_RDONLY, &snapshot->txn);
    }
    if (rc == 0)
        rc = state_read_applied(snapshot->txn, snapshot->table, &snapshot->seq, &snapshot->logged);
    if (rc != 0) {
        snapshot_close(snapshot);
        return env_fail(err, rc, "open a snapshot of the state");
    }
    *out_snapshot = snapshot;
    return 0;
}

void snapshot_close(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    mdb_txn_abort(snapshot->txn);
    count_down(snapshot->state);
    free(snapshot);
}

void snapshot_applied(const struct snapshot *snapshot, uint64_t *out_seq, int64_t *out_logged)
{
    *out_seq = snapshot->seq;
    *out_logged = snapshot->logged;
}

bool snapshot_get(struct snapshot *snapshot, const struct key *key, struct bytes *out_value)
{
    MDB_val key_val = state_val(key->data, key->size), value;
    int rc = mdb_get(snapshot->txn, snapshot->table, &key_val, &value);
    if (rc == MDB_NOTFOUND)
        return false;
    if (rc != 0)
        state_stop(rc);
    *out_value = state_bytes(value);
    return true;
}

static bool has_prefix(const struct key *prefix, MDB_val key)
{
    return prefix == NULL ||
           (key.mv_size >= prefix->size && memcmp(key.mv_data, prefix->data, prefix->size) == 0);
}

/* The later of two keys, either of which may be NULL. */
static const struct key *later_key(const struct key *a, const struct key *b)
{
    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    size_t common = b->size < a->size ? b->size : a->size;
    int order = memcmp(b->data, a->data, common);
    return order > 0 || (order == 0 && b->size > a->size) ? b : a;
}

int snapshot_visit(struct snapshot *snapshot, const struct key *prefix, const struct key *first,
                   snapshot_visit_fn *visit, void *arg)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    const struct key *begin = later_key(prefix, first); /* NULL: at the first row of all */
    int result = 0;
    int rc = mdb_cursor_open(snapshot->txn, snapshot->table, &cursor);
    if (rc == 0 && begin != NULL)
        key = state_val(begin->data, begin->size);
    if (rc == 0)
        rc = mdb_cursor_get(cursor, &key, &value, begin != NULL ? MDB_SET_RANGE : MDB_FIRST);
    while (rc == 0 && result == 0 && has_prefix(prefix, key)) {
        result = visit(arg, state_bytes(key), state_bytes(value));
        if (result == 0)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND)
        state_stop(rc);
    return result;
}

/* The lowest key above all that begin with the prefix.  False: there is none. */
static bool key_behind(const struct key *prefix, struct key *out_key)
{
    *out_key = *prefix;
    while (out_key->size > 0 && out_key->data[out_key->size - 1] == 0xff)
        out_key->size--;
    if (out_key->size == 0)
        return false;
    out_key->data[out_key->size - 1]++;
    return true;
}

/* Stand on the last row with the prefix that is lower than `before`, if there is one. */
static int stand_back(MDB_cursor *cursor, const struct key *prefix, const struct key *before,
                      MDB_val *key, MDB_val *value)
{
    struct key behind;
    bool has_end = prefix != NULL && key_behind(prefix, &behind);
    const struct key *end = has_end ? &behind : NULL;
    if (before != NULL && (end == NULL || later_key(end, before) == end))
        end = before;
    if (end == NULL)
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    *key = state_val(end->data, end->size);
    int rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return rc;
    return mdb_cursor_get(cursor, key, value, rc == 0 ? MDB_PREV : MDB_LAST);
}

int snapshot_visit_back(struct snapshot *snapshot, const struct key *prefix,
                        const struct key *before, snapshot_visit_fn *visit, void *arg)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int result = 0;
    int rc = mdb_cursor_open(snapshot->txn, snapshot->table, &cursor);
    if (rc == 0)
        rc = stand_back(cursor, prefix, before, &key, &value);
    while (rc == 0 && result == 0 && has_prefix(prefix, key)) {
        result = visit(arg, state_bytes(key), state_bytes(value));
        if (result == 0)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (rc != 0 && rc != MDB_NOTFOUND)
        state_stop(rc);
    return result;
}

/* -- The hash --------------------------------------------------------------- */

struct hashing {
    struct hash128 hash;
    struct key applied;
};

static int hash_row(void *arg, struct bytes key, struct bytes value)
{
    struct hashing *hashing = arg;
    uint8_t head[STATE_ROW_HEAD_BYTES];
    if (state_key_is(key, &hashing->applied))
        return 0;
    state_row_head(head, key.size, value.size);
    hash128_update(&hashing->hash, head, sizeof head);
    hash128_update(&hashing->hash, key.data, key.size);
    hash128_update(&hashing->hash, value.data, value.size);
    return 0;
}

void snapshot_hash(struct snapshot *snapshot, uint8_t out_hash[16])
{
    struct hashing hashing = { .applied = state_meta_key("applied") };
    hash128_init(&hashing.hash);
    snapshot_visit(snapshot, NULL, NULL, hash_row, &hashing);
    hash128_final(&hashing.hash, out_hash);
}

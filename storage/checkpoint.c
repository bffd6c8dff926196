/* checkpoint.c -- writing the frozen buffer, and copies of the file.
 *
 * All rows of the frozen buffer go into one transaction in the order of their
 * keys, through one cursor: LMDB looks in the page where the last row went
 * before it walks down from the root, so each page is searched, copied and written
 * once however many rows fall into it.  `applied` goes into the same transaction.
 * Whatever happens to the process, the file holds the rows of one entry with its
 * number.
 *
 * A transaction that fails leaves no trace and the buffer is still there, so the
 * next call begins from the start; writing rows again writes the same rows.  That
 * includes a flush that fails: the pages are written anew the next time, the kernel is
 * not trusted to have kept them.  After one failure the file has to be opened again.  When
 * the page is refused that makes the transaction valid, LMDB cannot know which of two truths
 * the disk holds and answers MDB_PANIC from then on.  Memory is right under either: the frozen
 * buffer above the checkpoint before and above its own is the same map, and is written again.
 */
#include "storage/state_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <time.h>

static int delete_row(MDB_cursor *cursor, MDB_val *key)
{
    int rc = mdb_cursor_get(cursor, key, NULL, MDB_SET);
    if (rc == MDB_NOTFOUND)
        return 0;
    return rc == 0 ? mdb_cursor_del(cursor, 0) : rc;
}

static int write_row(MDB_cursor *cursor, const struct wbuf_row *row)
{
    MDB_val key = state_val(row->key, row->key_size);
    MDB_val value = state_val(row->value, row->value_size);
    if (row->kind == WBUF_VALUE)
        return mdb_cursor_put(cursor, &key, &value, 0);
    if (row->kind == WBUF_DELETED)
        return delete_row(cursor, &key);
    return 0;
}

static int write_rows(MDB_txn *txn, MDB_dbi table, const struct wbuf *wbuf)
{
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(txn, table, &cursor);
    if (rc != 0)
        return rc;
    struct wbuf_place place = wbuf_tree_seek(wbuf_tree(wbuf), (const uint8_t *)"", 0, false);
    const struct wbuf_row *row;
    while (rc == 0 && (row = wbuf_place_row(place)) != NULL) {
        rc = write_row(cursor, row);
        wbuf_place_next(&place);
    }
    mdb_cursor_close(cursor);
    return rc;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* MDB_PANIC shows itself only at the next beginning: ask at once. */
static void look_if_lost(struct state *state, struct env *env)
{
    MDB_txn *txn = NULL;
    int rc = env_begin(env, MDB_RDONLY, &txn);
    mdb_txn_abort(txn);
    if (rc == MDB_PANIC)
        atomic_store(&state->is_lost, true);
}

static int write_frozen(struct state *state, struct env *env)
{
    MDB_dbi table = env_table(env, STATE_TABLE);
    MDB_txn *txn = NULL;
    int rc = env_begin(env, 0, &txn);
    if (rc == 0)
        rc = write_rows(txn, table, state->frozen);
    if (rc == 0)
        rc = state_put_applied(txn, table, state->frozen_seq, state->frozen_logged);
    return env_finish(txn, rc);
}

static int checkpoint(struct state *state, struct env *env, struct err *err)
{
    if (atomic_load_explicit(&state->phase, memory_order_acquire) != STATE_FROZEN)
        return 0;
    int64_t begin_ns = now_ns();
    int rc = write_frozen(state, env);
    if (rc != 0) {
        look_if_lost(state, env);
        return state_fail(state, err, rc, "write a checkpoint of the state");
    }
    atomic_fetch_add(&state->checkpoints, 1);
    atomic_store(&state->checkpoint_ns_last, now_ns() - begin_ns);
    atomic_store_explicit(&state->phase, STATE_WRITTEN, memory_order_release);
    return 0;
}

/* With nothing to write a copy that was prepared stays up to date. */
int state_checkpoint(struct state *state, struct err *err)
{
    struct env *env = NULL;
    bool is_frozen = atomic_load_explicit(&state->phase, memory_order_acquire) == STATE_FROZEN;
    if (!is_frozen && !state_is_lost(state))
        return 0;
    int code = state_begin_writing(state, &env, err);
    if (code != 0)
        return code;
    code = checkpoint(state, env, err);
    state_end_writing(state);
    return code;
}

int state_copy(struct state *state, const char *dir, struct err *err)
{
    struct env *env = state_enter(state);
    int code = env != NULL ? env_copy(env, dir, err)
                           : err_set(err, E_IO, "cannot copy the state: its file is not open");
    state_leave(state);
    return code;
}

void state_copy_cancel(struct state *state)
{
    struct env *env = state_enter(state);
    if (env != NULL)
        env_copy_cancel(env);
    state_leave(state);
}

int state_compact_prepare(struct state *state, struct err *err)
{
    struct env *env = NULL;
    int code = state_begin_writing(state, &env, err);
    if (code != 0)
        return code;
    code = env_compact_prepare(env, err);
    state_lock(state);
    state->is_prepared = code == 0;
    state_unlock(state);
    state_end_writing(state);
    return code;
}

/* state.c -- reading and writing the state, and moving on to a checkpoint.
 *
 * Three layers, the upper hiding the lower:
 *
 *     active    wbuf    what the engine changed since the last freeze
 *     frozen    wbuf    what a checkpoint is writing, or has written
 *     table     LMDB    a read transaction on the checkpoint before that
 *
 * A checkpoint that completes changes nothing for the engine: it keeps reading the
 * old transaction under the frozen buffer, which together are the same map as the
 * new transaction alone.  Only state_settle(), at a time of the engine's choosing,
 * renews the transaction and drops the buffer.  So a value borrowed while an entry is
 * applied stays put, and no lock is taken on the way of a read.
 *
 * One transaction held open would keep all pages freed since from being used
 * again; this one falls behind by a single checkpoint, because the next freeze settles.
 */
#include "storage/state_inside.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define TRIM_CHUNKS 8 /* per settle: 16 MiB */

_Noreturn void state_stop(int rc)
{
    fputs("kith: the state cannot be read: ", stderr);
    fputs(mdb_strerror(rc), stderr);
    fputs("; stopping.  Delete the state directory and start again: a replay of the log "
          "makes it anew.\n",
          stderr);
    abort();
}

static void lock(pthread_mutex_t *mutex)
{
    int rc = pthread_mutex_lock(mutex);
    ASSERT(rc == 0);
}

static void unlock(pthread_mutex_t *mutex)
{
    int rc = pthread_mutex_unlock(mutex);
    ASSERT(rc == 0);
}

void state_lock(struct state *state)
{
    lock(&state->lock);
}

void state_unlock(struct state *state)
{
    unlock(&state->lock);
}

int state_begin_writing(struct state *state, struct env **out_env, struct err *err)
{
    lock(&state->writing);
    if (atomic_load(&state->is_lost)) {
        unlock(&state->writing);
        return err_set(err, E_IO, "the state in %s must be opened again before it can be written",
                       state->dir);
    }
    state_lock(state);
    state->is_prepared = false;
    *out_env = state->env;
    state_unlock(state);
    return 0;
}

void state_end_writing(struct state *state)
{
    unlock(&state->writing);
}

struct env *state_enter(struct state *state)
{
    state_lock(state);
    state->users++;
    struct env *env = state->env;
    state_unlock(state);
    return env;
}

void state_leave(struct state *state)
{
    state_lock(state);
    state->users--;
    state_unlock(state);
}

int state_fail(struct state *state, struct err *err, int rc, const char *action)
{
    if (rc == MDB_MAP_FULL && state->quota_bytes != 0)
        return err_set(err, E_FULL,
                       "cannot %s in %s: it would pass its quota of %zu bytes; raise the quota "
                       "and restart",
                       action, state->dir, state->quota_bytes);
    return env_fail_at(state->env, err, rc, action);
}

static enum state_phase phase_of(const struct state *state)
{
    return (enum state_phase)atomic_load_explicit(&state->phase, memory_order_acquire);
}

static void phase_set(struct state *state, enum state_phase phase)
{
    atomic_store_explicit(&state->phase, (int)phase, memory_order_release);
}

void state_applied(const struct state *state, uint64_t *out_seq, int64_t *out_logged)
{
    bool is_written = phase_of(state) == STATE_WRITTEN;
    *out_seq = is_written ? state->frozen_seq : state->applied_seq;
    *out_logged = is_written ? state->frozen_logged : state->applied_logged;
}

/* -- Reading and writing ---------------------------------------------------- */

static bool buffer_get(const struct wbuf *wbuf, const struct key *key, uint64_t hash,
                       const struct wbuf_row **out_row)
{
    const struct wbuf_row *row = wbuf_find(wbuf, key, hash);
    if (row == NULL || row->kind == WBUF_ABSENT)
        return false;
    *out_row = row;
    return true;
}

/* A cursor that stays where it was finds a neighbour of the last key, a row of the
 * same customer, without walking down from the root. */
static bool table_get(struct state *state, const struct key *key, struct bytes *out_value)
{
    MDB_val key_val = state_val(key->data, key->size), value;
    int rc = mdb_cursor_get(state->reader, &key_val, &value, MDB_SET_KEY);
    if (rc == MDB_NOTFOUND)
        return false;
    if (rc != 0)
        state_stop(rc);
    *out_value = state_bytes(value);
    return true;
}

static uint64_t hash_of(const struct state *state, const struct key *key)
{
    ASSERT(key_ok(key) && key->size > 0);
    return wbuf_hash(state->seed, key);
}

bool state_get(struct state *state, const struct key *key, struct bytes *out_value)
{
    uint64_t hash = hash_of(state, key);
    const struct wbuf_row *row = NULL;
    bool is_known = buffer_get(state->active, key, hash, &row);
    if (!is_known && state->frozen != NULL)
        is_known = buffer_get(state->frozen, key, hash, &row);
    if (!is_known)
        return table_get(state, key, out_value);
    if (row->kind == WBUF_DELETED)
        return false;
    *out_value = (struct bytes){ row->value, row->value_size };
    return true;
}

/* For state_stats(), which may look from any thread. */
static void publish_active(struct state *state)
{
    atomic_store_explicit(&state->active_rows, wbuf_rows(state->active), memory_order_relaxed);
    atomic_store_explicit(&state->active_bytes, wbuf_bytes(state->active), memory_order_relaxed);
}

static void publish_frozen(struct state *state)
{
    size_t rows = state->frozen != NULL ? wbuf_rows(state->frozen) : 0;
    size_t bytes = state->frozen != NULL ? wbuf_bytes(state->frozen) : 0;
    atomic_store_explicit(&state->frozen_rows, rows, memory_order_relaxed);
    atomic_store_explicit(&state->frozen_bytes, bytes, memory_order_relaxed);
}

void state_put(struct state *state, const struct key *key, const void *data, size_t size)
{
    ASSERT(size <= STATE_VALUE_MAX);
    wbuf_put(state->active, key, hash_of(state, key), data, size);
    publish_active(state);
}

void state_delete(struct state *state, const struct key *key)
{
    wbuf_delete(state->active, key, hash_of(state, key));
    publish_active(state);
}

void state_save(struct state *state)
{
    wbuf_save(state->active);
}

void state_undo(struct state *state)
{
    wbuf_undo(state->active);
    publish_active(state);
}

void state_keep(struct state *state)
{
    wbuf_keep(state->active);
}

MDB_cursor *state_take_cursor(struct state *state)
{
    if (state->idle_count > 0)
        return state->idle[--state->idle_count];
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(state->txn, env_table(state->env, STATE_TABLE), &cursor);
    if (rc != 0)
        state_stop(rc);
    return cursor;
}

void state_give_cursor(struct state *state, MDB_cursor *cursor)
{
    if (state->idle_count < STATE_CURSORS_IDLE)
        state->idle[state->idle_count++] = cursor;
    else
        mdb_cursor_close(cursor);
}

/* -- Moving on -------------------------------------------------------------- */

bool state_wants_freeze(const struct state *state)
{
    return wbuf_bytes(state->active) >= state->buffer_bytes_max ||
           wbuf_rows(state->active) >= state->buffer_rows_max;
}

bool state_is_dirty(const struct state *state)
{
    return wbuf_rows(state->active) > 0;
}

bool state_is_full(const struct state *state)
{
    return phase_of(state) == STATE_FROZEN && state_wants_freeze(state);
}

bool state_is_lost(const struct state *state)
{
    return atomic_load(&state->is_lost);
}

bool state_is_readable(const struct state *state)
{
    return state->txn != NULL;
}

static bool is_between_entries(const struct state *state)
{
    return state->cursors_open == 0 && wbuf_savepoints(state->active) == 0;
}

/* The new buffer's table is made for as many rows as the last one had: under load it
 * never has to grow, at rest it stays small. */
bool state_freeze(struct state *state, uint64_t seq, int64_t logged)
{
    ASSERT(is_between_entries(state));
    if (phase_of(state) == STATE_WRITTEN)
        state_settle(state);
    if (phase_of(state) != STATE_NONE)
        return false;
    state->frozen = state->active;
    state->frozen_seq = seq;
    state->frozen_logged = logged;
    state->active = wbuf_new(&state->pool, wbuf_rows(state->frozen));
    publish_active(state);
    publish_frozen(state);
    phase_set(state, STATE_FROZEN);
    return true;
}

void state_renew(struct state *state)
{
    mdb_txn_reset(state->txn);
    int rc = mdb_txn_renew(state->txn);
    if (rc == 0)
        rc = mdb_cursor_renew(state->txn, state->reader);
    for (unsigned i = 0; rc == 0 && i < state->idle_count; i++)
        rc = mdb_cursor_renew(state->txn, state->idle[i]);
    if (rc == 0)
        rc = state_read_applied(state->txn, env_table(state->env, STATE_TABLE), &state->applied_seq,
                                &state->applied_logged);
    if (rc != 0)
        state_stop(rc);
}

bool state_settle(struct state *state)
{
    if (phase_of(state) == STATE_WRITTEN) {
        ASSERT(state->cursors_open == 0);
        state_renew(state);
        wbuf_free(state->frozen);
        state->frozen = NULL;
        publish_frozen(state);
        phase_set(state, STATE_NONE);
    }
    return wbuf_pool_trim(&state->pool, TRIM_CHUNKS);
}

/* The reader's transaction ends before the swap and begins after it, on the file
 * that is then there: the new one, or after a failed rename the old one. */
static int swap(struct state *state, struct err *err)
{
    state_reading_end(state);
    int code = env_compact_swap(&state->env, err);
    int again = state->env != NULL ? state_reading_begin(state, code == 0 ? err : NULL) : code;
    if (again != 0)
        atomic_store(&state->is_lost, true);
    return code != 0 ? code : again;
}

int state_compact_swap(struct state *state, struct err *err)
{
    ASSERT(is_between_entries(state));
    int code;
    state_lock(state);
    if (!state->is_prepared)
        code =
            err_set(err, E_CONFLICT, "no compacted copy of the state is up to date; prepare one");
    else if (state->users > 0)
        code = err_set(err, E_BUSY,
                       "cannot compact the state while %u snapshots or copies are "
                       "open; try again when they have ended",
                       state->users);
    else
        code = swap(state, err);
    if (code != E_BUSY)
        state->is_prepared = false;
    state_unlock(state);
    return code;
}

/* Nobody may stand in the old file when it is closed. */
static int reopen_alone(struct state *state, struct err *err)
{
    if (state->users == 0)
        return state_open_again(state, err);
    if (state->env != NULL)
        env_copy_cancel(state->env);
    return err_set(err, E_BUSY, "cannot open the state again while %u snapshots or copies are open",
                   state->users);
}

int state_reopen(struct state *state, struct err *err)
{
    if (!state_is_lost(state))
        return 0;
    ASSERT(is_between_entries(state));
    lock(&state->writing);
    state_lock(state);
    int code = reopen_alone(state, err);
    state_unlock(state);
    unlock(&state->writing);
    return code;
}

void state_stats(struct state *state, struct state_stats *out_stats)
{
    struct state_stats stats = {
        .quota_bytes = state->quota_bytes,
        .active_rows = atomic_load_explicit(&state->active_rows, memory_order_relaxed),
        .active_bytes = atomic_load_explicit(&state->active_bytes, memory_order_relaxed),
        .frozen_rows = atomic_load_explicit(&state->frozen_rows, memory_order_relaxed),
        .frozen_bytes = atomic_load_explicit(&state->frozen_bytes, memory_order_relaxed),
        .checkpoints = atomic_load(&state->checkpoints),
        .checkpoint_ns_last = atomic_load(&state->checkpoint_ns_last),
    };
    struct env *env = state_enter(state);
    if (env != NULL) {
        stats.file_bytes = env_file_bytes(env);
        stats.used_bytes = env_used_bytes(env);
    }
    state_leave(state);
    *out_stats = stats;
}

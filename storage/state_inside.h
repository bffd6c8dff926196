/* state_inside.h -- what the files of the state share; nobody else includes it.
 *
 * Who may touch what.  `phase` says to whom the frozen buffer belongs:
 *
 *     phase    set by           the frozen buffer
 *     NONE     engine, settle   there is none
 *     FROZEN   engine, freeze   is read by both, changed by nobody
 *     WRITTEN  checkpoint       is read by the engine alone
 *
 * Setting releases, reading acquires, so whatever the one thread did to the buffer
 * and to frozen_seq and frozen_logged before is seen by the other.  Members named
 * "engine" are that thread's alone.
 *
 * `writing` is held by whoever writes the file or opens it anew, for as long as that takes.
 * `lock` guards what stands behind it, and `env` against being swapped: the engine uses
 * it freely, who writes takes it under the lock and withdraws `is_prepared`, all others count
 * as users meanwhile.
 */
#ifndef STORAGE_STATE_INSIDE_H
#define STORAGE_STATE_INSIDE_H

#include "storage/env.h"
#include "storage/state.h"
#include "storage/wbuf.h"

#include <pthread.h>
#include <stdatomic.h>

#define STATE_TABLE 0        /* the only one */
#define STATE_CURSORS_IDLE 8 /* kept for the next cursor_open */

enum state_phase { STATE_NONE, STATE_FROZEN, STATE_WRITTEN };

struct state {
    struct env *env;    /* NULL: it could not be opened again */
    struct state *base; /* that this one lies over, and whose env it uses; NULL: none */
    char *dir;
    size_t map_bytes;
    size_t quota_bytes, buffer_bytes_max, buffer_rows_max;
    uint64_t seed; /* of the buffers' hashes */

    struct wbuf_pool pool; /* engine */
    struct wbuf *active;   /* engine */
    struct wbuf *frozen;
    uint64_t frozen_seq;
    int64_t frozen_logged;
    atomic_int phase;
    atomic_bool is_lost;

    MDB_txn *txn;       /* engine: the checkpoint that it reads */
    MDB_cursor *reader; /* engine: for single keys */
    MDB_cursor *idle[STATE_CURSORS_IDLE];
    unsigned idle_count, cursors_open;
    uint64_t applied_seq; /* engine: of `txn` */
    int64_t applied_logged;

    pthread_mutex_t writing; /* taken before `lock` */
    pthread_mutex_t lock;
    unsigned users, snapshots;
    bool is_prepared; /* a compacted copy of the present file lies beside it */

    atomic_size_t active_rows, active_bytes, frozen_rows, frozen_bytes;
    atomic_uint_fast64_t checkpoints;
    atomic_int_fast64_t checkpoint_ns_last;
};

/* LMDB found its file damaged, or the system could not read it: see state.h. */
_Noreturn void state_stop(int rc);

void state_lock(struct state *state);
void state_unlock(struct state *state);
struct env *state_enter(struct state *state); /* count as a user of env */
void state_leave(struct state *state);
/* Alone with the file until state_end_writing(), to change it: a compacted copy prepared of it is
 * void.  E_IO when it is lost; nothing is to be ended then. */
int state_begin_writing(struct state *state, struct env **out_env, struct err *err);
void state_end_writing(struct state *state);

/* The rows that the state itself writes: LMDB's codes, MDB_CORRUPTED for other bytes. */
struct key state_meta_key(const char *name);
int state_put_applied(MDB_txn *txn, MDB_dbi table, uint64_t seq, int64_t logged);
int state_put_format(MDB_txn *txn, MDB_dbi table);
int state_read_format(MDB_txn *txn, MDB_dbi table, uint64_t *out_format);
/* 0, 0 when there is no such row yet. */
int state_read_applied(MDB_txn *txn, MDB_dbi table, uint64_t *out_seq, int64_t *out_logged);

/* Before each row in the hash and in a dump: the sizes, 4 bytes big-endian each. */
#define STATE_ROW_HEAD_BYTES 8
void state_row_head(uint8_t out_head[STATE_ROW_HEAD_BYTES], size_t key_size, size_t value_size);
bool state_key_is(struct bytes key, const struct key *other);

void state_init_locks(struct state *state);
/* What the engine reads through: begun on the newest checkpoint, whose format is checked.
 * Ending is allowed at any point of a beginning that failed. */
int state_reading_begin(struct state *state, struct err *err);
void state_reading_end(struct state *state);
/* Both locks are held and nobody uses the file: close it and open it. */
int state_open_again(struct state *state, struct err *err);
/* Let the engine read the newest checkpoint. */
void state_renew(struct state *state);

int state_fail(struct state *state, struct err *err, int rc, const char *action);

/* An MDB_cursor on the engine's transaction, used before or new. */
MDB_cursor *state_take_cursor(struct state *state);
void state_give_cursor(struct state *state, MDB_cursor *cursor);

static inline MDB_val state_val(const void *data, size_t size)
{
    return (MDB_val){ size, (void *)data }; /* LMDB only reads it */
}

static inline struct bytes state_bytes(MDB_val value)
{
    return (struct bytes){ value.mv_data, value.mv_size };
}

#endif

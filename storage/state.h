/* state.h -- the ordered map that the engine folds the log into.
 *
 * The engine writes into an ordered buffer in memory.  Reads look there first,
 * then into the buffer being written out, then into the last checkpoint in LMDB;
 * cursors merge the three.  A checkpoint freezes the buffer and writes it in key
 * order in one transaction together with the entry it stands for, while the
 * engine goes on in a second buffer.  Random pages are what an event costs:
 * a hundred thousand changes in key order touch each page once.
 *
 * Who calls what.  One thread, the engine's, owns everything that takes a `struct
 * state`, with these exceptions: state_checkpoint() and state_compact_prepare()
 * are called by any thread and wait for each other; the snapshot functions, state_copy(),
 * state_stats() and state_is_lost() belong to any.  In the simulator all are one.
 *
 * A process that dies at any moment leaves the last completed checkpoint.  A page of
 * the file that LMDB finds damaged while reading stops the process: an answer of
 * "absent" would be computed with, and a replay makes the state again.
 *
 * Nothing here knows what the keys mean (docs/state.md does).
 */
#ifndef STORAGE_STATE_H
#define STORAGE_STATE_H

#include "storage/key.h"
#include "storage/wbuf_tree.h" /* for the places inside a cursor */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct state;

struct bytes { /* borrowed */
    const uint8_t *data;
    size_t size;
};

struct state_options {
    const char *dir;         /* must exist */
    size_t map_bytes;        /* address space; 0 = 256 GiB */
    size_t quota_bytes;      /* of the file; 0 = none.  It never grows beyond: E_FULL */
    size_t buffer_bytes_max; /* freeze wanted from here; 0 = 128 MiB */
    size_t buffer_rows_max;  /* 0 = 1,000,000 */
};

#define STATE_FORMAT 6
#define STATE_VALUE_MAX (64u << 10) /* bytes; a longer value is a bug of the caller */

/* Open or begin the state in `dir`.  E_VERSION: written in another format (the
 * text says which); E_CONFLICT: the directory is in use; E_IO, E_FULL, E_CORRUPT. */
int state_open(const struct state_options *options, struct state **out_state, struct err *err);
/* Drops what was not checkpointed; NULL is allowed.  Snapshots and copies must have ended. */
void state_close(struct state *state);

/* A state laid over the last checkpoint of `base`, for trying out: what is written stays in memory
 * and is gone when it is closed, which must be before `base` is.  Any thread may open one; whoever
 * has it is then its engine's thread.  It is never frozen: state_wants_freeze() says that it holds
 * as much as it may.  While it is open no page of that checkpoint is used again and the file of
 * `base` is neither compacted nor opened again: bound its life.  E_IO. */
int state_open_over(struct state *base, size_t buffer_bytes_max, struct state **out_state,
                    struct err *err);
/* Visit, in order, what was put since and not taken back; deletions are left out. */
typedef void state_change_fn(void *arg, struct bytes key, struct bytes value);
void state_changes(const struct state *state, state_change_fn *visit, void *arg);

/* The entry that the last completed checkpoint stands for: 0, 0 for a new state. */
void state_applied(const struct state *state, uint64_t *out_seq, int64_t *out_logged);

/* -- Reading and writing (engine) ------------------------------------------
 * A value read is borrowed: it stays as it is until the next state_put or
 * state_delete of the same key, state_undo(), state_settle() or state_freeze().
 * Keys must be key_ok().  Of the table `m` the names `applied` and `format` are taken. */
bool state_get(struct state *state, const struct key *key, struct bytes *out_value);
void state_put(struct state *state, const struct key *key, const void *data, size_t size);
void state_delete(struct state *state, const struct key *key); /* absent: no effect */

/* Savepoints nest (to STATE_SAVEPOINTS_MAX).  Undo brings every key back to what it was at the
 * matching state_save(); keep makes the changes part of the savepoint outside. */
#define STATE_SAVEPOINTS_MAX 4
void state_save(struct state *state);
void state_undo(struct state *state);
void state_keep(struct state *state);

/* Cursors over [first, last) in key order, merged, deletions left out.  Writing
 * while a cursor is open is allowed: it goes on behind the key it stands on.
 * A cursor holds a copy of its key; key and value are borrowed until the next
 * cursor_next or write.
 *     struct cursor cursor;
 *     cursor_open(&cursor, state, &prefix);   -- all keys that begin with it
 *     while (cursor_next(&cursor)) use(cursor.key, cursor.value);
 *     cursor_close(&cursor);
 * It lives where it was opened (do not copy it) and allocates nothing.      */
struct cursor {
    struct bytes key, value;
    struct { /* see cursor.c */
        struct state *state;
        struct MDB_cursor *table;
        struct wbuf_place active_place, frozen_place;
        const struct wbuf_row *active, *frozen;
        struct bytes table_key, table_value;
        uint64_t version;
        bool is_begun, is_done, active_is_used, frozen_is_used, table_is_used;
        uint16_t prefix_size, key_size;
        uint8_t key[KEY_BYTES_MAX];
    } inside;
};
void cursor_open(struct cursor *cursor, struct state *state, const struct key *prefix);
/* The same, beginning at `first` (inclusive) instead of at the prefix itself. */
void cursor_open_at(struct cursor *cursor, struct state *state, const struct key *prefix,
                    const struct key *first);
bool cursor_next(struct cursor *cursor);
void cursor_close(struct cursor *cursor);

/* -- Checkpoints -----------------------------------------------------------
 * engine:      if (state_wants_freeze(state)) state_freeze(state, seq, logged)
 * checkpointer: rc = state_checkpoint(state)    -- E_FULL, E_IO: call it again later
 * engine:      state_settle(state)              -- between two entries, often   */

/* True from buffer_bytes_max or buffer_rows_max in the active buffer. */
bool state_wants_freeze(const struct state *state);
bool state_is_dirty(const struct state *state); /* anything since the last freeze? */

/* Make the active buffer the frozen one, as the state after entry `seq`.  False
 * while the last frozen one is not written yet.  Settles first if that is due, with
 * the same consequences.  No savepoint or cursor may be open. */
bool state_freeze(struct state *state, uint64_t seq, int64_t logged);
/* The active buffer wants to be frozen and cannot be yet: the engine must wait, or memory
 * grows beyond two buffers. */
bool state_is_full(const struct state *state);

/* Write the frozen buffer, `applied` and flush.  0 also when nothing is frozen.
 * On failure the frozen buffer is kept, the file holds the checkpoint before, and a
 * later call tries again: E_FULL, E_IO. */
int state_checkpoint(struct state *state, struct err *err);

/* True after the one failure that the open file does not survive: the disk refused the page
 * that makes a checkpoint valid.  Nothing can be checkpointed and no snapshot opened until
 * state_reopen() has succeeded; reading goes on. */
bool state_is_lost(const struct state *state);
/* Close the file and open it, between two entries, with what is in memory kept: 0 also when it is
 * not lost.  E_BUSY: snapshots are open (copies are told to end); E_IO, E_FULL, E_CORRUPT.  Call
 * it again later then, and touch nothing while state_is_readable() says no. */
int state_reopen(struct state *state, struct err *err);
bool state_is_readable(const struct state *state);

/* Move reading on to a checkpoint that has been written.  What its buffer used the next one
 * uses again; memory beyond that goes back to the system, a few chunks a call: true while
 * there is more to give.  No cursor may be open. */
bool state_settle(struct state *state);

/* -- Snapshots: the last checkpoint, from any thread -------------------------
 * At most STATE_SNAPSHOTS_MAX at once (else E_BUSY).  A snapshot keeps old pages from
 * being used again: the caller bounds its life (30 s) and resumes by key. */
#define STATE_SNAPSHOTS_MAX 64
struct snapshot;
int snapshot_open(struct state *state, struct snapshot **out_snapshot, struct err *err);
void snapshot_close(struct snapshot *snapshot);
void snapshot_applied(const struct snapshot *snapshot, uint64_t *out_seq, int64_t *out_logged);
bool snapshot_get(struct snapshot *snapshot, const struct key *key, struct bytes *out_value);
/* Visit keys with `prefix` (NULL: all) from `first` (NULL: from the prefix) in order until
 * `visit` returns other than 0, which is then the result. */
typedef int snapshot_visit_fn(void *arg, struct bytes key, struct bytes value);
int snapshot_visit(struct snapshot *snapshot, const struct key *prefix, const struct key *first,
                   snapshot_visit_fn *visit, void *arg);
/* The same backwards: from the last key with `prefix` that is lower than `before` (NULL: from the
 * last of all) down to the first. */
int snapshot_visit_back(struct snapshot *snapshot, const struct key *prefix,
                        const struct key *before, snapshot_visit_fn *visit, void *arg);

/* XXH3-128 (canonical: big-endian) over all rows in order but `applied`; a row is the size of
 * its key and the size of its value, 4 bytes big-endian each, key and value. */
void snapshot_hash(struct snapshot *snapshot, uint8_t out_hash[16]);

/* A logical dump: format version, applied, all rows, XXH3-128 at the end (dump.c has the layout).
 * The file is written beside and renamed when it is durable. */
int snapshot_dump(struct snapshot *snapshot, const char *path, struct err *err);
/* Into an empty state, in one transaction with its checkpoint.  E_CORRUPT, E_VERSION name the
 * place; E_CONFLICT: the state is not empty; E_FULL, E_IO.  On failure it is still empty. */
int state_load(struct state *state, const char *path, struct err *err);

/* A compacted copy of the file at `dir` (created; E_CONFLICT if it holds one): the backup. */
int state_copy(struct state *state, const char *dir, struct err *err);
void state_copy_cancel(struct state *state); /* copies in progress end with E_BUSY; for the end */

/* Replace the file by a compacted copy of itself, in which nothing of a deleted row is left:
 * what completes an erasure.  The checkpoint thread prepares the copy, then the engine swaps:
 * E_BUSY while snapshots or copies are open, E_CONFLICT when a checkpoint was written since
 * (prepare again).  If the file could not be opened again state_is_lost() is true; the data
 * are whole. */
int state_compact_prepare(struct state *state, struct err *err);
int state_compact_swap(struct state *state, struct err *err);

struct state_stats {
    size_t file_bytes, used_bytes, quota_bytes;
    size_t active_rows, active_bytes, frozen_rows, frozen_bytes;
    uint64_t checkpoints;
    int64_t checkpoint_ns_last;
};
void state_stats(struct state *state, struct state_stats *out_stats); /* any thread */

#endif

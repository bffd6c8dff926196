/* env.h -- one LMDB environment: opening, ending transactions, room, copies.
 *
 * The log and the state each keep one.  This is all they share, and the only
 * header besides their own inside headers that names LMDB.
 *
 * What an environment here promises.  Every commit is flushed (no MDB_NOSYNC, no
 * writable map).  Transactions belong to no thread (MDB_NOTLS).  The map is reserved
 * once and never resized.  A directory is open once, in one process: a second opening
 * is E_CONFLICT.  Tables are opened once, at the start, from one list.
 *
 * Threads: an environment may be read by any thread and written by one.  Opening,
 * closing and env_compact_swap() need it to be nobody else's at that moment.  A
 * process that forks must not use an environment it opened before.
 */
#ifndef STORAGE_ENV_H
#define STORAGE_ENV_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;
struct err;

#define ENV_MAP_BYTES ((size_t)256 << 30) /* address space when the caller says 0 */
#define ENV_TABLES_MAX 8

struct env_options {
    const char *dir;           /* must exist; copied */
    size_t map_bytes;          /* 0 = ENV_MAP_BYTES */
    const char *const *tables; /* names of the tables, opened or created; static storage */
    unsigned tables_count;     /* 1 to ENV_TABLES_MAX */
};

/* Open or begin the environment in `dir`: readers of dead processes are cleared, an
 * unfinished compaction is deleted.  Opening what exists writes nothing.  E_IO, E_FULL,
 * E_CORRUPT, E_VERSION (of LMDB's own file), E_CONFLICT (it is open already, here or in
 * another process), E_INVALID (on a network file system). */
int env_open(const struct env_options *options, struct env **out_env, struct err *err);
void env_close(struct env *env); /* NULL is allowed; no transaction may be open */

/* Flush the file and its directory, meta pages written anew: a process before this one may have
 * been killed between writing and flushing, or a write may have failed, and what is read here is
 * to be built upon.  To be called after opening, before anything is written.  LMDB's codes. */
int env_flush(struct env *env);

MDB_env *env_raw(const struct env *env);
MDB_dbi env_table(const struct env *env, unsigned index); /* in the order of the options */
const char *env_dir(const struct env *env);

/* Begin; `flags` 0 or MDB_RDONLY.  *out_txn is NULL on failure.  LMDB's codes. */
int env_begin(struct env *env, unsigned flags, MDB_txn **out_txn);
/* End a transaction for good: commit it if `rc` is 0, else abort it and return `rc`.  `txn`
 * may be NULL.  Also after a failed commit the transaction is gone. */
int env_finish(MDB_txn *txn, int rc);

/* Record what LMDB or the system answered: "cannot <action>: <reason>".  E_FULL for
 * MDB_MAP_FULL, ENOSPC and EDQUOT; E_NOTFOUND, E_CORRUPT, E_VERSION for theirs; else
 * E_IO.  `rc` is not 0. */
int env_fail(struct err *err, int rc, const char *action);
/* The same of something done to the file: "cannot <action> in <directory>: <reason>".  A write that
 * failed is told as a full disk when the disk is full, whatever LMDB called it. */
int env_fail_at(const struct env *env, struct err *err, int rc, const char *action);

/* Room.  File: up to the last page ever used.  Used: without the pages that LMDB will
 * use again; found by walking its list of free pages. */
size_t env_file_bytes(const struct env *env);
size_t env_used_bytes(struct env *env);
/* True while `more_bytes` fit under the quota (0: none).  Walks the free list only when
 * the file has passed the quota. */
bool env_has_room(struct env *env, size_t quota_bytes, size_t more_bytes);

/* A copy of the committed rows, row by row, in `dir`, which is created (E_CONFLICT if
 * it holds an environment).  The file takes its name when it is durable.  Rows, not
 * pages: what was deleted or overwritten is nowhere in it.  Any thread; writers go on
 * meanwhile. env_copy_cancel(), from any thread, ends all copies in progress with
 * E_BUSY: whoever must close the environment need not wait for them. */
int env_copy(struct env *env, const char *dir, struct err *err);
void env_copy_cancel(struct env *env);

/* The same for the file itself, in two steps, by the thread that writes.
 * env_compact_prepare() writes the copy beside the file while readers go on; nothing
 * may be written between the steps.  env_compact_swap() needs the environment to be
 * nobody else's: it puts the copy in the file's place and opens that.  After a failure
 * either file may be the one in place, both are whole, and *env is NULL if it could not
 * be opened again; nothing may be written before an env_flush() has succeeded. */
int env_compact_prepare(struct env *env, struct err *err);
int env_compact_swap(struct env **env, struct err *err);

/* env_compact_prepare() in steps, between which the thread that writes may go on writing: of a
 * large file that is appended to.  A step copies `bytes` further and flushes them; *out_is_level:
 * there was no more.  env_compact_end() copies what came since, and the tables that steps leave
 * out; nothing may be written between it and the swap.  A failure has dropped the copy, as closing
 * does.  E_FULL, also of both prepare and begin: the disk has no room for a copy and 16 MiB more
 * (nothing is written then); E_IO, E_BUSY. */
enum env_change {             /* how the rows of a table change while it is copied */
                  ENV_ANYHOW, /* it is copied whole at the end: keep it small */
                  ENV_BEHIND, /* rows are only added, each behind all others */
                  ENV_BETWEEN /* rows are only added, anywhere; all keys are read at the end */
};
/* `changes`: one of each table, static storage; none may be begun already. */
int env_compact_begin(struct env *env, const enum env_change *changes, struct err *err);
bool env_compact_is_begun(const struct env *env);
int env_compact_step(struct env *env, size_t bytes, bool *out_is_level, struct err *err);
int env_compact_end(struct env *env, struct err *err);
void env_compact_drop(struct env *env); /* rows were changed; nothing is begun: nothing happens */

#endif

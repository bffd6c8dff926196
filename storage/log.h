/* log.h -- the durable, ordered record of everything that entered.
 *
 * docs/log.md is the format.  Entries are numbered from 1 without gaps and are on
 * disk once log_commit() has returned 0.  Blocks are compressed, checksummed and
 * chained; every read checks.
 *
 * Who calls what.  One thread, the sequencer's, calls the writing functions and those
 * that take care of the file, except log_verify() and log_copy().  Any thread may read:
 * readers hold a shared lock while they are in the file, so that a failed commit may
 * reopen it under nobody's feet.  No lock is held while a visitor runs: it may use
 * the log.  A process that forks must not use a log it opened before.
 */
#ifndef STORAGE_LOG_H
#define STORAGE_LOG_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct log;

enum log_class { LOG_CLIENT = 1, LOG_STAFF = 2, LOG_PLUGIN = 3, LOG_SYSTEM = 4 };

#define LOG_HASH_BYTES 32
#define LOG_BLOCK_BYTES_MAX (64u << 10)  /* raw, unless one entry is larger */
#define LOG_ENTRY_BYTES_MAX (512u << 10) /* of one body */

/* Randomness for salts: fills `data`. The daemon passes the kernel's, the simulator
 * its seed's. */
typedef void log_random_fn(void *arg, void *data, size_t size);

struct log_options {
    const char *dir;    /* must exist */
    size_t map_bytes;   /* address space; 0 = 256 GiB */
    size_t quota_bytes; /* of what is used of the file; 0 = none.  Beyond it a commit is E_FULL */
    log_random_fn *random;
    void *random_arg;
};

/* Open or begin a log.  Reads and checks the last block, and flushes what a killed
 * process may have left unflushed.  E_VERSION, E_CORRUPT (the last block does not verify:
 * the text names its first seq), E_CONFLICT (it is open already, here or in another
 * process), E_INVALID (on a network file system), E_FULL, E_IO. */
int log_open(const struct log_options *options, struct log **out_log, struct err *err);
void log_close(struct log *log); /* NULL is allowed */

/* The end: last seq and its `logged`, both known to be on disk.  Of an empty log: the
 * base's seq, and the time of the end when it was rebased (0, 0: nothing was ever
 * written).  Any thread; never waits for a flush. */
void log_end(const struct log *log, uint64_t *out_seq, int64_t *out_logged);
/* The base: entries up to and with this seq are gone (0: none are). */
uint64_t log_base(const struct log *log);
/* The hash of the state's dump that stands for the entries before; zeros for base 0. */
void log_base_snapshot(const struct log *log, uint8_t out_snapshot[LOG_HASH_BYTES]);

/* -- Writing: one group --------------------------------------------------------
 * log_add / log_put_blob / log_index collect a group in memory; log_commit writes
 * all of it in one transaction, or nothing. */

/* Queue one entry and return its seq.  `logged` must not be below the last one's.
 * `body` is copied. `size` <= LOG_ENTRY_BYTES_MAX. */
uint64_t log_add(struct log *log, enum log_class class, int64_t logged, const void *body,
                 size_t size);
/* The log does not know the hash function: a reader of blobs checks them.  One that is
 * there already is left alone. */
void log_put_blob(struct log *log, const uint8_t hash[LOG_HASH_BYTES], const void *data,
                  size_t size);
/* Index rows of the group's entries.  A second verdict on one entry is appended to the
 * first: several rules may fail there. */
void log_index_verdict(struct log *log, uint64_t at_seq, const void *verdict, size_t size);
void log_index_world(struct log *log, uint64_t seq, uint64_t since);

/* Write the group and flush.  `world` is the 8-byte world mark of its blocks. On any
 * failure the group is forgotten.  E_FULL, E_IO: the environment is reopened and the
 * end read again; log_end() then tells what is truly there and durable, which may
 * include the group.  If that fails too, the log is closed for writing: log_end()
 * stays, reads go on, and every later commit tries again to reopen first; E_CONFLICT:
 * it succeeded, and the end was not where the group began: apply what is there and
 * repeat.  E_CORRUPT: entries that were acknowledged are not there any more.  An empty
 * group writes nothing, and asks whether a log that was closed for writing can be written again. */
int log_commit(struct log *log, uint64_t world, struct err *err);

/* -- Reading ---------------------------------------------------------------- */

struct log_entry {
    uint64_t seq;
    int64_t logged;
    enum log_class class;
    bool is_tombstone;   /* body is then empty */
    uint64_t customer;   /* of a tombstone */
    const uint8_t *body; /* borrowed for the call */
    size_t size;
};

/* Called for each entry in order; other than 0 ends the read and is its result. */
typedef int log_visit_fn(void *arg, const struct log_entry *entry);

/* Visit entries from `seq_first` (or behind the base, if that is later; also if a rebase
 * passes the read) to the end as it is now, at most `count_max`.  Decodes each block
 * once; the last blocks that were read in part are kept decoded.  A corrupt block is
 * E_CORRUPT, one of another format E_VERSION, with its range of seqs in `err`; entries
 * before it were visited; a reader may go on behind the range (out_next, may be NULL:
 * where to go on; after success it is one past the last visited).  out_next equal to the
 * seq that could not be read: LMDB's own pages are damaged, and where is not known.
 * E_IO: a failed commit could not reopen the file. */
int log_read(struct log *log, uint64_t seq_first, size_t count_max, log_visit_fn *visit, void *arg,
             uint64_t *out_next, struct err *err);

/* E_NOTFOUND when absent.  Appends to `out`. */
int log_get_blob(struct log *log, const uint8_t hash[LOG_HASH_BYTES], struct buf *out,
                 struct err *err);
int log_get_verdict(struct log *log, uint64_t at_seq, struct buf *out, struct err *err);
bool log_has_verdicts(const struct log *log); /* cheap: false spares the look-up */

/* The `world` entry in force for entry `seq`: the last one appended with since <= seq;
 * 0: none. */
uint64_t log_world_of(struct log *log, uint64_t seq);

/* -- Care ------------------------------------------------------------------- */

/* Check every block: checksum, digests, chain, dense numbers.  `fault` (may be NULL) is
 * told of each fault as a line of text; the result is 0, E_CORRUPT with the first of
 * them, or E_IO. Any thread, also beside a writer. */
typedef void log_fault_fn(void *arg, uint64_t seq_first, uint64_t seq_last, const char *fault);
int log_verify(struct log *log, log_fault_fn *fault, void *arg, struct err *err);

/* Not between log_add() and log_commit(): the rest of this section but log_copy().  A
 * write that fails is dealt with as in log_commit(); all may be called again and then
 * go on. */

/* Replace entries by tombstones.  `seqs` ascending, none behind the end (E_INVALID),
 * those up to the base ignored; rewrites their blocks, a bounded number per
 * transaction; digests and chain stay. Idempotent.  E_CORRUPT: a block could not be
 * read (the text names the entry) and was left as it is; the other entries were erased. */
int log_erase(struct log *log, const uint64_t *seqs, size_t count, uint64_t customer,
              struct err *err);

/* Begin the log anew at `seq`: `snapshot` is the hash of the state's dump after entry
 * `seq`; blocks wholly up to `seq` are removed (in bounded transactions), with the
 * verdicts on their entries.  Index rows of worlds stay.  The block that holds `seq`
 * and later entries stays whole until a later rebase; nobody sees its first entries.
 * After a crash in between: call it again.  E_INVALID: `seq` is before the base or
 * behind the end. */
int log_rebase(struct log *log, uint64_t seq, const uint8_t snapshot[LOG_HASH_BYTES],
               struct err *err);

/* A compacted copy of the log as it is now in `dir` (created): the backup.  Any thread,
 * writing goes on.  E_CONFLICT: there is a store in `dir`; E_BUSY: a failed commit or a
 * compaction needed the file, copy again; E_FULL, E_IO.  A copy that failed is no log. */
int log_copy(struct log *log, const char *dir, struct err *err);
void log_copy_cancel(struct log *log); /* copies in progress end with E_BUSY; for the end */
/* One step towards replacing the file by a compacted copy of itself, crash-safe: copied beside,
 * flushed, renamed, reopened.  Nothing that was erased or removed is left in the new file.  Groups
 * may be written between the steps, each of which copies some MiB further; the one that finds
 * nothing left puts the copy in the file's place (*out_is_done).  Readers go on.  A write that
 * fails in between, and each function of this section that changes what the copy may have already,
 * lets the next step begin anew; so does a failure of a step.  E_FULL: there is no room for the
 * copy beside the file (nothing was written then); E_IO. */
int log_compact(struct log *log, bool *out_is_done, struct err *err);

/* Remove the blobs for which `names` answers false: no bundle in the log names them. */
typedef bool log_names_fn(void *arg, const uint8_t hash[LOG_HASH_BYTES]);
int log_collect_blobs(struct log *log, log_names_fn *names, void *arg, struct err *err);

struct log_stats {
    size_t file_bytes, used_bytes, quota_bytes;
    uint64_t commits, entries, raw_bytes, stored_bytes; /* since it was opened */
    int64_t commit_ns_last;
};
void log_stats(struct log *log, struct log_stats *out_stats); /* any thread */

#endif

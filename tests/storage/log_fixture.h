/* log_fixture.h -- a log in a directory of its own, entries whose content follows from
 * their number, and faults in the calls that reach the disk.
 *
 * The body of entry n is entry_body(n): so any reader can tell whether what it was shown
 * is what was added, without a model beside it.
 */
#ifndef TESTS_STORAGE_LOG_FIXTURE_H
#define TESTS_STORAGE_LOG_FIXTURE_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "storage/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct log_options options;
    uint64_t seed;
    struct log *log;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_open(struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);
void fixture_path(const struct fixture *fixture, const char *name, char out[96]);

uint64_t random_next(uint64_t *seed);
uint64_t random_below(uint64_t *seed, uint64_t limit);

/* -- Entries ---------------------------------------------------------------- */

size_t entry_size(uint64_t seq);
void entry_body(uint64_t seq, struct buf *out);
int64_t entry_logged(uint64_t seq);

uint64_t end_of(const struct log *log);
/* Add `count` entries behind the end, without committing. */
void add_entries(struct log *log, size_t count);
int commit_entries(struct log *log, size_t count, struct err *err);
void must_commit(struct log *log, size_t count);

/* All steps of a compaction, with nothing in between. */
int compact(struct log *log, struct err *err);

/* A visitor that checks each entry's content and that numbers are dense; arg: struct
 * seen.  `may_skip`: somebody rebases meanwhile. */
struct seen {
    uint64_t first, last, count, tombstones, customer;
    bool may_skip, is_wrong;
};
int see(void *arg, const struct log_entry *entry);
/* Entries first to last are all there, right, and in order. */
void assert_readable(struct log *log, uint64_t first, uint64_t last);
void assert_verifies(struct log *log);

/* -- The file behind the log's back; the log is closed ------------------------ */

typedef void tamper_fn(struct buf *value);
void tamper(const char *dir, const char *table, const void *key, size_t key_size,
            tamper_fn *change);
void tamper_block(const char *dir, uint64_t seq_first, tamper_fn *change); /* NULL: delete */
/* The seqs with which blocks begin; returns how many. */
size_t block_seqs(const char *dir, uint64_t *out_seqs, size_t seqs_max);
bool file_holds(const char *path, const void *data, size_t size);

/* -- Faults ----------------------------------------------------------------- */

/* Of the calls that reach the disk (pwrite, write, writev, fdatasync, fsync,
 * ftruncate), let `after` pass and then fail `count` with `error`; the first `landing`
 * of these are done and fail nevertheless.  `is_meta`: only LMDB's writes of its meta
 * page, which are smaller than a page, are counted and failed. */
struct faults {
    long after, count;
    int error;
    long landing;
    bool is_meta;
};
#define FAULTS_ALL 1000000
void faults_set(struct faults faults);
void faults_clear(void);
long faults_calls(void); /* since faults_set() or faults_clear() */

#endif

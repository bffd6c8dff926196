/* state_fixture.h -- a state in a directory of its own, and a disk that fails on demand.
 *
 * LMDB's system calls are caught in the test program (state_fixture.c), where a test can
 * let the n-th one fail, or end the process there.
 */
#ifndef TESTS_STORAGE_STATE_FIXTURE_H
#define TESTS_STORAGE_STATE_FIXTURE_H

#include "core/base/err.h"
#include "storage/state.h"

struct fixture {
    char dir[64];
    struct state *state;
    struct err err;
};

/* cmocka's setup and teardown: *arg is the fixture, its state open. */
int fixture_setup(void **arg);
int fixture_teardown(void **arg);

/* Close without a checkpoint and open again. */
void fixture_reopen(struct fixture *fixture);
/* Close, remove the file and open: a new state. */
void fixture_empty(struct fixture *fixture);
void fixture_open(struct fixture *fixture, const struct state_options *options);
void fixture_path(const struct fixture *fixture, const char *name, char out_path[128]);

/* Freeze, checkpoint, settle; asserts that all succeed. */
void fixture_checkpoint(struct fixture *fixture, uint64_t seq);

struct key text_key(char table, const char *text);
void put_text(struct state *state, const char *key, const char *value);
/* The value, "" for an empty one, NULL for none; a static buffer. */
const char *get_text(struct state *state, const char *key);
/* Hash of the last checkpoint. */
void hash_now(struct state *state, uint8_t out_hash[16]);

/* Of the disk's calls from now on, let number `n` (1 is the next) and, if `for_ever`, all
 * later ones fail with `code`; 0 for `n`: none. */
enum disk_call { DISK_WRITE = 1, DISK_FLUSH = 2, DISK_ANY = 3 };
void disk_fail(enum disk_call call, unsigned n, int code, bool for_ever);
/* End the process at call number `n`, before it does anything. */
void disk_die(unsigned n);
unsigned disk_calls(void); /* since the last disk_fail() or disk_die() */
#define DISK_DEATH 77      /* exit status */

#endif

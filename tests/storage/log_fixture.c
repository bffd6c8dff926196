/* log_fixture.c -- see log_fixture.h. */
#include "tests/storage/log_fixture.h"

#include "core/base/mem.h"

#include <dlfcn.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAP_BYTES ((size_t)1 << 30)
#define PAGE_BYTES 4096

/* -- Directory -------------------------------------------------------------- */

static void fill_random(void *arg, void *data, size_t size)
{
    uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(arg);
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *place)
{
    (void)status, (void)flag, (void)place;
    return remove(path);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = mem_zero(sizeof *fixture);
    snprintf(fixture->dir, sizeof fixture->dir, "/tmp/test_log.XXXXXX");
    if (mkdtemp(fixture->dir) == NULL)
        return -1;
    fixture->seed = 42;
    fixture->options = (struct log_options){ .dir = fixture->dir,
                                             .map_bytes = MAP_BYTES,
                                             .random = fill_random,
                                             .random_arg = &fixture->seed };
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    faults_clear();
    log_close(fixture->log);
    nftw(fixture->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

void fixture_open(struct fixture *fixture)
{
    struct err err = { 0 };
    if (log_open(&fixture->options, &fixture->log, &err) != 0)
        fail_msg("%s", err.text);
}

void fixture_reopen(struct fixture *fixture)
{
    log_close(fixture->log);
    fixture->log = NULL;
    fixture_open(fixture);
}

void fixture_path(const struct fixture *fixture, const char *name, char out[96])
{
    snprintf(out, 96, "%s/%s", fixture->dir, name);
}

uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed * 0x2545f4914f6cdd1dull >> 8;
}

uint64_t random_below(uint64_t *seed, uint64_t limit)
{
    return random_next(seed) % limit;
}

/* -- Entries ---------------------------------------------------------------- */

size_t entry_size(uint64_t seq)
{
    uint64_t seed = seq * 77 + 1;
    uint64_t kind = random_below(&seed, 100);
    if (kind == 0)
        return 0;
    if (kind == 1)
        return 60000 + random_below(&seed, 40000);
    return 50 + random_below(&seed, 600);
}

/* Half text that repeats, half noise: some of it compresses. */
void entry_body(uint64_t seq, struct buf *out)
{
    uint64_t seed = seq * 1000003 + 7;
    size_t size = entry_size(seq);
    buf_clear(out);
    for (size_t i = 0; i < size; i++)
        buf_byte(out, i % 64 < 32 ? (uint8_t)('a' + i % 26) : (uint8_t)random_next(&seed));
}

int64_t entry_logged(uint64_t seq)
{
    return 1000000 + (int64_t)(seq / 3);
}

uint64_t end_of(const struct log *log)
{
    uint64_t seq;
    int64_t logged;
    log_end(log, &seq, &logged);
    return seq;
}

void add_entries(struct log *log, size_t count)
{
    struct buf body = BUF_INIT;
    uint64_t end = end_of(log);
    for (uint64_t seq = end + 1; seq <= end + count; seq++) {
        entry_body(seq, &body);
        uint64_t given = log_add(log, 1 + seq % 4, entry_logged(seq), body.data, body.size);
        assert_int_equal(given, seq);
    }
    buf_deinit(&body);
}

int compact(struct log *log, struct err *err)
{
    bool is_done = false;
    int code = 0;
    while (code == 0 && !is_done)
        code = log_compact(log, &is_done, err);
    return code;
}

int commit_entries(struct log *log, size_t count, struct err *err)
{
    add_entries(log, count);
    return log_commit(log, 7, err);
}

void must_commit(struct log *log, size_t count)
{
    struct err err = { 0 };
    if (commit_entries(log, count, &err) != 0)
        fail_msg("%s", err.text);
}

static bool entry_is_right(const struct log_entry *entry)
{
    if (entry->logged != entry_logged(entry->seq) || entry->class != 1 + entry->seq % 4)
        return false;
    if (entry->is_tombstone)
        return entry->size == 0;
    struct buf body = BUF_INIT;
    entry_body(entry->seq, &body);
    bool is_right = body.size == entry->size &&
                    (body.size == 0 || memcmp(body.data, entry->body, body.size) == 0);
    buf_deinit(&body);
    return is_right;
}

int see(void *arg, const struct log_entry *entry)
{
    struct seen *seen = arg;
    if (seen->count == 0)
        seen->first = entry->seq;
    else if (seen->may_skip ? entry->seq <= seen->last : entry->seq != seen->last + 1)
        seen->is_wrong = true;
    if (!entry_is_right(entry))
        seen->is_wrong = true;
    if (entry->is_tombstone) {
        seen->tombstones++;
        seen->customer = entry->customer;
    }
    seen->last = entry->seq;
    seen->count++;
    return 0;
}

void assert_readable(struct log *log, uint64_t first, uint64_t last)
{
    struct seen seen = { 0 };
    struct err err = { 0 };
    uint64_t next = 0;
    if (log_read(log, first, (size_t)(last - first + 1), see, &seen, &next, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(seen.count, last - first + 1);
    assert_int_equal(seen.first, first);
    assert_int_equal(next, last + 1);
    assert_false(seen.is_wrong);
}

void assert_verifies(struct log *log)
{
    struct err err = { 0 };
    if (log_verify(log, NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
}

/* -- The file behind the log's back ------------------------------------------ */

struct raw {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
};

static struct raw raw_open(const char *dir, const char *table)
{
    struct raw raw;
    assert_int_equal(mdb_env_create(&raw.env), 0);
    assert_int_equal(mdb_env_set_mapsize(raw.env, MAP_BYTES), 0);
    assert_int_equal(mdb_env_set_maxdbs(raw.env, 8), 0);
    assert_int_equal(mdb_env_open(raw.env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(raw.env, NULL, 0, &raw.txn), 0);
    assert_int_equal(mdb_dbi_open(raw.txn, table, 0, &raw.table), 0);
    return raw;
}

static void raw_close(struct raw *raw)
{
    assert_int_equal(mdb_txn_commit(raw->txn), 0);
    mdb_env_close(raw->env);
}

void tamper(const char *dir, const char *table, const void *key, size_t key_size, tamper_fn *change)
{
    struct raw raw = raw_open(dir, table);
    struct buf bytes = BUF_INIT;
    MDB_val key_val = { key_size, (void *)key };
    MDB_val value;
    assert_int_equal(mdb_get(raw.txn, raw.table, &key_val, &value), 0);
    buf_append(&bytes, value.mv_data, value.mv_size);
    assert_int_equal(mdb_del(raw.txn, raw.table, &key_val, NULL), 0);
    if (change != NULL) {
        change(&bytes);
        value = (MDB_val){ bytes.size, bytes.data };
        assert_int_equal(mdb_put(raw.txn, raw.table, &key_val, &value, 0), 0);
    }
    raw_close(&raw);
    buf_deinit(&bytes);
}

void tamper_block(const char *dir, uint64_t seq_first, tamper_fn *change)
{
    uint64_t key = htobe64(seq_first);
    tamper(dir, "blocks", &key, sizeof key, change);
}

size_t block_seqs(const char *dir, uint64_t *out_seqs, size_t seqs_max)
{
    struct raw raw = raw_open(dir, "blocks");
    MDB_cursor *cursor;
    MDB_val key, value;
    size_t count = 0;
    assert_int_equal(mdb_cursor_open(raw.txn, raw.table, &cursor), 0);
    while (count < seqs_max && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        uint64_t big;
        memcpy(&big, key.mv_data, sizeof big);
        out_seqs[count++] = be64toh(big);
    }
    mdb_cursor_close(cursor);
    raw_close(&raw);
    return count;
}

bool file_holds(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    uint8_t *bytes = mem_alloc((size_t)status.st_size);
    assert_int_equal(read(fd, bytes, (size_t)status.st_size), status.st_size);
    bool is_there = memmem(bytes, (size_t)status.st_size, data, size) != NULL;
    free(bytes);
    close(fd);
    return is_there;
}

/* -- Faults ----------------------------------------------------------------- */

static atomic_long faults_after = -1; /* -1: none will come */
static atomic_long faults_left, faults_landing;
static atomic_long calls;
static atomic_int faults_error;
static atomic_bool faults_meta;

void faults_set(struct faults faults)
{
    calls = 0;
    faults_error = faults.error;
    faults_landing = faults.landing;
    faults_meta = faults.is_meta;
    faults_left = faults.count;
    faults_after = faults.after;
}

void faults_clear(void)
{
    faults_set((struct faults){ .after = -1 });
}

long faults_calls(void)
{
    return calls;
}

enum fate { PASS, FAIL, LAND };

/* Reports of the tests themselves, on the first descriptors, go through. */
static enum fate fate_of(int fd, bool is_meta)
{
    if (fd <= 2 || (faults_meta && !is_meta))
        return PASS;
    long call = calls++;
    if (faults_after < 0 || call < faults_after || faults_left <= 0)
        return PASS;
    faults_left--;
    return faults_landing-- > 0 ? LAND : FAIL;
}

/* dlsym() gives a function as a data pointer. */
static void real(const char *name, void *out_function)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(out_function, &symbol, sizeof symbol);
}

static ssize_t answer(enum fate fate, ssize_t result)
{
    if (fate == PASS)
        return result;
    errno = faults_error;
    return -1;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    ssize_t (*next)(int, const void *, size_t, off_t);
    real("pwrite", &next);
    enum fate fate = fate_of(fd, size < PAGE_BYTES);
    return answer(fate, fate != FAIL ? next(fd, data, size, at) : -1);
}

ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t (*next)(int, const void *, size_t);
    real("write", &next);
    enum fate fate = fate_of(fd, false);
    return answer(fate, fate != FAIL ? next(fd, data, size) : -1);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ssize_t (*next)(int, const struct iovec *, int);
    real("writev", &next);
    enum fate fate = fate_of(fd, false);
    return answer(fate, fate != FAIL ? next(fd, parts, count) : -1);
}

int fdatasync(int fd)
{
    int (*next)(int);
    real("fdatasync", &next);
    enum fate fate = fate_of(fd, false);
    return (int)answer(fate, fate != FAIL ? next(fd) : -1);
}

int fsync(int fd)
{
    int (*next)(int);
    real("fsync", &next);
    enum fate fate = fate_of(fd, false);
    return (int)answer(fate, fate != FAIL ? next(fd) : -1);
}

int ftruncate(int fd, off_t size)
{
    int (*next)(int, off_t);
    real("ftruncate", &next);
    enum fate fate = fate_of(fd, false);
    return (int)answer(fate, fate != FAIL ? next(fd, size) : -1);
}

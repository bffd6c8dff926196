/* test_env.c -- promises of an LMDB environment as storage uses it. */
#include "core/base/err.h"
#include "storage/env.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#define MAP_BYTES ((size_t)64 << 20)

struct place {
    char dir[64], copy[80];
    struct env_options options;
    struct env *env;
};

static const char *const tables[] = { "first", "second" };

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *level)
{
    (void)status, (void)flag, (void)level;
    return remove(path);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->dir, sizeof place->dir, "/tmp/test_env.XXXXXX");
    if (mkdtemp(place->dir) == NULL)
        return -1;
    snprintf(place->copy, sizeof place->copy, "%s/copy", place->dir);
    place->options = (struct env_options){ place->dir, MAP_BYTES, tables, 2 };
    *state = place;
    return env_open(&place->options, &place->env, NULL);
}

static int teardown(void **state)
{
    struct place *place = *state;
    env_close(place->env);
    nftw(place->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(place);
    return 0;
}

/* What the file system says of itself: its kind, and how many of its blocks are free. */
static long told_magic;
static unsigned told_blocks = 1u << 20;

int fstatfs(int fd, struct statfs *status)
{
    (void)fd;
    *status = (struct statfs){ .f_type = told_magic, .f_bsize = 4096, .f_bavail = told_blocks };
    return 0;
}

static bool has_no_blocks;

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    (void)fd, (void)mode, (void)offset, (void)size;
    errno = ENOSPC;
    return has_no_blocks ? -1 : 0;
}

static void put(struct env *env, unsigned table, unsigned key, size_t size)
{
    MDB_txn *txn = NULL;
    uint8_t *data = calloc(1, size + 1);
    MDB_val key_val = { sizeof key, &key };
    MDB_val value = { size, data };
    memset(data, 'a' + (int)(key % 26), size);
    assert_int_equal(env_begin(env, 0, &txn), 0);
    int rc = mdb_put(txn, env_table(env, table), &key_val, &value, 0);
    assert_int_equal(env_finish(txn, rc), 0);
    free(data);
}

static void drop(struct env *env, unsigned table, unsigned key)
{
    MDB_txn *txn = NULL;
    MDB_val key_val = { sizeof key, &key };
    assert_int_equal(env_begin(env, 0, &txn), 0);
    int rc = mdb_del(txn, env_table(env, table), &key_val, NULL);
    assert_int_equal(env_finish(txn, rc), 0);
}

static size_t size_of(struct env *env, unsigned table, unsigned key)
{
    MDB_txn *txn = NULL;
    MDB_val key_val = { sizeof key, &key };
    MDB_val value = { 0, NULL };
    assert_int_equal(env_begin(env, MDB_RDONLY, &txn), 0);
    mdb_get(txn, env_table(env, table), &key_val, &value);
    mdb_txn_abort(txn);
    return value.mv_size;
}

static void rows_survive_reopening(void **state)
{
    struct place *place = *state;
    put(place->env, 1, 5, 100);
    env_close(place->env);
    assert_int_equal(env_open(&place->options, &place->env, NULL), 0);
    assert_int_equal(size_of(place->env, 1, 5), 100);
    assert_int_equal(size_of(place->env, 0, 5), 0);
    assert_int_equal(env_flush(place->env), 0);
}

static void a_directory_is_open_once(void **state)
{
    struct place *place = *state;
    struct env *second = NULL;
    struct err err = { 0 };
    assert_int_equal(env_open(&place->options, &second, &err), E_CONFLICT);
    assert_non_null(strstr(err.text, place->dir));
    put(place->env, 0, 1, 10);
    env_close(place->env);
    assert_int_equal(env_open(&place->options, &place->env, NULL), 0);
}

static void a_directory_that_is_not_there_is_named(void **state)
{
    struct place *place = *state;
    struct env *env = NULL;
    struct err err = { 0 };
    struct env_options options = place->options;
    options.dir = place->copy;
    assert_int_equal(env_open(&options, &env, &err), E_IO);
    assert_non_null(strstr(err.text, place->copy));
    assert_null(env);
}

static void a_network_file_system_is_refused(void **state)
{
    struct place *place = *state;
    struct err err = { 0 };
    env_close(place->env);
    place->env = NULL;
    told_magic = NFS_SUPER_MAGIC;
    int code = env_open(&place->options, &place->env, &err);
    told_magic = 0;
    assert_int_equal(code, E_INVALID);
}

static void a_file_that_is_no_store_is_corrupt(void **state)
{
    struct place *place = *state;
    char path[96];
    snprintf(path, sizeof path, "%s/data.mdb", place->dir);
    env_close(place->env);
    place->env = NULL;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 3000; i++)
        fputs("not a store\n", file);
    fclose(file);
    assert_int_equal(env_open(&place->options, &place->env, NULL), E_CORRUPT);
}

static void codes_of_lmdb_and_the_system_become_ours(void **state)
{
    static const struct {
        int rc, code;
    } pairs[] = { { MDB_MAP_FULL, E_FULL },
                  { ENOSPC, E_FULL },
                  { EDQUOT, E_FULL },
                  { MDB_NOTFOUND, E_NOTFOUND },
                  { MDB_CORRUPTED, E_CORRUPT },
                  { MDB_PAGE_NOTFOUND, E_CORRUPT },
                  { MDB_INVALID, E_CORRUPT },
                  { MDB_VERSION_MISMATCH, E_VERSION },
                  { EIO, E_IO },
                  { MDB_PANIC, E_IO } };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct err err = { 0 };
        assert_int_equal(env_fail(&err, pairs[i].rc, "write"), pairs[i].code);
        assert_int_equal(strncmp(err.text, "cannot write: ", 14), 0);
    }
}

/* LMDB would map the lock file and die of SIGBUS at its first store. */
static void a_lock_file_without_room_refuses_the_opening(void **state)
{
    struct place *place = *state;
    struct err err = { 0 };
    env_close(place->env);
    place->env = NULL;
    has_no_blocks = true;
    int code = env_open(&place->options, &place->env, &err);
    has_no_blocks = false;
    assert_int_equal(code, E_FULL);
    assert_non_null(strstr(err.text, place->dir));
    assert_non_null(strstr(err.text, "No space left on device"));
    assert_int_equal(env_open(&place->options, &place->env, NULL), 0);
}

static void a_short_write_is_told_as_a_full_disk_when_it_is_full(void **state)
{
    struct place *place = *state;
    struct err err = { 0 };
    assert_int_equal(env_fail_at(place->env, &err, EIO, "write to it"), E_IO);
    assert_non_null(strstr(err.text, "Input/output error"));
    told_blocks = 10;
    assert_int_equal(env_fail_at(place->env, &err, EIO, "write to it"), E_FULL);
    told_blocks = 1u << 20;
    assert_int_equal(strncmp(err.text, "cannot write to it in /tmp/test_env.", 36), 0);
    assert_non_null(strstr(err.text, ": No space left on device"));
}

static void a_full_map_says_how_large_it_is_and_what_to_do(void **state)
{
    struct place *place = *state;
    struct err err = { 0 };
    assert_int_equal(env_fail_at(place->env, &err, MDB_MAP_FULL, "write to it"), E_FULL);
    assert_non_null(strstr(err.text, "67108864 bytes of its map"));
    assert_non_null(strstr(err.text, "larger ENV_MAP_BYTES"));
}

static void deleted_rows_are_room_and_the_file_stays(void **state)
{
    struct place *place = *state;
    for (unsigned i = 0; i < 50; i++)
        put(place->env, 0, i, 20000);
    size_t file_bytes = env_file_bytes(place->env);
    assert_true(env_used_bytes(place->env) > 50 * 20000);
    assert_false(env_has_room(place->env, file_bytes, 500000));
    for (unsigned i = 0; i < 45; i++)
        drop(place->env, 0, i);
    assert_true(env_file_bytes(place->env) >= file_bytes);
    assert_true(env_used_bytes(place->env) < 10 * 20000);
    assert_true(env_has_room(place->env, file_bytes, 500000));
    assert_false(env_has_room(place->env, 1000, 2000));
    assert_true(env_has_room(place->env, 0, SIZE_MAX));
}

static void a_copy_has_the_rows_of_all_tables(void **state)
{
    struct place *place = *state;
    struct env *copy = NULL;
    struct env_options options = place->options;
    options.dir = place->copy;
    for (unsigned i = 0; i < 1000; i++) /* 20 MB: several transactions */
        put(place->env, i % 2, i, i == 7 ? 0 : 20000);
    assert_int_equal(env_copy(place->env, place->copy, NULL), 0);
    assert_int_equal(env_copy(place->env, place->copy, NULL), E_CONFLICT);
    assert_int_equal(env_open(&options, &copy, NULL), 0);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(size_of(copy, i % 2, i), i == 7 ? 0 : 20000);
        assert_int_equal(size_of(copy, 1 - i % 2, i), 0);
    }
    env_close(copy);
}

static void a_cancelled_copy_is_busy_and_leaves_no_store(void **state)
{
    struct place *place = *state;
    char path[96];
    struct err err = { 0 };
    put(place->env, 0, 1, 10);
    env_copy_cancel(place->env);
    assert_int_equal(env_copy(place->env, place->copy, &err), E_BUSY);
    snprintf(path, sizeof path, "%s/data.mdb", place->copy);
    assert_int_not_equal(access(path, F_OK), 0);

    env_close(place->env);
    assert_int_equal(env_open(&place->options, &place->env, NULL), 0);
    assert_int_equal(env_copy(place->env, place->copy, NULL), 0);
}

static void compacting_shrinks_the_file_and_keeps_the_rows(void **state)
{
    struct place *place = *state;
    struct err err = { 0 };
    for (unsigned i = 0; i < 50; i++)
        put(place->env, 0, i, 20000);
    for (unsigned i = 0; i < 45; i++)
        drop(place->env, 0, i);
    size_t file_bytes = env_file_bytes(place->env);
    assert_int_equal(env_compact_prepare(place->env, &err), 0);
    assert_int_equal(env_compact_swap(&place->env, &err), 0);
    assert_true(env_file_bytes(place->env) < file_bytes / 3);
    assert_int_equal(size_of(place->env, 0, 44), 0);
    for (unsigned i = 45; i < 50; i++)
        assert_int_equal(size_of(place->env, 0, i), 20000);
    put(place->env, 1, 1, 10);
}

static void a_compaction_that_does_not_fit_writes_nothing(void **state)
{
    static const enum env_change changes[ENV_TABLES_MAX] = { ENV_BEHIND, ENV_BETWEEN };
    struct place *place = *state;
    struct err err = { 0 };
    char path[96];
    snprintf(path, sizeof path, "%s/data.mdb.new", place->dir);
    put(place->env, 0, 1, 10);
    told_blocks = 16 << 8; /* 16 MiB: none of them is for the copy */
    assert_int_equal(env_compact_prepare(place->env, &err), E_FULL);
    assert_non_null(strstr(err.text, "the disk has 16 MiB left: make room"));
    assert_int_equal(env_compact_begin(place->env, changes, &err), E_FULL);
    assert_false(env_compact_is_begun(place->env));
    assert_int_not_equal(access(path, F_OK), 0);
    told_blocks = 17 << 8;
    assert_int_equal(env_compact_begin(place->env, changes, &err), 0);
    assert_int_equal(access(path, F_OK), 0);
    told_blocks = 1u << 20;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_survive_reopening),
        TEST(a_directory_is_open_once),
        TEST(a_directory_that_is_not_there_is_named),
        TEST(a_network_file_system_is_refused),
        TEST(a_file_that_is_no_store_is_corrupt),
        TEST(codes_of_lmdb_and_the_system_become_ours),
        TEST(a_lock_file_without_room_refuses_the_opening),
        TEST(a_short_write_is_told_as_a_full_disk_when_it_is_full),
        TEST(a_full_map_says_how_large_it_is_and_what_to_do),
        TEST(deleted_rows_are_room_and_the_file_stays),
        TEST(a_copy_has_the_rows_of_all_tables),
        TEST(a_cancelled_copy_is_busy_and_leaves_no_store),
        TEST(compacting_shrinks_the_file_and_keeps_the_rows),
        TEST(a_compaction_that_does_not_fit_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

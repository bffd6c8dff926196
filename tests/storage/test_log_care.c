/* test_log_care.c -- promises of erasing, rebasing, compacting and copying. */
#include "tests/storage/log_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCKS_MAX 4096

static const uint8_t snapshot_hash[LOG_HASH_BYTES] = { 0xaa, 0xbb };

static void ten_groups(struct fixture *fixture)
{
    for (int i = 0; i < 10; i++)
        must_commit(fixture->log, 200);
}

static struct seen see_all(struct log *log)
{
    struct seen seen = { 0 };
    struct err err = { 0 };
    if (log_read(log, 1, SIZE_MAX, see, &seen, NULL, &err) != 0)
        fail_msg("%s", err.text);
    assert_false(seen.is_wrong);
    return seen;
}

/* -- Erasing ---------------------------------------------------------------- */

static void erased_entries_are_tombstones_and_the_chain_holds(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seqs[200];
    ten_groups(fixture);
    for (size_t i = 0; i < 200; i++)
        seqs[i] = 3 + i * 10;
    for (int round = 0; round < 3; round++) { /* the second time changes nothing */
        assert_int_equal(log_erase(fixture->log, seqs, 200, 4711, NULL), 0);
        if (round == 1)
            fixture_reopen(fixture);
        struct seen seen = see_all(fixture->log);
        assert_int_equal(seen.count, 2000);
        assert_int_equal(seen.tombstones, 200);
        assert_int_equal(seen.customer, 4711);
        assert_verifies(fixture->log);
    }
    must_commit(fixture->log, 5);
    assert_verifies(fixture->log);
}

static void erasing_again_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const uint64_t seqs[] = { 2, 3 };
    must_commit(fixture->log, 10);
    assert_int_equal(log_erase(fixture->log, seqs, 2, 1, NULL), 0);
    faults_clear();
    assert_int_equal(log_erase(fixture->log, seqs, 2, 2, NULL), 0);
    assert_int_equal(faults_calls(), 0);
    assert_int_equal(see_all(fixture->log).customer, 1); /* who was erased first stays named */
}

static void a_whole_log_can_be_erased(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seqs[2000];
    ten_groups(fixture);
    for (size_t i = 0; i < 2000; i++)
        seqs[i] = i + 1;
    assert_int_equal(log_erase(fixture->log, seqs, 2000, 8, NULL), 0);
    assert_int_equal(see_all(fixture->log).tombstones, 2000);
    fixture_reopen(fixture);
    assert_verifies(fixture->log);
    must_commit(fixture->log, 3);
}

static void an_erased_entry_is_gone_from_what_was_read_before(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seq = 77;
    struct seen seen = { 0 };
    must_commit(fixture->log, 100);
    assert_readable(fixture->log, seq, seq); /* and is kept decoded */
    assert_int_equal(log_erase(fixture->log, &seq, 1, 5, NULL), 0);
    assert_int_equal(log_read(fixture->log, seq, 1, see, &seen, NULL, NULL), 0);
    assert_int_equal(seen.tombstones, 1);
}

static void wrong_numbers_to_erase_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const uint64_t descending[] = { 3, 2 };
    static const uint64_t behind[] = { 3, 11 };
    must_commit(fixture->log, 10);
    assert_int_equal(log_erase(fixture->log, descending, 2, 1, NULL), E_INVALID);
    assert_int_equal(log_erase(fixture->log, behind, 2, 1, NULL), E_INVALID);
    assert_int_equal(see_all(fixture->log).tombstones, 0);
}

static void flip_last_byte(struct buf *value)
{
    value->data[value->size - 1] ^= 1;
}

static void a_damaged_block_is_named_and_the_others_are_erased(void **state)
{
    struct fixture *fixture = *state;
    uint64_t blocks[BLOCKS_MAX];
    uint64_t seqs[2000];
    struct err err = { 0 };
    char name[64];
    ten_groups(fixture);
    log_close(fixture->log);
    size_t count = block_seqs(fixture->dir, blocks, BLOCKS_MAX);
    tamper_block(fixture->dir, blocks[count / 2], flip_last_byte);
    fixture_open(fixture);
    for (size_t i = 0; i < 2000; i++)
        seqs[i] = i + 1;
    assert_int_equal(log_erase(fixture->log, seqs, 2000, 5, &err), E_CORRUPT);
    snprintf(name, sizeof name, "entry %llu ", (unsigned long long)blocks[count / 2]);
    assert_non_null(strstr(err.text, name));
    struct seen seen = { 0 };
    uint64_t next = blocks[count / 2 + 1];
    assert_int_equal(log_read(fixture->log, next, SIZE_MAX, see, &seen, NULL, NULL), 0);
    assert_int_equal(seen.tombstones, seen.count);
    assert_int_equal(seen.last, 2000);
}

static void an_erasure_that_fails_anywhere_can_be_repeated(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seqs[100];
    ten_groups(fixture);
    for (long after = 0; after < 30; after++) {
        for (size_t i = 0; i < 100; i++)
            seqs[i] = 1 + i * 20 + (uint64_t)after % 20;
        faults_set((struct faults){ after, 1, EIO, 0, false });
        int code = log_erase(fixture->log, seqs, 100, 5, NULL);
        faults_clear();
        assert_true(code == 0 || code == E_IO);
        assert_int_equal(log_erase(fixture->log, seqs, 100, 5, NULL), 0);
        assert_int_equal(see_all(fixture->log).count, 2000);
        assert_verifies(fixture->log);
    }
    assert_int_equal(see_all(fixture->log).tombstones, 2000);
}

/* -- Rebasing --------------------------------------------------------------- */

static void a_rebased_log_begins_behind_its_base(void **state)
{
    struct fixture *fixture = *state;
    uint8_t hash[LOG_HASH_BYTES];
    uint64_t blocks[BLOCKS_MAX];
    ten_groups(fixture);
    assert_int_equal(log_rebase(fixture->log, 1234, snapshot_hash, NULL), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(log_base(fixture->log), 1234);
        log_base_snapshot(fixture->log, hash);
        assert_memory_equal(hash, snapshot_hash, sizeof hash);
        struct seen seen = see_all(fixture->log);
        assert_int_equal(seen.first, 1235);
        assert_int_equal(seen.last, 2000);
        assert_verifies(fixture->log);
        fixture_reopen(fixture);
    }
    must_commit(fixture->log, 10);
    assert_verifies(fixture->log);
    log_close(fixture->log);
    assert_true(block_seqs(fixture->dir, blocks, BLOCKS_MAX) > 0);
    assert_true(blocks[0] > 1000 && blocks[0] <= 1235 && blocks[1] > 1235);
    fixture_open(fixture);
}

static void a_log_rebased_to_its_end_goes_on_in_number_and_time(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seq;
    int64_t logged;
    ten_groups(fixture);
    assert_int_equal(log_rebase(fixture->log, 2000, snapshot_hash, NULL), 0);
    for (int round = 0; round < 2; round++) {
        log_end(fixture->log, &seq, &logged);
        assert_int_equal(seq, 2000);
        assert_int_equal(logged, entry_logged(2000));
        assert_int_equal(see_all(fixture->log).count, 0);
        assert_verifies(fixture->log);
        fixture_reopen(fixture);
    }
    must_commit(fixture->log, 10);
    assert_readable(fixture->log, 2001, 2010);
    fixture_reopen(fixture);
    assert_readable(fixture->log, 2001, 2010);
    assert_verifies(fixture->log);
}

static void many_small_blocks_are_removed_in_several_transactions(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 700; i++)
        must_commit(fixture->log, 1);
    assert_int_equal(log_rebase(fixture->log, 650, snapshot_hash, NULL), 0);
    assert_readable(fixture->log, 651, 700);
    assert_verifies(fixture->log);
}

static void a_rebase_that_fails_anywhere_can_be_repeated(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 600; i++)
        must_commit(fixture->log, 1);
    for (long after = 0; after < 14; after++) {
        faults_set((struct faults){ after, 2, EIO, 0, false });
        uint64_t seq = 550 + (uint64_t)after;
        int code = log_rebase(fixture->log, seq, snapshot_hash, NULL);
        faults_clear();
        assert_true(code == 0 || code == E_IO);
        must_commit(fixture->log, 1);
        assert_verifies(fixture->log);
        fixture_reopen(fixture);
        assert_int_equal(log_rebase(fixture->log, seq, snapshot_hash, NULL), 0);
        assert_readable(fixture->log, seq + 1, end_of(fixture->log));
        assert_verifies(fixture->log);
    }
}

static void a_base_outside_the_log_is_refused(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 10);
    assert_int_equal(log_rebase(fixture->log, 11, snapshot_hash, NULL), E_INVALID);
    assert_int_equal(log_rebase(fixture->log, 5, snapshot_hash, NULL), 0);
    assert_int_equal(log_rebase(fixture->log, 4, snapshot_hash, NULL), E_INVALID);
    assert_readable(fixture->log, 6, 10);
}

static void verdicts_of_entries_that_are_gone_go_too(void **state)
{
    struct fixture *fixture = *state;
    struct buf out = BUF_INIT;
    must_commit(fixture->log, 10);
    log_index_verdict(fixture->log, 3, "a", 1);
    log_index_verdict(fixture->log, 8, "b", 1);
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    assert_int_equal(log_rebase(fixture->log, 5, snapshot_hash, NULL), 0);
    assert_int_equal(log_get_verdict(fixture->log, 3, &out, NULL), E_NOTFOUND);
    assert_int_equal(log_get_verdict(fixture->log, 8, &out, NULL), 0);
    assert_true(log_has_verdicts(fixture->log));
    assert_int_equal(log_rebase(fixture->log, 9, snapshot_hash, NULL), 0);
    assert_false(log_has_verdicts(fixture->log));
    buf_deinit(&out);
}

static void a_rebase_gets_rid_of_a_damaged_block(void **state)
{
    struct fixture *fixture = *state;
    uint64_t blocks[BLOCKS_MAX];
    ten_groups(fixture);
    log_close(fixture->log);
    assert_true(block_seqs(fixture->dir, blocks, BLOCKS_MAX) > 3);
    tamper_block(fixture->dir, blocks[1], flip_last_byte);
    fixture_open(fixture);
    assert_int_equal(log_verify(fixture->log, NULL, NULL, NULL), E_CORRUPT);
    assert_int_equal(log_rebase(fixture->log, blocks[2] - 1, snapshot_hash, NULL), 0);
    assert_verifies(fixture->log);
}

/* -- Compacting and copying --------------------------------------------------- */

/* A secret in small blocks, which lie uncompressed and share pages with others, and in
 * a large one; then some more, so that pages are used again. */
static size_t hide_secrets(struct fixture *fixture, const char *secret, uint64_t *out_seqs)
{
    size_t count = 0;
    uint8_t noise[40000];
    for (int i = 0; i < 30; i++) {
        out_seqs[count++] = log_add(fixture->log, LOG_CLIENT, 5, secret, strlen(secret));
        if (i % 3 == 0)
            log_add(fixture->log, LOG_CLIENT, 5, "something else", 14);
        assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    }
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)random_next(&fixture->seed);
    memcpy(noise + 20000, secret, strlen(secret));
    out_seqs[count++] = log_add(fixture->log, LOG_CLIENT, 5, noise, sizeof noise);
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    return count;
}

static void compacting_leaves_nothing_of_what_was_erased(void **state)
{
    struct fixture *fixture = *state;
    static const char secret[] = "ada@example.org lives in Canal Street 7";
    uint64_t seqs[64];
    char path[96];
    fixture_path(fixture, "data.mdb", path);
    size_t count = hide_secrets(fixture, secret, seqs);
    uint64_t end = end_of(fixture->log);
    assert_int_equal(log_erase(fixture->log, seqs, count, 5, NULL), 0);
    assert_true(file_holds(path, secret, strlen(secret))); /* or the test shows nothing */
    assert_int_equal(compact(fixture->log, NULL), 0);
    assert_false(file_holds(path, secret, strlen(secret)));
    assert_int_equal(end_of(fixture->log), end);
    assert_verifies(fixture->log);
}

static void a_compacted_log_is_smaller_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct log_stats before, after;
    uint8_t hash[LOG_HASH_BYTES] = { 4 };
    struct buf out = BUF_INIT;
    ten_groups(fixture);
    log_put_blob(fixture->log, hash, "blob", 4);
    log_index_verdict(fixture->log, 1900, "v", 1);
    log_index_world(fixture->log, 1900, 1800);
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    assert_int_equal(log_rebase(fixture->log, 1500, snapshot_hash, NULL), 0);
    log_stats(fixture->log, &before);
    assert_int_equal(compact(fixture->log, NULL), 0);
    log_stats(fixture->log, &after);
    assert_true(after.file_bytes < before.file_bytes / 2);
    for (int round = 0; round < 2; round++) {
        assert_readable(fixture->log, 1501, end_of(fixture->log));
        assert_int_equal(log_get_blob(fixture->log, hash, &out, NULL), 0);
        assert_int_equal(log_get_verdict(fixture->log, 1900, &out, NULL), 0);
        assert_int_equal(log_world_of(fixture->log, 1850), 1900);
        must_commit(fixture->log, 10);
        assert_verifies(fixture->log);
        fixture_reopen(fixture);
    }
    buf_deinit(&out);
}

static void a_compaction_that_fails_anywhere_leaves_the_log_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    char path[96];
    fixture_path(fixture, "data.mdb.new", path);
    must_commit(fixture->log, 50);
    faults_clear();
    assert_int_equal(compact(fixture->log, NULL), 0);
    long calls = faults_calls();
    for (long after = 0; after < calls; after++) {
        uint64_t end = end_of(fixture->log);
        faults_set((struct faults){ after, 1, ENOSPC, 0, false });
        assert_int_equal(compact(fixture->log, NULL), E_FULL);
        faults_clear();
        assert_int_not_equal(access(path, F_OK), 0);
        assert_readable(fixture->log, 1, end);
        must_commit(fixture->log, 1);
        fixture_reopen(fixture);
        assert_readable(fixture->log, 1, end + 1);
        assert_verifies(fixture->log);
    }
}

static void an_unfinished_compaction_is_deleted_at_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    char path[96];
    fixture_path(fixture, "data.mdb.new", path);
    must_commit(fixture->log, 5);
    log_close(fixture->log);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("half a file", file);
    fclose(file);
    fixture_open(fixture);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_readable(fixture->log, 1, 5);
}

/* So much that a compaction takes several steps: entries that do not compress. */
static void fill(struct fixture *fixture)
{
    for (int i = 0; i < 40; i++)
        must_commit(fixture->log, 800);
}

static void step(struct fixture *fixture, bool *is_done)
{
    *is_done = false;
    assert_int_equal(log_compact(fixture->log, is_done, NULL), 0);
}

/* A blob in front of those that are copied already, one behind them, and a row of each table. */
static void add_to_all_tables(struct fixture *fixture, uint8_t round)
{
    const uint8_t before[LOG_HASH_BYTES] = { (uint8_t)(100 - round) };
    const uint8_t behind[LOG_HASH_BYTES] = { (uint8_t)(150 + round) };
    log_put_blob(fixture->log, before, &round, 1);
    log_put_blob(fixture->log, behind, &round, 1);
    log_index_verdict(fixture->log, end_of(fixture->log), "v", 1);
    log_index_world(fixture->log, end_of(fixture->log), end_of(fixture->log));
    must_commit(fixture->log, 1 + round % 5);
}

static void assert_all_tables(struct fixture *fixture, uint64_t begin, unsigned rounds)
{
    struct buf out = BUF_INIT;
    uint64_t seq = begin;
    for (unsigned round = 0; round < rounds; round++) {
        const uint8_t before[LOG_HASH_BYTES] = { (uint8_t)(100 - round) };
        const uint8_t behind[LOG_HASH_BYTES] = { (uint8_t)(150 + round) };
        assert_int_equal(log_get_blob(fixture->log, before, &out, NULL), 0);
        assert_int_equal(log_get_blob(fixture->log, behind, &out, NULL), 0);
        assert_int_equal(log_get_verdict(fixture->log, seq, &out, NULL), 0);
        assert_int_equal(log_world_of(fixture->log, seq), seq);
        seq += 1 + round % 5;
    }
    buf_deinit(&out);
}

static void what_is_written_between_the_steps_is_in_the_new_file(void **state)
{
    struct fixture *fixture = *state;
    bool is_done = false;
    uint8_t rounds = 0;
    fill(fixture);
    uint64_t begin = end_of(fixture->log);
    for (step(fixture, &is_done); !is_done; step(fixture, &is_done))
        add_to_all_tables(fixture, rounds++);
    assert_true(rounds >= 3);
    for (int i = 0; i < 2; i++) {
        assert_readable(fixture->log, 1, end_of(fixture->log));
        assert_all_tables(fixture, begin, rounds);
        assert_verifies(fixture->log);
        must_commit(fixture->log, 3);
        fixture_reopen(fixture);
    }
}

/* Ten times as much in between as a step copies. */
static void a_busy_log_is_compacted_too(void **state)
{
    struct fixture *fixture = *state;
    bool is_done = false;
    unsigned steps = 1;
    fill(fixture);
    for (step(fixture, &is_done); !is_done; step(fixture, &is_done), steps++) {
        assert_true(steps < 20);
        for (int i = 0; i < 10; i++)
            must_commit(fixture->log, 1000);
    }
    assert_verifies(fixture->log);
}

static void what_is_erased_between_the_steps_is_not_in_the_new_file(void **state)
{
    struct fixture *fixture = *state;
    static const char secret[] = "ada@example.org lives in Canal Street 7";
    uint64_t seqs[64];
    char path[96];
    bool is_done;
    fixture_path(fixture, "data.mdb", path);
    size_t count = hide_secrets(fixture, secret, seqs);
    for (int i = 0; i < 400; i++) {
        uint8_t noise[40000];
        for (size_t n = 0; n < sizeof noise; n++)
            noise[n] = (uint8_t)random_next(&fixture->seed);
        log_add(fixture->log, LOG_CLIENT, 5, noise, sizeof noise);
        assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    }
    step(fixture, &is_done);
    assert_false(is_done);
    assert_int_equal(log_erase(fixture->log, seqs, count, 5, NULL), 0);
    assert_int_equal(compact(fixture->log, NULL), 0);
    assert_false(file_holds(path, secret, strlen(secret)));
    assert_verifies(fixture->log);
}

static void a_rebase_or_a_failed_write_between_the_steps_begins_anew(void **state)
{
    struct fixture *fixture = *state;
    char path[96];
    bool is_done;
    fixture_path(fixture, "data.mdb.new", path);
    fill(fixture);
    step(fixture, &is_done);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(log_rebase(fixture->log, 5000, snapshot_hash, NULL), 0);
    assert_int_not_equal(access(path, F_OK), 0);
    step(fixture, &is_done);
    step(fixture, &is_done);
    assert_false(is_done);
    faults_set((struct faults){ 1, 1, EIO, 0, false });
    assert_int_not_equal(commit_entries(fixture->log, 5, NULL), 0);
    faults_clear();
    assert_int_not_equal(access(path, F_OK), 0);
    uint64_t end = end_of(fixture->log);
    assert_int_equal(compact(fixture->log, NULL), 0);
    assert_readable(fixture->log, 5001, end);
    assert_verifies(fixture->log);
}

static void a_log_that_is_closed_between_the_steps_leaves_no_copy(void **state)
{
    struct fixture *fixture = *state;
    char path[96];
    bool is_done;
    fixture_path(fixture, "data.mdb.new", path);
    fill(fixture);
    uint64_t end = end_of(fixture->log);
    step(fixture, &is_done);
    log_close(fixture->log);
    assert_int_not_equal(access(path, F_OK), 0);
    fixture_open(fixture);
    assert_readable(fixture->log, 1, end);
}

static void a_copy_opens_as_a_log_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    char path[96];
    struct log *copy = NULL;
    struct err err = { 0 };
    fixture_path(fixture, "copy", path);
    ten_groups(fixture);
    assert_int_equal(log_rebase(fixture->log, 300, snapshot_hash, NULL), 0);
    assert_int_equal(log_copy(fixture->log, path, &err), 0);
    must_commit(fixture->log, 5);

    struct log_options options = fixture->options;
    options.dir = path;
    assert_int_equal(log_open(&options, &copy, &err), 0);
    assert_int_equal(end_of(copy), 2000);
    assert_readable(copy, 301, 2000);
    assert_verifies(copy);
    must_commit(copy, 5);
    assert_int_equal(log_copy(fixture->log, path, &err), E_CONFLICT);
    log_close(copy);
    assert_int_equal(log_copy(fixture->log, path, &err), E_CONFLICT);
}

static void a_copy_that_fails_is_no_log_and_can_be_repeated(void **state)
{
    struct fixture *fixture = *state;
    char path[96], file[112];
    fixture_path(fixture, "copy", path);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    must_commit(fixture->log, 100);
    for (long after = 0; after < 4; after++) {
        faults_set((struct faults){ after, 1, EIO, 0, false });
        assert_int_equal(log_copy(fixture->log, path, NULL), E_IO);
        faults_clear();
        assert_int_not_equal(access(file, F_OK), 0);
    }
    must_commit(fixture->log, 1);
    assert_int_equal(log_copy(fixture->log, path, NULL), 0);
    assert_int_equal(access(file, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(erased_entries_are_tombstones_and_the_chain_holds),
        TEST(erasing_again_writes_nothing),
        TEST(a_whole_log_can_be_erased),
        TEST(an_erased_entry_is_gone_from_what_was_read_before),
        TEST(wrong_numbers_to_erase_are_refused),
        TEST(a_damaged_block_is_named_and_the_others_are_erased),
        TEST(an_erasure_that_fails_anywhere_can_be_repeated),
        TEST(a_rebased_log_begins_behind_its_base),
        TEST(a_log_rebased_to_its_end_goes_on_in_number_and_time),
        TEST(many_small_blocks_are_removed_in_several_transactions),
        TEST(a_rebase_that_fails_anywhere_can_be_repeated),
        TEST(a_base_outside_the_log_is_refused),
        TEST(verdicts_of_entries_that_are_gone_go_too),
        TEST(a_rebase_gets_rid_of_a_damaged_block),
        TEST(compacting_leaves_nothing_of_what_was_erased),
        TEST(a_compacted_log_is_smaller_and_goes_on),
        TEST(a_compaction_that_fails_anywhere_leaves_the_log_as_it_was),
        TEST(an_unfinished_compaction_is_deleted_at_the_next_start),
        TEST(what_is_written_between_the_steps_is_in_the_new_file),
        TEST(a_busy_log_is_compacted_too),
        TEST(what_is_erased_between_the_steps_is_not_in_the_new_file),
        TEST(a_rebase_or_a_failed_write_between_the_steps_begins_anew),
        TEST(a_log_that_is_closed_between_the_steps_leaves_no_copy),
        TEST(a_copy_opens_as_a_log_of_its_own),
        TEST(a_copy_that_fails_is_no_log_and_can_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

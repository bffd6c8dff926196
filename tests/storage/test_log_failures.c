/* test_log_failures.c -- what a log does when the disk fails, fills up, or lies
 * damaged, and when the process is killed.  One rule in all of them: nothing that was
 * acknowledged is lost, and log_end() tells what is there.
 */
#include "tests/storage/log_fixture.h"

#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#define BLOCKS_MAX 4096

/* -- Failed commits --------------------------------------------------------- */

/* Calls to the disk that a commit of this size makes. */
static long calls_of_commit(struct fixture *fixture, size_t count)
{
    faults_clear();
    must_commit(fixture->log, count);
    return faults_calls();
}

/* The end is the one before the group or the one after it; all up to it is right; the next
 * commit goes on from it; and a new start sees the same. */
static void assert_truth(struct fixture *fixture, uint64_t before, size_t count)
{
    uint64_t end = end_of(fixture->log);
    assert_true(end == before || end == before + count);
    assert_readable(fixture->log, 1, end);
    must_commit(fixture->log, 2);
    assert_int_equal(end_of(fixture->log), end + 2);
    fixture_reopen(fixture);
    assert_int_equal(end_of(fixture->log), end + 2);
    assert_readable(fixture->log, 1, end + 2);
    assert_verifies(fixture->log);
}

static void fail_each_call(struct fixture *fixture, int error, long landing, int expected)
{
    long calls = calls_of_commit(fixture, 40);
    assert_true(calls >= 3); /* data, flush, meta */
    for (long after = 0; after < calls; after++) {
        struct err err = { 0 };
        uint64_t before = end_of(fixture->log);
        faults_set((struct faults){ after, 1, error, landing, false });
        int code = commit_entries(fixture->log, 40, &err);
        faults_clear();
        assert_int_equal(code, expected);
        assert_true(err.text[0] != '\0');
        assert_truth(fixture, before, 40);
    }
}

static void a_commit_whose_write_fails_anywhere_leaves_the_truth(void **state)
{
    fail_each_call(*state, EIO, 0, E_IO);
}

static void a_commit_that_lands_and_yet_fails_leaves_the_truth(void **state)
{
    fail_each_call(*state, EIO, 1, E_IO);
}

static void a_full_disk_is_told_as_full(void **state)
{
    fail_each_call(*state, ENOSPC, 0, E_FULL);
}

/* LMDB writes the meta page last and, when that fails, writes the old one over it: here the
 * first arrives and the second does not. */
static void a_group_that_did_land_is_told_by_the_new_end(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 10);
    faults_set((struct faults){ 0, 2, EIO, 1, true });
    assert_int_equal(commit_entries(fixture->log, 10, NULL), E_IO);
    faults_clear();
    assert_int_equal(end_of(fixture->log), 20);
    assert_truth(fixture, 10, 10);
}

/* The same, and the disk stays bad: nobody can know.  It shows when the disk is back. */
static void an_end_that_moved_while_closed_is_a_conflict_once(void **state)
{
    struct fixture *fixture = *state;
    struct err err = { 0 };
    must_commit(fixture->log, 10);
    faults_set((struct faults){ 0, FAULTS_ALL, EIO, 1, true });
    for (int i = 0; i < 3; i++) {
        assert_int_equal(commit_entries(fixture->log, 10, NULL), E_IO);
        assert_int_equal(end_of(fixture->log), 10);
        assert_readable(fixture->log, 1, 10);
    }
    faults_clear();
    assert_int_equal(commit_entries(fixture->log, 3, &err), E_CONFLICT);
    assert_non_null(strstr(err.text, "20"));
    assert_int_equal(end_of(fixture->log), 20);
    assert_truth(fixture, 20, 0);
}

static void while_the_disk_fails_reading_goes_on_and_nothing_is_taken(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 300);
    faults_set((struct faults){ 0, FAULTS_ALL, ENOSPC, 0, false });
    for (int i = 0; i < 3; i++) {
        assert_int_equal(commit_entries(fixture->log, 5, NULL), E_FULL);
        assert_int_equal(end_of(fixture->log), 300);
        assert_readable(fixture->log, 1, 300);
        assert_verifies(fixture->log);
    }
    faults_clear();
    assert_truth(fixture, 300, 0);
}

/* The write fails, and then each in turn of the calls that reopen. */
static void a_commit_of_nothing_tells_whether_the_disk_is_back(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 10);
    faults_set((struct faults){ 0, FAULTS_ALL, EIO, 0, false });
    assert_int_equal(commit_entries(fixture->log, 5, NULL), E_IO);
    for (int i = 0; i < 3; i++)
        assert_int_equal(log_commit(fixture->log, 0, NULL), E_IO);
    faults_clear();
    assert_int_equal(log_commit(fixture->log, 0, NULL), 0);
    assert_truth(fixture, 10, 0);
}

static void a_reopening_that_fails_is_tried_again_by_the_next_commit(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 10);
    for (long failures = 1; failures < 12; failures++) {
        uint64_t before = end_of(fixture->log);
        faults_set((struct faults){ 0, failures, EIO, 0, false });
        assert_int_equal(commit_entries(fixture->log, 5, NULL), E_IO);
        faults_clear();
        assert_int_equal(end_of(fixture->log), before);
        assert_truth(fixture, before, 0);
    }
}

/* -- Room ------------------------------------------------------------------- */

static int fill(struct fixture *fixture)
{
    int code = 0;
    while (code == 0)
        code = commit_entries(fixture->log, 100, NULL);
    return code;
}

static void beyond_the_quota_commits_are_refused_and_reads_go_on(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.quota_bytes = (size_t)2 << 20;
    fixture_reopen(fixture);
    assert_int_equal(fill(fixture), E_FULL);
    uint64_t end = end_of(fixture->log);
    assert_true(end > 500);
    assert_int_equal(commit_entries(fixture->log, 100, NULL), E_FULL);
    assert_readable(fixture->log, 1, end);
    struct log_stats stats;
    log_stats(fixture->log, &stats);
    assert_true(stats.file_bytes <= stats.quota_bytes);

    fixture->options.quota_bytes = (size_t)4 << 20;
    fixture_reopen(fixture);
    must_commit(fixture->log, 100);
    assert_readable(fixture->log, 1, end + 100);
}

static void a_rebase_makes_room_under_the_quota(void **state)
{
    struct fixture *fixture = *state;
    uint8_t snapshot[LOG_HASH_BYTES] = { 1 };
    fixture->options.quota_bytes = (size_t)2 << 20;
    fixture_reopen(fixture);
    assert_int_equal(fill(fixture), E_FULL);
    uint64_t end = end_of(fixture->log);
    assert_int_equal(log_rebase(fixture->log, end - 10, snapshot, NULL), 0);
    must_commit(fixture->log, 100);
    assert_readable(fixture->log, end - 9, end + 100);
    assert_verifies(fixture->log);
}

static void a_full_map_refuses_commits_and_reads_go_on(void **state)
{
    struct fixture *fixture = *state;
    uint8_t snapshot[LOG_HASH_BYTES] = { 1 };
    fixture->options.map_bytes = (size_t)1 << 20;
    fixture_reopen(fixture);
    assert_int_equal(fill(fixture), E_FULL);
    uint64_t end = end_of(fixture->log);
    assert_int_equal(commit_entries(fixture->log, 500, NULL), E_FULL);
    assert_readable(fixture->log, 1, end);
    assert_verifies(fixture->log);
    assert_int_equal(log_rebase(fixture->log, end, snapshot, NULL), 0);
    must_commit(fixture->log, 50);

    fixture->options.map_bytes = (size_t)4 << 20;
    fixture_reopen(fixture);
    must_commit(fixture->log, 500);
    assert_readable(fixture->log, end + 1, end + 550);
}

/* -- Damage ----------------------------------------------------------------- */

static void flip_last_byte(struct buf *value)
{
    value->data[value->size - 1] ^= 0x40;
}

static void cut_last_byte(struct buf *value)
{
    value->size--;
}

static void cut_to_nothing(struct buf *value)
{
    value->size = 3;
}

static void sum_again(struct buf *value)
{
    memset(value->data + 80, 0, 8);
    uint64_t sum = htole64(XXH64(value->data, value->size, 0));
    memcpy(value->data + 80, &sum, sizeof sum);
}

static void set_format_2(struct buf *value)
{
    value->data[4] = 2;
    sum_again(value);
}

static void forge(struct buf *value)
{
    value->data[48] ^= 1; /* the chain */
    sum_again(value);
}

/* A log of some twenty blocks; returns how many and where they begin. */
static size_t many_blocks(struct fixture *fixture, uint64_t *out_seqs)
{
    for (int i = 0; i < 10; i++)
        must_commit(fixture->log, 200);
    log_close(fixture->log);
    fixture->log = NULL;
    return block_seqs(fixture->dir, out_seqs, BLOCKS_MAX);
}

struct faults_seen {
    unsigned count;
    uint64_t first, last;
};

static void note_fault(void *arg, uint64_t seq_first, uint64_t seq_last, const char *fault)
{
    struct faults_seen *seen = arg;
    assert_true(fault[0] != '\0');
    seen->count++;
    seen->first = seq_first;
    seen->last = seq_last;
}

/* Entries first to last are refused by name; all others can be read. */
static void assert_only_range_is_lost(struct fixture *fixture, uint64_t first, uint64_t last,
                                      int code)
{
    struct seen seen = { 0 };
    struct err err = { 0 };
    uint64_t next = 0, end = end_of(fixture->log);
    char range[64];
    snprintf(range, sizeof range, "%llu to %llu", (unsigned long long)first,
             (unsigned long long)last);
    assert_int_equal(log_read(fixture->log, 1, 1000000, see, &seen, &next, &err), code);
    assert_non_null(strstr(err.text, range));
    assert_int_equal(seen.last, first - 1);
    assert_int_equal(next, last + 1);
    assert_readable(fixture->log, 1, first - 1);
    assert_readable(fixture->log, last + 1, end);
    assert_int_equal(log_read(fixture->log, last, 1, see, &seen, &next, &err), code);

    struct faults_seen faults = { 0 };
    assert_int_equal(log_verify(fixture->log, note_fault, &faults, &err), E_CORRUPT);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.first, first);
    assert_int_equal(faults.last, last);
}

static void damage_middle(struct fixture *fixture, tamper_fn *change, int code)
{
    uint64_t seqs[BLOCKS_MAX];
    size_t count = many_blocks(fixture, seqs);
    assert_true(count > 10);
    tamper_block(fixture->dir, seqs[count / 2], change);
    fixture_open(fixture);
    assert_only_range_is_lost(fixture, seqs[count / 2], seqs[count / 2 + 1] - 1, code);
    must_commit(fixture->log, 10);
}

static void a_damaged_block_is_named_and_the_rest_is_read(void **state)
{
    damage_middle(*state, flip_last_byte, E_CORRUPT);
}

static void a_block_cut_short_is_named_and_the_rest_is_read(void **state)
{
    damage_middle(*state, cut_last_byte, E_CORRUPT);
}

static void a_block_cut_to_nothing_is_named_and_the_rest_is_read(void **state)
{
    damage_middle(*state, cut_to_nothing, E_CORRUPT);
}

static void a_block_of_another_format_is_refused_as_such(void **state)
{
    damage_middle(*state, set_format_2, E_VERSION);
}

static void a_missing_block_is_named_and_the_rest_is_read(void **state)
{
    damage_middle(*state, NULL, E_CORRUPT);
}

static void a_damaged_last_block_refuses_opening_and_is_named(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seqs[BLOCKS_MAX];
    char name[64];
    struct err err = { 0 };
    size_t count = many_blocks(fixture, seqs);
    tamper_block(fixture->dir, seqs[count - 1], flip_last_byte);
    assert_int_equal(log_open(&fixture->options, &fixture->log, &err), E_CORRUPT);
    snprintf(name, sizeof name, "from entry %llu", (unsigned long long)seqs[count - 1]);
    assert_non_null(strstr(err.text, name));
}

static void a_forged_block_breaks_the_chain_once(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seqs[BLOCKS_MAX];
    struct faults_seen faults = { 0 };
    size_t count = many_blocks(fixture, seqs);
    tamper_block(fixture->dir, seqs[count / 2], forge);
    fixture_open(fixture);
    assert_readable(fixture->log, 1, end_of(fixture->log)); /* its checksum is right */
    assert_int_equal(log_verify(fixture->log, note_fault, &faults, NULL), E_CORRUPT);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.first, seqs[count / 2]);
}

static void blocks_without_a_format_are_not_taken_for_a_new_log(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 1);
    log_close(fixture->log);
    fixture->log = NULL;
    tamper(fixture->dir, "meta", "format", 6, NULL);
    assert_int_equal(log_open(&fixture->options, &fixture->log, NULL), E_CORRUPT);
}

/* LMDB would die of SIGBUS beyond the end of a file that was cut. */
static void a_file_cut_short_is_an_error_and_no_crash(void **state)
{
    struct fixture *fixture = *state;
    char path[96];
    for (int i = 0; i < 10; i++)
        must_commit(fixture->log, 200);
    log_close(fixture->log);
    fixture_path(fixture, "data.mdb", path);
    for (long size = 400000; size >= 8192; size -= 16384) {
        assert_int_equal(truncate(path, size), 0);
        fixture->log = NULL;
        struct err err = { 0 };
        int code = log_open(&fixture->options, &fixture->log, &err);
        struct seen seen = { 0 };
        if (code == 0)
            code = log_read(fixture->log, 1, 1000000, see, &seen, NULL, &err);
        assert_int_equal(code, E_CORRUPT);
        assert_false(seen.is_wrong);
        log_close(fixture->log);
        fixture->log = NULL;
    }
}

/* -- Killed ----------------------------------------------------------------- */

/* Commit for ever, with some erasing and compacting, telling each end that was
 * acknowledged. */
static void commit_until_killed(struct fixture *fixture, int out)
{
    fixture_open(fixture);
    for (size_t i = 0;; i++) {
        must_commit(fixture->log, 1 + i % 50);
        uint64_t middle = end_of(fixture->log) / 2;
        if (i % 20 == 19)
            log_erase(fixture->log, &middle, 1, 5, NULL);
        if (i % 20 == 9)
            compact(fixture->log, NULL);
        uint64_t end = end_of(fixture->log);
        if (write(out, &end, sizeof end) != (ssize_t)sizeof end)
            _exit(1);
    }
}

static uint64_t kill_after(struct fixture *fixture, useconds_t delay_us)
{
    int ends[2];
    uint64_t end = 0, told = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        commit_until_killed(fixture, ends[1]);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
    usleep(delay_us);
    kill(child, SIGKILL);
    do
        end = told;
    while (read(ends[0], &told, sizeof told) == (ssize_t)sizeof told);
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return end;
}

static void a_killed_process_loses_nothing_that_was_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    uint64_t end = 0;
    log_close(fixture->log);
    fixture->log = NULL;
    for (int round = 0; round < 12; round++) {
        uint64_t told = kill_after(fixture, (useconds_t)random_below(&fixture->seed, 60000));
        assert_true(told > end);
        fixture_open(fixture);
        end = end_of(fixture->log);
        assert_true(end >= told);
        assert_readable(fixture->log, 1, end);
        assert_verifies(fixture->log);
        log_close(fixture->log);
        fixture->log = NULL;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_whose_write_fails_anywhere_leaves_the_truth),
        TEST(a_commit_that_lands_and_yet_fails_leaves_the_truth),
        TEST(a_full_disk_is_told_as_full),
        TEST(a_group_that_did_land_is_told_by_the_new_end),
        TEST(an_end_that_moved_while_closed_is_a_conflict_once),
        TEST(while_the_disk_fails_reading_goes_on_and_nothing_is_taken),
        TEST(a_commit_of_nothing_tells_whether_the_disk_is_back),
        TEST(a_reopening_that_fails_is_tried_again_by_the_next_commit),
        TEST(beyond_the_quota_commits_are_refused_and_reads_go_on),
        TEST(a_rebase_makes_room_under_the_quota),
        TEST(a_full_map_refuses_commits_and_reads_go_on),
        TEST(a_damaged_block_is_named_and_the_rest_is_read),
        TEST(a_block_cut_short_is_named_and_the_rest_is_read),
        TEST(a_block_cut_to_nothing_is_named_and_the_rest_is_read),
        TEST(a_block_of_another_format_is_refused_as_such),
        TEST(a_missing_block_is_named_and_the_rest_is_read),
        TEST(a_damaged_last_block_refuses_opening_and_is_named),
        TEST(a_forged_block_breaks_the_chain_once),
        TEST(blocks_without_a_format_are_not_taken_for_a_new_log),
        TEST(a_file_cut_short_is_an_error_and_no_crash),
        TEST(a_killed_process_loses_nothing_that_was_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_log.c -- promises of adding, reading and looking up. */
#include "tests/storage/log_fixture.h"

#define BLOCKS_MAX 4096

static void a_new_log_is_empty(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seq = 9;
    int64_t logged = 9;
    struct seen seen = { 0 };
    log_end(fixture->log, &seq, &logged);
    assert_int_equal(seq, 0);
    assert_int_equal(logged, 0);
    assert_int_equal(log_base(fixture->log), 0);
    assert_int_equal(log_read(fixture->log, 1, 10, see, &seen, &seq, NULL), 0);
    assert_int_equal(seen.count, 0);
    assert_int_equal(seq, 1);
    assert_int_equal(log_world_of(fixture->log, 1), 0);
    assert_false(log_has_verdicts(fixture->log));
    assert_verifies(fixture->log);
}

static void numbers_are_dense_and_survive_reopening(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seq;
    int64_t logged;
    for (size_t group = 1; group <= 20; group++) {
        must_commit(fixture->log, group);
        if (group % 3 == 0)
            fixture_reopen(fixture);
    }
    log_end(fixture->log, &seq, &logged);
    assert_int_equal(seq, 210);
    assert_int_equal(logged, entry_logged(210));
    assert_readable(fixture->log, 1, 210);
    assert_verifies(fixture->log);
}

static void what_is_not_committed_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 3);
    add_entries(fixture->log, 5);
    assert_int_equal(end_of(fixture->log), 3);
    struct seen seen = { 0 };
    assert_int_equal(log_read(fixture->log, 1, 100, see, &seen, NULL, NULL), 0);
    assert_int_equal(seen.count, 3);
    fixture_reopen(fixture);
    assert_int_equal(end_of(fixture->log), 3);
}

static void an_empty_commit_does_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct log_stats stats;
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    log_stats(fixture->log, &stats);
    assert_int_equal(stats.commits, 0);
}

static void blocks_end_at_64_kib_and_a_larger_entry_is_alone(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seqs[BLOCKS_MAX];
    static uint8_t body[LOG_ENTRY_BYTES_MAX];
    for (int i = 0; i < 200; i++) /* 1,024 raw each: 64 to a block */
        log_add(fixture->log, LOG_STAFF, 5, body, 1024 - 32);
    log_add(fixture->log, LOG_STAFF, 5, body, LOG_ENTRY_BYTES_MAX);
    log_add(fixture->log, LOG_STAFF, 5, body, 1);
    log_add(fixture->log, LOG_STAFF, 5, body, LOG_BLOCK_BYTES_MAX - 32 - 33);
    log_add(fixture->log, LOG_STAFF, 5, body, 0);
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    log_close(fixture->log);
    size_t count = block_seqs(fixture->dir, seqs, BLOCKS_MAX);
    fixture_open(fixture);
    static const uint64_t expected[] = { 1, 65, 129, 193, 201, 202, 204 };
    assert_int_equal(count, sizeof expected / sizeof expected[0]);
    assert_memory_equal(seqs, expected, sizeof expected);
    assert_verifies(fixture->log);
}

static int note_size(void *arg, const struct log_entry *entry)
{
    *(size_t *)arg = entry->size;
    return 0;
}

static void the_largest_entry_comes_back_whole(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 0;
    uint8_t *body = malloc(LOG_ENTRY_BYTES_MAX);
    for (size_t i = 0; i < LOG_ENTRY_BYTES_MAX; i++)
        body[i] = (uint8_t)random_next(&fixture->seed);
    log_add(fixture->log, LOG_CLIENT, 1, body, LOG_ENTRY_BYTES_MAX);
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    assert_int_equal(log_read(fixture->log, 1, 1, note_size, &size, NULL, NULL), 0);
    assert_int_equal(size, LOG_ENTRY_BYTES_MAX);
    free(body);
}

static void any_single_entry_can_be_read_by_its_number(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 400);
    must_commit(fixture->log, 1);
    must_commit(fixture->log, 400);
    for (int i = 0; i < 2000; i++) {
        uint64_t seq = 1 + random_below(&fixture->seed, 801);
        assert_readable(fixture->log, seq, seq);
    }
}

static int stop_at_five(void *arg, const struct log_entry *entry)
{
    (void)arg;
    return entry->seq == 5 ? 77 : 0;
}

static void a_visitor_ends_the_read_with_its_own_result(void **state)
{
    struct fixture *fixture = *state;
    uint64_t next = 0;
    must_commit(fixture->log, 10);
    assert_int_equal(log_read(fixture->log, 2, 100, stop_at_five, NULL, &next, NULL), 77);
    assert_int_equal(next, 6);
}

static int read_inside(void *arg, const struct log_entry *entry)
{
    struct log *log = arg;
    assert_readable(log, 1, entry->seq);
    must_commit(log, 1);
    return 0;
}

static void a_visitor_may_itself_use_the_log(void **state)
{
    struct fixture *fixture = *state;
    must_commit(fixture->log, 5);
    assert_int_equal(log_read(fixture->log, 1, 100, read_inside, fixture->log, NULL, NULL), 0);
    assert_int_equal(end_of(fixture->log), 10); /* and a read ends where the log ended */
}

static void blobs_come_back_and_are_kept_once(void **state)
{
    struct fixture *fixture = *state;
    uint8_t hash[LOG_HASH_BYTES] = { 1, 2, 3 };
    struct buf out = BUF_INIT;
    assert_int_equal(log_get_blob(fixture->log, hash, &out, NULL), E_NOTFOUND);
    for (int i = 0; i < 2; i++) {
        log_put_blob(fixture->log, hash, "rule files", 10);
        assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    }
    fixture_reopen(fixture);
    assert_int_equal(log_get_blob(fixture->log, hash, &out, NULL), 0);
    assert_string_equal(buf_string(&out), "rule files");
    buf_deinit(&out);
}

static bool names_second(void *arg, const uint8_t hash[LOG_HASH_BYTES])
{
    (void)arg;
    return hash[0] == 2;
}

static void blobs_that_nothing_names_are_collected(void **state)
{
    struct fixture *fixture = *state;
    struct buf out = BUF_INIT;
    uint8_t hash[LOG_HASH_BYTES] = { 0 };
    for (hash[0] = 1; hash[0] <= 3; hash[0]++)
        log_put_blob(fixture->log, hash, "x", 1);
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(log_collect_blobs(fixture->log, names_second, NULL, NULL), 0);
    for (hash[0] = 1; hash[0] <= 3; hash[0]++)
        assert_int_equal(log_get_blob(fixture->log, hash, &out, NULL),
                         hash[0] == 2 ? 0 : E_NOTFOUND);
    buf_deinit(&out);
}

static void verdicts_are_found_by_their_entry_and_add_up(void **state)
{
    struct fixture *fixture = *state;
    struct buf out = BUF_INIT;
    must_commit(fixture->log, 5);
    log_index_verdict(fixture->log, 4, "one,", 4);
    assert_false(log_has_verdicts(fixture->log));
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
    assert_true(log_has_verdicts(fixture->log));
    log_index_verdict(fixture->log, 4, "two", 3);
    assert_int_equal(log_commit(fixture->log, 7, NULL), 0);

    fixture_reopen(fixture);
    assert_true(log_has_verdicts(fixture->log));
    assert_int_equal(log_get_verdict(fixture->log, 3, &out, NULL), E_NOTFOUND);
    assert_int_equal(log_get_verdict(fixture->log, 4, &out, NULL), 0);
    assert_string_equal(buf_string(&out), "one,two");
    buf_deinit(&out);
}

/* The definition, without the shortcut that the log takes. */
static uint64_t world_by_scan(uint64_t rows[][2], size_t count, uint64_t seq)
{
    uint64_t world = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i][1] <= seq)
            world = rows[i][0];
    return world;
}

static void the_world_of_an_entry_is_the_last_appended_that_reaches_it(void **state)
{
    struct fixture *fixture = *state;
    uint64_t rows[60][2];
    for (size_t count = 0; count < 60; count++) {
        must_commit(fixture->log, random_below(&fixture->seed, 4));
        uint64_t seq = end_of(fixture->log) + 1;
        uint64_t since =
            random_below(&fixture->seed, 4) == 0 ? 1 + random_below(&fixture->seed, seq) : seq;
        add_entries(fixture->log, 1);
        log_index_world(fixture->log, seq, since);
        assert_int_equal(log_commit(fixture->log, 7, NULL), 0);
        rows[count][0] = seq;
        rows[count][1] = since;
        if (count % 10 == 9)
            fixture_reopen(fixture);
        for (uint64_t entry = 0; entry <= seq + 2; entry++)
            assert_int_equal(log_world_of(fixture->log, entry),
                             world_by_scan(rows, count + 1, entry));
    }
}

static void a_second_opening_of_the_directory_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct log *second = NULL;
    struct err err = { 0 };
    must_commit(fixture->log, 1);
    assert_int_equal(log_open(&fixture->options, &second, &err), E_CONFLICT);
    assert_null(second);
    must_commit(fixture->log, 1);
    assert_readable(fixture->log, 1, 2);
}

static void set_format_9(struct buf *value)
{
    value->data[0] = 9;
}

static void a_log_of_another_format_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct err err = { 0 };
    log_close(fixture->log);
    fixture->log = NULL;
    tamper(fixture->dir, "meta", "format", 6, set_format_9);
    assert_int_equal(log_open(&fixture->options, &fixture->log, &err), E_VERSION);
    assert_non_null(strstr(err.text, "format 9"));
    assert_null(fixture->log);
}

static void counters_tell_what_was_written(void **state)
{
    struct fixture *fixture = *state;
    struct log_stats stats;
    must_commit(fixture->log, 500);
    log_stats(fixture->log, &stats);
    assert_int_equal(stats.commits, 1);
    assert_int_equal(stats.entries, 500);
    assert_true(stats.stored_bytes < stats.raw_bytes);
    assert_true(stats.used_bytes >= stats.stored_bytes);
    assert_true(stats.file_bytes >= stats.used_bytes);
    assert_true(stats.commit_ns_last > 0);
}

/* Groups of any size, reads of any range, reopened at any time: always what was added. */
static void any_groups_read_in_any_way_are_what_was_added(void **state)
{
    struct fixture *fixture = *state;
    uint64_t *seed = &fixture->seed;
    uint64_t added = 0;
    for (int step = 0; step < 400; step++) {
        uint64_t choice = random_below(seed, 10);
        if (choice < 5) {
            uint64_t count = random_below(seed, choice == 0 ? 400 : 12);
            must_commit(fixture->log, count);
            added += count;
        } else if (choice < 9 && added > 0) {
            uint64_t first = 1 + random_below(seed, added);
            uint64_t last = first + random_below(seed, added - first + 1);
            assert_readable(fixture->log, first, choice == 8 ? first : last);
        } else {
            fixture_reopen(fixture);
        }
        assert_int_equal(end_of(fixture->log), added);
    }
    assert_readable(fixture->log, 1, added);
    assert_verifies(fixture->log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_log_is_empty),
        TEST(numbers_are_dense_and_survive_reopening),
        TEST(what_is_not_committed_is_not_there),
        TEST(an_empty_commit_does_nothing),
        TEST(blocks_end_at_64_kib_and_a_larger_entry_is_alone),
        TEST(the_largest_entry_comes_back_whole),
        TEST(any_single_entry_can_be_read_by_its_number),
        TEST(a_visitor_ends_the_read_with_its_own_result),
        TEST(a_visitor_may_itself_use_the_log),
        TEST(blobs_come_back_and_are_kept_once),
        TEST(blobs_that_nothing_names_are_collected),
        TEST(verdicts_are_found_by_their_entry_and_add_up),
        TEST(the_world_of_an_entry_is_the_last_appended_that_reaches_it),
        TEST(a_second_opening_of_the_directory_is_refused),
        TEST(a_log_of_another_format_is_refused),
        TEST(counters_tell_what_was_written),
        TEST(any_groups_read_in_any_way_are_what_was_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

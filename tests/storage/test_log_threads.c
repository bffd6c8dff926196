/* test_log_threads.c -- promises to readers beside the writing thread; most of what these
 * tests find is found by the thread sanitizer.
 */
#include "tests/storage/log_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define READERS 2

struct reader {
    struct log *log;
    atomic_bool *stops;
    bool may_skip;
    uint64_t seed;
    uint64_t reads;
    bool is_wrong;
    pthread_t thread;
};

/* One read of any range, by a thread that sees the log grow, fail and be rebased. */
static void read_once(struct reader *reader)
{
    uint64_t end, next;
    int64_t logged;
    struct seen seen = { .may_skip = reader->may_skip };
    log_end(reader->log, &end, &logged);
    if (end == 0)
        return;
    uint64_t first = 1 + random_below(&reader->seed, end);
    size_t count = random_below(&reader->seed, 3) == 0 ? 300 : 1;
    int code = log_read(reader->log, first, count, see, &seen, &next, NULL);
    uint64_t last = count < end - first + 1 ? first + count - 1 : end;
    bool is_gone = last <= log_base(reader->log);
    if (code != 0 || seen.is_wrong || (seen.count == 0 && !is_gone))
        reader->is_wrong = true;
    if (logged != entry_logged(end) || log_world_of(reader->log, end) > end)
        reader->is_wrong = true;
    reader->reads++;
}

static void *read_on(void *arg)
{
    struct reader *reader = arg;
    struct log_stats stats;
    while (!*reader->stops) {
        read_once(reader);
        log_stats(reader->log, &stats);
        log_has_verdicts(reader->log);
    }
    return NULL;
}

typedef void write_fn(struct log *log, int step);

/* `step_of` is called `steps` times beside the readers. */
static void beside_readers(struct fixture *fixture, write_fn *step_of, int steps, bool may_skip)
{
    atomic_bool stops = false;
    struct reader readers[READERS];
    for (uint64_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){
            .log = fixture->log, .stops = &stops, .seed = i + 1, .may_skip = may_skip
        };
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int step = 0; step < steps; step++)
        step_of(fixture->log, step);
    stops = true;
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_false(readers[i].is_wrong);
        assert_true(readers[i].reads > 0);
    }
    assert_verifies(fixture->log);
}

static void append(struct log *log, int step)
{
    add_entries(log, 1 + (size_t)step % 60);
    if (step % 10 == 0) {
        uint64_t seq = end_of(log) + 1;
        log_index_world(log, seq, seq);
        log_index_verdict(log, seq, "v", 1);
    }
    assert_int_equal(log_commit(log, 7, NULL), 0);
}

static void readers_see_only_what_was_acknowledged(void **state)
{
    beside_readers(*state, append, 150, false);
}

static void append_and_fail(struct log *log, int step)
{
    append(log, step);
    uint64_t end = end_of(log);
    bool is_meta = step % 2 == 0; /* after which LMDB refuses readers until it is reopened */
    faults_set((struct faults){ is_meta ? 0 : step % 6, 1, EIO, step % 3 == 0, is_meta });
    commit_entries(log, 5, NULL);
    faults_clear();
    assert_true(end_of(log) >= end);
}

static void readers_do_not_notice_a_reopening(void **state)
{
    beside_readers(*state, append_and_fail, 80, false);
}

static void append_and_care(struct log *log, int step)
{
    static const uint8_t snapshot[LOG_HASH_BYTES] = { 1 };
    append(log, step);
    uint64_t end = end_of(log);
    uint64_t middle = log_base(log) + (end - log_base(log) + 1) / 2;
    assert_int_equal(log_erase(log, &middle, 1, 5, NULL), 0);
    if (step % 8 == 7)
        assert_int_equal(log_rebase(log, middle, snapshot, NULL), 0);
    if (step % 5 == 4)
        assert_int_equal(compact(log, NULL), 0);
}

static void readers_do_not_notice_erasing_rebasing_and_compacting(void **state)
{
    beside_readers(*state, append_and_care, 60, true);
}

struct copier {
    struct fixture *fixture;
    int copies, busy;
    bool is_wrong;
};

static void *copy_on(void *arg)
{
    struct copier *copier = arg;
    struct err err = { 0 };
    char name[16], path[96];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "copy-%d", i);
        fixture_path(copier->fixture, name, path);
        int code = log_copy(copier->fixture->log, path, &err);
        copier->copies += code == 0;
        copier->busy += code == E_BUSY;
        copier->is_wrong = copier->is_wrong || (code != 0 && code != E_BUSY);
    }
    return NULL;
}

/* What a copy holds is the log as it was at one moment. */
static void check_copies(struct fixture *fixture)
{
    char name[16], path[96];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "copy-%d", i);
        fixture_path(fixture, name, path);
        struct log_options options = fixture->options;
        struct log *copy = NULL;
        options.dir = path;
        assert_int_equal(log_open(&options, &copy, NULL), 0);
        assert_verifies(copy);
        if (end_of(copy) > 0)
            assert_readable(copy, 1, end_of(copy));
        log_close(copy);
    }
}

static void copies_beside_a_writer_are_whole_logs(void **state)
{
    struct fixture *fixture = *state;
    struct copier copier = { .fixture = fixture };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, copy_on, &copier), 0);
    for (int step = 0; step < 100; step++)
        append(fixture->log, step);
    pthread_join(thread, NULL);
    assert_false(copier.is_wrong);
    assert_int_equal(copier.copies, 12);
    check_copies(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(readers_see_only_what_was_acknowledged),
        TEST(readers_do_not_notice_a_reopening),
        TEST(readers_do_not_notice_erasing_rebasing_and_compacting),
        TEST(copies_beside_a_writer_are_whole_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_snapshot.c -- what state.h promises of snapshots, hashes, dumps, copies and threads. */
#include "storage/state.h"

#include "core/base/mem.h"
#include "tests/storage/state_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct snapshot *snapshot_now(struct fixture *fixture)
{
    struct snapshot *snapshot = NULL;
    assert_int_equal(snapshot_open(fixture->state, &snapshot, &fixture->err), 0);
    return snapshot;
}

static void a_snapshot_stays_as_it_was_while_the_state_goes_on(void **arg)
{
    struct fixture *fixture = *arg;
    struct key key = text_key('z', "a");
    struct bytes value;
    uint8_t before[16], after[16];
    put_text(fixture->state, "a", "old");
    fixture_checkpoint(fixture, 1);
    struct snapshot *snapshot = snapshot_now(fixture);
    snapshot_hash(snapshot, before);
    for (unsigned i = 2; i < 20; i++) {
        put_text(fixture->state, "a", "new");
        put_text(fixture->state, "b", "new");
        fixture_checkpoint(fixture, i);
    }
    assert_true(snapshot_get(snapshot, &key, &value));
    assert_memory_equal(value.data, "old", 3);
    key = text_key('z', "b");
    assert_false(snapshot_get(snapshot, &key, &value));
    snapshot_hash(snapshot, after);
    assert_memory_equal(before, after, 16);
    uint64_t seq;
    int64_t logged;
    snapshot_applied(snapshot, &seq, &logged);
    assert_true(seq == 1 && logged == 1000);
    snapshot_close(snapshot);
}

static void a_snapshot_sees_the_last_checkpoint_and_nothing_later(void **arg)
{
    struct fixture *fixture = *arg;
    struct key key = text_key('z', "a");
    struct bytes value;
    put_text(fixture->state, "a", "1");
    state_freeze(fixture->state, 1, 1);
    struct snapshot *snapshot = snapshot_now(fixture);
    assert_false(snapshot_get(snapshot, &key, &value));
    snapshot_close(snapshot);
    assert_int_equal(state_checkpoint(fixture->state, NULL), 0);
    snapshot = snapshot_now(fixture); /* before the engine has settled */
    assert_true(snapshot_get(snapshot, &key, &value));
    snapshot_close(snapshot);
}

static void more_snapshots_than_the_limit_are_busy(void **arg)
{
    struct fixture *fixture = *arg;
    struct snapshot *snapshots[STATE_SNAPSHOTS_MAX], *one_more = NULL;
    for (unsigned i = 0; i < STATE_SNAPSHOTS_MAX; i++)
        snapshots[i] = snapshot_now(fixture);
    assert_int_equal(snapshot_open(fixture->state, &one_more, &fixture->err), E_BUSY);
    assert_null(one_more);
    snapshot_close(snapshots[0]);
    snapshots[0] = snapshot_now(fixture);
    for (unsigned i = 0; i < STATE_SNAPSHOTS_MAX; i++)
        snapshot_close(snapshots[i]);
}

struct visit {
    char seen[64];
    char stop_at;
};

static int visit_row(void *arg, struct bytes key, struct bytes value)
{
    struct visit *visit = arg;
    char name[2] = { (char)key.data[key.size - 1], '\0' };
    assert_int_equal(value.size, 1);
    strncat(visit->seen, name, sizeof visit->seen - strlen(visit->seen) - 1);
    return name[0] == visit->stop_at ? 42 : 0;
}

static void a_visit_goes_in_order_from_the_first_key_within_the_prefix_until_told(void **arg)
{
    struct fixture *fixture = *arg;
    static const char *const names[] = { "d", "pc", "pa", "pb", "q" };
    for (unsigned i = 0; i < 5; i++)
        put_text(fixture->state, names[i], "v");
    fixture_checkpoint(fixture, 1);
    struct snapshot *snapshot = snapshot_now(fixture);
    struct key prefix = text_key('z', "p"), first = text_key('z', "pb"), low = text_key('z', "a"),
               high = text_key('z', "q"), table = text_key('z', "");
    struct {
        const struct key *prefix, *first;
        char stop_at;
        const char *seen;
        int result;
    } cases[] = {
        { &prefix, NULL, 0, "abc", 0 },   { &prefix, &first, 0, "bc", 0 },
        { &prefix, &low, 0, "abc", 0 },   { &prefix, &high, 0, "", 0 },
        { &prefix, NULL, 'b', "ab", 42 }, { &table, NULL, 0, "dabcq", 0 },
        { NULL, &first, 0, "bcq", 0 },
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct visit visit = { .stop_at = cases[i].stop_at };
        int result = snapshot_visit(snapshot, cases[i].prefix, cases[i].first, visit_row, &visit);
        assert_int_equal(result, cases[i].result);
        assert_string_equal(visit.seen, cases[i].seen);
    }
    snapshot_close(snapshot);
}

static void a_visit_backwards_goes_down_from_what_is_below_a_key_within_the_prefix(void **arg)
{
    struct fixture *fixture = *arg;
    static const char high_text[] = { '\xff', 'a', '\0' };
    static const char *const names[] = { "d", "pc", "pa", "pb", "q", high_text };
    for (unsigned i = 0; i < 6; i++)
        put_text(fixture->state, names[i], "v");
    fixture_checkpoint(fixture, 1);
    struct snapshot *snapshot = snapshot_now(fixture);
    struct key prefix = text_key('z', "p"), before = text_key('z', "pb"),
               first = text_key('z', "pa"), between = text_key('z', "pbb"),
               low = text_key('z', "a"), high = text_key('z', "q"), table = text_key('z', ""),
               last = text_key('z', "\xff"), absent = text_key('z', "n"),
               all = { .size = 2, .data = { 0xff, 0xff } };
    struct {
        const struct key *prefix, *before;
        char stop_at;
        const char *seen;
        int result;
    } cases[] = {
        { &prefix, NULL, 0, "cba", 0 },    { &prefix, &before, 0, "a", 0 },
        { &prefix, &between, 0, "ba", 0 }, { &prefix, &first, 0, "", 0 },
        { &prefix, &low, 0, "", 0 },       { &prefix, &high, 0, "cba", 0 },
        { &prefix, NULL, 'b', "cb", 42 },  { &table, NULL, 0, "aqcbad", 0 },
        { &table, &high, 0, "cbad", 0 },   { &last, NULL, 0, "a", 0 },
        { &absent, NULL, 0, "", 0 },       { NULL, NULL, 'c', "aqc", 42 },
        { NULL, &high, 'b', "cb", 42 },    { &all, NULL, 0, "", 0 },
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct visit visit = { .stop_at = cases[i].stop_at };
        int result =
            snapshot_visit_back(snapshot, cases[i].prefix, cases[i].before, visit_row, &visit);
        assert_int_equal(result, cases[i].result);
        assert_string_equal(visit.seen, cases[i].seen);
    }
    snapshot_close(snapshot);
}

/* -- The hash --------------------------------------------------------------- */

static void the_hash_depends_on_the_rows_and_not_on_how_they_came_about(void **arg)
{
    struct fixture *fixture = *arg;
    uint8_t first[16], later[16], other[16];
    put_text(fixture->state, "a", "1");
    put_text(fixture->state, "b", "2");
    fixture_checkpoint(fixture, 1);
    hash_now(fixture->state, first);
    put_text(fixture->state, "a", "other");
    put_text(fixture->state, "c", "3");
    fixture_checkpoint(fixture, 2);
    hash_now(fixture->state, other);
    assert_memory_not_equal(first, other, 16);
    struct key key = text_key('z', "c");
    state_delete(fixture->state, &key);
    put_text(fixture->state, "a", "1");
    fixture_checkpoint(fixture, 3);
    hash_now(fixture->state, later);
    assert_memory_equal(first, later, 16); /* and not on `applied` */
}

static void the_hash_tells_where_a_key_ends_and_its_value_begins(void **arg)
{
    struct fixture *fixture = *arg;
    uint8_t first[16], second[16];
    put_text(fixture->state, "ab", "c");
    fixture_checkpoint(fixture, 1);
    hash_now(fixture->state, first);
    struct key key = text_key('z', "ab");
    state_delete(fixture->state, &key);
    put_text(fixture->state, "a", "bc");
    fixture_checkpoint(fixture, 2);
    hash_now(fixture->state, second);
    assert_memory_not_equal(first, second, 16);
}

/* -- Dump and load ---------------------------------------------------------- */

static void fill(struct fixture *fixture)
{
    static char value[STATE_VALUE_MAX];
    char name[32];
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "row %u", i * 7919 % 3000);
        snprintf(value, 100, "value %u", i);
        put_text(fixture->state, name, value);
    }
    struct key longest = { .size = KEY_BYTES_MAX };
    memset(longest.data, 'k', sizeof longest.data);
    memset(value, 'v', sizeof value);
    state_put(fixture->state, &longest, value, sizeof value);
    put_text(fixture->state, "empty", "");
    fixture_checkpoint(fixture, 123456789);
}

static void dump(struct fixture *fixture, const char *path)
{
    struct snapshot *snapshot = snapshot_now(fixture);
    assert_int_equal(snapshot_dump(snapshot, path, &fixture->err), 0);
    snapshot_close(snapshot);
}

static void a_dump_loads_into_an_equal_state_of_the_same_entry(void **arg)
{
    struct fixture *fixture = *arg;
    char path[128];
    uint8_t before[16], after[16];
    fixture_path(fixture, "dump", path);
    fill(fixture);
    hash_now(fixture->state, before);
    dump(fixture, path);
    assert_int_equal(state_load(fixture->state, path, &fixture->err), E_CONFLICT);
    fixture_empty(fixture);
    assert_int_equal(state_load(fixture->state, path, &fixture->err), 0);
    hash_now(fixture->state, after);
    assert_memory_equal(before, after, 16);
    assert_non_null(get_text(fixture->state, "row 7"));
    fixture_reopen(fixture);
    uint64_t seq;
    int64_t logged;
    state_applied(fixture->state, &seq, &logged);
    assert_true(seq == 123456789 && logged == 123456789000);
    assert_string_equal(get_text(fixture->state, "empty"), "");
}

/* The dump at `path` is refused by name; the state stays empty. */
static void assert_refused(struct fixture *fixture, const char *path, int code)
{
    uint8_t before[16], after[16];
    hash_now(fixture->state, before);
    assert_int_equal(state_load(fixture->state, path, &fixture->err), code);
    assert_non_null(strstr(fixture->err.text, path));
    hash_now(fixture->state, after);
    assert_memory_equal(before, after, 16);
    assert_null(get_text(fixture->state, "row 1"));
}

static void flip(const char *path, off_t offset)
{
    uint8_t byte;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void a_dump_with_one_bit_wrong_anywhere_is_refused(void **arg)
{
    struct fixture *fixture = *arg;
    char path[128];
    struct stat status;
    fixture_path(fixture, "dump", path);
    fill(fixture);
    dump(fixture, path);
    fixture_empty(fixture);
    assert_int_equal(stat(path, &status), 0);
    for (off_t at = 0; at < status.st_size; at += at < 80 || at > status.st_size - 40 ? 1 : 4001) {
        bool is_format = at == 16 || at == 17; /* behind the magic: its length, and the format */
        flip(path, at);
        assert_refused(fixture, path, is_format ? E_VERSION : E_CORRUPT);
        flip(path, at);
    }
    assert_int_equal(state_load(fixture->state, path, &fixture->err), 0);
}

static void a_dump_that_was_cut_or_is_longer_is_refused(void **arg)
{
    struct fixture *fixture = *arg;
    char path[128];
    struct stat status;
    fixture_path(fixture, "dump", path);
    fill(fixture);
    dump(fixture, path);
    fixture_empty(fixture);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size + 1), 0);
    assert_refused(fixture, path, E_CORRUPT);
    for (off_t size = status.st_size - 1; size > 0; size /= 3) {
        assert_int_equal(truncate(path, size), 0);
        assert_refused(fixture, path, E_CORRUPT);
    }
    unlink(path);
    assert_refused(fixture, path, E_IO);
}

static void a_dump_that_fails_leaves_the_one_before(void **arg)
{
    struct fixture *fixture = *arg;
    char path[128];
    struct stat before, after;
    fixture_path(fixture, "dump", path);
    put_text(fixture->state, "a", "1");
    fixture_checkpoint(fixture, 1);
    dump(fixture, path);
    assert_int_equal(stat(path, &before), 0);
    fill(fixture);
    struct snapshot *snapshot = snapshot_now(fixture);
    for (unsigned n = 1; n <= 3; n++) { /* two writes, the flush */
        disk_fail(DISK_ANY, n, ENOSPC, false);
        assert_int_equal(snapshot_dump(snapshot, path, &fixture->err), E_FULL);
        disk_fail(DISK_ANY, 0, 0, false);
        assert_int_equal(stat(path, &after), 0);
        assert_true(before.st_size == after.st_size && before.st_ino == after.st_ino);
    }
    assert_int_equal(snapshot_dump(snapshot, path, &fixture->err), 0);
    snapshot_close(snapshot);
}

static void a_copy_opens_as_the_last_checkpoint(void **arg)
{
    struct fixture *fixture = *arg;
    char path[128];
    uint8_t original[16], copied[16];
    fixture_path(fixture, "copy", path);
    fill(fixture);
    hash_now(fixture->state, original);
    put_text(fixture->state, "later", "1");
    assert_int_equal(state_copy(fixture->state, path, &fixture->err), 0);
    assert_int_equal(state_copy(fixture->state, path, &fixture->err), E_CONFLICT);
    struct state *copy = NULL;
    assert_int_equal(state_open(&(struct state_options){ .dir = path }, &copy, &fixture->err), 0);
    hash_now(copy, copied);
    assert_memory_equal(original, copied, 16);
    uint64_t seq;
    int64_t logged;
    state_applied(copy, &seq, &logged);
    assert_true(seq == 123456789);
    state_close(copy);
}

/* -- Threads ---------------------------------------------------------------- */

#define THREADS_CHECKPOINTS 40
#define THREADS_SNAPSHOTS 40
#define ACCOUNTS 64

/* Each entry moves one unit between two accounts: whoever sees another sum than
 * zero has seen half an entry. */
struct bank {
    struct state *state;
    atomic_bool is_over;
    atomic_uint snapshots;
};

static struct key account_key(unsigned account)
{
    struct key key;
    key_start(&key, 'b');
    key_number(&key, account);
    return key;
}

static void bank_add(struct state *state, unsigned account, int64_t amount)
{
    struct key key = account_key(account);
    struct bytes value;
    int64_t balance = 0;
    if (state_get(state, &key, &value))
        memcpy(&balance, value.data, sizeof balance);
    balance += amount;
    state_put(state, &key, &balance, sizeof balance);
}

static int bank_sum(void *arg, struct bytes key, struct bytes value)
{
    int64_t *sum = arg, balance;
    (void)key;
    memcpy(&balance, value.data, sizeof balance);
    *sum += balance;
    return 0;
}

static void *checkpointer(void *arg)
{
    struct bank *bank = arg;
    while (!bank->is_over)
        ASSERT(state_checkpoint(bank->state, NULL) == 0);
    return NULL;
}

static void *reader(void *arg)
{
    struct bank *bank = arg;
    struct key prefix;
    key_start(&prefix, 'b');
    uint64_t seq_before = 0;
    while (!bank->is_over) {
        struct snapshot *snapshot = NULL;
        struct state_stats stats;
        int64_t sum = 0, logged;
        uint64_t seq;
        ASSERT(snapshot_open(bank->state, &snapshot, NULL) == 0);
        snapshot_visit(snapshot, &prefix, NULL, bank_sum, &sum);
        snapshot_applied(snapshot, &seq, &logged);
        snapshot_close(snapshot);
        ASSERT(sum == 0 && seq >= seq_before);
        seq_before = seq;
        state_stats(bank->state, &stats);
        bank->snapshots++;
    }
    return NULL;
}

static void bank_run(struct bank *bank)
{
    struct state_stats stats = { 0 };
    for (unsigned entry = 1;
         stats.checkpoints < THREADS_CHECKPOINTS || bank->snapshots < THREADS_SNAPSHOTS; entry++) {
        state_save(bank->state);
        bank_add(bank->state, entry % ACCOUNTS, -1);
        bank_add(bank->state, entry * 7 % ACCOUNTS, 1);
        if (entry % 5 == 0)
            state_undo(bank->state);
        else
            state_keep(bank->state);
        state_settle(bank->state);
        if (entry % 20 == 0)
            state_freeze(bank->state, entry, entry);
        if (entry % 1000 == 0)
            state_stats(bank->state, &stats);
    }
}

static void engine_checkpoint_and_readers_run_side_by_side(void **arg)
{
    struct fixture *fixture = *arg;
    struct bank bank = { .state = fixture->state };
    pthread_t threads[3];
    assert_int_equal(pthread_create(&threads[0], NULL, checkpointer, &bank), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, reader, &bank), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, reader, &bank), 0);
    bank_run(&bank);
    bank.is_over = true;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    struct key prefix;
    struct cursor cursor;
    int64_t sum = 0;
    key_start(&prefix, 'b');
    cursor_open(&cursor, fixture->state, &prefix);
    while (cursor_next(&cursor))
        bank_sum(&sum, cursor.key, cursor.value);
    cursor_close(&cursor);
    assert_true(sum == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_snapshot_stays_as_it_was_while_the_state_goes_on),
        TEST(a_snapshot_sees_the_last_checkpoint_and_nothing_later),
        TEST(more_snapshots_than_the_limit_are_busy),
        TEST(a_visit_goes_in_order_from_the_first_key_within_the_prefix_until_told),
        TEST(a_visit_backwards_goes_down_from_what_is_below_a_key_within_the_prefix),
        TEST(the_hash_depends_on_the_rows_and_not_on_how_they_came_about),
        TEST(the_hash_tells_where_a_key_ends_and_its_value_begins),
        TEST(a_dump_loads_into_an_equal_state_of_the_same_entry),
        TEST(a_dump_with_one_bit_wrong_anywhere_is_refused),
        TEST(a_dump_that_was_cut_or_is_longer_is_refused),
        TEST(a_dump_that_fails_leaves_the_one_before),
        TEST(a_copy_opens_as_the_last_checkpoint),
        TEST(engine_checkpoint_and_readers_run_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

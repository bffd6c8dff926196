/* test_state.c -- what state.h promises of reading, writing, savepoints, cursors, checkpoints. */
#include "storage/state.h"

#include "core/base/mem.h"
#include "tests/storage/state_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* -- Single promises -------------------------------------------------------- */

static void a_new_state_is_empty_and_stands_for_no_entry(void **arg)
{
    struct fixture *fixture = *arg;
    uint64_t seq = 1;
    int64_t logged = 1;
    state_applied(fixture->state, &seq, &logged);
    assert_true(seq == 0 && logged == 0);
    assert_false(state_is_dirty(fixture->state));
    assert_null(get_text(fixture->state, "a"));
}

static void what_was_checkpointed_is_there_after_reopening_and_the_rest_is_not(void **arg)
{
    struct fixture *fixture = *arg;
    put_text(fixture->state, "kept", "1");
    put_text(fixture->state, "empty", "");
    fixture_checkpoint(fixture, 7);
    put_text(fixture->state, "kept", "2");
    put_text(fixture->state, "dropped", "3");
    fixture_reopen(fixture);
    uint64_t seq;
    int64_t logged;
    state_applied(fixture->state, &seq, &logged);
    assert_true(seq == 7 && logged == 7000);
    assert_string_equal(get_text(fixture->state, "kept"), "1");
    assert_string_equal(get_text(fixture->state, "empty"), "");
    assert_null(get_text(fixture->state, "dropped"));
}

static void a_freeze_is_refused_until_the_last_one_is_written(void **arg)
{
    struct fixture *fixture = *arg;
    put_text(fixture->state, "a", "1");
    assert_true(state_freeze(fixture->state, 1, 1));
    assert_false(state_is_dirty(fixture->state));
    put_text(fixture->state, "a", "2");
    assert_false(state_freeze(fixture->state, 2, 2));
    assert_int_equal(state_checkpoint(fixture->state, NULL), 0);
    assert_true(state_freeze(fixture->state, 2, 2));
    assert_string_equal(get_text(fixture->state, "a"), "2");
}

static void applied_is_the_last_completed_checkpoint_settled_or_not(void **arg)
{
    struct fixture *fixture = *arg;
    uint64_t seq;
    int64_t logged;
    put_text(fixture->state, "a", "1");
    state_freeze(fixture->state, 5, 50);
    state_applied(fixture->state, &seq, &logged);
    assert_true(seq == 0);
    assert_int_equal(state_checkpoint(fixture->state, NULL), 0);
    state_applied(fixture->state, &seq, &logged);
    assert_true(seq == 5 && logged == 50);
    state_settle(fixture->state);
    state_applied(fixture->state, &seq, &logged);
    assert_true(seq == 5 && logged == 50);
}

static void a_borrowed_value_stays_until_settle(void **arg)
{
    struct fixture *fixture = *arg;
    struct key key = text_key('z', "a");
    struct bytes value;
    put_text(fixture->state, "a", "first");
    fixture_checkpoint(fixture, 1);
    assert_true(state_get(fixture->state, &key, &value));
    for (unsigned i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "other %u", i);
        put_text(fixture->state, name, "x");
    }
    state_freeze(fixture->state, 2, 2);
    assert_int_equal(state_checkpoint(fixture->state, NULL), 0);
    assert_memory_equal(value.data, "first", value.size);
}

static void a_full_buffer_wants_a_freeze_and_two_make_the_engine_wait(void **arg)
{
    struct fixture *fixture = *arg;
    state_close(fixture->state);
    fixture_open(fixture, &(struct state_options){ .buffer_rows_max = 2 });
    put_text(fixture->state, "a", "1");
    assert_false(state_wants_freeze(fixture->state));
    put_text(fixture->state, "b", "1");
    assert_true(state_wants_freeze(fixture->state));
    assert_false(state_is_full(fixture->state));
    state_freeze(fixture->state, 1, 1);
    put_text(fixture->state, "a", "2");
    put_text(fixture->state, "b", "2");
    assert_true(state_is_full(fixture->state));
    assert_int_equal(state_checkpoint(fixture->state, NULL), 0);
    assert_false(state_is_full(fixture->state));

    state_close(fixture->state);
    fixture_open(fixture, &(struct state_options){ .buffer_bytes_max = 4000 });
    char name[16];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "row %u", i);
        put_text(fixture->state, name, "forty bytes, more or less, of some value");
    }
    assert_true(state_wants_freeze(fixture->state));
}

static void an_undone_change_is_no_change(void **arg)
{
    struct fixture *fixture = *arg;
    put_text(fixture->state, "a", "1");
    fixture_checkpoint(fixture, 1);
    struct key key = text_key('z', "a");
    state_save(fixture->state);
    state_delete(fixture->state, &key);
    put_text(fixture->state, "b", "2");
    assert_null(get_text(fixture->state, "a"));
    state_undo(fixture->state);
    assert_string_equal(get_text(fixture->state, "a"), "1");
    assert_false(state_is_dirty(fixture->state));
}

static void a_cursor_from_a_first_key_stays_within_its_prefix(void **arg)
{
    struct fixture *fixture = *arg;
    static const char *const names[] = { "a", "b1", "b2", "b3", "c" };
    static const struct {
        const char *first;
        unsigned from, count;
    } cases[] = {
        { "a", 1, 3 },  { "b", 1, 3 },  { "b15", 2, 2 },
        { "b3", 3, 1 }, { "b4", 0, 0 }, { "c", 0, 0 },
    };
    struct key prefix = text_key('z', "b");
    for (unsigned i = 0; i < 5; i++)
        put_text(fixture->state, names[i], names[i]);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct key first = text_key('z', cases[i].first);
        struct cursor cursor;
        unsigned n = 0;
        cursor_open_at(&cursor, fixture->state, &prefix, &first);
        for (; cursor_next(&cursor); n++)
            assert_memory_equal(cursor.value.data, names[cases[i].from + n], cursor.value.size);
        assert_int_equal(n, cases[i].count);
        assert_false(cursor_next(&cursor));
        cursor_close(&cursor);
    }
}

static void another_format_is_refused_by_name(void **arg)
{
    struct fixture *fixture = *arg;
    struct key format = text_key('m', "format");
    state_put(fixture->state, &format, "\1\x63", 2);
    fixture_checkpoint(fixture, 1);
    state_close(fixture->state);
    fixture->state = NULL;
    struct state_options options = { .dir = fixture->dir };
    assert_int_equal(state_open(&options, &fixture->state, &fixture->err), E_VERSION);
    assert_non_null(strstr(fixture->err.text, "format 99"));
}

static void a_directory_is_open_once(void **arg)
{
    struct fixture *fixture = *arg;
    struct state_options options = { .dir = fixture->dir };
    struct state *second = NULL;
    assert_int_equal(state_open(&options, &second, &fixture->err), E_CONFLICT);
    assert_null(second);
}

static void compacting_keeps_every_row_and_shrinks_the_file(void **arg)
{
    struct fixture *fixture = *arg;
    char value[200];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (unsigned i = 0; i < 5000; i++) {
        char name[16];
        snprintf(name, sizeof name, "row %u", i);
        put_text(fixture->state, name, value);
    }
    fixture_checkpoint(fixture, 1);
    for (unsigned i = 10; i < 5000; i++) {
        char name[16];
        snprintf(name, sizeof name, "row %u", i);
        struct key key = text_key('z', name);
        state_delete(fixture->state, &key);
    }
    fixture_checkpoint(fixture, 2);
    struct state_stats before, after;
    uint8_t hash_before[16], hash_after[16];
    hash_now(fixture->state, hash_before);
    state_stats(fixture->state, &before);

    assert_int_equal(state_compact_swap(fixture->state, &fixture->err), E_CONFLICT);
    assert_int_equal(state_compact_prepare(fixture->state, &fixture->err), 0);
    struct snapshot *snapshot;
    assert_int_equal(snapshot_open(fixture->state, &snapshot, NULL), 0);
    assert_int_equal(state_compact_swap(fixture->state, &fixture->err), E_BUSY);
    snapshot_close(snapshot);
    put_text(fixture->state, "unsaved", "1");
    assert_int_equal(state_compact_swap(fixture->state, &fixture->err), 0);

    hash_now(fixture->state, hash_after);
    state_stats(fixture->state, &after);
    assert_memory_equal(hash_before, hash_after, 16);
    assert_true(after.file_bytes < before.file_bytes / 4);
    assert_string_equal(get_text(fixture->state, "unsaved"), "1");
    assert_string_equal(get_text(fixture->state, "row 3"), value);
    fixture_checkpoint(fixture, 3);
    fixture_reopen(fixture);
    assert_string_equal(get_text(fixture->state, "unsaved"), "1");
}

static void a_write_makes_a_prepared_compaction_void(void **arg)
{
    struct fixture *fixture = *arg;
    put_text(fixture->state, "a", "1");
    fixture_checkpoint(fixture, 1);
    assert_int_equal(state_compact_prepare(fixture->state, &fixture->err), 0);
    put_text(fixture->state, "a", "2");
    fixture_checkpoint(fixture, 2);
    assert_int_equal(state_compact_swap(fixture->state, &fixture->err), E_CONFLICT);
    fixture_reopen(fixture);
    assert_string_equal(get_text(fixture->state, "a"), "2");
}

struct racer {
    struct state *state;
    atomic_bool is_done;
};

/* -- A disk that fails ------------------------------------------------------ */

static void put_some(struct state *state, unsigned round)
{
    char name[16], value[64];
    for (unsigned i = 0; i < 400; i++) {
        snprintf(name, sizeof name, "row %u", (i * 37 + round) % 1000);
        snprintf(value, sizeof value, "round %u, row %u, forty bytes or so", round, i);
        put_text(state, name, value);
    }
}

/* Every call of a checkpoint fails once; the state is as before, and the next try succeeds.  Only
 * the call that writes the meta page, the last of all, may lose the file, which is opened again. */
static void a_failed_checkpoint_changes_nothing_and_is_made_up_for(void **arg)
{
    struct fixture *fixture = *arg;
    static const int codes[] = { EIO, ENOSPC };
    bool is_over = false;
    for (unsigned n = 1; !is_over; n++) {
        uint8_t before[16], after[16];
        int code = codes[n % 2];
        put_some(fixture->state, n);
        hash_now(fixture->state, before);
        assert_true(state_freeze(fixture->state, n, 0));
        disk_fail(DISK_ANY, n, code, false);
        int result = state_checkpoint(fixture->state, &fixture->err);
        is_over = disk_calls() < n;
        disk_fail(DISK_ANY, 0, 0, false);
        assert_int_equal(result, is_over ? 0 : code == EIO ? E_IO : E_FULL);
        assert_int_equal(state_reopen(fixture->state, &fixture->err), 0);
        if (!is_over) {
            hash_now(fixture->state, after);
            assert_memory_equal(before, after, 16);
            assert_int_equal(state_checkpoint(fixture->state, &fixture->err), 0);
        }
    }
}

/* The meta page is the last write of a checkpoint; `a` is 1 in the checkpoint before. */
static void lose(struct fixture *fixture)
{
    put_text(fixture->state, "a", "1");
    fixture_checkpoint(fixture, 1);
    put_text(fixture->state, "a", "2");
    assert_true(state_freeze(fixture->state, 2, 2));
    put_text(fixture->state, "b", "3");
    for (unsigned n = 1; !state_is_lost(fixture->state); n++) {
        disk_fail(DISK_WRITE, n, EIO, false);
        assert_int_equal(state_checkpoint(fixture->state, &fixture->err), E_IO);
        disk_fail(DISK_ANY, 0, 0, false);
    }
}

static void a_lost_file_is_opened_again_and_nothing_of_memory_is_lost(void **arg)
{
    struct fixture *fixture = *arg;
    struct snapshot *snapshot = NULL;
    lose(fixture);
    assert_string_equal(get_text(fixture->state, "a"), "2"); /* reading goes on */
    assert_int_equal(state_checkpoint(fixture->state, &fixture->err), E_IO);
    assert_int_equal(state_compact_prepare(fixture->state, &fixture->err), E_IO);
    assert_int_equal(snapshot_open(fixture->state, &snapshot, &fixture->err), E_IO);
    assert_int_equal(state_reopen(fixture->state, &fixture->err), 0);
    assert_false(state_is_lost(fixture->state));
    assert_string_equal(get_text(fixture->state, "a"), "2");
    assert_string_equal(get_text(fixture->state, "b"), "3");
    assert_int_equal(state_checkpoint(fixture->state, &fixture->err), 0);
    fixture_checkpoint(fixture, 3);
    fixture_reopen(fixture);
    assert_string_equal(get_text(fixture->state, "a"), "2");
    assert_string_equal(get_text(fixture->state, "b"), "3");
}

static void a_lost_file_is_not_closed_under_a_snapshot(void **arg)
{
    struct fixture *fixture = *arg;
    struct snapshot *snapshot = NULL;
    struct key key = text_key('z', "a");
    struct bytes value;
    put_text(fixture->state, "a", "0");
    fixture_checkpoint(fixture, 1);
    assert_int_equal(snapshot_open(fixture->state, &snapshot, &fixture->err), 0);
    lose(fixture);
    assert_int_equal(state_reopen(fixture->state, &fixture->err), E_BUSY);
    assert_true(state_is_readable(fixture->state));
    assert_true(snapshot_get(snapshot, &key, &value) && value.data[0] == '0');
    snapshot_close(snapshot);
    assert_int_equal(state_reopen(fixture->state, &fixture->err), 0);
    assert_int_equal(state_checkpoint(fixture->state, &fixture->err), 0);
}

/* Every call of the reopening fails once. */
static void a_reopening_that_fails_can_be_repeated(void **arg)
{
    struct fixture *fixture = *arg;
    bool is_over = false;
    for (unsigned n = 1; !is_over; n++) {
        lose(fixture);
        disk_fail(DISK_ANY, n, EIO, false);
        int code = state_reopen(fixture->state, &fixture->err);
        is_over = disk_calls() < n;
        disk_fail(DISK_ANY, 0, 0, false);
        assert_int_equal(code, is_over ? 0 : E_IO);
        assert_int_equal(state_is_lost(fixture->state), !is_over);
        if (state_is_readable(fixture->state))
            assert_string_equal(get_text(fixture->state, "a"), "2");
        assert_int_equal(state_reopen(fixture->state, &fixture->err), 0);
        assert_string_equal(get_text(fixture->state, "a"), "2");
        assert_int_equal(state_checkpoint(fixture->state, &fixture->err), 0);
        fixture_checkpoint(fixture, 3 + n);
    }
}

static void *checkpoint_for_ever(void *arg)
{
    struct racer *racer = arg;
    while (!atomic_load(&racer->is_done))
        assert_int_equal(state_checkpoint(racer->state, NULL), 0);
    return NULL;
}

/* As at a start, when the engine cannot go on before a checkpoint that another thread writes. */
static void two_threads_write_checkpoints_one_after_the_other(void **arg)
{
    struct fixture *fixture = *arg;
    struct racer racer = { .state = fixture->state };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, checkpoint_for_ever, &racer), 0);
    for (unsigned round = 1; round <= 200; round++) {
        put_some(fixture->state, round);
        fixture_checkpoint(fixture, round);
    }
    atomic_store(&racer.is_done, true);
    pthread_join(thread, NULL);
    fixture_reopen(fixture);
    assert_non_null(get_text(fixture->state, "row 7"));
}

static void a_disk_that_stays_full_keeps_the_engine_reading_and_writing(void **arg)
{
    struct fixture *fixture = *arg;
    put_text(fixture->state, "a", "1");
    fixture_checkpoint(fixture, 1);
    put_text(fixture->state, "a", "2");
    state_freeze(fixture->state, 2, 2);
    disk_fail(DISK_WRITE, 1, ENOSPC, true);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(state_checkpoint(fixture->state, &fixture->err), E_FULL);
        state_settle(fixture->state);
        assert_false(state_freeze(fixture->state, 3, 3));
        assert_string_equal(get_text(fixture->state, "a"), "2");
    }
    put_text(fixture->state, "b", "3");
    disk_fail(DISK_ANY, 0, 0, false);
    assert_int_equal(state_checkpoint(fixture->state, &fixture->err), 0);
    fixture_checkpoint(fixture, 3);
    fixture_reopen(fixture);
    assert_string_equal(get_text(fixture->state, "a"), "2");
    assert_string_equal(get_text(fixture->state, "b"), "3");
}

static void beyond_the_quota_a_checkpoint_is_refused_whole(void **arg)
{
    struct fixture *fixture = *arg;
    state_close(fixture->state);
    const size_t quota_bytes = 1u << 20;
    fixture_open(fixture, &(struct state_options){ .quota_bytes = quota_bytes });
    put_text(fixture->state, "a", "1");
    fixture_checkpoint(fixture, 1);
    char name[16], value[200];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "row %u", i);
        put_text(fixture->state, name, value);
    }
    state_freeze(fixture->state, 2, 2);
    assert_int_equal(state_checkpoint(fixture->state, &fixture->err), E_FULL);
    assert_non_null(strstr(fixture->err.text, "quota"));
    assert_int_equal(state_checkpoint(fixture->state, &fixture->err), E_FULL);
    assert_string_equal(get_text(fixture->state, "row 77"), value);
    struct state_stats stats;
    state_stats(fixture->state, &stats);
    assert_true(stats.file_bytes <= quota_bytes && stats.quota_bytes == quota_bytes);

    fixture_reopen(fixture); /* with room */
    assert_string_equal(get_text(fixture->state, "a"), "1");
    assert_null(get_text(fixture->state, "row 77"));
}

/* The process ends at the n-th call of a run of three checkpoints, for every n. */
static void death_at_any_write_leaves_a_completed_checkpoint(void **arg)
{
    struct fixture *fixture = *arg;
    uint8_t hashes[4][16], found[16];
    hash_now(fixture->state, hashes[0]);
    for (unsigned round = 1; round <= 3; round++) {
        put_some(fixture->state, round);
        fixture_checkpoint(fixture, round);
        hash_now(fixture->state, hashes[round]);
    }
    for (unsigned n = 1;; n++) {
        fixture_empty(fixture);
        state_close(fixture->state);
        fixture->state = NULL;
        pid_t child = fork();
        if (child == 0) {
            disk_die(n);
            fixture_open(fixture, &(struct state_options){ 0 });
            for (unsigned round = 1; round <= 3; round++) {
                put_some(fixture->state, round);
                fixture_checkpoint(fixture, round);
            }
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        fixture_open(fixture, &(struct state_options){ 0 });
        uint64_t seq;
        int64_t logged;
        state_applied(fixture->state, &seq, &logged);
        assert_true(seq <= 3);
        hash_now(fixture->state, found);
        assert_memory_equal(found, hashes[seq], 16);
        if (WEXITSTATUS(status) == 0)
            break;
        assert_int_equal(WEXITSTATUS(status), DISK_DEATH);
    }
}

/* -- Against a model -------------------------------------------------------- */

#define KEYS 1500
#define OPERATIONS 200000
#define UNDO_MAX 4096

/* What a value is can be computed from its id; 0 is none. */
struct model {
    struct key keys[KEYS]; /* ascending: an index is an order */
    unsigned now[KEYS], frozen[KEYS], durable[KEYS];
    struct {
        unsigned index, before;
    } undo[UNDO_MAX];
    unsigned undo_count, saved[STATE_SAVEPOINTS_MAX], depth;
    unsigned id_last;
    bool is_frozen, is_written;
    uint64_t seq, seq_durable;
    struct fixture *fixture;
};

static uint64_t random_state = 88172645463325252u;

static unsigned random_below(unsigned limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 20) % limit);
}

static int keys_compare(const void *a, const void *b)
{
    const struct key *left = a, *right = b;
    int order =
        memcmp(left->data, right->data, left->size < right->size ? left->size : right->size);
    return order != 0 ? order : (int)left->size - (int)right->size;
}

static struct key key_random(unsigned i)
{
    static const char tables[] = { 'c', 'e', 'i', 'T' };
    struct key key;
    key_start(&key, tables[random_below(4)]);
    key_number(&key, random_below(20));
    key_byte(&key, (uint8_t) "ptdw"[random_below(4)]);
    key_number(&key, i);
    for (unsigned n = random_below(random_below(10) == 0 ? 400 : 8); n > 0; n--)
        key_byte(&key, (uint8_t)random_below(3));
    return key;
}

static size_t value_make(unsigned id, uint8_t *out)
{
    size_t size = id % 97 == 0 ? id % 6000 : id % 120;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(id + i * 31);
    return size;
}

static void assert_is_value(struct bytes value, unsigned id)
{
    uint8_t expected[6000];
    size_t size = value_make(id, expected);
    assert_int_equal(value.size, size);
    assert_true(size == 0 || memcmp(value.data, expected, size) == 0);
}

static struct model *model_new(struct fixture *fixture)
{
    struct model *model = mem_zero(sizeof *model);
    model->fixture = fixture;
    for (unsigned i = 0; i < KEYS; i++)
        model->keys[i] = key_random(i);
    qsort(model->keys, KEYS, sizeof model->keys[0], keys_compare);
    return model;
}

static void model_set(struct model *model, unsigned index, unsigned id)
{
    if (model->depth > 0) {
        model->undo[model->undo_count].index = index;
        model->undo[model->undo_count++].before = model->now[index];
    }
    model->now[index] = id;
}

static void model_write(struct model *model)
{
    struct state *state = model->fixture->state;
    unsigned index = random_below(4) ? random_below(KEYS) : random_below(30);
    if (model->undo_count == UNDO_MAX)
        return;
    if (random_below(4) == 0) {
        state_delete(state, &model->keys[index]);
        model_set(model, index, 0);
    } else {
        uint8_t value[6000];
        unsigned id = ++model->id_last;
        state_put(state, &model->keys[index], value, value_make(id, value));
        model_set(model, index, id);
    }
}

static void model_read(struct model *model)
{
    unsigned index = random_below(KEYS);
    struct bytes value;
    bool is_there = state_get(model->fixture->state, &model->keys[index], &value);
    assert_int_equal(is_there, model->now[index] != 0);
    if (is_there)
        assert_is_value(value, model->now[index]);
}

static bool model_has(const struct model *model, unsigned index, const struct key *prefix)
{
    const struct key *key = &model->keys[index];
    return model->now[index] != 0 && key->size >= prefix->size &&
           memcmp(key->data, prefix->data, prefix->size) == 0;
}

/* A walk from a random place; `writes`: with changes in between, savepoints included. */
static void model_walk(struct model *model, bool writes)
{
    struct key prefix = model->keys[random_below(KEYS)], first = model->keys[random_below(KEYS)];
    prefix.size = (uint16_t)(1 + random_below(3));
    bool is_at = random_below(2);
    unsigned index = 0;
    struct cursor cursor;
    if (is_at) {
        while (index < KEYS && keys_compare(&model->keys[index], &first) < 0)
            index++;
        cursor_open_at(&cursor, model->fixture->state, &prefix, &first);
    } else {
        cursor_open(&cursor, model->fixture->state, &prefix);
    }
    for (unsigned steps = 0; steps < 200; steps++) {
        while (index < KEYS && !model_has(model, index, &prefix))
            index++;
        bool has_more = cursor_next(&cursor);
        assert_int_equal(has_more, index < KEYS);
        if (!has_more)
            break;
        assert_int_equal(cursor.key.size, model->keys[index].size);
        assert_memory_equal(cursor.key.data, model->keys[index].data, cursor.key.size);
        assert_is_value(cursor.value, model->now[index]);
        index++;
        for (unsigned n = writes ? random_below(3) : 0; n > 0; n--)
            model_write(model);
    }
    cursor_close(&cursor);
}

static void model_savepoint(struct model *model)
{
    struct state *state = model->fixture->state;
    unsigned choice = random_below(3);
    if (choice == 0 && model->depth < STATE_SAVEPOINTS_MAX) {
        state_save(state);
        model->saved[model->depth++] = model->undo_count;
    } else if (choice == 1 && model->depth > 0) {
        state_undo(state);
        model->depth--;
        while (model->undo_count > model->saved[model->depth]) {
            model->undo_count--;
            model->now[model->undo[model->undo_count].index] =
                model->undo[model->undo_count].before;
        }
    } else if (choice == 2 && model->depth > 0) {
        state_keep(state);
        model->depth--;
        if (model->depth == 0)
            model->undo_count = 0;
    }
}

static void model_keep_all(struct model *model)
{
    for (; model->depth > 0; model->depth--)
        state_keep(model->fixture->state);
    model->undo_count = 0;
}

static void model_checkpoint(struct model *model)
{
    assert_int_equal(state_checkpoint(model->fixture->state, &model->fixture->err), 0);
    if (!model->is_frozen || model->is_written)
        return;
    memcpy(model->durable, model->frozen, sizeof model->durable);
    model->seq_durable = model->seq;
    model->is_written = true;
}

static void model_move_on(struct model *model)
{
    struct state *state = model->fixture->state;
    unsigned choice = random_below(8);
    model_keep_all(model);
    if (choice < 3) {
        bool is_due = !model->is_frozen || model->is_written;
        assert_int_equal(state_freeze(state, model->seq + 1, 0), is_due);
        if (is_due) {
            memcpy(model->frozen, model->now, sizeof model->frozen);
            model->seq++;
            model->is_frozen = true;
            model->is_written = false;
        }
    } else if (choice < 5) {
        model_checkpoint(model);
    } else if (choice < 7) {
        state_settle(state);
        if (model->is_written)
            model->is_frozen = model->is_written = false;
    } else {
        fixture_reopen(model->fixture);
        memcpy(model->now, model->durable, sizeof model->now);
        model->seq = model->seq_durable;
        model->is_frozen = model->is_written = false;
        uint64_t seq;
        int64_t logged;
        state_applied(model->fixture->state, &seq, &logged);
        assert_true(seq == model->seq);
    }
}

static void two_hundred_thousand_random_operations_agree_with_a_model(void **arg)
{
    struct model *model = model_new(*arg);
    for (unsigned n = 0; n < OPERATIONS; n++) {
        unsigned choice = random_below(1000);
        if (choice < 450)
            model_write(model);
        else if (choice < 850)
            model_read(model);
        else if (choice < 900)
            model_walk(model, choice % 2);
        else if (choice < 995)
            model_savepoint(model);
        else
            model_move_on(model);
    }
    free(model);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_state_is_empty_and_stands_for_no_entry),
        TEST(what_was_checkpointed_is_there_after_reopening_and_the_rest_is_not),
        TEST(a_freeze_is_refused_until_the_last_one_is_written),
        TEST(applied_is_the_last_completed_checkpoint_settled_or_not),
        TEST(a_borrowed_value_stays_until_settle),
        TEST(a_full_buffer_wants_a_freeze_and_two_make_the_engine_wait),
        TEST(an_undone_change_is_no_change),
        TEST(a_cursor_from_a_first_key_stays_within_its_prefix),
        TEST(another_format_is_refused_by_name),
        TEST(a_directory_is_open_once),
        TEST(compacting_keeps_every_row_and_shrinks_the_file),
        TEST(a_write_makes_a_prepared_compaction_void),
        TEST(a_failed_checkpoint_changes_nothing_and_is_made_up_for),
        TEST(a_lost_file_is_opened_again_and_nothing_of_memory_is_lost),
        TEST(a_lost_file_is_not_closed_under_a_snapshot),
        TEST(a_reopening_that_fails_can_be_repeated),
        TEST(two_threads_write_checkpoints_one_after_the_other),
        TEST(a_disk_that_stays_full_keeps_the_engine_reading_and_writing),
        TEST(beyond_the_quota_a_checkpoint_is_refused_whole),
        TEST(death_at_any_write_leaves_a_completed_checkpoint),
        TEST(two_hundred_thousand_random_operations_agree_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

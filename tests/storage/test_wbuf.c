/* test_wbuf.c -- what wbuf.h promises, beyond what test_state.c sees through it. */
#include "storage/wbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 42
#define ROWS 30000

static struct wbuf_pool pool; /* of one after another: each finds what those before left */
static uint64_t random_state = 1;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static struct key key_of(uint64_t customer, uint64_t id)
{
    struct key key;
    key_start(&key, 'c');
    key_number(&key, customer);
    key_byte(&key, 't');
    key_number(&key, id);
    return key;
}

static void put(struct wbuf *wbuf, struct key key, const void *data, size_t size)
{
    wbuf_put(wbuf, &key, wbuf_hash(SEED, &key), data, size);
}

static const struct wbuf_row *find(const struct wbuf *wbuf, struct key key)
{
    return wbuf_find(wbuf, &key, wbuf_hash(SEED, &key));
}

static void assert_value(const struct wbuf *wbuf, struct key key, const char *value)
{
    const struct wbuf_row *row = find(wbuf, key);
    assert_non_null(row);
    assert_int_equal(row->kind, WBUF_VALUE);
    assert_int_equal(row->value_size, strlen(value));
    assert_memory_equal(row->value, value, strlen(value));
}

static int rows_compare(const struct wbuf_row *a, const struct wbuf_row *b)
{
    int order = memcmp(a->key, b->key, a->key_size < b->key_size ? a->key_size : b->key_size);
    return order != 0 ? order : (int)a->key_size - (int)b->key_size;
}

/* Walks the whole tree and returns how many rows it has. */
static size_t assert_ascending(const struct wbuf *wbuf)
{
    const struct wbuf_row *row, *before = NULL;
    struct wbuf_place place = wbuf_tree_seek(wbuf_tree(wbuf), (const uint8_t *)"", 0, false);
    size_t count = 0;
    for (; (row = wbuf_place_row(place)) != NULL; wbuf_place_next(&place), count++) {
        assert_true(before == NULL || rows_compare(before, row) < 0);
        before = row;
    }
    return count;
}

static struct key key_shape(unsigned shape, unsigned i)
{
    if (shape == 0) /* ascending */
        return key_of(1, i);
    if (shape == 1) /* descending */
        return key_of(1, ROWS - i);
    if (shape == 2) /* ascending within customers */
        return key_of(random_next() % 20, i);
    struct key key; /* random texts of few letters: long common beginnings, zeros, prefixes */
    key_start(&key, 'i');
    for (unsigned n = (unsigned)(random_next() % 24); n > 0; n--)
        key_byte(&key, random_next() % 3 ? 0 : (uint8_t)random_next());
    return key;
}

static void rows_stand_in_the_order_of_their_keys(void **unused)
{
    (void)unused;
    for (unsigned shape = 0; shape < 4; shape++) {
        struct wbuf *wbuf = wbuf_new(&pool, 0);
        for (unsigned i = 0; i < ROWS; i++)
            put(wbuf, key_shape(shape, i), &i, sizeof i);
        assert_int_equal(assert_ascending(wbuf), wbuf_rows(wbuf));
        wbuf_free(wbuf);
    }
}

static void seeking_finds_the_first_row_not_below_or_above(void **unused)
{
    (void)unused;
    struct wbuf *wbuf = wbuf_new(&pool, ROWS);
    for (unsigned i = 0; i < ROWS; i++)
        put(wbuf, key_of(3, 2 * (uint64_t)i), "x", 1);
    for (unsigned i = 0; i < ROWS; i++) {
        struct key even = key_of(3, 2 * (uint64_t)i), odd = key_of(3, 2 * (uint64_t)i + 1);
        const struct wbuf_tree *tree = wbuf_tree(wbuf);
        const struct wbuf_row *at = find(wbuf, even);
        const struct wbuf_row *next = find(wbuf, key_of(3, 2 * (uint64_t)i + 2));
        assert_ptr_equal(wbuf_place_row(wbuf_tree_seek(tree, even.data, even.size, false)), at);
        assert_ptr_equal(wbuf_place_row(wbuf_tree_seek(tree, even.data, even.size, true)), next);
        assert_ptr_equal(wbuf_place_row(wbuf_tree_seek(tree, odd.data, odd.size, false)), next);
    }
    wbuf_free(wbuf);
}

static void undo_restores_rows_overwritten_twice_and_deleted(void **unused)
{
    (void)unused;
    struct wbuf *wbuf = wbuf_new(&pool, 0);
    struct key key = key_of(1, 1), other = key_of(1, 2);
    uint64_t hash = wbuf_hash(SEED, &key);
    put(wbuf, key, "before", 6);
    wbuf_save(wbuf);
    put(wbuf, key, "inside", 6);
    put(wbuf, key, "again", 5);
    wbuf_delete(wbuf, &key, hash);
    put(wbuf, key, "once more and longer", 20);
    put(wbuf, other, "new", 3);
    assert_int_equal(wbuf_rows(wbuf), 2);
    wbuf_undo(wbuf);
    assert_value(wbuf, key, "before");
    assert_int_equal(find(wbuf, other)->kind, WBUF_ABSENT);
    assert_int_equal(wbuf_rows(wbuf), 1);
    wbuf_free(wbuf);
}

static void inner_savepoints_belong_to_the_outer_one_once_kept(void **unused)
{
    (void)unused;
    struct wbuf *wbuf = wbuf_new(&pool, 0);
    struct key key = key_of(1, 1);
    put(wbuf, key, "zero", 4);
    wbuf_save(wbuf);
    put(wbuf, key, "one", 3);
    wbuf_save(wbuf);
    put(wbuf, key, "two", 3);
    wbuf_keep(wbuf);
    assert_value(wbuf, key, "two");
    wbuf_save(wbuf);
    put(wbuf, key, "three", 5);
    wbuf_undo(wbuf);
    assert_value(wbuf, key, "two");
    wbuf_undo(wbuf);
    assert_value(wbuf, key, "zero");
    assert_int_equal(wbuf_savepoints(wbuf), 0);
    wbuf_free(wbuf);
}

static void a_value_read_stays_while_others_are_rewritten_under_savepoints(void **unused)
{
    (void)unused;
    struct wbuf *wbuf = wbuf_new(&pool, 0);
    char value[64];
    memset(value, 'v', sizeof value);
    put(wbuf, key_of(1, 1), value, sizeof value);
    const uint8_t *borrowed = find(wbuf, key_of(1, 1))->value;
    for (unsigned i = 0; i < 1000; i++) {
        wbuf_save(wbuf);
        put(wbuf, key_of(1, 2 + i % 3), "another value of some forty bytes or so...", 42);
        wbuf_keep(wbuf);
    }
    assert_memory_equal(borrowed, value, sizeof value);
    wbuf_free(wbuf);
}

static void rewriting_one_row_under_savepoints_needs_bounded_memory(void **unused)
{
    (void)unused;
    struct wbuf *wbuf = wbuf_new(&pool, 0);
    char value[500] = { 0 };
    for (unsigned i = 0; i < 20000; i++) {
        wbuf_save(wbuf);
        put(wbuf, key_of(1, 1), value, 400 + i % 100);
        if (i % 3 == 0)
            wbuf_undo(wbuf);
        else
            wbuf_keep(wbuf);
    }
    assert_true(wbuf_bytes(wbuf) < 16000);
    wbuf_free(wbuf);
}

static void a_value_may_be_put_back_into_its_own_row(void **unused)
{
    (void)unused;
    struct wbuf *wbuf = wbuf_new(&pool, 0);
    struct key key = key_of(1, 1);
    put(wbuf, key, "abcdefgh", 8);
    const struct wbuf_row *row = find(wbuf, key);
    put(wbuf, key, row->value + 2, 6);
    assert_value(wbuf, key, "cdefgh");
    wbuf_save(wbuf);
    put(wbuf, key, row->value + 1, 5);
    wbuf_keep(wbuf);
    assert_value(wbuf, key, "defgh");
    wbuf_free(wbuf);
}

static void values_of_all_sizes_are_kept(void **unused)
{
    (void)unused;
    struct wbuf *wbuf = wbuf_new(&pool, 0);
    static uint8_t value[64u << 10];
    for (unsigned round = 0; round < 3; round++) {
        for (size_t size = 0; size <= sizeof value; size += 1 + size / 7) {
            memset(value, (int)(size + round), size);
            wbuf_save(wbuf);
            put(wbuf, key_of(round % 2, size), value, size);
            wbuf_keep(wbuf);
            const struct wbuf_row *row = find(wbuf, key_of(round % 2, size));
            assert_int_equal(row->value_size, size);
            assert_true(size == 0 || memcmp(row->value, value, size) == 0);
        }
    }
    memset(value, 1, sizeof value);
    put(wbuf, key_of(9, 9), "small", 5);
    put(wbuf, key_of(9, 9), value, sizeof value);
    assert_memory_equal(find(wbuf, key_of(9, 9))->value, value, sizeof value);
    wbuf_free(wbuf);
}

static void the_version_changes_when_rows_appear_or_disappear(void **unused)
{
    (void)unused;
    struct wbuf *wbuf = wbuf_new(&pool, 0);
    uint64_t version = wbuf_version(wbuf);
    wbuf_save(wbuf);
    put(wbuf, key_of(1, 1), "a", 1);
    assert_true(wbuf_version(wbuf) != version);
    version = wbuf_version(wbuf);
    put(wbuf, key_of(1, 1), "b", 1);
    assert_true(wbuf_version(wbuf) == version);
    wbuf_undo(wbuf);
    assert_true(wbuf_version(wbuf) != version);
    wbuf_free(wbuf);
}

static struct wbuf *buffer_of(size_t chunks)
{
    static const uint8_t value[32u << 10];
    struct wbuf *wbuf = wbuf_new(&pool, 0);
    for (uint64_t i = 0; wbuf_bytes(wbuf) < chunks * WBUF_CHUNK_BYTES - 2 * sizeof value; i++)
        put(wbuf, key_of(1, i), value, sizeof value);
    return wbuf;
}

static void a_buffer_leaves_its_memory_to_the_next_and_a_small_one_gives_it_back(void **unused)
{
    (void)unused;
    wbuf_free(buffer_of(10));
    size_t most = pool.most;
    assert_true(most >= 10);
    while (wbuf_pool_trim(&pool, 1))
        assert_true(pool.count > most);
    assert_int_equal(pool.count, most);
    struct wbuf *wbuf = buffer_of(10);
    assert_int_equal(pool.count, 0);
    wbuf_free(wbuf);
    wbuf_free(buffer_of(2));
    assert_false(wbuf_pool_trim(&pool, SIZE_MAX));
    assert_true(pool.count < most);
    assert_int_equal(pool.count, pool.most);
}

static void a_table_that_waited_is_empty(void **unused)
{
    (void)unused;
    for (unsigned round = 0; round < 3; round++) {
        struct wbuf *wbuf = wbuf_new(&pool, ROWS >> round);
        for (unsigned i = 0; i < ROWS; i++)
            assert_null(find(wbuf, key_of(7, i)));
        for (unsigned i = 0; i < ROWS; i++)
            put(wbuf, key_of(7, i), "x", 1);
        wbuf_free(wbuf);
    }
}

static int free_pool(void **unused)
{
    (void)unused;
    wbuf_pool_free(&pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stand_in_the_order_of_their_keys),
        cmocka_unit_test(seeking_finds_the_first_row_not_below_or_above),
        cmocka_unit_test(undo_restores_rows_overwritten_twice_and_deleted),
        cmocka_unit_test(inner_savepoints_belong_to_the_outer_one_once_kept),
        cmocka_unit_test(a_value_read_stays_while_others_are_rewritten_under_savepoints),
        cmocka_unit_test(rewriting_one_row_under_savepoints_needs_bounded_memory),
        cmocka_unit_test(a_value_may_be_put_back_into_its_own_row),
        cmocka_unit_test(values_of_all_sizes_are_kept),
        cmocka_unit_test(the_version_changes_when_rows_appear_or_disappear),
        cmocka_unit_test(a_buffer_leaves_its_memory_to_the_next_and_a_small_one_gives_it_back),
        cmocka_unit_test(a_table_that_waited_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, free_pool);
}

/* wbuf.c -- rows, the hash table in front of them, and the way back.
 *
 * A row is made once per key and stays for the life of the buffer; its first
 * value stands behind its key in the same block.  The tree and the table only
 * point to it.  Of the engine's reads most ask for keys that are not here: the
 * table answers these with one cache line, the tree alone would walk four levels
 * and compare.
 *
 * A table that is half full gets one of twice the size beside it, and each new row
 * moves a few slots over, so that no single put pays for all.  Meanwhile both
 * are asked.  Slots moved stay in the old one too: they are not wrong there.
 *
 * The way back.  Under a savepoint the first change of a row moves its block to
 * the undo list, with kind and sizes, and leaves the row without one: whoever
 * owns the block is the only one who may overwrite or recycle it.  `saved` holds the
 * number of the savepoint that recorded the row last, so the second change under
 * the same savepoint finds the row its own and overwrites in place.  Undo walks the list
 * backwards.  A row that was new becomes ABSENT and not removed: the tree
 * never shrinks, and cursors know that places stay.
 *
 * A copy of each node on write, with the root as savepoint, would make undo one
 * assignment and every put ten times as dear.
 */
#include "storage/wbuf.h"

#include "core/base/mem.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SLOTS_MIN 1024
#define SLOTS_MOVED 8 /* per new row; with 2 the move is over before the next begins */

struct slot {
    uint32_t hash; /* its lower half, enough to find a place in a larger table */
    uint32_t row;  /* its number in the heap; 0: free */
};

struct table {
    struct slot *slots;
    size_t count; /* a power of two; 0: there is no such table */
};

struct undo { /* how a row was */
    struct wbuf_row *row;
    uint8_t *value;
    uint64_t saved;
    uint32_t value_size, value_capacity;
    uint8_t kind;
};

struct savepoint {
    uint64_t number; /* never used twice in one buffer */
    size_t undo_count;
};

struct wbuf {
    struct wbuf_heap heap;
    struct wbuf_tree tree;
    size_t rows;
    uint64_t version;
    struct table table, table_old;
    size_t moved; /* slots of table_old that are in table */
    struct undo *undo;
    size_t undo_count, undo_capacity;
    struct savepoint savepoints[WBUF_SAVEPOINTS_MAX];
    unsigned savepoints_count;
    uint64_t savepoint_last;
};

static size_t slots_for(size_t rows)
{
    size_t count = SLOTS_MIN;
    while (count < 2 * rows)
        count *= 2;
    return count;
}

static struct table table_new(struct wbuf_pool *pool, size_t count)
{
    ASSERT(count <= UINT32_MAX);
    size_t bytes = count * sizeof(struct slot);
    struct slot *slots = wbuf_pool_table(pool, &bytes);
    return (struct table){ slots, bytes / sizeof *slots };
}

static void table_free(struct wbuf_pool *pool, struct table *table)
{
    if (table->count != 0)
        wbuf_pool_table_back(pool, table->slots, table->count * sizeof *table->slots);
    *table = (struct table){ NULL, 0 };
}

struct wbuf *wbuf_new(struct wbuf_pool *pool, size_t rows_expected)
{
    struct wbuf *wbuf = mem_zero(sizeof *wbuf);
    wbuf->heap.pool = pool;
    wbuf->table = table_new(pool, slots_for(rows_expected));
    return wbuf;
}

void wbuf_free(struct wbuf *wbuf)
{
    if (wbuf == NULL)
        return;
    struct wbuf_pool *pool = wbuf->heap.pool;
    wbuf_heap_free(&wbuf->heap);
    table_free(pool, &wbuf->table_old);
    table_free(pool, &wbuf->table);
    free(wbuf->undo);
    free(wbuf);
}

uint64_t wbuf_hash(uint64_t seed, const struct key *key)
{
    return XXH3_64bits_withSeed(key->data, key->size, seed);
}

static bool row_is(const struct wbuf_row *row, const struct key *key)
{
    return row->key_size == key->size && memcmp(row->key, key->data, key->size) == 0;
}

static struct wbuf_row *table_find(const struct wbuf_heap *heap, const struct table *table,
                                   const struct key *key, uint32_t hash)
{
    size_t mask = table->count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct slot slot = table->slots[i];
        if (slot.row == 0)
            return NULL;
        if (slot.hash != hash)
            continue;
        struct wbuf_row *row = wbuf_heap_at(heap, slot.row);
        if (row_is(row, key))
            return row;
    }
}

static void table_add(struct table *table, struct slot slot)
{
    size_t mask = table->count - 1;
    size_t i = slot.hash & mask;
    while (table->slots[i].row != 0)
        i = (i + 1) & mask;
    table->slots[i] = slot;
}

static void table_grow(struct wbuf *wbuf)
{
    ASSERT(wbuf->table_old.count == 0);
    wbuf->table_old = wbuf->table;
    wbuf->table = table_new(wbuf->heap.pool, 2 * wbuf->table_old.count);
    wbuf->moved = 0;
}

static void table_move_some(struct wbuf *wbuf)
{
    for (unsigned n = 0; n < SLOTS_MOVED && wbuf->moved < wbuf->table_old.count; n++) {
        struct slot slot = wbuf->table_old.slots[wbuf->moved++];
        if (slot.row != 0)
            table_add(&wbuf->table, slot);
    }
    if (wbuf->moved == wbuf->table_old.count)
        table_free(wbuf->heap.pool, &wbuf->table_old);
}

static struct wbuf_row *row_find(const struct wbuf *wbuf, const struct key *key, uint64_t hash)
{
    struct wbuf_row *row = table_find(&wbuf->heap, &wbuf->table, key, (uint32_t)hash);
    if (row == NULL && wbuf->table_old.count != 0)
        row = table_find(&wbuf->heap, &wbuf->table_old, key, (uint32_t)hash);
    return row;
}

const struct wbuf_row *wbuf_find(const struct wbuf *wbuf, const struct key *key, uint64_t hash)
{
    return row_find(wbuf, key, hash);
}

/* A row with room for a first value of `size` bytes behind its key. */
static struct wbuf_row *row_new(struct wbuf *wbuf, const struct key *key, size_t size)
{
    size_t head = (offsetof(struct wbuf_row, key) + key->size + 7) & ~(size_t)7;
    size_t capacity = (size + 7) & ~(size_t)7;
    struct wbuf_row *row = wbuf_heap_block(&wbuf->heap, head + capacity);
    row->value = capacity != 0 ? (uint8_t *)row + head : NULL;
    row->saved = 0;
    row->value_size = 0;
    row->value_capacity = (uint32_t)capacity;
    row->key_size = key->size;
    row->kind = WBUF_ABSENT;
    memcpy(row->key, key->data, key->size);
    return row;
}

static struct wbuf_row *row_add(struct wbuf *wbuf, const struct key *key, uint64_t hash,
                                size_t size)
{
    if (2 * (wbuf->tree.rows + 1) > wbuf->table.count)
        table_grow(wbuf);
    if (wbuf->table_old.count != 0)
        table_move_some(wbuf);
    struct wbuf_row *row = row_new(wbuf, key, size);
    uint32_t number = wbuf_heap_number(&wbuf->heap, row);
    table_add(&wbuf->table, (struct slot){ (uint32_t)hash, number });
    wbuf_tree_insert(&wbuf->tree, &wbuf->heap, row);
    return row;
}

static struct undo *undo_push(struct wbuf *wbuf)
{
    if (wbuf->undo_count == wbuf->undo_capacity) {
        wbuf->undo_capacity = wbuf->undo_capacity != 0 ? 2 * wbuf->undo_capacity : 64;
        wbuf->undo = mem_resize(wbuf->undo, wbuf->undo_capacity * sizeof *wbuf->undo);
    }
    return &wbuf->undo[wbuf->undo_count++];
}

/* Called before every change of a row.  An absent row has nothing to go back to: its
 * block, if it has one, stays its own. */
static void row_save(struct wbuf *wbuf, struct wbuf_row *row)
{
    if (wbuf->savepoints_count == 0)
        return;
    uint64_t number = wbuf->savepoints[wbuf->savepoints_count - 1].number;
    if (row->saved == number)
        return;
    struct undo *undo = undo_push(wbuf);
    *undo = (struct undo){ .row = row, .saved = row->saved, .kind = row->kind };
    row->saved = number;
    if (row->kind == WBUF_ABSENT)
        return;
    undo->value = row->value;
    undo->value_size = row->value_size;
    undo->value_capacity = row->value_capacity;
    row->value = NULL;
    row->value_capacity = 0;
}

static void kind_set(struct wbuf *wbuf, struct wbuf_row *row, enum wbuf_row_kind kind)
{
    bool was_there = row->kind != WBUF_ABSENT, is_there = kind != WBUF_ABSENT;
    if (was_there != is_there) {
        wbuf->rows = is_there ? wbuf->rows + 1 : wbuf->rows - 1;
        wbuf->version++;
    }
    row->kind = (uint8_t)kind;
}

static void block_release(struct wbuf *wbuf, uint8_t *value, uint32_t capacity)
{
    if (value != NULL)
        wbuf_heap_recycle(&wbuf->heap, value, capacity);
}

/* Bytes that are borrowed from this very row may be put back into it, hence memmove,
 * and hence the old block is released after the copy. */
static void value_set(struct wbuf *wbuf, struct wbuf_row *row, const void *data, size_t size)
{
    uint8_t *old = row->value;
    uint32_t old_capacity = row->value_capacity;
    if (size > old_capacity)
        row->value = wbuf_heap_take(&wbuf->heap, size, &row->value_capacity);
    if (size != 0)
        memmove(row->value, data, size);
    if (row->value != old)
        block_release(wbuf, old, old_capacity);
    row->value_size = (uint32_t)size;
}

void wbuf_put(struct wbuf *wbuf, const struct key *key, uint64_t hash, const void *data,
              size_t size)
{
    struct wbuf_row *row = row_find(wbuf, key, hash);
    if (row == NULL)
        row = row_add(wbuf, key, hash, size);
    row_save(wbuf, row);
    value_set(wbuf, row, data, size);
    kind_set(wbuf, row, WBUF_VALUE);
}

void wbuf_delete(struct wbuf *wbuf, const struct key *key, uint64_t hash)
{
    struct wbuf_row *row = row_find(wbuf, key, hash);
    if (row == NULL)
        row = row_add(wbuf, key, hash, 0);
    row_save(wbuf, row);
    kind_set(wbuf, row, WBUF_DELETED);
}

void wbuf_save(struct wbuf *wbuf)
{
    ASSERT(wbuf->savepoints_count < WBUF_SAVEPOINTS_MAX);
    wbuf->savepoints[wbuf->savepoints_count++] =
        (struct savepoint){ ++wbuf->savepoint_last, wbuf->undo_count };
}

void wbuf_undo(struct wbuf *wbuf)
{
    ASSERT(wbuf->savepoints_count > 0);
    size_t first = wbuf->savepoints[--wbuf->savepoints_count].undo_count;
    while (wbuf->undo_count > first) {
        const struct undo *undo = &wbuf->undo[--wbuf->undo_count];
        struct wbuf_row *row = undo->row;
        block_release(wbuf, row->value, row->value_capacity);
        row->value = undo->value;
        row->value_size = undo->value_size;
        row->value_capacity = undo->value_capacity;
        row->saved = undo->saved;
        kind_set(wbuf, row, undo->kind);
    }
}

void wbuf_keep(struct wbuf *wbuf)
{
    ASSERT(wbuf->savepoints_count > 0);
    if (--wbuf->savepoints_count > 0)
        return;
    for (; wbuf->undo_count > 0; wbuf->undo_count--) {
        const struct undo *undo = &wbuf->undo[wbuf->undo_count - 1];
        block_release(wbuf, undo->value, undo->value_capacity);
    }
}

unsigned wbuf_savepoints(const struct wbuf *wbuf)
{
    return wbuf->savepoints_count;
}

const struct wbuf_tree *wbuf_tree(const struct wbuf *wbuf)
{
    return &wbuf->tree;
}

uint64_t wbuf_version(const struct wbuf *wbuf)
{
    return wbuf->version;
}

size_t wbuf_rows(const struct wbuf *wbuf)
{
    return wbuf->rows;
}

size_t wbuf_bytes(const struct wbuf *wbuf)
{
    return wbuf->heap.bytes;
}

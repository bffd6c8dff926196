/* wbuf_tree.h -- the order of a write buffer: a B+tree over its rows.
 *
 * The tree holds pointers to rows that live elsewhere and never removes one: a
 * deleted row is a row that says so.  Nodes come from the buffer's heap and go
 * with it.
 *
 * One thread changes a tree; when nobody does, any number may read it.
 */
#ifndef STORAGE_WBUF_TREE_H
#define STORAGE_WBUF_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wbuf_heap;

enum wbuf_row_kind {
    WBUF_ABSENT, /* undone: the layers below decide */
    WBUF_VALUE,
    WBUF_DELETED, /* hides a row of the layers below */
};

struct wbuf_row {
    uint8_t *value; /* NULL: it owns no block */
    uint64_t saved; /* the savepoint that knows how the row was before it; 0: none */
    uint32_t value_size, value_capacity;
    uint16_t key_size;
    uint8_t kind; /* enum wbuf_row_kind */
    uint8_t key[];
};

struct wbuf_node;

struct wbuf_tree { /* all zeros is an empty tree */
    struct wbuf_node *root;
    unsigned height; /* inner levels above the leaves */
    size_t rows;
};

/* `row` must not be in the tree, nor another one with its key. */
void wbuf_tree_insert(struct wbuf_tree *tree, struct wbuf_heap *heap, struct wbuf_row *row);

struct wbuf_place {
    const struct wbuf_node *leaf; /* NULL: behind the last row */
    unsigned index;
};

/* The first row whose key is not below `key`; with `is_after`, above it. */
struct wbuf_place wbuf_tree_seek(const struct wbuf_tree *tree, const uint8_t *key, size_t size,
                                 bool is_after);
const struct wbuf_row *wbuf_place_row(struct wbuf_place place); /* NULL: behind the last */
void wbuf_place_next(struct wbuf_place *place);                 /* not behind the last */

#endif

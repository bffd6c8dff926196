/* wbuf_tree.c -- a B+tree whose searches rarely leave the node.
 *
 *     inner   row | row | ...                child 0 holds rows below slot 0,
 *             child 0  child 1  child 2      child i+1 rows from slot i on
 *     leaf    row | row | ...                child 0 is the next leaf
 *
 * Heads.  Beside each row a node keeps 8 bytes of its key as a big-endian integer.
 * They lie together, so finding a place reads a few cache lines of the node, and a
 * row itself is looked at only among equal heads.  A key that ends inside its head
 * is padded with zeros there, which a longer key may contain: equal heads always go
 * to the full comparison.
 *
 * Fences.  Keys share long beginnings (all rows of a customer, all e-mail addresses),
 * so the first 8 bytes would seldom decide.  A node knows the separators that bound it;
 * what these have in common every key between them has, and heads begin behind
 * it.  Fences move only when a node splits, so no insertion ever finds a head too late.
 *
 * Rows are never removed, therefore nodes never merge, and a row that once
 * separated two children stays a valid separator.
 *
 * A full node that grows at its end is not halved: the new row begins a node of
 * its own.  Ids are handed out in ascending order, and leaves stay full.
 *
 * A skip list or sorted runs would insert faster; cursors are opened several times
 * an event, and both make them pay for it.
 */
#include "storage/wbuf_tree.h"

#include "core/base/mem.h"
#include "storage/wbuf_heap.h"

#include <string.h>

#define SLOTS 64
#define HEIGHT_MAX 10 /* 32 to the power of 10 rows */
#define HEAD_BYTES 8
#define HEAD_UNUSED UINT64_MAX
#define LINE_HEADS 8 /* of a cache line */
#define POINTER_BYTES sizeof(void *)

struct wbuf_node {
    unsigned count;
    unsigned skip; /* bytes that all keys between the fences share: heads begin there */
    const struct wbuf_row *low, *high; /* fences: low <= keys < high; NULL: no bound */
    uint64_t heads[SLOTS];
    struct wbuf_row *rows[SLOTS];
    struct wbuf_node *children[]; /* SLOTS + 1; in a leaf one: the next leaf */
};

struct probe { /* a key to look for */
    const uint8_t *key;
    size_t size;
};

/* `skip` <= `size`, see "Fences". */
static uint64_t head_of(const uint8_t *key, size_t size, size_t skip)
{
    uint8_t bytes[HEAD_BYTES] = { 0 };
    uint64_t head = 0;
    size_t left = size - skip;
    if (left >= HEAD_BYTES)
        memcpy(bytes, key + skip, HEAD_BYTES);
    else
        memcpy(bytes, key + skip, left);
    for (unsigned i = 0; i < HEAD_BYTES; i++)
        head = head << 8 | bytes[i];
    return head;
}

/* Is the row's key below the probe's, or with `or_equal` not above it? */
static bool row_is_below(const struct wbuf_row *row, const struct probe *probe, bool or_equal)
{
    size_t common = row->key_size < probe->size ? row->key_size : probe->size;
    int order = memcmp(row->key, probe->key, common);
    if (order != 0)
        return order < 0;
    return or_equal ? row->key_size <= probe->size : row->key_size < probe->size;
}

/* How many heads of the node are below `head`.  Neither a chain of cache misses nor a
 * branch that depends on the keys: first the last head of each line, which the processor
 * fetches all at once, then the line.  Heads not in use are the greatest there is, so both
 * counts are of fixed length. */
static unsigned heads_below(const struct wbuf_node *node, uint64_t head)
{
    unsigned lines = 0, below = 0;
    for (unsigned i = LINE_HEADS - 1; i < SLOTS; i += LINE_HEADS)
        lines += node->heads[i] < head;
    if (lines == SLOTS / LINE_HEADS)
        return SLOTS;
    const uint64_t *line = &node->heads[(size_t)lines * LINE_HEADS];
    for (unsigned i = 0; i < LINE_HEADS; i++)
        below += line[i] < head;
    return lines * LINE_HEADS + below;
}

/* How many rows of the node are below the probe (`or_equal`: or are it). */
static unsigned rows_below(const struct wbuf_node *node, const struct probe *probe, bool or_equal)
{
    uint64_t head = head_of(probe->key, probe->size, node->skip);
    unsigned low = heads_below(node, head);
    if (low >= node->count || node->heads[low] != head)
        return low;
    unsigned high = node->count;
    if (head != HEAD_UNUSED)
        high = heads_below(node, head + 1);
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (row_is_below(node->rows[middle], probe, or_equal))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void heads_unuse(struct wbuf_node *node, unsigned first)
{
    node->count = first;
    for (unsigned i = first; i < SLOTS; i++)
        node->heads[i] = HEAD_UNUSED;
}

static struct wbuf_node *node_new(struct wbuf_heap *heap, size_t children)
{
    struct wbuf_node *node = wbuf_heap_block(heap, sizeof *node + children * POINTER_BYTES);
    heads_unuse(node, 0);
    node->skip = 0;
    node->low = NULL;
    node->high = NULL;
    node->children[0] = NULL;
    return node;
}

static unsigned common_size(const struct wbuf_row *a, const struct wbuf_row *b)
{
    unsigned end = a->key_size < b->key_size ? a->key_size : b->key_size;
    unsigned size = 0;
    while (size < end && a->key[size] == b->key[size])
        size++;
    return size;
}

static void fences_set(struct wbuf_node *node, const struct wbuf_row *low,
                       const struct wbuf_row *high)
{
    unsigned skip = low != NULL && high != NULL ? common_size(low, high) : 0;
    node->low = low;
    node->high = high;
    if (node->skip == skip)
        return;
    node->skip = skip;
    for (unsigned i = 0; i < node->count; i++)
        node->heads[i] = head_of(node->rows[i]->key, node->rows[i]->key_size, skip);
}

static void slot_insert(struct wbuf_node *node, unsigned index, struct wbuf_row *row)
{
    size_t behind = node->count - index;
    memmove(&node->heads[index + 1], &node->heads[index], behind * sizeof node->heads[0]);
    memmove(&node->rows[index + 1], &node->rows[index], behind * POINTER_BYTES);
    node->heads[index] = head_of(row->key, row->key_size, node->skip);
    node->rows[index] = row;
    node->count++;
}

/* Move the slots from `first` on into the empty node `to`. */
static void slots_move(struct wbuf_node *to, struct wbuf_node *from, unsigned first)
{
    to->count = from->count - first;
    to->skip = from->skip;
    memcpy(to->heads, &from->heads[first], to->count * sizeof to->heads[0]);
    memcpy(to->rows, &from->rows[first], to->count * POINTER_BYTES);
    heads_unuse(from, first);
}

/* Two nodes, once one, now meet at `separator`. */
static void fences_split(struct wbuf_node *left, struct wbuf_node *right,
                         const struct wbuf_row *separator)
{
    fences_set(right, separator, left->high);
    fences_set(left, left->low, separator);
}

/* What a split hands to the level above: a separator and the child right of it. */
struct split {
    struct wbuf_row *separator;
    struct wbuf_node *right; /* NULL: there was room */
};

static struct split leaf_insert(struct wbuf_heap *heap, struct wbuf_node *leaf, unsigned index,
                                struct wbuf_row *row)
{
    if (leaf->count < SLOTS) {
        slot_insert(leaf, index, row);
        return (struct split){ NULL, NULL };
    }
    bool is_at_end = index == SLOTS;
    unsigned kept = is_at_end ? SLOTS : SLOTS / 2;
    struct wbuf_row *separator = is_at_end ? row : leaf->rows[kept];
    struct wbuf_node *right = node_new(heap, 1);
    right->children[0] = leaf->children[0];
    leaf->children[0] = right;
    slots_move(right, leaf, kept);
    fences_split(leaf, right, separator);
    if (index <= kept && !is_at_end)
        slot_insert(leaf, index, row);
    else
        slot_insert(right, index - kept, row);
    return (struct split){ separator, right };
}

static void child_insert(struct wbuf_node *node, unsigned index, const struct split *split)
{
    ASSERT(split->separator != NULL);
    size_t behind = node->count - index;
    memmove(&node->children[index + 2], &node->children[index + 1], behind * POINTER_BYTES);
    node->children[index + 1] = split->right;
    slot_insert(node, index, split->separator);
}

/* A full inner node gives its upper part to a new one and the separator between
 * them to the level above; `below` then finds room in one of the two. */
static struct split inner_insert(struct wbuf_heap *heap, struct wbuf_node *node, unsigned index,
                                 const struct split *below)
{
    if (node->count < SLOTS) {
        child_insert(node, index, below);
        return (struct split){ NULL, NULL };
    }
    unsigned kept = index == SLOTS ? SLOTS - 1 : SLOTS / 2;
    struct wbuf_row *separator = node->rows[kept];
    struct wbuf_node *right = node_new(heap, SLOTS + 1);
    slots_move(right, node, kept + 1);
    memcpy(right->children, &node->children[kept + 1], (right->count + 1) * POINTER_BYTES);
    heads_unuse(node, kept);
    fences_split(node, right, separator);
    if (index <= kept)
        child_insert(node, index, below);
    else
        child_insert(right, index - kept - 1, below);
    return (struct split){ separator, right };
}

static void root_grow(struct wbuf_tree *tree, struct wbuf_heap *heap, const struct split *split)
{
    struct wbuf_node *root = node_new(heap, SLOTS + 1);
    root->children[0] = tree->root;
    child_insert(root, 0, split);
    tree->root = root;
    tree->height++;
    ASSERT(tree->height <= HEIGHT_MAX);
}

void wbuf_tree_insert(struct wbuf_tree *tree, struct wbuf_heap *heap, struct wbuf_row *row)
{
    struct wbuf_node *path[HEIGHT_MAX];
    unsigned indexes[HEIGHT_MAX];
    struct probe probe = { row->key, row->key_size };
    if (tree->root == NULL)
        tree->root = node_new(heap, 1);
    struct wbuf_node *node = tree->root;
    for (unsigned i = 0; i < tree->height; i++) {
        path[i] = node;
        indexes[i] = rows_below(node, &probe, true);
        node = node->children[indexes[i]];
    }
    unsigned index = rows_below(node, &probe, false);
    struct split split = leaf_insert(heap, node, index, row);
    for (unsigned i = tree->height; i > 0 && split.right != NULL; i--)
        split = inner_insert(heap, path[i - 1], indexes[i - 1], &split);
    if (split.right != NULL)
        root_grow(tree, heap, &split);
    tree->rows++;
}

/* A place at the end of a leaf is the beginning of the next one. */
static struct wbuf_place place_at(const struct wbuf_node *leaf, unsigned index)
{
    if (index < leaf->count)
        return (struct wbuf_place){ leaf, index };
    return (struct wbuf_place){ leaf->children[0], 0 };
}

struct wbuf_place wbuf_tree_seek(const struct wbuf_tree *tree, const uint8_t *key, size_t size,
                                 bool is_after)
{
    if (tree->root == NULL)
        return (struct wbuf_place){ NULL, 0 };
    struct probe probe = { key, size };
    const struct wbuf_node *node = tree->root;
    for (unsigned i = 0; i < tree->height; i++)
        node = node->children[rows_below(node, &probe, true)];
    return place_at(node, rows_below(node, &probe, is_after));
}

const struct wbuf_row *wbuf_place_row(struct wbuf_place place)
{
    return place.leaf == NULL ? NULL : place.leaf->rows[place.index];
}

void wbuf_place_next(struct wbuf_place *place)
{
    *place = place_at(place->leaf, place->index + 1);
}

/* wbuf_heap.h -- the memory of one write buffer.
 *
 * Blocks are cut from chunks of a pool and go back to it together, when the buffer goes.
 * A block's number is its place in units of 8 bytes: half a pointer, for tables whose
 * size is what makes them slow.
 *
 * One thread.
 */
#ifndef STORAGE_WBUF_HEAP_H
#define STORAGE_WBUF_HEAP_H

#include "storage/wbuf_pool.h"

#define WBUF_UNIT_BYTES ((size_t)8)
#define WBUF_CHUNK_UNITS ((uint32_t)(WBUF_CHUNK_BYTES / WBUF_UNIT_BYTES))
#define WBUF_BLOCK_MAX ((size_t)128 << 10)
#define WBUF_CLASSES 45 /* of recycled blocks: 32 bytes to 64 KiB, four steps a doubling */

struct wbuf_heap { /* all zeros but for the pool is an empty heap */
    struct wbuf_pool *pool;
    uint8_t *at, *end; /* the free part of the newest chunk */
    uint8_t **chunks;
    size_t count, capacity; /* of chunks */
    size_t bytes;           /* handed out, recycled blocks included */
    void *recycled[WBUF_CLASSES];
};

/* `size` 1 to WBUF_BLOCK_MAX; aligned to 8; never NULL; with anything in it. */
void *wbuf_heap_block(struct wbuf_heap *heap, size_t size);

/* The number of the block that was handed out last, never 0, and the block of a number. */
uint32_t wbuf_heap_number(const struct wbuf_heap *heap, const void *block);
static inline void *wbuf_heap_at(const struct wbuf_heap *heap, uint32_t number)
{
    return heap->chunks[number / WBUF_CHUNK_UNITS] + number % WBUF_CHUNK_UNITS * WBUF_UNIT_BYTES;
}

/* A block for a value that will change: a recycled one if there is one, and with
 * room to grow by up to a quarter.  `size` up to 64 KiB. */
void *wbuf_heap_take(struct wbuf_heap *heap, size_t size, uint32_t *out_capacity);
/* A block of `capacity` bytes that nobody points to any more. */
void wbuf_heap_recycle(struct wbuf_heap *heap, void *block, uint32_t capacity);

/* All blocks end.  The pool keeps as many chunks as this heap had. */
void wbuf_heap_free(struct wbuf_heap *heap);

#endif

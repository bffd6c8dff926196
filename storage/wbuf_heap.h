/* wbuf_heap.h -- the memory of one write buffer.
 *
 * Blocks are cut from chunks mapped for this heap alone, so that dropping a
 * buffer gives its memory back to the system whatever malloc thinks of it.
 *
 * One thread.
 */
#ifndef STORAGE_WBUF_HEAP_H
#define STORAGE_WBUF_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WBUF_CHUNK_BYTES ((size_t)2 << 20)
#define WBUF_BLOCK_MAX ((size_t)128 << 10)
#define WBUF_CLASSES 45 /* of recycled blocks: 32 bytes to 64 KiB, four steps a doubling */

struct wbuf_heap {
    uint8_t *at, *end; /* the free part of the newest chunk */
    uint8_t *chunks;   /* newest first; each begins with the one before it */
    size_t bytes;      /* handed out, recycled blocks included */
    void *recycled[WBUF_CLASSES];
};

/* All zeros is an empty heap.  `size` 1 to WBUF_BLOCK_MAX; aligned to 8; never NULL. */
void *wbuf_heap_block(struct wbuf_heap *heap, size_t size);

/* A block for a value that will change: a recycled one if there is one, and with
 * room to grow by up to a quarter.  `size` up to 64 KiB. */
void *wbuf_heap_take(struct wbuf_heap *heap, size_t size, uint32_t *out_capacity);
/* A block of `capacity` bytes that nobody points to any more. */
void wbuf_heap_recycle(struct wbuf_heap *heap, void *block, uint32_t capacity);

/* Give back at most `chunks_max` chunks; true when none is left. */
bool wbuf_heap_drop(struct wbuf_heap *heap, size_t chunks_max);

/* Whole pages, zeroed; huge ones for a multiple of 2 MiB.  Stops the process when there
 * are none. */
void *wbuf_pages_map(size_t size);
void wbuf_pages_unmap(void *pages, size_t size);

#endif

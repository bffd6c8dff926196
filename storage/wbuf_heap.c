/* wbuf_heap.c -- chunks, and blocks that come round again.
 *
 * Nothing is freed singly: a buffer lives for seconds and goes as a whole.  One
 * thing would grow without bound in these seconds, the old values of a row that
 * every event rewrites under a savepoint, so these are kept in lists by size.
 *
 * Size classes.  Four steps a doubling from 32 bytes: 32, 40, 48, 56, 64, 80 ...
 * A request is rounded up to a class, a block that comes back is rounded down,
 * so a block found in a list always suffices.  The slack of at most a quarter is
 * what lets a growing profile be overwritten where it stands.
 */
#include "storage/wbuf_heap.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define CHUNKS_MAX ((size_t)UINT32_MAX / WBUF_CHUNK_UNITS)
#define CLASS_LOG_FIRST 5 /* 32 bytes */
#define CLASS_BYTES_MIN ((size_t)1 << CLASS_LOG_FIRST)
#define CLASS_STEPS 4 /* a doubling */

static void chunk_add(struct wbuf_heap *heap)
{
    ASSERT(heap->count < CHUNKS_MAX);
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity != 0 ? 2 * heap->capacity : 16;
        heap->chunks = mem_resize(heap->chunks, heap->capacity * sizeof *heap->chunks);
    }
    uint8_t *chunk = wbuf_pool_chunk(heap->pool);
    heap->chunks[heap->count++] = chunk;
    heap->at = chunk + WBUF_UNIT_BYTES; /* so that no block has the number 0 */
    heap->end = chunk + WBUF_CHUNK_BYTES;
}

void *wbuf_heap_block(struct wbuf_heap *heap, size_t size)
{
    ASSERT(size > 0 && size <= WBUF_BLOCK_MAX);
    size = (size + WBUF_UNIT_BYTES - 1) & ~(size_t)(WBUF_UNIT_BYTES - 1);
    if ((size_t)(heap->end - heap->at) < size)
        chunk_add(heap);
    void *block = heap->at;
    heap->at += size;
    heap->bytes += size;
    return block;
}

uint32_t wbuf_heap_number(const struct wbuf_heap *heap, const void *block)
{
    size_t offset = (size_t)((const uint8_t *)block - heap->chunks[heap->count - 1]);
    ASSERT(offset < WBUF_CHUNK_BYTES);
    return (uint32_t)((heap->count - 1) * WBUF_CHUNK_UNITS + offset / WBUF_UNIT_BYTES);
}

static unsigned log2_of(size_t size)
{
    unsigned log = 0;
    while (size >>= 1)
        log++;
    return log;
}

/* The greatest class of at most `size` bytes, which are at least CLASS_BYTES_MIN. */
static unsigned class_below(size_t size)
{
    ASSERT(size >= CLASS_BYTES_MIN);
    unsigned log = log2_of(size);
    size_t step = (size - ((size_t)1 << log)) * CLASS_STEPS >> log;
    return (log - CLASS_LOG_FIRST) * CLASS_STEPS + (unsigned)step;
}

static size_t class_bytes(unsigned class)
{
    size_t base = CLASS_BYTES_MIN << (class / CLASS_STEPS);
    return base + class % CLASS_STEPS * (base / CLASS_STEPS);
}

static unsigned class_above(size_t size)
{
    if (size <= CLASS_BYTES_MIN)
        return 0;
    unsigned class = class_below(size);
    return class_bytes(class) < size ? class + 1 : class;
}

void *wbuf_heap_take(struct wbuf_heap *heap, size_t size, uint32_t *out_capacity)
{
    unsigned class = class_above(size);
    ASSERT(class < WBUF_CLASSES);
    *out_capacity = (uint32_t)class_bytes(class);
    void *block = heap->recycled[class];
    if (block == NULL)
        return wbuf_heap_block(heap, class_bytes(class));
    memcpy(&heap->recycled[class], block, sizeof block);
    return block;
}

void wbuf_heap_recycle(struct wbuf_heap *heap, void *block, uint32_t capacity)
{
    if (capacity < CLASS_BYTES_MIN)
        return;
    unsigned class = class_below(capacity);
    if (class >= WBUF_CLASSES)
        class = WBUF_CLASSES - 1;
    memcpy(block, &heap->recycled[class], sizeof block);
    heap->recycled[class] = block;
}

void wbuf_heap_free(struct wbuf_heap *heap)
{
    wbuf_pool_limit(heap->pool, heap->count);
    while (heap->count > 0)
        wbuf_pool_chunk_back(heap->pool, heap->chunks[--heap->count]);
    free(heap->chunks);
}

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
 *
 * Chunks are huge pages where the system has them.  Rows are written once and then
 * looked up at random, which with small pages misses the TLB each time: a put
 * costs a third more then, and giving 100 MiB back 7 ms instead of a third of one.
 *
 * malloc was not used because what it frees stays in its bins when the threshold
 * for mapping has adapted itself to chunks of this size.
 */
#include "storage/wbuf_heap.h"

#include "core/base/mem.h"

#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 8
#define HUGE_BYTES ((size_t)2 << 20)
#define CHUNK_HEADER sizeof(uint8_t *)
#define CLASS_LOG_FIRST 5 /* 32 bytes */
#define CLASS_BYTES_MIN ((size_t)1 << CLASS_LOG_FIRST)
#define CLASS_STEPS 4 /* a doubling */

/* The kernel gives no alignment beyond a page: map more and cut off both ends. */
static uint8_t *map_aligned(size_t size)
{
    uint8_t *pages =
        mmap(NULL, size + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(pages != MAP_FAILED);
    size_t before = (HUGE_BYTES - (uintptr_t)pages % HUGE_BYTES) % HUGE_BYTES;
    if (before != 0)
        wbuf_pages_unmap(pages, before);
    wbuf_pages_unmap(pages + before + size, HUGE_BYTES - before);
    return pages + before;
}

void *wbuf_pages_map(size_t size)
{
    if (size % HUGE_BYTES == 0) {
        uint8_t *pages = map_aligned(size);
        madvise(pages, size, MADV_HUGEPAGE); /* a wish: small pages are slower, not wrong */
        return pages;
    }
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(pages != MAP_FAILED);
    return pages;
}

void wbuf_pages_unmap(void *pages, size_t size)
{
    int rc = munmap(pages, size);
    ASSERT(rc == 0);
}

static void chunk_add(struct wbuf_heap *heap)
{
    uint8_t *chunk = wbuf_pages_map(WBUF_CHUNK_BYTES);
    memcpy(chunk, &heap->chunks, CHUNK_HEADER);
    heap->chunks = chunk;
    heap->at = chunk + CHUNK_HEADER;
    heap->end = chunk + WBUF_CHUNK_BYTES;
}

void *wbuf_heap_block(struct wbuf_heap *heap, size_t size)
{
    ASSERT(size > 0 && size <= WBUF_BLOCK_MAX);
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if ((size_t)(heap->end - heap->at) < size)
        chunk_add(heap);
    void *block = heap->at;
    heap->at += size;
    heap->bytes += size;
    return block;
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

bool wbuf_heap_drop(struct wbuf_heap *heap, size_t chunks_max)
{
    for (; chunks_max > 0 && heap->chunks != NULL; chunks_max--) {
        uint8_t *chunk = heap->chunks;
        memcpy(&heap->chunks, chunk, CHUNK_HEADER);
        wbuf_pages_unmap(chunk, WBUF_CHUNK_BYTES);
    }
    return heap->chunks == NULL;
}

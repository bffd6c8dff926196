/* wbuf_pool.c -- see wbuf_pool.h.
 *
 * Chunks are huge pages where the system has them.  Rows are written once and then
 * looked up at random, which with small pages misses the TLB each time: a put
 * costs a third more then, and giving 100 MiB back 7 ms instead of a third of one.
 *
 * malloc was not used because what it frees stays in its bins when the threshold
 * for mapping has adapted itself to chunks of this size.
 */
#include "storage/wbuf_pool.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_BYTES ((size_t)2 << 20)
#define TABLE_SPARE 4 /* a waiting table up to so many times too large is taken */

static void pages_unmap(void *pages, size_t size)
{
    int rc = munmap(pages, size);
    ASSERT(rc == 0);
}

static uint8_t *pages_map(size_t size)
{
    uint8_t *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(pages != MAP_FAILED);
    return pages;
}

/* The kernel gives no alignment beyond a page: map more and cut off both ends. */
static void *huge_pages_map(size_t size)
{
    uint8_t *pages = pages_map(size + HUGE_BYTES);
    size_t before = (HUGE_BYTES - (uintptr_t)pages % HUGE_BYTES) % HUGE_BYTES;
    if (before != 0)
        pages_unmap(pages, before);
    pages_unmap(pages + before + size, HUGE_BYTES - before);
    madvise(pages + before, size, MADV_HUGEPAGE); /* a wish: small pages are slower, not wrong */
    return pages + before;
}

uint8_t *wbuf_pool_chunk(struct wbuf_pool *pool)
{
    if (pool->count > 0)
        return pool->chunks[--pool->count];
    return huge_pages_map(WBUF_CHUNK_BYTES);
}

void wbuf_pool_chunk_back(struct wbuf_pool *pool, uint8_t *chunk)
{
    if (pool->count == pool->capacity) {
        pool->capacity = pool->capacity != 0 ? 2 * pool->capacity : 16;
        pool->chunks = mem_resize(pool->chunks, pool->capacity * sizeof *pool->chunks);
    }
    pool->chunks[pool->count++] = chunk;
}

void *wbuf_pool_table(struct wbuf_pool *pool, size_t *bytes)
{
    if (pool->table_bytes < *bytes || pool->table_bytes > TABLE_SPARE * *bytes)
        return *bytes % HUGE_BYTES == 0 ? huge_pages_map(*bytes) : pages_map(*bytes);
    void *table = pool->table;
    *bytes = pool->table_bytes;
    pool->table = NULL;
    pool->table_bytes = 0;
    memset(table, 0, *bytes);
    return table;
}

void wbuf_pool_table_back(struct wbuf_pool *pool, void *table, size_t bytes)
{
    if (pool->table != NULL)
        pages_unmap(pool->table, pool->table_bytes);
    pool->table = table;
    pool->table_bytes = bytes;
}

void wbuf_pool_limit(struct wbuf_pool *pool, size_t most)
{
    pool->most = most;
}

bool wbuf_pool_trim(struct wbuf_pool *pool, size_t chunks_max)
{
    for (; chunks_max > 0 && pool->count > pool->most; chunks_max--)
        pages_unmap(pool->chunks[--pool->count], WBUF_CHUNK_BYTES);
    return pool->count > pool->most;
}

void wbuf_pool_free(struct wbuf_pool *pool)
{
    wbuf_pool_limit(pool, 0);
    wbuf_pool_trim(pool, SIZE_MAX);
    free(pool->chunks);
    if (pool->table != NULL)
        pages_unmap(pool->table, pool->table_bytes);
    *pool = (struct wbuf_pool){ 0 };
}

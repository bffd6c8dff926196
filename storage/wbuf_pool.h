/* wbuf_pool.h -- the memory that one write buffer leaves to the next.
 *
 * Under load a buffer is hundreds of MiB that live for seconds.  What the system gives
 * it must zero first, which costs as much as writing the rows does; so chunks and the
 * table of a buffer that goes wait here for the one that comes.  The pool keeps at most
 * as many chunks as the last buffer had: a burst is forgotten with the first small one.
 *
 * One thread.
 */
#ifndef STORAGE_WBUF_POOL_H
#define STORAGE_WBUF_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WBUF_CHUNK_BYTES ((size_t)2 << 20)

struct wbuf_pool { /* all zeros is an empty pool */
    uint8_t **chunks;
    size_t count, capacity;
    size_t most; /* chunks worth keeping */
    void *table;
    size_t table_bytes;
};

/* A chunk of WBUF_CHUNK_BYTES, with anything in it.  Stops the process when the system
 * has none. */
uint8_t *wbuf_pool_chunk(struct wbuf_pool *pool);
void wbuf_pool_chunk_back(struct wbuf_pool *pool, uint8_t *chunk);

/* At least `*bytes` zeros; `*bytes` becomes how many. */
void *wbuf_pool_table(struct wbuf_pool *pool, size_t *bytes);
void wbuf_pool_table_back(struct wbuf_pool *pool, void *table, size_t bytes);

/* From now on keep at most `most` chunks. */
void wbuf_pool_limit(struct wbuf_pool *pool, size_t most);
/* Give up to `chunks_max` of those beyond the limit back to the system; true while there
 * are more. */
bool wbuf_pool_trim(struct wbuf_pool *pool, size_t chunks_max);
void wbuf_pool_free(struct wbuf_pool *pool);

#endif

/* pool.h -- memory of one request, given back all at once.
 *
 * A request lives over several answers of the host, and what it needs is made piece by piece.  When
 * memory is short a pool is broken, as a buffer is: it gives NULL, and whoever is about to answer
 * asks once.  For one thread.
 */
#ifndef PLUGINS_FOLLOWUP_POOL_H
#define PLUGINS_FOLLOWUP_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool {
    struct pool_piece *last;
    size_t size; /* bytes given */
    bool broken;
};

#define POOL_SIZE_MAX \
    (64u << 20) /* bytes: of a list of thousands of tasks, with what belongs to it */

void pool_deinit(struct pool *pool);
void *pool_take(struct pool *pool, size_t size); /* zeroed */
void *pool_copy(struct pool *pool, const void *data, size_t size);
char *pool_text(struct pool *pool, const char *data, size_t size); /* with a terminator */
__attribute__((format(printf, 2, 3))) char *pool_print(struct pool *pool, const char *format, ...);

/* `text` percent-encoded as one segment of a path. */
char *pool_segment(struct pool *pool, const char *text);

#endif

/* arena.h -- memory that lives as long as one entry is being applied.
 *
 * Whoever handles an event allocates here and never frees; the engine empties the
 * arena before the next entry.  Chunks are kept, so the steady state allocates
 * nothing.  One thread.
 */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include "core/base/doc.h"

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *first, *current;
};

#define ARENA_INIT { NULL, NULL }

void arena_deinit(struct arena *arena);
void arena_clear(struct arena *arena); /* everything allocated is gone */

void *arena_alloc(struct arena *arena, size_t size); /* aligned for any type, not zeroed */
void *arena_zero(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
struct text arena_text(struct arena *arena, struct text text); /* a copy, terminated */
struct doc arena_doc(struct arena *arena, struct doc doc);
__attribute__((format(printf, 2, 3)))
struct text arena_printf(struct arena *arena, const char *format, ...);

#endif

/* arena.h -- memory that lives as long as a step of the work.
 *
 * Whoever handles an event allocates here and never frees.  Whoever drives the work takes a
 * mark before each step and goes back to it afterwards: all that the step allocated is gone
 * at once.  Some chunks are kept, so the steady state allocates nothing.  One thread.
 *
 * `bytes` counts what was asked for.  Unlike the memory held it is the same wherever the same
 * is done, so a limit on it may decide what happens.
 */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include "core/base/doc.h"

#include <stddef.h>

#define ARENA_CHUNK_BYTES ((size_t)64 << 10)
#define ARENA_CHUNKS_KEPT 16 /* beyond these, memory given back goes back to the C library */

struct arena_chunk;

struct arena {
    struct arena_chunk *first, *current;
    size_t bytes;  /* allocated and not given back; each request rounded up to 16 */
    size_t chunks; /* held */
};

#define ARENA_INIT { NULL, NULL, 0, 0 }

struct arena_mark {
    struct arena_chunk *chunk;
    size_t used, bytes;
};

void arena_deinit(struct arena *arena);
void arena_clear(struct arena *arena); /* everything allocated is gone */

/* Go back: what was allocated since the mark is gone.  Marks nest; one that lies behind the
 * mark gone back to means nothing any more. */
struct arena_mark arena_mark(const struct arena *arena);
void arena_release(struct arena *arena, struct arena_mark mark);

void *arena_alloc(struct arena *arena, size_t size); /* aligned for any type, not zeroed */
void *arena_zero(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
struct text arena_text(struct arena *arena, struct text text); /* a copy, terminated */
struct doc arena_doc(struct arena *arena, struct doc doc);
__attribute__((format(printf, 2, 3)))
struct text arena_printf(struct arena *arena, const char *format, ...);

#endif

/* arena.c -- bump allocation in chunks of which some are kept; see arena.h.
 *
 * Going back walks the chunks that were used since the mark and no others, so a step that
 * took little gives it back at once, however much the arena holds.
 *
 * Under the address sanitizer memory that nobody has is poisoned: who keeps a pointer beyond
 * its step, or writes behind what was asked for, is found.
 */
#include "core/base/arena.h"

#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON(data, size) ASAN_POISON_MEMORY_REGION(data, size)
#define UNPOISON(data, size) ASAN_UNPOISON_MEMORY_REGION(data, size)
#else
#define POISON(data, size) ((void)0)
#define UNPOISON(data, size) ((void)0)
#endif

#define ALIGNMENT 16u

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    max_align_t data[];
};

static struct arena_chunk *chunk_new(size_t size)
{
    size_t bytes = size > ARENA_CHUNK_BYTES ? size : ARENA_CHUNK_BYTES;
    struct arena_chunk *chunk = mem_alloc(sizeof *chunk + bytes);
    *chunk = (struct arena_chunk){ .size = bytes };
    POISON(chunk->data, bytes);
    return chunk;
}

/* What lies beyond the first `used` bytes is nobody's. */
static void chunk_cut(struct arena_chunk *chunk, size_t used)
{
    POISON((uint8_t *)chunk->data + used, chunk->used - used);
    chunk->used = used;
}

void arena_deinit(struct arena *arena)
{
    while (arena->first != NULL) {
        struct arena_chunk *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
    *arena = (struct arena)ARENA_INIT;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    struct arena_chunk *chunk = arena->current;
    return (struct arena_mark){ chunk, chunk != NULL ? chunk->used : 0, arena->bytes };
}

/* One oversized event must not make the arena hold its memory for ever: a few chunks of the
 * ordinary size are kept, and nothing else. */
void arena_release(struct arena *arena, struct arena_mark mark)
{
    struct arena_chunk **link = mark.chunk != NULL ? &mark.chunk->next : &arena->first;
    struct arena_chunk *last = arena->current;
    if (mark.chunk != NULL)
        chunk_cut(mark.chunk, mark.used);
    arena->current = mark.chunk;
    arena->bytes = mark.bytes;
    for (bool is_done = last == mark.chunk; !is_done;) {
        struct arena_chunk *chunk = *link;
        is_done = chunk == last;
        if (chunk->size > ARENA_CHUNK_BYTES || arena->chunks > ARENA_CHUNKS_KEPT) {
            *link = chunk->next;
            arena->chunks--;
            free(chunk);
        } else {
            chunk_cut(chunk, 0);
            link = &chunk->next;
        }
    }
}

void arena_clear(struct arena *arena)
{
    arena_release(arena, (struct arena_mark){ NULL, 0, 0 });
}

/* The next kept chunk if the request fits there, else a new one behind current. */
static struct arena_chunk *advance(struct arena *arena, size_t size)
{
    struct arena_chunk *current = arena->current;
    struct arena_chunk *next = current != NULL ? current->next : arena->first;
    if (next == NULL || next->size < size) {
        struct arena_chunk *chunk = chunk_new(size);
        chunk->next = next;
        if (current != NULL)
            current->next = chunk;
        else
            arena->first = chunk;
        arena->chunks++;
        next = chunk;
    }
    arena->current = next;
    return next;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_chunk *chunk = arena->current;
    if (chunk == NULL || chunk->size - chunk->used < rounded)
        chunk = advance(arena, rounded);
    void *data = (uint8_t *)chunk->data + chunk->used;
    chunk->used += rounded;
    arena->bytes += rounded;
    UNPOISON(data, size);
    return data;
}

void *arena_zero(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size != 0)
        memcpy(copy, data, size);
    return copy;
}

struct text arena_text(struct arena *arena, struct text text)
{
    if (text.data == NULL)
        return text;
    char *copy = arena_alloc(arena, (size_t)text.size + 1);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return (struct text){ copy, text.size };
}

struct doc arena_doc(struct arena *arena, struct doc doc)
{
    if (doc.data == NULL)
        return doc;
    return (struct doc){ arena_copy(arena, doc.data, doc.size), doc.size };
}

struct text arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    ASSERT(size >= 0);
    char *text = arena_alloc(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    va_end(args);
    return (struct text){ text, (uint32_t)size };
}

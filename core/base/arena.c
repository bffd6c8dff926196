/* arena.c -- bump allocation in chunks that are kept; see arena.h. */
#include "core/base/arena.h"

#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 << 10)
#define ALIGNMENT 16u

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    max_align_t data[];
};

static struct arena_chunk *chunk_new(size_t size)
{
    size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    struct arena_chunk *chunk = mem_alloc(sizeof *chunk + bytes);
    *chunk = (struct arena_chunk){ .size = bytes };
    return chunk;
}

void arena_deinit(struct arena *arena)
{
    while (arena->first != NULL) {
        struct arena_chunk *next = arena->first->next;
        free(arena->first);
        arena->first = next;
    }
    arena->current = NULL;
}

/* One oversized event must not make the arena hold its memory for ever: only
 * chunks of the ordinary size are kept. */
void arena_clear(struct arena *arena)
{
    struct arena_chunk **link = &arena->first;
    while (*link != NULL) {
        struct arena_chunk *chunk = *link;
        chunk->used = 0;
        if (chunk->size > CHUNK_BYTES) {
            *link = chunk->next;
            free(chunk);
        } else {
            link = &chunk->next;
        }
    }
    arena->current = arena->first;
}

/* The next kept chunk if the request fits there, else a new one behind current. */
static struct arena_chunk *advance(struct arena *arena, size_t size)
{
    struct arena_chunk *current = arena->current;
    struct arena_chunk *next = current != NULL ? current->next : arena->first;
    if (next == NULL || next->size - next->used < size) {
        struct arena_chunk *chunk = chunk_new(size);
        chunk->next = next;
        if (current != NULL)
            current->next = chunk;
        else
            arena->first = chunk;
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

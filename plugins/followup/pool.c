/* pool.c -- see pool.h. */
#include "pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_piece {
    struct pool_piece *before;
    max_align_t data[];
};

void pool_deinit(struct pool *pool)
{
    while (pool->last != NULL) {
        struct pool_piece *piece = pool->last;
        pool->last = piece->before;
        free(piece);
    }
    *pool = (struct pool){ 0 };
}

void *pool_take(struct pool *pool, size_t size)
{
    struct pool_piece *piece = NULL;
    if (!pool->broken && size <= POOL_SIZE_MAX - pool->size)
        piece = calloc(1, sizeof *piece + size);
    if (piece == NULL) {
        pool->broken = true;
        return NULL;
    }
    piece->before = pool->last;
    pool->last = piece;
    pool->size += size;
    return piece->data;
}

void *pool_copy(struct pool *pool, const void *data, size_t size)
{
    void *copy = pool_take(pool, size + 1);
    if (copy != NULL && size != 0)
        memcpy(copy, data, size);
    return copy;
}

char *pool_text(struct pool *pool, const char *data, size_t size)
{
    return pool_copy(pool, data, size);
}

char *pool_print(struct pool *pool, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    char *text = size < 0 ? NULL : pool_take(pool, (size_t)size + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

char *pool_segment(struct pool *pool, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    char *out = pool_take(pool, 3 * strlen(text) + 1), *at = out;
    for (; out != NULL && *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL) {
            *at++ = *text;
            continue;
        }
        *at++ = '%';
        *at++ = digits[(unsigned char)*text >> 4];
        *at++ = digits[(unsigned char)*text & 15];
    }
    return out;
}

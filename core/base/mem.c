/* mem.c -- allocation that cannot fail and assertions that stay; see mem.h. */
#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *data)
{
    if (data == NULL) {
        fputs("kith: out of memory; stopping, the log has all that was acknowledged\n", stderr);
        abort();
    }
    return data;
}

void *mem_alloc(size_t size)
{
    return checked(malloc(size != 0 ? size : 1));
}

void *mem_zero(size_t size)
{
    return checked(calloc(1, size != 0 ? size : 1));
}

void *mem_resize(void *data, size_t size)
{
    return checked(realloc(data, size != 0 ? size : 1));
}

void *mem_copy(const void *data, size_t size)
{
    void *copy = mem_alloc(size);
    if (size != 0)
        memcpy(copy, data, size);
    return copy;
}

char *mem_string(const char *text)
{
    return mem_copy(text, strlen(text) + 1);
}

void assert_failed(const char *file, int line, const char *expr)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
    abort();
}

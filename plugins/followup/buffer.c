/* buffer.c -- doubles until the limit; the first refusal is remembered and ends all growth. */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256
#define PRINTED_MAX 256 /* bytes with the terminator: numbers and names of ours, never input */

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){ 0 };
}

/* Room for `size` bytes and a terminator. */
static bool make_room(struct buffer *buffer, size_t size)
{
    if (buffer->broken || size >= BUFFER_SIZE_MAX - buffer->size) {
        buffer->broken = true;
        return false;
    }
    size_t needed = buffer->size + size + 1;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->broken = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || !make_room(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void buffer_byte(struct buffer *buffer, char byte)
{
    buffer_append(buffer, &byte, 1);
}

void buffer_text(struct buffer *buffer, const char *text)
{
    if (text != NULL)
        buffer_append(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    char printed[PRINTED_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(printed, sizeof printed, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof printed)
        buffer->broken = true;
    else
        buffer_append(buffer, printed, (size_t)size);
}

const char *buffer_string(struct buffer *buffer)
{
    if (!make_room(buffer, 0))
        return "";
    buffer->data[buffer->size] = '\0';
    return buffer->data;
}

bool buffer_is_broken(const struct buffer *buffer)
{
    return buffer->broken;
}

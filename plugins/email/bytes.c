/* bytes.c -- see bytes.h. */
#include "bytes.h"

#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 128

struct span span_of(const char *text)
{
    return (struct span){ text, text == NULL ? 0 : strlen(text) };
}

struct span span_from(struct span span, size_t at)
{
    if (at >= span.size)
        return (struct span){ NULL, 0 };
    return (struct span){ span.data + at, span.size - at };
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span span)
{
    while (span.size > 0 && is_space(span.data[0])) {
        span.data++;
        span.size--;
    }
    while (span.size > 0 && is_space(span.data[span.size - 1]))
        span.size--;
    return span;
}

bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool span_equal_word(struct span a, struct span b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

bool span_is(struct span span, const char *text)
{
    return span_equal(span, span_of(text));
}

bool span_is_word(struct span span, const char *word)
{
    return span_equal_word(span, span_of(word));
}

bool span_begins_word(struct span span, const char *word)
{
    struct span wanted = span_of(word);
    if (span.size > wanted.size)
        span.size = wanted.size;
    return span_equal_word(span, wanted);
}

size_t span_find(struct span span, char byte)
{
    const char *found = span.size == 0 ? NULL : memchr(span.data, byte, span.size);
    return found == NULL ? span.size : (size_t)(found - span.data);
}

bool span_line(struct span *io_rest, struct span *out_line)
{
    if (io_rest->size == 0)
        return false;
    size_t end = span_find(*io_rest, '\n');
    struct span line = { io_rest->data, end };
    *io_rest = span_from(*io_rest, end + 1);
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    *out_line = line;
    return true;
}

char ascii_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool ascii_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool ascii_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void bytes_init(struct bytes *bytes, size_t size_max)
{
    *bytes = (struct bytes){ .size_max = size_max };
}

void bytes_deinit(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){ .size_max = bytes->size_max };
}

void bytes_clear(struct bytes *bytes)
{
    bytes->size = 0;
    bytes->failed = 0;
}

/* Room for `size` more bytes, within the bound; false when there is none. */
static bool reserve(struct bytes *bytes, size_t size)
{
    if (bytes->failed != 0)
        return false;
    if (size > bytes->size_max - bytes->size) {
        bytes->failed = FAULT_LIMIT;
        return false;
    }
    if (size <= bytes->capacity - bytes->size)
        return true;
    size_t capacity = bytes->capacity < CAPACITY_MIN ? CAPACITY_MIN : bytes->capacity;
    while (capacity - bytes->size < size)
        capacity = capacity > bytes->size_max / 2 ? bytes->size_max : capacity * 2;
    char *data = realloc(bytes->data, capacity);
    if (data == NULL) {
        bytes->failed = FAULT_MEMORY;
        return false;
    }
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0 || !reserve(bytes, size))
        return;
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void bytes_span(struct bytes *bytes, struct span span)
{
    bytes_add(bytes, span.data, span.size);
}

void bytes_text(struct bytes *bytes, const char *text)
{
    bytes_add(bytes, text, strlen(text));
}

void bytes_byte(struct bytes *bytes, char byte)
{
    bytes_add(bytes, &byte, 1);
}

void bytes_printf(struct bytes *bytes, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof line)
        bytes->failed = FAULT_LIMIT;
    else
        bytes_add(bytes, line, (size_t)size);
}

size_t bytes_add_some(struct bytes *bytes, const void *data, size_t size)
{
    size_t room = bytes->size_max - bytes->size;
    size_t taken = size < room ? size : room;
    bytes_add(bytes, data, taken);
    return bytes->failed != 0 ? 0 : taken;
}

struct span bytes_get(const struct bytes *bytes)
{
    return (struct span){ bytes->data, bytes->size };
}

int bytes_check(const struct bytes *bytes, const char *what, struct fault *fault)
{
    if (bytes->failed == FAULT_LIMIT)
        return fault_set(fault, FAULT_LIMIT, "%s is larger than %zu bytes", what, bytes->size_max);
    if (bytes->failed != 0)
        return fault_set(fault, bytes->failed, "no memory for %s", what);
    return 0;
}

/* buffer.h -- text that grows, in a process that belongs to somebody else.
 *
 * A plugin must not end its host because memory is short or an answer is long, and code that
 * tests every append is code that nobody reads.  So a buffer that could not grow is *broken*:
 * it takes nothing more, keeps what it has, and whoever is about to use the result asks once
 * (buffer_is_broken).  Not for sharing between threads.
 */
#ifndef PLUGINS_FOLLOWUP_BUFFER_H
#define PLUGINS_FOLLOWUP_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#define BUFFER_SIZE_MAX (32u << 20) /* bytes: of an answer with thousands of tasks */

struct buffer {
    char *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
    bool broken;     /* an append found no room: the content is not all of it */
};

void buffer_deinit(struct buffer *buffer); /* frees; leaves an empty buffer */

void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_byte(struct buffer *buffer, char byte);
void buffer_text(struct buffer *buffer,
                 const char *text); /* without its terminator; NULL: nothing */
__attribute__((format(printf, 2, 3))) void buffer_printf(struct buffer *buffer, const char *format,
                                                         ...); /* at most 255 bytes a call */

/* A terminator behind the bytes, not counted in size, so that the content can be read as a C
 * string until the next change; "" when there is nothing, or when the buffer is broken. */
const char *buffer_string(struct buffer *buffer);

/* Was anything not taken?  Then the content is a beginning and must not be sent. */
bool buffer_is_broken(const struct buffer *buffer);

#endif

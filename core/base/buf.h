/* buf.h -- bytes that grow.
 *
 * A buffer owns its memory and doubles it when full, so appending n bytes one
 * by one costs O(n).  Clearing keeps the memory for the next use, which is how
 * hot paths allocate nothing.  Not for sharing between threads.
 */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
};

#define BUF_INIT { NULL, 0, 0 } /* an empty buffer; nothing is allocated */

void buf_deinit(struct buf *buf); /* frees; leaves an empty buffer */
void buf_clear(struct buf *buf);  /* size 0, memory kept */

/* Make room for `size` more bytes and return where they go.  The size of the
 * buffer does not change: the caller writes and then adds to buf->size. */
uint8_t *buf_reserve(struct buf *buf, size_t size);

void buf_append(struct buf *buf, const void *data, size_t size);
void buf_byte(struct buf *buf, uint8_t byte);
void buf_text(struct buf *buf, const char *text); /* without its terminator */
__attribute__((format(printf, 2, 3)))
void buf_printf(struct buf *buf, const char *format, ...);

/* A terminator behind the bytes, not counted in size, so that the content can
 * be read as a C string until the next change. */
const char *buf_string(struct buf *buf);

#endif

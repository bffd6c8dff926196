/* bytes.h -- spans of bytes that are somebody's, and bytes of our own that grow to a bound.
 *
 * A failure to grow sticks: what is appended after it is dropped, and whoever made the bytes
 * asks once, at the end, with bytes_check().  So the code that writes a message reads like the
 * message, and no check can be forgotten in the middle.
 *
 * One thread at a time.  Sizes are bytes.
 */
#ifndef PLUGINS_EMAIL_BYTES_H
#define PLUGINS_EMAIL_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct fault;

struct span {
    const char *data; /* not terminated; NULL only when size is 0 */
    size_t size;
};

struct span span_of(const char *text);              /* of a C string; NULL is empty */
struct span span_from(struct span span, size_t at); /* what is left at `at`; empty when past */
struct span span_trim(struct span span);          /* without blanks, tabs and line ends around it */
bool span_is(struct span span, const char *text); /* equal */
bool span_is_word(struct span span, const char *word);     /* equal, ASCII letters of any case */
bool span_begins_word(struct span span, const char *word); /* begins so, letters of any case */
bool span_equal(struct span a, struct span b);
bool span_equal_word(struct span a, struct span b); /* ASCII letters of any case */
/* Where `byte` is first; the size when nowhere. */
size_t span_find(struct span span, char byte);
/* The line at *io_rest without its line end, of any kind; false at the end. */
bool span_line(struct span *io_rest, struct span *out_line);

/* ASCII only, whatever the locale. */
char ascii_lower(char c);
bool ascii_is_letter(char c);
bool ascii_is_digit(char c);
bool ascii_is_blank(char c); /* space or tab */

struct bytes {
    char *data;
    size_t size, capacity;
    size_t size_max; /* it never grows past this */
    int failed;      /* 0, FAULT_LIMIT or FAULT_MEMORY */
};

void bytes_init(struct bytes *bytes, size_t size_max); /* nothing is allocated yet */
void bytes_deinit(struct bytes *bytes);
void bytes_clear(struct bytes *bytes); /* empty and sound again; the memory is kept */

void bytes_add(struct bytes *bytes, const void *data, size_t size);
void bytes_span(struct bytes *bytes, struct span span);
void bytes_text(struct bytes *bytes, const char *text);
void bytes_byte(struct bytes *bytes, char byte);
__attribute__((format(printf, 2, 3)))
void bytes_printf(struct bytes *bytes, const char *format, ...);

/* As much of `size` as there is room for; for what may be cut short.  Returns what was added. */
size_t bytes_add_some(struct bytes *bytes, const void *data, size_t size);

struct span bytes_get(const struct bytes *bytes); /* valid until the next change */

/* 0, or FAULT_LIMIT or FAULT_MEMORY with a text that names `what` grew. */
int bytes_check(const struct bytes *bytes, const char *what, struct fault *fault);

#endif

/* line.h -- content lines, of which iCalendar is made (RFC 5545, 3.1 and 3.3.11).
 *
 * A line is NAME;PARAMETERS:VALUE, folded after 75 octets by a line end and a blank.  Reading
 * happens in place: the caller hands over a copy of its own, lines_unfold() joins what was
 * folded, line_next() ends each part with a terminator, and nothing is allocated.
 *
 * Bytes are joined before they are read as UTF-8, which repairs the lines of writers that fold
 * inside a character.  Control characters, which no client can show and XML cannot carry, are
 * left out.
 */
#ifndef PLUGINS_FOLLOWUP_LINE_H
#define PLUGINS_FOLLOWUP_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;
struct fault;

#define LINE_FOLD_OCTETS 75 /* of a line, without its end (RFC 5545, 3.1) */

struct line {
    char *name;   /* as written; compare with line_is() */
    char *params; /* without the first semicolon; "" when there are none */
    char *value;  /* as written: text is still escaped */
};

/* Unfold `*size` bytes in place and end them with a terminator, for which there is room behind
 * them.  FAULT_INVALID when they are not UTF-8. */
int lines_unfold(char *data, size_t *size, struct fault *fault);

/* The next line that is not empty: 1, or 0 at the end, or FAULT_INVALID when it has no name or
 * no colon.  `*number` counts lines as unfolded, for what the fault says. */
int line_next(char **at, unsigned *number, struct line *out_line, struct fault *fault);

bool line_is(const struct line *line, const char *name); /* case does not count */

/* The value of the parameter `name` without its quotes, as a slice of `params`. */
bool line_param(const char *params, const char *name, const char **out_value, size_t *out_size);

/* Text as it was meant: \n, \, \; and \\ resolved, in place. */
void line_unescape(char *value);

/* Write one folded line; `params` may be "" or NULL; `value` goes out as it is. */
void line_write(struct buffer *buffer, const char *name, const char *params, const char *value);

/* A whole line of `size` bytes as it was read, folded anew. */
void line_write_raw(struct buffer *buffer, const char *text, size_t size);

/* One folded line with a value of type TEXT, which is escaped. */
void line_write_text(struct buffer *buffer, const char *name, const char *text);

/* Append `text` escaped, without name and folding: an element of a list such as CATEGORIES. */
void line_escape(struct buffer *buffer, const char *text);

#endif

/* input.h -- a file to be imported: its content's hash, its encoding, its text.
 *
 * Opening reads the file once from end to end: the hash names its content for ever (ids of
 * what is imported derive from it), and the encoding is judged by all of it.  Reading then
 * streams.  One thread.
 */
#ifndef CORE_CLI_INPUT_H
#define CORE_CLI_INPUT_H

#include "core/base/buf.h"
#include "core/base/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct input;

/* `encoding` NULL: guess; a file with the mark of UTF-8 in front is UTF-8 whatever is said.
 * E_NOTFOUND or E_IO: the file cannot be read; E_INVALID: it is no regular file, or no such
 * encoding. */
int input_open(const char *path, const char *encoding, struct input **out_input, struct err *err);
void input_close(struct input *input); /* NULL is allowed */

/* Append some of the text of `arg`, an input, in UTF-8.  Returns 1, 0 at the end, or E_IO.
 * Fits csv_read_fn. */
int input_read(void *arg, struct buf *out, struct err *err);

const char *input_hash(const struct input *input); /* 32 hexadecimal digits */
const char *input_encoding(const struct input *input);
bool input_is_utf8(const struct input *input);  /* else broken bytes have become U+FFFD */
bool input_has_mark(const struct input *input); /* of UTF-8, in front */
uint64_t input_size(const struct input *input);
uint64_t input_at(const struct input *input); /* bytes read so far */
/* The first byte that is no white space and no byte order mark; 0: there is none. */
char input_first(const struct input *input);

#endif

/* near.h -- what somebody probably meant, and what they wrote.
 *
 * A reason such as `"Europe/Berln" is no time zone: did you mean
 * "Europe/Berlin"?` needs two things: a measure of how far two names lie apart,
 * and a way to quote foreign text inside a line that must stay one line of
 * valid UTF-8.  Both are for error paths: neither is fast.
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef CORE_BASE_NEAR_H
#define CORE_BASE_NEAR_H

#include <stdbool.h>
#include <stddef.h>

#define NEAR_NAME_MAX 64 /* characters; what follows is not compared */
#define NEAR_QUOTE_MAX 48 /* bytes shown of a quoted text */

struct near_quote {
    char text[NEAR_QUOTE_MAX + 4]; /* "..." marks what was cut */
};

/* The least number of characters to insert, delete, replace or swap with their
 * neighbour that turns `a` into `b`, both UTF-8; a byte that is none counts as one.
 * Capitals (of ASCII) count as equal. */
size_t near_distance(const char *a, const char *b);

/* Whether a name `distance` away from what was written is worth proposing: at most a third of its
 * characters are wrong, or one. */
bool near_is_likely(size_t distance, const char *written);

/* Make `size` bytes of any kind printable: control characters and bytes that
 * are not UTF-8 become '?'.  Returns out_quote->text. */
const char *near_quote(const char *text, size_t size, struct near_quote *out_quote);

#endif

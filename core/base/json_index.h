/* json_index.h -- where the tokens of a JSON text are.
 *
 * simdjson finds them (and proves the text UTF-8) at several bytes a cycle, with
 * whatever vector instructions the machine has.  This is its C interface; the
 * grammar above it is ours (json_read.c).  An index is for one thread at a time.
 */
#ifndef CORE_BASE_JSON_INDEX_H
#define CORE_BASE_JSON_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_index;

struct json_index *json_index_new(void);
void json_index_free(struct json_index *index); /* NULL is allowed */

/* Find the offset of each token of `text` (1 to 2^31 bytes): a bracket, colon or
 * comma, the opening quote of a string, or the first byte of a run of any other
 * bytes that are not white space.  True also promises: the text is UTF-8, every
 * string is closed, and no string holds a control character.  The tokens are
 * borrowed until the next call. */
bool json_index_build(struct json_index *index, const char *text, size_t size,
                      const uint32_t **out_tokens, size_t *out_count);

#ifdef __cplusplus
}
#endif

#endif

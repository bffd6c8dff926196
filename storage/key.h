/* key.h -- keys whose byte order is their logical order.
 *
 * docs/state.md, "Keys", is the grammar.  A key is built on the stack by one
 * call per part; the same parts in the same order always give the same bytes,
 * and memcmp orders keys as their parts order.  Parts that do not fit set
 * `is_full`; key_ok() then refuses, and the caller says which limit was hit.  A key and a
 * reader are plain values of the caller's, the reader's bytes are borrowed: any thread.
 */
#ifndef STORAGE_KEY_H
#define STORAGE_KEY_H

#include "core/base/doc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_BYTES_MAX 511 /* LMDB's own */

struct key {
    uint16_t size;
    bool is_full;
    uint8_t data[KEY_BYTES_MAX];
};

void key_start(struct key *key, char table);
void key_byte(struct key *key, uint8_t byte);
void key_number(struct key *key, uint64_t number);      /* 1 to 9 bytes */
void key_number_down(struct key *key, uint64_t number); /* the same, the greatest first */
void key_time(struct key *key, int64_t ms);             /* 8 bytes */
void key_text(struct key *key, struct text text);       /* escaped, ended: more may follow */
void key_tail(struct key *key, struct text text);       /* as it stands: the last part */
static inline bool key_ok(const struct key *key)
{
    return !key->is_full;
}

/* Reading a key back, part by part; each returns false when the bytes are not
 * such a part.  `text` parts are unescaped into `out`. */
struct key_reader {
    const uint8_t *at, *end;
};
struct buf;
bool key_read_byte(struct key_reader *reader, uint8_t *out_byte);
bool key_read_number(struct key_reader *reader, uint64_t *out_number);
bool key_read_number_down(struct key_reader *reader, uint64_t *out_number);
bool key_read_time(struct key_reader *reader, int64_t *out_ms);
bool key_read_text(struct key_reader *reader, struct buf *out_text);

/* The same, where the key or value is one of ours and has such a part: asserted. */
uint64_t key_take_number(struct key_reader *reader);
uint64_t key_take_number_down(struct key_reader *reader);

#endif

/* key.c -- building keys that sort by bytes as their parts sort by meaning.
 *
 * The store compares keys with memcmp and nothing else, so order must be in the
 * bytes.  A number is its count of significant bytes, then these bytes: a longer
 * number is a greater one, and equal lengths compare from the top, so small
 * numbers (most of them) take two bytes instead of eight and still sort.  A text
 * that more parts follow must neither contain its terminator nor sort wrongly
 * against a longer one: 0x00 0x00 ends it, a zero inside is 0x00 0xFF, and
 * since every other continuation is above 0x00 0x00 the shorter text comes
 * first.  A length in front of the text would be simpler and would sort by length.
 *
 * No part's bytes are a prefix of another value of the same part, therefore a key
 * of the first few parts is a prefix exactly of the keys that share these parts.
 *
 * One number has one spelling: readers refuse leading zeros, texts with a lone
 * zero and parts cut short, so that bytes which pass are bytes that we wrote.
 */
#include "storage/key.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <string.h>

#define TEXT_ESCAPE 0xff
#define SIGN_BIT ((uint64_t)1 << 63)

/* Where `size` more bytes go, or NULL: then the key is spoilt for good. */
static uint8_t *key_room(struct key *key, size_t size)
{
    if (key->is_full || size > (size_t)(KEY_BYTES_MAX - key->size)) {
        key->is_full = true;
        return NULL;
    }
    uint8_t *room = key->data + key->size;
    key->size = (uint16_t)(key->size + size);
    return room;
}

static void big_endian(uint8_t *out, uint64_t value, unsigned size)
{
    for (unsigned i = size; i > 0; i--, value >>= 8)
        out[i - 1] = (uint8_t)value;
}

static unsigned significant_bytes(uint64_t number)
{
    unsigned size = 0;
    for (; number != 0; number >>= 8)
        size++;
    return size;
}

void key_start(struct key *key, char table)
{
    key->size = 1;
    key->is_full = false;
    key->data[0] = (uint8_t)table;
}

void key_byte(struct key *key, uint8_t byte)
{
    uint8_t *room = key_room(key, 1);
    if (room != NULL)
        *room = byte;
}

void key_number(struct key *key, uint64_t number)
{
    unsigned size = significant_bytes(number);
    uint8_t *room = key_room(key, 1 + (size_t)size);
    if (room == NULL)
        return;
    room[0] = (uint8_t)size;
    big_endian(room + 1, number, size);
}

/* The complement of every byte turns the order round. */
void key_number_down(struct key *key, uint64_t number)
{
    uint16_t start = key->size;
    key_number(key, number);
    for (uint16_t i = start; i < key->size; i++)
        key->data[i] = (uint8_t)~key->data[i];
}

void key_time(struct key *key, int64_t ms)
{
    uint8_t *room = key_room(key, 8);
    if (room != NULL)
        big_endian(room, (uint64_t)ms ^ SIGN_BIT, 8);
}

void key_text(struct key *key, struct text text)
{
    const char *at = text.data;
    size_t left = text.size;
    while (left > 0) {
        const char *zero = memchr(at, 0, left);
        size_t plain = zero != NULL ? (size_t)(zero - at) : left;
        key_tail(key, (struct text){ at, (uint32_t)plain });
        if (zero == NULL)
            break;
        key_byte(key, 0);
        key_byte(key, TEXT_ESCAPE);
        at = zero + 1;
        left -= plain + 1;
    }
    key_byte(key, 0);
    key_byte(key, 0);
}

void key_tail(struct key *key, struct text text)
{
    uint8_t *room = key_room(key, text.size);
    if (room != NULL && text.size != 0)
        memcpy(room, text.data, text.size);
}

static size_t bytes_left(const struct key_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static uint64_t from_big_endian(const uint8_t *data, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | data[i];
    return value;
}

bool key_read_byte(struct key_reader *reader, uint8_t *out_byte)
{
    if (bytes_left(reader) < 1)
        return false;
    *out_byte = *reader->at++;
    return true;
}

bool key_read_number(struct key_reader *reader, uint64_t *out_number)
{
    if (bytes_left(reader) < 1)
        return false;
    unsigned size = reader->at[0];
    if (size > 8 || bytes_left(reader) - 1 < size)
        return false;
    if (size > 0 && reader->at[1] == 0)
        return false;
    *out_number = from_big_endian(reader->at + 1, size);
    reader->at += 1 + size;
    return true;
}

bool key_read_number_down(struct key_reader *reader, uint64_t *out_number)
{
    uint8_t bytes[9];
    size_t size = bytes_left(reader) < sizeof bytes ? bytes_left(reader) : sizeof bytes;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)~reader->at[i];
    struct key_reader ascending = { bytes, bytes + size };
    if (!key_read_number(&ascending, out_number))
        return false;
    reader->at += ascending.at - bytes;
    return true;
}

uint64_t key_take_number(struct key_reader *reader)
{
    uint64_t number;
    bool is_number = key_read_number(reader, &number);
    ASSERT(is_number);
    return number;
}

uint64_t key_take_number_down(struct key_reader *reader)
{
    uint64_t number;
    bool is_number = key_read_number_down(reader, &number);
    ASSERT(is_number);
    return number;
}

bool key_read_time(struct key_reader *reader, int64_t *out_ms)
{
    if (bytes_left(reader) < 8)
        return false;
    *out_ms = (int64_t)(from_big_endian(reader->at, 8) ^ SIGN_BIT);
    reader->at += 8;
    return true;
}

/* The zero that ends the text at reader->at, or NULL. */
static const uint8_t *text_end(const struct key_reader *reader)
{
    const uint8_t *at = reader->at;
    for (;;) {
        const uint8_t *zero = memchr(at, 0, (size_t)(reader->end - at));
        if (zero == NULL || reader->end - zero < 2)
            return NULL;
        if (zero[1] == 0)
            return zero;
        if (zero[1] != TEXT_ESCAPE)
            return NULL;
        at = zero + 2;
    }
}

bool key_read_text(struct key_reader *reader, struct buf *out_text)
{
    const uint8_t *end = text_end(reader);
    if (end == NULL)
        return false;
    while (reader->at < end) {
        const uint8_t *zero = memchr(reader->at, 0, (size_t)(end - reader->at));
        const uint8_t *stop = zero != NULL ? zero + 1 : end;
        buf_append(out_text, reader->at, (size_t)(stop - reader->at));
        reader->at = zero != NULL ? stop + 1 : stop;
    }
    reader->at = end + 2;
    return true;
}

/* near.c -- edit distance by three rows, and safe quoting.
 *
 * The distance counts a swap of neighbours as one mistake (it is the commonest
 * slip of two hands) and needs for it the row before the last.  Names are cut
 * at NEAR_NAME_MAX so that the rows fit the stack.  Characters are compared and not bytes: two of
 * Chinese have six, and one that is wrong would be half a name or more.
 */
#include "core/base/near.h"

#include <stdint.h>
#include <string.h>

/* The size of the UTF-8 character at `text`, or 0 if there is none.  Over-long
 * forms, surrogates and numbers beyond U+10FFFF are none. */
static size_t character_size(const uint8_t *text, size_t size)
{
    static const uint32_t least_of[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t lead = text[0];
    if (lead < 0x80)
        return 1;
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc0 || lead > 0xf4 || size < want)
        return 0;
    uint32_t code = lead & (0xffu >> (want + 1));
    for (size_t i = 1; i < want; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    if (code < least_of[want] || code > 0x10ffff || (code >> 11) == 0x1b)
        return 0;
    return want;
}

/* The number of a character, capitals of ASCII as small ones; a byte that is none is one of its
 * own, beyond all of Unicode. */
static uint32_t next_character(const char **at, size_t *left)
{
    const uint8_t *text = (const uint8_t *)*at;
    size_t size = character_size(text, *left);
    uint32_t code = size == 0 ? 0x110000u + text[0] : text[0];
    if (size > 1)
        code &= 0xffu >> (size + 1);
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (text[i] & 0x3fu);
    *at += size == 0 ? 1 : size;
    *left -= size == 0 ? 1 : size;
    return code >= 'A' && code <= 'Z' ? code - 'A' + 'a' : code;
}

static size_t read_characters(const char *text, uint32_t out[NEAR_NAME_MAX])
{
    size_t count = 0, left = strlen(text);
    while (count < NEAR_NAME_MAX && left != 0)
        out[count++] = next_character(&text, &left);
    return count;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t near_distance(const char *a_text, const char *b_text)
{
    uint32_t a[NEAR_NAME_MAX], b[NEAR_NAME_MAX];
    size_t a_size = read_characters(a_text, a);
    size_t b_size = read_characters(b_text, b);
    size_t rows[3][NEAR_NAME_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_size; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_size];
}

bool near_is_likely(size_t distance, const char *written)
{
    uint32_t characters[NEAR_NAME_MAX];
    return distance <= 1 || distance * 3 <= read_characters(written, characters);
}

const char *near_quote(const char *text, size_t size, struct near_quote *out_quote)
{
    char *out = out_quote->text;
    size_t used = 0, at = 0;
    while (at < size) {
        size_t bytes = character_size((const uint8_t *)text + at, size - at);
        if (used + (bytes == 0 ? 1 : bytes) > NEAR_QUOTE_MAX)
            break;
        if (bytes == 0 || (uint8_t)text[at] < 0x20 || text[at] == 0x7f)
            out[used] = '?';
        else
            memcpy(out + used, text + at, bytes);
        at += bytes == 0 ? 1 : bytes;
        used += bytes == 0 ? 1 : bytes;
    }
    memcpy(out + used, at < size ? "..." : "", at < size ? 4 : 1);
    return out;
}

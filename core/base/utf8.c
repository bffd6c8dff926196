/* utf8.c -- checking, repairing and cutting UTF-8; see utf8.h.
 *
 * Nearly all text is ASCII, so the check walks sixteen bytes at a time until a
 * high bit shows and only then looks at characters.  A character is judged by
 * the range of its second byte, the one place where overlong forms, surrogates
 * and values above U+10FFFF differ from good ones; the later bytes are plain
 * continuations.  A table-driven automaton would be no faster on such text, and
 * its numbers explain nothing.
 */
#include "core/base/utf8.h"

#include "core/base/buf.h"

#include <stdint.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

struct character {
    unsigned size; /* bytes: of the character, or of the part to be replaced */
    bool is_valid;
};

static unsigned size_by_lead(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static bool second_fits(uint8_t lead, uint8_t second)
{
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

static struct character character_at(const uint8_t *at, const uint8_t *end)
{
    unsigned want = size_by_lead(*at);
    if (want <= 1)
        return (struct character){ 1, want == 1 };
    size_t have = (size_t)(end - at);
    if (have < 2 || !second_fits(at[0], at[1]))
        return (struct character){ 1, false };
    for (unsigned i = 2; i < want; i++)
        if (i == have || (at[i] & 0xc0) != 0x80)
            return (struct character){ i, false };
    return (struct character){ want, true };
}

static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 16) {
        uint64_t word[2];
        memcpy(word, at, sizeof word);
        if (((word[0] | word[1]) & 0x8080808080808080u) != 0)
            break;
        at += 16;
    }
    while (at < end && *at < 0x80)
        at++;
    return at;
}

size_t utf8_valid_prefix(const void *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t *start = data, *end = start + size;
    const uint8_t *at = skip_ascii(start, end);
    while (at < end) {
        struct character character = character_at(at, end);
        if (!character.is_valid)
            break;
        at += character.size;
        if (at < end && *at < 0x80)
            at = skip_ascii(at, end);
    }
    return (size_t)(at - start);
}

bool utf8_valid(const void *data, size_t size)
{
    return utf8_valid_prefix(data, size) == size;
}

void utf8_clean(const void *data, size_t size, struct buf *out)
{
    const uint8_t *at = data;
    while (size > 0) {
        size_t good = utf8_valid_prefix(at, size);
        buf_append(out, at, good);
        at += good;
        size -= good;
        if (size == 0)
            return;
        struct character bad = character_at(at, at + size);
        buf_append(out, replacement, sizeof replacement - 1);
        at += bad.size;
        size -= bad.size;
    }
}

size_t utf8_cut(const void *data, size_t size, size_t size_max)
{
    if (size <= size_max)
        return size;
    const uint8_t *bytes = data;
    size_t cut = size_max;
    while (cut > 0 && size_max - cut < 3 && (bytes[cut] & 0xc0) == 0x80)
        cut--;
    return (bytes[cut] & 0xc0) == 0x80 && cut > 0 ? size_max : cut;
}

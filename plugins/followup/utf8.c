/* utf8.c -- lead byte, continuation bytes, and the three shapes that are forbidden although they
 * look right: overlong forms, surrogates, and what lies above U+10FFFF. */
#include "utf8.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

static size_t length_of_lead(unsigned char lead)
{
    return lead < 0x80                   ? 1
           : lead >= 0xC2 && lead < 0xE0 ? 2
           : lead >= 0xE0 && lead < 0xF0 ? 3
           : lead >= 0xF0 && lead < 0xF5 ? 4
                                         : 0;
}

size_t utf8_length(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = size == 0 ? 0 : length_of_lead(at[0]);
    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!is_continuation(at[i]))
            return 0;
    bool is_forbidden = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F) ||
                        (at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F);
    return is_forbidden ? 0 : length;
}

bool utf8_is_valid(const char *text, size_t size)
{
    for (size_t i = 0, length = 0; i < size; i += length) {
        length = utf8_length(text + i, size - i);
        if (length == 0)
            return false;
    }
    return true;
}

bool utf8_is_text(const char *character, size_t length)
{
    const unsigned char *at = (const unsigned char *)character;
    if (length == 1)
        return (at[0] >= 0x20 && at[0] != 0x7F) || at[0] == '\t' || at[0] == '\n' || at[0] == '\r';
    return !(length == 3 && at[0] == 0xEF && at[1] == 0xBF && at[2] >= 0xBE);
}

size_t utf8_plain(const char *text, size_t size, const char *special)
{
    bool is_special[256] = { false };
    size_t length = 0;
    for (; *special != '\0'; special++)
        is_special[(unsigned char)*special] = true;
    while (length < size && text[length] >= 0x20 && text[length] < 0x7F &&
           !is_special[(unsigned char)text[length]])
        length++;
    return length;
}

const char *utf8_next(const char **text, size_t *size, size_t *out_length)
{
    const char *character = *text;
    size_t length = utf8_length(character, *size);
    size_t taken = length == 0 ? 1 : length;
    *text += taken;
    *size -= taken;
    *out_length = length == 0 ? sizeof UTF8_REPLACEMENT - 1 : length;
    if (length == 0)
        return UTF8_REPLACEMENT;
    return utf8_is_text(character, length) ? character : NULL;
}

bool utf8_is_blank(const char *text)
{
    int32_t size = text == NULL ? 0 : (int32_t)strlen(text), at = 0;
    const uint8_t *bytes = (const uint8_t *)text;
    while (at < size) {
        UChar32 c;
        U8_NEXT(bytes, at, size, c);
        if (c < 0 || !(u_isUWhiteSpace(c) || u_iscntrl(c) ||
                       u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)))
            return false;
    }
    return true;
}

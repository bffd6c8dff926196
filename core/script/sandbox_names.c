/* sandbox_names.c -- names in the letters of any script: customer.größe, { 生日 = "--02-29" }.
 *
 * Lua's own names are ASCII.  A trait has the name that people gave it, and where such a
 * name is a field it can be written as Lua writes any other key, in brackets.  Here that is
 * done for the author:
 *
 *     a.größe              becomes   a["größe"]
 *     { größe = 5 }        becomes   { ["größe"] = 5 }
 *
 * A variable, a function's own name, a method and a label have no such form: there it is
 * refused, with its place.
 *
 * A letter is whatever is no blank, no punctuation and no picture.  The blocks of Unicode
 * that hold those are few, and listed; a blank that looks like one and is none, or a
 * quotation mark of a word processor, is told as what it is.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

static const struct {
    uint32_t first, last;
} others[] = {
    { 0x80, 0xa9 },       { 0xab, 0xb4 },        { 0xb6, 0xb9 },     { 0xbb, 0xbf },
    { 0xd7, 0xd7 },       { 0xf7, 0xf7 },        { 0x1680, 0x1680 }, { 0x2000, 0x200b },
    { 0x200e, 0x206f },   { 0x20a0, 0x20cf },    { 0x2190, 0x2bff }, { 0x2e00, 0x2e7f },
    { 0x3000, 0x3004 },   { 0x3008, 0x3020 },    { 0x3030, 0x3030 }, { 0x303d, 0x303f },
    { 0xe000, 0xf8ff },   { 0xfe10, 0xfe1f },    { 0xfe30, 0xfe6f }, { 0xfeff, 0xff0f },
    { 0xff1a, 0xff20 },   { 0xff3b, 0xff40 },    { 0xff5b, 0xff65 }, { 0xffe0, 0xffff },
    { 0x1f000, 0x1faff }, { 0xe0000, 0x10ffff },
};

/* The size of the character of more than one byte at `text`, or 0 if there is none. */
static size_t read_character(const char *text, size_t size, uint32_t *out_code)
{
    unsigned char lead = (unsigned char)text[0];
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || size < want)
        return 0;
    uint32_t code = lead & (0xffu >> (want + 1));
    for (size_t i = 1; i < want; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (byte & 0x3fu);
    }
    *out_code = code;
    return want;
}

size_t names_letter(const char *text, size_t size)
{
    uint32_t code;
    size_t bytes = read_character(text, size, &code);
    for (size_t i = 0; bytes != 0 && i < sizeof others / sizeof *others; i++)
        if (code >= others[i].first && code <= others[i].last)
            return 0;
    return bytes;
}

uint32_t names_code(const char *text, size_t size)
{
    uint32_t code;
    return read_character(text, size, &code) != 0 ? code : 0;
}

bool names_is_foreign(const struct token *token, const char *text)
{
    if (token->kind != TOKEN_NAME)
        return false;
    for (uint32_t i = 0; i < token->size; i++)
        if ((unsigned char)text[token->offset + i] >= 0x80)
            return true;
    return false;
}

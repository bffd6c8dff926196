/* text.c -- see text.h. */
#include "text.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#define REFERENCE "[complaint:"
#define DIGITS_MAX 15
#define LOCAL_MAX 64 /* of an address, before the "@" (RFC 5321, section 4.5.3.1) */
#define ADDRESS_MAX 254

struct kith_text text_cut(struct kith_text text, size_t size_max)
{
    if (text.size <= size_max)
        return text;
    text.size = size_max;
    while (text.size > 0 && ((unsigned char)text.data[text.size] & 0xc0) == 0x80)
        text.size--;
    return text;
}

struct kith_text text_kept(struct kith_text text)
{
    struct kith_text rest = text_cut(text, TEXT_BYTES_MAX), kept = rest;
    for (size_t i = 0; i < TEXT_LETTERS_MAX && kith_next_character(&rest) >= 0;)
        i++;
    kept.size -= rest.size;
    return kept;
}

/* Labels of a domain, at least two of them. */
static int is_domain(struct kith_text text)
{
    int has_dot = 0;
    char before = '.';
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        int is_letter = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                        ((unsigned char)c & 0x80) != 0;
        if (!is_letter && c != '-' && c != '.')
            return 0;
        if ((c == '.' || c == '-') && before == '.')
            return 0;
        if (c == '.' && before == '-')
            return 0;
        has_dot |= c == '.';
        before = c;
    }
    return has_dot && before != '.' && before != '-';
}

int text_is_address(struct kith_text text)
{
    const char *at = text.size != 0 ? memchr(text.data, '@', text.size) : NULL;
    size_t local = at != NULL ? (size_t)(at - text.data) : 0;
    if (local == 0 || local > LOCAL_MAX || text.size > ADDRESS_MAX)
        return 0;
    for (size_t i = 0; i < local; i++)
        if ((unsigned char)text.data[i] <= ' ' || strchr("\"(),:;<>[]\\\x7f", text.data[i]) != NULL)
            return 0;
    return is_domain((struct kith_text){ at + 1, text.size - local - 1 });
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int begins(const char *at, struct kith_text word)
{
    size_t i = 0;
    while (i < word.size && lower(at[i]) == lower(word.data[i]))
        i++;
    return i == word.size;
}

int text_is_same(struct kith_text a, struct kith_text b)
{
    return a.size == b.size && (a.size == 0 || begins(a.data, b));
}

int text_has(struct kith_text text, struct kith_text word)
{
    if (word.size == 0)
        return 0;
    for (size_t at = 0; at + word.size <= text.size; at++)
        if (begins(text.data + at, word))
            return 1;
    return 0;
}

int text_has_any(struct kith_text text, struct kith_doc words)
{
    for (struct kith_iter it = kith_iter(words); kith_next(&it);)
        if (text_has(text, kith_as_text(&it.value)))
            return 1;
    return 0;
}

int text_is_blank(struct kith_text text)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    int32_t at = 0, size = (int32_t)text.size;
    while (at < size) {
        UChar32 c;
        U8_NEXT(bytes, at, size, c);
        if (c < 0 || !(u_isUWhiteSpace(c) || u_iscntrl(c) ||
                       u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)))
            return 0;
    }
    return 1;
}

int text_is_any(struct kith_text text, struct kith_doc words)
{
    for (struct kith_iter it = kith_iter(words); kith_next(&it);)
        if (text.size != 0 && text_is_same(text, kith_as_text(&it.value)))
            return 1;
    return 0;
}

/* The digits up to "]". */
static int64_t number_at(struct kith_text text, size_t at)
{
    int64_t number = 0;
    size_t from = at;
    while (at < text.size && at - from < DIGITS_MAX && text.data[at] >= '0' && text.data[at] <= '9')
        number = number * 10 + (text.data[at++] - '0');
    return at < text.size && text.data[at] == ']' ? number : 0;
}

int64_t text_reference(struct kith_text text)
{
    const struct kith_text mark = kith_text(REFERENCE);
    for (size_t at = 0; at + mark.size < text.size; at++) {
        int64_t number = begins(text.data + at, mark) ? number_at(text, at + mark.size) : 0;
        if (number != 0)
            return number;
    }
    return 0;
}

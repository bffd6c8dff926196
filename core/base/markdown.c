/* markdown.c -- see markdown.h. */
#include "core/base/markdown.h"

#include "core/base/buf.h"

#include <string.h>
#include <strings.h>

/* A list's number has at most nine digits. */
#define ORDINAL_DIGITS_MAX 9

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where a line's first word begins at `at`, so much may be what makes it no paragraph: "1.". */
static bool ends_ordinal(struct text text, uint32_t line, uint32_t at)
{
    if ((text.data[at] != '.' && text.data[at] != ')') || at == line ||
        at - line > ORDINAL_DIGITS_MAX)
        return false;
    for (uint32_t i = line; i < at; i++)
        if (!is_digit(text.data[i]))
            return false;
    return true;
}

/* An address that becomes a link though nobody has marked it as one. */
static bool is_in_address(struct text text, uint32_t at)
{
    uint32_t left = text.size - at;
    return (text.data[at] == ':' && left > 2 && memcmp(text.data + at, "://", 3) == 0) ||
           (text.data[at] == '.' && at >= 3 && strncasecmp(text.data + at - 3, "www", 3) == 0);
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Within a word it emphasizes nothing, and a coupon's code often stands in a code span. */
static bool is_emphasis(struct text text, uint32_t at)
{
    return text.data[at] == '_' &&
           !(at > 0 && at + 1 < text.size && is_alphanumeric(text.data[at - 1]) &&
             is_alphanumeric(text.data[at + 1]));
}

static bool is_marked(struct text text, uint32_t line, uint32_t at)
{
    return strchr("\\`*[]()<>&\"'|~!@", text.data[at]) != NULL || is_emphasis(text, at) ||
           (at == line && strchr("#+-=", text.data[at]) != NULL) || ends_ordinal(text, line, at) ||
           is_in_address(text, at);
}

void markdown_escape(struct text text, struct buf *out)
{
    uint32_t line = 0; /* where the first word of this line begins */
    for (uint32_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '\0')
            continue;
        if (c == '\n' || c == '\r' || (i == line && (c == ' ' || c == '\t')))
            line = i + 1;
        else if (is_marked(text, line, i))
            buf_byte(out, '\\');
        buf_byte(out, (uint8_t)c);
    }
}

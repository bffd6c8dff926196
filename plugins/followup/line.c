/* line.c -- folding counts octets and breaks between characters; unfolding is one pass. */
#include "line.h"

#include "buffer.h"
#include "fault.h"
#include "utf8.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Of a line end at `at`: how many bytes it has, 0 for none. */
static size_t end_length(const char *at, const char *end)
{
    if (*at == '\n')
        return 1;
    return *at == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 0;
}

/* Of valid text what goes out again: what Kith compares must be what its client gets.  The end. */
static char *keep_text(char *data, const char *end)
{
    char *to = data;
    for (size_t length; data < end; data += length) {
        length = utf8_length(data, (size_t)(end - data));
        if (utf8_is_text(data, length) && *data != '\r') {
            memmove(to, data, length);
            to += length;
        }
    }
    return to;
}

int lines_unfold(char *data, size_t *size, struct fault *fault)
{
    char *to = data;
    const char *from = data, *end = data + *size;
    if (*size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
        from += 3; /* a byte order mark says nothing here */
    while (from < end) {
        size_t line_end = end_length(from, end);
        if (line_end > 0 && from + line_end < end && is_blank(from[line_end])) {
            from += line_end + 1;
        } else if (line_end > 0) {
            *to++ = '\n';
            from += line_end;
        } else {
            *to++ = *from++;
        }
    }
    if (!utf8_is_valid(data, (size_t)(to - data)))
        return fault_set(fault, FAULT_INVALID, "the calendar object is not UTF-8");
    to = keep_text(data, to);
    *to = '\0';
    *size = (size_t)(to - data);
    return 0;
}

static size_t name_length(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
}

/* The colon that ends the parameters: the first one outside quotes. */
static char *colon_of(char *params)
{
    bool is_quoted = false;
    for (char *at = params; *at != '\0'; at++) {
        if (*at == '"')
            is_quoted = !is_quoted;
        else if (*at == ':' && !is_quoted)
            return at;
    }
    return NULL;
}

int line_next(char **at, unsigned *number, struct line *out_line, struct fault *fault)
{
    char *first = *at;
    for (; *first == '\n'; first++)
        ++*number;
    if (*first == '\0') {
        *at = first;
        return 0;
    }
    ++*number;
    char *end = strchrnul(first, '\n');
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';

    char *params = first + name_length(first);
    char *colon = params == first || (*params != ';' && *params != ':') ? NULL : colon_of(params);
    if (colon == NULL)
        return fault_set(fault, FAULT_INVALID, "line %u is no property: %.40s", *number, first);
    struct line line = { first, params + (*params == ';'), colon + 1 };
    *colon = '\0';
    *params = '\0';
    *out_line = line;
    return 1;
}

bool line_is(const struct line *line, const char *name)
{
    return strcasecmp(line->name, name) == 0;
}

/* The end of the parameter at `at`: its semicolon outside quotes, or the end of all. */
static const char *param_end(const char *at)
{
    for (bool is_quoted = false; *at != '\0' && (*at != ';' || is_quoted); at++)
        if (*at == '"')
            is_quoted = !is_quoted;
    return at;
}

bool line_param(const char *params, const char *name, const char **out_value, size_t *out_size)
{
    size_t length = strlen(name);
    for (const char *at = params; *at != '\0';) {
        const char *end = param_end(at), *value = at + length + 1;
        if (strncasecmp(at, name, length) == 0 && at[length] == '=') {
            size_t size = (size_t)(end - value);
            bool is_quoted = size >= 2 && value[0] == '"' && value[size - 1] == '"';
            *out_value = is_quoted ? value + 1 : value;
            *out_size = is_quoted ? size - 2 : size;
            return true;
        }
        at = *end == ';' ? end + 1 : end;
    }
    return false;
}

void line_unescape(char *value)
{
    char *to = value;
    for (const char *from = value; *from != '\0'; from++) {
        if (*from != '\\' || from[1] == '\0')
            *to++ = *from;
        else if (*++from == 'n' || *from == 'N')
            *to++ = '\n';
        else
            *to++ = *from;
    }
    *to = '\0';
}

/* ---- Writing --------------------------------------------------------------------------- */

/* One character, on a new line when this one is full. */
static void put(struct buffer *buffer, size_t *column, const char *character, size_t length)
{
    if (*column + length > LINE_FOLD_OCTETS) {
        buffer_text(buffer, "\r\n ");
        *column = 1;
    }
    buffer_append(buffer, character, length);
    *column += length;
}

/* What of the text goes onto this line as it is; the rest is for the caller. */
static void put_plain(struct buffer *buffer, size_t *column, const char **text, size_t *size,
                      const char *special)
{
    size_t room = LINE_FOLD_OCTETS - *column;
    size_t plain = utf8_plain(*text, *size < room ? *size : room, special);
    buffer_append(buffer, *text, plain);
    *column += plain;
    *text += plain;
    *size -= plain;
}

static void put_raw(struct buffer *buffer, size_t *column, const char *text, size_t size)
{
    size_t length = 0;
    while (size > 0) {
        put_plain(buffer, column, &text, &size, "");
        if (size == 0)
            return;
        const char *character = utf8_next(&text, &size, &length);
        if (character != NULL && *character != '\n' && *character != '\r')
            put(buffer, column, character, length);
    }
}

/* How `character` is written in TEXT, NULL for as it is.  A line end is one, however written. */
static const char *escape_of(const char *character)
{
    switch (*character) {
    case '\\':
        return "\\\\";
    case ';':
        return "\\;";
    case ',':
        return "\\,";
    case '\r':
        return character[1] == '\n' ? "" : "\\n";
    case '\n':
        return "\\n";
    default:
        return NULL;
    }
}

static void put_text(struct buffer *buffer, size_t *column, const char *text)
{
    put_raw(buffer, column, text, strlen(text));
}

void line_write(struct buffer *buffer, const char *name, const char *params, const char *value)
{
    size_t column = 0;
    put_text(buffer, &column, name);
    if (params != NULL && *params != '\0') {
        put_text(buffer, &column, ";");
        put_text(buffer, &column, params);
    }
    put_text(buffer, &column, ":");
    put_text(buffer, &column, value);
    buffer_text(buffer, "\r\n");
}

void line_write_raw(struct buffer *buffer, const char *text, size_t size)
{
    size_t column = 0;
    put_raw(buffer, &column, text, size);
    buffer_text(buffer, "\r\n");
}

void line_write_text(struct buffer *buffer, const char *name, const char *text)
{
    size_t column = 0, size = strlen(text), length = 0;
    put_text(buffer, &column, name);
    put_text(buffer, &column, ":");
    while (size > 0) {
        put_plain(buffer, &column, &text, &size, "\\;,");
        if (size == 0)
            break;
        const char *character = utf8_next(&text, &size, &length);
        const char *escape = character == NULL ? "" : escape_of(character);
        if (escape != NULL)
            put(buffer, &column, escape, strlen(escape));
        else
            put(buffer, &column, character, length);
    }
    buffer_text(buffer, "\r\n");
}

void line_escape(struct buffer *buffer, const char *text)
{
    size_t size = strlen(text), length = 0;
    while (size > 0) {
        const char *character = utf8_next(&text, &size, &length);
        const char *escape = character == NULL ? "" : escape_of(character);
        if (escape != NULL)
            buffer_text(buffer, escape);
        else
            buffer_append(buffer, character, length);
    }
}

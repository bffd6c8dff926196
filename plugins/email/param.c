/* param.c -- parameters of structured fields; see param.h. */
#include "param.h"

#include "charset.h"
#include "codec.h"
#include "word.h"

#include <stdio.h>
#include <string.h>

#define SECTION_WIDTH 60 /* columns of one piece, its name not counted */

struct param {
    struct span name; /* "filename", "filename*", "filename*0*" */
    struct span value;
    bool is_quoted; /* value stands between quotes and has its backslashes */
};

struct span param_main(struct span value)
{
    size_t end = span_find(value, ';'), comment = span_find(value, '(');
    return span_trim((struct span){ value.data, end < comment ? end : comment });
}

static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

bool param_is_token(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_token_char(text.data[i]))
            return false;
    return text.size > 0;
}

/* The end of a quoted string whose opening quote is at 0; the size when it is not closed. */
static size_t quote_end(struct span text)
{
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            return i;
    }
    return text.size;
}

/* The next semicolon outside of quotes. */
static size_t section_end(struct span text)
{
    size_t at = 0;
    while (at < text.size && text.data[at] != ';')
        at += text.data[at] == '"' ? quote_end(span_from(text, at)) + 1 : 1;
    return at < text.size ? at : text.size;
}

/* The next parameter; *io_rest begins at its semicolon. */
static bool next_param(struct span *io_rest, struct param *out_param)
{
    while (io_rest->size > 0) {
        struct span section = span_from(*io_rest, 1);
        section.size = section_end(section);
        *io_rest = span_from(*io_rest, 1 + section.size);
        size_t equals = span_find(section, '=');
        if (equals == section.size)
            continue;
        struct span value = span_trim(span_from(section, equals + 1));
        bool is_quoted = value.size > 0 && value.data[0] == '"';
        if (is_quoted)
            value = (struct span){ value.data + 1, quote_end(value) - 1 };
        else /* a comment may follow */
            value.size = span_trim((struct span){ value.data, span_find(value, '(') }).size;
        *out_param =
            (struct param){ span_trim((struct span){ section.data, equals }), value, is_quoted };
        return true;
    }
    return false;
}

static struct span params_of(struct span value)
{
    return span_from(value, section_end(value));
}

static bool find(struct span value, struct span name, struct param *out_param)
{
    struct span rest = params_of(value);
    while (next_param(&rest, out_param))
        if (span_equal_word(out_param->name, name))
            return true;
    return false;
}

static void unquote(const struct param *param, struct bytes *out)
{
    for (size_t i = 0; i < param->value.size; i++) {
        char c = param->value.data[i];
        if (param->is_quoted && c == '\\' && i + 1 < param->value.size)
            c = param->value.data[++i];
        if (c != '\r' && c != '\n')
            bytes_byte(out, c);
    }
}

static void unpercent(struct span text, struct bytes *out)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_escape = text.data[i] == '%' && i + 2 < text.size;
        int value = is_escape ? hex_byte(text.data[i + 1], text.data[i + 2]) : -1;
        bytes_byte(out, value >= 0 ? (char)value : text.data[i]);
        i += value >= 0 ? 2 : 0;
    }
}

/* Take charset'language' off the first piece. */
static struct span take_charset(struct span *io_text)
{
    size_t first = span_find(*io_text, '\'');
    struct span charset = { io_text->data, first };
    struct span rest = span_from(*io_text, first + 1);
    size_t second = span_find(rest, '\'');
    if (first == io_text->size || second == rest.size)
        return (struct span){ NULL, 0 };
    *io_text = span_from(rest, second + 1);
    return charset;
}

/* Piece `number`, or the whole when it is negative: "name*3", "name*3*", "name*". */
static bool find_section(struct span value, const char *name, int number, struct param *out_param,
                         bool *out_is_encoded)
{
    char wanted[64];
    int size = number < 0 ? snprintf(wanted, sizeof wanted, "%s*", name)
                          : snprintf(wanted, sizeof wanted, "%s*%d*", name, number);
    if (size < 0 || (size_t)size >= sizeof wanted)
        return false;
    *out_is_encoded = find(value, (struct span){ wanted, (size_t)size }, out_param);
    return *out_is_encoded ||
           (number >= 0 && find(value, (struct span){ wanted, (size_t)size - 1 }, out_param));
}

/* The pieces that RFC 2231 names; false when there are none. */
static bool get_sections(struct span value, const char *name, struct bytes *out)
{
    struct param param;
    bool is_encoded;
    bool is_whole = find_section(value, name, -1, &param, &is_encoded);
    if (!is_whole && !find_section(value, name, 0, &param, &is_encoded))
        return false;
    struct bytes raw;
    struct span charset = { NULL, 0 };
    bytes_init(&raw, out->size_max);
    for (int number = 0; number < PARAM_SECTIONS_MAX; number++) {
        if (number == 0 && is_encoded)
            charset = take_charset(&param.value);
        if (is_encoded)
            unpercent(param.value, &raw);
        else
            unquote(&param, &raw);
        if (is_whole || !find_section(value, name, number + 1, &param, &is_encoded))
            break;
    }
    charset_decode(charset, bytes_get(&raw), out);
    if (raw.failed != 0)
        out->failed = raw.failed;
    bytes_deinit(&raw);
    return true;
}

bool param_get(struct span value, const char *name, struct bytes *out)
{
    struct param param;
    if (get_sections(value, name, out))
        return true;
    if (!find(value, span_of(name), &param))
        return false;
    struct bytes raw;
    bytes_init(&raw, out->size_max);
    unquote(&param, &raw);
    word_decode(bytes_get(&raw), out);
    if (raw.failed != 0)
        out->failed = raw.failed;
    bytes_deinit(&raw);
    return true;
}

/* The plain and the quoted form, where the value fits on a line. */
static bool add_short(struct bytes *out, const char *name, struct span value, size_t *io_column)
{
    bool is_token = param_is_token(value);
    size_t width = strlen(name) + value.size + 3;
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < 0x20 || c >= 0x7f)
            return false;
        width += c == '"' || c == '\\';
    }
    if (width + 2 > HEADER_COLUMNS || (!is_token && word_is_needed(value)))
        return false;
    bytes_byte(out, ';');
    bool has_room = *io_column + 2 + width <= HEADER_COLUMNS;
    bytes_text(out, has_room ? " " : "\r\n ");
    *io_column = (has_room ? *io_column + 2 : 1) + width;
    bytes_printf(out, "%s=%s", name, is_token ? "" : "\"");
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\')
            bytes_byte(out, '\\');
        bytes_byte(out, value.data[i]);
    }
    if (!is_token)
        bytes_byte(out, '"');
    return true;
}

static bool is_attribute_char(char c)
{
    return is_token_char(c) && c != '*' && c != '\'' && c != '%';
}

void param_add(struct bytes *out, const char *name, struct span value, size_t *io_column)
{
    if (add_short(out, name, value, io_column))
        return;
    size_t width = 0;
    for (size_t i = 0; i < value.size; i++)
        width += is_attribute_char(value.data[i]) ? 1 : 3;
    bool is_whole = width <= SECTION_WIDTH - 20; /* with the charset, on one line */
    int number = 0;
    size_t column = SECTION_WIDTH; /* full: the first piece begins a line */
    while (value.size > 0 && out->failed == 0) {
        size_t size = utf8_size(value); /* some readers decode each piece by itself */
        size = size == 0 ? 1 : size;
        if (column + 3 * size > SECTION_WIDTH) {
            column = number == 0 ? sizeof "UTF-8''" - 1 : 0;
            *io_column = 1 + strlen(name) + 6 + column;
            bytes_printf(out, is_whole ? ";\r\n %s*=" : ";\r\n %s*%d*=", name, number);
            bytes_text(out, number++ == 0 ? "UTF-8''" : "");
        }
        size_t begin = out->size;
        for (size_t i = 0; i < size; i++)
            if (is_attribute_char(value.data[i]))
                bytes_byte(out, value.data[i]);
            else
                bytes_printf(out, "%%%02X", (unsigned)(unsigned char)value.data[i]);
        column += out->size - begin;
        *io_column += out->size - begin;
        value = span_from(value, size);
    }
}

/* header.c -- see header.h. */
#include "header.h"

#include "word.h"

/* A line and those that continue it. */
static struct span take_field(struct span *io_rest)
{
    struct span all = *io_rest, line;
    while (span_line(io_rest, &line) && io_rest->size > 0 && ascii_is_blank(io_rest->data[0]))
        ;
    return (struct span){ all.data, all.size - io_rest->size };
}

static struct span without_line_end(struct span text)
{
    if (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    if (text.size > 0 && text.data[text.size - 1] == '\r')
        text.size--;
    return text;
}

bool header_next(struct span *io_rest, struct header_field *out_field)
{
    while (io_rest->size > 0) {
        struct span rest = *io_rest;
        struct span whole = take_field(&rest);
        if (without_line_end(whole).size == 0)
            return false;
        *io_rest = rest;
        size_t colon = span_find(whole, ':');
        struct span name = span_trim((struct span){ whole.data, colon });
        bool is_field = colon < whole.size && name.size > 0 && name.data == whole.data;
        for (size_t i = 0; is_field && i < name.size; i++)
            is_field = name.data[i] > ' ' && name.data[i] < 0x7f;
        if (!is_field)
            continue;
        *out_field =
            (struct header_field){ name, without_line_end(span_from(whole, colon + 1)), whole };
        return true;
    }
    return false;
}

bool header_find(struct span header, const char *name, struct span *out_value)
{
    struct header_field field;
    while (header_next(&header, &field))
        if (span_is_word(field.name, name)) {
            *out_value = field.value;
            return true;
        }
    *out_value = (struct span){ NULL, 0 };
    return false;
}

bool header_text(struct span header, const char *name, struct bytes *out)
{
    struct span value;
    if (!header_find(header, name, &value))
        return false;
    word_decode(value, out);
    return true;
}

/* The size of the one that `text` begins with; 0: it is none. */
static size_t id_size(struct span text)
{
    size_t at = 1, local = 0; /* where the last "@" is */
    while (at < text.size && text.data[at] > ' ' && text.data[at] < 0x7f && text.data[at] != '<' &&
           text.data[at] != '>') {
        local = text.data[at] == '@' ? at : local;
        at++;
    }
    bool is_closed = at < text.size && text.data[at] == '>';
    return is_closed && local > 1 && local + 1 < at ? at + 1 : 0;
}

bool header_next_id(struct span *io_rest, struct span *out_id)
{
    size_t size = 0;
    while (size == 0 && io_rest->size > 0) {
        *io_rest = span_from(*io_rest, span_find(*io_rest, '<'));
        size = io_rest->size > 0 ? id_size(*io_rest) : 0;
        *out_id = (struct span){ io_rest->data, size };
        *io_rest = span_from(*io_rest, size > 0 ? size : 1);
    }
    return size > 0;
}

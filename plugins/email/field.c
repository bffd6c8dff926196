/* field.c -- see field.h. */
#include "field.h"

#include "charset.h"
#include "fault.h"
#include "word.h"

int field_check_name(struct span name, struct fault *fault)
{
    bool is_valid = name.size > 0 && name.size <= FIELD_NAME_MAX;
    for (size_t i = 0; is_valid && i < name.size; i++)
        is_valid = name.data[i] > ' ' && name.data[i] < 0x7f && name.data[i] != ':';
    if (is_valid)
        return 0;
    return fault_set(
        fault, FAULT_INVALID,
        "header \"%.*s\": a name is 1 to %d printable ASCII characters without a colon",
        (int)(name.size < FIELD_NAME_MAX ? name.size : FIELD_NAME_MAX),
        name.size == 0 ? "" : name.data, FIELD_NAME_MAX);
}

int field_check_value(struct span name, struct span value, struct fault *fault)
{
    int size = (int)(name.size < FIELD_NAME_MAX ? name.size : FIELD_NAME_MAX);
    if (value.size > FIELD_VALUE_MAX)
        return fault_set(fault, FAULT_LIMIT, "%.*s: %zu bytes, at most %u", size, name.data,
                         value.size, FIELD_VALUE_MAX);
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c == '\r' || c == '\n')
            return fault_set(fault, FAULT_INVALID,
                             "%.*s: a line end at byte %zu would begin another header; remove it",
                             size, name.data, i);
        if (c < 0x20 ? c != '\t' : c == 0x7f)
            return fault_set(fault, FAULT_INVALID,
                             "%.*s: control character 0x%02x at byte %zu; remove it", size,
                             name.data, c, i);
    }
    if (!utf8_is_valid(value))
        return fault_set(fault, FAULT_INVALID, "%.*s: not valid UTF-8", size, name.data);
    return 0;
}

/* The blanks before a word and the word itself. */
static size_t next_word(struct span value)
{
    size_t at = 0;
    while (at < value.size && ascii_is_blank(value.data[at]))
        at++;
    while (at < value.size && !ascii_is_blank(value.data[at]))
        at++;
    return at;
}

/* The colon and the value.  A line breaks before a blank, which then begins the next one: unfolding
 * gives the value.  It breaks before the first word only where it must. */
static void fold(struct bytes *out, struct span value, size_t name_size)
{
    size_t column = name_size + 2;
    bool is_first = true;
    if (column + next_word(value) > HEADER_LINE_MAX) {
        bytes_text(out, ":\r\n ");
        column = 1;
    } else {
        bytes_text(out, ": ");
    }
    while (value.size > 0) {
        size_t size = next_word(value);
        bool has_blank = ascii_is_blank(value.data[0]);
        if (column + size > HEADER_COLUMNS && has_blank && !is_first) {
            bytes_text(out, "\r\n");
            column = 0;
        }
        bytes_add(out, value.data, size);
        column += size;
        is_first = false;
        value = span_from(value, size);
    }
}

void field_add(struct bytes *out, struct span name, struct span value)
{
    value = span_trim(value);
    size_t column = name.size + 2;
    bytes_span(out, name);
    if (word_is_needed(value)) {
        bytes_text(out, ": ");
        word_encode(out, value, &column);
    } else {
        fold(out, value, name.size);
    }
    bytes_text(out, "\r\n");
}

void field_add_plain(struct bytes *out, const char *name, struct span value)
{
    bytes_text(out, name);
    fold(out, span_trim(value), span_of(name).size);
    bytes_text(out, "\r\n");
}

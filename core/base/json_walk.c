/* json_walk.c -- the grammar of JSON; see json_walk.h.
 *
 * The tokens of the whole text are known before the first is looked at
 * (json_index.h), so reading is a walk over their offsets: one pass, no tree, each
 * string decoded straight to where it will lie in the document.
 *
 * Nesting is a stack of frames, one for each open object or array of the document
 * being written.  Below depth_max nothing can be written any more, but the text
 * must still be known to be valid: there, one byte a level remembers which bracket
 * has to close it, and what is decoded goes where it will be cut off.
 */
#include "core/base/json_walk.h"

#include "core/base/doc_layout.h"
#include "core/base/err.h"
#include "core/base/json_index.h"
#include "core/base/utf8.h"

#include <stdio.h>

#define SYMBOL_FOR_NULL 0x2400 /* in a name, which U+0000 would end */
#define OUT_BYTES_MAX (1u << 31) /* before a text: ten times JSON_BYTES_MAX still fit */

/* Trouble. */

/* Lines are counted onwards from the last trouble: a batch of bad elements must
 * not cost its length for each of them. */
static size_t line_of(struct json_reader *reader, size_t at)
{
    if (at < reader->line_offset) {
        reader->line_offset = 0;
        reader->line = 1;
    }
    for (; reader->line_offset < at; reader->line_offset++)
        reader->line += reader->text.data[reader->line_offset] == '\n';
    return reader->line;
}

int json_report(struct json_reader *reader, const struct json_trouble *trouble, struct err *err)
{
    return err_set(err, trouble->code, "JSON: %s at byte %zu (line %zu)", trouble->reason,
                   trouble->at, line_of(reader, trouble->at));
}

int json_expected(struct json_reader *reader, size_t at, const char *reason)
{
    bool is_end = at == reader->text.size;
    return json_fault(&reader->scan, at, E_INVALID, is_end ? "the text ends too early" : reason);
}

/* Why there is no index of the text.  Backslashes count outside strings too, as
 * they do for the index: there, a fault is inevitable anyway. */
static int diagnose(struct json_reader *reader)
{
    struct json_text text = reader->text;
    size_t valid = utf8_valid_prefix(text.data, text.size);
    if (valid < text.size)
        return json_fault(&reader->scan, valid, E_INVALID, "a byte that is not UTF-8");
    bool is_inside = false;
    size_t quote = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (is_inside && (uint8_t)text.data[i] < 0x20)
            return json_fault(&reader->scan, i, E_INVALID, "a control character in a string");
        if (text.data[i] == '"') {
            is_inside = !is_inside;
            quote = i;
        }
        i += text.data[i] == '\\';
    }
    if (is_inside)
        return json_fault(&reader->scan, quote, E_INVALID, "a string that is not closed");
    return json_expected(reader, text.size, "");
}

/* Tokens. */

int json_text_begin(struct json_reader *reader, const char *text, size_t size)
{
    reader->text = (struct json_text){ text, size };
    reader->scan = (struct json_scan){ .fault = { .reason = NULL } };
    reader->token_next = 0;
    reader->line_offset = 0;
    reader->line = 1;
    buf_clear(&reader->deep);
    if (size > JSON_BYTES_MAX)
        return json_fault(&reader->scan, JSON_BYTES_MAX, E_LIMIT, "more than can be read at once");
    if (size == 0 ||
        !json_index_build(reader->index, text, size, &reader->tokens, &reader->token_count))
        return diagnose(reader);
    return 0;
}

static size_t token_peek(const struct json_reader *reader)
{
    return reader->token_next < reader->token_count ? reader->tokens[reader->token_next]
                                                    : reader->text.size;
}

size_t json_token_next(struct json_reader *reader)
{
    size_t at = token_peek(reader);
    reader->token_next++;
    return at;
}

bool json_is_at(const struct json_reader *reader, size_t at, char c)
{
    return at < reader->text.size && reader->text.data[at] == c;
}

int json_text_end(struct json_reader *reader)
{
    size_t at = json_token_next(reader);
    if (at == reader->text.size)
        return 0;
    return json_fault(&reader->scan, at, E_INVALID, "something after the end of the value");
}

/* Writing. */

static inline uint8_t *room(struct buf *out, size_t size)
{
    return out->capacity - out->size >= size ? out->data + out->size : buf_reserve(out, size);
}

void json_walk_init(struct json_walk *w, struct json_reader *reader,
                    const struct json_limits *limits, struct buf *out, struct json_names *names)
{
    ASSERT(limits->depth_max > 0 && limits->depth_max <= DOC_DEPTH_MAX);
    ASSERT(out->size <= OUT_BYTES_MAX);
    w->reader = reader;
    w->out = out;
    w->names = names;
    w->depth_max = limits->depth_max;
    w->depth = 0;
    json_names_reset(names);
}

void json_walk_open(struct json_walk *w, size_t at, bool is_array)
{
    if (w->depth >= w->depth_max) {
        snprintf(w->reader->too_deep, sizeof w->reader->too_deep, "nested more than %u levels deep",
                 w->depth_max);
        json_flaw(&w->reader->scan, at, E_INVALID, w->reader->too_deep);
        buf_byte(&w->reader->deep, is_array);
    } else {
        struct json_frame *frame = &w->open[w->depth];
        *frame = (struct json_frame){ .start = (uint32_t)w->out->size, .is_array = is_array };
        if (!is_array)
            frame->object = json_names_object(w->names);
        room(w->out, PREFIX_BYTES);
        w->out->size += PREFIX_BYTES;
    }
    w->depth++;
}

static bool top_is_array(const struct json_walk *w)
{
    if (w->depth <= w->depth_max)
        return w->open[w->depth - 1].is_array;
    return w->reader->deep.data[w->reader->deep.size - 1] != 0;
}

/* Remove each field of the object that a later one of the same name replaces. */
static void drop_duplicates(struct json_walk *w, const struct json_frame *frame)
{
    uint8_t *bytes = w->out->data;
    uint32_t from = frame->start + PREFIX_BYTES, to = from;
    while (from < w->out->size) {
        size_t name_size = strlen((const char *)bytes + from + 1);
        const uint8_t *value = bytes + from + name_size + 2;
        uint32_t size = (uint32_t)(name_size + 2 + value_bytes(bytes[from], value));
        if (json_names_last(w->names, frame->object, bytes, from, name_size) == from) {
            memmove(bytes + to, bytes + from, size);
            to += size;
        }
        from += size;
    }
    w->out->size = to;
}

void json_walk_close(struct json_walk *w)
{
    w->depth--;
    if (w->depth >= w->depth_max) {
        w->reader->deep.size--;
        return;
    }
    struct json_frame *frame = &w->open[w->depth];
    if (frame->has_duplicate && w->reader->scan.flaw.reason == NULL)
        drop_duplicates(w, frame);
    *room(w->out, 1) = 0;
    w->out->size++;
    store32(w->out->data + frame->start, (uint32_t)(w->out->size - frame->start));
}

/* The walk. */

static bool closes(const struct json_walk *w, size_t at)
{
    return json_is_at(w->reader, at, top_is_array(w) ? ']' : '}');
}

int json_walk_name(struct json_walk *w, size_t at, uint32_t *out_size)
{
    struct json_reader *reader = w->reader;
    if (!json_is_at(reader, at, '"'))
        return json_expected(reader, at, "a name in quotes expected");
    uint8_t *field = room(w->out, token_peek(reader) - at + 2 + JSON_SLACK);
    reader->scan.nul = SYMBOL_FOR_NULL;
    int rc = json_scan_text(&reader->scan, reader->text, at, field + 1, out_size);
    reader->scan.nul = 0;
    if (rc != 0)
        return rc;
    field[1 + *out_size] = 0;
    w->out->size += *out_size + 2;
    at = json_token_next(reader);
    return json_is_at(reader, at, ':') ? 0 : json_expected(reader, at, "':' expected");
}

void json_walk_note(struct json_walk *w, size_t field, uint32_t size)
{
    if (w->reader->scan.flaw.reason != NULL)
        return;
    struct json_frame *frame = &w->open[w->depth - 1];
    frame->has_duplicate |=
        json_names_put(w->names, frame->object, w->out->data, (uint32_t)field, size);
}

static void index_write(struct json_walk *w)
{
    uint8_t *field = room(w->out, INDEX_TEXT_MAX + 2);
    uint32_t index = w->depth <= w->depth_max ? w->open[w->depth - 1].index++ : 0;
    size_t size = index_text(index, field + 1);
    field[1 + size] = 0;
    w->out->size += size + 2;
}

static int text_value(struct json_walk *w, size_t at)
{
    struct json_reader *reader = w->reader;
    uint8_t *to = room(w->out, token_peek(reader) - at + 5 + JSON_SLACK);
    uint32_t size = 0;
    int rc = json_scan_text(&reader->scan, reader->text, at, to + 4, &size);
    if (rc != 0)
        return rc;
    store32(to, size + 1);
    to[4 + size] = 0;
    w->out->size += size + 5;
    return 0;
}

int json_walk_value(struct json_walk *w, size_t at, size_t field)
{
    struct json_reader *reader = w->reader;
    enum doc_type type = DOC_TEXT;
    int rc = 0;
    switch (at < reader->text.size ? reader->text.data[at] : '\0') {
    case '"':
        rc = text_value(w, at);
        break;
    case '{':
        json_walk_open(w, at, false);
        type = DOC_DOC;
        break;
    case '[':
        json_walk_open(w, at, true);
        type = DOC_ARRAY;
        break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        rc = json_scan_number(&reader->scan, reader->text, at, room(w->out, 8), &type);
        w->out->size += 8;
        break;
    case 't':
    case 'f':
    case 'n':
        rc = json_scan_word(&reader->scan, reader->text, at, room(w->out, 1), &type);
        w->out->size += type == DOC_BOOL;
        break;
    default:
        return json_expected(reader, at, "a value expected");
    }
    w->out->data[field] = (uint8_t)type;
    return rc;
}

/* One field of an object, from its name on, or one element of an array. */
static int item_read(struct json_walk *w, size_t at)
{
    size_t field = w->out->size;
    if (top_is_array(w)) {
        index_write(w);
        return json_walk_value(w, at, field);
    }
    uint32_t size = 0;
    int rc = json_walk_name(w, at, &size);
    if (rc != 0)
        return rc;
    json_walk_note(w, field, size);
    return json_walk_value(w, json_token_next(w->reader), field);
}

int json_walk_end(struct json_walk *w, size_t base)
{
    while (w->depth > base) {
        size_t at = json_token_next(w->reader);
        if (json_is_at(w->reader, at, ','))
            return 0;
        if (!closes(w, at))
            return json_expected(w->reader, at,
                                 top_is_array(w) ? "',' or ']' expected" : "',' or '}' expected");
        json_walk_close(w);
    }
    return 0;
}

int json_walk_items(struct json_walk *w, size_t base)
{
    bool is_first = true; /* behind an opening bracket: it may close at once */
    int rc = 0;
    while (rc == 0 && w->depth > base) {
        size_t at = json_token_next(w->reader), depth = w->depth;
        if (is_first && closes(w, at))
            json_walk_close(w);
        else
            rc = item_read(w, at);
        is_first = w->depth > depth;
        if (rc == 0 && !is_first)
            rc = json_walk_end(w, base);
    }
    return rc;
}

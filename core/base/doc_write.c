/* doc_write.c -- appending BSON; see doc.h.
 *
 * Every append reserves its bytes once and fills them in place.  The length of
 * an open document is not known yet, so its place is remembered on the writer's
 * own small stack and filled when it closes.  Building a tree first and encoding
 * it afterwards would touch every byte twice.
 */
#include "core/base/doc_layout.h"

/* Append type and name and make room for `size` bytes of value; returns where
 * they go. */
static uint8_t *put(struct doc_writer *w, enum doc_type type, struct text name, size_t size)
{
    ASSERT(w->depth > 0);
    uint8_t number[INDEX_TEXT_MAX];
    if (w->open[w->depth - 1].is_array)
        name = (struct text){ (const char *)number,
                              (uint32_t)index_text(w->open[w->depth - 1].index++, number) };
    uint8_t *at = buf_reserve(w->buf, name.size + 2 + size);
    w->buf->size += name.size + 2 + size;
    *at++ = (uint8_t)type;
    if (name.size != 0)
        memcpy(at, name.data, name.size);
    at += name.size;
    *at++ = 0;
    return at;
}

/* The length prefix of a new document, for now empty, goes to the buffer's end. */
static void open_here(struct doc_writer *w, bool is_array)
{
    ASSERT(w->depth < DOC_DEPTH_MAX && w->buf->size <= UINT32_MAX - PREFIX_BYTES);
    w->open[w->depth].start = (uint32_t)w->buf->size;
    w->open[w->depth].index = 0;
    w->open[w->depth].is_array = is_array;
    w->depth++;
    buf_reserve(w->buf, PREFIX_BYTES);
    w->buf->size += PREFIX_BYTES;
}

void doc_begin(struct doc_writer *w, struct buf *buf)
{
    w->buf = buf;
    w->depth = 0;
    open_here(w, false);
}

struct doc doc_end(struct doc_writer *w)
{
    ASSERT(w->depth == 1);
    uint32_t start = w->open[0].start;
    doc_close(w);
    return (struct doc){ w->buf->data + start, (uint32_t)(w->buf->size - start) };
}

void doc_open(struct doc_writer *w, const char *name)
{
    doc_open_text(w, text_of(name));
}

void doc_open_array(struct doc_writer *w, const char *name)
{
    doc_open_array_text(w, text_of(name));
}

void doc_close(struct doc_writer *w)
{
    ASSERT(w->depth > 0);
    buf_byte(w->buf, 0);
    w->depth--;
    size_t size = w->buf->size - w->open[w->depth].start;
    ASSERT(size <= DOC_BYTES_MAX);
    store32(w->buf->data + w->open[w->depth].start, (uint32_t)size);
}

static void put_text(struct doc_writer *w, struct text name, struct text value)
{
    ASSERT(value.size < DOC_BYTES_MAX);
    uint8_t *at = put(w, DOC_TEXT, name, (size_t)value.size + 5);
    store32(at, value.size + 1);
    if (value.size != 0)
        memcpy(at + 4, value.data, value.size);
    at[4 + value.size] = 0;
}

static void put_binary(struct doc_writer *w, struct text name, const void *data, size_t size,
                       uint8_t subtype)
{
    ASSERT(size < DOC_BYTES_MAX);
    uint8_t *at = put(w, DOC_BINARY, name, size + 5);
    store32(at, (uint32_t)size);
    at[4] = subtype;
    if (size != 0)
        memcpy(at + 5, data, size);
}

static void put_doc(struct doc_writer *w, enum doc_type type, struct text name, struct doc value)
{
    if (value.data == NULL)
        value = (struct doc){ empty_doc, EMPTY_BYTES };
    memcpy(put(w, type, name, value.size), value.data, value.size);
}

void doc_put_text(struct doc_writer *w, const char *name, struct text value)
{
    put_text(w, text_of(name), value);
}

void doc_put_present(struct doc_writer *w, const char *name, struct text value)
{
    if (value.size != 0)
        doc_put_text(w, name, value);
}

void doc_put_string(struct doc_writer *w, const char *name, const char *value)
{
    put_text(w, text_of(name), text_of(value));
}

void doc_put_int(struct doc_writer *w, const char *name, int64_t value)
{
    memcpy(put(w, DOC_INT64, text_of(name), sizeof value), &value, sizeof value);
}

void doc_put_double(struct doc_writer *w, const char *name, double value)
{
    memcpy(put(w, DOC_DOUBLE, text_of(name), sizeof value), &value, sizeof value);
}

void doc_put_bool(struct doc_writer *w, const char *name, bool value)
{
    *put(w, DOC_BOOL, text_of(name), 1) = value;
}

void doc_put_null(struct doc_writer *w, const char *name)
{
    put(w, DOC_NULL, text_of(name), 0);
}

void doc_put_datetime(struct doc_writer *w, const char *name, int64_t ms)
{
    memcpy(put(w, DOC_DATETIME, text_of(name), sizeof ms), &ms, sizeof ms);
}

void doc_put_binary(struct doc_writer *w, const char *name, const void *data, size_t size)
{
    put_binary(w, text_of(name), data, size, 0);
}

void doc_put_doc(struct doc_writer *w, const char *name, struct doc value)
{
    put_doc(w, DOC_DOC, text_of(name), value);
}

void doc_put_array(struct doc_writer *w, const char *name, struct doc value)
{
    put_doc(w, DOC_ARRAY, text_of(name), value);
}

void doc_put_value(struct doc_writer *w, const char *name, const struct doc_value *value)
{
    doc_put_value_text(w, text_of(name), value);
}

void doc_put_value_text(struct doc_writer *w, struct text name, const struct doc_value *value)
{
    switch (value->type) {
    case DOC_NONE:
        break;
    case DOC_TEXT:
        put_text(w, name, value->text);
        break;
    case DOC_DOC:
    case DOC_ARRAY:
        put_doc(w, value->type, name, value->doc);
        break;
    case DOC_BINARY:
        put_binary(w, name, value->binary.data, value->binary.size, value->binary.subtype);
        break;
    case DOC_BOOL:
        *put(w, DOC_BOOL, name, 1) = value->boolean;
        break;
    case DOC_NULL:
        put(w, DOC_NULL, name, 0);
        break;
    case DOC_DOUBLE:
        memcpy(put(w, DOC_DOUBLE, name, 8), &value->number, 8);
        break;
    case DOC_INT32:
    case DOC_INT64:
        memcpy(put(w, DOC_INT64, name, 8), &value->integer, 8);
        break;
    case DOC_DATETIME:
        memcpy(put(w, DOC_DATETIME, name, 8), &value->integer, 8);
        break;
    case DOC_DECIMAL:
        memcpy(put(w, DOC_DECIMAL, name, 16), value->decimal, 16);
        break;
    }
}

void doc_open_text(struct doc_writer *w, struct text name)
{
    put(w, DOC_DOC, name, 0);
    open_here(w, false);
}

void doc_open_array_text(struct doc_writer *w, struct text name)
{
    put(w, DOC_ARRAY, name, 0);
    open_here(w, true);
}

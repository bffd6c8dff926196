/* doc_validate.c -- the gate that bytes from outside pass once; see doc.h.
 *
 * Everything behind the gate trusts what it checks: that each length ends inside
 * its document, each text and name with a zero byte, each document with its own,
 * and that text is UTF-8.  A single pass looks at every byte; the open documents
 * are a stack of fixed size, so that hostile nesting costs nothing.
 *
 * The reason of a refusal names the path of the fault, which is why the stack
 * keeps the names as well.
 */
#include "core/base/buf.h"
#include "core/base/doc_layout.h"
#include "core/base/err.h"
#include "core/base/utf8.h"

#define BINARY_SUBTYPE_OLD 2 /* withdrawn by the specification: a length inside the length */

struct validation {
    struct err *err;
    unsigned depth; /* documents open */
    struct {
        const uint8_t *end; /* the closing zero byte */
        struct text name;   /* the field that holds it; none for the outermost */
    } open[DOC_DEPTH_MAX];
};

/* A reason is one line of text, whatever a name holds. */
static void hide_controls(struct buf *path)
{
    for (size_t i = 0; i < path->size; i++)
        if (path->data[i] < 0x20 || path->data[i] == 0x7f)
            path->data[i] = '?';
}

static int fault(const struct validation *v, struct text name, const char *what)
{
    struct buf path = BUF_INIT;
    for (unsigned i = 1; i < v->depth; i++) {
        buf_append(&path, v->open[i].name.data, v->open[i].name.size);
        buf_byte(&path, '.');
    }
    if (name.size != 0)
        buf_append(&path, name.data, name.size);
    else if (path.size != 0)
        path.size--;
    hide_controls(&path);
    if (path.size != 0)
        err_set(v->err, E_INVALID, "document: %s at %s", what, buf_string(&path));
    else
        err_set(v->err, E_INVALID, "document: %s", what);
    buf_deinit(&path);
    return E_INVALID;
}

/* Check the frame of a document of at most `room` bytes at `at`; on success it
 * becomes the innermost open one. */
static int validate_open(struct validation *v, const uint8_t *at, size_t room, struct text name,
                         unsigned depth_max)
{
    if (room < EMPTY_BYTES)
        return fault(v, name, "the bytes end inside a document");
    uint32_t size = load32(at);
    if (size < EMPTY_BYTES || size > room)
        return fault(v, name, "the length of a document is not that of its bytes");
    if (at[size - 1] != 0)
        return fault(v, name, "a document without its closing zero byte");
    if (v->depth >= depth_max)
        return fault(v, name, "nested too deeply");
    v->open[v->depth].end = at + size - 1;
    v->open[v->depth].name = name;
    v->depth++;
    return 0;
}

static int validate_text(const struct validation *v, const uint8_t *at, size_t size,
                         struct text name)
{
    if (size == 4 || at[size - 1] != 0)
        return fault(v, name, "text without its closing zero byte");
    if (!utf8_valid(at + 4, size - 5))
        return fault(v, name, "text that is not UTF-8");
    return 0;
}

/* Check the value at `at`; `out_size` is what to step over, which for a document
 * is its length prefix alone: its fields are walked next. */
static int validate_value(struct validation *v, uint8_t type, const uint8_t *at, size_t room,
                          struct text name, unsigned depth_max, size_t *out_size)
{
    if (type == DOC_DOC || type == DOC_ARRAY) {
        *out_size = PREFIX_BYTES;
        return validate_open(v, at, room, name, depth_max);
    }
    bool has_length = (value_sizes[type] & SIZE_HAS_LENGTH) != 0;
    size_t fixed = value_sizes[type] & SIZE_FIXED;
    if (fixed > room || (has_length && load32(at) > room - fixed))
        return fault(v, name, "a value longer than its document");
    *out_size = value_bytes(type, at);
    if (type == DOC_TEXT)
        return validate_text(v, at, *out_size, name);
    if (type == DOC_BOOL && *at > 1)
        return fault(v, name, "a boolean that is neither 0 nor 1");
    if (type == DOC_BINARY && at[4] == BINARY_SUBTYPE_OLD)
        return fault(v, name, "binary of the withdrawn subtype 2");
    return 0;
}

static int validate_field(struct validation *v, const uint8_t **at, unsigned depth_max)
{
    const uint8_t *end = v->open[v->depth - 1].end;
    const uint8_t *start = *at + 1;
    uint8_t type = **at;
    if (type == 0)
        return fault(v, (struct text){ NULL, 0 }, "a document that ends before its length");
    const uint8_t *stop = memchr(start, 0, (size_t)(end - start));
    if (stop == NULL)
        return fault(v, (struct text){ NULL, 0 }, "a name without its closing zero byte");
    if (!utf8_valid(start, (size_t)(stop - start)))
        return fault(v, (struct text){ NULL, 0 }, "a name that is not UTF-8");
    struct text name = { (const char *)start, (uint32_t)(stop - start) };
    if (value_sizes[type] == 0)
        return fault(v, name, "a value of an unknown type");

    const uint8_t *value = stop + 1;
    size_t size = 0;
    int rc = validate_value(v, type, value, (size_t)(end - value), name, depth_max, &size);
    if (rc == 0)
        *at = value + size;
    return rc;
}

int doc_validate(const void *data, size_t size, unsigned depth_max, struct err *err)
{
    struct validation v = { .err = err, .depth = 0 };
    const struct text no_name = { NULL, 0 };
    if (depth_max > DOC_DEPTH_MAX)
        depth_max = DOC_DEPTH_MAX;
    if (size < EMPTY_BYTES || size > DOC_BYTES_MAX || load32(data) != size)
        return fault(&v, no_name, "the length is not that of the bytes");

    const uint8_t *at = data;
    int rc = validate_open(&v, at, size, no_name, depth_max);
    at += PREFIX_BYTES;
    while (rc == 0 && v.depth > 0) {
        if (at == v.open[v.depth - 1].end) {
            at++;
            v.depth--;
        } else {
            rc = validate_field(&v, &at, depth_max);
        }
    }
    return rc;
}

/* json_write.c -- documents as JSON text; see json_write.h.
 *
 * A document is walked as the flat run of tokens that it is: a field, an opening,
 * a closing zero byte.  All that has to be remembered of the levels above is
 * whether each is an array, one bit a level.
 *
 * libbson's own writer was rejected: it is many times slower, and the dialect it
 * writes gives names like "$date" a meaning.
 */
#include "core/base/json_write.h"

#include "core/base/buf.h"
#include "core/base/civil.h"
#include "core/base/decimal.h"
#include "core/base/doc_layout.h"
#include "core/base/moment.h"
#include "core/base/number.h"

#include <math.h>

#define SLACK 8      /* text is copied eight bytes at a time */
#define ESCAPE_MAX 6 /* \u001f */
#define INT_TEXT_MAX 20

/* Text. */

/* The high bit of each byte that is a quote, a backslash or below 0x20; above the
 * lowest of them there may be false ones. */
static uint64_t special_bytes(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
            ((word - ones * 0x20) & ~word)) &
           highs;
}

static bool is_special(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* Copy up to the next special byte, or to `end`. */
static const uint8_t *copy_plain(const uint8_t *from, const uint8_t *end, uint8_t **to)
{
    for (; end - from >= 8; from += 8, *to += 8) {
        uint64_t word = load64(from);
        memcpy(*to, &word, sizeof word);
        uint64_t special = special_bytes(word);
        if (special != 0) {
            unsigned n = (unsigned)__builtin_ctzll(special) / 8;
            *to += n;
            return from + n;
        }
    }
    while (from < end && !is_special(*from))
        *(*to)++ = *from++;
    return from;
}

static uint8_t *put_escape(uint8_t *to, uint8_t c)
{
    static const char short_form[0x60] = {
        ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
        ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
    };
    static const char hex[] = "0123456789abcdef";
    *to++ = '\\';
    if (short_form[c] != 0) {
        *to++ = (uint8_t)short_form[c];
        return to;
    }
    memcpy(to, "u00", 3);
    to[3] = (uint8_t)hex[c >> 4];
    to[4] = (uint8_t)hex[c & 15];
    return to + 5;
}

static void write_text(struct buf *out, const char *data, size_t size)
{
    const uint8_t *from = (const uint8_t *)data, *end = size != 0 ? from + size : from;
    uint8_t *to = buf_reserve(out, size + SLACK + 2);
    *to++ = '"';
    for (;;) {
        from = copy_plain(from, end, &to);
        out->size = (size_t)(to - out->data);
        if (from == end)
            break;
        to = buf_reserve(out, (size_t)(end - from) + ESCAPE_MAX + SLACK + 1);
        to = put_escape(to, *from++);
    }
    out->data[out->size++] = '"';
}

void json_write_text(struct buf *out, struct text text)
{
    write_text(out, text.data, text.size);
}

/* Numbers and bytes. */

void json_write_int(struct buf *out, int64_t value)
{
    char text[INT_TEXT_MAX], *at = text + sizeof text;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        *--at = '-';
    buf_append(out, at, (size_t)(text + sizeof text - at));
}

void json_write_double(struct buf *out, double value)
{
    if (!isfinite(value)) {
        buf_append(out, "null", 4);
        return;
    }
    char *text = (char *)buf_reserve(out, NUMBER_TEXT_SIZE);
    out->size += number_format(value, text);
}

static void write_datetime(struct buf *out, int64_t ms)
{
    if (ms < CIVIL_MS_MIN || ms > CIVIL_MS_MAX) {
        json_write_int(out, ms);
        return;
    }
    char text[MOMENT_TEXT_SIZE];
    moment_format(ms, text);
    write_text(out, text, MOMENT_TEXT_SIZE - 1);
}

static void write_base64(struct buf *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *to = buf_reserve(out, (size + 2) / 3 * 4 + 2);
    *to++ = '"';
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)data[i] << 16;
        group |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        group |= left > 2 ? data[i + 2] : 0;
        *to++ = (uint8_t)digits[group >> 18];
        *to++ = (uint8_t)digits[group >> 12 & 63];
        *to++ = (uint8_t)(left > 1 ? digits[group >> 6 & 63] : '=');
        *to++ = (uint8_t)(left > 2 ? digits[group & 63] : '=');
    }
    *to++ = '"';
    out->size = (size_t)(to - out->data);
}

static void write_decimal(struct buf *out, const uint8_t decimal[16])
{
    char text[DECIMAL_TEXT_SIZE];
    write_text(out, text, decimal_format(decimal, text));
}

/* Values and documents. */

static void write_scalar(struct buf *out, const struct doc_value *value)
{
    switch (value->type) {
    case DOC_DOUBLE:
        json_write_double(out, value->number);
        break;
    case DOC_TEXT:
        json_write_text(out, value->text);
        break;
    case DOC_BINARY:
        write_base64(out, value->binary.data, value->binary.size);
        break;
    case DOC_BOOL:
        buf_text(out, value->boolean ? "true" : "false");
        break;
    case DOC_DATETIME:
        write_datetime(out, value->integer);
        break;
    case DOC_INT32:
    case DOC_INT64:
        json_write_int(out, value->integer);
        break;
    case DOC_DECIMAL:
        write_decimal(out, value->decimal);
        break;
    default:
        buf_append(out, "null", 4);
        break;
    }
}

struct writing {
    struct buf *out;
    unsigned depth;
    uint64_t arrays[JSON_WRITE_DEPTH_MAX / 64]; /* a bit for each level */
};

static void level_open(struct writing *w, bool is_array)
{
    ASSERT(w->depth < JSON_WRITE_DEPTH_MAX);
    uint64_t bit = 1ull << w->depth % 64, *word = &w->arrays[w->depth / 64];
    *word = is_array ? *word | bit : *word & ~bit;
    w->depth++;
    buf_byte(w->out, is_array ? '[' : '{');
}

static bool level_is_array(const struct writing *w)
{
    unsigned level = w->depth - 1;
    return (w->arrays[level / 64] >> level % 64 & 1) != 0;
}

static void level_close(struct writing *w)
{
    buf_byte(w->out, level_is_array(w) ? ']' : '}');
    w->depth--;
}

static void write_tree(struct buf *out, struct doc doc, bool is_array)
{
    struct writing w = { .out = out };
    const uint8_t *at = (doc.data != NULL ? doc.data : empty_doc) + PREFIX_BYTES;
    bool is_first = true;
    level_open(&w, is_array);
    while (w.depth > 0) {
        uint8_t type = *at++;
        if (type == 0) {
            level_close(&w);
            is_first = false;
            continue;
        }
        size_t name_size = strlen((const char *)at);
        if (!is_first)
            buf_byte(out, ',');
        if (!level_is_array(&w)) {
            write_text(out, (const char *)at, name_size);
            buf_byte(out, ':');
        }
        at += name_size + 1;
        is_first = type == DOC_DOC || type == DOC_ARRAY;
        if (is_first) {
            level_open(&w, type == DOC_ARRAY);
            at += PREFIX_BYTES;
        } else {
            struct doc_value value;
            value_decode(type, at, &value);
            write_scalar(out, &value);
            at += value_bytes(type, at);
        }
    }
}

void json_write_doc(struct buf *out, struct doc doc)
{
    write_tree(out, doc, false);
}

void json_write_value(struct buf *out, const struct doc_value *value)
{
    if (value->type == DOC_DOC || value->type == DOC_ARRAY)
        write_tree(out, value->doc, value->type == DOC_ARRAY);
    else
        write_scalar(out, value);
}

/* doc_layout.h -- where the parts of a BSON document lie; private to doc*.c and json_*.c.
 *
 * A document is a length (int32, itself included), fields, and a zero byte:
 *
 *     15 00 00 00 | 12 'n' 00  2a 00 00 00 00 00 00 00 | 00
 *     length        type name  value (int64 42)          end
 *
 * Numbers are little-endian, as this machine must be to read them in place.
 */
#ifndef CORE_BASE_DOC_LAYOUT_H
#define CORE_BASE_DOC_LAYOUT_H

#include "core/base/doc.h"
#include "core/base/mem.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "BSON is read in place");
_Static_assert(sizeof(double) == 8, "BSON doubles are IEEE 754 binary64");

#define PREFIX_BYTES 4
#define EMPTY_BYTES 5             /* a document without fields */
#define DOC_BYTES_MAX 0x7fffffffu /* the prefix is a signed int32 */

static const uint8_t empty_doc[EMPTY_BYTES] = { EMPTY_BYTES, 0, 0, 0, 0 };

/* How many bytes a value takes: a fixed part, and for some kinds as many more as
 * the int32 at its beginning says.  One byte a type, so that a step over a field
 * costs one load; zero for what is not a type. */
#define SIZE_KNOWN 0x80u
#define SIZE_HAS_LENGTH 0x40u
#define SIZE_FIXED 0x3fu

static const uint8_t value_sizes[256] = {
    [DOC_DOUBLE] = SIZE_KNOWN | 8,
    [DOC_TEXT] = SIZE_KNOWN | SIZE_HAS_LENGTH | 4,
    [DOC_DOC] = SIZE_KNOWN | SIZE_HAS_LENGTH, /* the length counts itself */
    [DOC_ARRAY] = SIZE_KNOWN | SIZE_HAS_LENGTH,
    [DOC_BINARY] = SIZE_KNOWN | SIZE_HAS_LENGTH | 5, /* length and subtype */
    [DOC_BOOL] = SIZE_KNOWN | 1,
    [DOC_DATETIME] = SIZE_KNOWN | 8,
    [DOC_NULL] = SIZE_KNOWN | 0,
    [DOC_INT32] = SIZE_KNOWN | 4,
    [DOC_INT64] = SIZE_KNOWN | 8,
    [DOC_DECIMAL] = SIZE_KNOWN | 16,
};

static inline uint32_t load32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void store32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

/* Filled in place: returning the struct makes compilers copy it in wider loads
 * than the stores before, which costs more than the whole decoding. */
static inline void value_decode(uint8_t type, const uint8_t *at, struct doc_value *out)
{
    out->type = type;
    switch (type) {
    case DOC_DOUBLE:
        memcpy(&out->number, at, sizeof out->number);
        break;
    case DOC_TEXT:
        out->text = (struct text){ (const char *)at + 4, load32(at) - 1 };
        break;
    case DOC_DOC:
    case DOC_ARRAY:
        out->doc = (struct doc){ at, load32(at) };
        break;
    case DOC_BINARY:
        out->binary.data = at + 5;
        out->binary.size = load32(at);
        out->binary.subtype = at[4];
        break;
    case DOC_BOOL:
        out->boolean = *at != 0;
        break;
    case DOC_INT32:
        out->type = DOC_INT64;
        out->integer = (int32_t)load32(at);
        break;
    case DOC_INT64:
    case DOC_DATETIME:
        out->integer = (int64_t)load64(at);
        break;
    case DOC_DECIMAL:
        memcpy(out->decimal, at, sizeof out->decimal);
        break;
    default:
        break;
    }
}

#define INDEX_TEXT_MAX 10 /* digits of an array index */

/* Write an array index as a name, without a terminator; returns its length. */
static inline size_t index_text(uint32_t index, uint8_t text[INDEX_TEXT_MAX])
{
    uint8_t reversed[INDEX_TEXT_MAX];
    size_t size = 0;
    do {
        reversed[size++] = (uint8_t)('0' + index % 10);
        index /= 10;
    } while (index != 0);
    for (size_t i = 0; i < size; i++)
        text[i] = reversed[size - 1 - i];
    return size;
}

/* Bytes of the value at `at`, which has been validated. */
static inline size_t value_bytes(uint8_t type, const uint8_t *at)
{
    uint8_t size = value_sizes[type];
    ASSERT(size != 0);
    return (size & SIZE_HAS_LENGTH) != 0 ? (size & SIZE_FIXED) + (size_t)load32(at)
                                         : size & SIZE_FIXED;
}

#endif

/* doc.c -- reading BSON in place; see doc.h.
 *
 * Finding a field means stepping over those before it.  A step is the end of a
 * name and the size of a value, and both are cheap: names are scanned eight bytes
 * at a time, sizes come from a small table.  An index of offsets in front of each
 * document was rejected: it would cost more to write than a handful of lookups
 * saves, and the bytes would no longer be BSON.
 *
 * Documents nest, functions do not: equality needs no stack, because a document
 * is a flat run of fields in which an opening and a closing are tokens like others.
 */
#include "core/base/doc_layout.h"

#include <math.h>

/* The length of the name at `at`, which ends before `end`.  Eight bytes at a
 * time: the subtraction carries a high bit out of the lowest zero byte. */
static inline size_t name_length(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at;
    for (; end - at >= 8; at += 8) {
        uint64_t word = load64(at);
        uint64_t zeros = (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
        if (zeros != 0)
            return (size_t)(at - start) + (size_t)__builtin_ctzll(zeros) / 8;
    }
    while (*at != 0)
        at++;
    return (size_t)(at - start);
}

struct doc_value doc_get_text(struct doc doc, struct text name)
{
    struct doc_value found = { .type = DOC_NONE };
    struct doc_iter it = doc_iter(doc);
    for (const uint8_t *at = it.at; at < it.end;) {
        size_t size = name_length(at + 1, it.end);
        const uint8_t *value = at + size + 2;
        if (size == name.size && (size == 0 || memcmp(at + 1, name.data, size) == 0)) {
            value_decode(*at, value, &found);
            break;
        }
        at = value + value_bytes(*at, value);
    }
    return found;
}

struct text doc_text(struct doc doc, const char *name)
{
    struct doc_value value = doc_get(doc, name);
    return value.type == DOC_TEXT ? value.text : (struct text){ NULL, 0 };
}

struct doc doc_child(struct doc doc, const char *name)
{
    struct doc_value value = doc_get(doc, name);
    bool is_child = value.type == DOC_DOC || value.type == DOC_ARRAY;
    return is_child ? value.doc : (struct doc){ NULL, 0 };
}

/* Whether `number` is whole and an int64, and if so which.  The bounds are exact
 * doubles; casting beyond them would be undefined. */
static bool whole(double number, int64_t *out_integer)
{
    if (!(number >= -0x1p63 && number < 0x1p63) || trunc(number) != number)
        return false;
    *out_integer = (int64_t)number;
    return true;
}

int64_t doc_int(struct doc doc, const char *name, int64_t otherwise)
{
    struct doc_value value = doc_get(doc, name);
    if (value.type == DOC_INT64 || value.type == DOC_DATETIME)
        return value.integer;
    int64_t integer = otherwise;
    if (value.type == DOC_DOUBLE)
        whole(value.number, &integer);
    return integer;
}

bool doc_bool(struct doc doc, const char *name, bool otherwise)
{
    struct doc_value value = doc_get(doc, name);
    return value.type == DOC_BOOL ? value.boolean : otherwise;
}

struct doc_iter doc_iter(struct doc doc)
{
    struct doc_iter it = { .at = NULL, .end = NULL };
    if (doc.data != NULL) {
        it.at = doc.data + PREFIX_BYTES;
        it.end = doc.data + doc.size - 1;
    }
    return it;
}

bool doc_next(struct doc_iter *it)
{
    if (it->at == it->end)
        return false;
    uint8_t type = *it->at;
    size_t size = name_length(it->at + 1, it->end);
    const uint8_t *value = it->at + size + 2;
    it->name = (struct text){ (const char *)it->at + 1, (uint32_t)size };
    value_decode(type, value, &it->value);
    it->at = value + value_bytes(type, value);
    return true;
}

size_t doc_count(struct doc doc)
{
    struct doc_iter it = doc_iter(doc);
    size_t count = 0;
    for (const uint8_t *at = it.at; at < it.end; count++) {
        const uint8_t *value = at + name_length(at + 1, it.end) + 2;
        at = value + value_bytes(*at, value);
    }
    return count;
}

/* Equality. */

static bool numbers_equal(const struct doc_value *a, const struct doc_value *b)
{
    if (a->type == DOC_DOUBLE && b->type == DOC_DOUBLE)
        return a->number == b->number || (isnan(a->number) && isnan(b->number));
    if (a->type == DOC_INT64 && b->type == DOC_INT64)
        return a->integer == b->integer;
    double number = a->type == DOC_DOUBLE ? a->number : b->number;
    int64_t other = a->type == DOC_DOUBLE ? b->integer : a->integer;
    int64_t integer = 0;
    return whole(number, &integer) && integer == other;
}

static bool is_number(const struct doc_value *value)
{
    return value->type == DOC_INT64 || value->type == DOC_DOUBLE;
}

static bool scalars_equal(const struct doc_value *a, const struct doc_value *b)
{
    if (is_number(a) && is_number(b))
        return numbers_equal(a, b);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case DOC_TEXT:
        return text_equal(a->text, b->text);
    case DOC_BOOL:
        return a->boolean == b->boolean;
    case DOC_DATETIME:
        return a->integer == b->integer;
    case DOC_DECIMAL:
        return memcmp(a->decimal, b->decimal, sizeof a->decimal) == 0;
    case DOC_BINARY:
        return a->binary.subtype == b->binary.subtype && a->binary.size == b->binary.size &&
               (a->binary.size == 0 || memcmp(a->binary.data, b->binary.data, a->binary.size) == 0);
    default:
        return true; /* null, or no value */
    }
}

/* Step over one token at each side: a closing zero byte, a field that opens a
 * document (its prefix and no more), or a whole scalar field.  Returns how the
 * depth changed, 0 and false in *out_equal where they differ. */
static int token_equal(const uint8_t **a, const uint8_t **b, bool *out_equal)
{
    uint8_t type_a = *(*a)++, type_b = *(*b)++;
    if (type_a == 0 || type_b == 0) {
        *out_equal = type_a == type_b;
        return -1;
    }
    size_t size = strlen((const char *)*a) + 1;
    *out_equal = strcmp((const char *)*a, (const char *)*b) == 0;
    if (!*out_equal)
        return 0;
    *a += size;
    *b += size;
    bool opens = type_a == DOC_DOC || type_a == DOC_ARRAY;
    if (opens && type_a == type_b) {
        *a += PREFIX_BYTES;
        *b += PREFIX_BYTES;
        return 1;
    }
    struct doc_value value_a, value_b;
    value_decode(type_a, *a, &value_a);
    value_decode(type_b, *b, &value_b);
    *out_equal = scalars_equal(&value_a, &value_b);
    *a += value_bytes(type_a, *a);
    *b += value_bytes(type_b, *b);
    return 0;
}

static bool docs_equal(struct doc a, struct doc b)
{
    const uint8_t *at_a = (a.data != NULL ? a.data : empty_doc) + PREFIX_BYTES;
    const uint8_t *at_b = (b.data != NULL ? b.data : empty_doc) + PREFIX_BYTES;
    bool equal = true;
    for (int depth = 1; equal && depth > 0;)
        depth += token_equal(&at_a, &at_b, &equal);
    return equal;
}

bool doc_value_equal(const struct doc_value *a, const struct doc_value *b)
{
    bool is_doc = a->type == DOC_DOC || a->type == DOC_ARRAY;
    if (is_doc && a->type == b->type)
        return docs_equal(a->doc, b->doc);
    return scalars_equal(a, b);
}

bool text_equal(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int text_compare(struct text a, struct text b)
{
    uint32_t size = a.size < b.size ? a.size : b.size;
    int order = size != 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

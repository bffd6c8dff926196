/* kit_cases.c -- see kit_cases.h.
 *
 * The list is that of mistakes that are made: a number that is a text, a fraction where a count was
 * expected, a sum that overflows, a name in Chinese that is cut in the middle of a character, a
 * text without an end, a document that one recursion too many walks into.
 */
#include "core/plugin/kit_cases.h"

#include "core/base/limits.h"

#include <float.h>
#include <math.h>

#define LONG_TEXT_BYTES 60000
#define MANY_FIELDS 1000
#define DEEP (NESTING_MAX - 4)

enum shape {
    NOTHING,
    WHOLE,
    TEXT,
    FRACTION,
    FLAG,
    TIME,
    NOTHING_SAID,
    EMPTY_TEXT,
    CHINESE,
    ZEROS,
    LONG_TEXT,
    LEAST,
    MOST,
    NOT_A_NUMBER,
    INFINITE,
    LIST,
    EMPTY_LIST,
    DOCUMENT,
    MANY,
    NESTED,
    BYTES,
    DECIMAL,
    SHAPES
};

static const char *const words[SHAPES] = {
    [NOTHING] = "given nothing that it reads",
    [WHOLE] = "given whole numbers",
    [TEXT] = "given texts",
    [FRACTION] = "given fractions",
    [FLAG] = "given true and false",
    [TIME] = "given times",
    [NOTHING_SAID] = "given null",
    [EMPTY_TEXT] = "given empty texts",
    [CHINESE] = "given Chinese texts",
    [ZEROS] = "given texts with zero bytes in them",
    [LONG_TEXT] = "given texts of 60,000 bytes",
    [LEAST] = "given the least whole number",
    [MOST] = "given the greatest whole number",
    [NOT_A_NUMBER] = "given what is not a number",
    [INFINITE] = "given infinite numbers",
    [LIST] = "given lists",
    [EMPTY_LIST] = "given empty lists",
    [DOCUMENT] = "given documents",
    [MANY] = "given documents of 1,000 fields",
    [NESTED] = "given documents that are deep in each other",
    [BYTES] = "given bytes",
    [DECIMAL] = "given decimal numbers",
};

/* What is read out of an event without being declared: `reads` may be "event" as a whole. */
static const char *const common[] = { "total", "value", "name", "text", "products", "quantity" };
#define COMMON (sizeof common / sizeof *common)

size_t kit_style_count(void)
{
    return SHAPES;
}

const char *kit_style_words(size_t style)
{
    return words[style];
}

static struct doc kept(struct arena *arena, struct buf *buf, struct doc doc)
{
    struct doc copy = arena_doc(arena, doc);
    buf_deinit(buf);
    return copy;
}

static struct doc many_fields(struct arena *arena)
{
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &buf);
    for (int i = 0; i < MANY_FIELDS; i++) {
        struct text name = arena_printf(arena, "field_%d", i);
        struct doc_value value = { .type = DOC_INT64, .integer = i };
        doc_put_value_text(&w, name, &value);
    }
    return kept(arena, &buf, doc_end(&w));
}

static struct doc nested(struct arena *arena)
{
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &buf);
    for (int i = 0; i < DEEP; i++)
        doc_open(&w, "a");
    for (int i = 0; i < DEEP; i++)
        doc_close(&w);
    return kept(arena, &buf, doc_end(&w));
}

static struct doc short_doc(struct arena *arena, bool is_list)
{
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &buf);
    doc_put_int(&w, is_list ? "0" : "count", 3);
    doc_put_string(&w, is_list ? "1" : "name", "Ann");
    return kept(arena, &buf, doc_end(&w));
}

static struct doc_value text_value(const char *data, size_t size)
{
    return (struct doc_value){ .type = DOC_TEXT, .text = { data, (uint32_t)size } };
}

static struct doc_value doc_value_of(enum doc_type type, struct doc doc)
{
    return (struct doc_value){ .type = type, .doc = doc };
}

static struct doc_value long_text(struct arena *arena)
{
    char *data = arena_alloc(arena, LONG_TEXT_BYTES);
    memset(data, 'x', LONG_TEXT_BYTES);
    return text_value(data, LONG_TEXT_BYTES);
}

static struct doc_value number(double value)
{
    return (struct doc_value){ .type = DOC_DOUBLE, .number = value };
}

static struct doc_value whole(enum doc_type type, int64_t value)
{
    return (struct doc_value){ .type = type, .integer = value };
}

struct doc_value kit_value(size_t style, struct arena *arena)
{
    static const char chinese[] = "\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e"; /* Wang Xiaoming */
    static const uint8_t bytes[] = { 0, 255, 1, 254 };
    switch ((enum shape)style) {
    case WHOLE:
        return whole(DOC_INT64, 42);
    case TEXT:
        return text_value("Ann", 3);
    case FRACTION:
        return number(12.5);
    case FLAG:
        return (struct doc_value){ .type = DOC_BOOL, .boolean = true };
    case TIME:
        return whole(DOC_DATETIME, 1767225600000);
    case NOTHING_SAID:
        return (struct doc_value){ .type = DOC_NULL };
    case EMPTY_TEXT:
        return text_value("", 0);
    case CHINESE:
        return text_value(chinese, sizeof chinese - 1);
    case ZEROS:
        return text_value("a\0b\0", 4);
    case LONG_TEXT:
        return long_text(arena);
    case LEAST:
        return whole(DOC_INT64, INT64_MIN);
    case MOST:
        return whole(DOC_INT64, INT64_MAX);
    case NOT_A_NUMBER:
        return number((double)NAN);
    case INFINITE:
        return number(-HUGE_VAL);
    case LIST:
        return doc_value_of(DOC_ARRAY, short_doc(arena, true));
    case EMPTY_LIST:
        return doc_value_of(DOC_ARRAY, (struct doc){ (const uint8_t *)"\5\0\0\0", 5 });
    case DOCUMENT:
        return doc_value_of(DOC_DOC, short_doc(arena, false));
    case MANY:
        return doc_value_of(DOC_DOC, many_fields(arena));
    case NESTED:
        return doc_value_of(DOC_DOC, nested(arena));
    case BYTES:
        return (struct doc_value){ .type = DOC_BINARY, .binary = { bytes, sizeof bytes, 0 } };
    case DECIMAL:
        return (struct doc_value){ .type = DOC_DECIMAL,
                                   .decimal = { 125, [14] = 0x3e, [15] = 0x30 } };
    case NOTHING:
    case SHAPES:
        break;
    }
    return (struct doc_value){ .type = DOC_NONE };
}

struct doc kit_doc(size_t style, const char *const *names, size_t count, struct arena *arena)
{
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &buf);
    for (size_t i = 0; i < count + COMMON; i++) {
        const char *name = i < count ? names[i] : common[i - count];
        struct doc_value value = kit_value(style, arena);
        doc_put_value(&w, name, &value);
    }
    return kept(arena, &buf, doc_end(&w));
}

size_t kit_usage_names(const char *usage, struct arena *arena, const char **out_names, size_t room)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *at = strchr(usage, '{');
    size_t found = 0;
    while (at != NULL && *at != '\0' && found < room) {
        size_t size = strspn(at, letters), blanks = strspn(at + size, " ");
        if (size != 0 && at[size + blanks] == '=')
            out_names[found++] = arena_text(arena, (struct text){ at, (uint32_t)size }).data;
        at += size != 0 ? size : 1;
    }
    return found;
}

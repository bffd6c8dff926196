/* chunk.c -- reading Lua's own form of a compiled function; see chunk.h.
 *
 * The form: a header, the number of the function's upvalues, and the function, which is
 *
 *     source, first and last line, three bytes
 *     code        4 bytes each: operation 7 bits, A 8, k 1, B 8, C 8
 *     constants   a type byte each, and what that type has
 *     upvalues    3 bytes each: whether it is a local of the function around, and its number there
 *     functions   those written inside, in the same form
 *     debugging   a line step for each instruction, lines where steps are too long, locals, names
 *                 of the upvalues
 *
 * Names come last, so a function is judged when those inside it have been.  They nest as deep as
 * the compiler lets them; the functions around the one being read are a stack of our own.
 *
 * The alternative, resolving names in the source, needs a second parser of Lua that agrees with the
 * first in every corner.
 */
#include "core/script/chunk.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <lua.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 250 /* the compiler's own limit is 200 */
#define UPVALUE_BYTES 3
#define OPERATION_BYTES 4
#define LINE_IS_ABSOLUTE (-128)

enum operation {
    OPERATION_LOADK = 3,
    OPERATION_SETUPVAL = 10,
    OPERATION_GETTABUP = 11,
    OPERATION_GETFIELD = 14,
    OPERATION_SETTABUP = 15,
};
enum constant {
    CONSTANT_NIL = 0x00,
    CONSTANT_FALSE = 0x01,
    CONSTANT_TRUE = 0x11,
    CONSTANT_INTEGER = 0x03,
    CONSTANT_FLOAT = 0x13,
    CONSTANT_SHORT_TEXT = 0x04,
    CONSTANT_LONG_TEXT = 0x14,
};

struct span {
    const uint8_t *data;
    size_t size;
};

struct function {
    const uint8_t *code, *constants, *upvalues;
    size_t code_count, constant_count, upvalue_count;
    size_t inside; /* functions that are still to be read */
    uint32_t line; /* of its beginning */
};

struct reader {
    const uint8_t *at, *end;
    bool is_cut;
    struct function *around; /* the last is being read */
    size_t depth;
    struct span *names; /* of upvalues, of the function that is judged */
    size_t name_room;
    struct buf name;
    chunk_fn *visit;
    void *arg;
};

/* -- Bytes ----------------------------------------------------------------------------- */

static const uint8_t *skip(struct reader *reader, size_t size)
{
    const uint8_t *at = reader->at;
    if ((size_t)(reader->end - at) < size) {
        reader->is_cut = true;
        return NULL;
    }
    reader->at += size;
    return at;
}

static uint8_t read_byte(struct reader *reader)
{
    const uint8_t *at = skip(reader, 1);
    return at != NULL ? *at : 0;
}

/* Seven bits a byte, the highest first; the last byte has the eighth bit. */
static size_t read_size(struct reader *reader)
{
    size_t size = 0;
    while (!reader->is_cut) {
        uint8_t byte = read_byte(reader);
        if (size > (SIZE_MAX >> 7))
            reader->is_cut = true;
        size = size << 7 | (byte & 0x7f);
        if ((byte & 0x80) != 0)
            break;
    }
    return size;
}

/* So many of `each` bytes. */
static const uint8_t *skip_list(struct reader *reader, size_t each, size_t *out_count)
{
    size_t count = read_size(reader);
    if (count > (size_t)(reader->end - reader->at)) {
        reader->is_cut = true;
        count = 0;
    }
    *out_count = count;
    return skip(reader, count * each);
}

static struct span read_text(struct reader *reader)
{
    size_t size = read_size(reader); /* and one; 0: there is none */
    if (size == 0)
        return (struct span){ NULL, 0 };
    const uint8_t *data = skip(reader, size - 1);
    return (struct span){ data, data != NULL ? size - 1 : 0 };
}

/* -- Parts of a function --------------------------------------------------------------- */

static struct span read_constant(struct reader *reader)
{
    switch (read_byte(reader)) {
    case CONSTANT_SHORT_TEXT:
    case CONSTANT_LONG_TEXT:
        return read_text(reader);
    case CONSTANT_INTEGER:
        skip(reader, sizeof(lua_Integer));
        break;
    case CONSTANT_FLOAT:
        skip(reader, sizeof(lua_Number));
        break;
    case CONSTANT_NIL:
    case CONSTANT_FALSE:
    case CONSTANT_TRUE:
        break;
    default:
        reader->is_cut = true;
    }
    return (struct span){ NULL, 0 };
}

static struct span constant_at(const struct reader *reader, const struct function *function,
                               size_t index)
{
    struct reader again = { .at = function->constants, .end = reader->end };
    struct span text = { NULL, 0 };
    if (index >= function->constant_count)
        return text;
    for (size_t i = 0; i <= index; i++)
        text = read_constant(&again);
    return text;
}

static void begin_function(struct reader *reader)
{
    struct function function = { 0 };
    read_text(reader);
    function.line = (uint32_t)read_size(reader);
    read_size(reader);
    skip(reader, 3);
    function.code = skip_list(reader, OPERATION_BYTES, &function.code_count);
    function.constant_count = read_size(reader);
    function.constants = reader->at;
    for (size_t i = 0; !reader->is_cut && i < function.constant_count; i++)
        read_constant(reader);
    function.upvalues = skip_list(reader, UPVALUE_BYTES, &function.upvalue_count);
    function.inside = read_size(reader);
    if (reader->depth == DEPTH_MAX)
        reader->is_cut = true;
    if (!reader->is_cut)
        reader->around[reader->depth++] = function;
}

/* -- Judging --------------------------------------------------------------------------- */

/* Whether an upvalue of the function being read belongs to none of those around it here. */
static bool is_outer(const struct reader *reader, size_t upvalue)
{
    for (size_t depth = reader->depth; depth > 1; depth--) {
        const struct function *function = &reader->around[depth - 1];
        if (upvalue >= function->upvalue_count)
            return false;
        const uint8_t *where = function->upvalues + upvalue * UPVALUE_BYTES;
        if (where[0] != 0)
            return false;
        upvalue = where[1];
    }
    return true;
}

static void report(struct reader *reader, enum chunk_use use, struct span name, int line)
{
    if (name.data == NULL)
        return;
    buf_clear(&reader->name);
    buf_append(&reader->name, name.data, name.size);
    reader->visit(reader->arg, use, buf_string(&reader->name), line);
}

static bool is_globals(const struct reader *reader, size_t upvalue, size_t name_count)
{
    return upvalue < name_count && reader->names[upvalue].size == 4 &&
           memcmp(reader->names[upvalue].data, "_ENV", 4) == 0;
}

static bool is_pair(struct span text)
{
    const uint8_t *colon = text.size > 2 ? memchr(text.data + 1, ':', text.size - 2) : NULL;
    return colon != NULL && memchr(text.data, ' ', text.size) == NULL;
}

/* `next` is what follows the instruction that has put the global into a register. */
static void judge_field(struct reader *reader, struct span global, size_t in, uint32_t next,
                        int line)
{
    const struct function *function = &reader->around[reader->depth - 1];
    if ((next & 0x7f) != OPERATION_GETFIELD || (next >> 16 & 0xff) != in || global.data == NULL)
        return;
    struct span field = constant_at(reader, function, next >> 24);
    if (field.data == NULL)
        return;
    buf_clear(&reader->name);
    buf_append(&reader->name, global.data, global.size);
    buf_byte(&reader->name, '.');
    buf_append(&reader->name, field.data, field.size);
    reader->visit(reader->arg, CHUNK_READS_FIELD, buf_string(&reader->name), line);
}

/* `next`: the instruction behind it, or 0. */
static void judge(struct reader *reader, uint32_t code, uint32_t next, size_t name_count, int line)
{
    const struct function *function = &reader->around[reader->depth - 1];
    size_t a = code >> 7 & 0xff, b = code >> 16 & 0xff, c = code >> 24;
    switch (code & 0x7f) {
    case OPERATION_LOADK: {
        struct span text = constant_at(reader, function, code >> 15);
        if (is_pair(text))
            report(reader, CHUNK_HAS_PAIR, text, line);
        break;
    }
    case OPERATION_SETUPVAL:
        if (b < name_count && is_outer(reader, b))
            report(reader, CHUNK_SETS_OUTER, reader->names[b], line);
        break;
    case OPERATION_GETTABUP:
        if (is_globals(reader, b, name_count)) {
            struct span global = constant_at(reader, function, c);
            report(reader, CHUNK_READS_GLOBAL, global, line);
            judge_field(reader, global, a, next, line);
        }
        break;
    case OPERATION_SETTABUP:
        if (is_globals(reader, a, name_count))
            report(reader, CHUNK_SETS_GLOBAL, constant_at(reader, function, b), line);
        break;
    default:
        break;
    }
}

/* Steps from instruction to instruction; where one is too long, the next of the absolute lines,
 * which stand in order: (instruction, line). */
static void judge_all(struct reader *reader, const uint8_t *steps, size_t step_count,
                      struct reader absolute, size_t name_count)
{
    const struct function *function = &reader->around[reader->depth - 1];
    uint32_t line = function->line;
    for (size_t i = 0; i < function->code_count; i++) {
        uint32_t code, next = 0;
        memcpy(&code, function->code + i * OPERATION_BYTES, sizeof code);
        if (i + 1 < function->code_count)
            memcpy(&next, function->code + (i + 1) * OPERATION_BYTES, sizeof next);
        int step = i < step_count ? (int8_t)steps[i] : 0;
        if (step == LINE_IS_ABSOLUTE) {
            read_size(&absolute);
            line = (uint32_t)read_size(&absolute);
        } else {
            line += (uint32_t)step;
        }
        judge(reader, code, next, name_count, step_count != 0 ? (int)(line & INT32_MAX) : 0);
    }
}

static void end_function(struct reader *reader)
{
    size_t step_count, count;
    const uint8_t *steps = skip_list(reader, 1, &step_count);
    count = read_size(reader);
    struct reader absolute = { .at = reader->at, .end = reader->end };
    for (size_t i = 0; !reader->is_cut && i < count; i++) {
        read_size(reader);
        read_size(reader);
    }
    count = read_size(reader);
    for (size_t i = 0; !reader->is_cut && i < count; i++) {
        read_text(reader);
        read_size(reader);
        read_size(reader);
    }
    count = read_size(reader);
    if (!reader->is_cut && count > reader->name_room) {
        if (count > (size_t)(reader->end - reader->at)) {
            reader->is_cut = true;
            return;
        }
        reader->names = mem_resize(reader->names, count * sizeof *reader->names);
        reader->name_room = count;
    }
    for (size_t i = 0; !reader->is_cut && i < count; i++)
        reader->names[i] = read_text(reader);
    if (!reader->is_cut)
        judge_all(reader, steps, step_count, absolute, count);
    reader->depth--;
}

/* -- The whole ------------------------------------------------------------------------- */

static bool read_header(struct reader *reader)
{
    static const uint8_t start[] = { 0x1b,
                                     'L',
                                     'u',
                                     'a',
                                     0x54,
                                     0,
                                     0x19,
                                     0x93,
                                     '\r',
                                     '\n',
                                     0x1a,
                                     '\n',
                                     OPERATION_BYTES,
                                     sizeof(lua_Integer),
                                     sizeof(lua_Number) };
    const uint8_t *at = skip(reader, sizeof start);
    skip(reader, sizeof(lua_Integer) + sizeof(lua_Number)); /* what they look like */
    read_byte(reader);                                      /* the number of upvalues, once more */
    return at != NULL && memcmp(at, start, sizeof start) == 0;
}

bool chunk_visit(const void *data, size_t size, chunk_fn *visit, void *arg)
{
    const uint8_t *bytes = data;
    struct reader reader = { .at = bytes, .end = bytes + size, .visit = visit, .arg = arg };
    bool is_ours = read_header(&reader);
    reader.around = mem_alloc(DEPTH_MAX * sizeof *reader.around);
    if (is_ours)
        begin_function(&reader);
    while (is_ours && !reader.is_cut && reader.depth != 0) {
        struct function *function = &reader.around[reader.depth - 1];
        if (function->inside == 0)
            end_function(&reader);
        else {
            function->inside--;
            begin_function(&reader);
        }
    }
    free(reader.around);
    free(reader.names);
    buf_deinit(&reader.name);
    return is_ours && !reader.is_cut;
}

/* convert.c -- see convert.h.
 *
 * Nesting is followed by calling oneself, at most NESTING_MAX deep: the bound is
 * checked before every descent, in both directions.
 */
#include "core/script/convert.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/script/sandbox.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COPY_BYTES 8 /* of what is written or copied, for one unit of the budget */

struct text convert_text(lua_State *lua, int index, struct arena *arena)
{
    size_t size = 0;
    if (lua_type(lua, index) != LUA_TSTRING)
        return (struct text){ "", 0 };
    const char *data = lua_tolstring(lua, index, &size);
    sandbox_spend(lua, size / COPY_BYTES);
    if (!utf8_valid(data, size))
        luaL_error(lua, "text that is not UTF-8 cannot be kept");
    return arena_text(arena, (struct text){ data, (uint32_t)size });
}

/* -- From Lua ------------------------------------------------------------- */

struct writing {
    lua_State *lua;
    struct arena *arena;
    struct doc_writer w;
    struct err *err;
};

static int put(struct writing *writing, struct text name, int index, unsigned depth);

static int compare(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* How many of the keys are 1..n of an array; -1: the table is a document; -2: neither. */
static lua_Integer array_size(lua_State *lua, int table)
{
    lua_Integer count = 0, highest = 0;
    bool has_names = false;
    lua_pushnil(lua);
    while (lua_next(lua, table) != 0) {
        lua_pop(lua, 1);
        if (lua_isinteger(lua, -1)) {
            lua_Integer key = lua_tointeger(lua, -1);
            highest = key > highest ? key : highest;
            count += key >= 1 ? 1 : INT32_MAX;
        } else if (lua_type(lua, -1) == LUA_TSTRING) {
            has_names = true;
        } else {
            lua_pop(lua, 1);
            return -2;
        }
    }
    if (count == 0)
        return -1;
    return !has_names && count == highest ? highest : -2;
}

static int put_array(struct writing *writing, int table, lua_Integer size, unsigned depth)
{
    int rc = 0;
    for (lua_Integer i = 1; rc == 0 && i <= size; i++) {
        lua_rawgeti(writing->lua, table, i);
        rc = put(writing, text_of(""), lua_gettop(writing->lua), depth);
        lua_pop(writing->lua, 1);
    }
    return rc;
}

static size_t table_size(lua_State *lua, int table)
{
    size_t count = 0;
    lua_pushnil(lua);
    for (; lua_next(lua, table) != 0; count++)
        lua_pop(lua, 1);
    return count;
}

static int put_fields(struct writing *writing, int table, unsigned depth)
{
    lua_State *lua = writing->lua;
    size_t count = table_size(lua, table), i = 0;
    struct text *names = arena_alloc(writing->arena, (count + 1) * sizeof *names);
    lua_pushnil(lua);
    while (lua_next(lua, table) != 0) {
        size_t size;
        lua_pop(lua, 1);
        names[i].data = lua_tolstring(lua, -1, &size); /* a string: nothing is converted */
        names[i++].size = (uint32_t)size;
    }
    qsort(names, count, sizeof *names, compare);
    int rc = 0;
    for (i = 0; rc == 0 && i < count; i++) {
        if (names[i].size > NAME_BYTES_MAX || memchr(names[i].data, '\0', names[i].size) != NULL ||
            !utf8_valid(names[i].data, names[i].size))
            return err_set(writing->err, E_INVALID,
                           "a field's name has at most %d bytes of UTF-8, none of them NUL",
                           NAME_BYTES_MAX);
        lua_pushlstring(lua, names[i].data, names[i].size);
        lua_rawget(lua, table);
        rc = put(writing, names[i], lua_gettop(lua), depth);
        lua_pop(lua, 1);
    }
    return rc;
}

static int put_table(struct writing *writing, struct text name, int index, unsigned depth)
{
    if (depth >= NESTING_MAX || !lua_checkstack(writing->lua, 8))
        return err_set(writing->err, E_LIMIT, "tables nest at most %d deep", NESTING_MAX);
    sandbox_push_contents(writing->lua, index);
    int table = lua_gettop(writing->lua), rc;
    lua_Integer size = array_size(writing->lua, table);
    if (size == -2) {
        rc = err_set(writing->err, E_INVALID,
                     "a table is a list (1..n) or has names for keys, not both");
    } else if (size >= 0) {
        doc_open_array_text(&writing->w, name);
        rc = put_array(writing, table, size, depth + 1);
        doc_close(&writing->w);
    } else {
        doc_open_text(&writing->w, name);
        rc = put_fields(writing, table, depth + 1);
        doc_close(&writing->w);
    }
    lua_pop(writing->lua, 1);
    return rc;
}

static int scalar(lua_State *lua, int index, struct doc_value *value, struct err *err)
{
    size_t size;
    *value = (struct doc_value){ .type = DOC_NULL };
    switch (lua_type(lua, index)) {
    case LUA_TNIL:
        return 0;
    case LUA_TBOOLEAN:
        *value = (struct doc_value){ .type = DOC_BOOL, .boolean = lua_toboolean(lua, index) };
        return 0;
    case LUA_TNUMBER:
        if (lua_isinteger(lua, index))
            *value = (struct doc_value){ .type = DOC_INT64, .integer = lua_tointeger(lua, index) };
        else
            *value = (struct doc_value){ .type = DOC_DOUBLE, .number = lua_tonumber(lua, index) };
        if (value->type == DOC_DOUBLE && !isfinite(value->number))
            return err_set(err, E_INVALID, "a number that is not finite cannot be kept");
        return 0;
    case LUA_TSTRING:
        *value = (struct doc_value){ .type = DOC_TEXT };
        value->text.data = lua_tolstring(lua, index, &size);
        value->text.size = (uint32_t)size;
        if (!utf8_valid(value->text.data, size))
            return err_set(err, E_INVALID, "text that is not UTF-8 cannot be kept");
        return 0;
    default:
        return err_set(err, E_INVALID,
                       "a %s cannot be kept: only text, numbers, booleans and tables",
                       lua_typename(lua, lua_type(lua, index)));
    }
}

static int put(struct writing *writing, struct text name, int index, unsigned depth)
{
    if (writing->w.buf->size > EVENT_BYTES_MAX)
        return err_set(writing->err, E_LIMIT, "a value has at most %u KiB", EVENT_BYTES_MAX >> 10);
    if (lua_type(writing->lua, index) == LUA_TTABLE)
        return put_table(writing, name, index, depth);
    struct doc_value value;
    int rc = scalar(writing->lua, index, &value, writing->err);
    sandbox_spend(writing->lua, 1 + (value.type == DOC_TEXT ? value.text.size / COPY_BYTES : 0));
    if (rc == 0)
        doc_put_value_text(&writing->w, name, &value);
    return rc;
}

int convert_from_lua(lua_State *lua, int index, struct arena *arena, struct buf *scratch,
                     struct doc_value *out_value, struct err *err)
{
    index = lua_absindex(lua, index);
    if (lua_type(lua, index) != LUA_TTABLE) {
        int rc = scalar(lua, index, out_value, err);
        if (rc == 0 && out_value->type == DOC_TEXT)
            sandbox_spend(lua, out_value->text.size / COPY_BYTES);
        if (rc == 0 && out_value->type == DOC_TEXT)
            out_value->text = arena_text(arena, out_value->text);
        return rc;
    }
    int top = lua_gettop(lua);
    struct writing writing = { .lua = lua, .arena = arena, .err = err };
    buf_clear(scratch);
    doc_begin(&writing.w, scratch);
    int rc = put(&writing, text_of("v"), index, 0);
    lua_settop(lua, top);
    if (rc == 0) {
        *out_value = doc_get(doc_end(&writing.w), "v");
        out_value->doc = arena_doc(arena, out_value->doc);
    }
    return rc;
}

/* -- To Lua --------------------------------------------------------------- */

static void push_doc(lua_State *lua, const struct doc_value *value)
{
    struct doc doc = value->doc;
    bool is_array = value->type == DOC_ARRAY;
    int i = 0;
    luaL_checkstack(lua, 6, "a value nests too deep");
    lua_createtable(lua, is_array ? (int)doc_count(doc) : 0, is_array ? 0 : (int)doc_count(doc));
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        if (it.value.type == DOC_NULL) {
            i++;
            continue;
        }
        if (is_array) {
            convert_push(lua, &it.value);
            lua_rawseti(lua, -2, ++i);
        } else {
            lua_pushlstring(lua, it.name.data, it.name.size);
            convert_push(lua, &it.value);
            lua_rawset(lua, -3);
        }
    }
}

void convert_push(lua_State *lua, const struct doc_value *value)
{
    switch (value->type) {
    case DOC_DOUBLE:
        lua_pushnumber(lua, value->number);
        return;
    case DOC_TEXT:
        lua_pushlstring(lua, value->text.data, value->text.size);
        return;
    case DOC_BOOL:
        lua_pushboolean(lua, value->boolean);
        return;
    case DOC_INT64:
    case DOC_INT32:
    case DOC_DATETIME:
        lua_pushinteger(lua, value->integer);
        return;
    case DOC_DOC:
    case DOC_ARRAY:
        push_doc(lua, value);
        return;
    case DOC_BINARY:
        lua_pushlstring(lua, (const char *)value->binary.data, value->binary.size);
        return;
    case DOC_DECIMAL:
    case DOC_NULL:
    case DOC_NONE:
        lua_pushnil(lua);
        return;
    }
}

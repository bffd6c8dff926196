/* sandbox_string.c -- the string library but for patterns and formats.
 *
 * Letters are ASCII letters: upper() and lower() leave every other byte alone,
 * whatever the locale.  dump is absent; so are pack and unpack, which have no use
 * in a rule.  Strings do not turn into numbers in arithmetic: the metatable of
 * strings has methods and nothing else.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

#define BYTES_MAX 8000 /* values returned by string.byte */

static int string_len(lua_State *lua)
{
    size_t size = 0;

    luaL_checklstring(lua, 1, &size);
    lua_pushinteger(lua, (lua_Integer)size);
    return 1;
}

/* The first place, from 1, that `i` means in `size` bytes. */
static size_t first_of(lua_Integer i, size_t size)
{
    if (i > 0)
        return (size_t)i;
    if (i == 0 || i < -(lua_Integer)size)
        return 1;
    return size + (size_t)i + 1;
}

/* The last place that `i` means; 0 if there is none. */
static size_t last_of(lua_Integer i, size_t size)
{
    if (i > (lua_Integer)size)
        return size;
    if (i >= 0)
        return (size_t)i;
    return i < -(lua_Integer)size ? 0 : size + (size_t)i + 1;
}

static int string_sub(lua_State *lua)
{
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    size_t first = first_of(luaL_checkinteger(lua, 2), size);
    size_t last = last_of(luaL_optinteger(lua, 3, -1), size);

    if (first > last)
        lua_pushliteral(lua, "");
    else
        lua_pushlstring(lua, text + first - 1, last - first + 1);
    return 1;
}

static int string_byte(lua_State *lua)
{
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Integer place = luaL_optinteger(lua, 2, 1);
    size_t first = first_of(place, size);
    size_t last = last_of(luaL_optinteger(lua, 3, place), size);

    if (first > last)
        return 0;
    size_t count = last - first + 1;
    if (count > BYTES_MAX || !lua_checkstack(lua, (int)count))
        return luaL_error(lua, "too many bytes at once; the limit is %d", BYTES_MAX);
    sandbox_spend(lua, count);
    for (size_t i = 0; i < count; i++)
        lua_pushinteger(lua, (unsigned char)text[first - 1 + i]);
    return (int)count;
}

static int string_char(lua_State *lua)
{
    int count = lua_gettop(lua);
    struct text out;

    sandbox_spend(lua, (uint64_t)count);
    luaL_checkstack(lua, 4, "too many bytes");
    text_init(&out, lua);
    for (int i = 1; i <= count; i++) {
        lua_Integer value = luaL_checkinteger(lua, i);
        luaL_argcheck(lua, value >= 0 && value <= 255, i, "not a byte");
        text_fill(&out, (char)value, 1);
    }
    text_push(&out);
    return 1;
}

static int string_rep(lua_State *lua)
{
    size_t size = 0;
    size_t separator_size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Integer count = luaL_checkinteger(lua, 2);
    const char *separator = luaL_optlstring(lua, 3, "", &separator_size);
    struct text out;

    if (count <= 0 || size + separator_size == 0) {
        lua_pushliteral(lua, "");
        return 1;
    }
    size_t size_max = sandbox_of(lua)->limits.string_bytes;
    text_check(lua, size + separator_size);
    if ((uint64_t)count > size_max + 1) /* every round but the last makes a byte */
        text_check(lua, (size_t)count - 1);
    size_t total = size * (size_t)count + separator_size * (size_t)(count - 1);
    text_check(lua, total);
    text_init(&out, lua);
    text_append(&out, text, size);
    if (count > 1)
        text_append(&out, separator, separator_size);
    size_t done = out.size;
    text_fill(&out, 0, total - done);
    while (done < total) { /* what is there, once more: twice as much every time */
        size_t more = done < total - done ? done : total - done;
        memcpy(out.data + done, out.data, more);
        done += more;
    }
    text_push(&out);
    return 1;
}

static void to_lower(char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] >= 'A' && data[i] <= 'Z')
            data[i] = (char)(data[i] + ('a' - 'A'));
}

static void to_upper(char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] >= 'a' && data[i] <= 'z')
            data[i] = (char)(data[i] - ('a' - 'A'));
}

static void to_reverse(char *data, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        char byte = data[i];
        data[i] = data[size - 1 - i];
        data[size - 1 - i] = byte;
    }
}

static int changed(lua_State *lua, void (*change)(char *data, size_t size))
{
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    struct text out;

    budget_bytes(lua, 4 * size);
    text_init(&out, lua);
    text_append(&out, text, size);
    change(out.data, size);
    text_push(&out);
    return 1;
}

static int string_lower(lua_State *lua)
{
    return changed(lua, to_lower);
}

static int string_upper(lua_State *lua)
{
    return changed(lua, to_upper);
}

static int string_reverse(lua_State *lua)
{
    return changed(lua, to_reverse);
}

void string_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "byte", string_byte },       { "char", string_char },
        { "find", string_find },       { "format", string_format },
        { "gmatch", string_gmatch },   { "gsub", string_gsub },
        { "len", string_len },         { "lower", string_lower },
        { "match", string_match },     { "rep", string_rep },
        { "reverse", string_reverse }, { "sub", string_sub },
        { "upper", string_upper },     { NULL, NULL },
    };
    luaL_newlib(lua, functions);
    front_freeze(lua, -1);

    lua_pushliteral(lua, "");
    lua_createtable(lua, 0, 1);
    front_content(lua, -3); /* s:upper() in one step; no script can reach this table */
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
    lua_pop(lua, 1);
    lua_setfield(lua, -2, "string");
}

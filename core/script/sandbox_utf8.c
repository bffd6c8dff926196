/* sandbox_utf8.c -- the utf8 library, strict.
 *
 * char charpattern codepoint codes len offset, as in Lua 5.4 but for the `lax`
 * argument: only what Unicode calls valid is valid.  codes() refuses a stray
 * continuation byte, which Lua 5.4.4 lets pass.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

#define CODEPOINT_MAX 0x10FFFF
#define CODEPOINTS_MAX 8000 /* returned at once */

static const char CHARACTER[] = "[\0-\x7F\xC2-\xFD][\x80-\xBF]*"; /* a pattern */

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static size_t encode(char out[4], uint32_t code)
{
    static const uint8_t leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = size; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(leads[size] | code);
    return size;
}

/* The size of the sequence that begins `text`, 0 if it is not valid. */
static size_t decode(const char *text, size_t size, uint32_t *out_code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char lead = (unsigned char)(size > 0 ? text[0] : 0x80);
    size_t length = lead < 0x80   ? 1
                    : lead < 0xC0 ? 0
                    : lead < 0xE0 ? 2
                    : lead < 0xF0 ? 3
                    : lead < 0xF8 ? 4
                                  : 0;
    uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);

    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(text[i]))
            return 0;
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    }
    if (code < least[length] || code > CODEPOINT_MAX || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *out_code = code;
    return length;
}

/* A place from 1, or from the end, as an offset; may lie outside of the text. */
static lua_Integer offset_of(lua_Integer place, size_t size)
{
    if (place >= 0)
        return place - 1;
    return place < -(lua_Integer)size ? -1 : (lua_Integer)size + place;
}

static int utf8_char(lua_State *lua)
{
    int count = lua_gettop(lua);
    char bytes[4];
    struct text out;

    sandbox_spend(lua, (uint64_t)count);
    luaL_checkstack(lua, 4, "too many codes");
    text_init(&out, lua);
    for (int i = 1; i <= count; i++) {
        lua_Integer code = luaL_checkinteger(lua, i);
        luaL_argcheck(lua, code >= 0 && code <= CODEPOINT_MAX && (code < 0xD800 || code > 0xDFFF),
                      i, "not a Unicode code point");
        text_append(&out, bytes, encode(bytes, (uint32_t)code));
    }
    text_push(&out);
    return 1;
}

static int utf8_codepoint(lua_State *lua)
{
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Integer first = luaL_optinteger(lua, 2, 1);
    lua_Integer at = offset_of(first, size);
    lua_Integer last = offset_of(luaL_optinteger(lua, 3, first), size);
    int count = 0;
    uint32_t code = 0;

    luaL_argcheck(lua, at >= 0, 2, "outside of the string");
    luaL_argcheck(lua, last < (lua_Integer)size, 3, "outside of the string");
    for (; at <= last; count++) {
        size_t length = decode(text + at, size - (size_t)at, &code);
        if (length == 0)
            return luaL_error(lua, "no valid UTF-8 at byte %I", (LUAI_UACINT)at + 1);
        if (count == CODEPOINTS_MAX || !lua_checkstack(lua, 1))
            return luaL_error(lua, "too many code points at once; the limit is %d", CODEPOINTS_MAX);
        lua_pushinteger(lua, code);
        at += (lua_Integer)length;
    }
    sandbox_spend(lua, (uint64_t)count);
    return count;
}

static int utf8_len(lua_State *lua)
{
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Integer at = offset_of(luaL_optinteger(lua, 2, 1), size);
    lua_Integer last = offset_of(luaL_optinteger(lua, 3, -1), size);
    lua_Integer count = 0;
    uint32_t code = 0;

    luaL_argcheck(lua, at >= 0 && at <= (lua_Integer)size, 2, "outside of the string");
    luaL_argcheck(lua, last < (lua_Integer)size, 3, "outside of the string");
    if (last >= at)
        budget_bytes(lua, 8 * (size_t)(last - at));
    for (; at <= last; count++) {
        size_t length = decode(text + at, size - (size_t)at, &code);
        if (length == 0) {
            lua_pushnil(lua);
            lua_pushinteger(lua, at + 1);
            return 2;
        }
        at += (lua_Integer)length;
    }
    lua_pushinteger(lua, count);
    return 1;
}

/* Move `at` over `n` characters; -1 if there are not so many. */
static lua_Integer walk(const char *text, lua_Integer size, lua_Integer at, lua_Integer n)
{
    for (; n < 0 && at > 0; n++)
        do
            at--;
        while (at > 0 && is_continuation(text[at]));
    for (; n > 0 && at < size; n--)
        do
            at++;
        while (at < size && is_continuation(text[at]));
    return n == 0 ? at : -1;
}

static int utf8_offset(lua_State *lua)
{
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Integer n = luaL_checkinteger(lua, 2);
    lua_Integer end = (lua_Integer)size;
    lua_Integer at = offset_of(luaL_optinteger(lua, 3, n >= 0 ? 1 : end + 1), size);

    luaL_argcheck(lua, at >= 0 && at <= end, 3, "outside of the string");
    budget_bytes(lua, 4 * size);
    if (n == 0) {
        while (at > 0 && at < end && is_continuation(text[at]))
            at--;
    } else if (at < end && is_continuation(text[at])) {
        return luaL_error(lua, "byte %I is inside of a character", (LUAI_UACINT)at + 1);
    } else {
        at = walk(text, end, at, n > 0 ? n - 1 : n);
    }
    if (at < 0)
        lua_pushnil(lua);
    else
        lua_pushinteger(lua, at + 1);
    return 1;
}

static int codes_iterate(lua_State *lua)
{
    size_t size = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Integer place = luaL_checkinteger(lua, 2); /* of the last character, from 1 */
    uint32_t code = 0;

    luaL_argcheck(lua, place >= 0 && place <= (lua_Integer)size, 2, "outside of the string");
    size_t at = (size_t)place;
    if (place > 0) {
        size_t length = decode(text + at - 1, size - at + 1, &code);
        at += length != 0 ? length - 1 : 0;
    }
    if (at >= size)
        return 0;
    if (decode(text + at, size - at, &code) == 0)
        return luaL_error(lua, "no valid UTF-8 at byte %I", (LUAI_UACINT)at + 1);
    lua_pushinteger(lua, (lua_Integer)at + 1);
    lua_pushinteger(lua, code);
    return 2;
}

static int utf8_codes(lua_State *lua)
{
    luaL_checkstring(lua, 1);
    lua_pushcfunction(lua, codes_iterate);
    lua_pushvalue(lua, 1);
    lua_pushinteger(lua, 0);
    return 3;
}

void utf8_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "char", utf8_char }, { "codepoint", utf8_codepoint }, { "codes", utf8_codes },
        { "len", utf8_len },   { "offset", utf8_offset },       { NULL, NULL },
    };
    luaL_newlib(lua, functions);
    lua_pushlstring(lua, CHARACTER, sizeof CHARACTER - 1);
    lua_setfield(lua, -2, "charpattern");
    front_freeze(lua, -1);
    lua_setfield(lua, -2, "utf8");
}

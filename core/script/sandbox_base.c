/* sandbox_base.c -- the basic functions a script has.
 *
 * All of: assert error getmetatable ipairs next pairs pcall power rawequal rawget
 * rawlen rawset select setmetatable tonumber tostring type xpcall, and the tables
 * math string table utf8.  What is not in this list does not exist: no load, no
 * require, io, os, debug, coroutine, collectgarbage, print, warn or _G.
 *
 * Different from plain Lua: tostring() shows no addresses; pcall and xpcall catch
 * what a script raises, never the end of the run (sandbox_budget.c).
 */
#include "core/script/sandbox_parts.h"

#include <math.h>
#include <string.h>

static int base_assert(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (lua_toboolean(lua, 1))
        return lua_gettop(lua);
    if (lua_gettop(lua) == 1)
        return luaL_error(lua, "assertion failed");
    lua_settop(lua, 2);
    return lua_error(lua);
}

static int base_error(lua_State *lua)
{
    lua_Integer level = luaL_optinteger(lua, 2, 1);

    lua_settop(lua, 1);
    if (lua_type(lua, 1) == LUA_TSTRING && level > 0 && level < SANDBOX_DEPTH_MAX) {
        luaL_where(lua, (int)level);
        lua_insert(lua, 1);
        lua_concat(lua, 2);
    }
    return lua_error(lua);
}

static int base_pcall(lua_State *lua)
{
    luaL_checkany(lua, 1);
    bool is_good = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) == LUA_OK;
    budget_rethrow(lua);
    luaL_checkstack(lua, 1, "too many results");
    lua_pushboolean(lua, is_good);
    lua_insert(lua, 1);
    return lua_gettop(lua);
}

/* Stands between Lua and a script's message handler.  When the run is over, hooks
 * are off and a handler could run for ever. */
static int guarded_handler(lua_State *lua)
{
    lua_settop(lua, 1);
    if (sandbox_of(lua)->killed != SANDBOX_OK)
        return 1;
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, 1, 1);
    return 1;
}

static int base_xpcall(lua_State *lua)
{
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    int argument_count = lua_gettop(lua) - 2;
    lua_pushvalue(lua, 2);
    lua_pushcclosure(lua, guarded_handler, 1);
    lua_replace(lua, 2);
    lua_pushvalue(lua, 1); /* function, handler, arguments -> handler, function, arguments */
    lua_copy(lua, 2, 1);
    lua_replace(lua, 2);
    bool is_good = lua_pcall(lua, argument_count, LUA_MULTRET, 1) == LUA_OK;
    budget_rethrow(lua);
    lua_pushboolean(lua, is_good);
    lua_replace(lua, 1); /* the handler's place */
    return lua_gettop(lua);
}

static int base_select(lua_State *lua)
{
    int count = lua_gettop(lua);

    if (lua_type(lua, 1) == LUA_TSTRING && strcmp(lua_tostring(lua, 1), "#") == 0) {
        lua_pushinteger(lua, count - 1);
        return 1;
    }
    lua_Integer from = luaL_checkinteger(lua, 1);
    if (from < 0)
        from += count;
    luaL_argcheck(lua, from >= 1, 1, "outside of the list");
    if (from >= count)
        return 0;
    sandbox_spend(lua, (uint64_t)count / 16);
    return count - (int)from;
}

static int digit_value(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'z')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A' + 10;
    return 36;
}

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* A whole number in `base` with spaces around it and a minus before it. */
static bool read_in_base(const char *text, size_t size, int base, lua_Integer *out_value)
{
    lua_Unsigned value = 0;
    size_t end = size;
    size_t at = 0;

    while (at < end && is_space(text[at]))
        at++;
    while (end > at && is_space(text[end - 1]))
        end--;
    bool is_negative = at < end && text[at] == '-';
    at += is_negative;
    if (at == end)
        return false;
    for (; at < end; at++) {
        int digit = digit_value(text[at]);
        if (digit >= base)
            return false;
        value = value * (lua_Unsigned)base + (lua_Unsigned)digit;
    }
    *out_value = (lua_Integer)(is_negative ? 0 - value : value);
    return true;
}

static int base_tonumber(lua_State *lua)
{
    size_t size = 0;
    lua_Integer value = 0;

    luaL_checkany(lua, 1);
    if (lua_isnoneornil(lua, 2)) {
        const char *text = lua_type(lua, 1) == LUA_TSTRING ? lua_tolstring(lua, 1, &size) : NULL;
        lua_settop(lua, 1);
        budget_bytes(lua, 4 * size);
        if (lua_type(lua, 1) == LUA_TNUMBER)
            return 1;
        if (text == NULL || lua_stringtonumber(lua, text) != size + 1)
            lua_pushnil(lua);
        return 1;
    }
    lua_Integer base = luaL_checkinteger(lua, 2);
    luaL_checktype(lua, 1, LUA_TSTRING);
    luaL_argcheck(lua, base >= 2 && base <= 36, 2, "the base must be from 2 to 36");
    const char *text = lua_tolstring(lua, 1, &size);
    budget_bytes(lua, 4 * size);
    if (read_in_base(text, size, (int)base, &value))
        lua_pushinteger(lua, value);
    else
        lua_pushnil(lua);
    return 1;
}

void sandbox_push_text(lua_State *lua, int index)
{
    index = lua_absindex(lua, index);
    luaL_checkstack(lua, 3, "too many calls");
    if (luaL_callmeta(lua, index, "__tostring")) {
        if (lua_type(lua, -1) != LUA_TSTRING)
            luaL_error(lua, "__tostring must return a string");
        return;
    }
    switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
        if (!lua_isinteger(lua, index) && isnan(lua_tonumber(lua, index))) {
            lua_pushliteral(lua, "nan"); /* the sign is the processor's choice */
            return;
        }
        /* fallthrough */
    case LUA_TSTRING:
        lua_pushvalue(lua, index);
        lua_tolstring(lua, -1, NULL); /* converts the copy */
        return;
    case LUA_TBOOLEAN:
        lua_pushstring(lua, lua_toboolean(lua, index) ? "true" : "false");
        return;
    default:
        lua_pushstring(lua, luaL_typename(lua, index));
    }
}

int base_tostring(lua_State *lua)
{
    luaL_checkany(lua, 1);
    sandbox_push_text(lua, 1);
    return 1;
}

static int base_type(lua_State *lua)
{
    luaL_checkany(lua, 1);
    lua_pushstring(lua, luaL_typename(lua, 1));
    return 1;
}

void base_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "assert", base_assert }, { "error", base_error },       { "pcall", base_pcall },
        { "select", base_select }, { "tonumber", base_tonumber }, { "tostring", base_tostring },
        { "type", base_type },     { "xpcall", base_xpcall },     { NULL, NULL },
    };
    luaL_setfuncs(lua, functions, 0);
}

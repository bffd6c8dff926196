/* sandbox_table.c -- the table library over contents, not over metamethods.
 *
 * Each function looks at what a table contains; __index, __newindex and __len
 * play no part, so none of them can be used to write where writing is refused.
 * All charge their work, because the hook that counts does not run inside them.
 *
 * Only lists whose length is well defined give results a reader would expect;
 * for others the length is still the same everywhere (sandbox_border.c).
 */
#include "core/script/sandbox_parts.h"

#define UNPACK_MAX 8000 /* values on the stack at once */

/* Replace the table at `index` by its contents. */
static void to_content(lua_State *lua, int index, bool writes)
{
    luaL_checktype(lua, index, LUA_TTABLE);
    if (writes)
        front_writable(lua, index);
    else
        front_content(lua, index);
    lua_replace(lua, index);
}

/* How many places lie from first to last; the one count that has no number, all
 * of them, counts as one less. */
static uint64_t span(lua_Integer first, lua_Integer last)
{
    if (first > last)
        return 0;
    uint64_t distance = (uint64_t)last - (uint64_t)first;
    return distance == UINT64_MAX ? distance : distance + 1;
}

static void move_item(lua_State *lua, int from, lua_Integer i, int to, lua_Integer j)
{
    lua_rawgeti(lua, from, i);
    lua_rawseti(lua, to, j);
}

static int table_insert(lua_State *lua)
{
    int count = lua_gettop(lua);

    to_content(lua, 1, true);
    lua_Integer end = table_border(lua, 1) + 1;
    if (count == 2) {
        lua_rawseti(lua, 1, end);
        return 0;
    }
    if (count != 3)
        return luaL_error(lua, "table.insert takes a table, a place if wanted, and a value");
    lua_Integer place = luaL_checkinteger(lua, 2);
    luaL_argcheck(lua, place >= 1 && place <= end, 2, "outside of the list");
    sandbox_spend(lua, span(place, end));
    for (lua_Integer i = end; i > place; i--)
        move_item(lua, 1, i - 1, 1, i);
    lua_rawseti(lua, 1, place);
    return 0;
}

static int table_remove(lua_State *lua)
{
    to_content(lua, 1, true);
    lua_Integer size = table_border(lua, 1);
    lua_Integer place = luaL_optinteger(lua, 2, size);

    lua_settop(lua, 1);
    if (place != size)
        luaL_argcheck(lua, place >= 1 && place <= size + 1, 2, "outside of the list");
    sandbox_spend(lua, span(place, size));
    lua_rawgeti(lua, 1, place);
    for (; place < size; place++)
        move_item(lua, 1, place + 1, 1, place);
    lua_pushnil(lua);
    lua_rawseti(lua, 1, place);
    return 1;
}

static int table_move(lua_State *lua)
{
    lua_Integer first = luaL_checkinteger(lua, 2);
    lua_Integer last = luaL_checkinteger(lua, 3);
    lua_Integer target = luaL_checkinteger(lua, 4);
    int to = lua_isnoneornil(lua, 5) ? 1 : 5;

    lua_settop(lua, to);
    lua_pushvalue(lua, to); /* to be returned */
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checktype(lua, to, LUA_TTABLE);
    front_writable(lua, to);
    front_content(lua, 1);
    uint64_t count = span(first, last);
    if (count == 0) {
        lua_pop(lua, 2);
        return 1;
    }
    luaL_argcheck(lua, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many items");
    luaL_argcheck(lua, target <= LUA_MAXINTEGER - (lua_Integer)count + 1, 4, "beyond the end");
    sandbox_spend(lua, count);

    int destination = lua_absindex(lua, -2);
    int source = lua_absindex(lua, -1);
    bool backwards = target > first && target <= last && lua_rawequal(lua, source, destination);
    for (lua_Integer n = 0; n < (lua_Integer)count; n++) {
        lua_Integer i = backwards ? (lua_Integer)count - 1 - n : n;
        move_item(lua, source, first + i, destination, target + i);
    }
    lua_pop(lua, 2);
    return 1;
}

static int table_concat(lua_State *lua)
{
    size_t size = 0;
    struct text text;

    to_content(lua, 1, false);
    lua_Integer border = lua_isnoneornil(lua, 4) ? table_border(lua, 1) : 0;
    const char *separator = luaL_optlstring(lua, 2, "", &size);
    lua_Integer first = luaL_optinteger(lua, 3, 1);
    lua_Integer last = luaL_optinteger(lua, 4, border);

    sandbox_spend(lua, span(first, last));
    text_init(&text, lua);
    for (uint64_t n = 0; n < span(first, last); n++) {
        lua_Integer i = first + (lua_Integer)n;
        int kind = lua_rawgeti(lua, 1, i);
        if (kind != LUA_TSTRING && kind != LUA_TNUMBER)
            return luaL_error(lua, "item %I of the list is a %s, not a string", (LUAI_UACINT)i,
                              luaL_typename(lua, -1));
        sandbox_push_text(lua, -1);
        lua_remove(lua, -2);
        text_value(&text);
        if (i != last)
            text_append(&text, separator, size);
    }
    text_push(&text);
    return 1;
}

static int table_pack(lua_State *lua)
{
    int count = lua_gettop(lua);

    sandbox_spend(lua, (uint64_t)count);
    lua_createtable(lua, count, 1);
    lua_insert(lua, 1);
    for (int i = count; i >= 1; i--)
        lua_rawseti(lua, 1, i);
    lua_pushinteger(lua, count);
    lua_setfield(lua, 1, "n");
    return 1;
}

static int table_unpack(lua_State *lua)
{
    to_content(lua, 1, false);
    lua_Integer border = lua_isnoneornil(lua, 3) ? table_border(lua, 1) : 0;
    lua_Integer first = luaL_optinteger(lua, 2, 1);
    lua_Integer last = luaL_optinteger(lua, 3, border);
    uint64_t count = span(first, last);

    if (count > UNPACK_MAX || !lua_checkstack(lua, (int)count))
        return luaL_error(lua, "too many values to unpack; the limit is %d", UNPACK_MAX);
    sandbox_spend(lua, count);
    for (uint64_t n = 0; n < count; n++)
        lua_rawgeti(lua, 1, first + (lua_Integer)n);
    return (int)count;
}

void table_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "concat", table_concat }, { "insert", table_insert },
        { "move", table_move },     { "pack", table_pack },
        { "remove", table_remove }, { "sort", table_sort },
        { "unpack", table_unpack }, { NULL, NULL },
    };
    luaL_newlib(lua, functions);
    front_freeze(lua, -1);
    lua_setfield(lua, -2, "table");
}

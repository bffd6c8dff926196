/* sandbox_border.c -- the length of a table, told from its contents alone.
 *
 * For a list without holes it is what Lua says.  With holes Lua may answer any n
 * where t[n] is set and t[n + 1] is not, and picks one by how the table grew;
 * here it is always the same one: double n until t[n] is missing, then halve the
 * distance.  A list of a thousand takes twenty looks.
 */
#include "core/script/sandbox_parts.h"

static bool has(lua_State *lua, int content, lua_Integer n)
{
    bool is_set = lua_rawgeti(lua, content, n) != LUA_TNIL;
    lua_pop(lua, 1);
    return is_set;
}

lua_Integer table_border(lua_State *lua, int content)
{
    lua_Integer present = 0;
    lua_Integer missing = 1;

    content = lua_absindex(lua, content);
    while (has(lua, content, missing)) {
        present = missing;
        if (missing > LUA_MAXINTEGER / 2)
            return present;
        missing *= 2;
    }
    while (missing - present > 1) {
        lua_Integer middle = present + (missing - present) / 2;
        if (has(lua, content, middle))
            present = middle;
        else
            missing = middle;
    }
    return present;
}

int table_length(lua_State *lua)
{
    int kind = lua_type(lua, 1);

    if (kind == LUA_TSTRING) {
        lua_pushinteger(lua, (lua_Integer)lua_rawlen(lua, 1));
        return 1;
    }
    lua_settop(lua, 1);
    if (luaL_getmetafield(lua, 1, "__len") != LUA_TNIL && lua_tocfunction(lua, 2) != table_length) {
        lua_insert(lua, 1);
        lua_call(lua, 1, 1);
        return 1;
    }
    if (kind != LUA_TTABLE)
        return luaL_error(lua, "attempt to get the length of a %s value", luaL_typename(lua, 1));
    front_content(lua, 1);
    lua_pushinteger(lua, table_border(lua, -1));
    return 1;
}

/* sandbox_front.c -- tables that stand before their contents.
 *
 * Lua has no read-only tables, and reads `__mode` from a metatable whenever it
 * collects, so a script could make a table weak after setmetatable() has looked,
 * and then watch the collector work.  Both are solved by one device.  A table
 * becomes a FRONT: its contents move to a hidden table, the backing, and the
 * front, now empty, gets a metatable of ours, its guard:
 *
 *     front {} --metatable--> guard { __index = backing, __newindex = check,
 *                                     <backing>, <the script's metatable>, ... }
 *
 * A front keeps its identity, so whoever held the table still holds it.  There
 * are two kinds.  A CHECKED front may be written, except for __gc and __mode:
 * every table becomes one when it is first used as a metatable.  A FROZEN front
 * may not be written at all: every table becomes one at sealing.
 *
 * The virtual machine looks into metatables directly.  Hence the metatable that a
 * table really has is the backing of the one the script gave, which remembers
 * its front for getmetatable(); and the guard of a front copies what its own
 * metatable says.  A copy would go stale unnoticed, so a metatable that was
 * copied refuses further changes.
 *
 * Every C function that looks into tables directly asks front_content() first.
 * Neither backings nor guards ever reach a script.
 *
 * Rejected: a proxy in place of the table, which breaks identity and whoever
 * already holds it; and a patched interpreter, which must be carried for ever.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

#define SET_UNITS 20 /* what setmetatable() costs */

/* Their addresses are keys that no script can have. */
static const char KEY_BACKING = 0; /* guard: the contents of its front */
static const char KEY_META = 0;    /* guard: the front's metatable, as scripts know it */
static const char KEY_FROZEN = 0;  /* guard: true */
static const char KEY_COPIED = 0;  /* guard: true if another guard has copied its front */
static const char KEY_FRONT = 0;   /* backing: its front */

/* Push the guard of the table at `index` and its backing, or nothing. */
static bool push_guard(lua_State *lua, int index)
{
    if (!lua_getmetatable(lua, index))
        return false;
    if (lua_rawgetp(lua, -1, &KEY_BACKING) == LUA_TTABLE)
        return true;
    lua_pop(lua, 2);
    return false;
}

void front_content(lua_State *lua, int index)
{
    index = lua_absindex(lua, index);
    if (push_guard(lua, index))
        lua_remove(lua, -2);
    else
        lua_pushvalue(lua, index);
}

static bool guard_has(lua_State *lua, int guard, const char *key)
{
    bool has = lua_rawgetp(lua, guard, key) != LUA_TNIL;
    lua_pop(lua, 1);
    return has;
}

static bool is_frozen(lua_State *lua, int index)
{
    if (!push_guard(lua, index))
        return false;
    bool frozen = guard_has(lua, -2, &KEY_FROZEN);
    lua_pop(lua, 2);
    return frozen;
}

static int refuse_write(lua_State *lua, int table, int key)
{
    lua_pushglobaltable(lua);
    if (lua_rawequal(lua, table, -1)) {
        const char *name =
            key != 0 && lua_type(lua, key) == LUA_TSTRING ? lua_tostring(lua, key) : "?";
        return luaL_error(lua,
                          "the global '%s' cannot be set once all scripts are loaded; use a "
                          "local, or keep what should last with the customer",
                          name);
    }
    return luaL_error(lua, "this table was made while scripts were loading and cannot be changed "
                           "any more; copy it, or keep what should last with the customer");
}

void front_writable(lua_State *lua, int index)
{
    index = lua_absindex(lua, index);
    if (is_frozen(lua, index))
        refuse_write(lua, index, 0);
    front_content(lua, index);
}

static bool is_forbidden(lua_State *lua, int key)
{
    if (lua_type(lua, key) != LUA_TSTRING)
        return false;
    const char *name = lua_tostring(lua, key);
    return strcmp(name, "__gc") == 0 || strcmp(name, "__mode") == 0;
}

/* Raise unless `key` may be set in the checked front whose guard is at `guard`. */
static void check_key(lua_State *lua, int guard, int key)
{
    if (is_forbidden(lua, key))
        luaL_error(lua, "%s is not available: nobody can tell when memory is collected",
                   lua_tostring(lua, key));
    if (guard_has(lua, guard, &KEY_COPIED) && lua_type(lua, key) == LUA_TSTRING &&
        strncmp(lua_tostring(lua, key), "__", 2) == 0)
        luaL_error(lua, "this metatable's own user is a metatable; set %s before setmetatable()",
                   lua_tostring(lua, key));
}

/* __newindex of a checked front: (front, key, value). */
static int write_checked(lua_State *lua)
{
    lua_settop(lua, 3);
    if (!push_guard(lua, 1)) /* guard 4, backing 5 */
        return luaL_error(lua, "not a table of this kind");
    check_key(lua, 4, 2);
    lua_pushvalue(lua, 2);
    bool is_new = lua_rawget(lua, 5) == LUA_TNIL;
    lua_pop(lua, 1);

    lua_rawgetp(lua, 4, &KEY_META); /* 6 */
    if (is_new && lua_istable(lua, 6)) {
        front_content(lua, 6);
        lua_pushliteral(lua, "__newindex");
        int kind = lua_rawget(lua, 7);
        if (kind != LUA_TNIL) {
            lua_insert(lua, 1);
            lua_settop(lua, 4); /* handler, front, key, value */
            if (kind == LUA_TFUNCTION) {
                lua_call(lua, 3, 0);
                return 0;
            }
            lua_remove(lua, 2);
            lua_settable(lua, 1);
            return 0;
        }
    }
    lua_settop(lua, 5);
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, 3);
    lua_rawset(lua, 5);
    return 0;
}

/* __newindex of a frozen front. */
static int write_frozen(lua_State *lua)
{
    return refuse_write(lua, 1, 2);
}

/* __index of a front whose metatable's __index is not a table. */
static int read_through(lua_State *lua)
{
    lua_settop(lua, 2);
    lua_pushvalue(lua, 2);
    if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    lua_settop(lua, 2);
    lua_pushvalue(lua, lua_upvalueindex(2));
    if (lua_isfunction(lua, 3)) {
        lua_insert(lua, 1);
        lua_call(lua, 2, 1);
        return 1;
    }
    lua_pushvalue(lua, 2);
    lua_gettable(lua, 3);
    return 1;
}

/* Copy the events that the metatable with contents at `from` defines. */
static void copy_events(lua_State *lua, int from, int guard)
{
    lua_pushnil(lua);
    while (lua_next(lua, from) != 0) {
        if (lua_type(lua, -2) == LUA_TSTRING && !is_forbidden(lua, -2) &&
            strncmp(lua_tostring(lua, -2), "__", 2) == 0) {
            lua_pushvalue(lua, -2);
            lua_insert(lua, -2);
            lua_rawset(lua, guard);
        } else {
            lua_pop(lua, 1);
        }
    }
}

/* Let reads go to the backing and from there to what the guard has as __index
 * by now, copied from the script's metatable. */
static void set_index(lua_State *lua, int backing, int guard)
{
    lua_pushliteral(lua, "__index");
    int kind = lua_rawget(lua, guard);
    if (kind == LUA_TNIL) {
        lua_pop(lua, 1);
        lua_pushnil(lua);
        lua_setmetatable(lua, backing);
        lua_pushvalue(lua, backing);
    } else if (kind == LUA_TTABLE) {
        lua_createtable(lua, 0, 1);
        lua_insert(lua, -2);
        lua_setfield(lua, -2, "__index");
        lua_setmetatable(lua, backing);
        lua_pushvalue(lua, backing);
    } else {
        lua_pushvalue(lua, backing);
        lua_insert(lua, -2);
        lua_pushcclosure(lua, read_through, 2);
    }
    lua_setfield(lua, guard, "__index");
}

/* Give the front at `front` a new guard.  `events` is the index of a table with
 * the events of its metatable, or 0; `meta` that of the metatable itself, or 0. */
static void dress(lua_State *lua, int front, int backing, int events, int meta, bool frozen)
{
    lua_createtable(lua, 0, 4);
    int guard = lua_gettop(lua);

    if (events != 0)
        copy_events(lua, events, guard);
    set_index(lua, backing, guard);
    lua_pushcfunction(lua, frozen ? write_frozen : write_checked);
    lua_setfield(lua, guard, "__newindex");
    if (lua_getfield(lua, guard, "__len") == LUA_TNIL) {
        lua_pushcfunction(lua, table_length);
        lua_setfield(lua, guard, "__len");
    }
    lua_settop(lua, guard);
    lua_pushvalue(lua, backing);
    lua_rawsetp(lua, guard, &KEY_BACKING);
    if (meta != 0) {
        lua_getmetatable(lua, meta);
        lua_pushboolean(lua, true);
        lua_rawsetp(lua, -2, &KEY_COPIED);
        lua_pop(lua, 1);
        lua_pushvalue(lua, meta);
        lua_rawsetp(lua, guard, &KEY_META);
    }
    if (frozen) {
        lua_pushboolean(lua, true);
        lua_rawsetp(lua, guard, &KEY_FROZEN);
    }
    lua_setmetatable(lua, front);
}

/* Push a new table that takes over all that the table at `index` contains. */
static void move_content(lua_State *lua, int index)
{
    lua_Unsigned items = lua_rawlen(lua, index);
    lua_createtable(lua, items < INT32_MAX ? (int)items : 0, 0);
    int backing = lua_gettop(lua);

    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        sandbox_spend(lua, 1);
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, backing);
    }
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_pop(lua, 1);
        lua_pushvalue(lua, -1);
        lua_pushnil(lua);
        lua_rawset(lua, index);
    }
}

void front_metatable(lua_State *lua, int index)
{
    if (!lua_getmetatable(lua, index)) {
        lua_pushnil(lua);
        return;
    }
    bool is_guard = guard_has(lua, -1, &KEY_BACKING);
    lua_rawgetp(lua, -1, is_guard ? &KEY_META : &KEY_FRONT);
    lua_remove(lua, -2);
}

/* The events of the metatable that the table at `index` has: of the front it
 * shows, or, if the host gave it one of its own, of that.  Pushes the metatable
 * or nil, and the events or nil. */
static void push_events(lua_State *lua, int index)
{
    front_metatable(lua, index);
    if (lua_istable(lua, -1)) {
        front_content(lua, -1);
        return;
    }
    if (push_guard(lua, index)) {
        lua_pop(lua, 2);
        lua_pushnil(lua);
    } else if (!lua_getmetatable(lua, index)) {
        lua_pushnil(lua);
    }
}

static void become_front(lua_State *lua, int index, bool frozen)
{
    index = lua_absindex(lua, index);
    int top = lua_gettop(lua);

    luaL_checkstack(lua, 12, "too many calls");
    push_events(lua, index); /* metatable, events */
    front_content(lua, index);
    if (lua_rawequal(lua, -1, index)) {
        lua_pop(lua, 1);
        move_content(lua, index);
    }
    dress(lua, index, top + 3, lua_isnil(lua, top + 2) ? 0 : top + 2,
          lua_isnil(lua, top + 1) ? 0 : top + 1, frozen);
    lua_settop(lua, top);
}

void front_freeze(lua_State *lua, int index)
{
    if (!is_frozen(lua, index))
        become_front(lua, index, true);
}

/* Push the backing of the metatable at `index`, made a front if it is none. */
static void push_backing(lua_State *lua, int index)
{
    if (!push_guard(lua, index)) {
        become_front(lua, index, false);
        push_guard(lua, index);
    }
    lua_remove(lua, -2);
    if (lua_rawgetp(lua, -1, &KEY_FRONT) == LUA_TNIL) {
        lua_pushvalue(lua, index);
        lua_rawsetp(lua, -3, &KEY_FRONT);
    }
    lua_pop(lua, 1);
}

static void check_events(lua_State *lua, int content)
{
    static const char *const forbidden[] = { "__gc", "__mode" };

    for (size_t i = 0; i < 2; i++) {
        lua_pushstring(lua, forbidden[i]);
        if (lua_rawget(lua, content) != LUA_TNIL)
            luaL_error(lua, "%s is not available: nobody can tell when memory is collected",
                       forbidden[i]);
        lua_pop(lua, 1);
    }
}

/* Raise if scripts must not replace the metatable of the table at `index`. */
static void check_replaceable(lua_State *lua, int index)
{
    if (is_frozen(lua, index))
        refuse_write(lua, index, 0);
    front_metatable(lua, index);
    bool is_hosts = lua_isnil(lua, -1) && !push_guard(lua, index) && lua_getmetatable(lua, index);
    if (is_hosts || luaL_getmetafield(lua, index, "__metatable") != LUA_TNIL)
        luaL_error(lua, "the metatable of this table is protected");
}

static int base_setmetatable(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_argexpected(lua, lua_isnil(lua, 2) || lua_istable(lua, 2), 2, "nil or table");
    lua_settop(lua, 2);
    sandbox_spend(lua, SET_UNITS);
    check_replaceable(lua, 1);
    lua_settop(lua, 2);
    if (lua_istable(lua, 2)) {
        front_content(lua, 2);
        check_events(lua, 3);
        lua_settop(lua, 2);
        push_backing(lua, 2);
    } else {
        lua_pushnil(lua);
    }

    if (push_guard(lua, 1)) { /* 4, 5 */
        bool has_meta = lua_istable(lua, 2);
        dress(lua, 1, 5, has_meta ? 3 : 0, has_meta ? 2 : 0, false);
    } else {
        lua_pushvalue(lua, 3);
        lua_setmetatable(lua, 1);
    }
    lua_settop(lua, 1);
    return 1;
}

static int base_getmetatable(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (!lua_istable(lua, 1)) { /* strings and objects keep theirs to themselves */
        lua_pushnil(lua);
        return 1;
    }
    front_metatable(lua, 1);
    if (lua_istable(lua, -1)) {
        front_content(lua, -1);
        lua_pushliteral(lua, "__metatable");
        if (lua_rawget(lua, -2) == LUA_TNIL)
            lua_settop(lua, -3);
    }
    return 1;
}

static int base_rawget(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checkany(lua, 2);
    lua_settop(lua, 2);
    front_content(lua, 1);
    lua_pushvalue(lua, 2);
    lua_rawget(lua, 3);
    return 1;
}

static int base_rawset(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checkany(lua, 2);
    luaL_checkany(lua, 3);
    lua_settop(lua, 3);
    front_writable(lua, 1); /* 4 */
    if (push_guard(lua, 1))
        check_key(lua, 5, 2);
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, 3);
    lua_rawset(lua, 4);
    lua_settop(lua, 1);
    return 1;
}

static int base_rawequal(lua_State *lua)
{
    luaL_checkany(lua, 1);
    luaL_checkany(lua, 2);
    lua_pushboolean(lua, lua_rawequal(lua, 1, 2));
    return 1;
}

static int base_rawlen(lua_State *lua)
{
    if (lua_type(lua, 1) == LUA_TSTRING) {
        lua_pushinteger(lua, (lua_Integer)lua_rawlen(lua, 1));
        return 1;
    }
    luaL_checktype(lua, 1, LUA_TTABLE);
    front_content(lua, 1);
    lua_pushinteger(lua, table_border(lua, -1));
    return 1;
}

void front_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "getmetatable", base_getmetatable },
        { "rawequal", base_rawequal },
        { "rawget", base_rawget },
        { "rawlen", base_rawlen },
        { "rawset", base_rawset },
        { "setmetatable", base_setmetatable },
        { NULL, NULL },
    };
    luaL_setfuncs(lua, functions, 0);
}

void sandbox_push_contents(lua_State *lua, int index)
{
    front_content(lua, index);
}

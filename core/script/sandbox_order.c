/* sandbox_order.c -- pairs and next in the one order that is the same everywhere.
 *
 * Lua walks a table in the order of its hash part, which follows a seed taken
 * from the clock and from addresses.  Here keys come sorted: numbers ascending,
 * then strings byte by byte, then false and true.  Any other key has no order
 * and is refused with an error that says so.
 *
 * pairs() takes the keys once.  Setting fields to nil on the way is fine, and
 * keys added on the way are not visited; Lua leaves that undefined.  The position
 * is kept in an upvalue of the iterator and not in its userdata, so that an
 * iterator which outlives its call can be put back (sandbox_watch.c).
 *
 * next() searches all keys each time: right for asking whether a table is empty,
 * slow for walking over one.
 */
#include "core/script/sandbox_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum rank { RANK_NUMBER, RANK_STRING, RANK_BOOLEAN };

struct key {
    enum rank rank;
    bool is_integer;
    uint32_t place; /* in the list of keys as found */
    union {
        lua_Integer integer; /* also a boolean */
        lua_Number number;
        const char *text;
    } value;
    size_t size; /* of the text */
};

static int compare_integers(lua_Integer a, lua_Integer b)
{
    return (a > b) - (a < b);
}

/* A float as a key is never whole: such become integers, unless too large. */
static int compare_mixed(lua_Integer a, lua_Number b)
{
    if (b >= 0x1p63)
        return -1;
    if (b < -0x1p63)
        return 1;
    lua_Number below = floor(b);
    int order = compare_integers(a, (lua_Integer)below);
    return order != 0 ? order : b > below ? -1 : 0;
}

static int compare_numbers(const struct key *a, const struct key *b)
{
    if (a->is_integer && b->is_integer)
        return compare_integers(a->value.integer, b->value.integer);
    if (a->is_integer)
        return compare_mixed(a->value.integer, b->value.number);
    if (b->is_integer)
        return -compare_mixed(b->value.integer, a->value.number);
    return (a->value.number > b->value.number) - (a->value.number < b->value.number);
}

static int compare_texts(const struct key *a, const struct key *b)
{
    size_t common = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->value.text, b->value.text, common);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare(const void *left, const void *right)
{
    const struct key *a = left;
    const struct key *b = right;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank == RANK_NUMBER)
        return compare_numbers(a, b);
    if (a->rank == RANK_STRING)
        return compare_texts(a, b);
    return compare_integers(a->value.integer, b->value.integer);
}

/* Describe the key at `index`; false if it is one of ours, which no script may
 * see.  The text stays the string's. */
static bool read_key(lua_State *lua, int index, struct key *out)
{
    switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
        out->rank = RANK_NUMBER;
        out->is_integer = lua_isinteger(lua, index);
        if (out->is_integer)
            out->value.integer = lua_tointeger(lua, index);
        else
            out->value.number = lua_tonumber(lua, index);
        return true;
    case LUA_TSTRING:
        out->rank = RANK_STRING;
        out->value.text = lua_tolstring(lua, index, &out->size);
        return true;
    case LUA_TBOOLEAN:
        out->rank = RANK_BOOLEAN;
        out->value.integer = lua_toboolean(lua, index);
        return true;
    case LUA_TLIGHTUSERDATA:
        return false;
    default:
        luaL_error(lua,
                   "a %s as a key has no place in an order; use strings or numbers as keys "
                   "of tables that are walked over",
                   luaL_typename(lua, index));
        return false;
    }
}

static uint32_t count_keys(lua_State *lua, int content)
{
    uint32_t count = 0;

    lua_pushnil(lua);
    while (lua_next(lua, content) != 0) {
        lua_pop(lua, 1);
        count++;
    }
    return count;
}

static unsigned bits(uint32_t count)
{
    unsigned result = 0;
    for (; count != 0; count >>= 1)
        result++;
    return result;
}

static bool is_sorted(const struct key *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (compare(&keys[i - 1], &keys[i]) > 0)
            return false;
    return true;
}

/* What the keys cost must not depend on the order in which they were found, nor
 * on keys of ours among them.  A list is found in order; all else is charged as
 * if it had to be sorted. */
static void charge(lua_State *lua, const struct key *keys, uint32_t count)
{
    bool is_list = true;

    for (uint32_t i = 0; i < count && is_list; i++)
        is_list = keys[i].rank == RANK_NUMBER && keys[i].is_integer && keys[i].value.integer >= 1 &&
                  keys[i].value.integer <= count;
    sandbox_spend(lua, 1 + (uint64_t)count);
    if (!is_list)
        budget_compare(lua, (uint64_t)count * bits(count) / 2);
}

/* Push a userdata with the sorted keys of the table at `content`, whose user
 * value is the list that `place` counts in. */
static void push_keys(lua_State *lua, int content)
{
    uint32_t room = count_keys(lua, content);
    uint32_t count = 0;

    struct key *keys = lua_newuserdatauv(lua, (room + 1) * sizeof *keys, 1);
    lua_createtable(lua, (int)room, 0);
    lua_pushnil(lua);
    while (lua_next(lua, content) != 0) {
        lua_pop(lua, 1);
        if (!read_key(lua, -1, &keys[count]))
            continue;
        keys[count].place = count + 1;
        count++;
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, -3, count);
    }
    lua_setiuservalue(lua, -2, 1);
    keys[count].place = 0;
    charge(lua, keys, count);
    if (is_sorted(keys, count))
        return;
    qsort(keys, count, sizeof *keys, compare); /* keys differ, so any sort gives this order */
}

/* Upvalues: the keys, the position.  Argument: the table. */
int order_iterate(lua_State *lua)
{
    const struct key *keys = lua_touserdata(lua, lua_upvalueindex(1));
    lua_Integer at = lua_tointeger(lua, lua_upvalueindex(2));

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    lua_getiuservalue(lua, lua_upvalueindex(1), 1); /* 2 */
    front_content(lua, 1);                          /* 3 */
    while (keys[at].place != 0) {
        lua_rawgeti(lua, 2, keys[at++].place);
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, 3) != LUA_TNIL) {
            lua_pushinteger(lua, at);
            lua_replace(lua, lua_upvalueindex(2));
            return 2;
        }
        lua_settop(lua, 3);
        sandbox_spend(lua, 1);
    }
    lua_pushinteger(lua, at);
    lua_replace(lua, lua_upvalueindex(2));
    lua_pushnil(lua);
    return 1;
}

/* A script's own __pairs is obeyed: it is made of what is sorted already. */
static int base_pairs(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (luaL_getmetafield(lua, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(lua, 1);
        lua_call(lua, 1, 3);
        return 3;
    }
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    front_content(lua, 1);
    push_keys(lua, 2);
    lua_pushinteger(lua, 0);
    lua_pushcclosure(lua, order_iterate, 2);
    lua_pushvalue(lua, 1);
    return 2;
}

static int base_next(lua_State *lua)
{
    struct key after = { 0 };
    struct key best = { 0 };
    struct key key = { 0 };
    bool has_best = false;

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    front_content(lua, 1); /* 3 */
    lua_pushnil(lua);      /* 4: the best key */
    bool is_first = lua_isnil(lua, 2) || !read_key(lua, 2, &after);
    lua_pushnil(lua);
    while (lua_next(lua, 3) != 0) {
        lua_pop(lua, 1);
        if (!read_key(lua, -1, &key))
            continue;
        budget_compare(lua, 1);
        if ((!is_first && compare(&key, &after) <= 0) || (has_best && compare(&key, &best) >= 0))
            continue;
        best = key;
        has_best = true;
        lua_copy(lua, -1, 4);
    }
    if (!has_best)
        return 1; /* nil */
    lua_pushvalue(lua, 4);
    lua_rawget(lua, 3);
    return 2;
}

static int ipairs_iterate(lua_State *lua)
{
    lua_Integer i = luaL_checkinteger(lua, 2);

    i = luaL_intop(+, i, 1);
    lua_pushinteger(lua, i);
    return lua_geti(lua, 1, i) == LUA_TNIL ? 1 : 2;
}

static int base_ipairs(lua_State *lua)
{
    luaL_checkany(lua, 1);
    lua_pushcfunction(lua, ipairs_iterate);
    lua_pushvalue(lua, 1);
    lua_pushinteger(lua, 0);
    return 3;
}

void order_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "ipairs", base_ipairs },
        { "next", base_next },
        { "pairs", base_pairs },
        { NULL, NULL },
    };
    luaL_setfuncs(lua, functions, 0);
}

/* sandbox_sort.c -- table.sort, stable and indifferent to bad comparisons.
 *
 * Lua's own sort picks its pivot by the clock, so equal items come out in an
 * order that no replay reproduces, and a comparison that contradicts itself
 * raises an error or not by chance.  A merge sort asks the same questions in the
 * same order every time and ends whatever the answers are.
 *
 * The sort works on a copy of the list and an array of item numbers.  The list
 * itself is written once, at the end: a comparison that fails leaves it as it
 * was, and one that changes it is simply overruled.  Merging is from the bottom
 * up, without recursion.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

/* Stack places while sorting. */
enum { LIST = 1, COMPARISON = 2, COPY = 3 };

static bool is_less(lua_State *lua, uint32_t a, uint32_t b)
{
    bool less = false;

    if (lua_isnil(lua, COMPARISON)) {
        budget_compare(lua, 1);
        lua_rawgeti(lua, COPY, a);
        lua_rawgeti(lua, COPY, b);
        less = lua_compare(lua, -2, -1, LUA_OPLT);
        lua_pop(lua, 2);
        return less;
    }
    sandbox_spend(lua, 1);
    lua_pushvalue(lua, COMPARISON);
    lua_rawgeti(lua, COPY, a);
    lua_rawgeti(lua, COPY, b);
    lua_call(lua, 2, 1);
    less = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return less;
}

/* Merge from[begin..middle) and from[middle..end) into the same places of `to`.
 * An item of the right half goes first only if it is less: that is stability. */
static void merge(lua_State *lua, const uint32_t *from, uint32_t *to, size_t begin, size_t middle,
                  size_t end)
{
    size_t left = begin;
    size_t right = middle;

    for (size_t at = begin; at < end; at++) {
        bool take_right = left == middle || (right < end && is_less(lua, from[right], from[left]));
        to[at] = take_right ? from[right++] : from[left++];
    }
}

/* Sort `order`, using `spare` of the same size; return the one that holds it. */
static uint32_t *sort_order(lua_State *lua, uint32_t *order, uint32_t *spare, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = middle + width < count ? middle + width : count;
            merge(lua, order, spare, begin, middle, end);
        }
        uint32_t *sorted = spare;
        spare = order;
        order = sorted;
    }
    return order;
}

int table_sort(lua_State *lua)
{
    luaL_checktype(lua, LIST, LUA_TTABLE);
    if (!lua_isnoneornil(lua, COMPARISON))
        luaL_checktype(lua, COMPARISON, LUA_TFUNCTION);
    lua_settop(lua, COMPARISON);
    front_writable(lua, LIST);
    lua_Integer count = table_border(lua, -1);
    luaL_argcheck(lua, count < INT32_MAX, LIST, "too long to be sorted");
    sandbox_spend(lua, 2 * (uint64_t)count);

    lua_createtable(lua, (int)count, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, -2, i);
        lua_rawseti(lua, -2, i);
    }
    lua_replace(lua, COPY); /* the contents are looked up again at the end */
    size_t size = (size_t)count * sizeof(uint32_t);
    uint32_t *order = lua_newuserdatauv(lua, 2 * size, 0);
    for (size_t i = 0; i < (size_t)count; i++)
        order[i] = (uint32_t)i + 1;

    const uint32_t *sorted = sort_order(lua, order, order + count, (size_t)count);
    front_writable(lua, LIST);
    for (size_t i = 0; i < (size_t)count; i++) {
        lua_rawgeti(lua, COPY, sorted[i]);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    return 0;
}

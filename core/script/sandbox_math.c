/* sandbox_math.c -- arithmetic that is exact, and nothing else.
 *
 * abs ceil floor fmod huge maxinteger max mininteger min modf pi sqrt tointeger
 * type ult: each has one right answer, which IEEE 754 or the integers fix to the
 * last bit.  sin, exp, log and pow have none; the C libraries of two machines
 * disagree, so they are absent, as is everything random.
 *
 * power(x, n) multiplies.  It squares its way up the bits of n in a fixed order,
 * so that its rounding, too, is the same everywhere.
 */
#include "core/script/sandbox_parts.h"

#include <math.h>

static int math_abs(lua_State *lua)
{
    if (lua_isinteger(lua, 1)) {
        lua_Integer value = lua_tointeger(lua, 1);
        lua_pushinteger(lua, value < 0 ? luaL_intop(-, 0, value) : value);
    } else {
        lua_pushnumber(lua, fabs(luaL_checknumber(lua, 1)));
    }
    return 1;
}

/* A whole float as an integer if it fits, else as it is. */
static int push_whole(lua_State *lua, lua_Number value)
{
    lua_Integer integer = 0;

    if (lua_numbertointeger(value, &integer))
        lua_pushinteger(lua, integer);
    else
        lua_pushnumber(lua, value);
    return 1;
}

static int math_floor(lua_State *lua)
{
    if (lua_isinteger(lua, 1)) {
        lua_settop(lua, 1);
        return 1;
    }
    return push_whole(lua, floor(luaL_checknumber(lua, 1)));
}

static int math_ceil(lua_State *lua)
{
    if (lua_isinteger(lua, 1)) {
        lua_settop(lua, 1);
        return 1;
    }
    return push_whole(lua, ceil(luaL_checknumber(lua, 1)));
}

static int math_fmod(lua_State *lua)
{
    if (!lua_isinteger(lua, 1) || !lua_isinteger(lua, 2)) {
        lua_pushnumber(lua, fmod(luaL_checknumber(lua, 1), luaL_checknumber(lua, 2)));
        return 1;
    }
    lua_Integer divisor = lua_tointeger(lua, 2);
    luaL_argcheck(lua, divisor != 0, 2, "zero");
    lua_pushinteger(lua, divisor == -1 ? 0 : lua_tointeger(lua, 1) % divisor);
    return 1;
}

static int math_modf(lua_State *lua)
{
    if (lua_isinteger(lua, 1)) {
        lua_settop(lua, 1);
        lua_pushnumber(lua, 0);
        return 2;
    }
    lua_Number value = luaL_checknumber(lua, 1);
    lua_Number whole = trunc(value);
    push_whole(lua, whole);
    lua_pushnumber(lua, value == whole ? 0.0 : value - whole);
    return 2;
}

static int math_sqrt(lua_State *lua)
{
    lua_pushnumber(lua, sqrt(luaL_checknumber(lua, 1)));
    return 1;
}

/* The argument that is first in the order `op`. */
static int extreme(lua_State *lua, bool wants_less)
{
    int count = lua_gettop(lua);
    int best = 1;

    luaL_checknumber(lua, 1);
    sandbox_spend(lua, (uint64_t)count / 8);
    for (int i = 2; i <= count; i++) {
        luaL_checknumber(lua, i);
        if (wants_less ? lua_compare(lua, i, best, LUA_OPLT) : lua_compare(lua, best, i, LUA_OPLT))
            best = i;
    }
    lua_pushvalue(lua, best);
    return 1;
}

static int math_min(lua_State *lua)
{
    return extreme(lua, true);
}

static int math_max(lua_State *lua)
{
    return extreme(lua, false);
}

static int math_tointeger(lua_State *lua)
{
    int is_whole = 0;
    lua_Integer value = lua_type(lua, 1) == LUA_TNUMBER ? lua_tointegerx(lua, 1, &is_whole) : 0;

    luaL_checkany(lua, 1);
    if (is_whole)
        lua_pushinteger(lua, value);
    else
        lua_pushnil(lua);
    return 1;
}

static int math_type(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (lua_type(lua, 1) != LUA_TNUMBER)
        lua_pushnil(lua);
    else
        lua_pushstring(lua, lua_isinteger(lua, 1) ? "integer" : "float");
    return 1;
}

static int math_ult(lua_State *lua)
{
    lua_Unsigned a = (lua_Unsigned)luaL_checkinteger(lua, 1);
    lua_Unsigned b = (lua_Unsigned)luaL_checkinteger(lua, 2);
    lua_pushboolean(lua, a < b);
    return 1;
}

/* *value *= factor, or false if 64 bits do not hold it. */
static bool multiply(lua_Integer *value, lua_Integer factor)
{
    lua_Integer v = *value;
    bool is_over = v > 0 ? (factor > 0 ? v > LUA_MAXINTEGER / factor : factor < LUA_MININTEGER / v)
                   : factor > 0 ? v < LUA_MININTEGER / factor
                                : v != 0 && factor < LUA_MAXINTEGER / v;

    if (!is_over)
        *value = v * factor;
    return !is_over;
}

static lua_Integer power_of_integer(lua_State *lua, lua_Integer base, lua_Integer exponent)
{
    lua_Integer result = 1;
    bool is_over = false; /* the square, which is an error only once it is used */

    for (; exponent != 0; exponent >>= 1) {
        if ((exponent & 1) != 0 && (is_over || !multiply(&result, base)))
            luaL_error(lua, "the power is beyond 64 bits; for a float write power(x + 0.0, n)");
        is_over = is_over || !multiply(&base, base);
    }
    return result;
}

static lua_Number power_of_float(lua_Number base, lua_Integer exponent)
{
    lua_Unsigned left = exponent < 0 ? 0 - (lua_Unsigned)exponent : (lua_Unsigned)exponent;
    lua_Number result = 1;

    for (lua_Number square = base; left != 0; left >>= 1) {
        if ((left & 1) != 0)
            result *= square;
        square *= square;
    }
    return exponent < 0 ? 1 / result : result;
}

static int math_power(lua_State *lua)
{
    int is_whole = 0;

    luaL_checktype(lua, 1, LUA_TNUMBER);
    luaL_checktype(lua, 2, LUA_TNUMBER);
    lua_Integer exponent = lua_tointegerx(lua, 2, &is_whole);
    luaL_argcheck(lua, is_whole, 2,
                  "not a whole number; roots other than math.sqrt have no "
                  "exact result");
    if (lua_isinteger(lua, 1) && exponent >= 0)
        lua_pushinteger(lua, power_of_integer(lua, lua_tointeger(lua, 1), exponent));
    else
        lua_pushnumber(lua, power_of_float(lua_tonumber(lua, 1), exponent));
    return 1;
}

void math_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "abs", math_abs },   { "ceil", math_ceil }, { "floor", math_floor },
        { "fmod", math_fmod }, { "max", math_max },   { "min", math_min },
        { "modf", math_modf }, { "sqrt", math_sqrt }, { "tointeger", math_tointeger },
        { "type", math_type }, { "ult", math_ult },   { NULL, NULL },
    };
    luaL_newlib(lua, functions);
    lua_pushnumber(lua, HUGE_VAL);
    lua_setfield(lua, -2, "huge");
    lua_pushnumber(lua, 3.141592653589793);
    lua_setfield(lua, -2, "pi");
    lua_pushinteger(lua, LUA_MAXINTEGER);
    lua_setfield(lua, -2, "maxinteger");
    lua_pushinteger(lua, LUA_MININTEGER);
    lua_setfield(lua, -2, "mininteger");
    front_freeze(lua, -1);
    lua_setfield(lua, -2, "math");

    lua_pushcfunction(lua, math_power);
    lua_setfield(lua, -2, "power");
}

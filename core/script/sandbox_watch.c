/* sandbox_watch.c -- local variables outside a function that a call may change.
 *
 *     local count = 0
 *     rule "..." { run = function(event) count = count + 1 ... end }
 *
 * After a restart count would begin at 0 again and the replay would come out
 * differently.  So each such variable is put back after every call, and the
 * caller is told, because the author meant something else.
 *
 * Which ones: those that a function reachable from the kept one refers to and
 * that some file assigns to (sandbox_source.c); for an honest bundle that is
 * none, and a call pays nothing.  Iterators of pairs and gmatch that were made
 * while loading keep their position in upvalues, and so are watched as well.
 *
 * The registry holds two lists, of functions and of values as sealed; the places
 * in them are those of the array of struct sandbox_watch, from 1.
 */
#include "core/script/sandbox_parts.h"

#include "core/base/mem.h"

static const char FUNCTIONS[] = "sandbox.watch.functions";
static const char VALUES[] = "sandbox.watch.values";

bool watch_is_iterator(lua_CFunction function)
{
    return function == order_iterate || function == match_iterate;
}

/* Remember the upvalue of the function at `function`, with its value. */
void watch_add(lua_State *lua, int function, int upvalue)
{
    struct sandbox *sandbox = sandbox_of(lua);
    lua_Debug place;

    function = lua_absindex(lua, function);
    sandbox->watches =
        mem_resize(sandbox->watches, (sandbox->watch_count + 1) * sizeof sandbox->watches[0]);
    struct sandbox_watch *watch = &sandbox->watches[sandbox->watch_count++];

    luaL_getsubtable(lua, LUA_REGISTRYINDEX, FUNCTIONS);
    lua_pushvalue(lua, function);
    lua_rawseti(lua, -2, sandbox->watch_count);
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, VALUES);
    watch->upvalue = upvalue;
    watch->name = lua_getupvalue(lua, function, upvalue);
    lua_rawseti(lua, -2, sandbox->watch_count);
    lua_pushvalue(lua, function);
    lua_getinfo(lua, ">S", &place);
    watch->file = place.source + (place.source[0] == '@');
    watch->line = place.linedefined;
    if (watch->name[0] == '\0') /* a C function's */
        watch->name = "an iterator";
    lua_pop(lua, 2);
}

/* Whether the two values on top are the same to the last bit that a script can
 * tell: 1 is not 1.0, and NaN is NaN. */
static bool is_same(lua_State *lua)
{
    if (lua_type(lua, -1) != LUA_TNUMBER || lua_type(lua, -2) != LUA_TNUMBER)
        return lua_rawequal(lua, -1, -2);
    if (lua_isinteger(lua, -1) != lua_isinteger(lua, -2))
        return false;
    return lua_rawequal(lua, -1, -2) || (!lua_rawequal(lua, -1, -1) && !lua_rawequal(lua, -2, -2));
}

/* `functions` and `values` are the stack places of the lists. */
static void restore(struct sandbox *sandbox, unsigned at, int functions, int values,
                    struct sandbox_report *report)
{
    lua_State *lua = sandbox->lua;
    const struct sandbox_watch *watch = &sandbox->watches[at];

    lua_rawgeti(lua, functions, at + 1);
    lua_getupvalue(lua, -1, watch->upvalue);
    lua_rawgeti(lua, values, at + 1);
    if (!is_same(lua) && report->changed_name == NULL) {
        report->changed_name = watch->name;
        report->changed_file = watch->file;
        report->changed_line = watch->line;
    }
    lua_setupvalue(lua, -3, watch->upvalue); /* also where only a zero's sign differs */
    lua_pop(lua, 2);
}

void watch_restore(struct sandbox *sandbox, const struct sandbox_kept *kept,
                   struct sandbox_report *report)
{
    if (sandbox->watch_common == 0 && kept->watch_count == 0)
        return;

    lua_State *lua = sandbox->lua;
    int functions = lua_gettop(lua) + 1;
    lua_getfield(lua, LUA_REGISTRYINDEX, FUNCTIONS);
    lua_getfield(lua, LUA_REGISTRYINDEX, VALUES);
    for (unsigned i = 0; i < kept->watch_count; i++)
        restore(sandbox, kept->watch_first + i, functions, functions + 1, report);
    for (unsigned i = 0; i < sandbox->watch_common; i++)
        restore(sandbox, i, functions, functions + 1, report);
    lua_pop(lua, 2);
}

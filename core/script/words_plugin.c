/* words_plugin.c -- functions that plugins offer: visits.next { after = "30d" }.
 *
 * Each plugin is a table of its name.  A function takes one table of named values, or nothing, and
 * what it does is done before the rule goes on; if it fails it raises an error of the rule's.
 */
#include "core/base/arena.h"
#include "core/engine/plugins.h"
#include "core/script/convert.h"
#include "core/script/explain.h"
#include "core/script/host_inside.h"
#include "core/script/vocabulary.h"

#include <string.h>

#define CALL_UNITS 200 /* of the budget, besides what its table costs */

/* The first in order of those that are not among `takes`; NULL: all are. */
static const char *find_unknown(struct doc arguments, const char *const takes[])
{
    const char *unknown = NULL;
    for (struct doc_iter it = doc_iter(arguments); doc_next(&it);) {
        size_t i = 0;
        while (takes[i] != NULL && !text_is(it.name, takes[i]))
            i++;
        if (takes[i] == NULL && (unknown == NULL || strcmp(it.name.data, unknown) < 0))
            unknown = it.name.data;
    }
    return unknown;
}

static void check_names(lua_State *lua, const char *name, struct doc arguments,
                        const char *const takes[])
{
    struct buf *scratch = &host_of(lua)->scratch;
    const char *unknown = takes != NULL ? find_unknown(arguments, takes) : NULL;
    if (unknown == NULL)
        return;
    buf_clear(scratch);
    if (takes[0] != NULL)
        explain_choice(unknown, takes, scratch);
    else
        buf_printf(scratch, ": it takes nothing, %s {}", name);
    luaL_error(lua, "%s knows no \"%s\"%s", name, unknown, buf_string(scratch));
}

/* Upvalues: the function's number, how it is called, the names that it takes. */
static int call_plugin(lua_State *lua)
{
    size_t function = (size_t)lua_tointeger(lua, lua_upvalueindex(1));
    const char *name = lua_tostring(lua, lua_upvalueindex(2));
    struct step *step = host_step(lua, name);
    struct doc_value answer;
    struct err err;
    if (lua_gettop(lua) > 1 || (lua_gettop(lua) == 1 && !lua_isnil(lua, 1) && !lua_istable(lua, 1)))
        return luaL_error(lua, "%s takes one table: %s { ... }", name, name);
    struct doc arguments = check_doc(lua, 1, name);
    check_names(lua, name, arguments, lua_touserdata(lua, lua_upvalueindex(3)));
    sandbox_spend(lua, CALL_UNITS);
    if (step_call_plugin(step, function, arguments, &answer, &err) != 0)
        return host_raise(lua, &err);
    convert_push(lua, &answer);
    return 1;
}

static void add_function(lua_State *lua, struct host *host, const struct plugins *plugins,
                         size_t index)
{
    const struct plugin_function *function = &plugins->functions[index];
    struct text plugin = plugins->names[function->plugin];
    struct text full = arena_printf(&host->arena, "%.*s.%.*s", (int)plugin.size, plugin.data,
                                    (int)function->name.size, function->name.data);
    lua_pushinteger(lua, (lua_Integer)index);
    lua_pushlstring(lua, full.data, full.size);
    lua_pushlightuserdata(lua, (void *)function->takes); /* only read */
    lua_pushcclosure(lua, call_plugin, 3);
    lua_setfield(lua, -2, function->name.data);
}

int words_plugin_add(struct host *host, const struct plugins *plugins, struct err *err)
{
    lua_State *lua = sandbox_state(host->sandbox);
    for (size_t i = 0; plugins != NULL && i < plugins->function_count;) {
        size_t plugin = plugins->functions[i].plugin;
        const char *name = plugins->names[plugin].data;
        if (script_is_word(name)) /* what rules have already */
            return err_set(err, E_CONFLICT,
                           "the plugin %s has the name of a word of rules: it cannot offer "
                           "functions",
                           name);
        lua_newtable(lua);
        for (; i < plugins->function_count && plugins->functions[i].plugin == plugin; i++)
            add_function(lua, host, plugins, i);
        sandbox_add_value(host->sandbox, name);
        host_note_word(host, name);
    }
    return 0;
}

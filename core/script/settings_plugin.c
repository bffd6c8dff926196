/* settings_plugin.c -- the words of kith.lua for plugins; see settings.h.
 *
 * The file is read before any plugin is loaded, so nothing here knows what a plugin may be
 * configured with; only that the table can be written down.
 */
#include "core/script/convert.h"
#include "core/script/explain.h"
#include "core/script/settings.h"
#include "core/script/settings_inside.h"

#include <lauxlib.h>
#include <string.h>

int setting_plugins(lua_State *lua)
{
    struct settings *settings = settings_of(lua);
    if (settings->plugin_dir != NULL)
        return luaL_error(lua, "plugins is said a second time: keep one of the two");
    settings->plugin_dir = settings_path(lua, 1, settings, "plugins");
    return 0;
}

static bool is_list_of_texts(struct doc_value value)
{
    if (value.type == DOC_DOC)
        return doc_count(value.doc) == 0; /* an empty table is no list */
    if (value.type != DOC_ARRAY)
        return false;
    for (struct doc_iter it = doc_iter(value.doc); doc_next(&it);)
        if (it.value.type != DOC_TEXT)
            return false;
    return true;
}

/* One that no plugin can need was misspelt, and the plugin that lacks it is not what is wrong. */
const char *const settings_capabilities[] = {
    "append",    "read",       "staff",      "admin",      "on-behalf",  "fetch",
    "sockets",   "work",       "files",      "channel",    "routes",     "fetch-private",
    "act:after", "act:assign", "act:cancel", "act:change", "act:create", "act:link",
    "act:move",  "act:notify", "act:remind", "act:send",   "act:set",    "act:tag",
    "act:untag", NULL,
};

bool settings_is_capability(struct text word)
{
    for (size_t i = 0; settings_capabilities[i] != NULL; i++)
        if (text_is(word, settings_capabilities[i]))
            return true;
    return false;
}

static void check_grant(lua_State *lua, struct settings *settings, const char *plugin,
                        struct doc_value grant)
{
    if (grant.type != DOC_NONE && !is_list_of_texts(grant))
        luaL_error(lua, "plugin \"%s\": grant is a list of texts", plugin);
    if (grant.type != DOC_ARRAY)
        return;
    for (struct doc_iter it = doc_iter(grant.doc); doc_next(&it);) {
        if (settings_is_capability(it.value.text))
            continue;
        buf_clear(&settings->scratch);
        explain_choice(it.value.text.data, settings_capabilities, &settings->scratch);
        luaL_error(lua, "plugin \"%s\": grant knows no \"%s\"%s", plugin, it.value.text.data,
                   buf_string(&settings->scratch));
    }
}

/* The table behind the name, at 1; upvalue 2: the place among the plugins. */
static int plugin_table(lua_State *lua)
{
    struct settings *settings = settings_of(lua);
    size_t place = (size_t)lua_tointeger(lua, lua_upvalueindex(2));
    struct plugin_settings *plugin = &settings->plugins[place];
    settings_check_fields(lua, "plugin", plugin_fields);
    struct doc table = settings_table(lua, settings, "plugin");
    struct doc_value grant = doc_get(table, "grant"), config = doc_get(table, "config"),
                     isolate = doc_get(table, "isolate");
    check_grant(lua, settings, plugin->name, grant);
    if (isolate.type != DOC_NONE && isolate.type != DOC_BOOL)
        return luaL_error(lua, "plugin \"%s\": isolate is true or false", plugin->name);
    if (config.type != DOC_NONE && config.type != DOC_DOC)
        return luaL_error(lua, "plugin \"%s\": config is a table of names and values",
                          plugin->name);
    plugin->grant = grant.type == DOC_ARRAY ? grant.doc : (struct doc){ NULL, 0 };
    plugin->config = config.type == DOC_DOC ? config.doc : (struct doc){ NULL, 0 };
    plugin->is_isolated = isolate.type == DOC_BOOL && isolate.boolean;
    return 0;
}

/* As luaL_error() would say it. */
static const char *place_of(lua_State *lua, struct settings *settings)
{
    luaL_where(lua, 1);
    const char *place = arena_text(&settings->arena, text_of(lua_tostring(lua, -1))).data;
    lua_pop(lua, 1);
    return place;
}

int setting_plugin(lua_State *lua)
{
    struct settings *settings = settings_of(lua);
    const char *name = settings_text(lua, 1, settings, "the plugin's name");
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (name[size] != '\0')
        return luaL_error(lua, "plugin \"%s\": a name has small letters, digits and _", name);
    for (size_t i = 0; i < settings->plugin_count; i++)
        if (strcmp(settings->plugins[i].name, name) == 0)
            return luaL_error(lua, "plugin \"%s\" is said a second time: keep one of the two",
                              name);
    if (settings->plugin_count == SETTINGS_PLUGINS_MAX)
        return luaL_error(lua, "more than %d plugins", SETTINGS_PLUGINS_MAX);
    settings->plugins[settings->plugin_count] =
        (struct plugin_settings){ .name = name, .place = place_of(lua, settings) };
    lua_pushlightuserdata(lua, settings);
    lua_pushinteger(lua, (lua_Integer)settings->plugin_count++);
    lua_pushcclosure(lua, plugin_table, 2);
    if (lua_gettop(lua) < 3) /* plugin "NAME", and perhaps a table */
        return 1;
    lua_pushvalue(lua, 2); /* plugin("NAME", { ... }) */
    lua_call(lua, 1, 0);
    return 0;
}

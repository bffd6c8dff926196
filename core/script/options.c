/* options.c -- the tables that words take: rule "..." { on = ..., run = ... }.
 *
 * A field that a word does not know is a mistake and never ignored: somebody meant
 * something by it.  Nothing is converted either: 5 is no text, and "5" no number.
 */
#include "core/script/convert.h"
#include "core/script/explain.h"
#include "core/script/host_inside.h"

#include <string.h>

/* Of the vocabulary, and not in this version. */
static const struct {
    const char *word, *name, *instead;
} later[] = {
    { "rule", "control", "" },
    { "rule", "where", ": ask in run, as in: if known(event.total) and event.total > 5 then ..." },
};

static int refuse(lua_State *lua, const char *word, const char *name,
                  const struct script_field fields[])
{
    const char *names[SCRIPT_FIELDS_MAX + 1];
    struct buf *scratch = &host_of(lua)->scratch;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strcmp(later[i].word, word) == 0 && strcmp(later[i].name, name) == 0)
            return luaL_error(lua, "%s: \"%s\" is not in this version%s", word, name,
                              later[i].instead);
    script_field_names(fields, names);
    buf_clear(scratch);
    explain_choice(name, names, scratch);
    return luaL_error(lua, "%s knows no \"%s\"%s", word, name, buf_string(scratch));
}

static int refuse_nameless(lua_State *lua, const char *word, const struct script_field fields[])
{
    const char *names[SCRIPT_FIELDS_MAX + 1];
    struct buf *scratch = &host_of(lua)->scratch;
    script_field_names(fields, names);
    buf_clear(scratch);
    explain_list(names, scratch);
    return luaL_error(lua, "%s: a value without a name: write name = value, with %s", word,
                      buf_string(scratch));
}

/* Of several the first in order is named: the table's own order is another each time, and the
 * message becomes part of the state. */
void option_check(lua_State *lua, int index, const char *word, const struct script_field fields[])
{
    const char *unknown = NULL;
    bool is_nameless = false;
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_pop(lua, 1);
        const char *key = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;
        if (key == NULL)
            is_nameless = true;
        else if (script_field_find(fields, text_of(key)) == SIZE_MAX &&
                 (unknown == NULL || strcmp(key, unknown) < 0))
            unknown = key;
    }
    if (unknown != NULL)
        refuse(lua, word, unknown, fields);
    if (is_nameless)
        refuse_nameless(lua, word, fields);
}

struct text option_text(lua_State *lua, int index, const char *name, struct arena *arena)
{
    lua_getfield(lua, index, name);
    if (!lua_isnil(lua, -1) && lua_type(lua, -1) != LUA_TSTRING)
        luaL_error(lua, "%s must be text, not a %s", name, luaL_typename(lua, -1));
    struct text text = convert_text(lua, -1, arena);
    lua_pop(lua, 1);
    return text;
}

bool option_bool(lua_State *lua, int index, const char *name, bool otherwise)
{
    lua_getfield(lua, index, name);
    if (!lua_isnil(lua, -1) && !lua_isboolean(lua, -1))
        luaL_error(lua, "%s must be true or false, not a %s", name, luaL_typename(lua, -1));
    bool value = lua_isnil(lua, -1) ? otherwise : lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return value;
}

static bool read_two_digits(const char *text, int *out_number)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *out_number = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

bool clock_read(const char **at, int *out_minute)
{
    const char *text = *at;
    int hour = 0, minute = 0;
    if (!read_two_digits(text, &hour) || text[2] != ':' || !read_two_digits(text + 3, &minute) ||
        hour > 24 || minute > 59 || (hour == 24 && minute != 0))
        return false;
    *at = text + 5;
    *out_minute = hour * 60 + minute;
    return true;
}

int option_minute(lua_State *lua, int index, const char *name)
{
    int minute = 0;
    lua_getfield(lua, index, name);
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
        return -1;
    }
    const char *text = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    if (!clock_read(&text, &minute) || *text != '\0' || minute >= 24 * 60)
        luaL_error(lua, "%s must be a time of day like \"09:00\"", name);
    lua_pop(lua, 1);
    return minute;
}

/* -- Tables of acting words ----------------------------------------------- */

void check_table(lua_State *lua, const char *word)
{
    if (lua_type(lua, 1) != LUA_TTABLE)
        luaL_error(lua, "%s { ... } takes a table", word);
    lua_settop(lua, 1);
    sandbox_push_contents(lua, 1); /* the table may stand in a declaration */
    lua_replace(lua, 1);
}

struct doc check_named(lua_State *lua, int index, const struct named *named)
{
    struct doc_value value;
    struct err err;
    const char *gap = named->field != NULL ? ": " : "";
    const char *field = named->field != NULL ? named->field : "";
    if (lua_isnoneornil(lua, index))
        return (struct doc){ NULL, 0 };
    if (lua_type(lua, index) != LUA_TTABLE)
        luaL_error(lua, "%s%s%s: a table { name = value } is expected, not a %s", named->word, gap,
                   field, luaL_typename(lua, index));
    if (convert_from_lua(lua, index, named->arena, named->scratch, &value, &err) != 0)
        luaL_error(lua, "%s: %s", named->word, err.text);
    if (value.type != DOC_DOC)
        luaL_error(lua, "%s%s%s: a table has names here: { name = value }", named->word, gap,
                   field);
    return value.doc;
}

static struct doc check_field(lua_State *lua, int index, const char *word, const char *field)
{
    struct host *host = host_of(lua);
    const struct named named = {
        .word = word,
        .field = field,
        .arena = step_arena(host->step),
        .scratch = &host->scratch,
    };
    return check_named(lua, index, &named);
}

struct doc check_doc(lua_State *lua, int index, const char *word)
{
    return check_field(lua, index, word, NULL);
}

struct doc option_doc(lua_State *lua, int index, const char *name, const char *word)
{
    lua_getfield(lua, index, name);
    struct doc doc = check_field(lua, lua_gettop(lua), word, name);
    lua_pop(lua, 1);
    return doc;
}

int64_t option_moment(lua_State *lua, int index, const struct when *when)
{
    lua_getfield(lua, index, when->name);
    int64_t ms = moment_from_lua(lua, lua_gettop(lua), when);
    lua_pop(lua, 1);
    return ms;
}

/* words_declare.c -- what scripts declare while they are loaded: rules, purposes, calendars.
 *
 * All mistakes are raised at the line that makes them, before anything is activated.  Lua
 * has no word for a call that never came: `rule "x"` without its table would be no mistake
 * and no rule.  So a name that waits for its table is written down, with its place, and
 * whatever still waits when all files have been run is an error.
 */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <string.h>

#define RULES_MAX 1000

/* -- word "name" { ... } -------------------------------------------------- */

static struct host *declare_host(lua_State *lua, const char *word)
{
    struct host *host = host_of(lua);
    if (!host->is_loading)
        luaL_error(lua, "%s declares: it stands outside of functions that run later", word);
    return host;
}

static struct text check_name(lua_State *lua, struct host *host, const char *word)
{
    struct text name = convert_text(lua, 1, &host->arena);
    if (name.size == 0 || name.size > NAME_BYTES_MAX || memchr(name.data, '\0', name.size) != NULL)
        luaL_error(lua, "%s needs a name of 1 to %d bytes: %s \"name\" { ... }", word,
                   NAME_BYTES_MAX, word);
    return name;
}

static void complete(lua_State *lua, struct host *host, const struct declaration *declaration)
{
    if (lua_type(lua, 1) != LUA_TTABLE || lua_gettop(lua) != 1)
        luaL_error(lua, "a table { ... } is expected behind %s \"%s\", and nothing else",
                   declaration->word, declaration->name.data);
    declaration->read(lua, host, declaration->name);
}

/* Upvalue 1: which declaration. */
static int take_table(lua_State *lua)
{
    size_t index = (size_t)lua_tointeger(lua, lua_upvalueindex(1));
    struct declaration declaration = host_of(lua)->declarations[index];
    struct host *host = declare_host(lua, declaration.word);
    complete(lua, host, &declaration);
    host->declarations[index].is_complete = true;
    return 0;
}

/* The line of the script that is running, however many functions of ours stand above it. */
static void read_place(lua_State *lua, struct host *host, struct declaration *declaration)
{
    lua_Debug frame = { .currentline = 0 };
    for (int level = 1; frame.currentline <= 0 && lua_getstack(lua, level, &frame); level++)
        lua_getinfo(lua, "Sl", &frame);
    const char *source = frame.source != NULL ? frame.source : "@";
    declaration->file = arena_text(&host->arena, text_of(source + 1)); /* behind its "@" */
    declaration->line = frame.currentline;
}

int declare(lua_State *lua, const char *word, declare_fn *read)
{
    struct host *host = declare_host(lua, word);
    struct declaration declaration = { .word = word, .read = read };
    declaration.name = check_name(lua, host, word);
    if (lua_gettop(lua) > 1) {
        lua_remove(lua, 1);
        complete(lua, host, &declaration);
        return 0;
    }
    read_place(lua, host, &declaration);
    size_t count = host->declaration_count;
    host->declarations = mem_resize(host->declarations, (count + 1) * sizeof declaration);
    host->declarations[count] = declaration;
    host->declaration_count = count + 1;
    lua_pushinteger(lua, (lua_Integer)count);
    lua_pushcclosure(lua, take_table, 1);
    return 1;
}

int declare_finish(const struct host *host, struct err *err)
{
    for (size_t i = 0; i < host->declaration_count; i++) {
        const struct declaration *declaration = &host->declarations[i];
        if (!declaration->is_complete)
            return err_set(err, E_INVALID,
                           "%s:%d: %s \"%s\" declares nothing: a table must follow, %s \"%s\" "
                           "{ ... }",
                           declaration->file.data, declaration->line, declaration->word,
                           declaration->name.data, declaration->word, declaration->name.data);
    }
    return 0;
}

/* -- rule ----------------------------------------------------------------- */

static void check_unique(lua_State *lua, const struct host *host, struct text name)
{
    for (size_t i = 0; i < host->rules.count; i++)
        if (text_equal(host->rules.rules[i].name, name))
            luaL_error(lua, "a rule called \"%s\" stands in this bundle already", name.data);
}

static const struct script_field rule_fields[] = {
    { "on", "trigger", "what it starts by: an event's type, a list of types, a trigger", true },
    { "run", "function(event, customer)", "what it does then", true },
    { "description", "text", "for people", false },
    { 0 },
};

static void read_rule(lua_State *lua, struct host *host, struct text name)
{
    struct rule rule = { .name = name };
    option_check(lua, 1, "rule", rule_fields);
    check_unique(lua, host, rule.name);
    if (host->rules.count == RULES_MAX)
        luaL_error(lua, "a bundle has at most %d rules", RULES_MAX);
    lua_getfield(lua, 1, "on");
    trigger_read(lua, host, &rule);
    lua_pop(lua, 1);
    lua_getfield(lua, 1, "run");
    if (lua_type(lua, -1) != LUA_TFUNCTION)
        luaL_error(lua, "rule \"%s\" needs run = function(event, customer) ... end",
                   rule.name.data);
    unsigned function = sandbox_keep(lua, -1);
    size_t count = host->rules.count + 1;
    host->rules.rules = mem_resize(host->rules.rules, count * sizeof *host->rules.rules);
    host->functions = mem_resize(host->functions, count * sizeof *host->functions);
    host->rules.rules[count - 1] = rule;
    host->functions[count - 1] = function;
    host->rules.count = count;
}

static int word_rule(lua_State *lua)
{
    return declare(lua, "rule", read_rule);
}

/* -- purpose -------------------------------------------------------------- */

static const struct script_field purpose_fields[] = {
    { "opt_in", "true or false",
      "whether nothing is sent before the customer has consented; else nothing after she has "
      "withdrawn",
      false },
    { "description", "text", "for people", false },
    { 0 },
};

static void read_purpose(lua_State *lua, struct host *host, struct text name)
{
    struct purpose purpose = { .name = name };
    option_check(lua, 1, "purpose", purpose_fields);
    purpose.opt_in = option_bool(lua, 1, "opt_in", false);
    if (text_is(purpose.name, "service"))
        luaL_error(lua, "the purpose \"service\" is built in");
    for (size_t i = 0; i < host->rules.purpose_count; i++)
        if (text_equal(host->rules.purposes[i].name, purpose.name))
            luaL_error(lua, "a purpose called \"%s\" is declared already", purpose.name.data);
    size_t count = host->rules.purpose_count + 1;
    host->rules.purposes = mem_resize(host->rules.purposes, count * sizeof purpose);
    host->rules.purposes[count - 1] = purpose;
    host->rules.purpose_count = count;
}

static int word_purpose(lua_State *lua)
{
    return declare(lua, "purpose", read_purpose);
}

const struct script_word words_declare[] = {
    {
        "rule",
        word_rule,
        "rule \"NAME\" { on, run, ... }",
        "What is done when something happens. The name is unique in the bundle, and stands on the "
        "timeline and in every explanation. A rule that fails changes nothing.",
        rule_fields,
        "rule \"welcome\" {\n"
        "  on = \"Signed Up\",\n"
        "  run = function(event, customer) customer:tag(\"new\") end,\n"
        "}\n",
    },
    {
        "purpose",
        word_purpose,
        "purpose \"NAME\" { ... }",
        "What messages are for, and what consents are given to. `\"service\"` is there without "
        "being declared, and asks for no consent.",
        purpose_fields,
        "purpose \"newsletter\" { opt_in = true, description = \"Once a month\" }\n",
    },
    { 0 },
};

void words_declare_add(struct host *host)
{
    host_add_words(host, words_declare);
}

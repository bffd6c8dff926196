/* words_declare.c -- what scripts declare while they are loaded: rules, purposes,
 * calendars, and the triggers that rules start by.
 *
 * A trigger is an ordinary table {trigger = ...}; only `rule` looks into it.  All
 * mistakes are raised at the line that makes them, before anything is activated.
 */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <string.h>

#define RULES_MAX 1000
#define TYPES_MAX 100

struct host *declare_host(lua_State *lua, const char *word)
{
    struct host *host = host_of(lua);
    if (!host->is_loading)
        luaL_error(lua, "%s declares: it stands outside of functions that run later", word);
    return host;
}

static struct text check_name(lua_State *lua, struct host *host, int index, const char *word)
{
    struct text name = convert_text(lua, index, &host->arena);
    if (name.size == 0 || name.size > NAME_BYTES_MAX || memchr(name.data, '\0', name.size) != NULL)
        luaL_error(lua, "%s needs a name of 1 to %d bytes: %s \"name\" { ... }", word,
                   NAME_BYTES_MAX, word);
    return name;
}

/* word "name" { ... }: the word returns a function that takes the table. */
int declare(lua_State *lua, const char *word, lua_CFunction with_table)
{
    struct host *host = declare_host(lua, word);
    check_name(lua, host, 1, word);
    lua_settop(lua, 1);
    lua_pushcclosure(lua, with_table, 1);
    return 1;
}

struct text declared_name(lua_State *lua, struct host *host, const char *word)
{
    luaL_argcheck(lua, lua_type(lua, 1) == LUA_TTABLE, 1, "a table { ... } is expected");
    return check_name(lua, host, lua_upvalueindex(1), word);
}

/* -- Triggers ------------------------------------------------------------- */

static void check_duration(lua_State *lua, int index, const char *word, struct duration *out)
{
    size_t size;
    struct err err;
    const char *text = luaL_checklstring(lua, index, &size);
    if (duration_parse(text, size, out, &err) != 0)
        luaL_error(lua, "%s: %s", word, err.text);
}

static void push_trigger(lua_State *lua, const char *trigger)
{
    lua_createtable(lua, 0, 5);
    lua_pushstring(lua, trigger);
    lua_setfield(lua, -2, "trigger");
}

static void copy_option(lua_State *lua, int options, const char *name)
{
    lua_getfield(lua, options, name);
    lua_setfield(lua, -2, name);
}

/* Options stand at `index`, or nothing does: then an empty table is put there. */
static void check_options(lua_State *lua, int index, const char *word, const char *const names[])
{
    if (lua_isnoneornil(lua, index)) {
        lua_settop(lua, index - 1);
        lua_newtable(lua);
    }
    luaL_argcheck(lua, lua_type(lua, index) == LUA_TTABLE, index, "a table { ... } is expected");
    option_check(lua, index, word, names);
    option_minute(lua, index, "at");
}

static void check_period(lua_State *lua, struct duration period)
{
    if (period.count <= 0 || period.unit == DURATION_WORKDAYS || period.unit == DURATION_WORKHOURS)
        luaL_error(lua, "every: a period like \"1d\", \"2w\" or \"1mo\" is needed");
    if (duration_is_elapsed(period) && duration_elapsed_ms(period) < 60000)
        luaL_error(lua, "every: at most once a minute");
}

static void check_shift(lua_State *lua, struct text trait, struct duration shift)
{
    if (trait.size == 0 || trait.size > NAME_BYTES_MAX)
        luaL_error(lua, "the trait that holds the date has a name of 1 to %d bytes",
                   NAME_BYTES_MAX);
    if (shift.unit == DURATION_WORKDAYS || shift.unit == DURATION_WORKHOURS)
        luaL_error(lua, "date: working days cannot shift a date: use d, w, mo or y");
}

/* every "1d", every("1d", { at = "09:00" }) */
static int word_every(lua_State *lua)
{
    struct duration period;
    check_duration(lua, 1, "every", &period);
    check_period(lua, period);
    check_options(lua, 2, "every", (const char *const[]){ "at", NULL });
    push_trigger(lua, "every");
    lua_pushvalue(lua, 1);
    lua_setfield(lua, -2, "period");
    copy_option(lua, 2, "at");
    return 1;
}

/* date("contract.end", "-30d", { at = "09:00" }); without a shift: on the day itself */
static int word_date(lua_State *lua)
{
    struct duration shift;
    luaL_checkstring(lua, 1);
    if (lua_type(lua, 2) != LUA_TSTRING) {
        lua_pushliteral(lua, "0d");
        lua_insert(lua, 2);
    }
    check_duration(lua, 2, "date", &shift);
    check_shift(lua, convert_text(lua, 1, &host_of(lua)->arena), shift);
    check_options(lua, 3, "date", (const char *const[]){ "at", NULL });
    push_trigger(lua, "date");
    lua_pushvalue(lua, 1);
    lua_setfield(lua, -2, "trait");
    lua_pushvalue(lua, 2);
    lua_setfield(lua, -2, "period");
    copy_option(lua, 3, "at");
    return 1;
}

/* yearly("birthday", { at = "09:00", calendar = "chinese" }) */
static int word_yearly(lua_State *lua)
{
    luaL_checkstring(lua, 1);
    check_options(lua, 2, "yearly", (const char *const[]){ "at", "calendar", NULL });
    struct text calendar = option_text(lua, 2, "calendar", &host_of(lua)->arena);
    if (calendar.size != 0 && !text_is(calendar, "gregorian") && !text_is(calendar, "chinese"))
        return luaL_error(lua, "yearly: calendar is \"gregorian\" or \"chinese\"");
    push_trigger(lua, "yearly");
    lua_pushvalue(lua, 1);
    lua_setfield(lua, -2, "trait");
    copy_option(lua, 2, "at");
    copy_option(lua, 2, "calendar");
    return 1;
}

/* -- rule ----------------------------------------------------------------- */

static void read_type(lua_State *lua, struct host *host, struct rule *rule)
{
    struct text type = convert_text(lua, -1, &host->arena);
    if (type.size == 0 || type.size > TYPE_BYTES_MAX)
        luaL_error(lua, "on: an event type is text of 1 to %d bytes", TYPE_BYTES_MAX);
    if (text_is(type, "*"))
        luaL_error(lua, "on: \"*\" is every event: it stands alone");
    rule->types[rule->type_count++] = type;
}

static void read_types(lua_State *lua, struct host *host, struct rule *rule)
{
    lua_Integer count = (lua_Integer)lua_rawlen(lua, -1);
    if (count == 0 || count > TYPES_MAX)
        luaL_error(lua, "on: a list of 1 to %d event types, or one trigger, is needed", TYPES_MAX);
    rule->types = arena_alloc(&host->arena, (size_t)count * sizeof *rule->types);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, -1, i);
        read_type(lua, host, rule);
        lua_pop(lua, 1);
    }
}

static void read_schedule(lua_State *lua, struct host *host, struct rule *rule, const char *trigger)
{
    int table = lua_gettop(lua);
    struct text period = option_text(lua, table, "period", &host->arena);
    rule->trigger = strcmp(trigger, "every") == 0  ? RULE_ON_EVERY
                    : strcmp(trigger, "date") == 0 ? RULE_ON_DATE
                                                   : RULE_ON_YEARLY;
    rule->trait = option_text(lua, table, "trait", &host->arena);
    rule->at_minute = option_minute(lua, table, "at");
    rule->is_chinese = text_is(option_text(lua, table, "calendar", &host->arena), "chinese");
    /* Somebody may have written the table without our words. */
    if (period.size != 0 && duration_parse(period.data, period.size, &rule->period, NULL) != 0)
        luaL_error(lua, "on: a duration like \"30d\" is needed");
    if (rule->trigger == RULE_ON_EVERY)
        check_period(lua, rule->period);
    else
        check_shift(lua, rule->trait, rule->period);
    rule->print = arena_printf(&host->arena, "%s %.*s %.*s %d%s", trigger, (int)rule->trait.size,
                               rule->trait.data, (int)period.size, period.data, rule->at_minute,
                               rule->is_chinese ? " chinese" : "");
}

/* The value of `on` is on top of the stack. */
static void read_trigger(lua_State *lua, struct host *host, struct rule *rule)
{
    rule->at_minute = -1;
    rule->trigger = RULE_ON_TYPES;
    if (lua_type(lua, -1) == LUA_TSTRING) {
        if (strcmp(lua_tostring(lua, -1), "*") == 0)
            return;
        rule->types = arena_alloc(&host->arena, sizeof *rule->types);
        read_type(lua, host, rule);
        return;
    }
    if (lua_type(lua, -1) != LUA_TTABLE)
        luaL_error(lua,
                   "on: an event type, a list of them, \"*\", every, date or yearly is needed");
    lua_getfield(lua, -1, "trigger");
    const char *trigger = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;
    lua_pop(lua, 1);
    if (trigger != NULL && strcmp(trigger, "every") != 0 && strcmp(trigger, "date") != 0 &&
        strcmp(trigger, "yearly") != 0)
        luaL_error(lua, "on: there is no trigger \"%s\": write every, date or yearly", trigger);
    if (trigger != NULL)
        read_schedule(lua, host, rule, trigger);
    else
        read_types(lua, host, rule);
}

static void check_unique(lua_State *lua, const struct host *host, struct text name)
{
    for (size_t i = 0; i < host->rules.count; i++)
        if (text_equal(host->rules.rules[i].name, name))
            luaL_error(lua, "a rule called \"%s\" stands in this bundle already", name.data);
}

static int rule_with_table(lua_State *lua)
{
    struct host *host = declare_host(lua, "rule");
    struct rule rule = { .name = declared_name(lua, host, "rule") };
    lua_settop(lua, 1);
    option_check(lua, 1, "rule", (const char *const[]){ "on", "run", "description", NULL });
    check_unique(lua, host, rule.name);
    if (host->rules.count == RULES_MAX)
        return luaL_error(lua, "a bundle has at most %d rules", RULES_MAX);
    lua_getfield(lua, 1, "on");
    read_trigger(lua, host, &rule);
    lua_pop(lua, 1);
    lua_getfield(lua, 1, "run");
    if (lua_type(lua, -1) != LUA_TFUNCTION)
        return luaL_error(lua, "rule \"%s\" needs run = function(event, customer) ... end",
                          rule.name.data);
    unsigned function = sandbox_keep(lua, -1);
    size_t count = host->rules.count + 1;
    host->rules.rules = mem_resize(host->rules.rules, count * sizeof *host->rules.rules);
    host->functions = mem_resize(host->functions, count * sizeof *host->functions);
    host->rules.rules[count - 1] = rule;
    host->functions[count - 1] = function;
    host->rules.count = count;
    return 0;
}

static int word_rule(lua_State *lua)
{
    return declare(lua, "rule", rule_with_table);
}

/* -- purpose -------------------------------------------------------------- */

static int purpose_with_table(lua_State *lua)
{
    struct host *host = declare_host(lua, "purpose");
    struct purpose purpose = { .name = declared_name(lua, host, "purpose") };
    option_check(lua, 1, "purpose", (const char *const[]){ "opt_in", "description", NULL });
    purpose.opt_in = option_bool(lua, 1, "opt_in", false);
    if (text_is(purpose.name, "service"))
        return luaL_error(lua, "the purpose \"service\" is built in");
    for (size_t i = 0; i < host->rules.purpose_count; i++)
        if (text_equal(host->rules.purposes[i].name, purpose.name))
            return luaL_error(lua, "a purpose called \"%s\" is declared already",
                              purpose.name.data);
    size_t count = host->rules.purpose_count + 1;
    host->rules.purposes = mem_resize(host->rules.purposes, count * sizeof purpose);
    host->rules.purposes[count - 1] = purpose;
    host->rules.purpose_count = count;
    return 0;
}

static int word_purpose(lua_State *lua)
{
    return declare(lua, "purpose", purpose_with_table);
}

void words_declare_add(struct host *host)
{
    sandbox_add_function(host->sandbox, "rule", word_rule, 0);
    sandbox_add_function(host->sandbox, "purpose", word_purpose, 0);
    sandbox_add_function(host->sandbox, "every", word_every, 0);
    sandbox_add_function(host->sandbox, "date", word_date, 0);
    sandbox_add_function(host->sandbox, "yearly", word_yearly, 0);
    words_calendar_add(host);
}

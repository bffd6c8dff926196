/* words_trigger.c -- what a rule starts by: an event type, several, every, date, yearly.
 *
 * A trigger is an ordinary table {trigger = ...}, checked where it is made; only `rule` looks
 * into it.
 */
#include "core/base/limits.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <string.h>

#define TYPES_MAX 100

/* -- every, date, yearly --------------------------------------------------- */

static const struct script_field every_fields[] = {
    { "at", "time of day", "when on that day; with d, w, mo, y and wd", false },
    { 0 },
};

static const struct script_field date_fields[] = {
    { "at", "time of day", "when on that day", false },
    { 0 },
};

static const struct script_field yearly_fields[] = {
    { "at", "time of day", "when on that day", false },
    { "calendar", "text", "by which years are counted: \"gregorian\", or \"chinese\"", false },
    { 0 },
};

static void check_duration(lua_State *lua, int index, const char *word, struct duration *out)
{
    size_t size;
    struct err err;
    if (lua_type(lua, index) != LUA_TSTRING)
        luaL_error(lua, "%s: a duration is text like \"1d\", \"2w\" or \"1mo\", not a %s", word,
                   luaL_typename(lua, index));
    const char *text = lua_tolstring(lua, index, &size);
    if (duration_parse(text, size, out, &err) != 0)
        luaL_error(lua, "%s: %s", word, err.text);
}

static void push_trigger(lua_State *lua, const char *trigger)
{
    if (!host_of(lua)->is_loading)
        luaL_error(lua, "%s is a trigger: it stands in the declaration of a rule, on = %s ...",
                   trigger, trigger);
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
static void check_options(lua_State *lua, int index, const char *word,
                          const struct script_field fields[])
{
    if (lua_isnoneornil(lua, index)) {
        lua_settop(lua, index - 1);
        lua_newtable(lua);
    }
    luaL_argcheck(lua, lua_type(lua, index) == LUA_TTABLE, index, "a table { ... } is expected");
    option_check(lua, index, word, fields);
    option_minute(lua, index, "at");
}

static void check_period(lua_State *lua, struct duration period, bool has_at)
{
    if (period.count <= 0)
        luaL_error(lua, "every: a period like \"1d\", \"2w\" or \"1mo\" is needed, more than 0");
    if (duration_is_elapsed(period) && duration_elapsed_ms(period) < 60000)
        luaL_error(lua, "every: at most once a minute");
    if (has_at && (duration_is_elapsed(period) || period.unit == DURATION_WORKHOURS))
        luaL_error(lua, "every: at is a time of day and goes with d, w, mo, y or wd; hours and "
                        "minutes are counted from the start, without it");
}

static void check_trait(lua_State *lua, struct text trait)
{
    if (trait.size == 0 || trait.size > NAME_BYTES_MAX)
        luaL_error(lua, "the trait that holds the date has a name of 1 to %d bytes",
                   NAME_BYTES_MAX);
}

static void check_trait_at(lua_State *lua, int index, const char *example)
{
    if (lua_type(lua, index) != LUA_TSTRING)
        luaL_error(lua, "the name of a trait is needed, as in %s", example);
    check_trait(lua, convert_text(lua, index, &host_of(lua)->arena));
}

/* every "1d", every("1d", { at = "09:00" }) */
static int word_every(lua_State *lua)
{
    struct duration period;
    check_duration(lua, 1, "every", &period);
    check_options(lua, 2, "every", every_fields);
    check_period(lua, period, option_minute(lua, 2, "at") >= 0);
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
    check_trait_at(lua, 1, "date(\"contract.end\", \"-30d\")");
    if (lua_type(lua, 2) != LUA_TSTRING) {
        lua_pushliteral(lua, "0d");
        lua_insert(lua, 2);
    }
    check_duration(lua, 2, "date", &shift);
    check_options(lua, 3, "date", date_fields);
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
    check_trait_at(lua, 1, "yearly(\"birthday\", { at = \"09:00\" })");
    check_options(lua, 2, "yearly", yearly_fields);
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

/* -- on = ... -------------------------------------------------------------- */

static void read_type(lua_State *lua, struct host *host, struct rule *rule)
{
    if (lua_type(lua, -1) == LUA_TTABLE)
        luaL_error(lua, "on: a trigger like every stands alone, not in a list: write two rules");
    struct text type = convert_text(lua, -1, &host->arena);
    if (type.size == 0 || type.size > TYPE_BYTES_MAX)
        luaL_error(lua, "on: an event type is text of 1 to %d bytes", TYPE_BYTES_MAX);
    if (text_is(type, "*"))
        luaL_error(lua, "on: \"*\" is every event: it stands alone");
    rule->types[rule->type_count++] = type;
}

/* A field with a name among them would be ignored. */
static bool is_list(lua_State *lua, lua_Integer count)
{
    lua_Integer fields = 0;
    lua_pushnil(lua);
    for (; lua_next(lua, -2) != 0; fields++)
        lua_pop(lua, 1);
    return fields == count;
}

static void read_types(lua_State *lua, struct host *host, struct rule *rule)
{
    lua_Integer count = (lua_Integer)lua_rawlen(lua, -1);
    if (count == 0 || count > TYPES_MAX || !is_list(lua, count))
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
        check_period(lua, rule->period, rule->at_minute >= 0);
    else
        check_trait(lua, rule->trait);
    rule->print = arena_printf(&host->arena, "%s %.*s %.*s %d%s", trigger, (int)rule->trait.size,
                               rule->trait.data, (int)period.size, period.data, rule->at_minute,
                               rule->is_chinese ? " chinese" : "");
}

void trigger_read(lua_State *lua, struct host *host, struct rule *rule)
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

const struct script_word words_trigger[] = {
    {
        "every",
        word_every,
        "every \"DURATION\", every(\"DURATION\", { at })",
        "Again and again, for each customer; at most once a minute.",
        every_fields,
        "every(\"1w\", { at = \"09:00\" })\n",
    },
    {
        "date",
        word_date,
        "date(\"TRAIT\", \"SHIFT\", { at })",
        "So long before (`\"-30d\"`) or after the date in that trait; without a shift, on the day.",
        date_fields,
        "date(\"contract_end\", \"-30d\", { at = \"09:00\" })\n",
    },
    {
        "yearly",
        word_yearly,
        "yearly(\"TRAIT\", { at, calendar })",
        "On the anniversary of the date in that trait.",
        yearly_fields,
        "yearly(\"birthday\", { at = \"09:00\", calendar = \"chinese\" })\n",
    },
    { 0 },
};

void words_trigger_add(struct host *host)
{
    host_add_words(host, words_trigger);
}

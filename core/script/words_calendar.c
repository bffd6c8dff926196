/* words_calendar.c -- the word `calendar`: when people work.
 *
 *     calendar "shanghai" {
 *       zone = "Asia/Shanghai",
 *       hours = { ["mon-fri"] = { "09:00-12:00", "13:00-18:00" }, sat = "10:00-14:00" },
 *       holidays = { "2026-10-01", "2026-10-02" },
 *       working = { "2026-10-10" },
 *     }
 *
 * `hours` may also be one text: the same hours from Monday to Friday.  The company's own
 * is the one called "company"; without it the company works from Monday to Friday, 9 to 17.
 */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/moment.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <stdio.h>
#include <string.h>

#define HOURS_MAX (7 * WORKDAY_INTERVALS_MAX)

struct plan { /* being read; memory of the host's arena */
    struct workday_hours hours[HOURS_MAX];
    size_t hours_count;
    int64_t *holidays, *working;
    size_t holidays_count, working_count;
};

static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static int day_of(const char *text)
{
    for (int i = 0; i < 7; i++)
        if (strncmp(text, days[i], 3) == 0)
            return i + 1;
    return 0;
}

/* "mon", "mon-fri"; false when it is neither. */
static bool day_range(const char *text, int *out_first, int *out_last)
{
    size_t size = strlen(text);
    *out_first = day_of(text);
    *out_last = size == 7 && text[3] == '-' ? day_of(text + 4) : size == 3 ? *out_first : 0;
    return *out_first != 0 && *out_last >= *out_first;
}

static void add_hours(lua_State *lua, struct plan *plan, const char *text, int first, int last)
{
    const char *at = text;
    int open_minute = 0, close_minute = 0;
    bool is_read = clock_read(&at, &open_minute) && *at++ == '-' &&
                   clock_read(&at, &close_minute) && *at == '\0';
    if (!is_read)
        luaL_error(lua, "calendar: hours are written \"09:00-17:30\", not \"%s\"", text);
    for (int day = first; day <= last; day++) {
        if (plan->hours_count == HOURS_MAX)
            luaL_error(lua, "calendar: at most %d intervals", HOURS_MAX);
        plan->hours[plan->hours_count++] = (struct workday_hours){
            .weekday = day,
            .open_minute = open_minute,
            .close_minute = close_minute,
        };
    }
}

/* One text or a list of texts on top of the stack. */
static void read_intervals(lua_State *lua, struct plan *plan, int first, int last)
{
    if (lua_type(lua, -1) == LUA_TSTRING) {
        add_hours(lua, plan, lua_tostring(lua, -1), first, last);
        return;
    }
    luaL_argcheck(lua, lua_type(lua, -1) == LUA_TTABLE, 1,
                  "hours: text or a list of texts is expected");
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(lua, -1); i++) {
        lua_rawgeti(lua, -1, i);
        add_hours(lua, plan, luaL_checkstring(lua, -1), first, last);
        lua_pop(lua, 1);
    }
}

/* Of several that are no days the first in order is named. */
static void check_days(lua_State *lua, int table)
{
    const char *bad = NULL;
    int first, last;
    lua_pushnil(lua);
    while (lua_next(lua, table) != 0) {
        lua_pop(lua, 1);
        const char *key = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
        if (!day_range(key, &first, &last) && (bad == NULL || strcmp(key, bad) < 0))
            bad = key;
    }
    if (bad != NULL)
        luaL_error(lua, "calendar: days are written mon = ... or [\"mon-fri\"] = ..., not \"%s\"",
                   bad);
}

static void read_range(lua_State *lua, struct plan *plan, int table, int first, int last)
{
    char key[8];
    snprintf(key, sizeof key, "%s-%s", days[first - 1], days[last - 1]);
    lua_getfield(lua, table, key);
    if (!lua_isnil(lua, -1))
        read_intervals(lua, plan, first, last);
    lua_pop(lua, 1);
}

/* By day and not in the table's order, which is another each time. */
static void read_days(lua_State *lua, struct plan *plan, int table)
{
    for (int first = 1; first <= 7; first++) {
        lua_getfield(lua, table, days[first - 1]);
        if (!lua_isnil(lua, -1))
            read_intervals(lua, plan, first, first);
        lua_pop(lua, 1);
        for (int last = first; last <= 7; last++)
            read_range(lua, plan, table, first, last);
    }
}

static void read_hours(lua_State *lua, struct plan *plan)
{
    lua_getfield(lua, 1, "hours");
    if (lua_isnil(lua, -1)) {
        add_hours(lua, plan, "09:00-17:00", 1, 5);
    } else if (lua_type(lua, -1) == LUA_TSTRING) {
        read_intervals(lua, plan, 1, 5);
    } else {
        luaL_argcheck(lua, lua_type(lua, -1) == LUA_TTABLE, 1, "hours: a table is expected");
        check_days(lua, lua_gettop(lua));
        read_days(lua, plan, lua_gettop(lua));
    }
    lua_pop(lua, 1);
}

static int64_t *read_dates(lua_State *lua, struct host *host, const char *name, size_t *out_count)
{
    struct err err;
    lua_getfield(lua, 1, name);
    *out_count = lua_isnil(lua, -1) ? 0 : (size_t)lua_rawlen(lua, -1);
    if (!lua_isnil(lua, -1) && lua_type(lua, -1) != LUA_TTABLE)
        luaL_error(lua, "calendar: %s is a list of dates like \"2026-10-01\"", name);
    if (*out_count > WORKDAY_DATES_MAX)
        luaL_error(lua, "calendar: at most %d %s", WORKDAY_DATES_MAX, name);
    int64_t *dates = arena_alloc(&host->arena, (*out_count + 1) * sizeof *dates);
    for (size_t i = 0; i < *out_count; i++) {
        size_t size;
        lua_rawgeti(lua, -1, (lua_Integer)i + 1);
        const char *text = luaL_checklstring(lua, -1, &size);
        if (moment_parse_date(text, size, &dates[i], &err) != 0)
            luaL_error(lua, "calendar: %s: %s", name, err.text);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    return dates;
}

static const struct zone *read_zone(lua_State *lua, struct host *host)
{
    struct text name = option_text(lua, 1, "zone", &host->arena);
    const struct zone *zone = host->config->zone;
    struct err err;
    if (name.size != 0 && zone_open(name.data, &zone, &err) != 0)
        luaL_error(lua, "calendar: %s", err.text);
    return zone;
}

static const struct script_field calendar_fields[] = {
    { "zone", "text", "where its clocks stand; else the company's zone", false },
    { "hours", "text, list or table",
      "\"09:00-17:00\", a list of such, or by day: `{ [\"mon-fri\"] = ..., sat = ... }`", false },
    { "holidays", "list of dates", "on which nobody works", false },
    { "working", "list of dates", "on which somebody works all the same", false },
    { "description", "text", "for people", false },
    { 0 },
};

static void read_calendar(lua_State *lua, struct host *host, struct text name)
{
    struct plan *plan = arena_zero(&host->arena, sizeof *plan);
    struct workweek *week = NULL;
    struct err err;
    option_check(lua, 1, "calendar", calendar_fields);
    for (size_t i = 0; i < host->calendar_count; i++)
        if (text_equal(host->calendars[i].name, name))
            luaL_error(lua, "a calendar called \"%s\" is declared already", name.data);
    const struct zone *zone = read_zone(lua, host);
    read_hours(lua, plan);
    plan->holidays = read_dates(lua, host, "holidays", &plan->holidays_count);
    plan->working = read_dates(lua, host, "working", &plan->working_count);
    struct workday_plan declared = {
        .zone = zone,
        .hours = plan->hours,
        .hours_count = plan->hours_count,
        .holidays = plan->holidays,
        .holidays_count = plan->holidays_count,
        .working = plan->working,
        .working_count = plan->working_count,
    };
    if (workday_new(&declared, &week, &err) != 0)
        luaL_error(lua, "calendar \"%s\": %s", name.data, err.text);
    host->calendars =
        mem_resize(host->calendars, (host->calendar_count + 1) * sizeof *host->calendars);
    host->calendars[host->calendar_count++] = (struct named_calendar){ name, week };
}

static int word_calendar(lua_State *lua)
{
    return declare(lua, "calendar", read_calendar);
}

const struct script_word words_calendar[] = {
    {
        "calendar",
        word_calendar,
        "calendar \"NAME\" { hours, ... }",
        "When people work: for `wd` and `wh`. `\"company\"` is the company's; without it the "
        "company works from Monday to Friday, 9 to 17. A member of staff has the one of `kith "
        "staff add --calendar`.",
        calendar_fields,
        "calendar \"company\" {\n"
        "  hours = { [\"mon-fri\"] = { \"09:00-12:00\", \"13:00-18:00\" }, sat = "
        "\"10:00-14:00\" },\n"
        "  holidays = { \"2026-10-01\", \"2026-10-02\" },\n"
        "}\n",
    },
    { 0 },
};

void words_calendar_add(struct host *host)
{
    host_add_words(host, words_calendar);
}

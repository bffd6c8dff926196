/* words_time.c -- moments and durations in scripts.
 *
 * A moment is a whole number of milliseconds since 1970 UTC, so that scripts compare and
 * subtract moments as numbers.  A duration is its text; days(7) and the others only
 * spell it.
 */
#include "core/base/limits.h"
#include "core/base/moment.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <string.h>

/* -- Reading a moment ----------------------------------------------------- */

static const struct workweek *calendar_of(lua_State *lua, struct text who)
{
    struct host *host = host_of(lua);
    struct text name = host->step != NULL ? step_calendar(host->step, who) : (struct text){ "", 0 };
    const struct workweek *week = host->rules.calendar(&host->rules, name);
    return week != NULL ? week : host->rules.calendar(&host->rules, (struct text){ "", 0 });
}

static int64_t at_minute_of_day(const struct zone *zone, int64_t ms, int minute)
{
    if (minute < 0)
        return ms;
    int64_t day = civil_local_days(zone_local_from_ms(zone, ms));
    return zone_ms_from_local(zone, day * CIVIL_DAY_MS + minute * CIVIL_MINUTE_MS);
}

static int64_t add_duration(lua_State *lua, struct step *step, struct duration duration,
                            const char *word, struct text who, int at_minute)
{
    int64_t now = step_now(step), ms = now;
    struct err err;
    int rc;
    if (duration.unit == DURATION_WORKDAYS)
        rc = workday_add_days(calendar_of(lua, who), now, duration.count, at_minute, &ms, &err);
    else if (duration.unit == DURATION_WORKHOURS)
        rc = workday_add_hours(calendar_of(lua, who), now, duration.count, &ms, &err);
    else
        rc = civil_add(step_zone(step), now, duration, &ms, &err);
    if (rc != 0)
        luaL_error(lua, "%s: %s", word, err.text);
    if (!duration_is_elapsed(duration) && duration.unit != DURATION_WORKDAYS &&
        duration.unit != DURATION_WORKHOURS)
        ms = at_minute_of_day(step_zone(step), ms, at_minute);
    return ms;
}

static int64_t read_date(lua_State *lua, struct step *step, const char *text, size_t size,
                         const char *word, int at_minute)
{
    const struct zone *zone = step_zone(step);
    int64_t day, ms;
    bool has_offset;
    struct err err;
    if (moment_parse_date(text, size, &day, NULL) == 0)
        return zone_ms_from_local(zone, day * CIVIL_DAY_MS + (at_minute >= 0 ? at_minute : 9 * 60) *
                                                                 CIVIL_MINUTE_MS);
    if (moment_parse_loose(text, size, &ms, &has_offset, &err) != 0)
        luaL_error(
            lua,
            "%s: \"%s\" is no duration (\"3d\") and no date (\"2026-12-01\", \"2026-12-01 10:00\")",
            word, text);
    return has_offset ? ms : zone_ms_from_local(zone, ms);
}

int64_t moment_from_lua(lua_State *lua, int index, const char *word, struct text who, int at_minute)
{
    struct step *step = host_step(lua, word);
    struct duration duration;
    size_t size = 0;
    if (lua_isinteger(lua, index)) {
        int64_t ms = lua_tointeger(lua, index);
        if (ms < CIVIL_MS_MIN || ms > CIVIL_MS_MAX)
            luaL_error(lua, "%s: a moment lies in the years 1 to 9999", word);
        return ms;
    }
    if (lua_type(lua, index) != LUA_TSTRING)
        luaL_error(lua, "%s: a time like \"3d\", \"1wd\" or \"2026-12-01\" is needed", word);
    const char *text = lua_tolstring(lua, index, &size);
    if (duration_parse(text, size, &duration, NULL) == 0)
        return add_duration(lua, step, duration, word, who, at_minute);
    return read_date(lua, step, text, size, word, at_minute);
}

/* -- Words ---------------------------------------------------------------- */

static int word_now(lua_State *lua)
{
    lua_pushinteger(lua, step_now(host_step(lua, "now")));
    return 1;
}

static int word_ago(lua_State *lua)
{
    struct step *step = host_step(lua, "ago");
    struct duration duration;
    struct err err;
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);
    if (duration_parse(text, size, &duration, &err) != 0)
        return luaL_error(lua, "ago: %s", err.text);
    duration.count = -duration.count;
    lua_pushinteger(lua, add_duration(lua, step, duration, "ago", (struct text){ "", 0 }, -1));
    return 1;
}

static const struct {
    const char *word;
    enum duration_unit unit;
} constructors[] = {
    { "seconds", DURATION_SECONDS },     { "minutes", DURATION_MINUTES },
    { "hours", DURATION_HOURS },         { "days", DURATION_DAYS },
    { "weeks", DURATION_WEEKS },         { "months", DURATION_MONTHS },
    { "years", DURATION_YEARS },         { "workdays", DURATION_WORKDAYS },
    { "workhours", DURATION_WORKHOURS },
};

/* days(7) is "7d" */
static int word_constructor(lua_State *lua)
{
    size_t i = (size_t)lua_tointeger(lua, lua_upvalueindex(1));
    struct duration duration = { luaL_checkinteger(lua, 1), constructors[i].unit };
    char text[DURATION_TEXT_SIZE];
    struct err err;
    if (duration_check(duration, &err) != 0)
        return luaL_error(lua, "%s: %s", constructors[i].word, err.text);
    duration_format(duration, text);
    lua_pushstring(lua, text);
    return 1;
}

void words_time_add(struct host *host)
{
    lua_State *lua = sandbox_state(host->sandbox);
    sandbox_add_function(host->sandbox, "now", word_now, 0);
    sandbox_add_function(host->sandbox, "ago", word_ago, 0);
    for (size_t i = 0; i < sizeof constructors / sizeof *constructors; i++) {
        lua_pushinteger(lua, (lua_Integer)i);
        sandbox_add_function(host->sandbox, constructors[i].word, word_constructor, 1);
    }
}

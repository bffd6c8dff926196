/* words_time.c -- moments and durations in scripts.
 *
 * A moment is a whole number of milliseconds since 1970 UTC, so that scripts compare and
 * subtract moments as numbers.  A duration is its text; days(7) and the others only
 * spell it.
 */
#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/workday.h"
#include "core/engine/intent.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <stdlib.h>
#include <string.h>

/* What a day of a walk over a calendar costs of a rule's instructions: it is looked up among
 * thousands of holidays, and for hours its opening times are put into the zone as well. */
#define WORKDAY_UNITS 8
#define WORKHOURS_UNITS 32

/* -- Reading a moment ----------------------------------------------------- */

static const struct workweek *calendar_of(lua_State *lua, struct text who)
{
    struct host *host = host_of(lua);
    struct text name = host->step != NULL ? step_calendar(host->step, who) : (struct text){ "", 0 };
    const struct workweek *week = host->rules.calendar(&host->rules, name);
    return week != NULL ? week : host->rules.calendar(&host->rules, (struct text){ "", 0 });
}

/* Working time is found by walking from day to day, and a script may ask for it in a loop: it pays
 * for every day of the walk, of the longest one where it came to no end. */
static int work_due(lua_State *lua, const struct intent *intent, const struct when *when,
                    int64_t *out_ms, struct err *err)
{
    const struct workweek *week = calendar_of(lua, when->who);
    struct duration duration = intent->duration;
    bool is_days = duration.unit == DURATION_WORKDAYS;
    int64_t days = WORKDAY_SEARCH_DAYS_MAX;
    int rc =
        is_days ? workday_add_days(week, when->from, duration.count, intent->at_minute, out_ms, err)
                : workday_add_hours(week, when->from, duration.count, out_ms, err);
    if (rc == 0)
        days = 1 + llabs(*out_ms - when->from) / CIVIL_DAY_MS;
    sandbox_spend(lua, (uint64_t)days * (is_days ? WORKDAY_UNITS : WORKHOURS_UNITS));
    return rc;
}

static int64_t moment_of(lua_State *lua, const struct intent *intent, const struct when *when)
{
    struct step *step = host_step(lua, when->word);
    int64_t ms = when->from;
    struct err err;
    int rc = intent->kind == INTENT_WORK
                 ? work_due(lua, intent, when, &ms, &err)
                 : intent_due(intent, step_zone(step), when->from, &ms, &err);
    if (rc != 0)
        luaL_error(lua, "%s: %s", when->word, err.text);
    return ms;
}

/* `at` would be ignored where there is a time of day already. */
static bool takes_minute(const struct intent *intent)
{
    bool is_duration = intent->kind == INTENT_DURATION || intent->kind == INTENT_WORK;
    return intent->kind == INTENT_DATE || (is_duration && !duration_is_elapsed(intent->duration) &&
                                           intent->duration.unit != DURATION_WORKHOURS);
}

static void read_words(lua_State *lua, int index, const struct when *when,
                       struct intent *out_intent)
{
    struct text words = { "", 0 };
    struct err err;
    size_t size = 0;
    words.data = lua_tolstring(lua, index, &size);
    words.size = (uint32_t)size;
    if (intent_read(words, when->at_minute, out_intent, &err) != 0)
        luaL_error(lua, "%s: %s", when->word, err.text);
    bool is_duration = out_intent->kind == INTENT_DURATION || out_intent->kind == INTENT_WORK;
    if (is_duration && out_intent->duration.count < 0)
        luaL_error(lua, "%s: %s = \"%s\" lies in the past: what is to come has no minus",
                   when->word, when->name, words.data);
}

int64_t moment_from_lua(lua_State *lua, int index, const struct when *when)
{
    struct intent intent = { .kind = INTENT_INSTANT };
    host_step(lua, when->word);
    if (lua_type(lua, index) == LUA_TSTRING)
        read_words(lua, index, when, &intent);
    else if (lua_isinteger(lua, index))
        intent.ms = lua_tointeger(lua, index);
    else
        luaL_error(lua, "%s: %s = a time like \"3d\", \"1wd\" or \"2026-12-01\" is needed",
                   when->word, when->name);
    if (intent.ms < CIVIL_MS_MIN || intent.ms > CIVIL_MS_MAX)
        luaL_error(lua, "%s: a moment lies in the years 1 to 9999", when->word);
    if (when->at_minute >= 0 && !takes_minute(&intent))
        luaL_error(lua, "%s: at is a time of day: it goes with a date and with d, w, mo, y and wd",
                   when->word);
    return moment_of(lua, &intent, when);
}

/* -- Words ---------------------------------------------------------------- */

static int word_now(lua_State *lua)
{
    lua_pushinteger(lua, step_now(host_step(lua, "now")));
    return 1;
}

static int word_ago(lua_State *lua)
{
    struct intent intent = { .kind = INTENT_DURATION, .at_minute = DUE_NO_MINUTE };
    struct err err;
    size_t size;
    struct step *step = host_step(lua, "ago");
    if (lua_type(lua, 1) != LUA_TSTRING)
        return luaL_error(lua, "ago: a duration is text: ago(\"3d\")");
    const char *text = lua_tolstring(lua, 1, &size);
    if (duration_parse(text, size, &intent.duration, &err) != 0)
        return luaL_error(lua, "ago: %s", err.text);
    if (intent.duration.unit == DURATION_WORKDAYS || intent.duration.unit == DURATION_WORKHOURS)
        intent.kind = INTENT_WORK;
    intent.duration.count = -intent.duration.count;
    struct when when = { "ago", "", { "", 0 }, -1, step_now(step) };
    lua_pushinteger(lua, moment_of(lua, &intent, &when));
    return 1;
}

/* days(7) is "7d".  Upvalue 1: the unit, which is the place of the word in its table. */
static int word_constructor(lua_State *lua)
{
    enum duration_unit unit = (enum duration_unit)lua_tointeger(lua, lua_upvalueindex(1));
    luaL_checktype(lua, 1, LUA_TNUMBER); /* a text is not converted */
    struct duration duration = { luaL_checkinteger(lua, 1), unit };
    char text[DURATION_TEXT_SIZE];
    struct err err;
    if (duration_check(duration, &err) != 0)
        return luaL_error(lua, "%s: %s", words_duration[unit].name, err.text);
    duration_format(duration, text);
    lua_pushstring(lua, text);
    return 1;
}

const struct script_word words_duration[] = {
    [DURATION_SECONDS] = { "seconds", word_constructor, "seconds(NUMBER)",
                           "Seconds, elapsed. `seconds(30)` is `\"30s\"`.", NULL,
                           "assert(seconds(30) == \"30s\")\n" },
    [DURATION_MINUTES] = { "minutes", word_constructor, "minutes(NUMBER)",
                           "Minutes, elapsed. `minutes(5)` is `\"5min\"`.", NULL,
                           "assert(minutes(5) == \"5min\")\n" },
    [DURATION_HOURS] = { "hours", word_constructor, "hours(NUMBER)",
                         "Hours, elapsed. `hours(2)` is `\"2h\"`.", NULL,
                         "assert(hours(2) == \"2h\")\n" },
    [DURATION_DAYS] = { "days", word_constructor, "days(NUMBER)",
                        "The same time of day, so many days on, in the customer's zone (her trait "
                        "`timezone`, else the company's). `days(7)` is `\"7d\"`.",
                        NULL, "assert(days(7) == \"7d\")\n" },
    [DURATION_WEEKS] = { "weeks", word_constructor, "weeks(NUMBER)",
                         "The same time of day, so many weeks on. `weeks(2)` is `\"2w\"`.", NULL,
                         "assert(weeks(2) == \"2w\")\n" },
    [DURATION_MONTHS] = { "months", word_constructor, "months(NUMBER)",
                          "The same day of the month, or its last where that is shorter. "
                          "`months(1)` is `\"1mo\"`.",
                          NULL, "assert(months(1) == \"1mo\")\n" },
    [DURATION_YEARS] = { "years", word_constructor, "years(NUMBER)",
                         "The same day of the year. `years(1)` is `\"1y\"`.", NULL,
                         "assert(years(1) == \"1y\")\n" },
    [DURATION_WORKDAYS] = { "workdays", word_constructor, "workdays(NUMBER)",
                            "Working days of whoever is to do it, by her calendar, else the "
                            "company's. `workdays(1)` is `\"1wd\"`.",
                            NULL, "assert(workdays(1) == \"1wd\")\n" },
    [DURATION_WORKHOURS] = { "workhours", word_constructor, "workhours(NUMBER)",
                             "Working hours, in the same way. `workhours(4)` is `\"4wh\"`.", NULL,
                             "assert(workhours(4) == \"4wh\")\n" },
    { 0 },
};

void words_duration_add(struct host *host)
{
    lua_State *lua = sandbox_state(host->sandbox);
    for (size_t unit = 0; words_duration[unit].name != NULL; unit++) {
        lua_pushinteger(lua, (lua_Integer)unit);
        host_add_word(host, &words_duration[unit], 1);
    }
}

const struct script_word words_time[] = {
    {
        "now",
        word_now,
        "now()",
        "The log's time, at which the event is worked on.",
        NULL,
        "customer:set(\"seen\", now())\n",
    },
    {
        "ago",
        word_ago,
        "ago(\"DURATION\")",
        "The moment so long before `now()`.",
        NULL,
        "if event.at < ago(\"90d\") then log(\"it happened long ago\") end\n",
    },
    { 0 },
};

void words_time_add(struct host *host)
{
    host_add_words(host, words_time);
    words_duration_add(host);
}

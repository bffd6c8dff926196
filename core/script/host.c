/* host.c -- a bundle becomes a ruleset; see host.h. */
#include "core/script/host.h"

#include "core/base/mem.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/script/bundle.h"
#include "core/script/host_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Finding the host again ----------------------------------------------- */

struct host *host_of(lua_State *lua)
{
    return sandbox_data(lua);
}

struct step *host_step(lua_State *lua, const char *word)
{
    struct host *host = host_of(lua);
    if (host->step == NULL)
        luaL_error(lua, "%s acts on a customer: it belongs into the run function of a rule", word);
    return host->step;
}

int host_raise(lua_State *lua, const struct err *err)
{
    return luaL_error(lua, "%s", err->text);
}

/* -- Options -------------------------------------------------------------- */

struct text option_text(lua_State *lua, int index, const char *name, struct arena *arena)
{
    size_t size = 0;
    lua_getfield(lua, index, name);
    if (!lua_isnil(lua, -1) && lua_type(lua, -1) != LUA_TSTRING)
        luaL_error(lua, "%s must be text, not a %s", name, luaL_typename(lua, -1));
    const char *data = lua_tolstring(lua, -1, &size);
    struct text text = { "", 0 };
    sandbox_spend(lua, size / 8);
    if (data != NULL)
        text = arena_text(arena, (struct text){ data, (uint32_t)size });
    lua_pop(lua, 1);
    return text;
}

bool option_bool(lua_State *lua, int index, const char *name, bool otherwise)
{
    lua_getfield(lua, index, name);
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

void option_check(lua_State *lua, int index, const char *word, const char *const names[])
{
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_pop(lua, 1);
        size_t i = 0;
        const char *key = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "(a number)";
        while (names[i] != NULL && strcmp(names[i], key) != 0)
            i++;
        if (names[i] == NULL)
            luaL_error(lua, "%s knows no \"%s\"", word, key);
    }
}

/* -- Running -------------------------------------------------------------- */

static void fill_failure(const struct sandbox_report *report, struct rule_failure *out)
{
    out->traceback[0] = '\0';
    if (report->file[0] != '\0')
        snprintf(out->message, sizeof out->message, "%.100s:%d: %.200s", report->file, report->line,
                 report->message);
    else
        snprintf(out->message, sizeof out->message, "%.300s", report->message);
    snprintf(out->traceback, sizeof out->traceback, "%s", report->traceback);
}

static enum rule_outcome run(struct ruleset *rules, size_t index, struct step *step,
                             struct rule_failure *out_failure)
{
    struct host *host = (struct host *)rules;
    lua_State *lua = sandbox_state(host->sandbox);
    struct sandbox_report report;
    host->step = step;
    sandbox_push(host->sandbox, host->event);
    if (step_customer(step) != NULL)
        sandbox_push(host->sandbox, host->customer);
    else
        lua_pushnil(lua);
    enum sandbox_outcome outcome =
        sandbox_call(host->sandbox, host->functions[index], 2, 0, &report);
    host->step = NULL;
    out_failure->changed_local[0] = '\0';
    if (report.changed_name != NULL)
        snprintf(out_failure->changed_local, sizeof out_failure->changed_local,
                 "\"%.40s\" (%.24s:%d)", report.changed_name, report.changed_file,
                 report.changed_line);
    if (outcome == SANDBOX_OK)
        return RULE_OK;
    fill_failure(&report, out_failure);
    return outcome == SANDBOX_MEMORY || outcome == SANDBOX_INTERRUPTED ? RULE_OUT_OF_MEMORY
                                                                       : RULE_ERROR;
}

#define REPEAT_ROOM 4 /* times the memory a rule has the first time */

static void repeat(struct ruleset *rules, bool is_past)
{
    struct host *host = (struct host *)rules;
    size_t room = (size_t)host->config->limits.rule_memory_bytes;
    sandbox_set_room(host->sandbox, is_past ? REPEAT_ROOM * room : room);
}

/* -- Calendars ------------------------------------------------------------ */

static const struct workweek *find_calendar(const struct ruleset *rules, struct text name)
{
    const struct host *host = (const struct host *)rules;
    for (size_t i = 0; i < host->calendar_count; i++)
        if (text_equal(host->calendars[i].name, name))
            return host->calendars[i].week;
    if (name.size != 0)
        return NULL;
    /* The company's: the one of that name, else the only one, else the usual week. */
    const struct workweek *company = find_calendar(rules, text_of("company"));
    if (company == NULL && host->calendar_count == 1)
        company = host->calendars[0].week;
    return company != NULL ? company : host->company;
}

static int make_usual_week(struct host *host, struct err *err)
{
    struct workday_hours hours[5];
    for (int i = 0; i < 5; i++)
        hours[i] = (struct workday_hours){ .weekday = i + 1,
                                           .open_minute = 9 * 60,
                                           .close_minute = 17 * 60 };
    struct workday_plan plan = { .zone = host->config->zone, .hours = hours, .hours_count = 5 };
    return workday_new(&plan, &host->company, err);
}

/* -- Loading -------------------------------------------------------------- */

static void host_free(struct ruleset *rules)
{
    struct host *host = (struct host *)rules;
    sandbox_free(host->sandbox);
    for (size_t i = 0; i < host->calendar_count; i++)
        workday_free(host->calendars[i].week);
    workday_free(host->company);
    free(host->calendars);
    free(host->functions);
    free(host->rules.rules);
    free(host->rules.purposes);
    arena_deinit(&host->arena);
    buf_deinit(&host->scratch);
    free(host);
}

static struct host *host_new(const struct config *config)
{
    struct host *host = mem_zero(sizeof *host);
    struct sandbox_limits limits = {
        .call_instructions = (uint64_t)config->limits.rule_instructions,
        .call_bytes = (size_t)config->limits.rule_memory_bytes,
    };
    host->config = config;
    host->is_loading = true;
    host->sandbox = sandbox_new(&limits);
    host->rules.calendar = find_calendar;
    host->rules.run = run;
    host->rules.repeat = repeat;
    host->rules.free = host_free;
    sandbox_set_data(host->sandbox, host);
    words_declare_add(host);
    words_act_add(host);
    words_time_add(host);
    words_customer_add(host);
    return host;
}

static bool ends_with(struct text text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

static int load_files(struct host *host, struct doc files, struct err *err)
{
    int rc = 0;
    for (struct doc_iter it = doc_iter(files); rc == 0 && doc_next(&it);)
        if (ends_with(it.name, ".lua") && !ends_with(it.name, "_test.lua"))
            rc = sandbox_load(host->sandbox, it.name.data, it.value.text.data, it.value.text.size,
                              err);
    return rc;
}

int script_load(void *arg, struct doc bundle, const struct config *config,
                struct ruleset **out_rules, struct err *err)
{
    (void)arg;
    int rc = bundle_check(bundle, err);
    if (rc != 0)
        return rc;
    struct host *host = host_new(config);
    bundle_hash(bundle, host->rules.hash);
    rc = make_usual_week(host, err);
    if (rc == 0)
        rc = load_files(host, doc_child(bundle, "files"), err);
    if (rc == 0)
        rc = sandbox_seal(host->sandbox, err);
    host->is_loading = false;
    if (rc != 0) {
        host_free(&host->rules);
        return rc;
    }
    *out_rules = &host->rules;
    return 0;
}

const char *script_version(void)
{
    return LUA_RELEASE;
}

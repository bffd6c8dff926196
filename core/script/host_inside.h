/* host_inside.h -- what the files of the script host share; nobody else includes this. */
#ifndef CORE_SCRIPT_HOST_INSIDE_H
#define CORE_SCRIPT_HOST_INSIDE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/engine/config.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"
#include "core/script/sandbox.h"

#include <lauxlib.h>
#include <lua.h>

struct workweek;

struct named_calendar {
    struct text name;
    struct workweek *week;
};

struct host {
    struct ruleset rules; /* first: what the engine holds */
    struct sandbox *sandbox;
    const struct config *config;
    struct arena arena; /* names, triggers: live as long as the ruleset */
    struct buf scratch;
    struct named_calendar *calendars;
    size_t calendar_count;
    struct workweek *company; /* Monday to Friday 9 to 17, when no calendar is declared */
    unsigned *functions;      /* kept run functions, one a rule */
    unsigned event, customer; /* kept: the objects that scripts see */
    struct step *step;        /* while a rule runs; else NULL: the bundle is being loaded */
    bool is_loading;
};

struct host *host_of(lua_State *lua);
/* The step, or an error in words: this word acts, it cannot stand outside of `run`. */
struct step *host_step(lua_State *lua, const char *word);

/* Raise what `err` says. */
int host_raise(lua_State *lua, const struct err *err);

void words_declare_add(struct host *host);  /* rule, purpose, calendar, every, date, yearly */
void words_calendar_add(struct host *host); /* calendar; called by words_declare_add */
void words_act_add(struct host *host);      /* emit, remind, after, cancel, send, notify, log */
void words_time_add(struct host *host);     /* now, ago, days(7) ... */
void words_customer_add(struct host *host); /* the objects event and customer */

/* For declaring words, `word "name" { ... }`: the host, or an error when nothing is loaded. */
struct host *declare_host(lua_State *lua, const char *word);
int declare(lua_State *lua, const char *word, lua_CFunction with_table);
struct text declared_name(lua_State *lua, struct host *host, const char *word);

/* A field of the options table at `index`, text only; size 0 when absent, else it raises. */
struct text option_text(lua_State *lua, int index, const char *name, struct arena *arena);
/* Read "09:00" (to "24:00") at `*at` and go on behind it. */
bool clock_read(const char **at, int *out_minute);
bool option_bool(lua_State *lua, int index, const char *name, bool otherwise);
/* "09:00" as minutes of the day; -1 when absent. */
int option_minute(lua_State *lua, int index, const char *name);
/* Raise when the table has a field that is not in the NULL-terminated list. */
void option_check(lua_State *lua, int index, const char *word, const char *const names[]);

/* A moment from what scripts write: "3d", "1wd", "2026-12-01", "2026-12-01 10:00", milliseconds.
 * `who` is the assignee, whose calendar counts. */
int64_t moment_from_lua(lua_State *lua, int index, const char *word, struct text who,
                        int at_minute);

#endif

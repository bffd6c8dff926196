/* host_inside.h -- what the files of the script host share; nobody else includes this.
 *
 * Functions that take a lua_State raise errors of the script's, in words for its author, and
 * do not return then: they own nothing while they run.  The thread that has the ruleset.
 */
#ifndef CORE_SCRIPT_HOST_INSIDE_H
#define CORE_SCRIPT_HOST_INSIDE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/engine/config.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"
#include "core/script/sandbox.h"
#include "core/script/vocabulary.h"

#include <lauxlib.h>
#include <lua.h>

struct host;
struct plugins;
struct workweek;

struct named_calendar {
    struct text name;
    struct workweek *week;
};

/* What a declaring word does with its table, which stands alone at 1. */
typedef void declare_fn(lua_State *lua, struct host *host, struct text name);

/* `word "name"`, for which a table must come before the bundle ends. */
struct declaration {
    const char *word;
    declare_fn *read;
    struct text name, file;
    int line;
    bool is_complete;
};

#define HOST_WORDS_MAX 128
#define HOST_METHODS_MAX 16
#define HOST_MISSING_MAX 3 /* things that were read and not there: what a failure may come from */
#define HOST_MISSING_BYTES 64

struct host {
    struct ruleset rules; /* first: what the engine holds */
    struct sandbox *sandbox;
    const struct config *config;
    atomic_bool *interrupt; /* who sets it ends the rule that runs; NULL: nobody can */
    struct arena arena;     /* names, triggers: live as long as the ruleset */
    struct buf scratch;
    struct named_calendar *calendars;
    size_t calendar_count;
    struct workweek *company;          /* Monday to Friday 9 to 17, when no calendar is declared */
    unsigned *functions;               /* kept run functions, one a rule */
    unsigned event, customer;          /* kept: the objects that scripts see */
    const void *customer_object;       /* the second of them */
    const char *words[HOST_WORDS_MAX]; /* global functions of ours; NULL behind the last */
    const char *methods[HOST_METHODS_MAX]; /* of a customer; the same */
    struct declaration *declarations;
    size_t declaration_count;
    char missing[HOST_MISSING_MAX][HOST_MISSING_BYTES]; /* in turn, while a rule runs */
    unsigned missing_count;
    struct step *step; /* while a rule runs; else NULL: the bundle is being loaded */
    bool is_loading;
};

struct host *host_of(lua_State *lua);
/* The step, or an error in words: this word acts, it cannot stand outside of `run`. */
struct step *host_step(lua_State *lua, const char *word);

/* Raise what `err` says. */
int host_raise(lua_State *lua, const struct err *err);

/* There is a global of this name, for those who look for the nearest. */
void host_note_word(struct host *host, const char *name);
/* Add a global function, with values from the stack as sandbox_add_function(). */
void host_add_word(struct host *host, const struct script_word *word, int upvalue_count);
/* All of a table, without values. */
void host_add_words(struct host *host, const struct script_word words[]);

/* The script has read `of`.`name`, and there is nothing. */
void host_note_missing(struct host *host, const char *of, struct text name);

void words_declare_add(struct host *host);  /* rule, purpose */
void words_calendar_add(struct host *host); /* calendar */
void words_subject_add(struct host *host);  /* pool, budget, ask */
void words_trigger_add(struct host *host);  /* every, date, yearly */
void words_act_add(struct host *host);      /* emit, remind, after, cancel, log, known */
void words_send_add(struct host *host);     /* send, notify */
void words_duration_add(struct host *host); /* days(7) ... */
void words_time_add(struct host *host);     /* now, ago, and these */
void words_customer_add(struct host *host); /* the objects event and customer */
/* Tables of functions; NULL: none.  E_CONFLICT: a plugin has the name of a word. */
int words_plugin_add(struct host *host, const struct plugins *plugins, struct err *err);
void words_record_add(struct host *host); /* kind, create, record, records */

/* The body of a declaring word, `word "name" { ... }` or word("name", { ... }). */
int declare(lua_State *lua, const char *word, declare_fn *read);
/* E_INVALID: a declaration that never got its table. */
int declare_finish(const struct host *host, struct err *err);

/* All kinds are declared: their calendars, and what rules wait for of them.  E_INVALID. */
int kinds_finish(struct host *host, struct err *err);
/* A record, as scripts see it; the one that the event is about (false: none, nothing is pushed). */
void push_record(lua_State *lua, struct text kind, uint64_t number);
bool push_event_record(lua_State *lua);

/* Read what a rule has as `on`, the value on top of the stack. */
void trigger_read(lua_State *lua, struct host *host, struct rule *rule);

/* A field of the options table at `index`, text only; size 0 when absent, else it raises. */
struct text option_text(lua_State *lua, int index, const char *name, struct arena *arena);
/* Read "09:00" (to "24:00") at `*at` and go on behind it. */
bool clock_read(const char **at, int *out_minute);
bool option_bool(lua_State *lua, int index, const char *name, bool otherwise);
/* "09:00" as minutes of the day; -1 when absent. */
int option_minute(lua_State *lua, int index, const char *name);
/* Raise when the table has a field that is not among `fields`, and say which are. */
void option_check(lua_State *lua, int index, const char *word, const struct script_field fields[]);

/* The one table that an acting word takes, at 1. */
void check_table(lua_State *lua, const char *word);
/* A table of names at `index` as a document in an arena; nothing: none. */
struct named {
    const char *word, *field; /* whose it is, for the reason; no field: NULL */
    struct arena *arena;
    struct buf *scratch;
};
struct doc check_named(lua_State *lua, int index, const struct named *named);
/* The same of a rule's, in the arena of its step. */
struct doc check_doc(lua_State *lua, int index, const char *word);
struct doc option_doc(lua_State *lua, int index, const char *name, const char *word);

/* How a time in a script is meant. */
struct when {
    const char *word, *name; /* remind's `due` */
    struct text who;         /* the assignee, whose calendar counts; empty: the company's */
    int at_minute;           /* of the day; -1: not said */
    int64_t from;            /* what a duration, which is not below 0, counts from */
};
/* A moment from what scripts write: "3d", "1wd", "2026-12-01", "2026-12-01 10:00", milliseconds. */
int64_t moment_from_lua(lua_State *lua, int index, const struct when *when);
int64_t option_moment(lua_State *lua, int index, const struct when *when);

#endif

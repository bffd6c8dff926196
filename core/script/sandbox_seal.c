/* sandbox_seal.c -- from a state that loads to a state that serves.
 *
 * A walk over everything that scripts can reach: first from the globals, then
 * from each kept value.  On the way every table is frozen and every upvalue that
 * may change is remembered.  What the globals reach concerns all functions alike
 * and comes first in the list of watches; what only a kept function reaches
 * stands in a section of its own, so that a call looks only at what it could have
 * changed.
 *
 * The order of the walk follows hash order and thus chance.  A list of watches
 * must not, because its first change is reported; each section is found in the
 * order of the walk and then sorted by file, line and upvalue.
 */
#include "core/script/sandbox_parts.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Stack places of the walk. */
enum {
    WORK = 1, /* a list of values still to visit */
    SEEN,     /* values and variables seen for good */
    OWN,      /* the same, of the section at hand */
    ASSIGNED, /* the set of names that some file assigns to */
    FOUND,    /* of the section at hand: functions that have a watch */
    VALUE,    /* the value being visited */
};

struct found {
    int place; /* of the function, in FOUND */
    int upvalue;
    const char *file;
    int line;
};

struct walk {
    lua_State *lua;
    lua_Integer work_count;
    struct found *found; /* a userdata, kept in FOUND[0] */
    int found_count;
    int found_room;
};

/* Add the value on top to the work, and pop it. */
static void plan(struct walk *walk)
{
    int kind = lua_type(walk->lua, -1);

    if (kind == LUA_TTABLE || kind == LUA_TFUNCTION)
        lua_rawseti(walk->lua, WORK, ++walk->work_count);
    else
        lua_pop(walk->lua, 1);
}

/* Whether the key on top is new; pops it and marks it as seen. */
static bool is_new(lua_State *lua)
{
    for (int set = SEEN; set <= OWN; set++) {
        lua_pushvalue(lua, -1);
        bool is_known = lua_rawget(lua, set) != LUA_TNIL;
        lua_pop(lua, 1);
        if (is_known) {
            lua_pop(lua, 1);
            return false;
        }
    }
    lua_pushboolean(lua, true);
    lua_rawset(lua, OWN);
    return true;
}

static void visit_table(struct walk *walk)
{
    lua_State *lua = walk->lua;

    front_metatable(lua, VALUE);
    plan(walk);
    front_content(lua, VALUE);
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        plan(walk);
        lua_pushvalue(lua, -1);
        plan(walk);
    }
    lua_pop(lua, 1);
    front_freeze(lua, VALUE);
}

static bool is_assigned(lua_State *lua, const char *name)
{
    bool assigned = lua_getfield(lua, ASSIGNED, name) != LUA_TNIL;
    lua_pop(lua, 1);
    return assigned;
}

static void add_found(struct walk *walk, int upvalue)
{
    lua_State *lua = walk->lua;
    lua_Debug place;

    lua_pushlightuserdata(lua, lua_upvalueid(lua, VALUE, upvalue));
    if (!is_new(lua)) /* another function shares the variable */
        return;
    if (walk->found_count == walk->found_room) {
        int room = walk->found_room * 2 + 16;
        struct found *found = lua_newuserdatauv(lua, (size_t)room * sizeof *found, 0);
        if (walk->found_count != 0)
            memcpy(found, walk->found, (size_t)walk->found_count * sizeof *found);
        lua_rawseti(lua, FOUND, 0);
        walk->found = found;
        walk->found_room = room;
    }
    lua_pushvalue(lua, VALUE);
    lua_getinfo(lua, ">S", &place);
    walk->found[walk->found_count++] = (struct found){
        .upvalue = upvalue,
        .file = place.source,
        .line = place.linedefined,
    };
    walk->found[walk->found_count - 1].place = walk->found_count;
    lua_pushvalue(lua, VALUE);
    lua_rawseti(lua, FOUND, walk->found_count);
}

static void visit_function(struct walk *walk)
{
    lua_State *lua = walk->lua;
    bool is_c = lua_iscfunction(lua, VALUE);
    bool is_iterator = is_c && watch_is_iterator(lua_tocfunction(lua, VALUE));
    const char *name = NULL;

    for (int i = 1; (name = lua_getupvalue(lua, VALUE, i)) != NULL; i++) {
        plan(walk);
        if (is_iterator || (!is_c && is_assigned(lua, name)))
            add_found(walk, i);
    }
}

static int compare_found(const void *left, const void *right)
{
    const struct found *a = left;
    const struct found *b = right;

    int order = strcmp(a->file, b->file);
    if (order != 0)
        return order;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->upvalue > b->upvalue) - (a->upvalue < b->upvalue);
}

/* Visit all that the value on top reaches and has not been seen; pop it; add what
 * was found to the watches. */
static void walk_from(struct walk *walk)
{
    lua_State *lua = walk->lua;

    plan(walk);
    while (walk->work_count > 0) {
        lua_rawgeti(lua, WORK, walk->work_count);
        lua_pushnil(lua);
        lua_rawseti(lua, WORK, walk->work_count--);
        lua_pushvalue(lua, VALUE);
        if (is_new(lua)) {
            if (lua_istable(lua, VALUE))
                visit_table(walk);
            else
                visit_function(walk);
        }
        lua_settop(lua, VALUE - 1);
    }
    if (walk->found_count != 0)
        qsort(walk->found, (size_t)walk->found_count, sizeof walk->found[0], compare_found);
    for (int i = 0; i < walk->found_count; i++) {
        lua_rawgeti(lua, FOUND, walk->found[i].place);
        watch_add(lua, -1, walk->found[i].upvalue);
        lua_pop(lua, 1);
    }
    walk->found_count = 0;
}

static void replace_by_table(lua_State *lua, int index)
{
    lua_newtable(lua);
    lua_replace(lua, index);
}

static void walk_all(lua_State *lua, struct sandbox *sandbox)
{
    struct walk walk = { .lua = lua };

    lua_pushglobaltable(lua);
    walk_from(&walk);
    lua_copy(lua, OWN, SEEN); /* what the globals reach is seen for good */
    sandbox->watch_common = sandbox->watch_count;
    for (unsigned id = 0; id < sandbox->kept_count; id++) {
        struct sandbox_kept *kept = &sandbox->kept[id];
        replace_by_table(lua, OWN);
        kept->watch_first = sandbox->watch_count;
        sandbox_push(sandbox, id);
        walk_from(&walk);
        kept->watch_count = sandbox->watch_count - kept->watch_first;
    }
}

/* Let a collection begin when half of a call's room is garbage, or earlier. */
static void tune_collector(lua_State *lua, const struct sandbox *sandbox)
{
    size_t half = sandbox->limits.call_bytes / 2;
    size_t percent = 100 + 100 * half / (sandbox->bytes + 1);

    lua_gc(lua, LUA_GCINC, percent < 400 ? (int)percent : 400, 400, 0);
}

int seal_all(lua_State *lua)
{
    struct sandbox *sandbox = sandbox_of(lua);

    lua_settop(lua, 0);
    luaL_checkstack(lua, 40, "sealing");
    for (int place = WORK; place <= OWN; place++)
        lua_newtable(lua);
    source_assigned(lua);
    lua_newtable(lua); /* FOUND */
    walk_all(lua, sandbox);

    lua_settop(lua, 0);
    lua_pushnil(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, "sandbox.assigned");
    lua_gc(lua, LUA_GCCOLLECT);
    lua_gc(lua, LUA_GCCOLLECT);
    tune_collector(lua, sandbox);
    return 0;
}

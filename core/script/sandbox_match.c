/* sandbox_match.c -- find, match, gmatch and gsub over sandbox_pattern.c.
 *
 * They answer as Lua's do; the tests compare them with it by the thousand.  Two
 * things differ: what a pattern costs comes off the budget, and a malformed
 * pattern is an error even where the matcher would not have come to its fault.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

static const char SPECIALS[] = "^$*+?.([%-";

/* A start as scripts give it, from 1 or from the end, as an offset. */
static size_t offset_of(lua_Integer start, size_t size)
{
    if (start > 0)
        return (size_t)start - 1;
    if (start == 0 || start < -(lua_Integer)size)
        return 0;
    return size - (size_t)-start;
}

static void push_position(lua_State *lua, size_t offset)
{
    lua_pushinteger(lua, (lua_Integer)offset + 1);
}

static void push_capture(lua_State *lua, const struct pattern *pattern, unsigned index)
{
    const struct capture *capture = &pattern->captures[index];

    if (capture->size == CAPTURE_POSITION)
        push_position(lua, capture->begin);
    else
        lua_pushlstring(lua, pattern->text + capture->begin, capture->size);
}

/* The captures; the whole match if there are none and `or_whole` says so. */
static int push_captures(lua_State *lua, const struct pattern *pattern, size_t begin, size_t end,
                         bool or_whole)
{
    luaL_checkstack(lua, (int)pattern->capture_count + 1, "too many captures");
    if (pattern->capture_count == 0 && or_whole) {
        lua_pushlstring(lua, pattern->text + begin, end - begin);
        return 1;
    }
    for (unsigned i = 0; i < pattern->capture_count; i++)
        push_capture(lua, pattern, i);
    return (int)pattern->capture_count;
}

static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\0' && strchr(SPECIALS, text[i]) != NULL)
            return false;
    return true;
}

static int find_plain(lua_State *lua, const char *text, size_t size, size_t from,
                      const char *wanted, size_t wanted_size)
{
    budget_bytes(lua, size - from + wanted_size);
    const char *found = memmem(text + from, size - from, wanted, wanted_size);
    if (found == NULL) {
        lua_pushnil(lua);
        return 1;
    }
    push_position(lua, (size_t)(found - text));
    push_position(lua, (size_t)(found - text) + wanted_size - 1);
    return 2;
}

/* The shared part of find and match: subject, pattern, start. */
static int search(lua_State *lua, bool is_find)
{
    size_t pattern_size = 0;
    struct pattern pattern;
    size_t begin = 0;
    size_t end = 0;

    pattern.text = luaL_checklstring(lua, 1, &pattern.size);
    const char *text = luaL_checklstring(lua, 2, &pattern_size);
    size_t from = offset_of(luaL_optinteger(lua, 3, 1), pattern.size);
    if (from > pattern.size) {
        lua_pushnil(lua);
        return 1;
    }
    if (is_find && (lua_toboolean(lua, 4) || is_plain(text, pattern_size)))
        return find_plain(lua, pattern.text, pattern.size, from, text, pattern_size);

    pattern_compile(lua, &pattern, text, pattern_size, true);
    if (!pattern_search(lua, &pattern, from, &begin, &end)) {
        lua_pushnil(lua);
        return 1;
    }
    if (!is_find)
        return push_captures(lua, &pattern, begin, end, true);
    push_position(lua, begin);
    lua_pushinteger(lua, (lua_Integer)end);
    return 2 + push_captures(lua, &pattern, begin, end, false);
}

int string_find(lua_State *lua)
{
    return search(lua, true);
}

int string_match(lua_State *lua)
{
    return search(lua, false);
}

/* Upvalues: subject, pattern, offset to go on from, end of the last match. */
int match_iterate(lua_State *lua)
{
    struct pattern pattern;
    size_t pattern_size = 0;
    size_t begin = 0;
    size_t end = 0;

    pattern.text = lua_tolstring(lua, lua_upvalueindex(1), &pattern.size);
    const char *text = lua_tolstring(lua, lua_upvalueindex(2), &pattern_size);
    size_t from = (size_t)lua_tointeger(lua, lua_upvalueindex(3));
    lua_Integer last_end = lua_tointeger(lua, lua_upvalueindex(4));
    pattern_compile(lua, &pattern, text, pattern_size, false); /* it would match only once */

    while (from <= pattern.size && pattern_search(lua, &pattern, from, &begin, &end)) {
        bool is_empty_again = (lua_Integer)end == last_end;
        from = is_empty_again ? begin + 1 : end;
        if (is_empty_again)
            continue;
        lua_pushinteger(lua, (lua_Integer)from);
        lua_replace(lua, lua_upvalueindex(3));
        lua_pushinteger(lua, (lua_Integer)end);
        lua_replace(lua, lua_upvalueindex(4));
        return push_captures(lua, &pattern, begin, end, true);
    }
    lua_pushnil(lua);
    return 1;
}

int string_gmatch(lua_State *lua)
{
    size_t size = 0;

    luaL_checklstring(lua, 1, &size);
    luaL_checkstring(lua, 2);
    size_t from = offset_of(luaL_optinteger(lua, 3, 1), size);
    lua_settop(lua, 2);
    lua_pushinteger(lua, from > size ? LUA_MAXINTEGER : (lua_Integer)from);
    lua_pushinteger(lua, -1);
    lua_pushcclosure(lua, match_iterate, 4);
    return 1;
}

/* The replacement written as a string, with %0 to %9 and %%. */
static void append_template(lua_State *lua, struct text *out, const struct pattern *pattern,
                            size_t begin, size_t end)
{
    size_t size = 0;
    const char *text = lua_tolstring(lua, 3, &size);

    for (size_t i = 0; i < size; i++) {
        const char *percent = memchr(text + i, '%', size - i);
        size_t plain = percent != NULL ? (size_t)(percent - text) - i : size - i;
        text_append(out, text + i, plain);
        i += plain + 1;
        if (percent == NULL)
            return;
        char digit = i < size ? text[i] : '\0';
        unsigned index = (unsigned)(digit - '1');
        if (digit == '%') {
            text_append(out, "%", 1);
        } else if (digit == '0' || (digit == '1' && pattern->capture_count == 0)) {
            text_append(out, pattern->text + begin, end - begin);
        } else if (digit >= '1' && digit <= '9' && index < pattern->capture_count) {
            push_capture(lua, pattern, index);
            text_value(out);
        } else {
            luaL_error(lua, "the replacement may use %%0 to %%%d and %%%% only",
                       (int)pattern->capture_count);
        }
    }
}

/* What stands for the match: append it to `out`. */
static void append_replacement(lua_State *lua, struct text *out, const struct pattern *pattern,
                               size_t begin, size_t end)
{
    int kind = lua_type(lua, 3);

    if (kind == LUA_TSTRING || kind == LUA_TNUMBER) {
        append_template(lua, out, pattern, begin, end);
        return;
    }
    if (kind == LUA_TTABLE) {
        int count = push_captures(lua, pattern, begin, end, true);
        lua_pop(lua, count - 1);
        lua_gettable(lua, 3);
    } else {
        lua_pushvalue(lua, 3);
        lua_call(lua, push_captures(lua, pattern, begin, end, true), 1);
    }
    if (!lua_toboolean(lua, -1)) {
        lua_pop(lua, 1);
        text_append(out, pattern->text + begin, end - begin);
        return;
    }
    if (!lua_isstring(lua, -1))
        luaL_error(lua, "a replacement must be a string, not a %s", luaL_typename(lua, -1));
    sandbox_push_text(lua, -1);
    lua_remove(lua, -2);
    text_value(out);
}

/* Replace from the start of the subject; the number of replacements. */
static lua_Integer replace_all(lua_State *lua, struct text *out, struct pattern *pattern,
                               lua_Integer count_max)
{
    size_t from = 0;   /* where to search */
    size_t copied = 0; /* of the subject, into out */
    size_t last_end = SIZE_MAX;
    lua_Integer count = 0;
    size_t begin = 0;
    size_t end = 0;

    while (count < count_max && from <= pattern->size &&
           pattern_search(lua, pattern, from, &begin, &end)) {
        if (end == last_end) { /* nothing, right after the last match */
            from = begin + 1;
        } else {
            text_append(out, pattern->text + copied, begin - copied);
            append_replacement(lua, out, pattern, begin, end);
            count++;
            copied = end;
            last_end = end;
            from = end;
        }
        if (pattern->is_anchored)
            break;
    }
    text_append(out, pattern->text + copied, pattern->size - copied);
    return count;
}

int string_gsub(lua_State *lua)
{
    size_t pattern_size = 0;
    struct pattern pattern;
    struct text out;

    pattern.text = luaL_checklstring(lua, 1, &pattern.size);
    const char *text = luaL_checklstring(lua, 2, &pattern_size);
    int kind = lua_type(lua, 3);
    luaL_argexpected(lua,
                     kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TTABLE ||
                         kind == LUA_TFUNCTION,
                     3, "string, function or table");
    lua_Integer count_max = luaL_optinteger(lua, 4, LUA_MAXINTEGER);
    lua_settop(lua, 3);

    pattern_compile(lua, &pattern, text, pattern_size, true);
    budget_bytes(lua, pattern.size);
    text_init(&out, lua);
    lua_Integer count = replace_all(lua, &out, &pattern, count_max);
    text_push(&out);
    lua_pushinteger(lua, count);
    return 2;
}

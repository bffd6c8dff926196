/* sandbox_text.c -- a string in the making, kept in Lua's memory.
 *
 * The auxiliary library has such a buffer, but when its growth is refused it
 * raises at once, without the collection that would have made room, and so its
 * answer depends on garbage.  This one grows by making userdata, which Lua treats
 * like any other object.  Nothing is to be freed when a function raises.
 */
#include "core/script/sandbox_parts.h"

#include <string.h>

void text_init(struct text *text, lua_State *lua)
{
    lua_pushnil(lua);
    text->lua = lua;
    text->data = text->first;
    text->size = 0;
    text->capacity = sizeof text->first;
    text->slot = lua_gettop(lua);
}

void text_check(lua_State *lua, size_t size)
{
    size_t size_max = sandbox_of(lua)->limits.string_bytes;

    if (size > size_max)
        luaL_error(lua, "a string of %I bytes would be made, the limit is %I; keep texts shorter",
                   (LUAI_UACINT)size, (LUAI_UACINT)size_max);
}

static char *reserve(struct text *text, size_t size)
{
    if (size > text->capacity - text->size) {
        text_check(text->lua, text->size + size);
        size_t capacity = text->capacity * 2;
        while (capacity - text->size < size)
            capacity *= 2;
        budget_bytes(text->lua, capacity);
        char *data = lua_newuserdatauv(text->lua, capacity, 0);
        memcpy(data, text->data, text->size);
        lua_replace(text->lua, text->slot);
        text->data = data;
        text->capacity = capacity;
    }
    return text->data + text->size;
}

void text_append(struct text *text, const char *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(reserve(text, size), data, size);
    text->size += size;
}

void text_value(struct text *text)
{
    size_t size = 0;
    const char *data = lua_tolstring(text->lua, -1, &size);
    char *to = reserve(text, size); /* the string stays where it is */

    memcpy(to, data, size);
    text->size += size;
    lua_pop(text->lua, 1);
}

void text_fill(struct text *text, char byte, size_t count)
{
    memset(reserve(text, count), byte, count);
    text->size += count;
}

void text_push(struct text *text)
{
    text_check(text->lua, text->size);
    lua_pushlstring(text->lua, text->data, text->size);
}

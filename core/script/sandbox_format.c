/* sandbox_format.c -- string.format, the same on every machine.
 *
 * Numbers go through the C library one at a time with a checked directive, in
 * the "C" locale, where its results are exact.  %a is left out, because its
 * digits are not fixed by any standard, and so is %p, because it shows an
 * address.  A NaN prints as "nan" whatever its sign bit.
 */
#include "core/script/sandbox_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DIRECTIVE_MAX 16 /* bytes: '%', five flags, two and two digits, "ll", letter */
#define NUMBER_MAX 512   /* bytes: %99.99f of the largest number has 408 */

struct directive {
    char text[DIRECTIVE_MAX]; /* flags, width and precision, with the % */
    size_t size;
    int width;     /* 0: none given */
    int precision; /* -1: none given */
    bool is_left;
    char letter;
};

static int read_digits(const char **at, const char *end)
{
    int value = 0;

    for (int i = 0; i < 2 && *at < end && **at >= '0' && **at <= '9'; i++)
        value = value * 10 + *(*at)++ - '0';
    return value;
}

/* Read a directive after its `%`; return what follows it. */
static const char *read_directive(lua_State *lua, const char *at, const char *end,
                                  struct directive *out)
{
    const char *begin = at;

    out->is_left = false;
    out->precision = -1;
    while (at < end && at - begin < 5 && *at != '\0' && strchr("-+ #0", *at) != NULL)
        out->is_left |= *at++ == '-';
    out->width = read_digits(&at, end);
    if (at < end && *at == '.') {
        at++;
        out->precision = read_digits(&at, end);
    }
    if (at == end || *at == '\0' || strchr("cdixXoeEfgGsq", *at) == NULL)
        luaL_error(lua,
                   "string.format knows no '%%%s'; use one of c d i x X o e f g s q, "
                   "with a width below 100",
                   at == end ? "" : (char[]){ *at, '\0' });
    if (strchr("cdisq", *at) != NULL && memchr(begin, '#', (size_t)(at - begin)) != NULL)
        luaL_error(lua, "string.format: '#' means nothing with '%%%c'", *at);
    out->text[0] = '%';
    out->size = (size_t)(at - begin) + 1;
    memcpy(out->text + 1, begin, out->size - 1);
    out->letter = *at;
    return at + 1;
}

static void append_integer(struct text *out, struct directive *directive, lua_Integer value)
{
    char number[NUMBER_MAX];
    char letter = directive->letter == 'i' ? 'd' : directive->letter;

    memcpy(directive->text + directive->size, "ll", 2);
    directive->text[directive->size + 2] = letter;
    directive->text[directive->size + 3] = '\0';
    int size = snprintf(number, sizeof number, directive->text, (long long)value);
    text_append(out, number, (size_t)size);
}

static void append_padded(struct text *out, const struct directive *directive, const char *data,
                          size_t size)
{
    size_t width = (size_t)directive->width;
    size_t padding = width > size ? width - size : 0;

    if (!directive->is_left)
        text_fill(out, ' ', padding);
    text_append(out, data, size);
    if (directive->is_left)
        text_fill(out, ' ', padding);
}

static void append_float(struct text *out, struct directive *directive, lua_Number value)
{
    char number[NUMBER_MAX];

    if (isnan(value)) {
        append_padded(out, directive, "nan", 3);
        return;
    }
    directive->text[directive->size] = directive->letter;
    directive->text[directive->size + 1] = '\0';
    int size = snprintf(number, sizeof number, directive->text, value);
    sandbox_spend(out->lua, (uint64_t)size); /* a digit is worth an instruction */
    text_append(out, number, (size_t)size);
}

static void append_string(lua_State *lua, struct text *out, const struct directive *directive,
                          int argument)
{
    size_t size = 0;

    sandbox_push_text(lua, argument);
    const char *data = lua_tolstring(lua, -1, &size);
    if (directive->precision >= 0 && size > (size_t)directive->precision)
        size = (size_t)directive->precision;
    append_padded(out, directive, data, size);
    lua_pop(lua, 1);
}

/* A string as Lua source. */
static void append_quoted(struct text *out, const char *data, size_t size)
{
    char escape[8];

    text_append(out, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)data[i];
        if (byte == '"' || byte == '\\' || byte == '\n') {
            text_append(out, "\\", 1);
            text_append(out, data + i, 1);
        } else if (byte < ' ' || byte == 0x7F) {
            int written = snprintf(escape, sizeof escape, "\\%03u", byte);
            text_append(out, escape, (size_t)written);
        } else {
            text_append(out, data + i, 1);
        }
    }
    text_append(out, "\"", 1);
}

static void append_quoted_number(lua_State *lua, struct text *out, int argument)
{
    char number[NUMBER_MAX];
    lua_Number value = lua_tonumber(lua, argument);

    if (lua_isinteger(lua, argument) && lua_tointeger(lua, argument) == LUA_MININTEGER)
        snprintf(number, sizeof number, "0x8000000000000000"); /* its decimal is a float */
    else if (lua_isinteger(lua, argument))
        snprintf(number, sizeof number, "%lld", (long long)lua_tointeger(lua, argument));
    else if (isnan(value))
        snprintf(number, sizeof number, "(0/0)");
    else if (isinf(value))
        snprintf(number, sizeof number, value > 0 ? "1e9999" : "-1e9999");
    else if (value == floor(value) && fabs(value) < 1e15)
        snprintf(number, sizeof number, "%.1f", value); /* so that it stays a float */
    else
        snprintf(number, sizeof number, "%.17g", value);
    text_append(out, number, strlen(number));
}

static void append_literal(lua_State *lua, struct text *out, int argument)
{
    size_t size = 0;

    switch (lua_type(lua, argument)) {
    case LUA_TSTRING: {
        const char *data = lua_tolstring(lua, argument, &size);
        budget_bytes(lua, 8 * size);
        append_quoted(out, data, size);
        break;
    }
    case LUA_TNUMBER:
        append_quoted_number(lua, out, argument);
        break;
    case LUA_TNIL:
    case LUA_TBOOLEAN:
        sandbox_push_text(lua, argument);
        text_value(out);
        break;
    default:
        luaL_argerror(lua, argument, "a value that has no form in Lua source");
    }
}

static void append_argument(lua_State *lua, struct text *out, struct directive *directive,
                            int argument)
{
    char byte = 0;

    luaL_checkany(lua, argument);
    switch (directive->letter) {
    case 'c':
        byte = (char)luaL_checkinteger(lua, argument);
        append_padded(out, directive, &byte, 1);
        break;
    case 'd':
    case 'i':
    case 'x':
    case 'X':
    case 'o':
        append_integer(out, directive, luaL_checkinteger(lua, argument));
        break;
    case 's':
        append_string(lua, out, directive, argument);
        break;
    case 'q':
        append_literal(lua, out, argument);
        break;
    default:
        append_float(out, directive, luaL_checknumber(lua, argument));
    }
}

int string_format(lua_State *lua)
{
    size_t size = 0;
    int argument = 1;
    int argument_count = lua_gettop(lua);
    struct text out;
    struct directive directive;
    const char *at = luaL_checklstring(lua, 1, &size);
    const char *end = at + size;

    budget_bytes(lua, size);
    text_init(&out, lua);
    while (at < end) {
        const char *percent = memchr(at, '%', (size_t)(end - at));
        size_t plain = (size_t)((percent != NULL ? percent : end) - at);
        text_append(&out, at, plain);
        at += plain;
        if (at == end)
            break;
        if (at + 1 < end && at[1] == '%') {
            text_append(&out, "%", 1);
            at += 2;
            continue;
        }
        at = read_directive(lua, at + 1, end, &directive);
        if (++argument > argument_count)
            return luaL_error(lua, "string.format has no value for its %d. directive",
                              argument - 1);
        sandbox_spend(lua, 20);
        append_argument(lua, &out, &directive, argument);
    }
    text_push(&out);
    return 1;
}

/* sandbox_report.c -- what a person learns about a run that failed.
 *
 * The report is written while the stack still stands, because afterwards nobody
 * knows where it happened.  It is written straight into the caller's memory and
 * allocates nothing, since it must also work when memory is what ran out.
 *
 * Everything in it may come from a script: messages with bytes that are not
 * UTF-8, names from its source, error values with a hostile __tostring.  So no
 * metamethod is called, and no byte leaves before report_clean() has seen it.
 */
#include "core/script/sandbox_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_FIRST 10 /* calls shown from the inner end of a deep stack ... */
#define LEVELS_LAST 6   /* ... and from the outer one */

static const char REPLACEMENT[] = "\xEF\xBF\xBD";
static const char MORE[] = "...";

/* The length of the valid UTF-8 sequence that begins `text`, or 0. */
static size_t sequence_size(const unsigned char *text, size_t size)
{
    unsigned char lead = text[0];
    size_t length = lead < 0x80   ? 1
                    : lead < 0xC2 ? 0
                    : lead < 0xE0 ? 2
                    : lead < 0xF0 ? 3
                    : lead < 0xF5 ? 4
                                  : 0;

    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if ((lead == 0xE0 && text[1] < 0xA0) || (lead == 0xED && text[1] >= 0xA0) ||
        (lead == 0xF0 && text[1] < 0x90) || (lead == 0xF4 && text[1] >= 0x90))
        return 0;
    return length;
}

static bool is_control(const unsigned char *text)
{
    if (text[0] == 0xC2 && text[1] < 0xA0) /* the second block of controls */
        return true;
    return (text[0] < 0x20 && text[0] != '\n' && text[0] != '\t') || text[0] == 0x7F;
}

void report_clean(char *out, size_t out_size, const char *text, size_t size)
{
    const unsigned char *from = (const unsigned char *)text;
    size_t room = out_size - sizeof MORE; /* MORE and the terminator always fit */
    size_t used = 0;

    for (size_t i = 0; i < size;) {
        size_t length = sequence_size(from + i, size - i);
        bool is_good = length != 0 && !is_control(from + i);
        size_t written = is_good ? length : sizeof REPLACEMENT - 1;

        if (used + written > room) {
            memcpy(out + used, MORE, sizeof MORE - 1);
            used += sizeof MORE - 1;
            break;
        }
        memcpy(out + used, is_good ? text + i : REPLACEMENT, written);
        used += written;
        i += length != 0 ? length : 1;
    }
    out[used] = '\0';
}

void report_begin(struct sandbox_report *report)
{
    report->outcome = SANDBOX_OK;
    report->line = 0;
    report->instructions = 0;
    report->changed_name = NULL;
    report->changed_file = NULL;
    report->changed_line = 0;
    report->file[0] = '\0';
    report->message[0] = '\0';
    report->traceback[0] = '\0';
}

static int describe_frame(lua_State *lua, lua_Debug *frame, char *out, size_t size)
{
    lua_getinfo(lua, "nSl", frame);
    const char *name = frame->name != NULL ? frame->name : "?";
    if (frame->what[0] == 'C')
        return snprintf(out, size, "[C]: in function '%.80s'\n", name);
    if (frame->what[0] == 'm')
        return snprintf(out, size, "%s:%d: in the file itself\n", frame->short_src,
                        frame->currentline);
    if (frame->name == NULL)
        return snprintf(out, size, "%s:%d: in the function at line %d\n", frame->short_src,
                        frame->currentline, frame->linedefined);
    return snprintf(out, size, "%s:%d: in function '%.80s'\n", frame->short_src, frame->currentline,
                    name);
}

static int stack_depth(lua_State *lua)
{
    lua_Debug frame;
    int depth = 0;

    while (lua_getstack(lua, depth, &frame))
        depth++;
    return depth;
}

static void write_traceback(lua_State *lua, int first, char *out, size_t size)
{
    char raw[SANDBOX_TRACEBACK_MAX];
    size_t used = 0;
    lua_Debug frame;
    int depth = stack_depth(lua);
    int skipped = depth - first - LEVELS_FIRST - LEVELS_LAST;

    for (int level = first; level < depth && lua_getstack(lua, level, &frame); level++) {
        int written = 0;
        if (level == first + LEVELS_FIRST && skipped > 0) {
            written = snprintf(raw + used, sizeof raw - used, "(%d more calls)\n", skipped);
            level += skipped - 1;
        } else {
            written = describe_frame(lua, &frame, raw + used, sizeof raw - used);
        }
        if (written < 0 || used + (size_t)written >= sizeof raw)
            break;
        used += (size_t)written;
    }
    report_clean(out, size, raw, used);
}

/* If the message begins with "file:line: " for the file at hand, as error() and
 * Lua's own messages do, take the line from it and return what is left. */
static const char *strip_place(const char *message, size_t *size, const char *file, int *line)
{
    size_t length = strlen(file);
    char *end = NULL;

    if (*size < length + 4 || memcmp(message, file, length) != 0 || message[length] != ':')
        return message;
    long number = strtol(message + length + 1, &end, 10);
    if (number <= 0 || number > INT32_MAX || end[0] != ':' || end[1] != ' ')
        return message;
    *line = (int)number;
    *size -= (size_t)(end + 2 - message);
    return end + 2;
}

void report_failure(lua_State *lua, int first, struct sandbox_report *report, const char *message,
                    size_t size)
{
    lua_Debug frame;

    report->line = 0;
    report->file[0] = '\0';
    for (int level = first; lua_getstack(lua, level, &frame); level++) {
        lua_getinfo(lua, "Sl", &frame);
        if (frame.currentline <= 0)
            continue;
        const char *file = frame.source + (frame.source[0] == '@');
        report->line = frame.currentline;
        report_clean(report->file, sizeof report->file, file, strlen(file));
        message = strip_place(message, &size, frame.short_src, &report->line);
        break;
    }
    report_clean(report->message, sizeof report->message, message, size);
    write_traceback(lua, first, report->traceback, sizeof report->traceback);
}

const char *report_render(lua_State *lua, int index, size_t *out_size)
{
    const char *text = NULL;

    switch (lua_type(lua, index)) {
    case LUA_TSTRING:
        return lua_tolstring(lua, index, out_size);
    case LUA_TNUMBER:
        text = "the error value is a number, not a message";
        break;
    case LUA_TBOOLEAN:
        text = "the error value is a boolean, not a message";
        break;
    case LUA_TTABLE:
        text = "the error value is a table, not a message";
        break;
    case LUA_TFUNCTION:
        text = "the error value is a function, not a message";
        break;
    case LUA_TUSERDATA:
        text = "the error value is an object, not a message";
        break;
    default:
        text = "the error value is nil: no message";
    }
    *out_size = strlen(text);
    return text;
}

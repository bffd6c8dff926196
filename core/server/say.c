/* say.c -- see say.h. */
#include "core/server/say.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/doc.h"
#include "core/base/json_write.h"
#include "core/base/moment.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX 1000

static bool is_json_wanted;

void say_as_json(bool is_json)
{
    is_json_wanted = is_json;
}

static void write_line(const char *format, va_list args)
{
    char text[LINE_MAX], time[MOMENT_TEXT_SIZE];
    struct buf line = BUF_INIT;
    vsnprintf(text, sizeof text, format, args);
    if (is_json_wanted) {
        struct clock clock = clock_machine();
        moment_format(clock.wall_ms(clock.arg), time);
        buf_printf(&line, "{\"time\":\"%s\",\"text\":", time);
        json_write_text(&line, text_of(text));
        buf_text(&line, "}\n");
    } else {
        buf_printf(&line, "kithd: %s\n", text);
    }
    ssize_t written = write(STDERR_FILENO, line.data, line.size);
    (void)written; /* nobody is left to be told */
    buf_deinit(&line);
}

void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(format, args);
    va_end(args);
}

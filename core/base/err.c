/* err.c -- recording a reason; see err.h for who does so and when. */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A reason may quote input.  Cutting it at ERR_TEXT_MAX must not leave half a
 * character behind, or the JSON that carries it to a person would be invalid. */
static void drop_half_character(char *text)
{
    size_t size = strlen(text);
    size_t start = size;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || ((unsigned char)text[start - 1] & 0x80) == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (size - (start - 1) < want)
        text[start - 1] = '\0';
}

int err_set(struct err *err, int code, const char *format, ...)
{
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, format);
    int size = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (size >= (int)sizeof err->text)
        drop_half_character(err->text);
    err->code = code;
    return code;
}

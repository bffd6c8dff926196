/* fault.c -- see fault.h. */
#include "fault.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

int fault_set(struct fault *fault, int code, const char *format, ...)
{
    if (fault == NULL)
        return code;
    va_list args;
    va_start(args, format);
    fault->code = code;
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    /* What is quoted came from outside: the line stays one line. */
    for (char *at = fault->text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    return code;
}

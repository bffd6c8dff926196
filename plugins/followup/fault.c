/* fault.c -- notes a reason; one that does not fit is cut, never lost. */
#include "fault.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

int fault_set(struct fault *fault, int code, const char *format, ...)
{
    if (fault == NULL)
        return code;
    va_list arguments;
    va_start(arguments, format);
    fault->code = code;
    if (vsnprintf(fault->text, sizeof fault->text, format, arguments) < 0)
        fault->text[0] = '\0';
    va_end(arguments);
    return code;
}

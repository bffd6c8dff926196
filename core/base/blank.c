/* blank.c -- see blank.h. */
#include "core/base/blank.h"

#include <stdint.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

bool blank_text(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    int32_t at = 0, end = (int32_t)size;
    while (at < end) {
        UChar32 c;
        U8_NEXT(bytes, at, end, c);
        if (c < 0 || !(u_isUWhiteSpace(c) || u_iscntrl(c) ||
                       u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)))
            return false;
    }
    return true;
}

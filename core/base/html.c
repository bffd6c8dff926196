/* html.c -- see html.h. */
#include "core/base/html.h"

#include "core/base/buf.h"

void html_escape(struct text text, struct buf *out)
{
    for (uint32_t i = 0; i < text.size; i++)
        switch (text.data[i]) {
        case '&':
            buf_text(out, "&amp;");
            break;
        case '<':
            buf_text(out, "&lt;");
            break;
        case '>':
            buf_text(out, "&gt;");
            break;
        case '"':
            buf_text(out, "&quot;");
            break;
        case '\'':
            buf_text(out, "&#39;");
            break;
        case '\0':
            break;
        default:
            buf_byte(out, (uint8_t)text.data[i]);
        }
}

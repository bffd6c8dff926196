/* fields.c -- see fields.h. */
#include "fields.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static struct kith_text decode(struct kith_text sent, char *room, size_t size)
{
    struct kith_text text = { room, 0 };
    for (size_t i = 0; i < sent.size; i++) {
        char c = sent.data[i];
        if (text.size == size)
            return (struct kith_text){ room, 0 };
        if (c == '%' && i + 2 < sent.size && hex(sent.data[i + 1]) >= 0 &&
            hex(sent.data[i + 2]) >= 0) {
            c = (char)(hex(sent.data[i + 1]) * 16 + hex(sent.data[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        room[text.size++] = c;
    }
    return text;
}

struct kith_text fields_get(struct kith_text sent, const char *name, char *room, size_t size)
{
    size_t at = 0, named = strlen(name);
    while (at < sent.size) {
        const char *from = sent.data + at;
        const char *end = memchr(from, '&', sent.size - at);
        size_t length = end != NULL ? (size_t)(end - from) : sent.size - at;
        if (length > named && from[named] == '=' && memcmp(from, name, named) == 0) {
            struct kith_text value = { from + named + 1, length - named - 1 };
            return decode(value, room, size);
        }
        at += length + 1;
    }
    return (struct kith_text){ room, 0 };
}

int fields_encode(struct kith_text text, char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        int is_plain = (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z') ||
                       (byte != 0 && strchr("-._~:@", byte) != NULL);
        if (used + 4 > size)
            return 0;
        if (!is_plain) {
            out[used++] = '%';
            out[used++] = digits[byte >> 4];
            byte = (unsigned char)digits[byte & 15];
        }
        out[used++] = (char)byte;
    }
    if (used == size)
        return 0;
    out[used] = '\0';
    return 1;
}

/* Bytes that follow in a character which begins with this one, 4: none does.  *out_least is the
 * smallest character that may be written so. */
static unsigned following(unsigned char byte, unsigned *out_least, unsigned *out_bits)
{
    static const unsigned least[] = { 0, 0x80, 0x800, 0x10000 };
    unsigned count = byte < 0x80                    ? 0
                     : byte >= 0xc2 && byte <= 0xdf ? 1
                     : byte >= 0xe0 && byte <= 0xef ? 2
                     : byte >= 0xf0 && byte <= 0xf4 ? 3
                                                    : 4;
    *out_least = count < 4 ? least[count] : 0;
    *out_bits = byte & (count == 0 ? 0x7fu : 0x3fu >> count);
    return count;
}

int fields_is_text(struct kith_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        unsigned least, code, count = following(byte, &least, &code);
        int is_space = byte == '\n' || byte == '\r' || byte == '\t';
        if (count > 3 || count >= text.size - i || (byte < 0x20 && !is_space) || byte == 0x7f)
            return 0;
        for (unsigned j = 0; j < count; j++) {
            unsigned char next = (unsigned char)text.data[++i];
            if ((next & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (next & 0x3fu);
        }
        if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return 0;
    }
    return 1;
}

/* shift.c -- see shift.h. */
#include "shift.h"

#include <string.h>

enum shift { SHIFT_ASCII, SHIFT_KANA, SHIFT_KANJI, SHIFT_MORE_KANJI };

static bool is_graphic(struct span text, size_t at)
{
    return at < text.size && text.data[at] > 0x20 && text.data[at] < 0x7f;
}

static void high(struct bytes *out, char c)
{
    bytes_byte(out, (char)((unsigned char)c | 0x80));
}

/* Two bytes, or one that has lost the other. */
static size_t add_pair(struct span text, const char *before, struct bytes *out)
{
    if (!is_graphic(text, 0) || !is_graphic(text, 1)) {
        bytes_byte(out, text.data[0]);
        return 1;
    }
    bytes_text(out, before);
    high(out, text.data[0]);
    high(out, text.data[1]);
    return 2;
}

/* The bytes of the escape sequence that `text` begins with; 0 when it begins with none. */
static size_t read_escape(struct span text, enum shift *io_shift)
{
    static const struct {
        const char *sequence;
        enum shift shift;
    } sequences[] = {
        { "\x1b(B", SHIFT_ASCII },  { "\x1b(J", SHIFT_ASCII },       { "\x1b(I", SHIFT_KANA },
        { "\x1b$@", SHIFT_KANJI },  { "\x1b$B", SHIFT_KANJI },       { "\x1b$(@", SHIFT_KANJI },
        { "\x1b$(B", SHIFT_KANJI }, { "\x1b$(D", SHIFT_MORE_KANJI },
    };
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        size_t size = strlen(sequences[i].sequence);
        if (text.size >= size && memcmp(text.data, sequences[i].sequence, size) == 0) {
            *io_shift = sequences[i].shift;
            return size;
        }
    }
    return 0;
}

static size_t add_shifted(struct span text, enum shift shift, struct bytes *out)
{
    if (shift == SHIFT_KANJI)
        return add_pair(text, "", out);
    if (shift == SHIFT_MORE_KANJI)
        return add_pair(text, "\x8f", out);
    unsigned char c = (unsigned char)text.data[0];
    bool is_kana = (shift == SHIFT_KANA && is_graphic(text, 0)) || (c > 0xa0 && c < 0xe0);
    if (is_kana) {
        bytes_text(out, "\x8e");
        high(out, text.data[0]);
    } else {
        bytes_byte(out, text.data[0]);
    }
    return 1;
}

void shift_japanese(struct span text, struct bytes *out)
{
    enum shift shift = SHIFT_ASCII;
    while (text.size > 0) {
        size_t size = text.data[0] == '\x1b' ? read_escape(text, &shift) : 0;
        if (text.data[0] == '\n' || text.data[0] == '\r')
            shift = SHIFT_ASCII;
        if (size == 0)
            size = add_shifted(text, shift, out);
        text = span_from(text, size);
    }
}

void shift_hz(struct span text, struct bytes *out)
{
    bool is_chinese = false;
    while (text.size > 0) {
        char next = text.data[0] == '~' && text.size > 1 ? text.data[1] : '\0';
        size_t size = 2;
        if (text.data[0] == '\n' || text.data[0] == '\r')
            is_chinese = false;
        if (next == '{' || next == '}')
            is_chinese = next == '{';
        else if (next == '~' && !is_chinese)
            bytes_byte(out, '~');
        else if (is_chinese)
            size = add_pair(text, "", out);
        else if (next != '\n') { /* which joins two lines */
            bytes_byte(out, text.data[0]);
            size = 1;
        }
        text = span_from(text, size);
    }
}

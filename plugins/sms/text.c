/* text.c -- see text.h. */
#include "text.h"

#include <unicode/uchar.h>

/* -- Segments ---------------------------------------------------------------------------------- */

static bool has(const char *alphabet, int32_t character)
{
    struct kith_text rest = kith_text(alphabet);
    while (rest.size != 0)
        if (kith_next_character(&rest) == character)
            return true;
    return false;
}

/* In septets of GSM 03.38: 1, or 2 behind an escape; 0: it is not in there. */
static unsigned septets(int32_t character)
{
    if (has("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
            "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
            character))
        return 1;
    return has("\f^{}\\[~]|€", character) ? 2 : 0;
}

static bool is_gsm(struct kith_text text)
{
    while (text.size != 0)
        if (septets(kith_next_character(&text)) == 0)
            return false;
    return true;
}

/* A character of two units is not torn between two messages. */
int64_t text_segments(struct kith_text text)
{
    bool is_short = is_gsm(text);
    unsigned alone_max = is_short ? 160 : 70, part_max = is_short ? 153 : 67, filled = 0;
    int64_t units = 0, parts = 1;
    while (text.size != 0) {
        int32_t character = kith_next_character(&text);
        unsigned wide = is_short ? septets(character) : character > 0xffff ? 2 : 1;
        bool is_full = filled + wide > part_max;
        filled = is_full ? wide : filled + wide;
        parts += is_full;
        units += wide;
    }
    return units <= alone_max ? 1 : parts;
}

/* -- Words ------------------------------------------------------------------------------------- */

/* The next letter or digit, of whatever case; one of full width, as Chinese keyboards have them, is
 * the letter.  What nobody means to say is passed over: blanks, punctuation, marks, pictures.
 * -1: there is none. */
static int32_t next_letter(struct kith_text *text)
{
    int32_t code;
    do {
        code = kith_next_character(text);
        code -= code >= 0xff01 && code <= 0xff5e ? 0xfee0 : 0;
    } while (code >= 0 && !u_isalnum(code));
    return u_foldCase(code, U_FOLD_CASE_DEFAULT);
}

/* A word without a letter is nobody's. */
static bool is_word(struct kith_text text, struct kith_text word)
{
    int32_t said = next_letter(&text), wanted = next_letter(&word);
    bool is_empty = wanted < 0;
    while (said == wanted && said >= 0) {
        said = next_letter(&text);
        wanted = next_letter(&word);
    }
    return said == wanted && !is_empty;
}

bool text_is_among(struct kith_text text, struct kith_doc words)
{
    for (struct kith_iter it = kith_iter(words); kith_next(&it);)
        if (is_word(text, kith_as_text(&it.value)))
            return true;
    return false;
}

/* words.c -- see words.h. */
#include "words.h"

/* What nobody means to say is passed over: blanks, punctuation, marks, pictures. */
static bool is_letter(int32_t code)
{
    return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
           (code >= 0xc0 && code < 0x300) || (code >= 0x370 && code < 0x2000) ||
           (code > 0x3040 && code < 0xe000) || (code >= 0xff66 && code < 0x1f000) ||
           code >= 0x20000;
}

/* The next letter, as a capital; one of full width, as Chinese keyboards have them, is the letter.
 * -1: there is none. */
static int32_t next_letter(struct kith_text *text)
{
    int32_t code = -1;
    while (text->size != 0) {
        code = kith_next_character(text);
        code -= code >= 0xff01 && code <= 0xff5e ? 0xfee0 : 0;
        code -= (code >= 'a' && code <= 'z') || (code >= 0xe0 && code <= 0xfe) ? 32 : 0;
        if (is_letter(code))
            return code;
    }
    return -1;
}

/* Of a word that stands alone: "Stop it now" is for people to read. */
static bool is_word(struct kith_text body, struct kith_text word)
{
    int32_t said = next_letter(&body), wanted = next_letter(&word);
    bool is_empty = wanted == -1;
    while (said == wanted && said != -1) {
        said = next_letter(&body);
        wanted = next_letter(&word);
    }
    return said == wanted && !is_empty;
}

bool words_have(struct kith_doc words, struct kith_text body)
{
    for (struct kith_iter it = kith_iter(words); kith_next(&it);)
        if (is_word(body, kith_as_text(&it.value)))
            return true;
    return false;
}

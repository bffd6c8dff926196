/* segments.c -- see segments.h.  A character of two units is not torn between two messages. */
#include "segments.h"

/* In septets of GSM 03.38: 1, or 2 behind an escape; 0: it is not in there. */
static unsigned septets(int32_t character)
{
    struct kith_text basic =
        kith_text("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
                  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
    struct kith_text escaped = kith_text("\f^{}\\[~]|€");
    while (basic.size != 0)
        if (kith_next_character(&basic) == character)
            return 1;
    while (escaped.size != 0)
        if (kith_next_character(&escaped) == character)
            return 2;
    return 0;
}

/* Where a message holds so much if it is the only one, or else each of several. */
static int64_t count(struct kith_text text, int is_gsm, unsigned alone_max, unsigned part_max)
{
    unsigned filled = 0;
    size_t units = 0;
    int64_t parts = 1;
    while (text.size != 0) {
        int32_t character = kith_next_character(&text);
        unsigned wide = is_gsm ? septets(character) : character > 0xffff ? 2 : 1;
        units += wide;
        parts += filled + wide > part_max;
        filled = filled + wide > part_max ? wide : filled + wide;
    }
    return units <= alone_max ? 1 : parts;
}

int64_t segments(struct kith_text text)
{
    for (struct kith_text rest = text; rest.size != 0;)
        if (septets(kith_next_character(&rest)) == 0)
            return count(text, 0, 70, 67);
    return count(text, 1, 160, 153);
}

/* search_text.c -- folding with ICU; see search_text.h.
 *
 * Nearly every text is ASCII and takes one pass.  The others are case-folded (NFKC_Casefold),
 * taken apart (NFD), read character by character, and put together again (NFC), which only
 * matters to Hangul.  Only the marks of Latin, Greek and Cyrillic are dropped: in Hindi or Thai
 * a mark is a vowel.
 */
#include "core/base/search_text.h"

#include "core/base/utf8.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

/* A character becomes at most 18 (U+FDFA), and those at most 4 times as many when taken apart. */
#define FOLDED_MAX (SEARCH_TEXT_MAX * 18)
#define APART_MAX (FOLDED_MAX * 2)

#define DIAERESIS 0x308
#define RING 0x30a

/* -- What characters are ----------------------------------------------------------------- */

static bool is_accent(UChar32 c)
{
    return (c >= 0x300 && c <= 0x36f) || (c >= 0x1ab0 && c <= 0x1aff) ||
           (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x20d0 && c <= 0x20ff);
}

static bool is_apostrophe(UChar32 c)
{
    return c == '\'' || c == '`' || c == 0xb4 || c == 0x2bc || c == 0x2018 || c == 0x2019;
}

static bool is_in_word(UChar32 c)
{
    return u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
}

static bool has_no_blanks(UChar32 c) /* Han and kana; Koreans put blanks between words */
{
    return (c >= 0x3040 && c <= 0x30ff) ||
           (c >= 0x3400 && u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC));
}

static bool is_hangul(UChar32 c)
{
    return c >= 0xac00 && c <= 0xd7a3;
}

/* Letters that do not come apart; NULL: it is no such letter. */
static const char *letter_as_ascii(UChar32 c, bool is_spelt)
{
    static const struct {
        UChar32 letter;
        const char *plain, *spelt;
    } letters[] = {
        { 0xe6, "ae", "ae" }, { 0xf0, "d", "d" },    { 0xf8, "o", "oe" }, { 0xfe, "th", "th" },
        { 0x111, "d", "d" },  { 0x127, "h", "h" },   { 0x131, "i", "i" }, { 0x142, "l", "l" },
        { 0x14b, "n", "n" },  { 0x153, "oe", "oe" }, { 0x167, "t", "t" }, { 0x1dd, "e", "e" },
        { 0x259, "e", "e" },
    };
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].letter == c)
            return is_spelt ? letters[i].spelt : letters[i].plain;
    return NULL;
}

/* -- Writing ----------------------------------------------------------------------------- */

struct folding {
    enum search_fold how;
    UChar *out;
    int32_t size, capacity;
    UChar32 last; /* the last character written; 0: none */
    bool has_gap; /* something that is no letter came behind it */
};

static void put(struct folding *folding, UChar32 c)
{
    if (folding->size + 3 > folding->capacity)
        return;
    bool is_joined = has_no_blanks(folding->last) && has_no_blanks(c);
    if (folding->has_gap && folding->size != 0 && !is_joined)
        folding->out[folding->size++] = ' ';
    folding->has_gap = false;
    folding->last = c;
    U16_APPEND_UNSAFE(folding->out, folding->size, c);
}

static void put_ascii(struct folding *folding, const char *letters)
{
    for (; *letters != '\0'; letters++)
        put(folding, *letters);
}

static void fold_accent(struct folding *folding, UChar32 accent)
{
    UChar32 last = folding->last;
    if (folding->how != SEARCH_SPELT || folding->has_gap)
        return;
    if (accent == DIAERESIS && (last == 'a' || last == 'o' || last == 'u'))
        put(folding, 'e');
    else if (accent == RING && last == 'a')
        put(folding, 'a');
}

static void fold_character(struct folding *folding, UChar32 c)
{
    const char *ascii = c >= 0x80 ? letter_as_ascii(c, folding->how == SEARCH_SPELT) : NULL;
    if (is_accent(c))
        fold_accent(folding, c);
    else if (ascii != NULL)
        put_ascii(folding, ascii);
    else if (is_in_word(c))
        put(folding, c);
    else if (folding->how != SEARCH_WHOLE)
        folding->has_gap = folding->has_gap || !is_apostrophe(c);
    else if (u_isgraph(c))
        put(folding, c);
}

static void fold_ascii(struct text text, enum search_fold how, struct buf *out)
{
    UChar wide[SEARCH_TEXT_MAX * 2];
    struct folding folding = { .how = how, .out = wide, .capacity = SEARCH_TEXT_MAX * 2 };
    for (uint32_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        fold_character(&folding, c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    for (int32_t i = 0; i < folding.size; i++)
        buf_byte(out, (uint8_t)wide[i]);
}

static bool is_ascii(struct text text)
{
    for (uint32_t i = 0; i < text.size; i++)
        if ((uint8_t)text.data[i] >= 0x80)
            return false;
    return true;
}

static void append_utf8(const UChar *wide, int32_t size, struct buf *out)
{
    UErrorCode status = U_ZERO_ERROR;
    size_t most = (size_t)size * 3;
    int32_t used = 0;
    char *place = (char *)buf_reserve(out, most + 1);
    u_strToUTF8(place, (int32_t)most + 1, &used, wide, size, &status);
    if (U_SUCCESS(status))
        out->size += utf8_cut(place, (size_t)used, SEARCH_TEXT_MAX);
}

static UChar32 next_character(const UChar *wide, int32_t size, int32_t *at)
{
    UChar first = wide[(*at)++];
    if (!U16_IS_LEAD(first) || *at == size || !U16_IS_TRAIL(wide[*at]))
        return first;
    return U16_GET_SUPPLEMENTARY(first, wide[(*at)++]);
}

static void fold_any(struct text text, enum search_fold how, struct buf *out)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar wide[SEARCH_TEXT_MAX + 1], folded[FOLDED_MAX], apart[APART_MAX];
    int32_t size = 0;
    u_strFromUTF8WithSub(wide, SEARCH_TEXT_MAX + 1, &size, text.data, (int32_t)text.size, 0xfffd,
                         NULL, &status);
    size = unorm2_normalize(unorm2_getNFKCCasefoldInstance(&status), wide, size, folded, FOLDED_MAX,
                            &status);
    size =
        unorm2_normalize(unorm2_getNFDInstance(&status), folded, size, apart, APART_MAX, &status);
    if (U_FAILURE(status))
        return;
    struct folding folding = { .how = how, .out = folded, .capacity = FOLDED_MAX };
    for (int32_t at = 0; at < size;)
        fold_character(&folding, next_character(apart, size, &at));
    size = unorm2_normalize(unorm2_getNFCInstance(&status), folded, folding.size, apart, APART_MAX,
                            &status);
    if (U_SUCCESS(status))
        append_utf8(apart, size, out);
}

static struct text cut(struct text text)
{
    text.size = (uint32_t)utf8_cut(text.data, text.size, SEARCH_TEXT_MAX);
    return text;
}

void search_fold(struct text text, enum search_fold how, struct buf *out)
{
    size_t start = out->size;
    text = cut(text);
    if (is_ascii(text))
        fold_ascii(text, how, out);
    else
        fold_any(text, how, out);
    while (out->size > start && out->data[out->size - 1] == ' ') /* where it was cut */
        out->size--;
}

/* -- Phone numbers, characters ----------------------------------------------------------- */

bool search_digits(struct text text, struct buf *out)
{
    size_t start = out->size;
    const uint8_t *bytes = (const uint8_t *)text.data;
    text = cut(text);
    for (int32_t at = 0; at < (int32_t)text.size;) {
        UChar32 c;
        U8_NEXT_OR_FFFD(bytes, at, (int32_t)text.size, c);
        int32_t digit = u_charDigitValue(c);
        if (digit >= 0) {
            buf_byte(out, (uint8_t)('0' + digit));
        } else if (u_isalpha(c) || c == '@') {
            out->size = start;
            return false;
        }
    }
    return out->size != start;
}

size_t search_character(struct text text, size_t at, bool *out_is_word)
{
    UChar32 c;
    int32_t next = (int32_t)at;
    const uint8_t *bytes = (const uint8_t *)text.data;
    U8_NEXT_OR_FFFD(bytes, next, (int32_t)text.size, c);
    *out_is_word = has_no_blanks(c) || is_hangul(c);
    return (size_t)next - at;
}

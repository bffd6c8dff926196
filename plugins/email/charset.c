/* charset.c -- iconv behind a list of names; see charset.h. */
#include "charset.h"

#include "shift.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const struct charset {
    const char *label, *iconv_name;                     /* NULL: read as UTF-8 */
    void (*shift)(struct span text, struct bytes *out); /* before iconv; NULL: not needed */
} charsets[] = {
    { "utf-8", NULL, NULL },
    { "utf8", NULL, NULL },
    { "utf_8", NULL, NULL },
    { "unicode-1-1-utf-8", NULL, NULL },
    { "us-ascii", "WINDOWS-1252", NULL },
    { "ascii", "WINDOWS-1252", NULL },
    { "iso-8859-1", "WINDOWS-1252", NULL },
    { "iso8859-1", "WINDOWS-1252", NULL },
    { "latin1", "WINDOWS-1252", NULL },
    { "windows-1252", "WINDOWS-1252", NULL },
    { "cp1252", "WINDOWS-1252", NULL },
    { "iso-8859-2", "ISO-8859-2", NULL },
    { "iso-8859-3", "ISO-8859-3", NULL },
    { "iso-8859-4", "ISO-8859-4", NULL },
    { "iso-8859-5", "ISO-8859-5", NULL },
    { "iso-8859-6", "ISO-8859-6", NULL },
    { "iso-8859-7", "ISO-8859-7", NULL },
    { "iso-8859-8", "ISO-8859-8", NULL },
    { "iso-8859-8-i", "ISO-8859-8", NULL },
    { "iso-8859-9", "WINDOWS-1254", NULL },
    { "iso-8859-10", "ISO-8859-10", NULL },
    { "iso-8859-13", "ISO-8859-13", NULL },
    { "iso-8859-14", "ISO-8859-14", NULL },
    { "iso-8859-15", "ISO-8859-15", NULL },
    { "iso-8859-16", "ISO-8859-16", NULL },
    { "windows-1250", "WINDOWS-1250", NULL },
    { "cp1250", "WINDOWS-1250", NULL },
    { "windows-1251", "WINDOWS-1251", NULL },
    { "cp1251", "WINDOWS-1251", NULL },
    { "windows-1253", "WINDOWS-1253", NULL },
    { "windows-1254", "WINDOWS-1254", NULL },
    { "windows-1255", "WINDOWS-1255", NULL },
    { "windows-1256", "WINDOWS-1256", NULL },
    { "windows-1257", "WINDOWS-1257", NULL },
    { "windows-1258", "WINDOWS-1258", NULL },
    { "windows-874", "WINDOWS-874", NULL },
    { "tis-620", "WINDOWS-874", NULL },
    { "koi8-r", "KOI8-R", NULL },
    { "koi8-u", "KOI8-U", NULL },
    { "gb2312", "GB18030", NULL },
    { "gb_2312", "GB18030", NULL },
    { "gb_2312-80", "GB18030", NULL },
    { "gb2312-80", "GB18030", NULL },
    { "csgb2312", "GB18030", NULL },
    { "euc-cn", "GB18030", NULL },
    { "x-euc-cn", "GB18030", NULL },
    { "gbk", "GB18030", NULL },
    { "x-gbk", "GB18030", NULL },
    { "cp936", "GB18030", NULL },
    { "ms936", "GB18030", NULL },
    { "windows-936", "GB18030", NULL },
    { "gb18030", "GB18030", NULL },
    { "hz-gb-2312", "GB18030", shift_hz },
    { "hz", "GB18030", shift_hz },
    { "big5", "BIG5-HKSCS", NULL },
    { "x-x-big5", "BIG5-HKSCS", NULL },
    { "cn-big5", "BIG5-HKSCS", NULL },
    { "csbig5", "BIG5-HKSCS", NULL },
    { "cp950", "BIG5-HKSCS", NULL },
    { "ms950", "BIG5-HKSCS", NULL },
    { "big5-hkscs", "BIG5-HKSCS", NULL },
    { "shift_jis", "CP932", NULL },
    { "shift-jis", "CP932", NULL },
    { "sjis", "CP932", NULL },
    { "x-sjis", "CP932", NULL },
    { "ms_kanji", "CP932", NULL },
    { "cp932", "CP932", NULL },
    { "ms932", "CP932", NULL },
    { "csshiftjis", "CP932", NULL },
    { "windows-31j", "CP932", NULL },
    { "iso-2022-jp", "EUC-JP-MS", shift_japanese },
    { "csiso2022jp", "EUC-JP-MS", shift_japanese },
    { "cp50220", "EUC-JP-MS", shift_japanese },
    { "cp50221", "EUC-JP-MS", shift_japanese },
    { "cp50222", "EUC-JP-MS", shift_japanese },
    { "iso-2022-jp-ms", "EUC-JP-MS", shift_japanese },
    { "euc-jp", "EUC-JP-MS", NULL },
    { "x-euc-jp", "EUC-JP-MS", NULL },
    { "eucjp", "EUC-JP-MS", NULL },
    { "euc-kr", "CP949", NULL },
    { "euckr", "CP949", NULL },
    { "cp949", "CP949", NULL },
    { "ms949", "CP949", NULL },
    { "uhc", "CP949", NULL },
    { "windows-949", "CP949", NULL },
    { "ks_c_5601-1987", "CP949", NULL },
    { "ks_c_5601", "CP949", NULL },
    { "ksc5601", "CP949", NULL },
    { "ksc_5601", "CP949", NULL },
    { "korean", "CP949", NULL },
    { "cseuckr", "CP949", NULL },
    { "iso-2022-kr", "ISO-2022-KR", NULL },
    { "csiso2022kr", "ISO-2022-KR", NULL },
    { "utf-16", "UTF-16", NULL },
    { "utf-16le", "UTF-16LE", NULL },
    { "utf-16be", "UTF-16BE", NULL },
};

/* The second byte decides about overlong forms, surrogates and what lies past U+10FFFF. */
static bool is_second(unsigned char first, unsigned char second)
{
    if (first == 0xe0)
        return second >= 0xa0 && second <= 0xbf;
    if (first == 0xed)
        return second >= 0x80 && second <= 0x9f;
    if (first == 0xf0)
        return second >= 0x90 && second <= 0xbf;
    if (first == 0xf4)
        return second >= 0x80 && second <= 0x8f;
    return second >= 0x80 && second <= 0xbf;
}

size_t utf8_size(struct span text)
{
    if (text.size == 0)
        return 0;
    const unsigned char *at = (const unsigned char *)text.data;
    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    size_t size = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (text.size < size || !is_second(at[0], at[1]))
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

bool utf8_is_valid(struct span text)
{
    while (text.size > 0) {
        size_t size = utf8_size(text);
        if (size == 0)
            return false;
        text = span_from(text, size);
    }
    return true;
}

bool utf8_is_ascii(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

void utf8_clean(struct span text, struct bytes *out)
{
    while (text.size > 0) {
        size_t size = text.data[0] == '\0' ? 0 : utf8_size(text);
        if (size == 0)
            bytes_text(out, REPLACEMENT);
        else
            bytes_add(out, text.data, size);
        text = span_from(text, size == 0 ? 1 : size);
    }
}

/* Convert in pieces; a byte that cannot be converted is replaced and skipped.  False: there was one
 * that was not of a character which the end cuts off. */
static bool convert(iconv_t converter, struct span text, struct bytes *out)
{
    char piece[512];
    char *in = (char *)text.data; /* iconv does not write there */
    size_t left = text.size;
    bool is_sound = true;
    while (left > 0 && out->failed == 0) {
        char *to = piece;
        size_t room = sizeof piece, left_before = left;
        size_t rc = iconv(converter, &in, &left, &to, &room);
        bool is_cut_off = rc == (size_t)-1 && errno == EINVAL;
        utf8_clean((struct span){ piece, sizeof piece - room }, out);
        if (rc == (size_t)-1 && (left == left_before || room > 16)) {
            is_sound = is_sound && is_cut_off;
            bytes_text(out, REPLACEMENT);
            in++;
            left -= left > 0;
        }
    }
    char *to = piece; /* some charsets hold a character back: an accent may follow */
    size_t room = sizeof piece;
    iconv(converter, NULL, NULL, &to, &room);
    utf8_clean((struct span){ piece, sizeof piece - room }, out);
    return is_sound;
}

static const struct charset *find_charset(struct span label)
{
    label = span_trim(label);
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
        if (span_is_word(label, charsets[i].label))
            return &charsets[i];
    return NULL;
}

/* False: some of it is not of this charset. */
static bool decode(const struct charset *charset, struct span text, struct bytes *out)
{
    iconv_t converter =
        charset->iconv_name == NULL ? (iconv_t)-1 : iconv_open("UTF-8", charset->iconv_name);
    struct bytes plain;
    if (converter == (iconv_t)-1) {
        utf8_clean(text, out);
        return charset->iconv_name == NULL && utf8_is_valid(text);
    }
    bytes_init(&plain, text.size * 2 + 16); /* half-width kana become two bytes */
    if (charset->shift != NULL)
        charset->shift(text, &plain);
    bool is_sound = convert(converter, charset->shift != NULL ? bytes_get(&plain) : text, out);
    if (plain.failed != 0)
        out->failed = plain.failed;
    bytes_deinit(&plain);
    iconv_close(converter);
    return is_sound;
}

bool charset_is_known(struct span charset)
{
    return find_charset(charset) != NULL;
}

/* Of an unknown label, and of the labels that Western programs put on anything, UTF-8 is the
 * better guess wherever it can be. */
void charset_decode(struct span charset, struct span text, struct bytes *out)
{
    static const struct charset western = { "windows-1252", "WINDOWS-1252", NULL };
    static const struct charset utf8 = { "utf-8", NULL, NULL };
    const struct charset *found = find_charset(charset);
    bool is_western = found == NULL || span_is(span_of(found->iconv_name), "WINDOWS-1252");
    if (is_western)
        found = utf8_is_valid(text) ? &utf8 : &western;
    decode(found, text, out);
}

bool charset_decode_strictly(struct span charset, struct span text, struct bytes *out)
{
    const struct charset *found = find_charset(charset);
    struct bytes decoded;
    if (found == NULL)
        return false;
    bytes_init(&decoded, text.size * CHARSET_GROWTH_MAX);
    bool is_sound = decode(found, text, &decoded);
    if (decoded.failed != 0)
        out->failed = decoded.failed;
    else if (is_sound)
        bytes_span(out, bytes_get(&decoded));
    bytes_deinit(&decoded);
    return is_sound;
}

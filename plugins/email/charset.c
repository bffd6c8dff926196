/* charset.c -- iconv behind a list of names; see charset.h. */
#include "charset.h"

#include <iconv.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const struct {
    const char *label, *iconv_name; /* NULL: read as UTF-8 */
} charsets[] = {
    { "utf-8", NULL },
    { "utf8", NULL },
    { "us-ascii", "WINDOWS-1252" },
    { "ascii", "WINDOWS-1252" },
    { "iso-8859-1", "WINDOWS-1252" },
    { "latin1", "WINDOWS-1252" },
    { "windows-1252", "WINDOWS-1252" },
    { "cp1252", "WINDOWS-1252" },
    { "iso-8859-2", "ISO-8859-2" },
    { "iso-8859-3", "ISO-8859-3" },
    { "iso-8859-4", "ISO-8859-4" },
    { "iso-8859-5", "ISO-8859-5" },
    { "iso-8859-6", "ISO-8859-6" },
    { "iso-8859-7", "ISO-8859-7" },
    { "iso-8859-8", "ISO-8859-8" },
    { "iso-8859-8-i", "ISO-8859-8" },
    { "iso-8859-9", "WINDOWS-1254" },
    { "iso-8859-10", "ISO-8859-10" },
    { "iso-8859-13", "ISO-8859-13" },
    { "iso-8859-14", "ISO-8859-14" },
    { "iso-8859-15", "ISO-8859-15" },
    { "iso-8859-16", "ISO-8859-16" },
    { "windows-1250", "WINDOWS-1250" },
    { "windows-1251", "WINDOWS-1251" },
    { "windows-1253", "WINDOWS-1253" },
    { "windows-1254", "WINDOWS-1254" },
    { "windows-1255", "WINDOWS-1255" },
    { "windows-1256", "WINDOWS-1256" },
    { "windows-1257", "WINDOWS-1257" },
    { "windows-1258", "WINDOWS-1258" },
    { "windows-874", "WINDOWS-874" },
    { "tis-620", "WINDOWS-874" },
    { "koi8-r", "KOI8-R" },
    { "koi8-u", "KOI8-U" },
    { "gb2312", "GB18030" },
    { "gbk", "GB18030" },
    { "gb18030", "GB18030" },
    { "big5", "BIG5-HKSCS" },
    { "big5-hkscs", "BIG5-HKSCS" },
    { "shift_jis", "CP932" },
    { "windows-31j", "CP932" },
    { "iso-2022-jp", "ISO-2022-JP" },
    { "euc-jp", "EUC-JP" },
    { "euc-kr", "CP949" },
    { "ks_c_5601-1987", "CP949" },
    { "utf-16", "UTF-16" },
    { "utf-16le", "UTF-16LE" },
    { "utf-16be", "UTF-16BE" },
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

/* Convert in pieces; a byte that cannot be converted is replaced and skipped. */
static void convert(iconv_t converter, struct span text, struct bytes *out)
{
    char piece[512];
    char *in = (char *)text.data; /* iconv does not write there */
    size_t left = text.size;
    while (left > 0 && out->failed == 0) {
        char *to = piece;
        size_t room = sizeof piece, left_before = left;
        size_t rc = iconv(converter, &in, &left, &to, &room);
        utf8_clean((struct span){ piece, sizeof piece - room }, out);
        if (rc == (size_t)-1 && (left == left_before || room > 16)) {
            bytes_text(out, REPLACEMENT);
            in++;
            left -= left > 0;
        }
    }
    char *to = piece; /* some charsets hold a character back: an accent may follow */
    size_t room = sizeof piece;
    iconv(converter, NULL, NULL, &to, &room);
    utf8_clean((struct span){ piece, sizeof piece - room }, out);
}

/* NULL when UTF-8; the label of Western mail when it is unknown. */
static const char *iconv_name_of(struct span charset, struct span text)
{
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
        if (span_is_word(charset, charsets[i].label)) {
            bool is_really_utf8 =
                span_is(span_of(charsets[i].iconv_name), "WINDOWS-1252") && utf8_is_valid(text);
            return is_really_utf8 ? NULL : charsets[i].iconv_name;
        }
    return utf8_is_valid(text) ? NULL : "WINDOWS-1252";
}

void charset_decode(struct span charset, struct span text, struct bytes *out)
{
    const char *name = iconv_name_of(span_trim(charset), text);
    iconv_t converter = name == NULL ? (iconv_t)-1 : iconv_open("UTF-8", name);
    if (converter == (iconv_t)-1) {
        utf8_clean(text, out);
        return;
    }
    convert(converter, text, out);
    iconv_close(converter);
}

/* word.c -- encoded words of RFC 2047; see word.h. */
#include "word.h"

#include "charset.h"
#include "codec.h"

#define WORD_MAX 75 /* characters of an encoded word (RFC 2047, section 2) */
#define FRAME (sizeof "=?UTF-8?B?" - 1 + sizeof "?=" - 1)

bool word_is_needed(struct span text)
{
    size_t run = 1; /* blanks and the word behind them; before the first one is the colon's */
    bool was_blank = true;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_blank = ascii_is_blank(text.data[i]);
        bool is_word = c == '=' && i + 1 < text.size && text.data[i + 1] == '?';
        run = is_blank && !was_blank ? 1 : run + 1;
        was_blank = is_blank;
        if (c >= 0x80 || is_word || run > HEADER_LINE_MAX)
            return true;
    }
    return false;
}

/* What may stand for itself also in a phrase (RFC 2047, section 5, rule 3). */
static bool is_plain(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '!' || c == '*' || c == '+' ||
           c == '-' || c == '/';
}

static size_t quoted_width(char c)
{
    return is_plain(c) || c == ' ' ? 1 : 3;
}

/* The width of the first `size` bytes, encoded. */
static size_t width_of(struct span text, size_t size, bool is_quoted)
{
    if (!is_quoted)
        return (size + 2) / 3 * 4;
    size_t width = 0;
    for (size_t i = 0; i < size; i++)
        width += quoted_width(text.data[i]);
    return width;
}

/* As many whole characters as `room` columns take; at least one. */
static size_t cut(struct span text, size_t room, bool is_quoted)
{
    size_t size = 0;
    while (size < text.size) {
        size_t next = utf8_size(span_from(text, size));
        next = size + (next == 0 ? 1 : next);
        if (size > 0 && width_of(text, next, is_quoted) > room)
            break;
        size = next;
    }
    return size;
}

static void write_word(struct bytes *out, struct span text, bool is_quoted)
{
    static const char hex[] = "0123456789ABCDEF";
    bytes_text(out, is_quoted ? "=?UTF-8?Q?" : "=?UTF-8?B?");
    if (!is_quoted)
        base64_add(out, text, false);
    for (size_t i = 0; is_quoted && i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == ' ')
            bytes_byte(out, '_');
        else if (is_plain((char)c))
            bytes_byte(out, (char)c);
        else
            bytes_add(out, (char[3]){ '=', hex[c >> 4], hex[c & 15] }, 3);
    }
    bytes_text(out, "?=");
}

void word_encode(struct bytes *out, struct span text, size_t *io_column)
{
    bool is_quoted = width_of(text, text.size, true) <= width_of(text, text.size, false);
    bool is_first = true;
    while (text.size > 0 && out->failed == 0) {
        if (!is_first || *io_column + FRAME + 12 > HEADER_COLUMNS) {
            bytes_text(out, "\r\n ");
            *io_column = 1;
        }
        size_t room = HEADER_COLUMNS - *io_column;
        room = (room < WORD_MAX ? room : WORD_MAX) - FRAME;
        size_t size = cut(text, room, is_quoted), begin = out->size;
        write_word(out, (struct span){ text.data, size }, is_quoted);
        *io_column += out->size - begin;
        text = span_from(text, size);
        is_first = false;
    }
}

struct word {
    struct span charset, text;
    bool is_quoted;
    size_t size; /* of the whole word */
};

/* The encoded word that `value` begins with. */
static bool read_word(struct span value, struct word *out_word)
{
    if (value.size < 8 || value.data[0] != '=' || value.data[1] != '?')
        return false;
    struct span rest = span_from(value, 2);
    size_t charset = span_find(rest, '?');
    struct span after = span_from(rest, charset);
    if (charset == 0 || charset > 64 || after.size < 5 || after.data[2] != '?')
        return false;
    struct span text = span_from(after, 3);
    size_t size = span_find(text, '?');
    char encoding = ascii_lower(after.data[1]);
    if (size + 1 >= text.size || text.data[size + 1] != '=' || (encoding != 'q' && encoding != 'b'))
        return false;
    for (size_t i = 0; i < size; i++)
        if (text.data[i] == '\n' || text.data[i] == '\r')
            return false;
    struct span name = { rest.data, charset };
    name.size = span_find(name, '*'); /* a language may follow (RFC 2231, section 5) */
    *out_word = (struct word){
        name, { text.data, size }, encoding == 'q', (size_t)(text.data - value.data) + size + 2
    };
    return true;
}

size_t word_size(struct span text)
{
    struct word word;
    return read_word(text, &word) ? word.size : 0;
}

static void decode_word(const struct word *word, struct bytes *raw)
{
    struct decoder decoder;
    if (!word->is_quoted) {
        decoder_init(&decoder, CODEC_BASE64);
        decoder_feed(&decoder, word->text, raw);
        return;
    }
    decoder_init(&decoder, CODEC_QUOTED);
    for (size_t i = 0; i < word->text.size; i++) {
        char c = word->text.data[i];
        if (c == '_') /* a blank that is no blank to the decoder, lest it be trimmed */
            decoder_feed(&decoder, span_of("=20"), raw);
        else
            decoder_feed(&decoder, (struct span){ &c, 1 }, raw);
    }
    decoder_end(&decoder, raw);
}

static bool is_fold(char c)
{
    return ascii_is_blank(c) || c == '\r' || c == '\n';
}

/* Blanks from `at`; a fold is one blank, line ends vanish. */
static size_t skip_folds(struct span value, size_t at)
{
    while (at < value.size && is_fold(value.data[at]))
        at++;
    return at;
}

/* One run of encoded words beginning at `at` with `word`: the place behind it. */
static size_t decode_run(struct span value, size_t at, struct word word, struct bytes *out)
{
    struct bytes raw;
    struct span charset = word.charset;
    bytes_init(&raw, out->size_max);
    for (;;) {
        if (!span_equal_word(charset, word.charset)) {
            charset_decode(charset, bytes_get(&raw), out);
            bytes_clear(&raw);
            charset = word.charset;
        }
        decode_word(&word, &raw);
        at += word.size;
        size_t next = skip_folds(value, at);
        if (!read_word(span_from(value, next), &word))
            break;
        at = next;
    }
    charset_decode(charset, bytes_get(&raw), out);
    if (raw.failed != 0)
        out->failed = raw.failed;
    bytes_deinit(&raw);
    return at;
}

void word_decode(struct span value, struct bytes *out)
{
    value = span_trim(value);
    size_t at = 0, plain = 0;
    struct word word;
    while (at < value.size) {
        char c = value.data[at];
        bool is_word = c == '=' && read_word(span_from(value, at), &word);
        if (!is_word && c != '\r' && c != '\n') {
            at++;
            continue;
        }
        charset_decode(span_of("utf-8"), (struct span){ value.data + plain, at - plain }, out);
        at = is_word ? decode_run(value, at, word, out) : at + 1;
        plain = at;
    }
    struct span rest = span_from(value, plain);
    charset_decode(span_of(utf8_is_valid(rest) ? "utf-8" : ""), rest, out);
}

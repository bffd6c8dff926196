/* codec.c -- base64 and quoted-printable; see codec.h. */
#include "codec.h"

#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char letters_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hex[] = "0123456789ABCDEF";

#define BASE64_LINE_BYTES 57 /* they make a line of 76 characters */

enum codec codec_named(struct span name)
{
    if (span_is_word(name, "base64"))
        return CODEC_BASE64;
    return span_is_word(name, "quoted-printable") ? CODEC_QUOTED : CODEC_NONE;
}

void base64_add(struct bytes *out, struct span data, bool is_url)
{
    const char *alphabet = is_url ? letters_url : letters;
    for (size_t i = 0; i < data.size; i += 3) {
        size_t left = data.size - i < 3 ? data.size - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < left ? (unsigned char)data.data[i + k] : 0);
        char group[4];
        for (size_t k = 0; k < 4; k++)
            group[k] = k <= left ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
        bytes_add(out, group, is_url ? left + 1 : 4);
    }
}

void base64_lines(struct bytes *out, struct span data)
{
    for (size_t at = 0; at < data.size; at += BASE64_LINE_BYTES) {
        struct span line = span_from(data, at);
        if (line.size > BASE64_LINE_BYTES)
            line.size = BASE64_LINE_BYTES;
        base64_add(out, line, false);
        bytes_text(out, "\r\n");
    }
}

/* Does the line end behind `at`, so that a blank there would be lost? */
static bool is_last_of_line(struct span text, size_t at)
{
    struct span rest = span_from(text, at + 1);
    if (rest.size > 0 && rest.data[0] == '\r')
        rest = span_from(rest, 1);
    return rest.size == 0 || rest.data[0] == '\n';
}

static bool is_line_end(struct span text, size_t at)
{
    return text.data[at] == '\n' ||
           (text.data[at] == '\r' && at + 1 < text.size && text.data[at + 1] == '\n');
}

void quoted_lines(struct bytes *out, struct span text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (is_line_end(text, i)) {
            i += text.data[i] == '\r';
            bytes_text(out, "\r\n");
            column = 0;
            continue;
        }
        unsigned char c = (unsigned char)text.data[i];
        /* A dot or "From " at the start of a line has been spoilt by relays. */
        bool is_risky = column == 0 && (c == '.' || c == 'F');
        bool is_plain = (c > 0x20 && c < 0x7f && c != '=' && !is_risky) ||
                        ((c == ' ' || c == '\t') && !is_last_of_line(text, i));
        size_t width = is_plain ? 1 : 3;
        size_t room = is_last_of_line(text, i) ? CODEC_LINE_MAX : CODEC_LINE_MAX - 1;
        if (column + width > room) {
            bytes_text(out, "=\r\n");
            column = 0;
        }
        if (is_plain)
            bytes_byte(out, (char)c);
        else
            bytes_add(out, (char[3]){ '=', hex[c >> 4], hex[c & 15] }, 3);
        column += width;
    }
}

void decoder_init(struct decoder *decoder, enum codec codec)
{
    *decoder = (struct decoder){ .codec = codec };
}

/* The value of a letter of either alphabet; -1 for others. */
static int letter_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static size_t put(struct bytes *out, const char *data, size_t size)
{
    bytes_add_some(out, data, size);
    return size;
}

static size_t feed_base64(struct decoder *decoder, struct span data, struct bytes *out)
{
    size_t count = 0;
    for (size_t i = 0; i < data.size && !decoder->is_over; i++) {
        int value = letter_value(data.data[i]);
        decoder->is_over = data.data[i] == '=';
        if (value < 0)
            continue;
        decoder->bits = decoder->bits << 6 | (uint32_t)value;
        decoder->bit_count += 6;
        if (decoder->bit_count < 8)
            continue;
        decoder->bit_count -= 8;
        char byte = (char)(decoder->bits >> decoder->bit_count & 0xff);
        count += put(out, &byte, 1);
    }
    return count;
}

static int hex_value(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_byte(char high, char low)
{
    int first = hex_value(high), second = hex_value(low);
    return first < 0 || second < 0 ? -1 : first * 16 + second;
}

static size_t flush(struct decoder *decoder, struct bytes *out)
{
    size_t size = decoder->pending_size;
    decoder->pending_size = 0;
    return put(out, decoder->pending, size);
}

static void hold(struct decoder *decoder, char c)
{
    decoder->pending[decoder->pending_size++] = c;
}

/* An escape that has begun meets `c`.  False when `c` is to be looked at anew. */
static bool continue_escape(struct decoder *decoder, char c, struct bytes *out, size_t *io_count)
{
    size_t held = decoder->pending_size;
    if (c == '\n') { /* a soft line break */
        decoder->pending_size = 0;
        return true;
    }
    bool is_blank_run = held == 1 || ascii_is_blank(decoder->pending[1]);
    if (is_blank_run && (c == '\r' || ascii_is_blank(c)) && held < sizeof decoder->pending) {
        if (c != '\r') /* blanks behind a soft break were added by a relay */
            hold(decoder, c);
        return true;
    }
    if (held == 1 && hex_value(c) >= 0) {
        hold(decoder, c);
        return true;
    }
    int value = held == 2 ? hex_byte(decoder->pending[1], c) : -1;
    if (value >= 0) {
        char byte = (char)value;
        decoder->pending_size = 0;
        *io_count += put(out, &byte, 1);
        return true;
    }
    *io_count += flush(decoder, out);
    return false;
}

/* One byte outside of an escape: blanks wait, since those that end a line are not the text's. */
static size_t take_quoted(struct decoder *decoder, char c, struct bytes *out)
{
    size_t count = 0;
    if (c == '=') {
        count = flush(decoder, out);
        hold(decoder, c);
    } else if ((ascii_is_blank(c) || c == '\r') &&
               decoder->pending_size < sizeof decoder->pending) {
        hold(decoder, c);
    } else if (c == '\n') {
        bool is_crlf =
            decoder->pending_size > 0 && decoder->pending[decoder->pending_size - 1] == '\r';
        decoder->pending_size = 0;
        count = is_crlf ? put(out, "\r\n", 2) : put(out, "\n", 1);
    } else {
        count = flush(decoder, out);
        count += put(out, &c, 1);
    }
    return count;
}

static size_t feed_quoted(struct decoder *decoder, struct span data, struct bytes *out)
{
    size_t count = 0;
    for (size_t i = 0; i < data.size; i++) {
        bool is_escape = decoder->pending_size > 0 && decoder->pending[0] == '=';
        if (!is_escape || !continue_escape(decoder, data.data[i], out, &count))
            count += take_quoted(decoder, data.data[i], out);
    }
    return count;
}

size_t decoder_feed(struct decoder *decoder, struct span data, struct bytes *out)
{
    if (decoder->codec == CODEC_BASE64)
        return feed_base64(decoder, data, out);
    if (decoder->codec == CODEC_QUOTED)
        return feed_quoted(decoder, data, out);
    return put(out, data.data, data.size);
}

size_t decoder_end(struct decoder *decoder, struct bytes *out)
{
    bool is_escape = decoder->pending_size > 0 && decoder->pending[0] == '=';
    if (decoder->codec != CODEC_QUOTED || (is_escape && decoder->pending_size == 1))
        return 0;
    return is_escape ? flush(decoder, out) : 0;
}

bool base64_url_strict(struct span text, struct bytes *out)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *found = text.data[i] == '\0' ? NULL : strchr(letters_url, text.data[i]);
        if (found == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(found - letters_url);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes_byte(out, (char)(bits >> count & 0xff));
        }
    }
    return count < 6 && (bits & ((1u << count) - 1)) == 0;
}

/* codec.h -- base64 and quoted-printable (RFC 2045, sections 6.7 and 6.8), both ways.
 *
 * Decoding takes what people really send: characters that do not belong are skipped, padding
 * may be missing, a damaged quoted-printable escape stays as it stands.  It works in pieces: a
 * struct decoder keeps what a piece left unfinished.  Encoding writes canonical lines ending in
 * CRLF; input texts have their line ends (LF or CRLF) written as CRLF.
 */
#ifndef PLUGINS_EMAIL_CODEC_H
#define PLUGINS_EMAIL_CODEC_H

#include "bytes.h"

#include <stdint.h>

#define CODEC_LINE_MAX 76 /* characters of an encoded line (RFC 2045) */

enum codec { CODEC_NONE, CODEC_BASE64, CODEC_QUOTED };

/* The byte that two hexadecimal digits of any case write; -1 when they are none. */
int hex_byte(char high, char low);

/* "base64", "quoted-printable"; anything else, "7bit" too, is CODEC_NONE. */
enum codec codec_named(struct span name);

/* Base64 without line breaks; `is_url` takes the alphabet of RFC 4648 section 5, unpadded. */
void base64_add(struct bytes *out, struct span data, bool is_url);
void base64_lines(struct bytes *out, struct span data); /* in lines, the last one ended */

/* `text` as quoted-printable in lines; ends with CRLF exactly if the text ends its last line. */
void quoted_lines(struct bytes *out, struct span text);

struct decoder {
    enum codec codec;
    uint32_t bits; /* base64: what is not a whole byte yet */
    unsigned bit_count;
    bool is_over;     /* base64: padding was seen */
    char pending[80]; /* quoted-printable: an unfinished escape, or blanks that may end a line */
    size_t pending_size;
};

void decoder_init(struct decoder *decoder, enum codec codec);
/* Appends what `data` decodes to, as far as `out` has room (bytes_add_some): the count of bytes
 * that there would have been. */
size_t decoder_feed(struct decoder *decoder, struct span data, struct bytes *out);
size_t decoder_end(struct decoder *decoder, struct bytes *out);

/* A whole text in the strict base64 of RFC 4648 section 5 without padding; false when it is
 * not, also when bits are set that carry nothing: each value has one spelling. */
bool base64_url_strict(struct span text, struct bytes *out);

#endif

/* encoding.h -- in which encoding a text is, and what it says in UTF-8.
 *
 * Guessing tells UTF-8 from GB18030, the two that lists of customers come in when nobody
 * says anything; all others must be named.  Any name that ICU knows can be decoded.  One
 * thread.
 */
#ifndef CORE_CLI_ENCODING_H
#define CORE_CLI_ENCODING_H

#include "core/base/buf.h"

#include <stdbool.h>

struct decoder;
struct err;

struct guess {                  /* counts over all bytes; {0} is the beginning */
    size_t utf8_good, utf8_bad; /* characters of several bytes, and bytes that fit nowhere */
    size_t gb_good, gb_bad;     /* pairs of the common plane, and other pairs */
    unsigned char rest[4];      /* of a character that goes on in the next piece */
    size_t rest_size;
    unsigned char lead;    /* of a pair; 0: none */
    bool is_utf16;         /* begins with its mark */
    size_t size, zeros[2]; /* bytes; those of them that are 0, at even places and at odd ones */
    bool is_begun;
};

/* Look at the next `size` bytes of the text, however it is cut into pieces. */
void guess_add(struct guess *guess, const void *data, size_t size);
/* "UTF-8", "GB18030", "UTF-16", "UTF-16LE", "UTF-16BE"; NULL: none of these. */
const char *guess_name(const struct guess *guess);

/* From the beginning of a text.  E_INVALID: ICU knows no encoding of that name. */
int decoder_new(const char *name, struct decoder **out_decoder, struct err *err);
void decoder_free(struct decoder *decoder);              /* NULL is allowed */
const char *decoder_name(const struct decoder *decoder); /* the usual one: "GB18030" */
bool decoder_is_utf8(const struct decoder *decoder);

/* Append `size` bytes in UTF-8; what cannot be decoded becomes U+FFFD.  `is_last`: nothing
 * follows.  UTF-8 is passed on as it is, broken bytes included. */
void decoder_add(struct decoder *decoder, const void *data, size_t size, bool is_last,
                 struct buf *out);

#endif

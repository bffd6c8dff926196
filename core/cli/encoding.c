/* encoding.c -- guessing by counting, decoding by ICU; see encoding.h.
 *
 * Text in another encoding hardly ever passes for UTF-8, so UTF-8 is asked first.  A file
 * that fails only in a few places is UTF-8 with broken rows.  In GB18030 nearly all
 * characters of real texts are pairs of two high bytes (the GB 2312 plane), whereas the
 * accents of Latin-1 stand between ASCII letters: that tells these two apart.
 */
#include "core/cli/encoding.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ucnv.h>
#include <unicode/ustring.h>

#define PIECE_BYTES 16384u
#define PIECE_UNITS ((size_t)2 * PIECE_BYTES)
#define SURE 4 /* times as many that fit as that do not */

/* -- Guessing ---------------------------------------------------------------------------- */

static size_t count_multibyte(const unsigned char *data, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += data[i] >= 0xc0;
    return count;
}

static void count_pairs(struct guess *guess, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (guess->lead == 0) {
            guess->lead = data[i] >= 0x81 ? data[i] : 0;
            continue;
        }
        bool is_common = guess->lead >= 0xa1 && guess->lead <= 0xf7 && data[i] >= 0xa1;
        guess->gb_good += is_common;
        guess->gb_bad += !is_common;
        guess->lead = 0;
    }
}

/* Of UTF-16 without its mark: delimiters and line ends are letters of one byte and a zero. */
static void count_zeros(struct guess *guess, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        guess->zeros[(guess->size + i) & 1] += data[i] == 0;
    guess->size += size;
}

static bool are_zeros_at(const struct guess *guess, size_t place)
{
    return guess->zeros[place] > guess->size / 16 &&
           guess->zeros[place] / 16 >= guess->zeros[1 - place];
}

/* `data` begins at a character; returns how many bytes at its end may be half of one. */
static size_t count_characters(struct guess *guess, const unsigned char *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t good = utf8_valid_prefix(data + at, size - at);
        guess->utf8_good += count_multibyte(data + at, good);
        at += good;
        if (size - at < 4)
            break;
        guess->utf8_bad++;
        at++;
    }
    return size - at;
}

void guess_add(struct guess *guess, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    struct buf joined = BUF_INIT;
    if (size == 0)
        return;
    if (!guess->is_begun)
        guess->is_utf16 = size >= 2 && ((bytes[0] == 0xff && bytes[1] == 0xfe) ||
                                        (bytes[0] == 0xfe && bytes[1] == 0xff));
    guess->is_begun = true;
    count_pairs(guess, bytes, size);
    count_zeros(guess, bytes, size);
    buf_append(&joined, guess->rest, guess->rest_size);
    buf_append(&joined, data, size);
    guess->rest_size = count_characters(guess, joined.data, joined.size);
    memcpy(guess->rest, joined.data + joined.size - guess->rest_size, guess->rest_size);
    buf_deinit(&joined);
}

const char *guess_name(const struct guess *guess)
{
    size_t bad = guess->utf8_bad + (guess->rest_size != 0);
    if (guess->is_utf16)
        return "UTF-16";
    if (are_zeros_at(guess, 1))
        return "UTF-16LE";
    if (are_zeros_at(guess, 0))
        return "UTF-16BE";
    if (bad == 0 || guess->utf8_good > SURE * bad)
        return "UTF-8";
    return guess->gb_good > SURE * guess->gb_bad ? "GB18030" : NULL;
}

/* -- Decoding ---------------------------------------------------------------------------- */

struct decoder {
    UConverter *converter; /* NULL: UTF-8 */
    char *name;
    UChar units[PIECE_UNITS];
};

/* "GB18030" of "gb-18030" */
static const char *standard_name(const UConverter *converter, const char *name)
{
    UErrorCode status = U_ZERO_ERROR;
    const char *own = ucnv_getName(converter, &status);
    const char *standard = U_SUCCESS(status) ? ucnv_getStandardName(own, "MIME", &status) : NULL;
    return U_SUCCESS(status) && standard != NULL ? standard : name;
}

int decoder_new(const char *name, struct decoder **out_decoder, struct err *err)
{
    UErrorCode status = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(name, &status);
    if (U_FAILURE(status))
        return err_set(err, E_INVALID,
                       "no encoding is called \"%.60s\": try UTF-8, GB18030, windows-1252", name);
    struct decoder *decoder = mem_zero(sizeof *decoder);
    decoder->name = mem_string(standard_name(converter, name));
    decoder->converter = converter;
    if (strcmp(decoder->name, "UTF-8") == 0) {
        ucnv_close(converter);
        decoder->converter = NULL;
    }
    *out_decoder = decoder;
    return 0;
}

void decoder_free(struct decoder *decoder)
{
    if (decoder == NULL)
        return;
    ucnv_close(decoder->converter); /* NULL is allowed */
    free(decoder->name);
    free(decoder);
}

const char *decoder_name(const struct decoder *decoder)
{
    return decoder->name;
}

bool decoder_is_utf8(const struct decoder *decoder)
{
    return decoder->converter == NULL;
}

static void append_units(struct buf *out, const UChar *units, size_t count)
{
    UErrorCode status = U_ZERO_ERROR;
    int32_t size = 0;
    u_strToUTF8WithSub((char *)buf_reserve(out, 3 * count + 1), (int32_t)(3 * count + 1), &size,
                       units, (int32_t)count, 0xfffd, NULL, &status);
    ASSERT(U_SUCCESS(status));
    out->size += (size_t)size;
}

/* The units have room for whatever a piece becomes, so the converter never holds half a
 * surrogate pair back. */
static void decode_piece(struct decoder *decoder, const char *data, size_t size, bool is_last,
                         struct buf *out)
{
    UErrorCode status = U_ZERO_ERROR;
    const char *source = data;
    UChar *target = decoder->units;
    ucnv_toUnicode(decoder->converter, &target, decoder->units + PIECE_UNITS, &source, data + size,
                   NULL, (UBool)is_last, &status);
    ASSERT(U_SUCCESS(status) && source == data + size);
    append_units(out, decoder->units, (size_t)(target - decoder->units));
}

void decoder_add(struct decoder *decoder, const void *data, size_t size, bool is_last,
                 struct buf *out)
{
    const char *bytes = data;
    if (decoder->converter == NULL) {
        buf_append(out, data, size);
        return;
    }
    for (; size > PIECE_BYTES; bytes += PIECE_BYTES, size -= PIECE_BYTES)
        decode_piece(decoder, bytes, PIECE_BYTES, false, out);
    decode_piece(decoder, bytes, size, is_last, out);
}

/* http_decode.c -- gzip and deflate, bounded; see http_decode.h.
 *
 * A body is decoded in one go when it is whole.  Decoding while it arrives would keep
 * 40 KiB of window for every slow sender; like this the window lives for one call.
 *
 * "deflate" means a zlib stream (RFC 9110, 8.4.1.2), yet some clients send the raw
 * stream without its two header bytes; those bytes carry a check, so the two cannot be
 * confused by accident in a body that decodes.
 */
#include "core/http/http_decode.h"

#include "core/base/mem.h"

#include <zlib.h>

#define GROW_BYTES 16384u
#define WINDOW_GZIP (MAX_WBITS + 16)

static bool has_zlib_header(const struct buf *body)
{
    return body->size >= 2 && (body->data[0] & 0x0f) == Z_DEFLATED &&
           (body->data[0] << 8 | body->data[1]) % 31 == 0;
}

static int window_bits(const struct http_request *request)
{
    if (request->coding == HTTP_CODING_GZIP)
        return WINDOW_GZIP;
    return has_zlib_header(&request->body) ? MAX_WBITS : -MAX_WBITS;
}

/* One piece of output.  A gzip body may consist of several members (RFC 1952, 2.2). */
static int inflate_some(z_stream *stream, bool is_gzip, struct buf *out, size_t bytes_max)
{
    size_t left = bytes_max + 1 - out->size; /* one more proves that there is too much */
    size_t room = left < GROW_BYTES ? left : GROW_BYTES;
    stream->next_out = buf_reserve(out, room);
    stream->avail_out = (uInt)room;
    int rc = inflate(stream, Z_NO_FLUSH);
    out->size += room - stream->avail_out;
    if (rc == Z_STREAM_END && is_gzip && stream->avail_in != 0)
        rc = inflateReset(stream);
    return rc;
}

int http_body_decode(struct http_request *request, size_t bytes_max,
                     struct http_refusal *out_refusal)
{
    if (request->coding == HTTP_CODING_NONE || request->body.size == 0)
        return 0;
    ASSERT(request->body.size <= UINT32_MAX);
    z_stream stream = { .next_in = request->body.data, .avail_in = (uInt)request->body.size };
    struct buf out = BUF_INIT;
    int rc = inflateInit2(&stream, window_bits(request));
    ASSERT(rc == Z_OK);
    while (rc == Z_OK && out.size <= bytes_max)
        rc = inflate_some(&stream, request->coding == HTTP_CODING_GZIP, &out, bytes_max);
    size_t unused = stream.avail_in;
    inflateEnd(&stream);

    if (out.size > bytes_max) {
        *out_refusal = (struct http_refusal){ 413, "the body is too large when decompressed",
                                              bytes_max, "bytes" };
    } else if (rc != Z_STREAM_END || unused != 0) {
        *out_refusal =
            (struct http_refusal){ .status = 400,
                                   .detail = "the body is not what Content-Encoding says" };
    } else {
        buf_deinit(&request->body);
        request->body = out;
        return 0;
    }
    buf_deinit(&out);
    return -1;
}

/* fuzz_request.c -- bytes of a connection to requests, under libFuzzer.
 *
 * The same bytes are fed whole and in pieces whose sizes the input chooses.  Beside crashes it
 * looks for what makes request smuggling possible: requests, or a refusal, that depend on how
 * the bytes were cut into packets.
 */
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/http/http_decode.h"
#include "core/http/http_reader.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DECODED_BYTES_MAX (1u << 20)

static const struct http_limits limits = {
    .header_bytes_max = 2048,
    .header_count_max = 20,
    .url_bytes_max = 512,
    .body_bytes_max = 4096,
    .decoded_bytes_max = DECODED_BYTES_MAX,
};

static void tell_refusal(struct buf *story, const struct http_refusal *refusal)
{
    ASSERT(refusal->status >= 400 && refusal->status < 600 && refusal->detail != NULL);
    buf_printf(story, "refused %d %s\n", refusal->status, refusal->detail);
}

static void tell_request(struct buf *story, struct http_request *request)
{
    struct http_refusal refusal;
    ASSERT(http_path(request)[0] == '/' || strcmp(http_path(request), "*") == 0);
    buf_printf(story, "%s %s?%s %u\n", http_method(request), http_path(request),
               http_query(request), request->field_count);
    for (uint32_t i = 0; i < request->field_count; i++)
        buf_printf(story, "%s:%s\n", request->head + request->fields[i].name,
                   request->head + request->fields[i].value);
    if (http_body_decode(request, DECODED_BYTES_MAX, &refusal) != 0)
        tell_refusal(story, &refusal);
    ASSERT(request->body.size <= DECODED_BYTES_MAX);
    buf_append(story, request->body.data, request->body.size);
    buf_printf(story, "\nkeep alive: %d\n", request->keep_alive);
}

/* One step, told; false when nothing more may be fed. */
static bool step(struct http_reader *reader, struct buf *story, enum http_step *out_step,
                 const uint8_t *data, size_t size, size_t *out_used)
{
    *out_step = http_reader_feed(reader, data, size, out_used);
    ASSERT(*out_used <= size && (*out_step != HTTP_STEP_MORE || *out_used == size));
    if (*out_step == HTTP_STEP_HEAD)
        reader->request->body_bytes_max = limits.body_bytes_max;
    if (*out_step == HTTP_STEP_DONE) {
        struct http_request *request = reader->request;
        bool goes_on = request->keep_alive;
        reader->request = NULL;
        tell_request(story, request);
        http_request_free(request);
        return goes_on;
    }
    if (*out_step == HTTP_STEP_REFUSED)
        tell_refusal(story, &reader->refusal);
    return *out_step != HTTP_STEP_REFUSED;
}

/* `cuts` NULL: in one piece.  Else the sizes of the pieces, over and over. */
static void read_all(struct buf *story, const uint8_t *data, size_t size, const uint8_t *cuts,
                     size_t cut_count)
{
    struct http_reader reader;
    http_reader_init(&reader, &limits);
    bool goes_on = true;
    for (size_t at = 0, i = 0; goes_on && at < size; i++) {
        size_t piece = cuts != NULL ? cuts[i % cut_count] % 32 + 1u : size;
        if (piece > size - at)
            piece = size - at;
        /* A copy of exactly the piece, so that a look behind its end is seen. */
        uint8_t *bytes = mem_copy(data + at, piece);
        enum http_step what = HTTP_STEP_DONE;
        for (size_t fed = 0, used; goes_on && what != HTTP_STEP_MORE; fed += used)
            goes_on = step(&reader, story, &what, bytes + fed, piece - fed, &used);
        free(bytes);
        at += piece;
    }
    if (goes_on)
        buf_printf(story, "idle: %d\n", http_reader_is_idle(&reader));
    http_request_free(reader.request);
    http_reader_deinit(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF_INIT, pieces = BUF_INIT;
    size_t cut_count = size < 8 ? size : 8;
    read_all(&whole, data, size, NULL, 0);
    if (cut_count != 0)
        read_all(&pieces, data, size, data + size - cut_count, cut_count);
    else
        read_all(&pieces, data, size, NULL, 0);
    ASSERT(whole.size == pieces.size && memcmp(whole.data, pieces.data, whole.size) == 0);
    buf_deinit(&whole);
    buf_deinit(&pieces);
    return 0;
}

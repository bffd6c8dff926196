/* api_files.c -- /v1/files: put the bytes first, then name them in an event.
 *
 * What comes back is nothing that a browser would run or show by itself, whatever it is called:
 * it is to be saved, its type is not guessed, and were it shown all the same, it may do nothing.
 */
#include "core/base/limits.h"
#include "core/http/http.h"
#include "core/server/api.h"
#include "core/server/files.h"
#include "core/server/sweeper.h"

struct transfer {
    const char *type;
    const void *data; /* of the request, which lives as long as the call */
    size_t size;
    char hash[FILE_HASH_SIZE], kept_type[FILE_TYPE_SIZE];
    int code;
    struct err err;
};

/* -- POST -------------------------------------------------------------------------------------- */

static void put(struct call *call)
{
    struct transfer *transfer = call->data;
    transfer->code = files_put(call->api->files, transfer->type, transfer->data, transfer->size,
                               transfer->hash, &transfer->err);
}

static void have_put(struct call *call)
{
    struct transfer *transfer = call->data;
    struct doc_writer w;
    if (transfer->code != 0) {
        call_error(call, transfer->code, &transfer->err);
        return;
    }
    sweeper_wanted(call->api->sweeper);
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_string(&w, "hash", transfer->hash);
    doc_put_int(&w, "size", (int64_t)transfer->size);
    call_reply(call, 201, doc_end(&w));
}

static void post_file(struct call *call)
{
    struct transfer *transfer = arena_zero(&call->arena, sizeof *transfer);
    transfer->type = http_field(call->request, "Content-Type");
    transfer->data = http_body(call->request, &transfer->size);
    call->data = transfer;
    if (transfer->size == 0)
        call_problem(call, 422, "the body is the file, and it is empty");
    else
        call_work(call, put, have_put);
}

/* -- GET --------------------------------------------------------------------------------------- */

static void get(struct call *call)
{
    struct transfer *transfer = call->data;
    buf_clear(&call->out);
    transfer->code = files_get(call->api->files, call_param(call, "hash"), transfer->kept_type,
                               &call->out, &transfer->err);
}

static void have_got(struct call *call)
{
    const struct transfer *transfer = call->data;
    if (transfer->code != 0) {
        call_error(call, transfer->code, &transfer->err);
        return;
    }
    http_add_field(call->request, "Content-Disposition", "attachment");
    http_add_field(call->request, "Content-Security-Policy", "default-src 'none'; sandbox");
    http_add_field(call->request, "X-Content-Type-Options", "nosniff");
    http_add_field(call->request, "Cache-Control", "private, no-store");
    call_reply_text(call, 200, transfer->kept_type,
                    (struct text){ (const char *)call->out.data, (uint32_t)call->out.size });
}

static void get_file(struct call *call)
{
    call->data = arena_zero(&call->arena, sizeof(struct transfer));
    call_work(call, get, have_got);
}

const struct route routes_files[] = {
    { "POST", "/v1/files", SCOPE_STAFF, FILE_BYTES_MAX, false, post_file,
      "Put a file, to be named in the `files` of an event within a day", NULL, NULL, "201 File" },
    { "GET", "/v1/files/{hash}", SCOPE_READ, 0, false, get_file, "A file, as it was put", NULL,
      NULL, "bytes" },
    ROUTES_END,
};

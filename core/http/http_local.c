/* http_local.c -- see http_local.h. */
#include "core/http/http_local.h"

#include "core/base/err.h"
#include "core/http/http_reader.h"
#include "core/http/http_request.h"

#include <string.h>

static const struct http_limits limits = {
    .header_bytes_max = 16u << 10,
    .header_count_max = 100,
    .url_bytes_max = 8u << 10,
};

/* A blank or a line's end in it would make another request of it. */
static bool is_one_word(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static enum http_step read_head(struct http_reader *reader, const struct buf *head)
{
    enum http_step step = HTTP_STEP_MORE;
    size_t at = 0;
    while (step != HTTP_STEP_DONE && step != HTTP_STEP_REFUSED) {
        size_t used = 0, before = at;
        step = http_reader_feed(reader, head->data + at, head->size - at, &used);
        at += used;
        if (step == HTTP_STEP_MORE && at == before)
            return HTTP_STEP_REFUSED;
    }
    return step;
}

int http_local_new(const char *method, const char *target, const char *fields, struct buf *body,
                   http_local_fn *answered, void *arg, struct http_request **out_request,
                   struct err *err)
{
    struct http_reader reader;
    struct buf head = BUF_INIT;
    if (!is_one_word(method) || !is_one_word(target))
        return err_set(err, E_INVALID, "the method or the path holds a blank");
    buf_printf(&head, "%s %s HTTP/1.1\r\nHost: kith\r\n%s\r\n", method, target, fields);
    http_reader_init(&reader, &limits);
    enum http_step step = read_head(&reader, &head);
    struct http_request *request = reader.request;
    int rc = 0;
    if (step != HTTP_STEP_DONE) {
        rc = err_set(err, E_INVALID, "%s",
                     reader.refusal.detail != NULL ? reader.refusal.detail : "it is no request");
        http_request_free(request);
    } else {
        request->is_reading = false;
        request->body = *body;
        *body = (struct buf)BUF_INIT;
        request->has_body = request->body.size != 0;
        request->answered = answered;
        request->answered_arg = arg;
        *out_request = request;
    }
    http_reader_deinit(&reader);
    buf_deinit(&head);
    return rc;
}

void http_local_forget(struct http_request *request)
{
    request->answered = NULL;
}

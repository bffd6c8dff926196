/* http_response.c -- the bytes of an answer; see http.h.
 *
 * A head is put together in one buffer that the whole server shares and copied from
 * there, with the body, to the end of the connection's output, or, while an earlier
 * request is unanswered, of the request's own.
 */
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/http/http_conn.h"
#include "core/http/http_scan.h"
#include "core/http/http_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REFUSAL_TEXT_MAX 200

struct phrase {
    int status;
    const char *text;
};

static const struct phrase phrases[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 207, "Multi-Status" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 424, "Failed Dependency" },
    { 425, "Too Early" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 451, "Unavailable For Legal Reasons" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
};

const char *http_status_text(int status)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].status == status)
            return phrases[i].text;
    return "Status";
}

static bool is_ours(const char *name)
{
    static const char *const ours[] = { "date", "content-length", "content-type", "connection",
                                        "transfer-encoding" };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (http_text_is(name, ours[i]))
            return true;
    return false;
}

static bool is_value(const char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

int http_check_field(const char *name, const char *value)
{
    return http_is_token(name) && !is_ours(name) && is_value(value) ? 0 : E_INVALID;
}

int http_add_field(struct http_request *request, const char *name, const char *value)
{
    if (http_check_field(name, value) != 0)
        return E_INVALID;
    buf_text(&request->extra, name);
    buf_text(&request->extra, ": ");
    buf_text(&request->extra, value);
    buf_text(&request->extra, "\r\n");
    return 0;
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304;
}

/* An answer before the body has been read, or the last one of a closing server, ends
 * the connection; nothing that comes after this request will be looked at. */
static void decide_end(struct http_request *request)
{
    struct http_conn *conn = request->conn;
    if (request->is_reading && request->has_body)
        request->keep_alive = false;
    if (conn->server->is_closing && request->next == NULL)
        request->keep_alive = false;
    if (!request->keep_alive)
        conn->is_deaf = true;
}

static struct buf *head_begin(struct http_request *request, int status, const char *content_type)
{
    struct http_server *server = request->conn->server;
    struct buf *head = &server->scratch;
    buf_clear(head);
    buf_printf(head, "HTTP/1.1 %d ", status);
    buf_text(head, http_status_text(status));
    buf_text(head, "\r\nDate: ");
    buf_append(head, http_server_date(server), HTTP_DATE_SIZE);
    if (content_type != NULL) {
        ASSERT(is_value(content_type));
        buf_text(head, "\r\nContent-Type: ");
        buf_text(head, content_type);
    }
    buf_text(head, "\r\n");
    buf_append(head, request->extra.data, request->extra.size);
    return head;
}

static void head_end(struct http_request *request, struct buf *head)
{
    if (!request->keep_alive)
        buf_text(head, "Connection: close\r\n");
    else if (request->is_http10)
        buf_text(head, "Connection: keep-alive\r\n");
    buf_text(head, "\r\n");
    http_conn_emit(request, head->data, head->size);
}

/* The handler is done with the request; its memory goes when the answer has left. */
static void end(struct http_request *request)
{
    request->is_ended = true;
    request->on_gone = NULL;
    if (request->conn != NULL)
        http_conn_pump(request->conn);
    else
        http_request_free(request);
}

void http_respond(struct http_request *request, int status, const char *content_type,
                  const void *body, size_t size)
{
    ASSERT(status >= 200 && status <= 599);
    ASSERT(!request->is_ended && !request->is_streaming);
    if (request->conn != NULL) {
        decide_end(request);
        struct buf *head = head_begin(request, status, content_type);
        if (!has_no_body(status))
            buf_printf(head, "Content-Length: %zu\r\n", size);
        head_end(request, head);
        if (!has_no_body(status) && !request->is_head)
            http_conn_emit(request, body, size);
    } else if (request->answered != NULL) {
        request->answered(request->answered_arg, status, content_type, body,
                          has_no_body(status) ? 0 : size);
    }
    end(request);
}

static void append_json_string(struct buf *out, const char *text)
{
    buf_byte(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_byte(out, '\\');
        if ((unsigned char)*text < 0x20)
            buf_printf(out, "\\u%04x", (unsigned)*text);
        else
            buf_byte(out, (uint8_t)*text);
    }
    buf_byte(out, '"');
}

void http_problem_body(struct buf *out, int status, const char *detail)
{
    buf_text(out, "{\"title\":");
    append_json_string(out, http_status_text(status));
    buf_printf(out, ",\"status\":%d,\"detail\":", status);
    append_json_string(out, detail);
    buf_text(out, "}\n");
}

void http_problem(struct http_request *request, int status, const char *detail)
{
    struct buf body = BUF_INIT;
    http_problem_body(&body, status, detail);
    http_respond(request, status, HTTP_PROBLEM_TYPE, body.data, body.size);
    buf_deinit(&body);
}

struct http_refusal http_body_too_large(const struct http_request *request)
{
    return (struct http_refusal){ 413, "the body is larger than this resource takes",
                                  request->body_bytes_max, "bytes" };
}

void http_refuse(struct http_request *request, const struct http_refusal *refusal)
{
    char detail[REFUSAL_TEXT_MAX];
    if (refusal->most == 0)
        snprintf(detail, sizeof detail, "%s", refusal->detail);
    else
        snprintf(detail, sizeof detail, "%s: at most %llu %s are allowed", refusal->detail,
                 (unsigned long long)refusal->most, refusal->unit);
    if (refusal->status == 415)
        http_add_field(request, "Accept-Encoding", "gzip, deflate");
    if (refusal->status == 503)
        http_add_field(request, "Retry-After", "1");
    http_problem(request, refusal->status, detail);
}

/* Without chunks, in HTTP/1.0, only the end of the connection can end the answer. */
void http_stream_begin(struct http_request *request, int status, const char *content_type,
                       void (*on_drain)(void *arg), void *arg)
{
    ASSERT(status >= 200 && status <= 599 && !has_no_body(status));
    ASSERT(!request->is_ended && !request->is_streaming && !request->is_reading);
    request->is_streaming = true;
    request->on_drain = on_drain;
    request->drain_arg = arg;
    if (request->conn == NULL)
        return;
    request->stream_bytes_max = request->conn->server->limits.backlog_bytes_max;
    if (request->is_http10)
        request->keep_alive = false;
    decide_end(request);
    struct buf *head = head_begin(request, status, content_type);
    if (!request->is_http10)
        buf_text(head, "Transfer-Encoding: chunked\r\n");
    head_end(request, head);
    http_conn_pump(request->conn);
}

void http_stream_limit(struct http_request *request, size_t backlog_bytes_max)
{
    request->stream_bytes_max = backlog_bytes_max;
}

int http_stream_write(struct http_request *request, const void *data, size_t size)
{
    ASSERT(request->is_streaming && !request->is_ended);
    struct http_conn *conn = request->conn;
    if (http_is_gone(request))
        return E_NOTFOUND;
    if (size == 0 || request->is_head) /* an empty chunk would be the end */
        return 0;
    size_t backlog = http_conn_backlog(request);
    size_t limit = request->stream_bytes_max;
    if (backlog != 0 && (backlog > limit || size > limit - backlog)) {
        request->is_blocked = true;
        return E_BUSY;
    }
    char line[24];
    int line_size = snprintf(line, sizeof line, "%zx\r\n", size);
    if (!request->is_http10)
        http_conn_emit(request, line, (size_t)line_size);
    http_conn_emit(request, data, size);
    if (!request->is_http10)
        http_conn_emit(request, "\r\n", 2);
    request->is_blocked = false;
    http_conn_pump(conn);
    return 0;
}

void http_stream_end(struct http_request *request)
{
    ASSERT(request->is_streaming && !request->is_ended);
    if (!request->is_http10 && !request->is_head)
        http_conn_emit(request, "0\r\n\r\n", 5);
    end(request);
}

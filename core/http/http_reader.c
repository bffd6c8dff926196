/* http_reader.c -- heads and bodies by llhttp, between our own checks.
 *
 *     stage       on                        then
 *     HEAD        empty line                HEAD step; BODY or CHUNK_SIZE
 *     BODY        last byte                 DONE step; HEAD
 *     CHUNK_SIZE  end of line, size > 0     CHUNK
 *                 end of line, size 0       TRAILER
 *     CHUNK       CR LF behind the data     CHUNK_SIZE
 *     TRAILER     empty line                DONE step; HEAD
 *
 * The parser is told to pause wherever a stage ends; that costs two calls a chunk and
 * gives us exact bounds: of a size line (llhttp takes leading zeros and extensions
 * without end) and of the trailer, which only passes the scanner and is ignored.
 *
 * A head is copied once, into the request that keeps it, and parsed there.  Before it
 * is complete it lies in `head`, but only if it did not come in one piece.
 */
#include "core/http/http_reader.h"

#include "core/http/http_fields.h"

#include <string.h>

#define SIZE_LINE_MAX 256       /* of a chunk: digits and extensions */
#define BODY_RESERVE_MAX 65536u /* trust in a Content-Length before bytes have come */

/* In this version of llhttp there is no call for it, only the flag: let every version
 * pass, our own check of the request line has been stricter already. */
#define LENIENT_FLAGS LENIENT_VERSION

static int refuse(struct http_reader *reader, int status, const char *detail)
{
    if (reader->refusal.status == 0)
        reader->refusal = (struct http_refusal){ .status = status, .detail = detail };
    return -1;
}

static int on_url(llhttp_t *parser, const char *at, size_t size)
{
    struct http_reader *reader = parser->data;
    struct http_request *request = reader->request;
    request->path = at;
    request->query = at + size; /* its end, until the target is split */
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t size)
{
    struct http_reader *reader = parser->data;
    struct http_request *request = reader->request;
    /* Empty until a value comes, and then ending where the colon stands. */
    uint32_t name = (uint32_t)(at - request->head);
    request->fields[request->field_count++] = (struct http_field){ .name = name,
                                                                   .name_size = (uint32_t)size,
                                                                   .value = name + (uint32_t)size };
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    struct http_reader *reader = parser->data;
    struct http_request *request = reader->request;
    if (size == 0)
        return 0; /* where an empty value is said to begin, the next line does */
    struct http_field *field = &request->fields[request->field_count - 1];
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    field->value = (uint32_t)(at - request->head);
    field->value_size = (uint32_t)size;
    return 0;
}

static int on_pause(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    struct http_reader *reader = parser->data;
    struct http_request *request = reader->request;
    buf_append(&request->body, at, size);
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct http_reader *reader = parser->data;
    reader->is_done = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_pause,
    .on_chunk_header = on_pause,
    .on_chunk_complete = on_pause,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static void begin(struct http_reader *reader)
{
    llhttp_init(&reader->parser, HTTP_REQUEST, &settings);
    reader->parser.lenient_flags = LENIENT_FLAGS;
    reader->parser.data = reader;
    reader->scan = (struct http_scan){ 0 };
    reader->stage = HTTP_READER_HEAD;
    reader->is_done = false;
}

void http_reader_init(struct http_reader *reader, const struct http_limits *limits)
{
    *reader = (struct http_reader){ .limits = limits, .head = BUF_INIT };
    begin(reader);
}

void http_reader_deinit(struct http_reader *reader)
{
    buf_deinit(&reader->head);
}

bool http_reader_is_idle(const struct http_reader *reader)
{
    return reader->stage == HTTP_READER_HEAD && reader->scan.lines == 0 && reader->scan.line == 0;
}

bool http_method_is_taken(const char *method)
{
#define NAME(number, name, string) #string,
    static const char *const names[] = { HTTP_METHOD_MAP(NAME) };
#undef NAME
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], method) == 0)
            return strcmp(method, "CONNECT") != 0;
    return false;
}

/* Explain the parser's error.  The request line has the right form already, so what
 * it says about methods means: well formed, but not known here. */
static enum http_step parser_refused(struct http_reader *reader, llhttp_errno_t error)
{
    switch (error) {
    case HPE_INVALID_METHOD:
    case HPE_INVALID_CONSTANT:
    case HPE_INVALID_VERSION: /* of PRI, which it takes with HTTP/2.0 only */
        refuse(reader, 501, "this method is not known here");
        break;
    case HPE_INVALID_TRANSFER_ENCODING:
        refuse(reader, 501, "the only Transfer-Encoding understood is chunked, once");
        break;
    case HPE_INVALID_URL:
        refuse(reader, 400, "the request target must be a path or an http URL");
        break;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        refuse(reader, 400,
               "Content-Length must be one number, given once, and without "
               "Transfer-Encoding");
        break;
    case HPE_INVALID_CHUNK_SIZE:
        refuse(reader, 400, "a chunk must begin with its size in hexadecimal digits");
        break;
    default:
        refuse(reader, 400, "the request breaks the syntax of HTTP/1.1");
        break;
    }
    return HTTP_STEP_REFUSED;
}

/* Run the parser up to where a stage ends.  *out_paused tells that it did; else all
 * bytes are used.  0, or -1 when the request is refused. */
static int run(struct http_reader *reader, const void *data, size_t size, size_t *out_used,
               bool *out_paused)
{
    llhttp_resume(&reader->parser);
    llhttp_errno_t error = llhttp_execute(&reader->parser, data, size);
    *out_paused = error == HPE_PAUSED;
    *out_used = size;
    if (error == HPE_PAUSED)
        *out_used = (size_t)(llhttp_get_error_pos(&reader->parser) - (const char *)data);
    else if (error != HPE_OK)
        parser_refused(reader, error);
    return error == HPE_OK || error == HPE_PAUSED ? 0 : -1;
}

static void terminate_strings(struct http_request *request)
{
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        request->head[field->name + field->name_size] = '\0';
        request->head[field->value + field->value_size] = '\0';
    }
}

static int interpret_head(struct http_reader *reader)
{
    struct http_request *request = reader->request;
    const llhttp_t *parser = &reader->parser;
    char *target = request->head + (request->path - request->head);
    target[request->query - request->path] = '\0';
    request->path = "/";
    request->query = "";

    request->method = llhttp_method_name((llhttp_method_t)parser->method);
    request->is_head = parser->method == HTTP_HEAD;
    request->is_http10 = parser->http_minor == 0;
    request->is_chunked = (parser->flags & F_CHUNKED) != 0;
    request->content_length = request->is_chunked ? 0 : parser->content_length;
    request->has_body = request->is_chunked || request->content_length != 0;
    request->keep_alive =
        llhttp_should_keep_alive(parser) && (parser->flags & F_CONNECTION_CLOSE) == 0;
    terminate_strings(request);
    if (parser->method == HTTP_CONNECT)
        return refuse(reader, 501, "this server is no proxy");
    if (http_fields_check(request, &reader->refusal) != 0)
        return -1;
    return http_target_split(request, target, &reader->refusal);
}

/* `head` is complete.  An Upgrade is never taken, so the parser must not stop for it. */
static enum http_step parse_head(struct http_reader *reader, const uint8_t *head, size_t size)
{
    struct http_request *request = http_request_new(head, size, reader->scan.lines - 1);
    size_t used;
    bool paused;
    reader->request = request;
    request->is_reading = true;
    request->body_bytes_max = reader->limits->body_bytes_max;
    if (http_scan_request_line(request->head, reader->limits, &reader->refusal) != 0)
        return HTTP_STEP_REFUSED;
    if (run(reader, request->head, size, &used, &paused) != 0)
        return HTTP_STEP_REFUSED;
    int rc = paused ? interpret_head(reader)
                    : refuse(reader, 501, "this method is not known here"); /* PRI of HTTP/2 */
    if (rc != 0)
        return HTTP_STEP_REFUSED;
    reader->parser.upgrade = 0;
    reader->stage = request->is_chunked ? HTTP_READER_CHUNK_SIZE : HTTP_READER_BODY;
    reader->size_line = 0;
    return HTTP_STEP_HEAD;
}

static enum http_step feed_head(struct http_reader *reader, const uint8_t *data, size_t size,
                                size_t *out_used)
{
    enum http_scan_result result =
        http_scan(&reader->scan, reader->limits, data, size, out_used, &reader->refusal);
    if (result == HTTP_SCAN_REFUSED)
        return HTTP_STEP_REFUSED;
    if (result == HTTP_SCAN_END && reader->head.size == 0)
        return parse_head(reader, data, *out_used);
    buf_append(&reader->head, data, *out_used);
    if (result == HTTP_SCAN_MORE)
        return HTTP_STEP_MORE;
    enum http_step step = parse_head(reader, reader->head.data, reader->head.size);
    buf_deinit(&reader->head);
    return step;
}

static enum http_step done(struct http_reader *reader)
{
    begin(reader);
    return HTTP_STEP_DONE;
}

static enum http_step feed_body(struct http_reader *reader, const uint8_t *data, size_t size,
                                size_t *out_used)
{
    struct http_request *request = reader->request;
    bool paused;
    if (request->body.capacity == 0 && size != 0) {
        uint64_t expected = request->content_length;
        buf_reserve(&request->body,
                    expected < BODY_RESERVE_MAX ? (size_t)expected : BODY_RESERVE_MAX);
    }
    if (run(reader, data, size, out_used, &paused) != 0)
        return HTTP_STEP_REFUSED;
    return reader->is_done ? done(reader) : HTTP_STEP_MORE;
}

static int check_room(struct http_reader *reader, uint64_t size)
{
    const struct http_request *request = reader->request;
    if (size <= request->body_bytes_max - request->body.size)
        return 0;
    reader->refusal = http_body_too_large(request);
    return -1;
}

static int begin_chunk(struct http_reader *reader)
{
    uint64_t size = reader->parser.content_length;
    reader->stage = size != 0 ? HTTP_READER_CHUNK : HTTP_READER_TRAILER;
    reader->scan = (struct http_scan){ .is_trailer = true };
    return check_room(reader, size);
}

static enum http_step feed_size_line(struct http_reader *reader, const uint8_t *data, size_t size,
                                     size_t *out_used)
{
    size_t room = SIZE_LINE_MAX - reader->size_line;
    bool paused;
    if (run(reader, data, size < room ? size : room, out_used, &paused) != 0)
        return HTTP_STEP_REFUSED;
    reader->size_line += (uint32_t)*out_used;
    int rc = 0;
    if (paused)
        rc = begin_chunk(reader);
    else if (reader->size_line == SIZE_LINE_MAX)
        rc = refuse(reader, 400, "the size line of a chunk is too long");
    return rc == 0 ? HTTP_STEP_MORE : HTTP_STEP_REFUSED;
}

static enum http_step feed_chunk(struct http_reader *reader, const uint8_t *data, size_t size,
                                 size_t *out_used)
{
    bool paused;
    if (run(reader, data, size, out_used, &paused) != 0)
        return HTTP_STEP_REFUSED;
    if (paused) {
        reader->stage = HTTP_READER_CHUNK_SIZE;
        reader->size_line = 0;
    }
    return HTTP_STEP_MORE;
}

/* The parser has no part in this: it would read a Connection or Content-Length in a
 * trailer as one of the head. */
static enum http_step feed_trailer(struct http_reader *reader, const uint8_t *data, size_t size,
                                   size_t *out_used)
{
    enum http_scan_result result =
        http_scan(&reader->scan, reader->limits, data, size, out_used, &reader->refusal);
    if (result == HTTP_SCAN_REFUSED)
        return HTTP_STEP_REFUSED;
    return result == HTTP_SCAN_END ? done(reader) : HTTP_STEP_MORE;
}

enum http_step http_reader_feed(struct http_reader *reader, const uint8_t *data, size_t size,
                                size_t *out_used)
{
    enum http_step step = HTTP_STEP_MORE;
    size_t total = 0;
    do {
        size_t used = 0;
        if (reader->stage == HTTP_READER_HEAD)
            step = feed_head(reader, data + total, size - total, &used);
        else if (reader->stage == HTTP_READER_BODY)
            step = feed_body(reader, data + total, size - total, &used);
        else if (reader->stage == HTTP_READER_CHUNK_SIZE)
            step = feed_size_line(reader, data + total, size - total, &used);
        else if (reader->stage == HTTP_READER_CHUNK)
            step = feed_chunk(reader, data + total, size - total, &used);
        else
            step = feed_trailer(reader, data + total, size - total, &used);
        total += used;
    } while (step == HTTP_STEP_MORE && total < size);
    *out_used = total;
    return step;
}

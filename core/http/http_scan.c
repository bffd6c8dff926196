/* http_scan.c -- what the parser would let pass; see http_scan.h.
 *
 * One pass over each byte, remembering only whether a CR stands before it and how long
 * the line is, so a head may arrive in pieces of any size.  Limits are enforced on the
 * way: a peer never makes us keep more than the limits allow.
 */
#include "core/http/http_scan.h"

#include "core/http/http_request.h"

#include <string.h>

#define BLANK_LINES_MAX 4     /* some clients send an empty line after a body */
#define REQUEST_LINE_EXTRA 32 /* the method, two spaces and the version */

static enum http_scan_result refuse(struct http_refusal *out_refusal, int status,
                                    const char *detail)
{
    *out_refusal = (struct http_refusal){ .status = status, .detail = detail };
    return HTTP_SCAN_REFUSED;
}

static enum http_scan_result refuse_beyond(struct http_refusal *out_refusal, int status,
                                           const char *detail, uint64_t most, const char *unit)
{
    *out_refusal = (struct http_refusal){ status, detail, most, unit };
    return HTTP_SCAN_REFUSED;
}

static bool is_token_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte));
}

static enum http_scan_result line_ended(struct http_scan *scan, const struct http_limits *limits,
                                        struct http_refusal *out_refusal)
{
    bool is_first = scan->lines == 0 && !scan->is_trailer;
    if (scan->line == 0 && !is_first)
        return HTTP_SCAN_END;
    if (scan->line == 0) {
        if (++scan->blanks > BLANK_LINES_MAX)
            return refuse(out_refusal, 400, "too many empty lines before the request line");
        return HTTP_SCAN_MORE;
    }
    if (!is_first && !scan->has_name)
        return refuse(out_refusal, 400, "a header line must be a name, a colon and a value");
    scan->lines++;
    scan->line = 0;
    scan->has_name = false;
    if (scan->lines > limits->header_count_max + (scan->is_trailer ? 0u : 1u))
        return refuse_beyond(out_refusal, 431, "too many header fields", limits->header_count_max,
                             "lines");
    return HTTP_SCAN_MORE;
}

static enum http_scan_result take_text(struct http_scan *scan, const struct http_limits *limits,
                                       uint8_t byte, struct http_refusal *out_refusal)
{
    bool is_first = scan->lines == 0 && !scan->is_trailer;
    if (scan->line == 0 && (byte == ' ' || byte == '\t'))
        return refuse(out_refusal, 400,
                      is_first ? "a space before the request line"
                               : "a folded header line, which is obsolete");
    if (!is_first && !scan->has_name) {
        scan->has_name = byte == ':' && scan->line != 0;
        if (!scan->has_name && !is_token_byte((char)byte))
            return refuse(out_refusal, 400, "a header line must begin with a name and a colon");
    }
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
        return refuse(out_refusal, 400, "a control byte in the head");
    scan->line++;
    if (is_first) {
        if (scan->line > limits->url_bytes_max + REQUEST_LINE_EXTRA)
            return refuse_beyond(out_refusal, 414, "the request target is too long",
                                 limits->url_bytes_max, "bytes");
    } else if (++scan->size > limits->header_bytes_max) {
        return refuse_beyond(out_refusal, 431, "the header fields are too large",
                             limits->header_bytes_max, "bytes");
    }
    return HTTP_SCAN_MORE;
}

enum http_scan_result http_scan(struct http_scan *scan, const struct http_limits *limits,
                                const uint8_t *data, size_t size, size_t *out_used,
                                struct http_refusal *out_refusal)
{
    enum http_scan_result result = HTTP_SCAN_MORE;
    size_t i = 0;
    while (i < size && result == HTTP_SCAN_MORE) {
        uint8_t byte = data[i++];
        if (scan->after_cr != (byte == '\n'))
            return refuse(out_refusal, 400,
                          scan->after_cr ? "a CR that no LF follows" : "a line must end in CR LF");
        scan->after_cr = byte == '\r';
        if (byte == '\n')
            result = line_ended(scan, limits, out_refusal);
        else if (byte != '\r')
            result = take_text(scan, limits, byte, out_refusal);
    }
    *out_used = i;
    return result;
}

static size_t token_size(const char *text)
{
    size_t size = 0;
    while (is_token_byte(text[size]))
        size++;
    return size;
}

bool http_is_token(const char *text)
{
    size_t size = token_size(text);
    return size != 0 && text[size] == '\0';
}

static size_t target_size(const char *text)
{
    size_t size = 0;
    while (text[size] > ' ' && text[size] < 0x7f && text[size] != '#')
        size++;
    return size;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static int check_version(const char *text, struct http_refusal *out_refusal)
{
    if (strncmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
        !is_digit(text[7]) || text[8] != '\r')
        refuse(out_refusal, 400, "the request line must end in HTTP/1.1");
    else if (text[5] != '1')
        refuse(out_refusal, 505, "this server speaks HTTP/1.1 and HTTP/1.0");
    else
        return 0;
    return -1;
}

int http_scan_request_line(const char *head, const struct http_limits *limits,
                           struct http_refusal *out_refusal)
{
    const char *line = head + strspn(head, "\r\n");
    size_t method = token_size(line);
    if (method == 0 || line[method] != ' ') {
        refuse(out_refusal, 400, "the request line must begin with a method");
        return -1;
    }
    const char *target = line + method + 1;
    size_t size = target_size(target);
    if (size > limits->url_bytes_max) {
        refuse_beyond(out_refusal, 414, "the request target is too long", limits->url_bytes_max,
                      "bytes");
        return -1;
    }
    if (size == 0 || target[size] != ' ') {
        refuse(out_refusal, 400,
               "the request target must be a path or URL of visible ASCII without '#', with one "
               "space on each side");
        return -1;
    }
    return check_version(target + size + 1, out_refusal);
}

/* http_fields.c -- Host, framing, expectations, codings, targets; see http_fields.h. */
#include "core/http/http_fields.h"

#include <string.h>

static int refuse(struct http_refusal *out_refusal, int status, const char *detail)
{
    *out_refusal = (struct http_refusal){ .status = status, .detail = detail };
    return -1;
}

#define PORT_MAX 65535

/* Nothing, or a colon and a number, which may be missing. */
static bool is_port(const char *text)
{
    unsigned long port = 0;
    if (*text == '\0')
        return true;
    if (*text++ != ':')
        return false;
    for (; *text >= '0' && *text <= '9' && port <= PORT_MAX; text++)
        port = 10 * port + (unsigned long)(*text - '0');
    return *text == '\0' && port <= PORT_MAX;
}

/* uri-host [":" port]: the letters of a name or address, or an address in brackets.  Which letters
 * make a name is not looked at further; what matters is that nothing in it can be read as a second
 * authority, a path, a list or another port. */
static bool is_authority(const char *text)
{
    if (*text == '[') {
        size_t size = strspn(text + 1, "0123456789abcdefABCDEF:.");
        return size != 0 && text[1 + size] == ']' && is_port(text + 1 + size + 1);
    }
    for (; *text != '\0' && *text != ':'; text++)
        if ((*text & 0x80) != 0 || strchr(" \t\"#,/<>?@[\\]^`{|}", *text) != NULL)
            return false;
    return is_port(text);
}

static int check_host(struct http_request *request, struct http_refusal *out_refusal)
{
    unsigned count = 0;
    const char *host = "";
    for (size_t i = 0; i < request->field_count; i++) {
        if (!http_text_is(request->head + request->fields[i].name, "host"))
            continue;
        host = request->head + request->fields[i].value;
        count++;
    }
    if (count > 1)
        return refuse(out_refusal, 400, "more than one Host");
    if (count == 0 && !request->is_http10)
        return refuse(out_refusal, 400, "HTTP/1.1 requires a Host");
    if (!is_authority(host))
        return refuse(out_refusal, 400, "Host must be a name or address and a port");
    request->host = host;
    return 0;
}

/* That Content-Length is one number, given once, is the parser's check. */
static int check_framing(struct http_request *request, struct http_refusal *out_refusal)
{
    const char *coding = http_field(request, "transfer-encoding");
    if (coding == NULL)
        return 0;
    if (http_field(request, "content-length") != NULL)
        return refuse(out_refusal, 400, "Transfer-Encoding together with Content-Length");
    if (request->is_http10)
        return refuse(out_refusal, 400, "HTTP/1.0 has no Transfer-Encoding");
    if (!http_text_is(coding, "chunked"))
        return refuse(out_refusal, 501, "the only Transfer-Encoding understood is chunked");
    return 0;
}

static int check_expect(struct http_request *request, struct http_refusal *out_refusal)
{
    const char *expect = http_field(request, "expect");
    if (expect == NULL || request->is_http10)
        return 0;
    if (!http_text_is(expect, "100-continue"))
        return refuse(out_refusal, 417, "the only expectation understood is 100-continue");
    request->expects_continue = request->has_body;
    return 0;
}

static int check_coding(struct http_request *request, struct http_refusal *out_refusal)
{
    const char *coding = NULL;
    for (size_t i = 0; i < request->field_count; i++) {
        if (!http_text_is(request->head + request->fields[i].name, "content-encoding"))
            continue;
        if (coding != NULL)
            return refuse(out_refusal, 415, "only one Content-Encoding is understood");
        coding = request->head + request->fields[i].value;
    }
    if (coding == NULL || *coding == '\0' || http_text_is(coding, "identity"))
        request->coding = HTTP_CODING_NONE;
    else if (http_text_is(coding, "gzip") || http_text_is(coding, "x-gzip"))
        request->coding = HTTP_CODING_GZIP;
    else if (http_text_is(coding, "deflate"))
        request->coding = HTTP_CODING_DEFLATE;
    else
        return refuse(out_refusal, 415, "Content-Encoding must be gzip, deflate or identity");
    return 0;
}

int http_fields_check(struct http_request *request, struct http_refusal *out_refusal)
{
    int rc = check_framing(request, out_refusal);
    if (rc == 0)
        rc = check_host(request, out_refusal);
    if (rc == 0)
        rc = check_expect(request, out_refusal);
    if (rc == 0)
        rc = check_coding(request, out_refusal);
    return rc;
}

static void split_query(struct http_request *request, char *path)
{
    char *mark = strchr(path, '?');
    request->path = path;
    request->query = "";
    if (mark != NULL) {
        *mark = '\0';
        request->query = mark + 1;
    }
}

/* The authority loses its place to the path: move it one byte to the left, over the
 * second slash of "//", so that both can be terminated. */
static int split_absolute(struct http_request *request, char *target,
                          struct http_refusal *out_refusal)
{
    char *slashes = strstr(target, "://");
    if (slashes == NULL)
        return refuse(out_refusal, 400, "the request target must be a path or an http URL");
    *slashes = '\0';
    if (!http_text_is(target, "http") && !http_text_is(target, "https"))
        return refuse(out_refusal, 400, "the scheme of the request target must be http or https");

    char *authority = slashes + 3;
    char *host = slashes + 2;
    size_t size = strcspn(authority, "/?");
    memmove(host, authority, size);
    host[size] = '\0';
    if (size == 0 || *host == ':' || !is_authority(host))
        return refuse(out_refusal, 400, "the request target has no proper host");

    request->host = host;
    split_query(request, authority + size);
    if (*request->path == '\0')
        request->path = "/";
    return 0;
}

int http_target_split(struct http_request *request, char *target, struct http_refusal *out_refusal)
{
    if (*target == '/') {
        split_query(request, target);
        return 0;
    }
    if (strcmp(target, "*") != 0)
        return split_absolute(request, target, out_refusal);
    if (strcmp(request->method, "OPTIONS") != 0)
        return refuse(out_refusal, 400, "the request target * is for OPTIONS");
    request->path = target;
    return 0;
}

/* http_request.c -- what a handler may ask of a request; see http.h.
 *
 * Nothing is indexed: a request has some ten fields and a handler asks for three of
 * them, so a linear search beats building any table.
 */
#include "core/http/http_request.h"

#include "core/base/err.h"
#include "core/base/mem.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct http_request *http_request_new(const void *head, size_t size, size_t field_max)
{
    size_t fields = field_max * sizeof(struct http_field);
    struct http_request *request = mem_alloc(sizeof *request + fields + size + 1);
    *request = (struct http_request){ .method = "", .path = "/", .query = "", .host = "" };
    request->head = (char *)request + sizeof *request + fields;
    if (size != 0)
        memcpy(request->head, head, size);
    request->head[size] = '\0';
    return request;
}

void http_request_free(struct http_request *request)
{
    if (request == NULL)
        return;
    buf_deinit(&request->body);
    buf_deinit(&request->out);
    buf_deinit(&request->extra);
    free(request);
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool http_text_is(const char *text, const char *other)
{
    while (*text != '\0' && lower(*text) == lower(*other)) {
        text++;
        other++;
    }
    return *text == *other;
}

const char *http_method(const struct http_request *request)
{
    return request->method;
}

const char *http_path(const struct http_request *request)
{
    return request->path;
}

const char *http_query(const struct http_request *request)
{
    return request->query;
}

const char *http_host(const struct http_request *request)
{
    return request->host;
}

bool http_field_at(const struct http_request *request, size_t index, const char **out_name,
                   const char **out_value)
{
    if (index >= request->field_count)
        return false;
    *out_name = request->head + request->fields[index].name;
    *out_value = request->head + request->fields[index].value;
    return true;
}

const char *http_field(const struct http_request *request, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->name_size == size && http_text_is(request->head + field->name, name))
            return request->head + field->value;
    }
    return NULL;
}

const void *http_body(const struct http_request *request, size_t *out_size)
{
    *out_size = request->body.size;
    return request->body.data;
}

void http_remote_address(const struct http_request *request, char out_text[HTTP_ADDRESS_MAX])
{
    const union http_address *remote = &request->remote;
    const void *bytes = &remote->v4.sin_addr;
    int family = remote->any.sa_family;
    if (family == AF_INET6) {
        bytes = &remote->v6.sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&remote->v6.sin6_addr)) {
            bytes = remote->v6.sin6_addr.s6_addr + 12;
            family = AF_INET;
        }
    }
    if (inet_ntop(family, bytes, out_text, HTTP_ADDRESS_MAX) == NULL)
        out_text[0] = '\0';
}

void http_data_set(struct http_request *request, void *data)
{
    request->data = data;
}

void *http_data(const struct http_request *request)
{
    return request->data;
}

void http_body_limit(struct http_request *request, size_t bytes_max)
{
    request->body_bytes_max = bytes_max;
}

void http_on_gone(struct http_request *request, void (*on_gone)(void *arg), void *arg)
{
    request->on_gone = on_gone;
    request->gone_arg = arg;
}

static int hex_value(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte = lower(byte);
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

int http_decode(const char *text, size_t size, bool plus, struct buf *out)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '+' && plus) {
            buf_byte(out, ' ');
        } else if (text[i] != '%') {
            buf_byte(out, (uint8_t)text[i]);
        } else {
            int high = i + 2 < size ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0)
                return E_INVALID;
            buf_byte(out, (uint8_t)(high * 16 + low));
            i += 2;
        }
    }
    return 0;
}

int http_segment_next(const char **cursor, struct buf *out_segment)
{
    const char *text = *cursor;
    buf_clear(out_segment);
    if (*text != '/')
        return E_NOTFOUND;
    size_t size = strcspn(text + 1, "/");
    *cursor = text + 1 + size;
    return http_decode(text + 1, size, false, out_segment);
}

int http_query_next(const char **cursor, struct buf *out_name, struct buf *out_value)
{
    const char *text = *cursor + strspn(*cursor, "&");
    buf_clear(out_name);
    buf_clear(out_value);
    if (*text == '\0')
        return E_NOTFOUND;
    size_t size = strcspn(text, "&");
    size_t name_size = strcspn(text, "=&");
    *cursor = text + size;
    int rc = http_decode(text, name_size, true, out_name);
    if (rc == 0 && name_size < size)
        rc = http_decode(text + name_size + 1, size - name_size - 1, true, out_value);
    return rc;
}

int http_query_find(const struct http_request *request, const char *name, struct buf *out_value)
{
    const char *cursor = request->query;
    size_t name_size = strlen(name);
    struct buf found = BUF_INIT;
    int rc;
    do {
        rc = http_query_next(&cursor, &found, out_value);
    } while (rc == 0 && (found.size != name_size ||
                         (name_size != 0 && memcmp(found.data, name, name_size) != 0)));
    buf_deinit(&found);
    return rc;
}

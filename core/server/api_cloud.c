/* api_cloud.c -- POST /v1/events: CloudEvents 1.0 over HTTP, in its three modes.
 *
 *     structured   Content-Type application/cloudevents+json: the event as a JSON object
 *     batch        application/cloudevents-batch+json: an array of them
 *     binary       any other, and ce-... fields: an attribute each, the body is the data
 *
 * The binary mode is brought into the JSON form: `data` of JSON, text of other text, and bytes, as
 * `data_base64`, of everything else.  Its fields are percent-decoded, as the HTTP binding has it;
 * senders that do not know of it are understood as they are meant: a % that begins no escape stands
 * for itself, and bytes that are no UTF-8 are Latin-1, which is what HTTP once said they are.
 */
#include "core/base/json_read.h"
#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/http/http.h"
#include "core/server/api.h"
#include "core/server/ingest.h"
#include "core/server/ingest_cloud.h"

#include <string.h>
#include <strings.h>

static const struct json_limits limits = {
    .depth_max = NESTING_MAX,
    .document_bytes_max = EVENT_BYTES_MAX,
};

/* -- The mode ---------------------------------------------------------------------------------- */

enum mode { MODE_NONE, MODE_BINARY, MODE_STRUCTURED, MODE_BATCH };

static bool is_type(const char *type, const char *other)
{
    size_t size = strcspn(type, "; \t");
    return size == strlen(other) && strncasecmp(type, other, size) == 0;
}

static enum mode mode_of(const struct http_request *request)
{
    const char *type = http_field(request, "Content-Type");
    if (type != NULL && is_type(type, "application/cloudevents+json"))
        return MODE_STRUCTURED;
    if (type != NULL && is_type(type, "application/cloudevents-batch+json"))
        return MODE_BATCH;
    bool is_other = type != NULL && strncasecmp(type, "application/cloudevents", 23) == 0;
    bool has_version = http_field(request, "ce-specversion") != NULL;
    return !is_other && has_version ? MODE_BINARY : MODE_NONE;
}

/* -- Binary ------------------------------------------------------------------------------------ */

/* A value in quotes, with backslashes, is the same as without. */
static void unquote(const char *value, struct buf *out)
{
    size_t size = strlen(value);
    bool is_quoted = size >= 2 && value[0] == '"' && value[size - 1] == '"';
    buf_clear(out);
    if (!is_quoted) {
        buf_append(out, value, size);
        return;
    }
    for (size_t i = 1; i < size - 1; i++) {
        i += value[i] == '\\' && i + 1 < size - 1;
        buf_byte(out, (uint8_t)value[i]);
    }
}

static int hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(const struct buf *value, struct buf *out)
{
    for (size_t i = 0; i < value->size; i++) {
        bool is_escape = value->data[i] == '%' && i + 2 < value->size &&
                         hex_of(value->data[i + 1]) >= 0 && hex_of(value->data[i + 2]) >= 0;
        if (!is_escape) {
            buf_byte(out, value->data[i]);
            continue;
        }
        buf_byte(out, (uint8_t)(hex_of(value->data[i + 1]) << 4 | hex_of(value->data[i + 2])));
        i += 2;
    }
}

static void from_latin_1(const struct buf *bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes->size; i++) {
        uint8_t byte = bytes->data[i];
        if (byte >= 0x80)
            buf_byte(out, (uint8_t)(0xc0 | byte >> 6));
        buf_byte(out, byte < 0x80 ? byte : (uint8_t)(0x80 | (byte & 0x3f)));
    }
}

static bool is_attribute(const char *field)
{
    return strncasecmp(field, "ce-", 3) == 0 && field[3] != '\0';
}

static void put_attribute(struct doc_writer *w, const char *field, const char *value)
{
    struct buf quoted = BUF_INIT, bytes = BUF_INIT, text = BUF_INIT, name = BUF_INIT;
    unquote(value, &quoted);
    unescape(&quoted, &bytes);
    if (utf8_valid(bytes.data, bytes.size))
        buf_append(&text, bytes.data, bytes.size);
    else
        from_latin_1(&bytes, &text);
    for (const char *c = field + 3; *c != '\0'; c++)
        buf_byte(&name, (uint8_t)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c));
    doc_put_text(w, buf_string(&name), (struct text){ buf_string(&text), (uint32_t)text.size });
    buf_deinit(&quoted);
    buf_deinit(&bytes);
    buf_deinit(&text);
    buf_deinit(&name);
}

/* What the body and its type say is no field's to say, and a field says it once. */
static bool is_sole(const struct http_request *request, const char *name, const char *value)
{
    return strcasecmp(name, "ce-data") != 0 && strcasecmp(name, "ce-data_base64") != 0 &&
           strcasecmp(name, "ce-datacontenttype") != 0 && http_field(request, name) == value;
}

/* False: answered. */
static bool put_attributes(struct call *call, struct doc_writer *w)
{
    const char *name, *value;
    for (size_t i = 0; http_field_at(call->request, i, &name, &value); i++) {
        if (!is_attribute(name))
            continue;
        if (!is_sole(call->request, name, value)) {
            call_problem(call, 400, "%s: it is said twice, or by the body and its Content-Type",
                         name);
            return false;
        }
        put_attribute(w, name, value);
    }
    return true;
}

static bool is_json(const char *type)
{
    size_t size = strcspn(type, "; \t");
    return is_type(type, "application/json") || is_type(type, "text/json") ||
           (size > 5 && strncasecmp(type + size - 5, "+json", 5) == 0);
}

/* False: answered. */
static bool put_data(struct call *call, struct doc_writer *w, const char *type)
{
    struct buf json = BUF_INIT;
    struct doc doc;
    struct err err;
    size_t size;
    const char *body = http_body(call->request, &size);
    int rc = 0;
    if (type != NULL)
        doc_put_string(w, "datacontenttype", type);
    if (size != 0 && type != NULL && is_json(type)) {
        rc = json_value_to_doc(call->api->reader, body, size, "data", &limits, &json, &doc, &err);
        struct doc_value data = rc == 0 ? doc_get(doc, "data") : (struct doc_value){ 0 };
        doc_put_value(w, "data", &data);
    } else if (size != 0 && type != NULL && strncasecmp(type, "text/", 5) == 0 &&
               utf8_valid((const uint8_t *)body, size)) {
        doc_put_text(w, "data", (struct text){ body, (uint32_t)size });
    } else if (size != 0) {
        doc_put_binary(w, "data_base64", body, size);
    }
    buf_deinit(&json);
    if (rc != 0)
        call_problem(call, rc == E_LIMIT ? 413 : 400, "%s", err.text);
    return rc == 0;
}

static void take_binary(struct call *call)
{
    struct doc_writer w;
    size_t size;
    http_body(call->request, &size);
    if (size > EVENT_BYTES_MAX) {
        call_problem(call, 413, "the data has %zu bytes, at most %u are allowed", size,
                     EVENT_BYTES_MAX);
        return;
    }
    buf_clear(&call->json);
    doc_begin(&w, &call->json);
    if (put_attributes(call, &w) && put_data(call, &w, http_field(call->request, "Content-Type")))
        ingest_one(call, doc_end(&w), ingest_cloud);
}

/* -- Structured -------------------------------------------------------------------------------- */

static void take_structured(struct call *call)
{
    struct doc event;
    struct err err;
    size_t size;
    const char *body = http_body(call->request, &size);
    int rc = json_to_doc(call->api->reader, body, size, &limits, &call->json, &event, &err);
    if (rc != 0)
        call_problem(call, rc == E_LIMIT ? 413 : 400, "%s", err.text);
    else
        ingest_one(call, event, ingest_cloud);
}

static void take(struct call *call)
{
    switch (mode_of(call->request)) {
    case MODE_BINARY:
        take_binary(call);
        break;
    case MODE_STRUCTURED:
        take_structured(call);
        break;
    case MODE_BATCH:
        ingest_list(call, ingest_cloud);
        break;
    case MODE_NONE:
        call_problem(call, 415,
                     "a CloudEvent is expected: Content-Type application/cloudevents+json or "
                     "application/cloudevents-batch+json, or ce-... fields with the data as body");
        break;
    }
}

/* A CloudEvent has no place for a key: without Authorization nobody has sent it. */
static void events(struct call *call)
{
    if (call->caller.name.size != 0)
        take(call);
    else
        call_admit(call, (struct text){ "", 0 }, take);
}

const struct route routes_cloud[] = {
    { "POST", "/v1/events", SCOPE_WRITE, BATCH_BYTES_MAX, false, events,
      "CloudEvents 1.0: binary, structured or batch", "wait", NULL, "BatchAnswer" },
    ROUTES_END,
};

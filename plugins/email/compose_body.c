/* compose_body.c -- multiparts, texts and attachments; see compose.h for their order. */
#include "compose_body.h"

#include "charset.h"
#include "codec.h"
#include "compose.h"
#include "fault.h"
#include "field.h"
#include "markdown.h"
#include "param.h"

#include <string.h>

enum multipart { MULTIPART_MIXED, MULTIPART_ALTERNATIVE, MULTIPART_RELATED };

struct body {
    const struct compose *compose;
    struct span text, html;
    bool has_inline, has_attached;
};

static int check_text(const char *what, struct span text, struct fault *fault)
{
    if (memchr(text.size == 0 ? "-" : text.data, '\0', text.size == 0 ? 1 : text.size) != NULL)
        return fault_set(fault, FAULT_INVALID, "%s has a NUL; remove it", what);
    if (!utf8_is_valid(text))
        return fault_set(fault, FAULT_INVALID, "%s is not valid UTF-8", what);
    return 0;
}

/* "image/png", and nothing behind it. */
static bool is_type(struct span type)
{
    size_t slash = span_find(type, '/');
    return type.size <= 127 && slash < type.size &&
           param_is_token((struct span){ type.data, slash }) &&
           param_is_token(span_from(type, slash + 1));
}

static bool is_content_id(struct span id)
{
    size_t at_count = 0;
    for (size_t i = 0; i < id.size; i++) {
        char c = id.data[i];
        at_count += c == '@';
        if (c <= ' ' || c >= 0x7f || strchr("<>()[],;:\\\"", c) != NULL)
            return false;
    }
    return id.size <= 200 && at_count <= 1;
}

static int check_attachment(const struct compose_attachment *attachment, struct fault *fault)
{
    struct span name = attachment->name;
    int rc = field_check_value(span_of("attachment name"), name, fault);
    if (rc != 0)
        return rc;
    if (name.size == 0 || name.size > 255)
        return fault_set(fault, FAULT_INVALID, "attachment: a name of %zu bytes, not 1 to 255",
                         name.size);
    if (attachment->type.size > 0 && !is_type(attachment->type))
        return fault_set(fault, FAULT_INVALID, "attachment %.*s: no type like \"image/png\"",
                         (int)name.size, name.data);
    if (!is_content_id(attachment->content_id))
        return fault_set(fault, FAULT_INVALID, "attachment %.*s: no valid content id",
                         (int)name.size, name.data);
    return 0;
}

int compose_body_check(const struct compose *compose, struct fault *fault)
{
    int rc = check_text("text", compose->text, fault);
    if (rc == 0)
        rc = check_text("html", compose->html, fault);
    if (rc == 0)
        rc = check_text("markdown", compose->markdown, fault);
    if (rc == 0 && compose->markdown.size > 0 && compose->text.size + compose->html.size > 0)
        rc = fault_set(fault, FAULT_INVALID, "markdown makes text and html; give it alone");
    if (rc == 0 && compose->attachment_count > COMPOSE_ATTACHMENTS_MAX)
        rc = fault_set(fault, FAULT_LIMIT, "%zu attachments, at most %d", compose->attachment_count,
                       COMPOSE_ATTACHMENTS_MAX);
    for (size_t i = 0; rc == 0 && i < compose->attachment_count; i++)
        rc = check_attachment(&compose->attachments[i], fault);
    return rc;
}

static void write_boundary(const struct body *body, struct bytes *out, enum multipart multipart)
{
    bytes_printf(out, "=_%d_", (int)multipart);
    bytes_span(out, (struct span){ body->compose->id.data,
                                   body->compose->id.size < 60 ? body->compose->id.size : 60 });
}

static void begin_multipart(const struct body *body, struct bytes *out, enum multipart multipart)
{
    static const char *const names[] = { "mixed", "alternative", "related" };
    bytes_printf(out, "Content-Type: multipart/%s;\r\n", names[multipart]);
    if (multipart == MULTIPART_RELATED)
        bytes_text(out, " type=\"text/html\";\r\n");
    bytes_text(out, " boundary=\"");
    write_boundary(body, out, multipart);
    bytes_text(out, "\"\r\n\r\n");
}

static void begin_part(const struct body *body, struct bytes *out, enum multipart multipart)
{
    bytes_text(out, "--");
    write_boundary(body, out, multipart);
    bytes_text(out, "\r\n");
}

static void end_multipart(const struct body *body, struct bytes *out, enum multipart multipart)
{
    bytes_text(out, "--");
    write_boundary(body, out, multipart);
    bytes_text(out, "--\r\n");
}

/* Bytes that quoted-printable writes as three; base64 makes four of any three. */
static bool is_base64_shorter(struct span text)
{
    size_t escaped = 0;
    for (size_t i = 0; i < text.size; i++)
        escaped += (unsigned char)text.data[i] >= 0x7f || text.data[i] == '=';
    return escaped * 6 > text.size;
}

/* Line ends become CRLF before base64, since what it carries is a text in canonical form. */
static void write_base64_text(struct span text, struct bytes *out)
{
    struct bytes canonical;
    struct span line;
    bytes_init(&canonical, out->size_max);
    while (span_line(&text, &line)) {
        bytes_span(&canonical, line);
        bytes_text(&canonical, "\r\n");
    }
    base64_lines(out, bytes_get(&canonical));
    if (canonical.failed != 0)
        out->failed = canonical.failed;
    bytes_deinit(&canonical);
}

static void write_text(struct span text, const char *subtype, struct bytes *out)
{
    bool is_base64 = is_base64_shorter(text);
    bytes_printf(out, "Content-Type: text/%s; charset=utf-8\r\n", subtype);
    bytes_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n",
                 is_base64 ? "base64" : "quoted-printable");
    if (is_base64) {
        write_base64_text(text, out);
        return;
    }
    quoted_lines(out, text);
    if (text.size == 0 || text.data[text.size - 1] != '\n')
        bytes_text(out, "\r\n");
}

/* What is in a part of type message or multipart may not be base64 (RFC 2045, section 6.4). */
static struct span type_of(const struct compose_attachment *attachment)
{
    struct span type = attachment->type;
    if (type.size == 0 || span_begins_word(type, "message/") ||
        span_begins_word(type, "multipart/"))
        return span_of("application/octet-stream");
    return type;
}

/* A text that is UTF-8 says so, or it is taken for ASCII.  What has a NUL or an escape may be of
 * another charset that has no bytes beyond ASCII either, UTF-16 or ISO-2022-JP: of that, and of
 * what is no UTF-8, nobody here knows it. */
static bool is_utf8_text(struct span type, struct span data)
{
    return span_begins_word(type, "text/") && span_find(data, '\0') == data.size &&
           span_find(data, '\x1b') == data.size && utf8_is_valid(data);
}

static void write_attachment(const struct compose_attachment *attachment, struct bytes *out)
{
    bool is_inline = attachment->content_id.size > 0;
    struct span type = type_of(attachment);
    size_t column = sizeof "Content-Type: " - 1 + type.size;
    bytes_text(out, "Content-Type: ");
    bytes_span(out, type);
    if (is_utf8_text(type, attachment->data))
        param_add(out, "charset", span_of("utf-8"), &column);
    param_add(out, "name", attachment->name, &column);
    bytes_text(out, "\r\nContent-Disposition: ");
    bytes_text(out, is_inline ? "inline" : "attachment");
    column = sizeof "Content-Disposition: attachment" - 1;
    param_add(out, "filename", attachment->name, &column);
    bytes_text(out, "\r\nContent-Transfer-Encoding: base64\r\n");
    if (is_inline) {
        bytes_text(out, "Content-ID: <");
        bytes_span(out, attachment->content_id);
        bytes_text(out, ">\r\n");
    }
    bytes_text(out, "\r\n");
    base64_lines(out, attachment->data);
}

static void write_attachments(const struct body *body, struct bytes *out, enum multipart multipart)
{
    const struct compose *compose = body->compose;
    for (size_t i = 0; i < compose->attachment_count; i++) {
        bool is_inline = body->has_inline && compose->attachments[i].content_id.size > 0;
        if (is_inline != (multipart == MULTIPART_RELATED))
            continue;
        begin_part(body, out, multipart);
        write_attachment(&compose->attachments[i], out);
    }
}

static void write_html(const struct body *body, struct bytes *out)
{
    if (!body->has_inline) {
        write_text(body->html, "html", out);
        return;
    }
    begin_multipart(body, out, MULTIPART_RELATED);
    begin_part(body, out, MULTIPART_RELATED);
    write_text(body->html, "html", out);
    write_attachments(body, out, MULTIPART_RELATED);
    end_multipart(body, out, MULTIPART_RELATED);
}

static void write_texts(const struct body *body, struct bytes *out)
{
    if (body->html.size == 0) {
        write_text(body->text, "plain", out);
    } else if (body->text.size == 0) {
        write_html(body, out);
    } else {
        begin_multipart(body, out, MULTIPART_ALTERNATIVE);
        begin_part(body, out, MULTIPART_ALTERNATIVE);
        write_text(body->text, "plain", out);
        begin_part(body, out, MULTIPART_ALTERNATIVE);
        write_html(body, out);
        end_multipart(body, out, MULTIPART_ALTERNATIVE);
    }
}

static void write_body(struct body *body, struct bytes *out)
{
    const struct compose *compose = body->compose;
    for (size_t i = 0; i < compose->attachment_count; i++) {
        /* Without HTML there is nothing that an inline part could be shown in. */
        bool is_inline = compose->attachments[i].content_id.size > 0 && body->html.size > 0;
        body->has_inline = body->has_inline || is_inline;
        body->has_attached = body->has_attached || !is_inline;
    }
    if (!body->has_attached) {
        write_texts(body, out);
        return;
    }
    begin_multipart(body, out, MULTIPART_MIXED);
    begin_part(body, out, MULTIPART_MIXED);
    write_texts(body, out);
    write_attachments(body, out, MULTIPART_MIXED);
    end_multipart(body, out, MULTIPART_MIXED);
}

int compose_body_write(const struct compose *compose, struct bytes *out, struct fault *fault)
{
    struct body body = { .compose = compose, .text = compose->text, .html = compose->html };
    struct bytes text, html;
    int rc = 0;
    bytes_init(&text, COMPOSE_BYTES_MAX);
    bytes_init(&html, COMPOSE_BYTES_MAX);
    if (compose->markdown.size > 0) {
        rc = markdown_text(compose->markdown, &text, fault);
        if (rc == 0)
            rc = markdown_html(compose->markdown, &html, fault);
        body.text = bytes_get(&text);
        body.html = bytes_get(&html);
    }
    if (rc == 0)
        write_body(&body, out);
    bytes_deinit(&html);
    bytes_deinit(&text);
    return rc;
}

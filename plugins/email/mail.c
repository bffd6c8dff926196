/* mail.c -- which part of a message is what; see mail.h. */
#include "mail.h"

#include "charset.h"
#include "fault.h"
#include "header.h"
#include "html_text.h"
#include "param.h"

#include <stdlib.h>
#include <string.h>

/* Copy what fits, whole characters only, controls and slashes as "_". */
static void set_name(char *to, size_t room, struct span text)
{
    size_t size = 0;
    while (text.size > 0) {
        size_t step = utf8_size(text);
        step = step == 0 ? 1 : step;
        if (size + step >= room)
            break;
        unsigned char c = (unsigned char)text.data[0];
        memcpy(to + size, text.data, step);
        if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
            to[size] = '_';
        size += step;
        text = span_from(text, step);
    }
    to[size] = '\0';
}

/* Parameter `name` of field `field`. */
static void get_param(struct span header, const char *field, const char *name, char *out,
                      size_t room)
{
    struct span value;
    struct bytes text;
    out[0] = '\0';
    bytes_init(&text, 4096);
    if (header_find(header, field, &value) && param_get(value, name, &text))
        set_name(out, room, span_trim(bytes_get(&text)));
    bytes_deinit(&text);
}

static int add_attachment(struct mail *mail, const struct mime_part *part, bool is_inline)
{
    if (mail->attachment_count == MAIL_ATTACHMENTS_MAX) {
        mail->is_attachments_cut = true;
        return 0;
    }
    if (mail->attachments == NULL)
        mail->attachments = calloc(MAIL_ATTACHMENTS_MAX, sizeof *mail->attachments);
    if (mail->attachments == NULL)
        return FAULT_MEMORY;
    struct mail_attachment *attachment = &mail->attachments[mail->attachment_count++];
    attachment->is_inline = is_inline;
    memcpy(attachment->type, part->type, sizeof attachment->type);
    get_param(part->header, "Content-Disposition", "filename", attachment->name,
              sizeof attachment->name);
    if (attachment->name[0] == '\0')
        get_param(part->header, "Content-Type", "name", attachment->name, sizeof attachment->name);
    mail->attachment = attachment;
    return 0;
}

/* The message itself: its header outlives the part. */
static int begin_message(struct mail *mail, const struct mime_part *part)
{
    bytes_span(&mail->header_copy, part->header);
    mail->header = bytes_get(&mail->header_copy);
    mail->is_report = strcmp(part->type, "multipart/report") == 0;
    return mail->header_copy.failed;
}

static bool begin_report(struct mail *mail, const char *type)
{
    bool is_status = strcmp(type, "message/delivery-status") == 0 ||
                     strcmp(type, "message/global-delivery-status") == 0;
    bool is_feedback = strcmp(type, "message/feedback-report") == 0;
    bool is_original = strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0 ||
                       strcmp(type, "text/rfc822-headers") == 0 ||
                       strcmp(type, "message/global-headers") == 0;
    if (!mail->is_report)
        return false;
    if ((is_status || is_feedback) && mail->report_kind == MAIL_NO_REPORT) {
        mail->report_kind = is_status ? MAIL_DELIVERY_STATUS : MAIL_FEEDBACK_REPORT;
        mail->target = &mail->report;
    } else if (is_original && mail->original.size == 0) {
        mail->target = &mail->original;
    }
    return mail->target != NULL;
}

static bool begin_text(struct mail *mail, const struct mime_part *part)
{
    if (strcmp(part->type, "text/plain") == 0 && !mail->has_plain) {
        get_param(part->header, "Content-Type", "charset", mail->plain_charset,
                  sizeof mail->plain_charset);
        mail->has_plain = true;
        mail->target = &mail->plain;
    } else if (strcmp(part->type, "text/html") == 0 && !mail->has_html) {
        get_param(part->header, "Content-Type", "charset", mail->html_charset,
                  sizeof mail->html_charset);
        mail->has_html = true;
        mail->target = &mail->html;
    }
    return mail->target != NULL;
}

static int on_part(void *arg, const struct mime_part *part)
{
    struct mail *mail = arg;
    struct span disposition;
    int rc = part->number == 0 ? begin_message(mail, part) : 0;
    mail->target = NULL;
    mail->attachment = NULL;
    if (rc != 0 || part->is_multipart)
        return rc;
    header_find(part->header, "Content-Disposition", &disposition);
    bool is_attached = span_is_word(param_main(disposition), "attachment");
    if (begin_report(mail, part->type) || (!is_attached && begin_text(mail, part)))
        return 0;
    return add_attachment(mail, part, !is_attached);
}

static int on_data(void *arg, struct span data)
{
    struct mail *mail = arg;
    if (mail->attachment != NULL)
        mail->attachment->size += data.size;
    if (mail->target == NULL)
        return 0;
    size_t taken = bytes_add_some(mail->target, data.data, data.size);
    bool is_text = mail->target == &mail->plain || mail->target == &mail->html;
    if (taken < data.size && is_text && mail->target->failed == 0)
        mail->is_text_cut = true;
    return mail->target->failed;
}

void mail_init(struct mail *mail)
{
    memset(mail, 0, sizeof *mail);
    mail->events = (struct mime_events){ on_part, on_data, mail };
    mime_reader_init(&mail->reader, &mail->events);
    bytes_init(&mail->header_copy, MIME_HEADER_BYTES_MAX);
    bytes_init(&mail->plain, MAIL_TEXT_MAX);
    bytes_init(&mail->html, MAIL_TEXT_MAX);
    bytes_init(&mail->report, MAIL_REPORT_MAX);
    bytes_init(&mail->original, MAIL_REPORT_MAX);
    bytes_init(&mail->text, MAIL_TEXT_MAX * 4); /* a byte of any charset is at most 4 of UTF-8 */
}

void mail_deinit(struct mail *mail)
{
    mime_reader_deinit(&mail->reader);
    bytes_deinit(&mail->header_copy);
    bytes_deinit(&mail->plain);
    bytes_deinit(&mail->html);
    bytes_deinit(&mail->report);
    bytes_deinit(&mail->original);
    bytes_deinit(&mail->text);
    free(mail->attachments);
    mail->attachments = NULL;
}

int mail_feed(struct mail *mail, struct span data, struct fault *fault)
{
    mail->size += data.size;
    return mime_feed(&mail->reader, data, fault);
}

/* CRLF and bare CR become LF, in place: it only shrinks. */
static void unify_line_ends(struct bytes *text)
{
    size_t to = 0;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] == '\r' && i + 1 < text->size && text->data[i + 1] == '\n')
            continue;
        text->data[to++] = (char)(text->data[i] == '\r' ? '\n' : text->data[i]);
    }
    text->size = to;
}

int mail_end(struct mail *mail, struct fault *fault)
{
    int rc = mime_end(&mail->reader, fault);
    if (rc != 0)
        return rc;
    mail->is_structure_cut = mail->reader.is_parts_cut || mail->reader.is_too_deep;
    mail->is_header_cut = mail->reader.is_header_cut;
    if (mail->plain.size > 0 || !mail->has_html) {
        charset_decode(span_of(mail->plain_charset), bytes_get(&mail->plain), &mail->text);
    } else {
        struct bytes html;
        bytes_init(&html, MAIL_TEXT_MAX * 4);
        charset_decode(span_of(mail->html_charset), bytes_get(&mail->html), &html);
        html_text(bytes_get(&html), &mail->text);
        if (html.failed != 0)
            mail->text.failed = html.failed;
        bytes_deinit(&html);
    }
    unify_line_ends(&mail->text);
    return bytes_check(&mail->text, "the text of a mail", fault);
}

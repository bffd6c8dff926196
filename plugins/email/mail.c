/* mail.c -- which part of a message is what; see mail.h. */
#include "mail.h"

#include "charset.h"
#include "fault.h"
#include "header.h"
#include "html_text.h"
#include "param.h"

#include <stdlib.h>
#include <string.h>

#define MAIL_DECODED_MAX (MAIL_TEXT_MAX * CHARSET_GROWTH_MAX)

/* Does the label say more than that somebody has set one?  Many say us-ascii of anything. */
static bool is_telling(struct span label)
{
    return charset_is_known(label) && !span_is_word(span_trim(label), "us-ascii") &&
           !span_is_word(span_trim(label), "ascii");
}

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

static bool is_plain(struct span text)
{
    return utf8_is_valid(text) && span_find(text, '\x1b') == text.size;
}

/* What is in no charset that it names: that of the text beside it, or what the house expects. */
static bool decode_unnamed(const struct mail *mail, struct span text, struct bytes *out)
{
    struct span beside = span_of(mail->piece_count > 0 ? mail->pieces[0].charset : "");
    if (span_find(text, '\x1b') < text.size)
        return charset_decode_strictly(span_of("iso-2022-jp"), text, out);
    return (is_telling(beside) && charset_decode_strictly(beside, text, out)) ||
           (is_telling(mail->charset) && charset_decode_strictly(mail->charset, text, out));
}

/* A header has encoded words for what is beyond ASCII, and some programs know nothing of them. */
static struct span decode_header(const struct mail *mail, struct span header, struct bytes *room)
{
    bytes_clear(room);
    if (is_plain(header) || !decode_unnamed(mail, header, room) || room->failed != 0)
        return header;
    return bytes_get(room);
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
    struct bytes room;
    bytes_init(&room, MIME_HEADER_BYTES_MAX * CHARSET_GROWTH_MAX);
    struct span header = decode_header(mail, part->header, &room);
    attachment->is_inline = is_inline;
    memcpy(attachment->type, part->type, sizeof attachment->type);
    get_param(header, "Content-Disposition", "filename", attachment->name, sizeof attachment->name);
    if (attachment->name[0] == '\0')
        get_param(header, "Content-Type", "name", attachment->name, sizeof attachment->name);
    bytes_deinit(&room);
    mail->attachment = attachment;
    return 0;
}

/* The message itself: its header outlives the part. */
static int begin_message(struct mail *mail, const struct mime_part *part)
{
    bytes_span(&mail->header_copy, part->header);
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

/* A multipart that nothing divides is text, too. */
static bool find_kind(const struct mime_part *part, enum mail_kind *out_kind)
{
    static const struct {
        const char *type;
        enum mail_kind kind;
    } kinds[] = {
        { "text/plain", MAIL_PLAIN },       { "text/html", MAIL_HTML },
        { "text/enriched", MAIL_ENRICHED }, { "text/richtext", MAIL_ENRICHED },
        { "text/markdown", MAIL_PLAIN },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(part->type, kinds[i].type) == 0) {
            *out_kind = kinds[i].kind;
            return true;
        }
    *out_kind = MAIL_PLAIN;
    return part->depth < MIME_DEPTH_MAX && span_begins_word(span_of(part->type), "multipart/");
}

static bool has_name(const struct mime_part *part)
{
    char name[2];
    get_param(part->header, "Content-Disposition", "filename", name, sizeof name);
    if (name[0] == '\0')
        get_param(part->header, "Content-Type", "name", name, sizeof name);
    return name[0] != '\0';
}

static bool begin_text(struct mail *mail, const struct mime_part *part)
{
    enum mail_kind kind;
    if (!find_kind(part, &kind) || (part->number != 0 && has_name(part)))
        return false;
    if (mail->piece_count == MAIL_PIECES_MAX) {
        mail->is_text_cut = true;
        return false;
    }
    mail->piece = &mail->pieces[mail->piece_count++];
    mail->target = &mail->raw[kind];
    *mail->piece =
        (struct mail_piece){ .kind = kind, .group = mail->group, .from = mail->target->size };
    get_param(part->header, "Content-Type", "charset", mail->piece->charset,
              sizeof mail->piece->charset);
    return true;
}

/* Alternatives within alternatives are some more of the same. */
static void note_group(struct mail *mail, const struct mime_part *part)
{
    if (mail->group != 0 && part->depth <= mail->group_depth)
        mail->group = 0;
    if (mail->group == 0 && part->is_multipart &&
        strcmp(part->type, "multipart/alternative") == 0) {
        mail->group = ++mail->group_count;
        mail->group_depth = part->depth;
    }
}

static int on_part(void *arg, const struct mime_part *part)
{
    struct mail *mail = arg;
    struct span disposition;
    int rc = part->number == 0 ? begin_message(mail, part) : 0;
    mail->target = NULL;
    mail->piece = NULL;
    mail->attachment = NULL;
    note_group(mail, part);
    if (rc != 0 || part->is_multipart)
        return rc;
    if (mail->pieces == NULL)
        mail->pieces = calloc(MAIL_PIECES_MAX, sizeof *mail->pieces);
    if (mail->pieces == NULL)
        return FAULT_MEMORY;
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
    if (mail->piece != NULL) {
        mail->piece->size += taken;
        mail->piece->is_cut = mail->piece->is_cut || taken < data.size;
    }
    return mail->target->failed;
}

void mail_init(struct mail *mail)
{
    memset(mail, 0, sizeof *mail);
    mail->events = (struct mime_events){ on_part, on_data, mail };
    mime_reader_init(&mail->reader, &mail->events);
    bytes_init(&mail->header_copy, MIME_HEADER_BYTES_MAX);
    bytes_init(&mail->header_decoded, MIME_HEADER_BYTES_MAX * CHARSET_GROWTH_MAX);
    for (int kind = 0; kind < MAIL_KINDS; kind++)
        bytes_init(&mail->raw[kind], MAIL_TEXT_MAX);
    bytes_init(&mail->report, MAIL_REPORT_MAX);
    bytes_init(&mail->original, MAIL_REPORT_MAX);
    bytes_init(&mail->text, MAIL_DECODED_MAX);
}

void mail_deinit(struct mail *mail)
{
    mime_reader_deinit(&mail->reader);
    bytes_deinit(&mail->header_copy);
    bytes_deinit(&mail->header_decoded);
    for (int kind = 0; kind < MAIL_KINDS; kind++)
        bytes_deinit(&mail->raw[kind]);
    bytes_deinit(&mail->report);
    bytes_deinit(&mail->original);
    bytes_deinit(&mail->text);
    free(mail->attachments);
    free(mail->pieces);
    mail->attachments = NULL;
    mail->pieces = NULL;
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

/* The words of RFC 1896: commands go, "<<" is a "<". */
static void enriched_text(struct span text, struct bytes *out)
{
    while (text.size > 0) {
        size_t angle = span_find(text, '<');
        bytes_add(out, text.data, angle);
        text = span_from(text, angle);
        bool is_doubled = text.size > 1 && text.data[1] == '<';
        if (is_doubled)
            bytes_byte(out, '<');
        text = span_from(text, is_doubled ? 2 : span_find(text, '>') + 1);
    }
}

static void decode_piece(const struct mail *mail, const struct mail_piece *piece, struct bytes *out)
{
    const struct bytes *raw = &mail->raw[piece->kind];
    struct span text = { raw->data == NULL ? NULL : raw->data + piece->from, piece->size };
    struct bytes marked;
    bool is_named = is_telling(span_of(piece->charset)) || is_plain(text);
    bytes_init(&marked, MAIL_DECODED_MAX);
    struct bytes *decoded = piece->kind == MAIL_PLAIN ? out : &marked;
    if (is_named || !decode_unnamed(mail, text, decoded))
        charset_decode(span_of(piece->charset), text, decoded);
    if (piece->kind == MAIL_HTML)
        html_text(bytes_get(&marked), out);
    if (piece->kind == MAIL_ENRICHED)
        enriched_text(bytes_get(&marked), out);
    if (marked.failed != 0)
        out->failed = marked.failed;
    bytes_deinit(&marked);
}

/* Nothing to see: also blanks beyond ASCII, and what has no width. */
static bool is_blank(struct span text)
{
    static const char *const blanks[] = { "\xc2\xa0", "\xe2\x80\x8b", "\xe3\x80\x80",
                                          "\xef\xbb\xbf" };
    while ((text = span_trim(text)).size > 0) {
        size_t i = 0;
        while (i < sizeof blanks / sizeof *blanks && !span_begins_word(text, blanks[i]))
            i++;
        if (i == sizeof blanks / sizeof *blanks)
            return false;
        text = span_from(text, strlen(blanks[i]));
    }
    return true;
}

/* Is a piece of this kind to be read in the group? */
static bool has_words(const struct mail *mail, unsigned group, enum mail_kind kind)
{
    bool is_found = false;
    for (size_t i = 0; !is_found && i < mail->piece_count; i++) {
        struct bytes text;
        if (mail->pieces[i].group != group || mail->pieces[i].kind != kind)
            continue;
        bytes_init(&text, MAIL_DECODED_MAX);
        decode_piece(mail, &mail->pieces[i], &text);
        is_found = !is_blank(bytes_get(&text));
        bytes_deinit(&text);
    }
    return is_found;
}

static bool is_shown(const struct mail *mail, const struct mail_piece *piece)
{
    for (int kind = 0; piece->group != 0 && kind < (int)piece->kind; kind++)
        if (has_words(mail, piece->group, (enum mail_kind)kind))
            return false;
    return true;
}

/* On lines of its own. */
static void add_piece(struct mail *mail, const struct mail_piece *piece)
{
    struct bytes text;
    bytes_init(&text, MAIL_DECODED_MAX);
    decode_piece(mail, piece, &text);
    unify_line_ends(&text);
    if (text.failed != 0)
        mail->text.failed = text.failed;
    else if (!is_blank(bytes_get(&text))) {
        if (mail->text.size > 0 && mail->text.data[mail->text.size - 1] != '\n')
            bytes_add_some(&mail->text, "\n", 1);
        size_t taken = bytes_add_some(&mail->text, text.data, text.size);
        mail->is_text_cut = mail->is_text_cut || piece->is_cut || taken < text.size;
    }
    bytes_deinit(&text);
}

int mail_end(struct mail *mail, struct fault *fault)
{
    int rc = mime_end(&mail->reader, fault);
    if (rc != 0)
        return rc;
    mail->is_structure_cut = mail->reader.is_parts_cut || mail->reader.is_too_deep;
    mail->is_header_cut = mail->reader.is_header_cut;
    mail->header = decode_header(mail, bytes_get(&mail->header_copy), &mail->header_decoded);
    for (size_t i = 0; i < mail->piece_count; i++)
        if (is_shown(mail, &mail->pieces[i]))
            add_piece(mail, &mail->pieces[i]);
    return bytes_check(&mail->text, "the text of a mail", fault);
}

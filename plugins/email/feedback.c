/* feedback.c -- see feedback.h. */
#include "feedback.h"

#include "charset.h"
#include "header.h"
#include "mail.h"
#include "param.h"

#include <string.h>

/* One line of printable text with single blanks, cut at a character. */
static void set_line(char *to, size_t room, struct span text)
{
    size_t size = 0;
    for (text = span_trim(text); text.size > 0;) {
        size_t step = utf8_size(text);
        unsigned char c = (unsigned char)text.data[0];
        bool is_blank = step == 0 || c <= 0x20 || c == 0x7f;
        struct span piece = is_blank ? span_of(" ") : (struct span){ text.data, step };
        if (size + piece.size >= room)
            break;
        if (!is_blank || size == 0 || to[size - 1] != ' ') {
            memcpy(to + size, piece.data, piece.size);
            size += piece.size;
        }
        text = span_from(text, step == 0 ? 1 : step);
    }
    to[size] = '\0';
}

/* "rfc822; ann@example.com" (RFC 3464, section 2.1.2). */
static void set_recipient(struct span value, struct address *address)
{
    size_t semicolon = span_find(value, ';');
    struct span kind = span_trim((struct span){ value.data, semicolon });
    if (semicolon == value.size || (!span_is_word(kind, "rfc822") && !span_is_word(kind, "utf-8")))
        return;
    if (address_parse(span_trim(span_from(value, semicolon + 1)), address, NULL) != 0)
        *address = (struct address){ .name = "" };
}

/* "smtp; 550 5.1.1 nobody": what the server itself said, where the report has no more than that it
 * failed. */
static void read_diagnostic(struct span value, char out[STATUS_SIZE])
{
    char status[STATUS_SIZE];
    struct span text = span_trim(span_from(value, span_find(value, ';') + 1));
    bool has_code = text.size > 4 && ascii_is_digit(text.data[0]) && ascii_is_digit(text.data[1]) &&
                    ascii_is_digit(text.data[2]) && (text.data[3] == ' ' || text.data[3] == '-');
    if (has_code)
        text = span_from(text, 4);
    status_read(text, status);
    if (status[0] == out[0])
        memcpy(out, status, sizeof status);
}

static enum feedback_kind kind_of(struct span action, const char *status)
{
    bool is_over = span_is_word(action, "failed") && (status[0] == '4' || status[0] == '5');
    if (is_over)
        return status_is_no_mailbox(status) ? FEEDBACK_BOUNCED : FEEDBACK_DEFERRED;
    if (span_is_word(action, "delayed"))
        return FEEDBACK_DELAYED;
    if (span_is_word(action, "delivered") || span_is_word(action, "relayed") ||
        span_is_word(action, "expanded"))
        return FEEDBACK_DELIVERED;
    return FEEDBACK_OTHER;
}

static void read_recipient(struct span fields, struct feedback_recipient *recipient)
{
    struct span value;
    *recipient = (struct feedback_recipient){ .kind = FEEDBACK_OTHER };
    if (header_find(fields, "Final-Recipient", &value))
        set_recipient(value, &recipient->final);
    if (header_find(fields, "Original-Recipient", &value))
        set_recipient(value, &recipient->original);
    if (header_find(fields, "Status", &value))
        status_read(span_trim(value), recipient->status);
    if (header_find(fields, "Diagnostic-Code", &value)) {
        set_line(recipient->diagnostic, sizeof recipient->diagnostic, value);
        if (strcmp(recipient->status, "5.0.0") == 0)
            read_diagnostic(span_of(recipient->diagnostic), recipient->status);
    }
    header_find(fields, "Action", &value);
    recipient->kind = kind_of(param_main(value), recipient->status);
}

/* The next group of fields; groups are separated by empty lines. */
static bool next_group(struct span *io_rest, struct span *out_group)
{
    struct span line, rest = *io_rest;
    while (span_line(&rest, &line) && span_trim(line).size == 0)
        *io_rest = rest;
    rest = *io_rest;
    while (span_line(&rest, &line) && span_trim(line).size > 0)
        ;
    *out_group = (struct span){ io_rest->data, io_rest->size - rest.size };
    *io_rest = rest;
    return out_group->size > 0;
}

/* How much it matters: what suppresses comes first. */
static int weight(enum feedback_kind kind)
{
    static const int weights[] = {
        [FEEDBACK_OTHER] = 0,      [FEEDBACK_DELIVERED] = 1, [FEEDBACK_DELAYED] = 2,
        [FEEDBACK_DEFERRED] = 3,   [FEEDBACK_BOUNCED] = 4,   [FEEDBACK_COMPLAINED] = 0,
        [FEEDBACK_AUTO_REPLY] = 0, [FEEDBACK_REPLIED] = 0,
    };
    return weights[kind];
}

/* The first group is about the message, each further one about a recipient (RFC 3464, 2.1). */
static bool next_failed(struct span *io_rest, struct feedback_recipient *out_recipient)
{
    struct span group, value;
    while (next_group(io_rest, &group))
        if (header_find(group, "Final-Recipient", &value)) {
            read_recipient(group, out_recipient);
            return true;
        }
    return false;
}

static bool next_complaining(struct span *io_rest, struct feedback_recipient *out_recipient)
{
    struct header_field field;
    while (header_next(io_rest, &field)) {
        if (!span_is_word(field.name, "Original-Rcpt-To"))
            continue;
        *out_recipient = (struct feedback_recipient){ .kind = FEEDBACK_COMPLAINED };
        if (address_parse(span_trim(field.value), &out_recipient->final, NULL) != 0)
            out_recipient->final = (struct address){ .name = "" };
        return true;
    }
    return false;
}

/* Whom the report speaks of, one after the other. */
static bool next_recipient(const struct mail *mail, struct span *io_rest,
                           struct feedback_recipient *out_recipient)
{
    return mail->report_kind == MAIL_DELIVERY_STATUS ? next_failed(io_rest, out_recipient)
                                                     : next_complaining(io_rest, out_recipient);
}

static void read_status(const struct mail *mail, struct feedback *feedback)
{
    struct span rest = bytes_get(&mail->report);
    struct feedback_recipient recipient;
    while (next_recipient(mail, &rest, &recipient)) {
        feedback->names_somebody = true;
        if (weight(recipient.kind) > weight(feedback->kind))
            feedback->kind = recipient.kind;
    }
    if (feedback->kind == FEEDBACK_OTHER)
        feedback->kind = FEEDBACK_AUTO_REPLY;
}

/* RFC 5965, section 3; "not-spam" is the opposite of a complaint. */
static void read_complaint(const struct mail *mail, struct feedback *feedback)
{
    struct span fields = bytes_get(&mail->report), value;
    header_find(fields, "Feedback-Type", &value);
    set_line(feedback->complaint, sizeof feedback->complaint, param_main(value));
    struct span type = span_of(feedback->complaint);
    bool is_complaint = span_is_word(type, "abuse") || span_is_word(type, "fraud") ||
                        span_is_word(type, "virus") || span_is_word(type, "other");
    feedback->kind = is_complaint ? FEEDBACK_COMPLAINED : FEEDBACK_AUTO_REPLY;
    feedback->names_somebody = header_find(fields, "Original-Rcpt-To", &value);
}

static bool has_precedence(struct span header, const char *word)
{
    struct span value;
    return header_find(header, "Precedence", &value) && span_is_word(span_trim(value), word);
}

/* Did it come by a mailing list, which passes on what people write? */
static bool is_list(struct span header)
{
    static const char *const marks[] = { "List-Id", "List-Post", "List-Unsubscribe" };
    struct span value;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (header_find(header, marks[i], &value))
            return true;
    return has_precedence(header, "list");
}

/* Did a machine write it as an answer?  RFC 3834 and what was in use before it. */
static bool is_automatic(struct span header, struct span sender)
{
    static const char *const marks[] = { "X-Autoreply", "X-Autorespond", "X-Autoresponder" };
    struct span value;
    if (header_find(header, "Auto-Submitted", &value) && !span_is_word(param_main(value), "no"))
        return true;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (header_find(header, marks[i], &value) && !span_is_word(span_trim(value), "no"))
            return true;
    bool is_bulk = has_precedence(header, "bulk") || has_precedence(header, "junk");
    if (has_precedence(header, "auto_reply") || (is_bulk && !is_list(header)))
        return true;
    return sender.size == 0; /* the null sender asks for no answer, so it is none */
}

/* The first Message-ID of `field` that is ours and sound; a forged one is remembered. */
static enum verp_verdict find_id(struct span header, const char *field,
                                 const struct feedback_context *context,
                                 struct verp_effect *out_effect)
{
    enum verp_verdict worst = VERP_NOT_OURS;
    struct span rest;
    header_find(header, field, &rest);
    for (unsigned i = 0; rest.size > 0 && i < FEEDBACK_IDS_MAX; i++) {
        rest = span_from(rest, span_find(rest, '<'));
        size_t size = span_find(rest, '>') + 1;
        if (size > rest.size)
            break;
        enum verp_verdict verdict = verp_id_read(context->key, context->domain,
                                                 (struct span){ rest.data, size }, out_effect);
        if (verdict == VERP_VALID)
            return verdict;
        worst = verdict == VERP_NOT_OURS ? worst : verdict;
        rest = span_from(rest, size);
    }
    return worst;
}

static void prove_by_id(struct span header, const char *field,
                        const struct feedback_context *context, struct feedback *feedback)
{
    struct verp_effect effect = { .seq = 0 };
    enum verp_verdict verdict = find_id(header, field, context, &effect);
    if (verdict == VERP_NOT_OURS || feedback->verdict == VERP_VALID)
        return;
    feedback->verdict = verdict;
    feedback->proof = FEEDBACK_MESSAGE_ID;
    if (verdict == VERP_VALID)
        feedback->effect = effect;
}

/* A return path that was offered decides, whatever else is in the mail. */
static void find_proof(const struct mail *mail, const struct feedback_context *context,
                       struct feedback *feedback)
{
    feedback->verdict = verp_read(context->key, context->domain, context->recipient, context->now_s,
                                  &feedback->effect);
    if (feedback->verdict != VERP_NOT_OURS) {
        feedback->proof = FEEDBACK_RETURN_PATH;
        return;
    }
    if (feedback->kind == FEEDBACK_COMPLAINED) {
        prove_by_id(bytes_get(&mail->original), "Message-ID", context, feedback);
    } else if (feedback->kind == FEEDBACK_OTHER || feedback->kind == FEEDBACK_AUTO_REPLY) {
        prove_by_id(mail->header, "In-Reply-To", context, feedback);
        prove_by_id(mail->header, "References", context, feedback);
    }
}

void feedback_read(const struct mail *mail, const struct feedback_context *context,
                   struct feedback *out_feedback)
{
    struct feedback *feedback = out_feedback;
    *feedback = (struct feedback){
        .kind = FEEDBACK_OTHER,
        .verdict = VERP_NOT_OURS,
        .is_list = is_list(mail->header),
        .oldest_s = context->now_s - context->report_s,
        .mail = mail,
    };
    if (mail->report_kind == MAIL_DELIVERY_STATUS)
        read_status(mail, feedback);
    else if (mail->report_kind == MAIL_FEEDBACK_REPORT)
        read_complaint(mail, feedback);
    else if (is_automatic(mail->header, context->sender))
        feedback->kind = FEEDBACK_AUTO_REPLY;
    find_proof(mail, context, feedback);
    if (feedback->kind == FEEDBACK_OTHER && feedback->verdict == VERP_VALID)
        feedback->kind = FEEDBACK_REPLIED;
}

/* What the report says about `expected`; false: nothing. */
static bool find_recipient(const struct feedback *feedback, const struct address *expected,
                           struct feedback_recipient *out_recipient)
{
    struct span rest = bytes_get(&feedback->mail->report);
    struct feedback_recipient recipient;
    bool is_found = false;
    while (next_recipient(feedback->mail, &rest, &recipient)) {
        if (!address_equal(&recipient.final, expected) &&
            !address_equal(&recipient.original, expected))
            continue;
        if (!is_found || weight(recipient.kind) > weight(out_recipient->kind))
            *out_recipient = recipient;
        is_found = true;
    }
    return is_found;
}

enum feedback_verdict feedback_judge(const struct feedback *feedback,
                                     const struct feedback_effect *effect,
                                     struct feedback_recipient *out_recipient)
{
    struct feedback_recipient recipient = { .kind = feedback->kind };
    bool is_complaint = feedback->kind == FEEDBACK_COMPLAINED;
    bool is_over = is_complaint && feedback->proof == FEEDBACK_MESSAGE_ID &&
                   effect->sent_s < feedback->oldest_s;
    if (feedback->verdict == VERP_FORGED)
        return FEEDBACK_FORGED;
    if (feedback->verdict != VERP_VALID && feedback->verdict != VERP_STALE)
        return FEEDBACK_NOT_PROVEN;
    if (feedback->verdict == VERP_STALE || is_over)
        return FEEDBACK_STALE;
    /* A complaint may leave the recipient out; a delivery status may not. */
    bool is_about_somebody =
        feedback->names_somebody || (feedback->kind != FEEDBACK_REPLIED &&
                                     feedback->kind != FEEDBACK_AUTO_REPLY && !is_complaint);
    if (is_about_somebody && !find_recipient(feedback, &effect->recipient, &recipient))
        return FEEDBACK_ANOTHER_RECIPIENT;
    if (out_recipient != NULL)
        *out_recipient = recipient;
    return FEEDBACK_BELIEVED;
}

const char *feedback_verdict_text(enum feedback_verdict verdict)
{
    static const char *const texts[] = {
        "believed",
        "knows no message of ours",
        "forged: its token is not signed with our key",
        "stale: reports about its message are over",
        "about a recipient whom the message did not go to",
    };
    return texts[verdict];
}

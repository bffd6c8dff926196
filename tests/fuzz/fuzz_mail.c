/* fuzz_mail.c -- mail from outside, and what it tells about ours, under libFuzzer.
 *
 * Beside crashes it looks for promises that do not hold: in whatever pieces a message comes it is
 * the same; its text is UTF-8 and within its limit; and without a return path of ours, or a
 * Message-ID, nothing that it says is believed.
 */
#include "core/base/mem.h"
#include "plugins/email/charset.h"
#include "plugins/email/feedback.h"
#include "plugins/email/mail.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_in_pieces(struct mail *mail, struct span all, size_t piece)
{
    mail_init(mail);
    for (size_t at = 0; at < all.size; at += piece) {
        struct span rest = span_from(all, at);
        if (rest.size > piece)
            rest.size = piece;
        ASSERT(mail_feed(mail, rest, NULL) == 0);
    }
    ASSERT(mail_end(mail, NULL) == 0);
}

static void check_same_bytes(const struct bytes *one, const struct bytes *other)
{
    ASSERT(one->size == other->size);
    ASSERT(one->size == 0 || memcmp(one->data, other->data, one->size) == 0);
}

static void check_same(const struct mail *one, const struct mail *other)
{
    ASSERT(span_equal(one->header, other->header));
    ASSERT(one->report_kind == other->report_kind && one->size == other->size);
    check_same_bytes(&one->text, &other->text);
    check_same_bytes(&one->report, &other->report);
    check_same_bytes(&one->original, &other->original);
    ASSERT(one->attachment_count == other->attachment_count);
    for (size_t i = 0; i < one->attachment_count; i++) {
        ASSERT(strcmp(one->attachments[i].name, other->attachments[i].name) == 0);
        ASSERT(strcmp(one->attachments[i].type, other->attachments[i].type) == 0);
        ASSERT(one->attachments[i].size == other->attachments[i].size);
    }
}

static void check_text(const struct mail *mail)
{
    ASSERT(mail->text.size <= CHARSET_GROWTH_MAX * (size_t)MAIL_TEXT_MAX);
    ASSERT(utf8_is_valid((struct span){ mail->text.data, mail->text.size }));
}

/* To an address that is none of our return paths: it is for whoever reads it, and no more. */
static void check_forgery(const struct mail *mail)
{
    struct feedback_context context = {
        .key = span_of("0123456789abcdef0123456789abcdef"),
        .domain = span_of("bounces.example"),
        .sender = span_of(""),
        .recipient = span_of("b+1.2.3.aaaaaaaaaaaaaaaa@bounces.example"),
        .now_s = 1767225600,
        .report_s = 30 * 86400,
    };
    struct feedback feedback;
    feedback_read(mail, &context, &feedback);
    ASSERT(feedback.verdict != VERP_VALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mail whole, pieces;
    struct span all = { (const char *)data, size };
    read_in_pieces(&whole, all, size != 0 ? size : 1);
    read_in_pieces(&pieces, all, 1 + (size != 0 ? data[0] % 17 : 0));
    check_same(&whole, &pieces);
    check_text(&whole);
    check_forgery(&whole);
    mail_deinit(&whole);
    mail_deinit(&pieces);
    return 0;
}

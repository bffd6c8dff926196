/* test_hostile.c -- mails and dialogues that nobody meant to write, made from ones that somebody
 * did: bytes changed, pieces cut, doubled and moved, always the same way.
 *
 * Under the sanitizers the first promise is that nothing happens.  The others: it does not
 * matter in which pieces a mail comes; texts are valid UTF-8; no mutation of a bounce is believed
 * about a recipient it was not about; no input to compose makes one header field more.
 */
#include "plugins/email/address.h"
#include "plugins/email/charset.h"
#include "plugins/email/compose.h"
#include "plugins/email/feedback.h"
#include "plugins/email/header.h"
#include "plugins/email/lmtp.h"
#include "plugins/email/mail.h"
#include "plugins/email/param.h"
#include "plugins/email/word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX 4000
#define ROUNDS 1500

#define LMTP_SEED                                                                     \
    "LHLO me\r\nMAIL FROM:<\"a b\"@c.example> SIZE=100\r\nRCPT TO:<ok@x.example>\r\n" \
    "RCPT TO:<no@x.example>\r\nDATA\r\nA: b\r\n\r\n..\r\n.x\r\n.\r\nRSET\r\nVRFY x\r\nQUIT\r\n"

static const char *const seeds[] = {
    "From: =?utf-8?q?Gr=C3=BC=C3=9Fe?= <a@b.example>\r\nTo: g: a@b.example, \"c d\" "
    "<e@f.example>;\r\n"
    "Subject: =?gb2312?b?tLrM7A==?= x\r\nContent-Type: multipart/mixed; boundary=\"b b\"\r\n\r\n"
    "--b b\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=1B$B$3=1B(B =3D=\r\nx \r\n"
    "--b b\r\nContent-Type: application/pdf; name*0*=utf-8''%C3%BC; name*1=\"x.pdf\"\r\n"
    "Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAw==\r\n"
    "--b b--\r\n",
    "From: MAILER-DAEMON@mx.example\r\nIn-Reply-To: <1.2.abcdefghijklmnop@mail.example>\r\n"
    "Content-Type: multipart/report; boundary=r\r\n\r\n--r\r\n\r\nSorry\r\n"
    "--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
    "Final-Recipient: rfc822; bob@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    "Diagnostic-Code: smtp; 550\r\n nobody\r\n\r\n--r\r\nContent-Type: message/rfc822\r\n\r\n"
    "Message-ID: <x@y>\r\n\r\nHi\r\n--r--\r\n",
    "Content-Type: multipart/a; boundary=a\n\n--a\nContent-Type: multipart/b; boundary=aa\n\n--aa\n"
    "Content-Type: text/html\n\n<p>x<!-- y --><style>z</style>&amp;&#8364;<br\n--aa--\n--a\n"
    "Content-Type: text/plain; charset=utf-16\n\n\0x\n--a--\n",
    LMTP_SEED,
};

static uint32_t chance(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)*seed * below) >> 32);
}

/* A few changes to `text`, in place. */
static size_t mutate(char *text, size_t size, uint32_t *seed)
{
    static const char *const bits[] = { "\r\n", "\r",   "\n", ".", "\"", "=?",   "?=",   "(",
                                        ")",    "<",    ">",  ";", "--", "\0",   "\xff", "%",
                                        "*0*=", "\xc3", "@",  ",", "=",  "\n\n", " ",    "\\" };
    for (uint32_t i = chance(seed, 6) + 1; i > 0; i--) {
        size_t at = size == 0 ? 0 : chance(seed, (uint32_t)size);
        const char *bit = bits[chance(seed, sizeof bits / sizeof *bits)];
        size_t bit_size = bit[0] == '\0' ? 1 : strlen(bit), run;
        switch (chance(seed, 4)) {
        case 0: /* a byte */
            if (size > 0)
                text[at] = (char)chance(seed, 256);
            break;
        case 1: /* cut */
            run = chance(seed, 60) < size - at ? chance(seed, 60) : size - at;
            run = run < size - at ? run : size - at;
            memmove(text + at, text + at + run, size - at - run);
            size -= run;
            break;
        case 2: /* put in */
            if (size + bit_size > TEXT_MAX)
                break;
            memmove(text + at + bit_size, text + at, size - at);
            memcpy(text + at, bit, bit_size);
            size += bit_size;
            break;
        default: /* double */
            run = chance(seed, 200);
            run = run < size - at ? run : size - at;
            if (size + run > TEXT_MAX)
                break;
            memmove(text + at + run, text + at, size - at);
            size += run;
        }
    }
    return size;
}

struct digest {
    char text[TEXT_MAX * 4];
    size_t text_size, attachment_count, report_size;
    uint64_t attachment_bytes;
};

static void judge(const struct mail *mail)
{
    static const char path[] = "bounce+1842.0.1.20000.aaaaaaaaaaaaaaaa@mail.example";
    struct feedback_context context = {
        span_of("0123456789abcdef"), span_of("mail.example"), span_of(""), span_of(path), 0, 0
    };
    static struct feedback feedback;
    struct feedback_effect expected = { .recipient = { .local = "ann", .domain = "example.com" } };
    feedback_read(mail, &context, &feedback);
    assert_int_not_equal(feedback_judge(&feedback, &expected, NULL), FEEDBACK_BELIEVED);
    feedback.verdict = VERP_VALID; /* even then: the report is about bob */
    if (feedback.kind == FEEDBACK_BOUNCED)
        assert_int_equal(feedback_judge(&feedback, &expected, NULL), FEEDBACK_ANOTHER_RECIPIENT);
}

static void read_fields(struct span header)
{
    static struct address list[10];
    struct header_field field;
    while (header_next(&header, &field)) {
        struct bytes out;
        size_t count;
        bytes_init(&out, 1u << 20);
        word_decode(field.value, &out);
        assert_true(utf8_is_valid(bytes_get(&out)));
        bytes_clear(&out);
        param_get(field.value, "name", &out);
        assert_true(utf8_is_valid(bytes_get(&out)));
        bytes_deinit(&out);
        address_list_parse(field.value, list, 10, &count, NULL);
    }
}

/* Read `text` in pieces of up to `step` bytes. */
static void digest(const char *text, size_t size, uint32_t step, uint32_t *seed, struct digest *out)
{
    static struct mail mail;
    mail_init(&mail);
    for (size_t at = 0; at < size;) {
        size_t piece = chance(seed, step) + 1;
        piece = piece < size - at ? piece : size - at;
        assert_int_equal(mail_feed(&mail, (struct span){ text + at, piece }, NULL), 0);
        at += piece;
    }
    assert_int_equal(mail_end(&mail, NULL), 0);
    assert_true(utf8_is_valid(bytes_get(&mail.text)));
    assert_true(mail.text.size <= sizeof out->text);
    memset(out, 0, sizeof *out);
    out->text_size = mail.text.size;
    if (mail.text.size > 0)
        memcpy(out->text, mail.text.data, mail.text.size);
    out->report_size = mail.report.size;
    out->attachment_count = mail.attachment_count;
    for (size_t i = 0; i < mail.attachment_count; i++)
        out->attachment_bytes += mail.attachments[i].size;
    read_fields(mail.header);
    judge(&mail);
    mail_deinit(&mail);
}

static void mutated_mails_are_the_same_in_any_pieces(void **state)
{
    (void)state;
    static struct digest whole, pieces;
    static char text[TEXT_MAX];
    uint32_t seed = 42;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const char *from = seeds[round % 4];
        size_t size = strlen(from);
        memcpy(text, from, size);
        size = mutate(text, size, &seed);
        digest(text, size, TEXT_MAX, &seed, &whole);
        digest(text, size, 1 + round % 20, &seed, &pieces);
        assert_memory_equal(&whole, &pieces, sizeof whole);
    }
}

static enum lmtp_answer on_recipient(void *arg, struct span address, const char **out_text)
{
    (void)arg, (void)out_text;
    return span_begins_word(address, "ok") ? LMTP_ACCEPT : LMTP_REFUSE;
}

static void on_begin(void *arg)
{
    (void)arg;
}

static bool on_data(void *arg, struct span data)
{
    bytes_span(arg, data);
    return true;
}

static void talk(const char *text, size_t size, uint32_t step, uint32_t *seed, struct bytes *out,
                 struct bytes *message)
{
    static struct lmtp lmtp;
    struct lmtp_config config = { "x", 500, { on_recipient, on_begin, on_data, message } };
    lmtp_init(&lmtp, &config, out);
    for (size_t at = 0; at < size && lmtp.state != LMTP_CLOSED;) {
        size_t piece = chance(seed, step) + 1;
        piece = piece < size - at ? piece : size - at;
        at += lmtp_feed(&lmtp, (struct span){ text + at, piece }, out);
        while (lmtp.state == LMTP_WAITING)
            lmtp_answer(&lmtp, LMTP_ACCEPT, NULL, out);
    }
}

static void mutated_dialogues_are_the_same_in_any_pieces(void **state)
{
    (void)state;
    static char text[TEXT_MAX];
    uint32_t seed = 7;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct bytes outs[2], messages[2];
        size_t size = strlen(seeds[3]);
        memcpy(text, seeds[3], size);
        size = mutate(text, size, &seed);
        for (unsigned i = 0; i < 2; i++) {
            bytes_init(&outs[i], 1u << 20);
            bytes_init(&messages[i], 1u << 20);
            talk(text, size, i == 0 ? TEXT_MAX : 1 + round % 9, &seed, &outs[i], &messages[i]);
        }
        assert_true(span_equal(bytes_get(&outs[0]), bytes_get(&outs[1])));
        assert_true(span_equal(bytes_get(&messages[0]), bytes_get(&messages[1])));
        for (unsigned i = 0; i < 2; i++) {
            bytes_deinit(&outs[i]);
            bytes_deinit(&messages[i]);
        }
    }
}

/* The fields of the header and the parts of the body; CR and LF only together. */
static size_t count_fields(struct span message)
{
    size_t count = 0;
    struct header_field field;
    for (size_t i = 0; i < message.size; i++) {
        assert_true(message.data[i] != '\n' || (i > 0 && message.data[i - 1] == '\r'));
        assert_true(message.data[i] != '\r' ||
                    (i + 1 < message.size && message.data[i + 1] == '\n'));
        assert_true((unsigned char)message.data[i] < 0x80 && message.data[i] != '\0');
    }
    while (header_next(&message, &field))
        count++;
    return count;
}

static void no_input_makes_one_header_field_more(void **state)
{
    (void)state;
    static char texts[4][TEXT_MAX];
    static const char *const good[] = { "Ann <ann@x.example>", "a =?utf-8?q?b?= \xc3\xbc", "value",
                                        "file.pdf" };
    uint32_t seed = 11;
    unsigned made = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct span spans[4];
        for (size_t i = 0; i < 4; i++) {
            size_t size = strlen(good[i]);
            memcpy(texts[i], good[i], size);
            spans[i] =
                (struct span){ texts[i], round % 4 == i ? mutate(texts[i], size, &seed) : size };
        }
        struct compose_header header = { span_of("X-Note"), spans[2] };
        struct compose_attachment attachment = { .name = spans[3], .data = spans[1] };
        struct compose compose = {
            .id = span_of("1.2"),
            .domain = span_of("x.example"),
            .from = spans[0],
            .to = spans[0],
            .subject = spans[1],
            .text = span_of("Hi"),
            .headers = &header,
            .header_count = 1,
            .attachments = &attachment,
            .attachment_count = 1,
        };
        struct bytes out;
        bytes_init(&out, 1u << 20);
        if (compose_message(&compose, &out, NULL) == 0) {
            assert_int_equal(count_fields(bytes_get(&out)), 8);
            made++;
        }
        bytes_deinit(&out);
    }
    assert_in_range(made, ROUNDS / 10, ROUNDS - ROUNDS / 10); /* both happen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_mails_are_the_same_in_any_pieces),
        cmocka_unit_test(mutated_dialogues_are_the_same_in_any_pieces),
        cmocka_unit_test(no_input_makes_one_header_field_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

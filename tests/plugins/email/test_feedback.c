/* test_feedback.c -- what feedback.h promises: what a mail claims, and when it is believed. */
#include "plugins/email/feedback.h"

#include "plugins/email/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct verp_effect effect = { 1842, 0, 1, 20000ll * 86400 };

static struct {
    struct mail mail;
    struct feedback feedback;
    char return_path[200], message_id[200];
    struct feedback_context context;
    struct feedback_effect expected;
    struct feedback_recipient row;
} now;

static void copy(char *to, size_t room, struct bytes *from)
{
    assert_true(from->size < room);
    memcpy(to, from->data, from->size);
    to[from->size] = '\0';
    bytes_deinit(from);
}

static int begin(void **state)
{
    (void)state;
    struct bytes out;
    memset(&now, 0, sizeof now);
    now.context = (struct feedback_context){ .key = span_of("0123456789abcdef"),
                                             .domain = span_of("mail.shop.example"),
                                             .sender = span_of("ann@example.com"),
                                             .now_s = 19999ll * 86400,
                                             .report_s = 30 * 86400 };
    now.expected.sent_s = now.context.now_s;
    bytes_init(&out, 200);
    verp_write(now.context.key, now.context.domain, &effect, &out, NULL);
    copy(now.return_path, sizeof now.return_path, &out);
    bytes_init(&out, 200);
    bytes_text(&out, "<");
    verp_id_write(now.context.key, now.context.domain, &effect, &out, NULL);
    bytes_text(&out, "@mail.shop.example>");
    copy(now.message_id, sizeof now.message_id, &out);
    now.context.recipient = span_of(now.return_path);
    mail_init(&now.mail);
    return address_parse(span_of("ann@example.com"), &now.expected.recipient, NULL);
}

static int end(void **state)
{
    (void)state;
    mail_deinit(&now.mail);
    return 0;
}

/* The verdict on a mail. */
static enum feedback_verdict judge(const char *text)
{
    mail_deinit(&now.mail);
    mail_init(&now.mail);
    assert_int_equal(mail_feed(&now.mail, span_of(text), NULL), 0);
    assert_int_equal(mail_end(&now.mail, NULL), 0);
    feedback_read(&now.mail, &now.context, &now.feedback);
    return feedback_judge(&now.feedback, &now.expected, &now.row);
}

static const char *report(const char *recipient, const char *action, const char *status)
{
    static char text[2000];
    snprintf(text, sizeof text,
             "From: MAILER-DAEMON@mx.example\r\nAuto-Submitted: auto-replied\r\n"
             "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
             "--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
             "Reporting-MTA: dns; mx.example\r\n\r\n"
             "Final-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: %s (no)\r\n"
             "Diagnostic-Code: smtp; 550 5.1.1\r\n  nobody\r\n\r\n"
             "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Hello\r\n--b--\r\n",
             recipient, action, status);
    return text;
}

static void a_delivery_status_says_what_happened(void **state)
{
    (void)state;
    static const struct {
        const char *action, *status;
        enum feedback_kind kind;
    } rows[] = {
        { "failed", "5.1.1", FEEDBACK_BOUNCED },      { "Failed", "5.2.1", FEEDBACK_BOUNCED },
        { "failed", "5.1.10", FEEDBACK_BOUNCED },     { "failed", "5.2.2", FEEDBACK_DEFERRED },
        { "failed", "5.7.1", FEEDBACK_DEFERRED },     { "failed", "5.3.4", FEEDBACK_DEFERRED },
        { "failed", "5.1.11", FEEDBACK_DEFERRED },    { "failed", "2.0.0", FEEDBACK_AUTO_REPLY },
        { "failed", "4.2.2", FEEDBACK_DEFERRED },     { "delayed", "4.4.1", FEEDBACK_DELAYED },
        { "delivered", "2.0.0", FEEDBACK_DELIVERED }, { "relayed", "2.0.0", FEEDBACK_DELIVERED },
        { "failed", "x", FEEDBACK_AUTO_REPLY },       { "frob", "5.1.1", FEEDBACK_AUTO_REPLY },
        { "failed", "5", FEEDBACK_AUTO_REPLY },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(judge(report("Ann@Example.com", rows[i].action, rows[i].status)),
                         FEEDBACK_BELIEVED);
        assert_int_equal(now.feedback.kind, rows[i].kind);
        assert_int_equal(now.feedback.proof, FEEDBACK_RETURN_PATH);
        assert_int_equal(now.feedback.effect.seq, 1842);
    }
    judge(report("ann@example.com", "failed", "5.1.1"));
    assert_string_equal(now.row.diagnostic, "smtp; 550 5.1.1 nobody");
    assert_string_equal(now.row.status, "5.1.1");
}

/* "It failed" and no more: the server's own words count, if it has said any. */
static void a_diagnostic_says_what_the_status_does_not(void **state)
{
    (void)state;
    char text[2000];
    judge(report("ann@example.com", "failed", "5.0.0"));
    assert_int_equal(now.feedback.kind, FEEDBACK_BOUNCED);
    assert_string_equal(now.row.status, "5.1.1");
    static const char *const words[] = { "550 5.7.1", "550 no!!!", "450 4.1.1", "5.1.1 550" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        snprintf(text, sizeof text, "%s", report("ann@example.com", "failed", "5.0.0"));
        memcpy(strstr(text, "550 5.1.1"), words[i], 9);
        judge(text);
        assert_int_equal(now.feedback.kind, i == 3 ? FEEDBACK_BOUNCED : FEEDBACK_DEFERRED);
    }
}

static void forged_bounces_are_not_believed(void **state)
{
    (void)state;
    const char *bounce = report("ann@example.com", "failed", "5.1.1");
    now.return_path[15] ^= 1;
    assert_int_equal(judge(bounce), FEEDBACK_FORGED);
    now.return_path[15] ^= 1;
    now.context.now_s = 20001ll * 86400;
    assert_int_equal(judge(bounce), FEEDBACK_STALE);
    now.context.now_s = 0;
    now.context.recipient = span_of("care@shop.example");
    assert_int_equal(judge(bounce), FEEDBACK_NOT_PROVEN);
    now.context.recipient = span_of("bounce+1842.0.1.20000@mail.shop.example");
    assert_int_equal(judge(bounce), FEEDBACK_FORGED);
    now.context.recipient = span_of(now.return_path);
    assert_int_equal(judge(report("bob@example.com", "failed", "5.1.1")),
                     FEEDBACK_ANOTHER_RECIPIENT);
    assert_int_equal(judge(report("not an address", "failed", "5.1.1")),
                     FEEDBACK_ANOTHER_RECIPIENT);
    bounce = report("ann@example.com", "failed", "5.1.1");
    assert_int_equal(judge(bounce), FEEDBACK_BELIEVED);
}

/* The Message-ID of ours in it is no proof for a bounce: any recipient knows it. */
static void a_message_id_does_not_prove_a_bounce(void **state)
{
    (void)state;
    char text[3000];
    now.context.recipient = span_of("care@shop.example");
    snprintf(text, sizeof text, "In-Reply-To: %s\r\n%s", now.message_id,
             report("ann@example.com", "failed", "5.1.1"));
    assert_int_equal(judge(text), FEEDBACK_NOT_PROVEN);
}

static const char *complaint(const char *type, const char *recipient, const char *message_id)
{
    static char text[2000];
    snprintf(text, sizeof text,
             "From: fbl@isp.example\r\n"
             "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
             "--b\r\n\r\nabuse\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
             "Feedback-Type: %s\r\nVersion: 1\r\n%s\r\n"
             "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Hello\r\nMessage-ID: %s\r\n\r\nHi"
             "\r\n--b--\r\n",
             type, recipient, message_id);
    return text;
}

static void complaints_prove_themselves_by_the_original(void **state)
{
    (void)state;
    now.context.recipient = span_of("fbl@shop.example");
    assert_int_equal(judge(complaint("abuse", "", now.message_id)), FEEDBACK_BELIEVED);
    assert_int_equal(now.feedback.kind, FEEDBACK_COMPLAINED);
    assert_string_equal(now.feedback.complaint, "abuse");
    assert_int_equal(now.feedback.proof, FEEDBACK_MESSAGE_ID);
    assert_int_equal(
        judge(complaint("abuse", "Original-Rcpt-To: <ann@example.com>\r\n", now.message_id)),
        FEEDBACK_BELIEVED);
    assert_int_equal(
        judge(complaint("abuse", "Original-Rcpt-To: bob@example.com\r\n", now.message_id)),
        FEEDBACK_ANOTHER_RECIPIENT);
    assert_int_equal(judge(complaint("abuse", "", "<1842.0.aaaaaaaaaaaaaaaa@mail.shop.example>")),
                     FEEDBACK_FORGED);
    assert_int_equal(judge(complaint("abuse", "", "<other@isp.example>")), FEEDBACK_NOT_PROVEN);
    now.context.now_s += 30 * 86400;
    assert_int_equal(judge(complaint("abuse", "", now.message_id)), FEEDBACK_BELIEVED);
    now.context.now_s++; /* a Message-ID has no day, but its message has */
    assert_int_equal(judge(complaint("abuse", "", now.message_id)), FEEDBACK_STALE);
    now.context.now_s = 19999ll * 86400;
    judge(complaint("not-spam", "", now.message_id));
    assert_int_equal(now.feedback.kind, FEEDBACK_AUTO_REPLY);
}

static void machines_are_told_from_people(void **state)
{
    (void)state;
    static const char *const automatic[] = {
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-generated; x=y\n",
        "X-Autoreply: yes\n",
        "Precedence: bulk\n",
        "X-Autorespond: x\n",
        "List-Id: <l.example>\nAuto-Submitted: auto-replied\n",
    };
    for (size_t i = 0; i < sizeof automatic / sizeof *automatic; i++) {
        char text[500];
        snprintf(text, sizeof text, "%sIn-Reply-To: %s\n\nI am away.\n", automatic[i],
                 now.message_id);
        judge(text);
        assert_int_equal(now.feedback.kind, FEEDBACK_AUTO_REPLY);
    }
    now.context.sender = span_of("");
    judge("Subject: x\n\nno sender\n");
    assert_int_equal(now.feedback.kind, FEEDBACK_AUTO_REPLY);
}

static void a_list_passes_on_what_people_write(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "List-Id: <complaints.shop.example>\nPrecedence: list\n",
        "List-Id: <l.example>\nPrecedence: bulk\n",
        "Precedence: list\n",
        "List-Unsubscribe: <mailto:x@l.example>\n",
    };
    now.context.recipient = span_of("care@shop.example");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char text[500];
        snprintf(text, sizeof text, "%sSubject: x\n\nWhere is it?\n", lists[i]);
        judge(text);
        assert_int_equal(now.feedback.kind, FEEDBACK_OTHER);
        assert_true(now.feedback.is_list);
        snprintf(text, sizeof text, "%sIn-Reply-To: %s\n\nThanks\n", lists[i], now.message_id);
        assert_int_equal(judge(text), FEEDBACK_BELIEVED);
        assert_int_equal(now.feedback.kind, FEEDBACK_REPLIED);
        assert_true(now.feedback.is_list);
    }
    judge("Subject: x\n\nx\n");
    assert_false(now.feedback.is_list);
}

static void a_reply_knows_what_it_answers(void **state)
{
    (void)state;
    char text[500];
    now.context.recipient = span_of("care@shop.example");
    snprintf(text, sizeof text, "Auto-Submitted: no\nIn-Reply-To: %s\n\nThanks\n", now.message_id);
    assert_int_equal(judge(text), FEEDBACK_BELIEVED);
    assert_int_equal(now.feedback.kind, FEEDBACK_REPLIED);
    assert_int_equal(now.feedback.effect.seq, 1842);
    snprintf(text, sizeof text, "References: <a@b>\n <c@d> %s\n <e@f>\n\nThanks\n", now.message_id);
    assert_int_equal(judge(text), FEEDBACK_BELIEVED);
    assert_int_equal(now.feedback.kind, FEEDBACK_REPLIED);
    assert_int_equal(judge("In-Reply-To: <1842.0.aaaaaaaaaaaaaaaa@mail.shop.example>\n\nx\n"),
                     FEEDBACK_FORGED);
    assert_int_equal(now.feedback.kind, FEEDBACK_OTHER);
    assert_int_equal(judge("Subject: a new matter\n\nx\n"), FEEDBACK_NOT_PROVEN);
    assert_int_equal(now.feedback.kind, FEEDBACK_OTHER);
}

static void of_many_recipients_the_one_that_fits_counts(void **state)
{
    (void)state;
    assert_int_equal(
        judge(
            "Content-Type: multipart/report; boundary=b\n\n--b\n"
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n\n"
            "Final-Recipient: rfc822;bob@example.com\nAction: failed\nStatus: 5.1.1\n\n"
            "Original-Recipient: rfc822;ann@example.com\nFinal-Recipient: rfc822;ann@new.example\n"
            "Action: delayed\nStatus: 4.4.1\n--b--\n"),
        FEEDBACK_BELIEVED);
    assert_int_equal(now.feedback.kind, FEEDBACK_BOUNCED);
    assert_int_equal(now.row.kind, FEEDBACK_DELAYED);
}

static void the_last_of_many_recipients_is_found_and_the_worst_row_counts(void **state)
{
    (void)state;
    static char text[40000];
    size_t size = (size_t)snprintf(text, sizeof text, "%s",
                                   "Content-Type: multipart/report; boundary=b\n\n--b\n"
                                   "Content-Type: message/delivery-status\n\n");
    for (int i = 0; i < 200; i++)
        size += (size_t)snprintf(
            text + size, sizeof text - size,
            "Final-Recipient: rfc822;b%d@x.example\nAction: delayed\nStatus: 4.4.1\n\n", i);
    snprintf(text + size, sizeof text - size,
             "Final-Recipient: rfc822;ann@example.com\nAction: delivered\nStatus: 2.0.0\n\n"
             "Final-Recipient: rfc822;ann@example.com\nAction: failed\nStatus: 5.1.1\n\n"
             "Final-Recipient: rfc822;ann@example.com\nAction: relayed\nStatus: 2.0.0\n--b--\n");
    assert_int_equal(judge(text), FEEDBACK_BELIEVED);
    assert_int_equal(now.row.kind, FEEDBACK_BOUNCED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_delivery_status_says_what_happened),
        TEST(a_diagnostic_says_what_the_status_does_not),
        TEST(forged_bounces_are_not_believed),
        TEST(a_message_id_does_not_prove_a_bounce),
        TEST(complaints_prove_themselves_by_the_original),
        TEST(machines_are_told_from_people),
        TEST(a_list_passes_on_what_people_write),
        TEST(a_reply_knows_what_it_answers),
        TEST(of_many_recipients_the_one_that_fits_counts),
        TEST(the_last_of_many_recipients_is_found_and_the_worst_row_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_mail.c -- what mime.h and mail.h promise: malformed mail is read, too much of it is cut. */
#include "plugins/email/mail.h"

#include "plugins/email/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct mail mail;

static int begin(void **state)
{
    (void)state;
    mail_init(&mail);
    return 0;
}

static int end(void **state)
{
    (void)state;
    mail_deinit(&mail);
    return 0;
}

static void feed(const char *text)
{
    assert_int_equal(mail_feed(&mail, span_of(text), NULL), 0);
}

/* The whole of it; its text. */
static const char *read(const char *text)
{
    feed(text);
    assert_int_equal(mail_end(&mail, NULL), 0);
    bytes_byte(&mail.text, '\0');
    return mail.text.data;
}

static void line_ends_before_boundaries_are_not_the_texts(void **state)
{
    (void)state;
    assert_string_equal(read("Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n"
                             "--b\r\n\r\ntext\r\n\r\n--b  \r\nContent-Type: x/y\r\n\r\nabc\r\n"
                             "--b--\r\nepilogue\r\n--b\r\n\r\nno\r\n"),
                        "text\n");
    assert_int_equal(mail.attachment_count, 1); /* what follows the end is no part */
    assert_int_equal(mail.attachments[0].size, 3);
}

/* Each byte of broken kana becomes two characters that replace it. */
static void text_that_grows_most_is_read(void **state)
{
    (void)state;
    assert_string_equal(read("Subject: s\n\n\x1b(I\xf4qq"), "\x1b(I\xc3\xb4qq");
    mail_deinit(&mail);
    mail_init(&mail);
    feed("Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b(I");
    for (size_t i = 0; i < MAIL_TEXT_MAX; i++)
        feed("\x7e");
    assert_int_equal(mail_end(&mail, NULL), 0);
    assert_true(mail.text.size > 4 * (size_t)MAIL_TEXT_MAX);
}

static void nested_parts_are_found_and_outer_boundaries_end_inner_parts(void **state)
{
    (void)state;
    assert_string_equal(read("Content-Type: multipart/mixed; boundary=out\n\n"
                             "--out\nContent-Type: multipart/alternative; boundary=in\n\n"
                             "--in\nContent-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdf"
                             "e\n"
                             "--in\nContent-Type: text/html\n\n<b>x</b>\n" /* no --in-- */
                             "--out\nContent-Type: application/pdf; name=\"a.pdf\"\n"
                             "Content-Transfer-Encoding: base64\n\nAAAA\n--out--\n"),
                        "Gr\xc3\xbc\xc3\x9f"
                        "e");
    assert_int_equal(mail.attachment_count, 1);
    assert_string_equal(mail.attachments[0].name, "a.pdf");
    assert_int_equal(mail.attachments[0].size, 3);
}

static void html_alone_becomes_text(void **state)
{
    (void)state;
    assert_string_equal(
        read("Content-Type: text/html\r\n\r\n<style>p { x }</style><p>Hi &amp; <b>hello</b></p>"
             "<!-- no --><div>a<br>b</div><script>no"),
        "Hi & hello\na\nb\n");
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"
#define ALTERNATIVE "Content-Type: multipart/alternative; boundary=a\n\n"
#define PLAIN "Content-Type: text/plain\n\n"
#define HTML "Content-Type: text/html\n\n"

static void all_text_that_is_shown_is_read(void **state)
{
    static const struct {
        const char *mail, *text;
        size_t attachment_count;
    } rows[] = {
        { MIXED "--b\n" PLAIN "see:\n--b\nContent-Type: image/jpeg\nContent-Disposition: inline; "
                "filename=a.jpg\n\nxx\n--b\n" PLAIN "It is broken.\n--b--\n",
          "see:\nIt is broken.", 1 },
        { ALTERNATIVE "--a\n" PLAIN " \n\xc2\xa0\n\n--a\n" HTML "<p>Broken!</p>\n--a--\n",
          "Broken!\n", 0 },
        { ALTERNATIVE "--a\n" PLAIN "plain\n--a\n" HTML "<p>html</p>\n--a--\n", "plain", 0 },
        { ALTERNATIVE "--a\n" HTML "<p>html</p>\n--a\n" PLAIN "plain\n--a--\n", "plain", 0 },
        { MIXED "--b\n" HTML "<p>one</p>\n--b\n" HTML "<p>two</p>\n--b--\n", "one\ntwo\n", 0 },
        { MIXED "--b\nContent-Type: text/plain; name=log.txt\n\nLOG\n--b\n" PLAIN "real\n--b--\n",
          "real", 1 },
        { MIXED "--b\n" ALTERNATIVE "--a\n" PLAIN "plain\n--a\n" HTML "html\n--a--\n--b\n" HTML
                "<p>a footer</p>\n--b--\n",
          "plain\na footer\n", 0 },
        { ALTERNATIVE "--a\n" PLAIN "\n--a\n" MIXED "--b\n" HTML "<p>one</p>\n--b\n" HTML
                      "<p>two</p>\n--b--\n--a--\n",
          "one\ntwo\n", 0 },
        { "Content-Type: text/plain; name=note.txt\n\nall there is\n", "all there is\n", 0 },
        { "Content-Type: text/enriched\n\n<bold>Hi</bold> 1 << 2\n", "Hi 1 < 2\n", 0 },
        { MIXED "--b\n" PLAIN "see\n--b\nContent-Type: text/calendar\n\nBEGIN\n--b--\n", "see", 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(state);
        assert_string_equal(read(rows[i].mail), rows[i].text);
        assert_int_equal(mail.attachment_count, rows[i].attachment_count);
        assert_false(mail.is_text_cut);
        end(state);
    }
}

#define COMPLAINT "\xcd\xb6\xcb\xdf" /* in GBK */

static void what_names_no_charset_is_read_as_the_house_expects(void **state)
{
    static const struct {
        const char *house, *mail, *subject, *text, *name;
    } rows[] = {
        { "gb18030", "Subject: " COMPLAINT "\n\n" COMPLAINT "\n", "投诉", "投诉\n", NULL },
        { "gb18030", "Content-Type: text/plain; charset=us-ascii\n\n" COMPLAINT, "", "投诉", NULL },
        { "gb18030",
          "Subject: Gr\xc3\xbc\xc3\x9f"
          "e\n\n\xc3\xbc\n",
          "Grüße", "ü\n", NULL },
        { "gb18030", "A: b\n\ncaf\xe9.\n", "", "café.\n", NULL },
        { "windows-1252",
          "Subject: " COMPLAINT "\nContent-Type: text/plain; charset=gbk\n\n" COMPLAINT, "投诉",
          "投诉", NULL },
        { "",
          "Subject: " COMPLAINT "\n" MIXED
          "--b\nContent-Type: text/plain; charset=gb2312\n\n" COMPLAINT
          "\n--b\nContent-Type: x/y; name=\"" COMPLAINT ".doc\"\n\nx\n--b--\n",
          "投诉", "投诉", "投诉.doc" },
        { "", "Subject: \x1b$BCmJ8\x1b(B\n\n\x1b$BCmJ8\x1b(B\n", "注文", "注文\n", NULL },
        { "", "Subject: " COMPLAINT "\n\nx", "Í¶Ëß", "x", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes subject;
        begin(state);
        mail.charset = span_of(rows[i].house);
        assert_string_equal(read(rows[i].mail), rows[i].text);
        bytes_init(&subject, 1000);
        header_text(mail.header, "Subject", &subject);
        bytes_byte(&subject, '\0');
        assert_string_equal(subject.data, rows[i].subject);
        bytes_deinit(&subject);
        if (rows[i].name != NULL)
            assert_string_equal(mail.attachments[0].name, rows[i].name);
        end(state);
    }
}

static void text_in_many_parts_is_bounded(void **state)
{
    (void)state;
    feed(MIXED);
    for (unsigned i = 0; i < 60; i++)
        feed("--b\n" PLAIN "line\n");
    assert_int_equal(strlen(read("--b--\n")), MAIL_PIECES_MAX * 5 - 1);
    assert_true(mail.is_text_cut);
    assert_int_equal(mail.attachment_count, 60 - MAIL_PIECES_MAX);
}

static void malformed_mail_is_read_as_it_can_be(void **state)
{
    static const struct {
        const char *mail, *text;
    } rows[] = {
        { "", "" },
        { "\r\n", "" },
        { "\r\nonly a body", "only a body" },
        { "no header at all\r\nmore\r\n", "no header at all\nmore\n" },
        { "Subject: x", "" },
        { "From ann Mon Jan 1\nSubject: x\n\nbody\n", "body\n" },
        { "Content-Type: multipart/mixed\n\nno boundary", "no boundary" },
        { "Content-Type: multipart/mixed; boundary=\"\"\n\nx", "x" },
        { "Content-Type: multipart/mixed; boundary=b\n\nnever begun", "" },
        { "Content-Type: multipart/mixed; boundary=b\n\n--b\nbody of a part without a header\n",
          "body of a part without a header\n" },
        { "Content-Type: multipart/mixed; boundary=b\n\n--b\nA: b\n--b--", "" },
        { "Content-Type: text/plain; charset=no-such\n\n\xff", "\xc3\xbf" },
        { "Content-Type: ;;;=;\"\n\nx", "x" },
        { "Content-Type: text/plain\nContent-Transfer-Encoding: frob\n\nx=3D", "x=3D" },
        { "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!!", "" },
        { "A: b\n\n\xc3", "\xc3\x83" },
        { "A: b\n\nbare\rcr\n", "bare\ncr\n" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(state);
        assert_string_equal(read(rows[i].mail), rows[i].text);
        end(state);
    }
}

static void a_nul_does_not_reach_the_text(void **state)
{
    (void)state;
    static const char text[] = "A: b\n\na\0b";
    mail_feed(&mail, (struct span){ text, sizeof text - 1 }, NULL);
    assert_string_equal(read(""), "a\xef\xbf\xbd"
                                  "b");
}

static void names_cannot_climb_out_of_a_folder(void **state)
{
    (void)state;
    read("Content-Type: x/y\nContent-Disposition: attachment; "
         "filename*=utf-8''..%2F..%2Fetc%5Cpasswd%0A\n\nx");
    assert_string_equal(mail.attachments[0].name, ".._.._etc_passwd");
}

/* Beyond the limit a multipart is a leaf. */
static void depth_is_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        char text[100];
        snprintf(text, sizeof text, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
        feed(text);
    }
    read("\ninnermost\n");
    assert_true(mail.is_structure_cut);
    assert_int_equal(mail.attachment_count, 1);
}

static void parts_are_bounded(void **state)
{
    (void)state;
    feed("Content-Type: multipart/mixed; boundary=b\n\n");
    for (unsigned i = 0; i < 100000; i++)
        feed("--b\nContent-Type: x/y\n\nx\n");
    read("--b--\n");
    assert_true(mail.is_structure_cut);
    assert_true(mail.is_attachments_cut);
    assert_int_equal(mail.attachment_count, MAIL_ATTACHMENTS_MAX);
}

static void headers_are_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        feed("X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
    assert_string_equal(read("\nbody\n"), "body\n");
    assert_true(mail.is_header_cut);
    assert_true(mail.header.size <= MIME_HEADER_BYTES_MAX);
}

static void lines_without_end_are_bounded(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    feed("Subject: ");
    for (unsigned i = 0; i < 10; i++)
        feed(text);
    feed("\n\n");
    for (unsigned i = 0; i < 10; i++)
        feed(text);
    read("");
    assert_true(mail.is_header_cut);
    assert_true(mail.is_text_cut);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(line_ends_before_boundaries_are_not_the_texts, begin, end),
    cmocka_unit_test_setup_teardown(text_that_grows_most_is_read, begin, end),
    cmocka_unit_test_setup_teardown(nested_parts_are_found_and_outer_boundaries_end_inner_parts,
                                    begin, end),
    cmocka_unit_test_setup_teardown(html_alone_becomes_text, begin, end),
    cmocka_unit_test(all_text_that_is_shown_is_read),
    cmocka_unit_test(what_names_no_charset_is_read_as_the_house_expects),
    cmocka_unit_test_setup_teardown(text_in_many_parts_is_bounded, begin, end),
    cmocka_unit_test(malformed_mail_is_read_as_it_can_be),
    cmocka_unit_test_setup_teardown(a_nul_does_not_reach_the_text, begin, end),
    cmocka_unit_test_setup_teardown(names_cannot_climb_out_of_a_folder, begin, end),
    cmocka_unit_test_setup_teardown(depth_is_bounded, begin, end),
    cmocka_unit_test_setup_teardown(parts_are_bounded, begin, end),
    cmocka_unit_test_setup_teardown(headers_are_bounded, begin, end),
    cmocka_unit_test_setup_teardown(lines_without_end_are_bounded, begin, end),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_compose.c -- what compose.h promises and no referee looks at: limits, faults, the clock. */
#include "plugins/email/compose.h"

#include "plugins/email/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct compose good(void)
{
    return (struct compose){
        .id = span_of("1842.0"),
        .domain = span_of("shop.example"),
        .time_s = 1700000000,
        .from = span_of("Care <care@shop.example>"),
        .to = span_of("ann@example.com"),
        .subject = span_of("Hello"),
        .text = span_of("Hi\n"),
    };
}

static void assert_composed(const struct compose *compose, const char *part)
{
    struct bytes out;
    bytes_init(&out, COMPOSE_BYTES_MAX);
    assert_int_equal(compose_message(compose, &out, NULL), 0);
    bytes_byte(&out, '\0');
    if (strstr(out.data, part) == NULL)
        fail_msg("no %s in %s", part, out.data);
    bytes_deinit(&out);
}

static void assert_refused(const struct compose *compose, int code, const char *why)
{
    struct bytes out;
    struct fault fault = { 0 };
    bytes_init(&out, COMPOSE_BYTES_MAX);
    assert_int_equal(compose_message(compose, &out, &fault), code);
    if (strstr(fault.text, why) == NULL)
        fail_msg("no %s in %s", why, fault.text);
    bytes_deinit(&out);
}

static void a_small_message_is_this(void **state)
{
    (void)state;
    struct compose compose = good();
    assert_composed(&compose, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
                              "From: Care <care@shop.example>\r\n"
                              "To: ann@example.com\r\n"
                              "Subject: Hello\r\n"
                              "Message-ID: <1842.0@shop.example>\r\n"
                              "MIME-Version: 1.0\r\n"
                              "Content-Type: text/plain; charset=utf-8\r\n"
                              "Content-Transfer-Encoding: quoted-printable\r\n"
                              "\r\n"
                              "Hi\r\n");
}

static void the_clock_has_its_bounds(void **state)
{
    (void)state;
    struct compose compose = good();
    compose.time_s = 0;
    assert_composed(&compose, "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n");
    compose.time_s = 253402300799;
    assert_composed(&compose, "Date: Fri, 31 Dec 9999 23:59:59 +0000\r\n");
    compose.time_s++;
    assert_refused(&compose, FAULT_INVALID, "Date");
    compose.time_s = -1;
    assert_refused(&compose, FAULT_INVALID, "Date");
}

static void limits_have_their_names(void **state)
{
    (void)state;
    static struct compose_header headers[COMPOSE_HEADERS_MAX + 1];
    static struct compose_attachment attachments[COMPOSE_ATTACHMENTS_MAX + 1];
    struct compose compose = good();
    for (size_t i = 0; i <= COMPOSE_HEADERS_MAX; i++)
        headers[i] = (struct compose_header){ span_of("X-A"), span_of("b") };
    for (size_t i = 0; i <= COMPOSE_ATTACHMENTS_MAX; i++)
        attachments[i] = (struct compose_attachment){ .name = span_of("a") };
    compose.headers = headers;
    compose.header_count = COMPOSE_HEADERS_MAX;
    compose.attachments = attachments;
    compose.attachment_count = COMPOSE_ATTACHMENTS_MAX;
    assert_composed(&compose, "X-A: b\r\n");
    compose.header_count++;
    assert_refused(&compose, FAULT_LIMIT, "51 headers");
    compose.header_count = 0;
    compose.attachment_count++;
    assert_refused(&compose, FAULT_LIMIT, "51 attachments");
}

static void too_large_a_message_is_refused(void **state)
{
    (void)state;
    char *data = calloc(1, 20u << 20);
    struct compose_attachment attachment = { .name = span_of("a"), .data = { data, 20u << 20 } };
    struct compose compose = good();
    compose.attachments = &attachment;
    compose.attachment_count = 1;
    assert_refused(&compose, FAULT_LIMIT, "larger than 26214400 bytes");
    attachment.data.size = 18u << 20;
    assert_composed(&compose, "AAAA");
    free(data);
}

static void what_is_missing_or_double_is_refused(void **state)
{
    (void)state;
    struct compose compose = good();
    compose.to = span_of("");
    assert_refused(&compose, FAULT_INVALID, "To: no address");
    compose = good();
    compose.from = span_of("nobody");
    assert_refused(&compose, FAULT_INVALID, "From: address: no \"@\"");
    compose.from = span_of("a@x.example, b@x.example");
    assert_refused(&compose, FAULT_INVALID, "From: address");
    compose = good();
    compose.reply_to = span_of("a@x.example,b@x.example");
    assert_composed(&compose, "Reply-To: a@x.example, b@x.example\r\n");
    compose.reply_to = span_of("Ann <a@x.example>, Bob <b@x.example>");
    assert_composed(&compose, "Reply-To: \"Ann <a@x.example>, Bob\" <b@x.example>\r\n");
    compose.reply_to = span_of("Ann <a@x.example>, b@x.example");
    assert_refused(&compose, FAULT_INVALID, "Reply-To: several addresses stand without names");
    compose = good();
    compose.markdown = span_of("x");
    assert_refused(&compose, FAULT_INVALID, "markdown");
    compose = good();
    compose.text = span_of("\xff");
    assert_refused(&compose, FAULT_INVALID, "UTF-8");
    compose = good();
    compose.to = span_of("\xe4\xbd\xa0@x.example");
    assert_refused(&compose, FAULT_INVALID, "To: address");
}

/* An attachment may not say that it is a message: base64 is not allowed there. */
static void messages_are_attached_as_bytes(void **state)
{
    (void)state;
    struct compose_attachment attachment = { .name = span_of("a.eml"),
                                             .type = span_of("message/rfc822") };
    struct compose compose = good();
    compose.attachments = &attachment;
    compose.attachment_count = 1;
    assert_composed(&compose, "Content-Type: application/octet-stream; name=a.eml\r\n");
}

static void a_text_that_is_attached_says_its_charset_where_it_is_utf_8(void **state)
{
    static const struct {
        const char *type, *data;
        size_t size;
        bool has_charset;
    } rows[] = {
        { "text/plain",
          "Gr\xc3\xbc\xc3\x9f"
          "e",
          7, true },
        { "text/csv", "a,b", 3, true },
        { "TEXT/html", "\xe4\xbd\xa0", 3, true },
        { "text/plain",
          "Gr\xfc\xdf"
          "e",
          5, false },
        { "text/plain", "\x1b$B8l", 6, false }, /* ISO-2022-JP */
        { "text/plain", "a\0b", 4, false },     /* UTF-16 */
        { "application/json", "{}", 2, false },
        { "", "a", 1, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[100];
        struct compose_attachment attachment = {
            .name = span_of("a"),
            .type = span_of(rows[i].type),
            .data = { rows[i].data, rows[i].size },
        };
        struct compose compose = good();
        compose.attachments = &attachment;
        compose.attachment_count = 1;
        snprintf(expected, sizeof expected, "Content-Type: %s%s; name=a\r\n",
                 rows[i].type[0] != '\0' ? rows[i].type : "application/octet-stream",
                 rows[i].has_charset ? "; charset=utf-8" : "");
        assert_composed(&compose, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_message_is_this),
        cmocka_unit_test(the_clock_has_its_bounds),
        cmocka_unit_test(limits_have_their_names),
        cmocka_unit_test(too_large_a_message_is_refused),
        cmocka_unit_test(what_is_missing_or_double_is_refused),
        cmocka_unit_test(messages_are_attached_as_bytes),
        cmocka_unit_test(a_text_that_is_attached_says_its_charset_where_it_is_utf_8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_lmtp.c -- what lmtp.h promises: the dialogue, in pieces of any size, and its bounds. */
#include "plugins/email/lmtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct lmtp lmtp;
    struct bytes out, message;
    unsigned begin_count;
    bool is_full;
} now;

static enum lmtp_answer on_recipient(void *arg, struct span address, const char **out_text)
{
    (void)arg;
    if (span_is(address, "later@x.example"))
        return LMTP_LATER;
    if (!span_begins_word(address, "ok"))
        return LMTP_REFUSE;
    *out_text = "welcome\r\n250 forged";
    return LMTP_ACCEPT;
}

static void on_begin(void *arg)
{
    (void)arg;
    now.begin_count++;
    bytes_clear(&now.message);
}

static bool on_data(void *arg, struct span data)
{
    (void)arg;
    bytes_span(&now.message, data);
    return !now.is_full;
}

static const struct lmtp_config config = { "kith.example",
                                           1000,
                                           { on_recipient, on_begin, on_data, NULL } };

static int begin(void **state)
{
    (void)state;
    memset(&now, 0, sizeof now);
    bytes_init(&now.out, 1u << 20);
    bytes_init(&now.message, 1u << 20);
    lmtp_init(&now.lmtp, &config, &now.out);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bytes_deinit(&now.out);
    bytes_deinit(&now.message);
    return 0;
}

/* Say `text` in pieces of `step`, accept what waits, and give the codes of the replies. */
static const char *say(const char *text, size_t step)
{
    static char codes[4096];
    struct span rest = span_of(text), line;
    size_t size = 0;
    bytes_clear(&now.out);
    while (rest.size > 0 && now.lmtp.state != LMTP_CLOSED) {
        size_t taken = lmtp_feed(
            &now.lmtp, (struct span){ rest.data, rest.size < step ? rest.size : step }, &now.out);
        rest = span_from(rest, taken);
        while (now.lmtp.state == LMTP_WAITING)
            lmtp_answer(&now.lmtp, LMTP_ACCEPT, NULL, &now.out);
    }
    for (rest = bytes_get(&now.out); span_line(&rest, &line) && size + 5 < sizeof codes;) {
        memcpy(codes + size, line.data, 4);
        size += 4;
    }
    codes[size] = '\0';
    return codes;
}

#define HELLO "LHLO me\r\n"
#define ENVELOPE "MAIL FROM:<>\r\nRCPT TO:<ok@x.example>\r\n"

static void a_message_is_taken_for_each_recipient(void **state)
{
    for (size_t step = 1; step < 40; step++) {
        begin(state);
        assert_string_equal(say(HELLO
                                "MAIL FROM:<a@b.example> BODY=8BITMIME SIZE=20\r\n"
                                "RCPT TO:<ok1@x.example>\r\nRCPT TO:<no@x.example>\r\n"
                                "RCPT TO:<later@x.example>\r\nRCPT TO:<ok2@x.example>\r\nDATA\r\n"
                                "Subject: x\r\n\r\n..dot\r\n.\n.\r\r\nend\r\n.\r\nQUIT\r\n",
                                step),
                            "250-250-250-250-250 250 250 550 451 250 354 250 250 221 ");
        bytes_byte(&now.message, '\0');
        assert_string_equal(now.message.data, "Subject: x\r\n\r\n.dot\r\n\n.\r\r\nend\r\n");
        assert_int_equal(now.begin_count, 1);
        end(state);
    }
}

static void it_stops_at_the_end_until_all_is_answered(void **state)
{
    (void)state;
    static const char more[] = "x\r\n.\r\nRSET\r\n";
    say(HELLO "MAIL FROM:<>\r\nRCPT TO:<ok1@x.example>\r\nRCPT TO:<ok2@x.example>\r\nDATA\r\n", 99);
    bytes_clear(&now.out);
    assert_int_equal(lmtp_feed(&now.lmtp, span_of(more), &now.out), 6);
    assert_int_equal(now.lmtp.state, LMTP_WAITING);
    assert_int_equal(now.out.size, 0);
    assert_int_equal(lmtp_feed(&now.lmtp, span_of("RSET\r\n"), &now.out), 0);
    assert_string_equal(now.lmtp.recipients[1], "ok2@x.example");
    assert_string_equal(now.lmtp.sender, "");
    lmtp_answer(&now.lmtp, LMTP_LATER, NULL, &now.out);
    assert_int_equal(now.lmtp.state, LMTP_WAITING);
    lmtp_answer(&now.lmtp, LMTP_REFUSE, "no\r\n250 yes", &now.out);
    assert_int_equal(now.lmtp.state, LMTP_COMMAND);
    bytes_byte(&now.out, '\0');
    assert_string_equal(now.out.data, "451 4.3.0 Try again later\r\n550 5.7.1 no??250 yes\r\n");
}

static void only_crlf_ends_a_line_or_a_message(void **state)
{
    (void)state;
    assert_string_equal(say("LHLO me\n", 99), "500 ");
    assert_string_equal(say(HELLO ENVELOPE "DATA\r\n"
                                           "a\n.\nMAIL FROM:<x@y>\r\nb\n.\r\nc\r\n.\nd\r\n.\r\n",
                            3),
                        "250-250-250-250-250 250 250 354 250 ");
    bytes_byte(&now.message, '\0');
    assert_string_equal(now.message.data, "a\n.\nMAIL FROM:<x@y>\r\nb\n.\r\nc\r\n\nd\r\n");
}

static void commands_out_of_order_are_refused(void **state)
{
    (void)state;
    assert_string_equal(say("MAIL FROM:<a@b>\r\nRCPT TO:<ok@x>\r\nDATA\r\nEHLO me\r\nHELO me\r\n"
                            "FROB\r\n\r\n",
                            5),
                        "503 503 503 500 500 500 500 ");
    assert_string_equal(say(HELLO "DATA\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nDATA\r\n"
                                  "RCPT TO:<no@x>\r\nDATA\r\nRSET\r\nRCPT TO:<ok@x>\r\n",
                            5),
                        "250-250-250-250-250 503 250 503 503 550 503 250 503 ");
}

static void bad_paths_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = { "a@b",    "<a@b",         "<a b@c>",   "<@r.example:a@b>",
                                         "<a@b>x", "<\xc3\xbc@b>", "<a\x01@b>", "<<a@b>" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct bytes line;
        bytes_init(&line, 1000);
        bytes_printf(&line, "LHLO me\r\nMAIL FROM:%s\r\n", paths[i]);
        bytes_byte(&line, '\0');
        assert_string_equal(say(line.data, 99), "250-250-250-250-250 501 ");
        bytes_deinit(&line);
    }
    assert_string_equal(say("MAIL FROM:<\"a > b\"@c.example>\r\nRCPT TO:<>\r\n", 99), "250 501 ");
}

static void what_is_too_large_is_said_so(void **state)
{
    (void)state;
    char text[1200];
    assert_string_equal(say(HELLO "MAIL FROM:<a@b> SIZE=1001\r\n", 99), "250-250-250-250-250 552 ");
    say(ENVELOPE "RCPT TO:<ok2@x.example>\r\nDATA\r\n", 99);
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 6, "\r\n.\r\n", 6);
    assert_string_equal(say(text, 100), "552 552 ");
    assert_true(now.message.size <= 1000);
    assert_string_equal(say(ENVELOPE "DATA\r\nsmall\r\n.\r\n", 100), "250 250 354 250 ");
    say(ENVELOPE "DATA\r\n", 100);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    say(text, 100);
    assert_string_equal(say(text, 100), "421 ");
    assert_int_equal(now.lmtp.state, LMTP_CLOSED);
}

static void what_cannot_be_kept_comes_later(void **state)
{
    (void)state;
    now.is_full = true;
    assert_string_equal(say(HELLO ENVELOPE "DATA\r\nx\r\n.\r\n", 4),
                        "250-250-250-250-250 250 250 354 451 ");
    assert_int_equal(now.lmtp.state, LMTP_COMMAND);
}

static void long_lines_are_refused_whole(void **state)
{
    (void)state;
    static char text[LMTP_LINE_MAX + 100];
    memset(text, 'x', sizeof text - 1);
    memcpy(text + sizeof text - 3, "\r\n", 2);
    assert_string_equal(say(text, 1000), "500 ");
    assert_string_equal(say(text, 7), "500 ");
    assert_string_equal(say("NOOP\r\n", 7), "250 ");
}

static void garbage_ends_the_connection(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LMTP_ERRORS_MAX; i++)
        assert_string_equal(say("\x16\x03\x01\r\n", 2), "500 ");
    assert_string_equal(say("x\r\nNOOP\r\n", 2), "421 ");
    assert_int_equal(now.lmtp.state, LMTP_CLOSED);
    assert_int_equal(lmtp_feed(&now.lmtp, span_of("NOOP\r\n"), &now.out), 0);
}

static void too_many_recipients_are_put_off(void **state)
{
    (void)state;
    say(HELLO "MAIL FROM:<>\r\n", 99);
    for (unsigned i = 0; i < LMTP_RECIPIENTS_MAX; i++)
        assert_string_equal(say("RCPT TO:<ok@x.example>\r\n", 99), "250 ");
    assert_string_equal(say("RCPT TO:<ok@x.example>\r\n", 99), "452 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_taken_for_each_recipient),
        TEST(it_stops_at_the_end_until_all_is_answered),
        TEST(only_crlf_ends_a_line_or_a_message),
        TEST(commands_out_of_order_are_refused),
        TEST(bad_paths_are_refused),
        TEST(what_is_too_large_is_said_so),
        TEST(what_cannot_be_kept_comes_later),
        TEST(long_lines_are_refused_whole),
        TEST(garbage_ends_the_connection),
        TEST(too_many_recipients_are_put_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

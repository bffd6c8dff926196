/* test_smtp.c -- what smtp.h promises: what became of a message, told from the dialogue. */
#include "plugins/email/smtp.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Lines are "> " sent, "< " received, "." the end of the message. */
static struct smtp_outcome outcome_of(const char *dialogue, int curl_result)
{
    struct smtp_watch watch;
    struct span rest = span_of(dialogue), line;
    smtp_watch_init(&watch);
    while (span_line(&rest, &line)) {
        if (line.data[0] == '>')
            smtp_watch_sent(&watch, span_from(line, 2));
        else if (line.data[0] == '<')
            smtp_watch_received(&watch, span_from(line, 2));
        else
            smtp_watch_ended(&watch);
    }
    return smtp_judge(&watch, curl_result);
}

#define HELLO "< 220 mx\n> EHLO me\n< 250-mx\n< 250 SIZE\n"
#define MAIL HELLO "> MAIL FROM:<a@b>\n< 250 2.1.0 ok\n"
#define RCPT MAIL "> RCPT TO:<c@d>\n"
#define DATA RCPT "< 250 2.1.5 ok\n> DATA\n"
#define BODY DATA "< 354 go\n"
#define END BODY ".\n"

static void the_table_holds(void **state)
{
    (void)state;
    static const struct {
        const char *dialogue;
        int curl_result;
        enum smtp_result result;
        bool is_recipient_bad, is_setup;
        int code;
    } rows[] = {
        { END "< 250 2.0.0 taken\n", CURLE_OK, SMTP_SENT, false, false, 250 },
        { END "< 250 2.0.0 taken\n", CURLE_RECV_ERROR, SMTP_SENT, false, false, 250 },
        { END "< 250 taken\n> QUIT\n< 421 bye\n", CURLE_RECV_ERROR, SMTP_SENT, false, false, 250 },
        /* nothing heard after the end */
        { END, CURLE_RECV_ERROR, SMTP_UNCERTAIN, false, false, 0 },
        { END, CURLE_OPERATION_TIMEDOUT, SMTP_UNCERTAIN, false, false, 0 },
        { END, CURLE_SEND_ERROR, SMTP_UNCERTAIN, false, false, 0 },
        { END, CURLE_OUT_OF_MEMORY, SMTP_UNCERTAIN, false, false, 0 },
        { END "< 250-half a reply\n", CURLE_RECV_ERROR, SMTP_UNCERTAIN, false, false, 0 },
        { END "> QUIT\n< 221 bye\n", CURLE_RECV_ERROR, SMTP_UNCERTAIN, false, false, 0 },
        /* heard after the end */
        { END "< 451 4.7.1 greylisted\n", CURLE_WEIRD_SERVER_REPLY, SMTP_RETRY, false, false, 451 },
        { END "< 421 closing\n", CURLE_RECV_ERROR, SMTP_RETRY, false, false, 421 },
        { END "< 554 5.7.1 spam\n", CURLE_WEIRD_SERVER_REPLY, SMTP_REJECTED, false, false, 554 },
        { END "< 550 5.1.1 nobody\n", CURLE_WEIRD_SERVER_REPLY, SMTP_REJECTED, true, false, 550 },
        { END "< 550 no\n", CURLE_WEIRD_SERVER_REPLY, SMTP_REJECTED, false, false, 550 },
        /* before the end */
        { BODY, CURLE_SEND_ERROR, SMTP_RETRY, false, false, 0 },
        { BODY, CURLE_READ_ERROR, SMTP_RETRY, false, false, 0 },
        { DATA "< 554 5.5.1 no recipients\n", CURLE_SEND_ERROR, SMTP_REJECTED, false, false, 554 },
        { RCPT "< 550 5.1.1 nobody\n", CURLE_SEND_ERROR, SMTP_REJECTED, true, false, 550 },
        { RCPT "< 550 5.1.1 nobody\n> QUIT\n< 221 bye\n", CURLE_SEND_ERROR, SMTP_REJECTED, true,
          false, 550 },
        { RCPT "< 550 nobody\n", CURLE_SEND_ERROR, SMTP_REJECTED, true, false, 550 },
        { RCPT "< 550 5.7.1 blocked\n", CURLE_SEND_ERROR, SMTP_REJECTED, false, false, 550 },
        { RCPT "< 552 5.2.2 full\n", CURLE_SEND_ERROR, SMTP_REJECTED, false, false, 552 },
        { RCPT "< 450 4.2.0 later\n", CURLE_SEND_ERROR, SMTP_RETRY, false, false, 450 },
        { RCPT, CURLE_OPERATION_TIMEDOUT, SMTP_RETRY, false, false, 0 },
        { HELLO "> MAIL FROM:<a@b>\n< 553 5.1.8 sender\n", CURLE_SEND_ERROR, SMTP_REJECTED, false,
          false, 553 },
        { HELLO "> MAIL FROM:<a@b>\n< 530 5.7.0 log in\n", CURLE_SEND_ERROR, SMTP_RETRY, false,
          true, 530 },
        { HELLO "> AUTH PLAIN x\n< 535 5.7.8 no\n", CURLE_LOGIN_DENIED, SMTP_RETRY, false, true,
          535 },
        { "< 554 no mail here\n", CURLE_WEIRD_SERVER_REPLY, SMTP_RETRY, false, true, 554 },
        { "< 421 busy\n", CURLE_WEIRD_SERVER_REPLY, SMTP_RETRY, false, false, 421 },
        { HELLO "> STARTTLS\n< 502 no\n", CURLE_USE_SSL_FAILED, SMTP_RETRY, false, true, 502 },
        { HELLO, CURLE_USE_SSL_FAILED, SMTP_RETRY, false, true, 0 },
        { "", CURLE_COULDNT_CONNECT, SMTP_RETRY, false, false, 0 },
        { "", CURLE_COULDNT_RESOLVE_HOST, SMTP_RETRY, false, false, 0 },
        { "", CURLE_PEER_FAILED_VERIFICATION, SMTP_RETRY, false, true, 0 },
        { "", CURLE_URL_MALFORMAT, SMTP_RETRY, false, true, 0 },
        { "< garbage\n", CURLE_WEIRD_SERVER_REPLY, SMTP_RETRY, false, false, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_outcome outcome = outcome_of(rows[i].dialogue, rows[i].curl_result);
        if (outcome.result != rows[i].result ||
            outcome.is_recipient_bad != rows[i].is_recipient_bad ||
            outcome.is_setup != rows[i].is_setup || outcome.code != rows[i].code)
            fail_msg("row %zu: result %d, code %d:\n%s", i, (int)outcome.result, outcome.code,
                     rows[i].dialogue);
    }
}

static void the_words_of_the_server_are_one_line(void **state)
{
    (void)state;
    struct smtp_outcome outcome = outcome_of(
        RCPT "< 550-5.1.1 The address\n< 550-5.1.1 you\x01 reached\n< 550 5.1.1 is not.\n",
        CURLE_SEND_ERROR);
    assert_string_equal(outcome.text, "5.1.1 The address 5.1.1 you? reached 5.1.1 is not.");
    assert_string_equal(outcome.status, "5.1.1");
    outcome = outcome_of("", CURLE_COULDNT_CONNECT);
    assert_true(outcome.text[0] != '\0');
}

static void endless_words_are_cut(void **state)
{
    (void)state;
    struct smtp_watch watch;
    smtp_watch_init(&watch);
    for (int i = 0; i < 1000; i++)
        smtp_watch_received(&watch,
                            span_of("550-5.1.1 nobody of this name has ever lived here\r\n"));
    smtp_watch_received(&watch, span_of("550\r\n"));
    assert_int_equal(watch.code, 550);
    assert_true(strlen(watch.text) < SMTP_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_holds),
        cmocka_unit_test(the_words_of_the_server_are_one_line),
        cmocka_unit_test(endless_words_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* smtp.c -- see smtp.h. */
#include "smtp.h"

#include <curl/curl.h>
#include <string.h>

void smtp_watch_init(struct smtp_watch *watch)
{
    memset(watch, 0, sizeof *watch);
}

void smtp_watch_sent(struct smtp_watch *watch, struct span data)
{
    static const struct {
        const char *command;
        enum smtp_phase phase;
    } commands[] = {
        { "EHLO", SMTP_EHLO }, { "HELO", SMTP_EHLO }, { "STARTTLS", SMTP_STARTTLS },
        { "AUTH", SMTP_AUTH }, { "MAIL", SMTP_MAIL }, { "RCPT", SMTP_RCPT },
        { "DATA", SMTP_DATA }, { "QUIT", SMTP_QUIT },
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (span_begins_word(data, commands[i].command)) {
            watch->phase = commands[i].phase;
            return;
        }
}

void smtp_watch_ended(struct smtp_watch *watch)
{
    watch->has_ended = true;
    watch->phase = SMTP_END;
}

static void add_text(struct smtp_watch *watch, struct span text)
{
    if (watch->text_size > 0 && text.size > 0 && watch->text_size + 1 < sizeof watch->text)
        watch->text[watch->text_size++] = ' ';
    for (size_t i = 0; i < text.size && watch->text_size + 1 < sizeof watch->text; i++) {
        char c = text.data[i];
        watch->text[watch->text_size++] = (char)(c >= ' ' && c < 0x7f ? c : '?');
    }
    watch->text[watch->text_size] = '\0';
}

/* The code that the words begin with, if it is of the class that the reply has. */
static void set_status(struct smtp_watch *watch, struct span text, char class)
{
    status_read(text, watch->status);
    if (watch->status[0] != class)
        watch->status[0] = '\0';
}

static bool is_end_answered(const struct smtp_watch *watch)
{
    return watch->has_ended && watch->code != 0 && watch->reply_phase == SMTP_END;
}

/* "250-text" goes on, "250 text" and "250" end the reply. */
static void read_line(struct smtp_watch *watch, struct span line)
{
    if (line.size < 3 || !ascii_is_digit(line.data[0]) || !ascii_is_digit(line.data[1]) ||
        !ascii_is_digit(line.data[2]))
        return;
    if (is_end_answered(watch) || watch->phase == SMTP_QUIT)
        return; /* libcurl says QUIT also after a refusal: that answer is the one to keep */
    bool is_last = line.size == 3 || line.data[3] != '-';
    struct span text = span_trim(span_from(line, 4));
    if (watch->code != 0) { /* the first line of another reply */
        watch->code = 0;
        watch->text_size = 0;
        watch->text[0] = '\0';
    }
    if (watch->text_size == 0)
        set_status(watch, text, line.data[0]);
    add_text(watch, text);
    if (!is_last)
        return;
    watch->code = (line.data[0] - '0') * 100 + (line.data[1] - '0') * 10 + (line.data[2] - '0');
    watch->reply_phase = watch->phase;
}

void smtp_watch_received(struct smtp_watch *watch, struct span data)
{
    struct span line;
    while (span_line(&data, &line))
        read_line(watch, line);
}

/* No such mailbox, by the enhanced status where there is one, else by the code (RFC 5321,
 * section 4.2.3).  A policy that refuses us (5.7) says nothing about the recipient. */
static bool is_recipient_bad(const struct smtp_watch *watch)
{
    if (watch->status[0] == '\0')
        return watch->reply_phase == SMTP_RCPT &&
               (watch->code == 550 || watch->code == 551 || watch->code == 553);
    return status_is_no_mailbox(watch->status);
}

/* Authentication required, failed, too weak: 530 and 534 to 538 (RFC 4954). */
static bool is_login_code(int code)
{
    return code == 530 || (code >= 534 && code <= 538);
}

/* A cause that trying again does not change as long as nobody changes the settings. */
static bool is_setup_result(int curl_result)
{
    static const int results[] = {
        CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT,     CURLE_NOT_BUILT_IN,
        CURLE_LOGIN_DENIED,         CURLE_USE_SSL_FAILED,    CURLE_PEER_FAILED_VERIFICATION,
        CURLE_SSL_CERTPROBLEM,      CURLE_SSL_CIPHER,        CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_ISSUER_ERROR,     CURLE_SSL_CONNECT_ERROR, CURLE_BAD_FUNCTION_ARGUMENT,
        CURLE_UNKNOWN_OPTION,       CURLE_AUTH_ERROR,        CURLE_SSL_PINNEDPUBKEYNOTMATCH,
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i] == curl_result)
            return true;
    return false;
}

static struct smtp_outcome refused(const struct smtp_watch *watch, struct smtp_outcome outcome)
{
    bool is_before = watch->reply_phase < SMTP_MAIL || is_login_code(watch->code);
    outcome.is_setup = is_before && watch->code >= 500;
    outcome.result = watch->code >= 500 && !is_before ? SMTP_REJECTED : SMTP_RETRY;
    outcome.is_recipient_bad = outcome.result == SMTP_REJECTED && is_recipient_bad(watch);
    return outcome;
}

struct smtp_outcome smtp_judge(const struct smtp_watch *watch, int curl_result)
{
    struct smtp_outcome outcome = { .result = SMTP_RETRY, .code = watch->code };
    memcpy(outcome.status, watch->status, sizeof outcome.status);
    memcpy(outcome.text, watch->text, sizeof outcome.text);
    bool is_answered = is_end_answered(watch);
    if (curl_result == CURLE_OK || (is_answered && watch->code / 100 == 2)) {
        outcome.result = SMTP_SENT;
        return outcome;
    }
    if (watch->code >= 400 && (!watch->has_ended || is_answered))
        return refused(watch, outcome);
    outcome.result = watch->has_ended ? SMTP_UNCERTAIN : SMTP_RETRY;
    outcome.is_setup = !watch->has_ended && is_setup_result(curl_result);
    outcome.code = 0;
    outcome.status[0] = '\0';
    const char *text = curl_easy_strerror((CURLcode)curl_result);
    size_t size = strlen(text);
    size = size < sizeof outcome.text - 1 ? size : sizeof outcome.text - 1;
    memcpy(outcome.text, text, size);
    outcome.text[size] = '\0';
    return outcome;
}

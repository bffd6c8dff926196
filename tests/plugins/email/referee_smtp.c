/* referee_smtp.c -- sends one message by libcurl, watched as the e-mail plugin watches it, and
 * says what smtp_judge() makes of it: `RESULT CODE BAD SETUP TEXT`.
 *
 *   referee_smtp smtp://127.0.0.1:PORT < MESSAGE
 */
#include "plugins/email/smtp.h"

#include <curl/curl.h>
#include <stdio.h>

struct source {
    struct smtp_watch watch;
    char message[1 << 16];
    size_t size, at;
};

static size_t give(char *to, size_t size, size_t count, void *arg)
{
    struct source *source = arg;
    size_t left = source->size - source->at, room = size * count;
    size_t given = left < room ? left : room;
    for (size_t i = 0; i < given; i++)
        to[i] = source->message[source->at++];
    if (given == 0)
        smtp_watch_ended(&source->watch);
    return given;
}

static int watch(CURL *curl, curl_infotype type, char *data, size_t size, void *arg)
{
    (void)curl;
    struct source *source = arg;
    if (type == CURLINFO_HEADER_OUT)
        smtp_watch_sent(&source->watch, (struct span){ data, size });
    if (type == CURLINFO_HEADER_IN)
        smtp_watch_received(&source->watch, (struct span){ data, size });
    return 0;
}

int main(int argc, char **argv)
{
    static struct source source;
    if (argc != 2)
        return 1;
    source.size = fread(source.message, 1, sizeof source.message, stdin);
    smtp_watch_init(&source.watch);
    CURL *curl = curl_easy_init();
    struct curl_slist *recipients = curl_slist_append(NULL, "<ann@example.com>");
    curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<bounce@shop.example>");
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &source);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, watch);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &source);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    struct smtp_outcome outcome = smtp_judge(&source.watch, (int)curl_easy_perform(curl));
    static const char *const results[] = { "sent", "rejected", "retry", "uncertain" };
    printf("%s %d %d %d %s\n", results[outcome.result], outcome.code, outcome.is_recipient_bad,
           outcome.is_setup, outcome.text);
    curl_easy_cleanup(curl);
    curl_slist_free_all(recipients);
    return 0;
}

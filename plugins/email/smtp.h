/* smtp.h -- what became of a message that was given to libcurl to send (RFC 5321).
 *
 * libcurl ends a transfer with one code for many causes, and its reply code is the last one
 * heard, of whatever command.  So the dialogue is watched: what is sent and received passes
 * through here (CURLOPT_DEBUGFUNCTION with CURLINFO_HEADER_OUT and CURLINFO_HEADER_IN), and the
 * reply is known together with the command it answers.
 *
 * One moment decides about doubt.  Until the end of the message is sent the server has not got
 * it, and trying again is safe.  From then on until its reply is read it may have: a connection
 * that breaks between the two leaves the message uncertain.  The end is taken as sent from the
 * moment when libcurl has been told that there is no more to read: too early rather than late.
 *
 *   reply to     4xx, 421     5xx
 *   ----------   ----------   ------------------------------------------------------
 *   connect, EHLO, STARTTLS, AUTH     retry, and for an operator: it is the relay, or us
 *   MAIL         retry        rejected; 530 to 538 as AUTH
 *   RCPT         retry        rejected; the recipient is bad if the status says so
 *   DATA         retry        rejected
 *   its end      retry        rejected
 *   none, before the end of the message: retry;  after it: uncertain
 */
#ifndef PLUGINS_EMAIL_SMTP_H
#define PLUGINS_EMAIL_SMTP_H

#include "bytes.h"
#include "status.h"

#define SMTP_TEXT_MAX 400

enum smtp_phase {
    SMTP_CONNECT, /* no command yet: the greeting */
    SMTP_EHLO,
    SMTP_STARTTLS,
    SMTP_AUTH,
    SMTP_MAIL,
    SMTP_RCPT,
    SMTP_DATA,
    SMTP_END, /* the end of the message */
    SMTP_QUIT,
};

struct smtp_watch {
    enum smtp_phase phase;       /* the last command */
    enum smtp_phase reply_phase; /* what `code` answers */
    bool has_ended;              /* libcurl was told the end of the message */
    int code;                    /* of the last complete reply; 0 before the first */
    char status[STATUS_SIZE];    /* its enhanced status (RFC 3463), "" when it has none */
    char text[SMTP_TEXT_MAX];    /* its lines, joined */
    size_t text_size;
};

void smtp_watch_init(
    struct smtp_watch *watch); /* before each message, on a reused connection too */
void smtp_watch_sent(struct smtp_watch *watch, struct span data);
void smtp_watch_received(struct smtp_watch *watch, struct span data);
void smtp_watch_ended(struct smtp_watch *watch); /* the read function returned 0 */

enum smtp_result { SMTP_SENT, SMTP_REJECTED, SMTP_RETRY, SMTP_UNCERTAIN };

struct smtp_outcome {
    enum smtp_result result;
    bool is_recipient_bad; /* rejected since there is no such mailbox: like a hard bounce */
    bool is_setup;         /* not about this message: an operator must look at relay or settings */
    int code;              /* 0 without a reply */
    char status[STATUS_SIZE];
    char text[SMTP_TEXT_MAX]; /* the server's words, or libcurl's; one line */
};

/* `curl_result` is the CURLcode of the transfer. */
struct smtp_outcome smtp_judge(const struct smtp_watch *watch, int curl_result);

#endif

/* lmtp.h -- the server's side of LMTP (RFC 2033) as a machine without sockets: bytes in, bytes
 * out.
 *
 * LMTP differs from SMTP in what matters here: after the message each recipient gets an answer
 * of its own, so a mail is taken by us exactly when we have said so for it.  The machine stops at
 * the end of a message and waits for lmtp_answer(), once for each recipient in order; the caller
 * answers when what it made of the mail is durable.  Pipelined commands behind the message stay
 * with the caller until then.
 *
 * Lines end in CRLF and nothing else ends a line or a message: servers that disagree about bare
 * LF are how a message is smuggled into another.  Timeouts are the caller's.
 */
#ifndef PLUGINS_EMAIL_LMTP_H
#define PLUGINS_EMAIL_LMTP_H

#include "bytes.h"

#include <stdint.h>

#define LMTP_LINE_MAX 2048      /* bytes of a command; RFC 5321 asks for 512 */
#define LMTP_PATH_MAX 320       /* of an address */
#define LMTP_RECIPIENTS_MAX 100 /* of one message (RFC 5321, section 4.5.3.1.8) */
#define LMTP_ERRORS_MAX 20      /* wrong commands of one connection, which then ends */
#define LMTP_REPLY_MAX 600      /* bytes of one reply */

enum lmtp_answer {
    LMTP_ACCEPT, /* 250: it is ours now */
    LMTP_LATER,  /* 451: try again */
    LMTP_REFUSE, /* 550: never */
};

struct lmtp_events {
    /* May mail come to this address?  The text, ASCII, goes into the reply; NULL: a plain one. */
    enum lmtp_answer (*recipient)(void *arg, struct span address, const char **out_text);
    /* A new message begins. */
    void (*begin)(void *arg);
    /* Its bytes, dots taken off.  False: it cannot be kept; the rest is swallowed, all recipients
     * are told to come later. */
    bool (*data)(void *arg, struct span data);
    void *arg;
};

struct lmtp_config {
    const char *host_name; /* ours, in the greeting */
    uint64_t size_max;     /* bytes of a message */
    struct lmtp_events events;
};

enum lmtp_state {
    LMTP_COMMAND, /* reading commands */
    LMTP_DATA,    /* reading a message */
    LMTP_WAITING, /* a message is complete: lmtp_answer() */
    LMTP_CLOSED,  /* send what is in `out`, then close */
};

enum lmtp_line { LMTP_LINE_BEGIN, LMTP_LINE_DOT, LMTP_LINE_DOT_CR, LMTP_LINE_MID, LMTP_LINE_CR };

struct lmtp { /* read `state`, `sender` and the recipients; all is the machine's own */
    enum lmtp_state state;
    char sender[LMTP_PATH_MAX + 1]; /* "" is the null sender */
    char recipients[LMTP_RECIPIENTS_MAX][LMTP_PATH_MAX + 1];
    unsigned recipient_count;

    const struct lmtp_config *config;
    char line[LMTP_LINE_MAX];
    size_t line_size;
    bool is_line_long, is_greeted, has_sender, is_too_large, is_refused;
    unsigned error_count, answer_count;
    enum lmtp_line line_state;
    uint64_t size; /* of the message so far */
};

/* Begin a connection: appends the greeting.  `config` must outlive it. */
void lmtp_init(struct lmtp *lmtp, const struct lmtp_config *config, struct bytes *out);

/* Take bytes, append replies.  Returns how many were taken: all, unless the state is now
 * LMTP_WAITING (feed the rest after the answers) or LMTP_CLOSED. */
size_t lmtp_feed(struct lmtp *lmtp, struct span data, struct bytes *out);

/* The answer for the next recipient of the message in state LMTP_WAITING.  `text` is ASCII or
 * NULL.  After the last one the machine reads commands again. */
void lmtp_answer(struct lmtp *lmtp, enum lmtp_answer answer, const char *text, struct bytes *out);

/* The caller ends it: a timeout, or shutting down (421). */
void lmtp_shutdown(struct lmtp *lmtp, const char *text, struct bytes *out);

#endif

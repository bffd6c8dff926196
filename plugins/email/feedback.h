/* feedback.h -- what a mail that came in tells about one that went out.
 *
 * Anybody can write a bounce.  So reading and believing are two steps.  feedback_read() says
 * what the mail claims (a delivery status notification of RFC 3464, a complaint of RFC 5965, an
 * automatic reply in the sense of RFC 3834, a reply) and which effect of ours it proves to know:
 * by the return path it came to (verp.h), or by a Message-ID of ours that it quotes.
 * feedback_judge() compares it with the recipient that this effect went to.  Only what is
 * FEEDBACK_BELIEVED may suppress anybody.
 *
 *   kind        proof that counts
 *   ----------  -------------------------------------------------------------------
 *   bounces     the return path
 *   complaint   the return path, or the Message-ID in the original that is reported, as long as
 *               reports about that message are believed
 *   replies     the Message-ID in In-Reply-To or References, or the return path
 */
#ifndef PLUGINS_EMAIL_FEEDBACK_H
#define PLUGINS_EMAIL_FEEDBACK_H

#include "address.h"
#include "bytes.h"
#include "status.h"
#include "verp.h"

#include <stdint.h>

#define FEEDBACK_IDS_MAX 50 /* Message-IDs of References that are looked at */

struct mail;

enum feedback_kind {
    FEEDBACK_OTHER,     /* nothing below: a mail that somebody wrote, a list, a newsletter */
    FEEDBACK_BOUNCED,   /* there is no such mailbox (status.h) */
    FEEDBACK_DEFERRED,  /* given up for anything else: it is full, a policy, too large a message */
    FEEDBACK_DELAYED,   /* still being tried */
    FEEDBACK_DELIVERED, /* delivered, relayed or expanded */
    FEEDBACK_COMPLAINED,
    FEEDBACK_AUTO_REPLY, /* and other mail that no person wrote */
    FEEDBACK_REPLIED,
};

enum feedback_proof { FEEDBACK_NO_PROOF, FEEDBACK_RETURN_PATH, FEEDBACK_MESSAGE_ID };

struct feedback_recipient {
    struct address final, original; /* domain "" when there is none that is valid */
    enum feedback_kind kind;
    char status[STATUS_SIZE]; /* "" when there is none */
    char diagnostic[256];     /* the server's words, one line */
};

struct feedback {
    enum feedback_kind kind; /* of the worst of the recipients in a delivery status */
    enum feedback_proof proof;
    enum verp_verdict verdict; /* of what was offered as proof */
    struct verp_effect effect; /* when the verdict is VERP_VALID or VERP_STALE */
    char complaint[32];        /* "abuse", "fraud" */
    bool names_somebody;       /* the report says whom it is about */
    bool is_list;              /* it came by a mailing list: nobody may answer it automatically */
    int64_t oldest_s;          /* reports about what went out before that are over */
    const struct mail *mail;   /* borrowed, for feedback_judge() */
};

struct feedback_context {
    struct span key, domain; /* of the return paths */
    struct span sender;      /* MAIL FROM, without angle brackets; empty is the null sender */
    struct span recipient;   /* RCPT TO */
    int64_t now_s;
    int64_t report_s; /* for so long reports about a message are believed */
};

/* Never fails: what cannot be read is FEEDBACK_OTHER. */
void feedback_read(const struct mail *mail, const struct feedback_context *context,
                   struct feedback *out_feedback);

enum feedback_verdict {
    FEEDBACK_BELIEVED,
    FEEDBACK_NOT_PROVEN,        /* it knows no effect of ours */
    FEEDBACK_FORGED,            /* it pretends to know one */
    FEEDBACK_STALE,             /* it is over */
    FEEDBACK_ANOTHER_RECIPIENT, /* about somebody whom this effect did not go to */
};

struct feedback_effect {
    struct address recipient; /* whom it went to */
    int64_t sent_s;           /* it has gone out by then */
};

/* *out_recipient, which may be NULL, gets what the report says about them; when it names nobody,
 * or is no report, the kind of the feedback and nothing else.  Of several rows about them the worst
 * counts: one that failed after all was relayed before. */
enum feedback_verdict feedback_judge(const struct feedback *feedback,
                                     const struct feedback_effect *effect,
                                     struct feedback_recipient *out_recipient);

const char *feedback_verdict_text(enum feedback_verdict verdict); /* for a log */

#endif

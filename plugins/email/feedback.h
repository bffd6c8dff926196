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
 *   complaint   the return path, or the Message-ID in the original that is reported
 *   replies     the Message-ID in In-Reply-To or References, or the return path
 */
#ifndef PLUGINS_EMAIL_FEEDBACK_H
#define PLUGINS_EMAIL_FEEDBACK_H

#include "address.h"
#include "bytes.h"
#include "verp.h"

#include <stdint.h>

#define FEEDBACK_RECIPIENTS_MAX 10 /* of one report; further ones are not looked at */
#define FEEDBACK_IDS_MAX 50        /* Message-IDs of References that are looked at */

struct mail;

enum feedback_kind {
    FEEDBACK_OTHER,     /* nothing below: a mail that somebody wrote, a list, a newsletter */
    FEEDBACK_BOUNCED,   /* failed for good, status 5 */
    FEEDBACK_DEFERRED,  /* given up, status 4: a mailbox over quota; not the person's fault */
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
    char status[16];      /* "5.1.1"; "" when there is none */
    char diagnostic[256]; /* the server's words, one line */
};

struct feedback {
    enum feedback_kind kind; /* of the worst of the recipients in a delivery status */
    enum feedback_proof proof;
    enum verp_verdict verdict; /* of what was offered as proof */
    struct verp_effect effect; /* when the verdict is VERP_VALID or VERP_STALE */
    char complaint[32];        /* "abuse", "fraud" */
    size_t recipient_count;
    struct feedback_recipient recipients[FEEDBACK_RECIPIENTS_MAX];
};

struct feedback_context {
    struct span key, domain; /* of the return paths */
    struct span sender;      /* MAIL FROM, without angle brackets; empty is the null sender */
    struct span recipient;   /* RCPT TO */
    int64_t now_s;
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

/* `expected` is whom the effect went to.  *out_recipient, which may be NULL, gets the row of the
 * report about them, or NULL when the report names nobody.  With several rows the verdict and
 * the kind of the feedback are those of the row that fits: take the kind from the row. */
enum feedback_verdict feedback_judge(const struct feedback *feedback,
                                     const struct address *expected,
                                     const struct feedback_recipient **out_recipient);

const char *feedback_verdict_text(enum feedback_verdict verdict); /* for a log */

#endif

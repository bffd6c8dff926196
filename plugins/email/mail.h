/* mail.h -- what is kept of a message that came in.
 *
 * Its header, its text as UTF-8, what its attachments are called, and of a report (RFC 3462) what
 * machines read.  All of it bounded; what was left out is said in the is_..._cut members.
 *
 * The text is that of all parts that are shown, in their order: text before and after a picture is
 * two parts.  Of alternatives (RFC 2046, section 5.1.4) the plain text counts, and where it is
 * blank the HTML.  A part with a name is an attachment, but for the only one of a mail without
 * parts.
 */
#ifndef PLUGINS_EMAIL_MAIL_H
#define PLUGINS_EMAIL_MAIL_H

#include "bytes.h"
#include "mime.h"

#include <stdint.h>

#define MAIL_TEXT_MAX (256u * 1024)  /* bytes of the text before it becomes UTF-8, of each kind */
#define MAIL_PIECES_MAX 50           /* parts that are text; further ones are attachments */
#define MAIL_REPORT_MAX (64u * 1024) /* of the fields of a report, and of the original's header */
#define MAIL_ATTACHMENTS_MAX 100

struct fault;

struct mail_attachment {
    char name[256]; /* UTF-8 without controls and slashes; "" when it has none */
    char type[128];
    uint64_t size; /* decoded */
    bool is_inline;
};

enum mail_kind { MAIL_PLAIN, MAIL_HTML, MAIL_ENRICHED, MAIL_KINDS }; /* what is shown first */

struct mail_piece { /* a part that is text */
    enum mail_kind kind;
    unsigned group; /* of alternatives; 0: it has none */
    char charset[64];
    size_t from, size; /* in `raw` of its kind */
    bool is_cut;
};

enum mail_report { MAIL_NO_REPORT, MAIL_DELIVERY_STATUS, MAIL_FEEDBACK_REPORT };

struct mail { /* read it after mail_end(); the mail owns all it points to */
    struct span header;
    struct bytes text; /* UTF-8, lines ended by LF */
    bool is_text_cut, is_attachments_cut, is_structure_cut, is_header_cut;
    enum mail_report report_kind;
    struct bytes report;   /* the fields of message/delivery-status or message/feedback-report */
    struct bytes original; /* the header, or all, of the message that is reported about */
    struct mail_attachment *attachments;
    size_t attachment_count;
    uint64_t size;       /* bytes fed */
    struct span charset; /* of what names none and is not UTF-8; set after mail_init(), borrowed */

    struct mime_reader reader; /* from here on the mail's own */
    struct mime_events events;
    struct bytes header_copy, header_decoded, raw[MAIL_KINDS];
    struct mail_piece *pieces, *piece; /* all; this part's, or NULL */
    size_t piece_count;
    unsigned group, group_count, group_depth; /* of the alternatives that this part is among */
    struct bytes *target; /* where the contents of this part go, as far as there is room */
    struct mail_attachment *attachment;
    bool is_report;
};

void mail_init(struct mail *mail); /* the mail must not move from now on */
void mail_deinit(struct mail *mail);

/* 0 or FAULT_MEMORY; nothing in a message is a fault. */
int mail_feed(struct mail *mail, struct span data, struct fault *fault);
int mail_end(struct mail *mail, struct fault *fault);

#endif

/* mail.h -- what is kept of a message that came in.
 *
 * Its header, its text as UTF-8 (of the HTML when it has no other), what its attachments are
 * called, and of a report (RFC 3462) the fields that machines read.  All of it bounded; what was
 * left out is said in the is_..._cut members.
 */
#ifndef PLUGINS_EMAIL_MAIL_H
#define PLUGINS_EMAIL_MAIL_H

#include "bytes.h"
#include "mime.h"

#include <stdint.h>

#define MAIL_TEXT_MAX (256u * 1024)  /* bytes of the text before it becomes UTF-8 */
#define MAIL_REPORT_MAX (64u * 1024) /* of the fields of a report, and of the original's header */
#define MAIL_ATTACHMENTS_MAX 100

struct fault;

struct mail_attachment {
    char name[256]; /* UTF-8 without controls and slashes; "" when it has none */
    char type[128];
    uint64_t size; /* decoded */
    bool is_inline;
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
    uint64_t size; /* bytes fed */

    struct mime_reader reader; /* from here on the mail's own */
    struct mime_events events;
    struct bytes header_copy, plain, html;
    char plain_charset[64], html_charset[64];
    struct bytes *target; /* where the contents of this part go, as far as there is room */
    struct mail_attachment *attachment;
    bool is_report, has_plain, has_html;
};

void mail_init(struct mail *mail); /* the mail must not move from now on */
void mail_deinit(struct mail *mail);

/* 0 or FAULT_MEMORY; nothing in a message is a fault. */
int mail_feed(struct mail *mail, struct span data, struct fault *fault);
int mail_end(struct mail *mail, struct fault *fault);

#endif

/* letter.h -- a message of Kith's as it goes to the relay: envelope and signed bytes.
 *
 * The body is Markdown (markdown.h).  What else an e-mail has comes from the fields of the
 * template, or, of a message without a template, from the table `email` of its data:
 *
 *     subject       needed
 *     from          instead of the configured one
 *     reply_to      one mailbox, or addresses without names
 *     in_reply_to   the Message-ID of the mail that this one answers; left out where it is none
 *     x-...         a header of that name
 *
 * Of a message with a template its data are for the template alone: what an event brought in, and a
 * rule passed on as `data`, never becomes a header by itself.
 *
 * links.unsubscribe becomes List-Unsubscribe with one click (RFC 8058) where it is https.
 */
#ifndef PLUGINS_EMAIL_LETTER_H
#define PLUGINS_EMAIL_LETTER_H

#include "bytes.h"
#include "compose.h"
#include "kith.h"
#include "settings.h"

#include <stdint.h>

#define LETTER_PATH_MAX 330

struct letter {
    char return_path[LETTER_PATH_MAX + 1]; /* "<bounce+...@shop.example>" */
    char recipient[LETTER_PATH_MAX + 1];   /* "<ann@example.com>" */
    char domain[ADDRESS_DOMAIN_MAX + 1];   /* the recipient's */
    struct bytes bytes;                    /* with signatures; the caller's to deinit */
};

struct letter_source {
    const struct settings *settings;
    struct kith_text effect; /* "812.3" */
    int64_t attempt;
    struct kith_doc message;
    int64_t now_ms;
    const struct compose_attachment *files;
    size_t file_count;
};

/* `out_letter` needs letter_deinit() whatever comes back.  Any thread. */
int letter_write(const struct letter_source *source, struct letter *out_letter,
                 struct fault *fault);
void letter_deinit(struct letter *letter);

/* "812.3"; false when it is none. */
bool letter_effect(struct kith_text text, uint64_t *out_seq, uint32_t *out_n);

#endif

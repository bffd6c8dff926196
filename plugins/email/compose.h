/* compose.h -- a message as it goes over the wire (RFC 5322, RFC 2045 to 2047).
 *
 * The same input gives the same bytes, on every machine and at every attempt: Date, Message-ID
 * and boundaries come from the input.  Lines end in CRLF and have at most 998 characters, 76
 * wherever there is a choice.
 *
 *   mixed                      when there are attachments
 *     alternative              when there is a text and HTML
 *       text/plain
 *       related                when attachments have a content id
 *         text/html
 *         inline attachments
 *     attachments
 *
 * A body in Markdown is both: its text, and its HTML.  Texts are quoted-printable or base64,
 * whichever is shorter; since "=_" occurs in neither, it marks the boundaries.
 */
#ifndef PLUGINS_EMAIL_COMPOSE_H
#define PLUGINS_EMAIL_COMPOSE_H

#include "bytes.h"

#include <stdint.h>

#define COMPOSE_BYTES_MAX (25u << 20) /* of a whole message, encoded */
#define COMPOSE_HEADERS_MAX 50
#define COMPOSE_ATTACHMENTS_MAX 50
#define COMPOSE_ID_MAX 120

struct fault;

struct compose_header {
    struct span name, value;
};

struct compose_attachment {
    struct span name;       /* of the file; UTF-8 */
    struct span type;       /* "image/png"; application/octet-stream when empty */
    struct span content_id; /* not empty: shown inside the HTML, as cid:CONTENT_ID */
    struct span data;
};

struct compose {
    struct span id;       /* the left side of the Message-ID, unique for ever: a dot-atom */
    struct span domain;   /* its right side */
    int64_t time_s;       /* Date, seconds since 1970, UTC */
    struct span from;     /* one mailbox, as address_parse_filled() reads it */
    struct span reply_to; /* the same, or addresses without names; may be empty */
    struct span to;       /* an address list */
    struct span subject;
    struct span text, html;       /* UTF-8; one may be empty */
    struct span markdown;         /* instead of both */
    struct span unsubscribe_url;  /* https: one-click (RFC 8058); may be empty */
    struct span unsubscribe_mail; /* mailto: address for those who do not click; may be empty */
    bool is_automatic;            /* Auto-Submitted: auto-generated (RFC 3834) */
    const struct compose_header *headers; /* more of them; not those written here */
    size_t header_count;
    const struct compose_attachment *attachments;
    size_t attachment_count;
};

/* Can it stand among `headers`?  For those that are known long before any message. */
int compose_header_check(const struct compose_header *header, struct fault *fault);

/* Append the message.  FAULT_INVALID names the part of the input and why it is refused,
 * FAULT_LIMIT the limit; what was appended until then is worthless. */
int compose_message(const struct compose *compose, struct bytes *out, struct fault *fault);

#endif

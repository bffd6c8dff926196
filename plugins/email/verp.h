/* verp.h -- return paths that know which message they belong to, and that nobody can make up.
 *
 *   bounce+SEQ.N.ATTEMPT.DAY.MAC@domain      the return path of an attempt
 *   SEQ.N.MAC@domain                         its Message-ID
 *
 * SEQ.N is the effect, DAY the last day (since 1970, UTC) on which a report is believed, MAC the
 * first 80 bits of an HMAC-SHA256 over all of it and the domain, in base32.  All is lower case
 * and read in any: servers fold local parts.  Numbers are decimal, so that a person reading a
 * mail log can find the effect.  The same key serves both; what is signed begins with its
 * purpose, so that neither passes for the other.
 */
#ifndef PLUGINS_EMAIL_VERP_H
#define PLUGINS_EMAIL_VERP_H

#include "bytes.h"

#include <stdint.h>

#define VERP_KEY_MIN 16 /* bytes */
#define VERP_PREFIX "bounce"

struct fault;

struct verp_effect {
    uint64_t seq;
    uint32_t n, attempt;
    int64_t expires_s; /* a report is believed until the end of that day, UTC; 0 in a Message-ID */
};

enum verp_verdict { /* what an address or a Message-ID turned out to be */
    VERP_VALID,
    VERP_NOT_OURS, /* of another form or domain */
    VERP_FORGED,   /* of our form, but not made with this key */
    VERP_STALE,    /* made by us, and over */
};

/* Append the return path.  `domain` in lower case. */
int verp_write(struct span key, struct span domain, const struct verp_effect *effect,
               struct bytes *out, struct fault *fault);

/* `recipient` as RCPT TO had it, without angle brackets.  *out_effect is written when VALID or
 * STALE. */
enum verp_verdict verp_read(struct span key, struct span domain, struct span recipient,
                            int64_t now_s, struct verp_effect *out_effect);

/* Append the left side of the Message-ID: the same for each attempt. */
int verp_id_write(struct span key, struct span domain, const struct verp_effect *effect,
                  struct bytes *out, struct fault *fault);

/* `message_id` with or without its angle brackets. */
enum verp_verdict verp_id_read(struct span key, struct span domain, struct span message_id,
                               struct verp_effect *out_effect);

#endif

/* verify.h -- whether a request comes from whom it says, in the four ways that senders sign.
 *
 *     standard   webhook-id, webhook-timestamp, webhook-signature: v1,BASE64 ...
 *                (Standard Webhooks): HMAC-SHA256 over ID.TIMESTAMP.BODY
 *     github     X-Hub-Signature-256: sha256=HEX, or another header, HEX or BASE64:
 *                HMAC-SHA256 over the body
 *     stripe     Stripe-Signature: t=SECONDS,v1=HEX,...: HMAC-SHA256 over SECONDS.BODY
 *     twilio     X-Twilio-Signature: HMAC-SHA1 over the URL and, sorted, the names and values of a
 *                form; of another body its SHA-256 stands in the URL, as bodySHA256
 *
 * Any of the secrets will do, each comparison takes the same time.  A time that was signed must be
 * near ours.
 *
 * What makes a request the same as one before it is what its sender has signed: an id that stands
 * in a header beside the signature could be changed by whoever repeats the request.
 */
#ifndef PLUGINS_WEBHOOK_VERIFY_H
#define PLUGINS_WEBHOOK_VERIFY_H

#include "keys.h"

enum scheme { SCHEME_STANDARD, SCHEME_GITHUB, SCHEME_STRIPE, SCHEME_TWILIO, SCHEME_NONE };

/* SCHEME_NONE: there is no such one. */
enum scheme scheme_of(struct kith_text name);

#define VERIFY_ID_SIZE 200

struct verify {
    const struct kith_host *host; /* for now(), hmac() and from_form() */
    struct kith *kith;
    enum scheme scheme;
    const struct keys *keys;
    const char *header;   /* of the signature; "": the scheme's own.  Of SCHEME_GITHUB, _STRIPE */
    const char *url;      /* as the sender calls it, without a query.  Of SCHEME_TWILIO */
    int64_t tolerance_ms; /* between their time and ours */
};

/* NULL: it is genuine, and `id` says which request it is.  Otherwise why not, for the sender. */
const char *verify(const struct verify *verify, const struct kith_request *request,
                   char id[VERIFY_ID_SIZE]);

#endif

/* dkim.h -- DKIM signatures (RFC 6376, relaxed/relaxed) with RSA (rsa-sha256, 2048 to 4096 bits)
 * or Ed25519 (RFC 8463).
 *
 * Signed is what compose.h writes.  Fields a forger would like to add a second time (From, To,
 * Subject and so on) are signed once more than they occur, so that an addition breaks the
 * signature.  The time comes from the caller: the same message gives the same signature.
 */
#ifndef PLUGINS_EMAIL_DKIM_H
#define PLUGINS_EMAIL_DKIM_H

#include "bytes.h"

#include <stdint.h>

#define DKIM_RSA_BITS_MIN 2048
#define DKIM_RSA_BITS_MAX 4096

struct dkim_key;
struct fault;

/* A private key in PEM, not encrypted.  FAULT_INVALID when it is none, or another kind or size.
 * Any thread may sign with it. */
int dkim_key_open(struct span pem, struct dkim_key **out_key, struct fault *fault);
void dkim_key_close(struct dkim_key *key); /* NULL is allowed */

struct dkim_signer {
    const struct dkim_key *key;
    struct span domain, selector; /* d= and s=: SELECTOR._domainkey.DOMAIN has the public key */
    int64_t time_s;               /* t= */
};

/* Append the field DKIM-Signature, with its line end, that goes before `message`.  Signing twice,
 * once with each kind of key, signs the same message: put both before it. */
int dkim_sign(const struct dkim_signer *signer, struct span message, struct bytes *out,
              struct fault *fault);

#endif
